/*
 * The hub's connections: libwebsockets on libuv behind the gate, and the count of who is there.
 *
 * A connection is young until it has proved itself: by a session, or by signing in. There is room
 * for a bounded number of young ones; past it the oldest makes room unless it has only just come,
 * so that ten thousand half-open connections cost time to whoever opens them and no machine its
 * place. When the process runs out of descriptors, new connections are closed at once, with some
 * kept back for the database.
 */
#ifndef HUB_LISTENER_H
#define HUB_LISTENER_H

#include "base/err.h"
#include "hub/keys.h"

#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct hub;
struct channel;
struct exchange;

/* One accepted connection; made and freed by the listener. */
struct connection {
	struct hub *hub;
	struct lws *wsi;
	struct connection *before, *after; /* ring of young ones, the oldest first */
	struct exchange *exchange;         /* the HTTP request in hand; owned */
	struct channel *channel;           /* after the upgrade to WebSocket; owned */
	int64_t opened_ms;
};

struct listener;

struct listener *listener_open(struct hub *hub, uv_loop_t *loop, const char *host, uint16_t port,
	const struct keys_certificate *certificate, struct err *err);
uint16_t listener_port(const struct listener *listener);
/* Takes the certificate's files again, for new connections. */
int listener_reload(
	struct listener *listener, const struct keys_certificate *certificate, struct err *err);
/* Closes young connections that have been silent for long, and counts. */
void listener_sweep(struct listener *listener, int64_t now_ms);
/* True while upgrades get 503. */
bool listener_busy(const struct listener *listener);
void listener_drain(struct listener *listener); /* new upgrades get 503 from now on */
/* Closes everything, turning the loop until it is done; then it can be freed. */
void listener_close(struct listener *listener);
void listener_free(struct listener *listener);

/* The connection is no longer young. */
void connection_proven(struct connection *connection);
/* Closes it at the next turn of the loop. */
void connection_kill(struct connection *connection);
/* RFC 9266 exporter; -1 when the connection has none. */
int connection_binding(const struct connection *connection, unsigned char binding[32]);
void connection_peer(const struct connection *connection, char *text, size_t size);

#endif
