/*
 * Jobs and their runs, as the store keeps them (words: a job is a script with its targets, a run is
 * a job on one server).
 *
 * add() makes a job with all its runs in one step. What happens to a run afterwards is decided by
 * hub/jobs/jobs.h, which writes whole rows with change_run() and change_job(), the job's counters
 * in the same transaction. Rules of store.h hold here: statuses, ownership, times.
 */
#ifndef STORE_JOBS_H
#define STORE_JOBS_H

#include "base/buf.h"
#include "base/err.h"
#include "store/status.h"
#include "wire/job.h"

struct store;
struct store_query;

/* The numbers stand in the database; their order is that of the lists: what went wrong comes
 * first. */
enum store_run_state {
	RUN_FAILED,
	RUN_UNDETERMINED,
	RUN_EXPIRED,
	RUN_CANCELLED,
	RUN_QUEUED,
	RUN_DELIVERED,
	RUN_RUNNING,
	RUN_REBOOTING,
	RUN_DONE,
	RUN_STATES
};

enum store_job_state { STORE_JOB_ACTIVE, STORE_JOB_DONE, STORE_JOB_CANCELLED, STORE_JOB_STATES };

/* Texts are never NULL, but for script, args and env where they were not asked for. */
struct store_job {
	int64_t seq;
	char id[JOB_ID_SIZE];
	enum store_job_state state;
	char *title, *script;
	char *args; /* JSON: a list of texts */
	char *env;  /* JSON: texts by name, null for secret ones */
	char *user, *cwd;
	enum job_interpreter interpreter;
	enum job_rerun rerun;
	enum job_reboot reboot;
	int64_t timeout_s, output_limit;
	char *created_by;
	char *location; /* that its maker is bound to; "": none */
	int64_t created, expires, finished;
	bool cancel; /* was asked for */
	int64_t counts[RUN_STATES];
};

struct store_run {
	int64_t seq; /* the last 12 digits of the id are the same number */
	int64_t job_seq;
	char id[JOB_ID_SIZE], job[JOB_ID_SIZE], server[IDENTITY_ID_SIZE];
	char *server_name, *reason;
	enum store_run_state state;
	bool sent;   /* it may have reached the machine */
	bool cancel; /* was asked for */
	int attempt;
	int exit_code;                         /* -1: none */
	int signal;                            /* 0: none */
	int64_t output, output_total, dropped; /* bytes; output_total -1: not told */
	int64_t queued, delivered, started, finished;
};

/* Every server that fits both. */
struct store_targets {
	const char *ids; /* JSON: a list of ids; NULL: any */
	const struct store_query *filter;
	int64_t most; /* more than that is STORE_TOO_BIG */
};

struct store_job_query {
	int state;            /* enum store_job_state or STORE_NO_FILTER */
	const char *text;     /* in the title; or NULL */
	const char *location; /* NULL: any */
	int limit;
	int64_t before; /* next_cursor of the page before; 0: the first page */
};

/* The newest first, without script, args and env. */
struct store_job_page {
	struct store_job *rows;
	size_t count;
	int64_t next_cursor; /* 0 on the last page */
};

#define STORE_RUNS_LIVE   (-2) /* queued to rebooting */
#define STORE_RUNS_SILENT (-3) /* the same, of servers that are offline */

struct store_run_query {
	int64_t job;
	int state; /* enum store_run_state, STORE_NO_FILTER or one of the two above */
	int limit;
	const char *cursor; /* NULL: the first page */
};

/* By rank (failed, undetermined, expired, cancelled, live, done), name and id of the server. */
struct store_run_page {
	struct store_run *rows;
	size_t count;
	char *next_cursor; /* NULL on the last page */
};

/* What a server did and has to do. */
struct store_activity {
	const char *kind; /* "run", "check" or "bundle": static */
	char *id;
	char *job; /* of a run; else NULL */
	char *title, *by;
	int state; /* enum store_run_state, store_check_state or store_bundle_state */
	int64_t at, finished;
};

struct store_activity_page {
	struct store_activity *rows;
	size_t count;
	char *next_cursor;
};

/* How much is kept. */
struct store_keep {
	int64_t since; /* what was created before goes */
	int64_t count; /* what has so many younger ones goes */
	int64_t bytes; /* while the whole store holds more, the oldest goes */
};

struct store_jobs_ops {
	/* The id is the caller's, and the runs' ids begin like it; job->seq is filled.
	 * `env` (JSON) holds the secret values; NULL: there are none. `each` borrows the runs, whose
	 * texts are not filled. STORE_NOT_FOUND: no server fits. */
	enum store_status (*add)(struct store *store, struct store_job *job, const char *env,
		const struct store_targets *targets, void (*each)(void *data, const struct store_run *run),
		void *data, struct err *err);
	/* Whole, by its id; and by its number, `secrets` then owned by the caller and NULL when there
	 * are none. */
	enum store_status (*find)(
		struct store *store, const char *id, struct store_job *job, struct err *err);
	enum store_status (*load)(
		struct store *store, int64_t seq, struct store_job *job, char **secrets, struct err *err);
	enum store_status (*list)(struct store *store, const struct store_job_query *query,
		struct store_job_page *page, struct err *err);
	/* Without script, args and env; the callback borrows. */
	enum store_status (*active)(struct store *store,
		void (*each)(void *data, const struct store_job *job), void *data, struct err *err);
	/* Its state, times, `cancel` and counts. */
	enum store_status (*change)(struct store *store, const struct store_job *job, struct err *err);
	enum store_status (*wipe_secrets)(struct store *store, int64_t seq, struct err *err);
	/* Removes some rows of the oldest finished job if that is more than is kept; *more is true
	 * while there is something left to remove. */
	enum store_status (*prune)(
		struct store *store, const struct store_keep *keep, bool *more, struct err *err);
};

struct store_runs_ops {
	/* Those of a job that are queued to rebooting; the callback borrows. */
	enum store_status (*live)(struct store *store, int64_t job,
		void (*each)(void *data, const struct store_run *run), void *data, struct err *err);
	/* All that can change of one, by its seq. */
	enum store_status (*change)(struct store *store, const struct store_run *run, struct err *err);
	enum store_status (*find)(
		struct store *store, int64_t seq, struct store_run *run, struct err *err);
	enum store_status (*of_server)(struct store *store, int64_t job, const char *server,
		struct store_run *run, struct err *err);
	/* A cursor that is none of ours is STORE_NOT_FOUND. */
	enum store_status (*list)(struct store *store, const struct store_run_query *query,
		struct store_run_page *page, struct err *err);
	/* Output is only ever added behind what is there. */
	enum store_status (*add_output)(struct store *store, int64_t run, int64_t at, const void *data,
		size_t len, struct err *err);
	/* At most `most` bytes from there on; nothing when there is no more. */
	enum store_status (*output)(struct store *store, int64_t run, int64_t from, size_t most,
		struct buf *data, struct err *err);
	/* The newest first: what is live, or what has ended. */
	enum store_status (*activity)(struct store *store, const char *server, bool live, int limit,
		const char *cursor, struct store_activity_page *page, struct err *err);
};

#define STORE_RUN_SEQ_DIGITS 12 /* at the end of a run's id; those before are of its job's id */

/* The run's number from its id; 0 when that cannot be one. */
int64_t store_run_seq(const char *id);

void store_job_free(struct store_job *job);
void store_run_free(struct store_run *run);
void store_job_page_free(struct store_job_page *page);
void store_run_page_free(struct store_run_page *page);
void store_activity_page_free(struct store_activity_page *page);

#endif
