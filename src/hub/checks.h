/*
 * Checks of machines: those that somebody asked for here and those that machines make by
 * themselves, on their way into the history.
 *
 * checks_ask() writes a row; the caller then sends check.run, and what the machine says of it comes
 * back through its session (checks_answered() and below). A server has one unfinished check at a
 * time. Each ends as done, failed or lost: lost when the machine comes back without it or is silent
 * for too long, also across a restart of the hub. A report that comes after all is still taken.
 *
 * What changes is gathered and written by checks_flush(), which whoever owns the clock calls after
 * `wake` asked for it; until the store took it, it stays here, within a bound. After that `changed`
 * is told.
 *
 * The store is borrowed. Times are given, in seconds since 1970 (now) and in monotonic milliseconds
 * (now_ms).
 */
#ifndef HUB_CHECKS_H
#define HUB_CHECKS_H

#include "store/store.h"

#include <jansson.h>

#define CHECKS_MAX_UNFINISHED 1000
#define CHECKS_ANSWER_MS      30000  /* for the machine to say that it will */
#define CHECKS_TURN_MS        600000 /* for its own check to end before it */
#define CHECKS_RUN_MS         180000 /* for the report */
#define CHECKS_RUN_DEEP_MS    600000 /* the same of a deep one */

struct checks;

struct checks_hooks {
	void (*wake)(void *data, int64_t after_ms); /* flush then, or sooner */
	/* The row is in the store like this; it has no report. May change nothing here. */
	void (*changed)(void *data, const struct store_check *check);
	void *data;
};

struct checks *checks_new(struct store *store, const struct checks_hooks *hooks);
void checks_free(struct checks *checks);
/* At start: takes up what was unfinished when the hub went down. */
enum store_status checks_load(struct checks *checks, int64_t now_ms, struct err *err);

struct checks_wish {
	const char *server, *user;
	const char *profile; /* "": the way to the hub */
	const char *title;   /* of that profile, until its report says it; "": not known */
	bool deep;
	int64_t now, now_ms;
};

enum checks_ask { ASK_TAKEN, ASK_RUNS_ALREADY, ASK_TOO_MANY, ASK_NOT_STORED };

/* *check is the row, owned by the caller; with ASK_RUNS_ALREADY the one that runs. `err` and
 * *status are written with ASK_NOT_STORED. */
enum checks_ask checks_ask(struct checks *checks, const struct checks_wish *wish,
	struct store_check *check, enum store_status *status, struct err *err);

/* The machine's answer to check.run: NULL when it agrees, else why it does not. */
void checks_answered(
	struct checks *checks, const char *run, const char *refusal, int64_t now, int64_t now_ms);
/* What a machine said; -1 when it may not say that: a protocol error. */
int checks_started(
	struct checks *checks, const char *server, const char *run, int64_t now, int64_t now_ms);
int checks_failed(
	struct checks *checks, const char *server, const char *run, const char *reason, int64_t now);
/* `run` is NULL for a check that the machine made by itself. */
int checks_reported(
	struct checks *checks, const char *server, const char *run, const json_t *report, int64_t now);

/* The machine has a new session; then, in it, which run it still has (NULL: none). */
void checks_session_opened(struct checks *checks, const char *server);
void checks_session_told(struct checks *checks, const char *server, const char *run, int64_t now);
/* The server is gone from the store. */
void checks_forget(struct checks *checks, const char *server);
/* Gives up those that are overdue. */
void checks_sweep(struct checks *checks, int64_t now, int64_t now_ms);

/* STORE_OK too when there was nothing to do. After a failure everything is still here. */
enum store_status checks_flush(struct checks *checks, struct err *err);

#endif
