/*
 * The conversation with the hub while the session is open: heartbeats and what the hub announces.
 *
 * It does no input or output of its own. Whoever moves the bytes (agent/online.c) calls
 * session_text() with each message, session_tick() when session_deadline() has passed, and
 * session_closed() when the transport ended; messages leave through `send`. Times are microseconds
 * of the monotonic clock, handed in, so that tests need no waiting.
 *
 *     session_open() ( session_text() | session_tick() | session_notify() | session_ask() )* ->
 * over
 *
 * What the hub may ask of the machine beyond that is the caller's: a table of session_call rows.
 *
 * Once `over.cause` is set the conversation has ended and says why.
 */
#ifndef AGENT_SESSION_H
#define AGENT_SESSION_H

#include "diagnosis/finding.h"
#include "wire/messages.h"

#include <stdint.h>

/* What the hub asks of its agents; from the welcome. Milliseconds. */
struct session_params {
	int64_t heartbeat_ms;
	int64_t heartbeat_jitter_ms;
	int64_t heartbeat_timeout_ms;
	int64_t backoff_base_ms;
	int64_t backoff_cap_ms;
	int64_t stable_ms;
};

/* Takes a message; -1 when it cannot be sent any more (session_closed() will follow). */
typedef int session_send(void *data, const char *text, size_t len);

#define SESSION_ASKS 32 /* requests that may be open at once */

/* A request or notification of the hub. `record` is the message's struct msg_NAME and good for the
 * call. What is returned answers a request: REFUSAL_NONE with an empty object. */
struct session_call {
	enum message message;
	enum refusal (*run)(void *data, const void *record);
};

/* The hub's answer to session_ask(), once; `result` is NULL when it refused, and `refusal` says
 * why. A session that ends answers nothing more. */
typedef void session_answer(void *data, uint64_t tag, const json_t *result, enum refusal refusal);

struct session_question {
	int64_t id; /* 0: the place is free */
	session_answer *answer;
	void *data;
	uint64_t tag;
};

struct session {
	struct session_params params;
	session_send *send;
	/* Set by the caller after session_open(), borrowed; `data` is handed to each. */
	const struct session_call *calls;
	size_t call_count;
	struct session_question questions[SESSION_ASKS];
	void *data;
	int64_t agent_started_us;
	int64_t opened_us;
	int64_t heartbeat_us; /* when the next one is due */
	int64_t answer_us;    /* when the answer to the last is overdue; 0: none is awaited */
	int64_t heard_us;     /* when the hub last said anything */
	int64_t sent_us;      /* when the last heartbeat left */
	int64_t next_id;
	int64_t heartbeat_id;
	int64_t round_trip_ms;    /* of the last heartbeat, -1 before */
	int64_t restart_delay_ms; /* with hub-restarting: spread the first attempt over this */
	bool answered;            /* a heartbeat came back since this was last cleared */
	/* What agent/rhythm.h wants to know. */
	int64_t moved_us; /* when anything last moved, either way; whoever sends keeps it too */
	int64_t idle_ms;  /* nothing had moved for this long before the last heartbeat; once it is over:
					   * before the one that is not answered, or before the end */
	int64_t lived_ms; /* the longest of these that was answered */
	int64_t answers;
	int64_t ended_us;
	bool by_hub;         /* it ended with a close frame */
	struct finding over; /* owned; CAUSE_NONE while it is open */
};

/* Reads the welcome, with bounds, so that no hub can make an agent spin; 0, or -1 with err. */
int session_params_read(const json_t *welcome, struct session_params *params, struct err *err);
/* What holds before the first welcome. */
void session_params_default(struct session_params *params);

void session_open(struct session *session, const struct session_params *params, session_send *send,
	void *data, int64_t agent_started_us, int64_t now_us);
void session_text(struct session *session, const char *text, size_t len, int64_t now_us);
/* Sends the heartbeat that is due, or ends the session when an answer is overdue. */
void session_tick(struct session *session, int64_t now_us);
/* Another heartbeat from the next one on. */
void session_set_pace(struct session *session, const struct session_params *paced);
int64_t session_deadline_us(const struct session *session);
int session_notify(struct session *session, enum message message, const void *record);
/* A request, whose answer goes to `answer` with `data` and `tag`. -1 when too many are open or it
 * cannot be sent; then there will be no answer. */
int session_ask(struct session *session, enum message message, const void *record,
	session_answer *answer, void *data, uint64_t tag);
/* The transport ended: by a close frame with this code, or by an error (errno, 0 for none). */
void session_closed(struct session *session, uint16_t code, int error, int64_t now_us);
void session_free(struct session *session);

#endif
