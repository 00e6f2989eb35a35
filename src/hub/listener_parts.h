/*
 * What the files of the listener share. Private to hub/listener*.c and hub/connection.c.
 *
 * listener.c opens and closes, connection.c counts and kills, callbacks.c takes what libwebsockets
 * has to tell.
 */
#ifndef HUB_LISTENER_PARTS_H
#define HUB_LISTENER_PARTS_H

#include "hub/gate.h"
#include "hub/listener.h"

struct kill_list {
	struct lws **all; /* owned */
	size_t count, room;
};

struct listener {
	struct hub *hub;
	uv_loop_t *loop;
	struct gate *gate;
	struct lws_context *lws;
	struct lws_vhost *vhost;
	SSL_CTX *ssl;            /* borrowed from the vhost */
	struct connection young; /* head of the ring */
	size_t open, open_max;
	size_t young_count, young_max;
	uv_timer_t kill_timer;
	struct kill_list to_kill;
	bool draining, closing;
};

static inline struct listener *listener_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

/* Room for a handshake, which may cost an older connection its place. */
bool listener_has_room(struct listener *listener);

/* One thing that libwebsockets tells; non-zero closes. The connection is NULL before it was made.
 */
typedef int callback_part(struct lws *wsi, struct connection *connection, void *in, size_t len);

callback_part connection_accepted, connection_destroyed;

/* The callback of the one protocol. */
int listener_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

#endif
