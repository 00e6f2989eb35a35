/*
 * How the walk to one target ended, as a step of it fills it in. Private to connector/.
 *
 * A step that fails does `return ending_set(ending, OUTCOME_...)` and adds evidence; the words come
 * from outcomes.def. Zeroed memory is "it goes on".
 */
#ifndef CONNECTOR_ENDING_H
#define CONNECTOR_ENDING_H

#include "diagnosis/outcomes.h"

#include <jansson.h>

struct ending {
	enum outcome outcome; /* OUTCOME_NONE: none */
	struct evidence evidence;
	json_t *details; /* owned; further evidence, [{name, value}], of the host's own check */
	char *sentence;  /* owned; in the host's own words; NULL: as outcomes.def has it */
	char *remedy;    /* likewise */
};

/* Replaces what was there. Returns -1. */
int ending_set(struct ending *ending, enum outcome outcome);
/* Evidence `reason`: what a program wrote, in one line without its last full stop. */
void ending_reason(struct ending *ending, const char *text);
void ending_free(struct ending *ending);

#endif
