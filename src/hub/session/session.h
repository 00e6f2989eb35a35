/*
 * One machine's session: hello, mutual proof, enrol or resume, then heartbeats and what the machine
 * tells of itself (wire/messages.def).
 *
 * The session knows messages and no sockets: it is given texts, and answers through a session_link.
 * What the machine may do follows its state: nothing before the hub has proved itself and the
 * machine has. session_ended() comes exactly once, from whoever owns the connection, and frees it.
 */
#ifndef HUB_SESSION_H
#define HUB_SESSION_H

#include "hub/checks.h"
#include "hub/metrics.h"
#include "hub/roster.h"

#define SESSION_RATE_PER_S 8 /* messages that a machine may send in the long run */
/* Bytes of a message before the machine has proved itself; WS_MAX_MESSAGE afterwards. */
#define SESSION_MAX_EARLY 98304
/* A machine's own reports may not come quicker: each costs the database a write. */
#define SESSION_LEAST_CHECK_MS 10000
/* A heartbeat that is quicker would itself be too many messages. */
#define SESSION_LEAST_HEARTBEAT_MS (1000 / SESSION_RATE_PER_S)

struct bundles;
struct endpoints;
struct installs;
struct jobs;
struct jobs_receipt;
struct log_streams;
struct outside;
struct outside_question;

struct session_link {
	void (*send)(void *data, char *text); /* takes the text */
	/* Closes once what was sent has gone out. Never calls back at once. */
	void (*close)(void *data, uint16_t code, const char *why);
	/* The session is open: the connection need not prove itself any more. */
	void (*proven)(void *data);
	/* The TLS exporter of this connection; -1 when it has none. */
	int (*binding)(void *data, unsigned char binding[PROOF_BINDING_BYTES]);
};

struct session_timing {
	int64_t heartbeat_ms, heartbeat_jitter_ms, heartbeat_timeout_ms;
	int64_t backoff_base_ms, backoff_cap_ms, stable_ms;
};

/* Sessions that wait for a time; zeroed at first. */
struct session_dues {
	struct session *first;
	size_t count;
};

/* What all sessions share; all borrowed. */
struct session_context {
	struct store *store;
	struct roster *roster;
	struct checks *checks;
	struct jobs *jobs;
	struct installs *installs; /* NULL: there are none */
	struct bundles *bundles;
	struct log_streams *log_streams;
	struct outside *outside; /* NULL: the hub does not look from outside */
	struct session_dues *dues;
	const struct identity *identity;
	const char *private_ca;            /* PEM; NULL with an administrator's certificate */
	const struct endpoints *endpoints; /* NULL: all roles are where the session is */
	struct session_timing timing;
	struct metrics *metrics;
	/* A server enrolled or left: its row appeared or is gone. */
	void (*removed)(void *data, const char *id);
	void *data;
};

/* `peer`, its address, is borrowed until session_ended(). */
struct session *session_open(const struct session_context *context, const struct session_link *link,
	void *link_data, const char *peer);
void session_text(struct session *session, const char *text, size_t len);
/* Asks the machine to check itself; what it says of it goes to the checks. */
void session_send_check_run(struct session *session, const struct store_check *check);
/* What tells this session from an earlier one of its machine; *jobs_ready: its list of runs came.
 */
uint64_t session_number(const struct session *session, bool *jobs_ready);
/* Another one for each life of its agent; 0: unknown. */
uint64_t session_instance(const struct session *session);
/* Its id, by which the answer is known; 0 when the session is over. Takes the parameters. */
int64_t session_send_request(struct session *session, const char *method, json_t *params);
/* What the machine said of a run is on the disk. */
void session_confirm_job(struct session *session, const struct jobs_receipt *receipt);
/* What the hub saw from outside, for the session that asked. Takes the reference. */
void session_looked(
	struct session *session, const struct outside_question *question, json_t *ports);
/* Somebody looks at its log, or no longer; what it says of it goes to the log streams. */
void session_send_log_follow(struct session *session, const char *stream, int lines);
void session_send_log_unfollow(struct session *session, const char *stream);
/* Asks for a support bundle by this id. */
void session_send_bundle_make(struct session *session, const char *id);
/* Told when the hub goes down, or the server was removed. */
void session_send_restarting(struct session *session, int64_t delay_ms);
void session_send_revoked(struct session *session);
/* The connection is gone; why, for the roster. Frees the session. */
void session_ended(struct session *session, enum cause cause, const char *reason);

/* Does what is due; call it about twice a second. */
void session_dues_sweep(struct session_dues *dues, int64_t now_ms);

/* No heartbeat for this long means that the machine is gone. */
int64_t session_silence_ms(const struct session_timing *timing);
/* Ends the session as lost, through its link. */
void session_lost(struct session *session);

#endif
