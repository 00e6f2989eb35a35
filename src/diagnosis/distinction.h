/*
 * What tells a cause from those that look like it: distinctions.def, for `sallyport explain` and
 * the pages in docs/causes.
 */
#ifndef DIAGNOSIS_DISTINCTION_H
#define DIAGNOSIS_DISTINCTION_H

#include "diagnosis/finding.h"

#define CAUSE_MAX_LOOK_ALIKES 8

struct cause_distinction {
	const char *text;                       /* NULL: no row */
	int look_alikes[CAUSE_MAX_LOOK_ALIKES]; /* of enum cause; CAUSE_NONE ends them */
};

const struct cause_distinction *cause_distinction(enum cause cause); /* never NULL */

#endif
