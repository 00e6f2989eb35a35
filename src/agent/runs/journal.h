/*
 * The runs of jobs on this machine's disk: what makes sure that nothing is lost and nothing runs
 * twice.
 *
 * One folder a run, /var/lib/sallyport/runs/RUN:
 *
 *     spec, signature   as they came from the hub; removed when it has ended (they may hold
 * secrets) state             struct run_state as JSON, replaced in one step by whoever holds the
 * lock cancel            is there: the hub wants it ended, or not begun output            what the
 * script wrote, over all its attempts room              bytes set aside, so that a full disk cannot
 * keep the end from being written lock              held by the supervisor while it lives, by the
 * agent for a moment news, call        FIFOs from the supervisor to the agent and back: a byte
 * means "look"
 *
 * RUN.end, an empty file, is what stays of a run whose end the hub has confirmed; its time of
 * change is the moment from which the hub cannot want the run begun any more.
 *
 * Rules: a folder appears whole or not at all. Only with the lock in hand may `state` be written.
 * `state` says "running" before the script starts, so that a free lock and "running" together mean
 * that nobody knows how it ended. All that returns 0 stands on the disk, folders included.
 *
 * journal.c keeps folders, journal_state.c the state. Both ends, agent and supervisor, use it.
 */
#ifndef AGENT_JOURNAL_H
#define AGENT_JOURNAL_H

#include "agent/paths.h"
#include "base/err.h"
#include "wire/job.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define JOURNAL_MAX_RUNS   4096  /* that have not been confirmed */
#define JOURNAL_MAX_ENDED  65536 /* RUN.end files */
#define JOURNAL_MAX_REASON 600   /* bytes, as in job.state */

enum run_status {
	RUN_QUEUED, /* attempt `attempt` is not begun; "delivered" to the hub */
	RUN_RUNNING,
	RUN_REBOOTING,
	RUN_DONE, /* this one and those that follow are final */
	RUN_FAILED,
	RUN_CANCELLED,
	RUN_EXPIRED,
	RUN_UNDETERMINED,
	RUN_STATUSES
};

struct run_state {
	enum run_status status;
	int64_t order;   /* in which it came, counted by the agent */
	int64_t attempt; /* 1 at first */
	int64_t reboots; /* that it has asked for and got */
	int64_t expires; /* seconds since 1970, the hub's clock */
	bool again;      /* RUN_REBOOTING: to be run once more when the machine is back */
	int64_t exit_code, signal;
	int64_t dropped; /* bytes of output over the limit */
	char *server;    /* owned, as all texts here: the id that this machine had */
	char *title;
	char *boot;    /* the boot in which the attempt began; os/boot.h */
	char *reason;  /* NULL: none */
	char *started; /* RFC 3339, the first attempt; NULL: not yet */
	char *finished;
};

const char *run_status_name(enum run_status status); /* as on the wire */
bool run_is_final(enum run_status status);
void run_state_free(struct run_state *state);
/* Replaces the reason, cut to its bound. NULL: none. */
void run_set_reason(struct run_state *state, const char *format, ...) PRINTF_LIKE(2, 3);
/* For the journal's files and for fuzzing: what state_load reads. */
int run_state_parse(const char *text, size_t len, struct run_state *state, struct err *err);

/* Makes the folder, and clears away what a crash left half done. */
int journal_open(const struct agent_paths *paths, struct err *err);
/* Calls `each` for every run that is not confirmed; false when the folder cannot be read. */
bool journal_list(
	const struct agent_paths *paths, void (*each)(void *data, const char *run), void *data);
bool journal_has(const struct agent_paths *paths, const char *run);
/* Writes a new run down. After an error it may be there (journal_has()) and not be safe from a
 * power cut, or not be there at all. */
int journal_add(const struct agent_paths *paths, const char *run, const char *spec,
	const unsigned char signature[JOB_SIGNATURE_BYTES], const struct run_state *state,
	struct err *err);
/* PATH of a file in the run's folder, owned by the caller. */
char *journal_file(const struct agent_paths *paths, const char *run, const char *name);

int journal_state_load(
	const struct agent_paths *paths, const char *run, struct run_state *state, struct err *err);
/* With the lock in hand. A final state also removes spec and signature. */
int journal_state_save(const struct agent_paths *paths, const char *run,
	const struct run_state *state, struct err *err);
/* Gives the bytes set aside back to the disk. */
void journal_free_room(const struct agent_paths *paths, const char *run);
/* Fills *job after verifying it under the hub's key; job_free() it. */
int journal_job_load(const struct agent_paths *paths, const char *run,
	const unsigned char hub_key[IDENTITY_KEY_BYTES], struct job *job, struct err *err);

/* The descriptor of the lock, to be closed; -1 when another process holds it, or with err when it
 * cannot be had at all (errno is not EAGAIN then). */
int journal_lock(const struct agent_paths *paths, const char *run, struct err *err);
bool journal_locked(const struct agent_paths *paths, const char *run); /* by another process */

int journal_cancel(const struct agent_paths *paths, const char *run, struct err *err);
bool journal_cancelled(const struct agent_paths *paths, const char *run);

/* The hub has confirmed the end: only RUN.end stays. */
int journal_bury(
	const struct agent_paths *paths, const char *run, int64_t expires, struct err *err);
bool journal_buried(const struct agent_paths *paths, const char *run);
/* Removes a run and leaves nothing: its hub is not this machine's any more. */
void journal_forget(const struct agent_paths *paths, const char *run);
/* Removes the RUN.end files whose time is before `before`; returns how many stay. */
size_t journal_purge(const struct agent_paths *paths, int64_t before);
/* Everything that no supervisor holds, for `sallyport leave`. */
void journal_clear(const struct agent_paths *paths);

#endif
