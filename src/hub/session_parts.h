/*
 * What the files of a session share. Private to hub/session*.c.
 *
 * session.c receives, dispatches and ends; session_join.c lets a machine in.
 */
#ifndef HUB_SESSION_PARTS_H
#define HUB_SESSION_PARTS_H

#include "hub/session.h"
#include "wire/messages.h"

/* Close codes of RFC 6455. */
#define CLOSE_NORMAL  1000
#define CLOSE_POLICY  1008
#define CLOSE_RESTART 1012

enum state {
	STATE_HELLO, /* waits for hello */
	STATE_PROOF, /* the hub has proved itself; waits for the machine's proof */
	STATE_OPEN,
	STATE_OVER, /* answered for the last time; the connection is about to close */
	STATE_COUNT,
};

struct session {
	const struct session_context *context;
	const struct session_link *link;
	void *link_data;
	struct member *member;               /* while open */
	struct proof_transcript *transcript; /* owned, between hello and proof */
	int64_t opened_ms, rate_ms;
	int rate_left;
	enum state state;
	char id[IDENTITY_ID_SIZE]; /* of the server, once open */
	char peer[46];
};

int64_t session_now_ms(void);
void session_forget_transcript(struct session *session);
void session_send_text(struct session *session, char *text); /* takes the text */
void session_send_result(struct session *session, int64_t id, enum message message, void *record);
void session_close(struct session *session, uint16_t code, const char *why);
/* The last answer: why not. Takes the data, which may be NULL. */
void session_refuse(struct session *session, int64_t id, enum refusal refusal, json_t *data);
void session_refuse_for_store(struct session *session, int64_t rpc_id, const struct err *err);
/* The text of an inventory within its bound, owned by the caller, or NULL. */
char *session_inventory_text(const json_t *inventory);

/* `record` is the struct msg_ of the message. */
typedef void session_handler(struct session *session, const struct rpc *rpc, void *record);

session_handler session_on_hello, session_on_enrol, session_on_resume;

#endif
