/*
 * Jobs: from the row that somebody asked for to the result of every server.
 *
 * jobs_ask() makes the rows; jobs_deliver() signs and sends what can go, a little at each call, and
 * asks to be called again; what the machines answer comes back through their sessions. A run moves
 * along one table of transitions (jobs.c). Nothing is confirmed to a machine before it is
 * committed: jobs_flush() writes what was gathered, then confirms, then tells those who watch.
 *
 * Whether a run may have reached its machine is written before it is sent. So a run that never left
 * expires or is cancelled here, and one that may have left is `undetermined` unless the machine
 * says how it ended, which it may do later too.
 *
 * Live runs are in memory, the others in the store only. The store and the identity are borrowed.
 * A session is known by its number; the hooks find it again. Times are given, in seconds since 1970
 * (now) and in monotonic milliseconds (now_ms).
 */
#ifndef HUB_JOBS_H
#define HUB_JOBS_H

#include "store/store.h"

#include <jansson.h>

#define JOBS_MAX_LIVE     200000 /* runs that have not ended, of all jobs */
#define JOBS_MAX_TARGETS  50000  /* servers of one job */
#define JOBS_WINDOW       8      /* runs on their way to one machine at a time */
#define JOBS_WINDOW_BYTES 524288 /* of their specs together, when there are several */
#define JOBS_FLUSH_RUNS   500    /* that one flush writes */
#define JOBS_FLUSH_MS     20     /* results wait so long for others */
#define JOBS_EVENT_MS     250    /* between two events of one job */
#define JOBS_EVENT_RUNS   200    /* in one event */
#define JOBS_PAUSE_MS     30000  /* before a machine that cannot take more is asked again */
#define JOBS_SILENCE_S    86400  /* that a run may be overdue on a machine that is away */
#define JOBS_KEEP_S       (90 * INT64_C(86400))     /* how old a job may grow */
#define JOBS_KEEP_COUNT   10000                     /* how many are kept */
#define JOBS_KEEP_BYTES   (8 * INT64_C(1073741824)) /* past this size of the store the oldest go */
#define JOBS_MAX_PIECE    24576                     /* bytes of output in one message */
#define JOBS_MAX_WAITING  (32u << 20) /* bytes of output kept for a store that takes none */

struct jobs;
struct rpc;
struct msg_job_state;
struct msg_job_output;
struct msg_jobs_held_result;

/* Of one request of a machine; its answer. */
struct jobs_receipt {
	char server[IDENTITY_ID_SIZE];
	uint64_t session;
	int64_t rpc_id;
	int64_t next; /* the answer to job.output; -1: to job.state */
};

struct jobs_hooks {
	void (*wake)(void *data, int64_t after_ms);  /* jobs_flush() then, or sooner */
	void (*again)(void *data, int64_t after_ms); /* jobs_deliver() then, or sooner */
	/* The number of the session of a server that is online, or 0; *ready: it has told its runs. */
	uint64_t (*session)(void *data, const char *server, bool *ready);
	/* Sends a request, whose parameters are taken; its id, or 0 when the session is gone. */
	int64_t (*send)(
		void *data, const char *server, uint64_t session, const char *method, json_t *params);
	void (*confirm)(void *data, const struct jobs_receipt *receipt);
	/* The job stands in the store like this, and so do these runs (by seq); `more`: others too. May
	 * change nothing here. NULL counts as nobody watching. */
	void (*changed)(void *data, const struct store_job *job, int64_t silent, const int64_t *runs,
		size_t count, bool more);
	bool (*watched)(void *data);
	void *data;
};

struct jobs *jobs_new(
	struct store *store, const struct identity *identity, const struct jobs_hooks *hooks);
void jobs_free(struct jobs *jobs);
/* At start: takes up what had not ended when the hub went down. */
enum store_status jobs_load(struct jobs *jobs, struct err *err);

enum jobs_ask { JOBS_TAKEN, JOBS_NO_SERVER, JOBS_TOO_MANY, JOBS_NOT_STORED };

/* The id, times and counts of *job are filled; the rest is the caller's wish. `secrets` is JSON or
 * NULL. `err` and *status are written with JOBS_NOT_STORED. */
enum jobs_ask jobs_ask(struct jobs *jobs, struct store_job *job, const char *secrets,
	const struct store_targets *targets, enum store_status *status, struct err *err);
/* Ends the runs of a job: all of them, or those of one server. Those that may be at their machine
 * end when it says so. */
void jobs_cancel(struct jobs *jobs, const char *job, const char *server, int64_t now);
/* How many live runs of a job are of servers that are not here. */
int64_t jobs_silent(const struct jobs *jobs, int64_t job);

/* Sends for a few milliseconds. */
void jobs_deliver(struct jobs *jobs, int64_t now_ms);

/* What a session brings. */
void jobs_session_opened(struct jobs *jobs, const char *server, uint64_t session);
void jobs_session_ended(struct jobs *jobs, const char *server, uint64_t session);
/* The answer to a request of ours; false: it was none of these. */
bool jobs_answered(struct jobs *jobs, const char *server, uint64_t session, const struct rpc *rpc,
	int64_t now, int64_t now_ms);

enum jobs_said {
	SAID_NEW,     /* it will be confirmed */
	SAID_BEFORE,  /* likewise, and brought nothing */
	SAID_UNKNOWN, /* there is no such run */
	SAID_LATER,   /* the store takes nothing for now */
	SAID_WRONG,   /* it may not say that: a protocol error */
};

/* `receipt` comes without `next`. */
enum jobs_said jobs_told(struct jobs *jobs, const struct jobs_receipt *receipt,
	const struct msg_job_state *told, int64_t now);
enum jobs_said jobs_output(
	struct jobs *jobs, const struct jobs_receipt *receipt, const struct msg_job_output *output);
/* The machine's list of runs; fills the answer, whose trees the caller drops. With SAID_NEW it can
 * be sent at once. */
enum jobs_said jobs_held(struct jobs *jobs, const char *server, uint64_t session,
	const json_t *runs, struct msg_jobs_held_result *result, int64_t now);

/* The server is gone: its runs end. */
void jobs_forget(struct jobs *jobs, const char *server, int64_t now);
/* Ends what has expired or was silent for too long; removes old jobs. About twice a second. */
void jobs_sweep(struct jobs *jobs, int64_t now, int64_t now_ms);
/* Writes some of what was gathered, and asks to be called again for the rest. STORE_OK too when
 * there was nothing to do. After a failure everything is still here. */
enum store_status jobs_flush(struct jobs *jobs, int64_t now_ms, struct err *err);
/* The same until there is nothing left. */
enum store_status jobs_flush_all(struct jobs *jobs, int64_t now_ms, struct err *err);

#endif
