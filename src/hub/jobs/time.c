/*
 * What ends without a word of the machine: cancelled before it left, expired, silent for too long,
 * of a server that is gone; and old jobs, which are removed.
 */
#include "hub/jobs/parts.h"
#include "hub/log.h"

#include <string.h>

#define SPEC_IDLE_MS  5000  /* a script is kept in memory so long after it was last sent */
#define SWEEP_S       5     /* between two looks at the runs of a job that has expired */
#define PRUNE_MS      60000 /* between two looks for old jobs, when there were none */
#define PRUNE_STEP_MS 500

#define NEVER_LEFT "The machine did not come to take it before the job expired."
#define MAY_HAVE_LEFT                                                                              \
	"The job expired while it was not known whether it had reached the machine, and the machine "  \
	"has not come back to tell."
#define NO_WORD "The machine had the run and has been away since; whether it ended is not known."

static void end(struct jobs *jobs, struct jobs_run *run, enum store_run_state state,
	const char *reason, int64_t now)
{
	jobs_reason(run, reason);
	jobs_move(jobs, run, state, now);
}

/* --- cancelling ---------------------------------------------------------------------------- */

/* In this session and before it: nobody else can know whether the machine has it. */
static bool never_left(const struct jobs_run *run)
{
	return run->row.state == RUN_QUEUED && !run->ask && (!run->row.sent || run->server->ready);
}

static void cancel_run(struct jobs *jobs, struct jobs_run *run, int64_t now)
{
	if (!jobs_is_live(run->row.state))
		return;
	if (never_left(run)) {
		jobs_move(jobs, run, RUN_CANCELLED, now);
		return;
	}
	run->row.cancel = true;
	jobs_touch(jobs, run);
	jobs_wait(jobs, run->server);
}

static struct jobs_job *job_named(const struct jobs *jobs, const char *id)
{
	struct jobs_job *job = LIST_FIRST(&jobs->all);
	while (job && strcmp(job->row.id, id) != 0)
		job = LIST_NEXT(job, of_all);
	return job;
}

void jobs_cancel(struct jobs *jobs, const char *id, const char *server, int64_t now)
{
	struct jobs_job *job = job_named(jobs, id);
	struct jobs_run *run;
	if (!job)
		return; /* it has ended */
	if (!server) {
		job->row.cancel = true;
		jobs_touch_job(jobs, job);
	}
	LIST_FOREACH (run, &job->runs, of_job)
		if (!server || strcmp(run->row.server, server) == 0)
			cancel_run(jobs, run, now);
}

void jobs_forget(struct jobs *jobs, const char *id, int64_t now)
{
	struct jobs_server *server = jobs_find_server(jobs, id);
	struct jobs_run *run;
	if (!server)
		return;
	TAILQ_FOREACH (run, &server->runs, of_server) {
		if (!jobs_is_live(run->row.state))
			continue;
		if (never_left(run))
			end(jobs, run, RUN_CANCELLED, "The server was removed before it got the job.", now);
		else
			end(jobs, run, RUN_UNDETERMINED,
				"The server was removed while it had the job; how it ended there is not known.",
				now);
	}
	server->ready = false;
}

/* --- time ---------------------------------------------------------------------------------- */

/* When a run on a machine that is away is given up. */
static int64_t overdue_at(const struct jobs_job *job, const struct jobs_run *run)
{
	int64_t last = run->row.started ? run->row.started : run->row.delivered;
	int64_t ends = last + job->row.timeout_s;
	return (ends > job->row.expires ? ends : job->row.expires) + JOBS_SILENCE_S;
}

static void sweep_run(struct jobs *jobs, struct jobs_run *run, int64_t now)
{
	if (run->row.state == RUN_QUEUED && never_left(run))
		end(jobs, run, RUN_EXPIRED, NEVER_LEFT, now);
	else if (run->row.state == RUN_QUEUED && !run->server->session)
		end(jobs, run, RUN_UNDETERMINED, MAY_HAVE_LEFT, now);
	else if (jobs_is_live(run->row.state) && !run->server->session &&
			 now >= overdue_at(run->job, run))
		end(jobs, run, RUN_UNDETERMINED, NO_WORD, now);
}

static void sweep_job(struct jobs *jobs, struct jobs_job *job, int64_t now, int64_t now_ms)
{
	struct jobs_run *run;
	if (job->spec && now_ms - job->spec_ms > SPEC_IDLE_MS)
		jobs_spec_free(job);
	if (now < job->row.expires || now < job->sweep_at)
		return;
	job->sweep_at = now + SWEEP_S;
	LIST_FOREACH (run, &job->runs, of_job)
		sweep_run(jobs, run, now);
}

static void end_pauses(struct jobs *jobs, int64_t now_ms)
{
	struct jobs_job *job;
	struct jobs_run *run;
	LIST_FOREACH (job, &jobs->all, of_all)
		LIST_FOREACH (run, &job->runs, of_job) {
			struct jobs_server *server = run->server;
			if (server->pause_until_ms && server->pause_until_ms <= now_ms) {
				server->pause_until_ms = 0;
				jobs_wait(jobs, server);
			}
		}
}

static void prune(struct jobs *jobs, int64_t now, int64_t now_ms)
{
	const struct store_keep keep = {now - JOBS_KEEP_S, JOBS_KEEP_COUNT, JOBS_KEEP_BYTES};
	bool more = false;
	struct err err = {0};
	if (now_ms < jobs->prune_at_ms)
		return;
	if (jobs->store->driver->jobs.prune(jobs->store, &keep, &more, &err) != STORE_OK)
		log_line(LOG_ERROR, "old jobs stay: %s", err.text);
	jobs->prune_at_ms = now_ms + (more ? PRUNE_STEP_MS : PRUNE_MS);
}

void jobs_sweep(struct jobs *jobs, int64_t now, int64_t now_ms)
{
	struct jobs_job *job, *next;
	for (job = LIST_FIRST(&jobs->all); job; job = next) {
		next = LIST_NEXT(job, of_all);
		sweep_job(jobs, job, now, now_ms);
	}
	if (now_ms >= jobs->pauses_at_ms) {
		jobs->pauses_at_ms = now_ms + JOBS_PAUSE_MS / 4;
		end_pauses(jobs, now_ms);
	}
	prune(jobs, now, now_ms);
}
