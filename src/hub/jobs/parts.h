/*
 * What the files about jobs share. Private to hub/jobs*.c.
 *
 * jobs.c keeps runs and moves them; deliver.c sends; said.c takes what machines say;
 * flush.c writes, confirms and tells; time.c ends what waited for too long.
 */
#ifndef HUB_JOBS_PARTS_H
#define HUB_JOBS_PARTS_H

#include "hub/jobs/jobs.h"
#include "wire/messages.h"

#include <sys/queue.h>

/* What is confirmed once the run is in the store like this. */
struct jobs_owed {
	struct jobs_owed *next;
	struct jobs_receipt receipt;
};

/* Output that is not in the store yet. */
struct jobs_piece {
	struct jobs_piece *next;
	int64_t at;
	size_t len;
	char data[];
};

/* A run that has not ended, or that waits to be written. */
struct jobs_run {
	struct store_run row; /* owned; without server_name. seq first: see by_seq() in jobs.c */
	struct jobs_job *job;
	struct jobs_server *server;
	LIST_ENTRY(jobs_run) of_job;
	TAILQ_ENTRY(jobs_run) of_server;
	TAILQ_ENTRY(jobs_run) of_dirty;
	struct jobs_piece *first, *last;
	struct jobs_owed *owed, *owed_last;
	enum store_run_state stored_state;
	int64_t ask, cancel_ask; /* ids of requests on their way; 0: none */
	size_t ask_bytes;
	bool dirty, cancel_told;
	bool held; /* it stood in the machine's list */
};

struct jobs_job {
	struct store_job row; /* owned; without the long texts */
	struct job *spec;     /* owned; while runs are being sent */
	int64_t spec_ms;      /* when it was last needed */
	LIST_HEAD(, jobs_run) runs;
	LIST_ENTRY(jobs_job) of_all;
	TAILQ_ENTRY(jobs_job) of_dirty;
	TAILQ_ENTRY(jobs_job) of_events;
	int64_t stored_counts[RUN_STATES]; /* of its rows in the store, which are written bit by bit */
	int64_t silent;
	int64_t sweep_at; /* seconds */
	int64_t told_ms;  /* when its last event went out */
	int64_t *changed; /* owned; runs for the next one */
	size_t changed_count;
	bool changed_more;
	bool dirty, event, wipe;
};

/* A server with runs in memory. */
struct jobs_server {
	char id[IDENTITY_ID_SIZE]; /* first: see by_id() */
	uint64_t session;          /* 0: it is not online */
	bool ready;                /* it has told its runs in this session */
	bool waits;                /* in the list of those to send to */
	int in_flight;
	size_t in_flight_bytes;
	int64_t pause_until_ms;
	TAILQ_HEAD(, jobs_run) runs;
	TAILQ_ENTRY(jobs_server) of_waiting;
};

struct jobs {
	struct store *store;
	const struct identity *identity;
	struct jobs_hooks hooks;
	void *runs;    /* tsearch(3) trees: by seq */
	void *servers; /* by id */
	LIST_HEAD(, jobs_job) all;
	TAILQ_HEAD(jobs_waiting, jobs_server) waiting;
	TAILQ_HEAD(, jobs_run) dirty_runs;
	TAILQ_HEAD(, jobs_job) dirty_jobs;
	TAILQ_HEAD(, jobs_job) events;
	size_t live;
	size_t output_waiting; /* bytes */
	int64_t pauses_at_ms, prune_at_ms;
};

/* jobs.c */
bool jobs_is_live(enum store_run_state state);
bool jobs_any_live(const int64_t counts[RUN_STATES]);
struct jobs_server *jobs_find_server(const struct jobs *jobs, const char *id);
/* From memory or the store; NULL when there is none or the store fails (*status). */
struct jobs_run *jobs_get_run(struct jobs *jobs, const char *id, enum store_status *status);
void jobs_drop_run(struct jobs *jobs, struct jobs_run *run);
/* Forgets a job without runs and without anything to tell. */
void jobs_drop_job_if_idle(struct jobs *jobs, struct jobs_job *job);
/* The row is to be written. */
void jobs_touch(struct jobs *jobs, struct jobs_run *run);
void jobs_touch_job(struct jobs *jobs, struct jobs_job *job);
/* False when the table does not allow it: nothing has changed then. */
bool jobs_move(struct jobs *jobs, struct jobs_run *run, enum store_run_state state, int64_t now);
void jobs_reason(struct jobs_run *run, const char *reason);
void jobs_pieces_free(struct jobs_run *run);

/* deliver.c */
void jobs_wait(struct jobs *jobs, struct jobs_server *server); /* there may be something to send */
void jobs_land(struct jobs_run *run); /* its job.run is no longer on its way */
void jobs_spec_free(struct jobs_job *job);

#endif
