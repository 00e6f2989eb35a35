/*
 * Runs `sallyport check --format json` as a child process and gathers its report.
 *
 * A process of its own, so that neither its time nor its memory is the agent's. The caller polls
 * checker_fd() and calls checker_step() when it is readable or checker_deadline() has passed;
 * output and time are bounded, and a child that exceeds them is ended.
 */
#ifndef AGENT_CHECKER_H
#define AGENT_CHECKER_H

#include "agent/self.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

#define CHECKER_PROFILE_SIZE 65

struct checker_wish {
	const char *root;    /* may be NULL */
	const char *profile; /* "": the way to the hub */
	bool deep;           /* takes minutes */
};

struct checker {
	struct self self;
	struct buf output;
	struct deadline deadline;
};

enum checker_result {
	CHECKER_RUNNING,
	CHECKER_DONE, /* *report is a new reference */
	CHECKER_FAILED,
};

void checker_init(struct checker *checker);
/* program: NULL for this one. */
int checker_start(
	struct checker *checker, const char *program, const struct checker_wish *wish, struct err *err);
enum checker_result checker_step(struct checker *checker, json_t **report, struct err *err);
void checker_stop(struct checker *checker); /* ends a child that still runs; frees */

#endif
