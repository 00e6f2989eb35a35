/*
 * The WebSocket of one machine: whole messages in, a queue of messages out.
 *
 * Made at the upgrade, freed by channel_closed(). The calls mirror the
 * callbacks of libwebsockets, and those that return int return what it expects: non-zero closes.
 */
#ifndef HUB_CHANNEL_H
#define HUB_CHANNEL_H

#include "hub/listener.h"
#include "hub/session.h"

#define CHANNEL_MAX_QUEUE 2097152 /* bytes that wait to be sent; then it is closed */

struct channel *channel_open(struct connection *connection);
int channel_receive(struct channel *channel, const char *data, size_t len);
int channel_writable(struct channel *channel);
/* The peer's close frame. */
void channel_peer_closes(struct channel *channel, const unsigned char *payload, size_t len);
/* The connection is gone: tells the session why and frees the channel. */
void channel_closed(struct channel *channel);

#endif
