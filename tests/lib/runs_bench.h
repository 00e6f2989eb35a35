/*
 * The agent's side of jobs for one test: a root, an identity, a journal, and a hub that is played
 * by answering what the session sends. Supervisors are real processes: the test program starts
 * itself.
 *
 * The hub is a fake because a real one can neither lose an answer nor refuse at will.
 *
 *     int main(int argc, char **argv) { BENCH_SUPERVISE(argc, argv); ... }
 *
 * The program stands in for the system where no real one can be made to fail at a chosen step:
 * fsync, rename, unlink and pipe2 of all its processes are steps that are counted, and a process
 * can be killed at one of them, or find the disk full.
 */
#ifndef LIB_RUNS_BENCH_H
#define LIB_RUNS_BENCH_H

#include "agent/runs/parts.h"
#include "agent/runs/supervisor.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define BENCH_MAX_RUNS 16

/* What the hub has of a run. */
struct bench_run {
	char id[JOB_ID_SIZE];
	struct buf output; /* owned */
	char states[400];  /* all that were told, separated by a space */
	char reason[JOURNAL_MAX_REASON + 1];
	int64_t attempt, exit_code, signal, output_size, dropped;
};

struct runs_bench {
	char root[64];
	struct agent_paths paths;
	struct agent_state state; /* of the agent; its hub_key is hub's */
	struct identity hub;
	struct logfile *log;
	struct runs runs;
	struct session session;
	bool online;
	struct bench_run heard[BENCH_MAX_RUNS];
	size_t heard_count;
	struct buf sent;      /* messages of the agent that the hub has not answered yet, one a line */
	enum refusal refuses; /* job.state and job.output */
	bool deaf;            /* takes all and answers nothing */
	char record[100];     /* a file into which scripts write a line when they run */
	int taken;            /* runs that were made */
};

void bench_make(struct runs_bench *bench);
void bench_free(struct runs_bench *bench);

/* The agent starts, with the journal as it is; and ends without a word to anybody. */
void bench_start(struct runs_bench *bench);
void bench_stop(struct runs_bench *bench);
void bench_connect(struct runs_bench *bench);
void bench_cut(struct runs_bench *bench);

/* A job with usual values for this machine and another id every time; its texts are owned by it. */
struct job bench_job(struct runs_bench *bench, const char *script);
struct job bench_job_with_id(struct runs_bench *bench, const char *id, const char *script);
/* Signs and hands it to the agent; frees it. */
enum refusal bench_give(struct runs_bench *bench, struct job *job);
/* Makes a job of the script and gives it; its id. */
const char *bench_run(struct runs_bench *bench, const char *script, const char **id);

/* Agent, hub and time go on until the condition holds; fails the test when it never does. */
void bench_until(
	struct runs_bench *bench, bool (*holds)(struct runs_bench *bench, void *data), void *data);
/* Until the hub has this state of it, confirmed. */
void bench_until_told(struct runs_bench *bench, const char *id, const char *state);
/* Until only its RUN.end is left. */
void bench_until_buried(struct runs_bench *bench, const char *id);
struct bench_run *bench_heard(struct runs_bench *bench, const char *id);
/* How many lines scripts have written to the record. */
int bench_record(const struct runs_bench *bench);
/* A file of the root with this text. */
void bench_write(const struct runs_bench *bench, const char *name, const char *text, mode_t mode);

/* --- steps ------------------------------------------------------------------------------------ */

/* Kills the next supervisor that comes so far, or this very process, at its nth step. */
void bench_kill_supervisor_at(const struct runs_bench *bench, int step);
void bench_kill_self_at(int step);
bool bench_killed(const struct runs_bench *bench); /* a supervisor was */
/* From now on nothing reaches the disk; or it does again. */
void bench_fill_disk(const struct runs_bench *bench, bool full);

bool bench_supervise(int argc, char **argv, int *code);

#define BENCH_SUPERVISE(argc, argv)                                                                \
	do {                                                                                           \
		int supervisor_code;                                                                       \
		if (bench_supervise(argc, argv, &supervisor_code))                                         \
			return supervisor_code;                                                                \
	} while (0)

#endif
