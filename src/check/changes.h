/*
 * What is new since the last time: for a check that is run again and again.
 *
 * Zero a struct changes; after each run ask changes_since() and then changes_keep() it. A cause is
 * the same one while it has the same id and still affects one of the same requirements. Times,
 * evidence and wording change with every run and count for nothing.
 */
#ifndef CHECK_CHANGES_H
#define CHECK_CHANGES_H

#include "check/check.h"

#include <stdio.h>

struct kept_cause {
	enum cause cause;
	char *affects; /* owned; "endpoint.a, endpoint.b" */
};

struct kept_requirement {
	char *id; /* owned */
	enum requirement_status status;
};

struct changes {
	bool any; /* a run is kept */
	enum check_verdict verdict;
	struct kept_cause *causes; /* owned */
	size_t cause_count;
	struct kept_requirement *requirements; /* owned */
	size_t requirement_count;
};

/* True when the verdict, a status or a cause is another than in the run that is kept; always true
 * for the first. */
bool changes_since(const struct changes *before, const struct check_result *now);
/* One block for people: the time, the verdict, the causes that came and went, the requirements. */
void changes_print(
	FILE *out, const struct changes *before, const struct check_result *now, bool colour);
void changes_keep(struct changes *changes, const struct check_result *result);
void changes_free(struct changes *changes);

#endif
