/*
 * The runs of jobs that a simulated machine was given.
 *
 * It answers as an agent does whose scripts take no time and say one line: taken, running, then
 * done and the output together; and says it again in its next session until the hub has confirmed
 * it. Nothing is executed, nothing written to a disk, and only the machines whose number divides by
 * WORK_VERIFIES_EACH verify the signature: what thousands of machines do on their own processors
 * and disks would otherwise be measured on this one's.
 */
#ifndef BENCH_SWARM_WORK_H
#define BENCH_SWARM_WORK_H

#include "agent/session.h"
#include "wire/job.h"

#define WORK_MAX           8 /* runs that are remembered, the confirmed ones among them */
#define WORK_VERIFIES_EACH 100

struct work_run {
	char id[JOB_ID_SIZE];
	int awaited; /* answers, in this session */
	bool confirmed;
};

struct work {
	struct work_run runs[WORK_MAX];
	size_t count;
	size_t oldest; /* makes room for the next, once all places are taken */
};

/* What the hub may ask; the session's data is the struct peer. */
extern const struct session_call work_calls[];
extern const size_t work_call_count;

struct peer;

/* A new session: says which runs are held. */
void work_begin(struct peer *peer);
/* Sends what comes next for each run; call it after every step of an open session. */
void work_advance(struct peer *peer);

#endif
