/*
 * The hub's connections: a thread at the door, and loops, each a thread that turns libwebsockets on
 * libuv for its share of the connections. The hub itself, the core, stays one thread.
 *
 *     door: accepts, waits for the ClientHello, lets in at the pace of the loops
 *     loop: TLS, HTTP and WebSocket framing
 *     core: sessions, API, store
 *
 * Between them go letters (mailbox.h). What a loop has of a connection nobody else touches; what
 * the core asks of it is done when the loop opens the letter, and a connection that the core has
 * heard of stays until the core has heard of its end.
 *
 * A connection is young until it has proved itself: by a session, or by signing in. There is room
 * for a bounded number of young ones; past it the oldest makes room unless it has only just come,
 * so that ten thousand half-open connections cost time to whoever opens them and no machine its
 * place. When the process runs out of descriptors, new connections are closed at once, with some
 * kept back for the database.
 */
#ifndef HUB_LISTENER_H
#define HUB_LISTENER_H

#include "base/buf.h"
#include "base/err.h"
#include "hub/net/admission.h"
#include "hub/keys.h"

#include <libwebsockets.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define CONNECTION_BINDING_BYTES 32
#define CONNECTION_PEER_SIZE     16 /* an IPv4 address as text */

struct hub;
struct loop;
struct websocket;
struct exchange;
struct session;

/* One accepted connection; made and freed by its loop. */
struct connection {
	struct hub *hub;
	struct loop *loop;

	/* The same for ever once the core has heard of it. */
	unsigned char binding[CONNECTION_BINDING_BYTES];
	bool bound;
	char peer[CONNECTION_PEER_SIZE];

	/* The loop's. */
	bool told;                         /* the core has heard of it */
	bool end_told;                     /* and of its end */
	bool released;                     /* and will not touch it any more */
	bool answering;                    /* the core has a request of it */
	struct lws *wsi;                   /* NULL once it is gone */
	struct connection *before, *after; /* ring of young ones, the oldest first */
	struct exchange *exchange;         /* a request that comes, or an answer that goes; owned */
	struct websocket *websocket;       /* after the upgrade; owned */
	int64_t opened_ms;

	/* The core's. */
	struct session *session; /* owned: session_ended() frees it */
	struct exchange *asked;  /* the request in hand; owned */
	bool proven, killed, closing;

	/* Of both. */
	_Atomic size_t unsent; /* bytes that the core has posted and the socket has not taken */
	_Atomic size_t unread; /* bytes of messages that the core has not seen yet */
};

struct listener;

/* Opens the port and starts the threads, `loops` of them and the door's. `loop` is the core's. */
struct listener *listener_open(struct hub *hub, uv_loop_t *loop, const char *host, uint16_t port,
	unsigned loops, const struct keys_certificate *certificate, struct err *err);
uint16_t listener_port(const struct listener *listener);
/* Takes the certificate's files again, for new connections. */
int listener_reload(
	struct listener *listener, const struct keys_certificate *certificate, struct err *err);
/* Measures; call it about twice a second. */
void listener_sweep(struct listener *listener);
/* 0, or after how many seconds the machine whose upgrade this is should come back. From any loop.
 */
int listener_retry_after_s(struct listener *listener);
/* What admitting one machine costs, and what follows from it. */
const struct admission *listener_admission(const struct listener *listener);
void listener_drain(struct listener *listener); /* new upgrades get 503 from now on */
/* Ends the threads and closes everything, turning the core's loop until it is done. */
void listener_close(struct listener *listener);
void listener_free(struct listener *listener);
/* The rows of metrics.def that each loop has of its own. */
void listener_print(const struct listener *listener, struct buf *out);

/* For the core. The connection is no longer young. */
void connection_proven(struct connection *connection);
/* Closes it soon. */
void connection_kill(struct connection *connection);
/* RFC 9266 exporter; -1 when the connection has none. */
int connection_binding(
	const struct connection *connection, unsigned char binding[CONNECTION_BINDING_BYTES]);

#endif
