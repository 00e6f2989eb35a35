/*
 * What the files of a session share. Private to hub/session*.c.
 *
 * session.c receives, dispatches and ends; join.c lets a machine in; claim.c
 * decides between two with one key; check.c is about the checks of a machine, job.c
 * about its jobs.
 */
#ifndef HUB_SESSION_PARTS_H
#define HUB_SESSION_PARTS_H

#include "hub/session/session.h"
#include "wire/messages.h"

/* Close codes of RFC 6455. */
#define CLOSE_NORMAL  1000
#define CLOSE_POLICY  1008
#define CLOSE_RESTART 1012
/* And one of its private range: another session of this machine took this one's place. */
#define CLOSE_REPLACED 4001

enum state {
	STATE_HELLO,  /* waits for hello */
	STATE_PROOF,  /* the hub has proved itself; waits for the machine's proof */
	STATE_CLAIM,  /* another session has its key; waits whether that one lives */
	STATE_LINGER, /* a check that measures how long an idle connection lives */
	STATE_OPEN,
	STATE_OVER, /* answered for the last time; the connection is about to close */
	STATE_COUNT,
};

/* How a machine that has proved itself comes in. */
struct session_entry {
	int64_t rpc_id;
	char *inventory; /* owned; JSON text, NULL for none */
	bool check_only;
	int64_t linger_ms;
};

/* It waits whether the session that is there lives. */
struct claim {
	struct session *holder;
	struct session_entry entry;
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
	int jobs_owed;      /* its requests about jobs that are not answered yet */
	bool jobs_held;     /* it has told its runs */
	uint64_t number;    /* another one for each session */
	int64_t next_id;    /* of the requests to the machine */
	int64_t check_id;   /* of the last check.run */
	int64_t checked_ms; /* when the machine last told of a check of its own; 0: never */
	char check_run[STORE_CHECK_ID_SIZE];
	char id[IDENTITY_ID_SIZE]; /* of the server, once it has proved itself */

	/* claim.c */
	unsigned char machine[IDENTITY_MACHINE_BYTES];   /* all zero: unknown */
	unsigned char instance[IDENTITY_INSTANCE_BYTES]; /* all zero: it only passes by */
	unsigned char ousted[IDENTITY_INSTANCE_BYTES];   /* whose session it took over */
	int returns;                                     /* of its own instance, in a row */
	int64_t returns_ms;                              /* since when */
	int64_t present_id;                              /* of the last "present" */
	struct claim *claim;                             /* owned; in STATE_CLAIM */
	struct session *next_due;
	int64_t due_ms;
	void (*on_due)(struct session *session);
	struct session_support *support; /* owned; NULL until somebody wants something of it */
	const char *peer;                /* borrowed */
};

/* support.c */
struct session_support {
	int64_t follow_id, bundle_id; /* of the last requests; 0: none */
	char bundle[33];
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
session_handler session_on_check, session_on_check_started, session_on_check_failed;
session_handler session_on_outside_look;
session_handler session_on_jobs_held, session_on_job_state, session_on_job_output;

session_handler session_on_install_event, session_on_install_over;
session_handler session_on_log_lines, session_on_bundle_failed;
/* True when it is the answer to one of support.c. */
/* What people read when a machine has refused what they asked for; static. */
const char *session_refusal_words(enum refusal refusal);
bool session_support_answered(struct session *session, const struct rpc *rpc);
void session_support_ended(struct session *session);

/* join.c: the machine is let in. Takes the inventory. */
void session_enter(struct session *session, struct session_entry *entry);
/* claim.c. True when the session has to wait; the inventory is taken then. */
bool session_claims(struct session *newcomer, struct session_entry *entry);
/* It answered "present". */
void session_is_present(struct session *holder);
/* It has taken the place of an older session. */
void session_takes_over(struct session *session, const struct session *older);
/* It ends: whoever waited for its answer is let in. */
void session_claims_end(struct session *session);
/* Leaves the connection of a check open for so long; 0 closes it. */
void session_linger(struct session *session, int64_t ms);

/* job.c: the receipt of a request that is answered once it is on the disk; false when the machine
 * does not wait for answers. */
bool session_take_receipt(
	struct session *session, const struct rpc *rpc, struct jobs_receipt *receipt);
/* True when it is the answer to one of installs. */
bool session_install_answered(struct session *session, const struct rpc *rpc);
/* True when it is the answer to one of job.c. */
bool session_job_answered(struct session *session, const struct rpc *rpc);
/* The answer to a request of the hub: `refusal` when it is an error. */
void session_on_answer(struct session *session, const struct rpc *rpc);

#endif
