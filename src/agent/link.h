/*
 * The session's frames over the connection that a walk left: who moves the bytes, and what to wait
 * for.
 *
 *     link_take() ( link_step(), poll for link_events() )* link_close()
 */
#ifndef AGENT_LINK_H
#define AGENT_LINK_H

#include "dial/dial.h"
#include "wire/messages.h"

#define CLOSE_NORMAL     1000
#define CLOSE_GOING_AWAY 1001

struct link {
	struct conn *conn; /* owned */
	struct ws *ws;     /* owned */
	bool wants_write;
};

/* Takes connection and frames out of the walk; messages go to on_text from now on. */
void link_take(struct link *link, struct walk *walk, ws_on_text *on_text, void *data);
/* Moves what can be moved without waiting; calls on_text. */
enum ws_state link_step(struct link *link);
short link_events(const struct link *link); /* for poll(2) */
bool link_ready(const struct link *link);   /* bytes wait above the socket: do not poll */
/* Says goodbye with this code as far as that goes without waiting, and closes. */
void link_close(struct link *link, uint16_t code);

/* Sends a request of an open session and waits for its answer; for programs that do one thing and
 * go. The link must be the caller's alone. 0, or -1 with what the hub said or how it went. */
int link_ask(struct walk *walk, enum message message, const void *record, int timeout_ms,
	const struct cancel *cancel, struct err *err);

#endif
