/*
 * What was gathered goes to the store in one commit; only then is it confirmed to the machines, and
 * then those who watch are told. A run that has ended leaves memory here.
 *
 * What goes wrong: the store does not take it. Nothing was changed then, nothing is confirmed, and
 * the next flush tries it all again.
 */
#include "hub/jobs/parts.h"

#include <string.h>
#include <time.h>

/* --- writing ------------------------------------------------------------------------------- */

static enum store_status write_run(struct jobs *jobs, struct jobs_run *run, struct err *err)
{
	const struct store_driver *driver = jobs->store->driver;
	struct store_run row = run->row;
	row.reason = row.reason ? row.reason : "";
	enum store_status status = driver->runs.change(jobs->store, &row, err);
	const struct jobs_piece *piece = run->first;
	for (; piece && status == STORE_OK; piece = piece->next)
		status = driver->runs.add_output(
			jobs->store, run->row.seq, piece->at, piece->data, piece->len, err);
	return status == STORE_NOT_FOUND ? STORE_OK : status; /* an old job that was removed */
}

/* Secrets wait for machines that have not got their run yet. */
static bool needs_secrets(const struct jobs_job *job)
{
	return job->row.counts[RUN_QUEUED] > 0 || job->stored_counts[RUN_QUEUED] > 0;
}

