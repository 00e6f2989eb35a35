/*
 * The loop's end of a machine's WebSocket: whole messages in, a queue of messages out.
 *
 * Made at the upgrade, freed with its connection. The calls mirror the callbacks of libwebsockets,
 * and those that return int return what it expects: non-zero closes.
 */
#ifndef HUB_WEBSOCKET_H
#define HUB_WEBSOCKET_H

#include "hub/net/listener.h"
#include "hub/net/mailbox.h"

#define WEBSOCKET_WHY_SIZE 48

/* The letters of the core, opened on the loop. A message then waits for the socket. */
struct websocket_message {
	struct letter letter;
	struct connection *connection;
	size_t len;
	unsigned char room[LWS_PRE]; /* libwebsockets writes its frame header here */
	char text[];
};

struct websocket_close {
	struct letter letter;
	struct connection *connection;
	uint16_t code;
	char why[WEBSOCKET_WHY_SIZE];
};

void websocket_message(struct letter *letter);
void websocket_close(struct letter *letter);

void websocket_open(struct connection *connection);
int websocket_receive(struct connection *connection, const char *data, size_t len);
int websocket_writable(struct connection *connection);
/* The peer's close frame. */
void websocket_peer_closes(struct connection *connection, const unsigned char *payload, size_t len);
/* Nothing more will come or go: tells the core how it ended. */
void websocket_closed(struct connection *connection);
void websocket_free(struct connection *connection);

/* What a message of this length counts while it waits. */
static inline size_t websocket_weight(size_t len)
{
	return len + 256;
}

#endif
