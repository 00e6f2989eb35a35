/*
 * A job as it is signed (wire/job.h), from its row in the store.
 */
#ifndef HUB_JOBS_SPEC_H
#define HUB_JOBS_SPEC_H

#include "store/store.h"

/* Without run and server, which the caller fills for each; owned, jobs_spec_drop(). `secrets` is
 * JSON or NULL: then variables whose values are secret are left out. */
struct job *jobs_spec_new(const struct store_job *row, const char *secrets);
void jobs_spec_drop(struct job *job); /* wipes the values of variables; NULL is fine */

#endif