/* Its counts are those of the rows that stand in the store now. */
static enum store_status write_job(struct jobs *jobs, struct jobs_job *job, struct err *err)
{
	const struct store_driver *driver = jobs->store->driver;
	struct store_job row = job->row;
	bool live = jobs_any_live(job->stored_counts);
	memcpy(row.counts, job->stored_counts, sizeof row.counts);
	row.state = live ? STORE_JOB_ACTIVE : row.cancel ? STORE_JOB_CANCELLED : STORE_JOB_DONE;
	if (live)
		row.finished = 0;
	else if (!row.finished)
		row.finished = time(NULL);
	enum store_status status = driver->jobs.change(jobs->store, &row, err);
	if (status == STORE_OK && job->wipe && !needs_secrets(job))
		status = driver->jobs.wipe_secrets(jobs->store, job->row.seq, err);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

static void count(struct jobs_job *job, enum store_run_state from, enum store_run_state to)
{
	job->stored_counts[from]--;
	job->stored_counts[to]++;
}

/* *written gets the number of runs, which are the first ones of the list. */
static enum store_status write_some(struct jobs *jobs, size_t *written, struct err *err)
{
	const struct store_driver *driver = jobs->store->driver;
	struct jobs_run *run = TAILQ_FIRST(&jobs->dirty_runs);
	struct jobs_job *job;
	enum store_status status = driver->begin(jobs->store, true, err);
	if (status != STORE_OK)
		return status;
	for (; run && *written < JOBS_FLUSH_RUNS && status == STORE_OK; ++*written) {
		count(run->job, run->stored_state, run->row.state);
		jobs_touch_job(jobs, run->job);
		status = write_run(jobs, run, err);
		run = TAILQ_NEXT(run, of_dirty);
	}
	TAILQ_FOREACH (job, &jobs->dirty_jobs, of_dirty)
		if (status == STORE_OK)
			status = write_job(jobs, job, err);
	if (status == STORE_OK)
		return driver->commit(jobs->store, err);
	driver->rollback(jobs->store);
	return status;
}

/* The store has not taken them after all. */
static void count_back(struct jobs *jobs, size_t written)
{
	struct jobs_run *run = TAILQ_FIRST(&jobs->dirty_runs);
	for (; written; written--) {
		count(run->job, run->row.state, run->stored_state);
		run = TAILQ_NEXT(run, of_dirty);
	}
}

/* --- afterwards ---------------------------------------------------------------------------- */

static void confirm_owed(struct jobs *jobs, struct jobs_run *run)
{
	struct jobs_owed *owed = run->owed;
	run->owed = run->owed_last = NULL;
	for (struct jobs_owed *next; owed; owed = next) {
		next = owed->next;
		jobs->hooks.confirm(jobs->hooks.data, &owed->receipt);
		free(owed);
	}
}

static void note_change(struct jobs_job *job, int64_t run)
{
	for (size_t i = 0; i < job->changed_count; i++)
		if (job->changed[i] == run)
			return;
	if (!job->changed)
		job->changed = xcalloc(JOBS_EVENT_RUNS, sizeof *job->changed);
	if (job->changed_count == JOBS_EVENT_RUNS)
		job->changed_more = true;
	else
		job->changed[job->changed_count++] = run;
}

static void settle_runs(struct jobs *jobs, size_t written, bool watched)
{
	for (; written; written--) {
		struct jobs_run *run = TAILQ_FIRST(&jobs->dirty_runs);
		TAILQ_REMOVE(&jobs->dirty_runs, run, of_dirty);
		run->dirty = false;
		run->stored_state = run->row.state;
		for (const struct jobs_piece *piece = run->first; piece; piece = piece->next)
			jobs->output_waiting -= piece->len;
		jobs_pieces_free(run);
		confirm_owed(jobs, run);
		if (watched)
			note_change(run->job, run->row.seq);
		if (!jobs_is_live(run->row.state))
			jobs_drop_run(jobs, run);
	}
}

static void settle_jobs(struct jobs *jobs, bool watched)
{
	struct jobs_job *job;
	while ((job = TAILQ_FIRST(&jobs->dirty_jobs))) {
		TAILQ_REMOVE(&jobs->dirty_jobs, job, of_dirty);
		job->dirty = false;
		if (job->wipe && !needs_secrets(job)) {
			job->wipe = false;
			jobs_spec_free(job);
		}
		if (watched && !job->event) {
			job->event = true;
			TAILQ_INSERT_TAIL(&jobs->events, job, of_events);
		}
		jobs_drop_job_if_idle(jobs, job);
	}
}

static void tell(struct jobs *jobs, struct jobs_job *job, int64_t now_ms)
{
	TAILQ_REMOVE(&jobs->events, job, of_events);
	job->event = false;
	job->told_ms = now_ms;
	jobs->hooks.changed(jobs->hooks.data, &job->row, job->silent, job->changed, job->changed_count,
		job->changed_more);
	job->changed_count = 0;
	job->changed_more = false;
	jobs_drop_job_if_idle(jobs, job);
}

/* A few events a second for each job, whatever happens to it. */
static void tell_all(struct jobs *jobs, int64_t now_ms)
{
	struct jobs_job *job, *next;
	for (job = TAILQ_FIRST(&jobs->events); job; job = next) {
		next = TAILQ_NEXT(job, of_events);
		int64_t wait_ms = job->told_ms + JOBS_EVENT_MS - now_ms;
		if (!job->told_ms || wait_ms <= 0)
			tell(jobs, job, now_ms);
		else
			jobs->hooks.wake(jobs->hooks.data, wait_ms);
	}
}

enum store_status jobs_flush(struct jobs *jobs, int64_t now_ms, struct err *err)
{
	bool watched = jobs->hooks.watched(jobs->hooks.data);
	if (!TAILQ_EMPTY(&jobs->dirty_runs) || !TAILQ_EMPTY(&jobs->dirty_jobs)) {
		size_t written = 0;
		enum store_status status = write_some(jobs, &written, err);
		if (status != STORE_OK) {
			count_back(jobs, written);
			return status;
		}
		settle_runs(jobs, written, watched);
		settle_jobs(jobs, watched);
	}
	tell_all(jobs, now_ms);
	if (!TAILQ_EMPTY(&jobs->dirty_runs))
		jobs->hooks.wake(jobs->hooks.data, 0);
	return STORE_OK;
}

enum store_status jobs_flush_all(struct jobs *jobs, int64_t now_ms, struct err *err)
{
	enum store_status status;
	do
		status = jobs_flush(jobs, now_ms, err);
	while (status == STORE_OK && !TAILQ_EMPTY(&jobs->dirty_runs));
	return status;
}
