/*
 * The core's end of a machine's WebSocket: letters in, session_text(); what the session says, as
 * letters to the loop, whose end is websocket.h.
 *
 * The session hangs on its connection from the first letter to the last. A machine that is sent
 * more than it reads is closed, and so is one that sends more than the core can follow.
 */
#ifndef HUB_CHANNEL_H
#define HUB_CHANNEL_H

#include "hub/net/listener.h"
#include "hub/net/mailbox.h"

#define CHANNEL_MAX_UNSENT 2097152 /* bytes that wait to be sent; then it is closed */
/* Bytes that wait for the core; whoever sends more is closed. An agent has 64 requests of 32 KiB
 * and one message of 1 MiB on the way at most. */
#define CHANNEL_MAX_UNREAD     4194304
#define CHANNEL_MAX_UNREAD_ALL 268435456 /* of all machines together */

/* A whole message of the machine. */
struct channel_text {
	struct letter letter;
	struct connection *connection;
	size_t len;
	char text[];
};

/* The letters of the loop, opened on the core. */
void channel_opened(struct letter *letter); /* a connection_letter */
void channel_texted(struct letter *letter); /* a channel_text */
/* The connection is gone; `how` of enum connection_end_flags. */
void channel_ended(struct connection *connection, unsigned how);

#endif
