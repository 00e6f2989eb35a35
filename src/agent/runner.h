/*
 * The checks of this machine, one at a time: the agent's own and those that the hub asks for.
 *
 * It lives as long as the agent: a check that runs when a session ends goes on, and is told in the
 * next one. At most one that the hub asked for is in hand; it waits until the agent's own has
 * ended.
 *
 *     runner_want_own() or runner_ask(), poll runner_fd(), runner_step() until it gives no news
 */
#ifndef AGENT_RUNNER_H
#define AGENT_RUNNER_H

#include "agent/checker.h"

#define RUNNER_RUN_SIZE 33

struct runner_job {
	char run[RUNNER_RUN_SIZE]; /* the hub's id; "": the agent's own */
	char profile[CHECKER_PROFILE_SIZE];
	bool deep;
};

struct runner {
	const char *root;    /* borrowed; may be NULL */
	const char *program; /* NULL: this one; borrowed */
	struct checker checker;
	struct runner_job now;   /* while the checker runs */
	struct runner_job asked; /* waits; run is "" when none does */
	bool own_wanted;
};

enum runner_event {
	RUNNER_NOTHING,
	RUNNER_STARTED,
	RUNNER_REPORTED, /* `report` is there */
	RUNNER_FAILED,   /* `err` says why */
};

struct runner_news {
	enum runner_event event;
	struct runner_job job;
	json_t *report; /* owned */
	struct err err;
};

enum runner_answer { RUNNER_TAKEN, RUNNER_BUSY, RUNNER_NO_PROFILE };

void runner_init(struct runner *runner, const char *root);
void runner_free(struct runner *runner); /* ends a check that still runs */

/* The agent's own check; nothing happens when one runs. */
void runner_want_own(struct runner *runner);
/* What the hub wants. `profile` may be NULL. */
enum runner_answer runner_ask(
	struct runner *runner, const char *run, const char *profile, bool deep);
/* The hub's id of what it asked for and has no answer to yet, or NULL. */
const char *runner_asked(const struct runner *runner);
/* A new session: a check that could not be heard meanwhile gets time to write what it has. */
void runner_resume(struct runner *runner);

int runner_fd(const struct runner *runner); /* readable: step; -1: none runs */
/* When runner_step() is to be called at the latest. False when nothing is to be done. */
bool runner_deadline(const struct runner *runner, struct deadline *deadline);
/* One piece of news; the caller drops news->report. */
void runner_step(struct runner *runner, struct runner_news *news);

#endif
