/*
 * What the files of the listener share. Private to the listener's side of hub/.
 *
 * listener.c opens and closes, door.c lets in, loop.c turns libwebsockets, connection.c counts and
 * kills, callbacks.c takes what libwebsockets has to tell, http.c and websocket.c speak. But for
 * door.c and what is said to be the core's, everything runs on the loop's own thread.
 */
#ifndef HUB_LISTENER_PARTS_H
#define HUB_LISTENER_PARTS_H

#include "hub/hub.h"
#include "hub/net/gate.h"
#include "hub/net/listener.h"
#include "hub/net/mailbox.h"

#include <openssl/ssl.h>

struct door;

struct kill_list {
	struct lws **all; /* owned */
	size_t count, room;
};

struct loop {
	struct listener *listener;
	enum gate_row row; /* who comes here */
	char name[16];     /* of its thread, and in the metrics */
	uv_loop_t uv;
	pthread_t thread;
	bool running; /* the thread has to be joined */
	struct mailbox mailbox;
	struct lws_context *lws;
	struct lws_vhost *vhost;
	SSL_CTX *ssl; /* borrowed from the vhost */
	/* Or libwebsockets would read all CAs of the system for a client that nobody is; owned. */
	SSL_CTX *no_client;
	struct connection young; /* head of the ring */
	size_t young_count, young_max;
	uv_timer_t kill_timer, sweep_timer;
	struct kill_list to_kill;
	bool instantiated; /* the socket that comes in has got its connection */
	bool closing;

	_Atomic int64_t open; /* connections, those under way from the door included */
	_Atomic int64_t young_now;
	_Atomic int64_t young_since_ms; /* when the oldest of them came; 0: there is none */
	_Atomic int64_t entering;       /* under way from the door */
	_Atomic int64_t lag_us;         /* of its letters */
};

struct measured {
	int64_t now_us, loops_us, core_us, admitted;
};

struct listener {
	struct hub *hub;
	unsigned cores; /* that this process may use */
	struct mailbox core;
	struct door *door;
	struct loop *loops[1 + HUB_MAX_LOOPS]; /* the first is the people's */
	unsigned count;
	int64_t open_max;
	struct admission admission;
	_Atomic int64_t admitted;   /* upgrades, since the beginning */
	_Atomic int64_t body_bytes; /* of requests, reserved */
	_Atomic int64_t unread;     /* bytes of messages that the core has not seen yet */
	_Atomic bool draining;
	bool rushed;              /* many came, and what that took was not given back yet */
	int calm;                 /* sweeps since */
	struct measured measured; /* at the last sweep */
};

static inline struct loop *loop_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

/* loop.c */
struct loop *loop_open(struct listener *listener, enum gate_row row, const char *name,
	const struct keys_certificate *certificate, struct err *err);
int loop_start(struct loop *loop, struct err *err);
void loop_stop(struct loop *loop); /* waits for its thread */
void loop_close(struct loop *loop);
void loop_free(struct loop *loop);
/* From the door: takes the socket. */
void loop_enter(struct loop *loop, int fd);
/* From the core: the certificate for new connections. */
void loop_use(struct loop *loop, X509 *leaf, EVP_PKEY *key, STACK_OF(X509) * chain);

/* door.c */
struct door *door_open(struct listener *listener, const char *host, uint16_t port, struct err *err);
int door_start(struct door *door, struct err *err);
uint16_t door_port(const struct door *door);
/* From any thread: a loop has taken somebody in. */
void door_look(struct door *door);
size_t door_queue(const struct door *door); /* those whose ClientHello is there */
int64_t door_wait_us(const struct door *door, int64_t now_us); /* of the first of them */
int64_t door_waiting(const struct door *door);                 /* all */
void door_close(struct door *door);

/* connection.c, on the loop */
bool connection_has_room(struct loop *loop);
/* Closes it at the next turn of the loop. */
void connection_end(struct connection *connection);
void connection_grow_up(struct connection *connection);
/* Before the core hears of it. */
void connection_learn(struct connection *connection);
/* Nobody speaks there any more; tells the core, which answers with a release. */
void connection_tell_end(struct connection *connection, unsigned how);

/* A letter that is about a connection and says no more. */
struct connection_letter {
	struct letter letter;
	struct connection *connection;
	unsigned how; /* of an end: enum connection_end_flags */
};

enum connection_end_flags {
	END_WAS_RESET = 1,
	END_GOODBYE = 2,    /* the peer sent a close frame */
	END_GOES_AWAY = 4,  /* which says that it stops */
	END_BY_THIS_HUB = 8 /* this end sent one */
};

typedef void letter_open(struct letter *letter);

void connection_post_core(
	struct connection *connection, enum mailbox_lane lane, letter_open *open, unsigned how);
void connection_post_loop(struct connection *connection, letter_open *open);

/* One thing that libwebsockets tells; non-zero closes. The connection is NULL before it was made.
 */
typedef int callback_part(struct lws *wsi, struct connection *connection, void *in, size_t len);

callback_part connection_accepted, connection_destroyed;

/* The callback of the one protocol. */
int listener_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

#endif
