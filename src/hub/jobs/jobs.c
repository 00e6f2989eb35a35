/*
 * The runs in memory, and how they move.
 *
 * Happy path of a run: queued -> delivered -> running -> done or failed. What goes wrong ends as
 * expired, cancelled or undetermined. Two trees find a run by its number and a server by its id; a
 * run stands in the lists of its job and of its server, and leaves memory once it has ended and the
 * store has it.
 */
#include "hub/jobs/parts.h"

#include <search.h>
#include <sodium.h>
#include <string.h>

#define BIT(state) (1u << (state))
#define ENDED                                                                                      \
	(BIT(RUN_FAILED) | BIT(RUN_UNDETERMINED) | BIT(RUN_EXPIRED) | BIT(RUN_CANCELLED) |             \
		BIT(RUN_DONE))
#define AT_WORK (BIT(RUN_RUNNING) | BIT(RUN_REBOOTING))

/* Where a run may go from where it is. A machine may say that a run began or ended without having
 * said that it was delivered: that answer was lost. What is undetermined may be known later. */
static const unsigned allowed[RUN_STATES] = {
	[RUN_QUEUED] = BIT(RUN_DELIVERED) | AT_WORK | ENDED,
	[RUN_DELIVERED] = AT_WORK | ENDED,
	[RUN_RUNNING] = BIT(RUN_RUNNING) | BIT(RUN_REBOOTING) | ENDED,
	[RUN_REBOOTING] = BIT(RUN_REBOOTING) | BIT(RUN_RUNNING) | ENDED,
	[RUN_UNDETERMINED] = AT_WORK | (ENDED & ~BIT(RUN_UNDETERMINED)),
};

bool jobs_is_live(enum store_run_state state)
{
	return state >= RUN_QUEUED && state <= RUN_REBOOTING;
}

/* --- finding ------------------------------------------------------------------------------- */

/* Both begin with their number. */
static int by_seq(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return left < right ? -1 : left > right;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(a, b);
}

static struct jobs_run *jobs_find_run(const struct jobs *jobs, int64_t seq)
{
	struct jobs_run *const *found = tfind(&seq, &jobs->runs, by_seq);
	return found ? *found : NULL;
}

struct jobs_server *jobs_find_server(const struct jobs *jobs, const char *id)
{
	struct jobs_server *const *found = tfind(id, &jobs->servers, by_id);
	return found ? *found : NULL;
}

static struct jobs_job *jobs_find_job(const struct jobs *jobs, int64_t seq)
{
	struct jobs_job *job = LIST_FIRST(&jobs->all);
	while (job && job->row.seq != seq)
		job = LIST_NEXT(job, of_all);
	return job;
}

static struct jobs_server *get_server(struct jobs *jobs, const char *id)
{
	struct jobs_server *server = jobs_find_server(jobs, id);
	if (server)
		return server;
	server = xcalloc(1, sizeof *server);
	memcpy(server->id, id, sizeof server->id);
	server->session = jobs->hooks.session(jobs->hooks.data, id, &server->ready);
	TAILQ_INIT(&server->runs);
	if (!tsearch(server, &jobs->servers, by_id))
		abort();
	return server;
}

static void drop_server_if_idle(struct jobs *jobs, struct jobs_server *server)
{
	if (!TAILQ_EMPTY(&server->runs))
		return;
	if (server->waits)
		TAILQ_REMOVE(&jobs->waiting, server, of_waiting);
	tdelete(server, &jobs->servers, by_id);
	free(server);
}

/* --- the lists ----------------------------------------------------------------------------- */

static struct jobs_job *add_job(struct jobs *jobs, const struct store_job *row)
{
	struct jobs_job *job = xcalloc(1, sizeof *job);
	job->row = *row;
	job->row.title = xstrdup(row->title);
	job->row.user = xstrdup(row->user);
	job->row.cwd = xstrdup(row->cwd);
	job->row.created_by = xstrdup(row->created_by);
	job->row.location = xstrdup(row->location);
	job->row.script = job->row.args = job->row.env = NULL;
	memcpy(job->stored_counts, row->counts, sizeof job->stored_counts);
	job->wipe = true;
	LIST_INIT(&job->runs);
	LIST_INSERT_HEAD(&jobs->all, job, of_all);
	return job;
}

void jobs_drop_job_if_idle(struct jobs *jobs, struct jobs_job *job)
{
	(void)jobs;
	if (!LIST_EMPTY(&job->runs) || job->dirty || job->event)
		return;
	LIST_REMOVE(job, of_all);
	jobs_spec_free(job);
	store_job_free(&job->row);
	free(job->changed);
	free(job);
}

/* Takes a row of the store into memory. */
static struct jobs_run *jobs_add_run(
	struct jobs *jobs, struct jobs_job *job, const struct store_run *row)
{
	struct jobs_run *run = xcalloc(1, sizeof *run);
	run->row = *row;
	run->row.server_name = NULL;
	run->stored_state = row->state;
	run->row.reason = row->reason && *row->reason ? xstrdup(row->reason) : NULL;
	run->job = job;
	run->server = get_server(jobs, row->server);
	LIST_INSERT_HEAD(&job->runs, run, of_job);
	TAILQ_INSERT_TAIL(&run->server->runs, run, of_server);
	if (!tsearch(run, &jobs->runs, by_seq))
		abort();
	if (jobs_is_live(row->state)) {
		jobs->live++;
		job->silent += !run->server->session;
	}
	return run;
}

void jobs_pieces_free(struct jobs_run *run)
{
	for (struct jobs_piece *piece = run->first, *next; piece; piece = next) {
		next = piece->next;
		free(piece);
	}
	run->first = run->last = NULL;
}

/* Its job stays: see jobs_drop_job_if_idle(). */
void jobs_drop_run(struct jobs *jobs, struct jobs_run *run)
{
	struct jobs_server *server = run->server;
	if (jobs_is_live(run->row.state)) {
		jobs->live--;
		run->job->silent -= !server->session;
	}
	jobs_land(run);
	tdelete(run, &jobs->runs, by_seq);
	LIST_REMOVE(run, of_job);
	TAILQ_REMOVE(&server->runs, run, of_server);
	if (run->dirty)
		TAILQ_REMOVE(&jobs->dirty_runs, run, of_dirty);
	jobs_pieces_free(run);
	for (struct jobs_owed *owed = run->owed, *next; owed; owed = next) {
		next = owed->next;
		free(owed);
	}
	store_run_free(&run->row);
	free(run);
	drop_server_if_idle(jobs, server);
}

/* The job of a row, from the store when it is not in memory. */
static struct jobs_job *get_job(struct jobs *jobs, int64_t seq, enum store_status *status)
{
	struct jobs_job *job = jobs_find_job(jobs, seq);
	struct store_job row;
	char *secrets = NULL;
	if (job)
		return job;
	*status = jobs->store->driver->jobs.load(jobs->store, seq, &row, &secrets, NULL);
	if (*status != STORE_OK)
		return NULL;
	if (secrets)
		sodium_memzero(secrets, strlen(secrets));
	free(secrets);
	job = add_job(jobs, &row);
	store_job_free(&row);
	return job;
}

struct jobs_run *jobs_get_run(struct jobs *jobs, const char *id, enum store_status *status)
{
	struct store_run row;
	int64_t seq = store_run_seq(id);
	struct jobs_run *run = seq ? jobs_find_run(jobs, seq) : NULL;
	*status = STORE_NOT_FOUND;
	if (run)
		return strcmp(run->row.id, id) == 0 ? run : NULL;
	if (!seq)
		return NULL;
	*status = jobs->store->driver->runs.find(jobs->store, seq, &row, NULL);
	if (*status != STORE_OK)
		return NULL;
	*status = STORE_NOT_FOUND;
	struct jobs_job *job = strcmp(row.id, id) == 0 ? get_job(jobs, row.job_seq, status) : NULL;
	if (job)
		run = jobs_add_run(jobs, job, &row);
	store_run_free(&row);
	return run;
}

/* --- moving -------------------------------------------------------------------------------- */

void jobs_touch_job(struct jobs *jobs, struct jobs_job *job)
{
	if (!job->dirty)
		TAILQ_INSERT_TAIL(&jobs->dirty_jobs, job, of_dirty);
	job->dirty = true;
	jobs->hooks.wake(jobs->hooks.data, JOBS_FLUSH_MS);
}

void jobs_touch(struct jobs *jobs, struct jobs_run *run)
{
	if (!run->dirty)
		TAILQ_INSERT_TAIL(&jobs->dirty_runs, run, of_dirty);
	run->dirty = true;
	jobs_touch_job(jobs, run->job);
}

void jobs_reason(struct jobs_run *run, const char *reason)
{
	free(run->row.reason);
	run->row.reason = reason && *reason ? xstrdup(reason) : NULL;
}

bool jobs_any_live(const int64_t counts[RUN_STATES])
{
	for (int state = 0; state < RUN_STATES; state++)
		if (jobs_is_live((enum store_run_state)state) && counts[state])
			return true;
	return false;
}

static void settle_job(struct jobs_job *job, int64_t now)
{
	bool live = jobs_any_live(job->row.counts);
	job->row.finished = live ? 0 : now;
	job->row.state = live              ? STORE_JOB_ACTIVE
					 : job->row.cancel ? STORE_JOB_CANCELLED
									   : STORE_JOB_DONE;
}

bool jobs_move(struct jobs *jobs, struct jobs_run *run, enum store_run_state state, int64_t now)
{
	struct jobs_job *job = run->job;
	enum store_run_state before = run->row.state;
	if (!(allowed[before] & BIT(state)))
		return false;
	int live = jobs_is_live(state) - jobs_is_live(before);
	run->row.state = state;
	run->row.finished = jobs_is_live(state) ? 0 : now;
	jobs->live += (size_t)live;
	if (!run->server->session)
		job->silent += live;
	job->row.counts[before]--;
	job->row.counts[state]++;
	settle_job(job, now);
	if (state == RUN_DELIVERED || jobs_is_live(before) > jobs_is_live(state))
		jobs_land(run);
	jobs_touch(jobs, run);
	return true;
}

int64_t jobs_silent(const struct jobs *jobs, int64_t seq)
{
	const struct jobs_job *job = jobs_find_job(jobs, seq);
	return job ? job->silent : 0;
}

/* --- asking -------------------------------------------------------------------------------- */

struct filling {
	struct jobs *jobs;
	struct jobs_job *job;
};

static void fill_run(void *data, const struct store_run *row)
{
	const struct filling *filling = data;
	struct jobs_run *run = jobs_add_run(filling->jobs, filling->job, row);
	if (run->server->ready)
		jobs_wait(filling->jobs, run->server);
}

static void fill_new(void *data, const struct store_run *row)
{
	struct filling *filling = data;
	filling->job->row.counts[RUN_QUEUED]++;
	filling->job->stored_counts[RUN_QUEUED]++;
	fill_run(data, row);
}

static void new_id(char id[JOB_ID_SIZE])
{
	unsigned char raw[(JOB_ID_SIZE - 1) / 2];
	randombytes_buf(raw, sizeof raw);
	sodium_bin2hex(id, JOB_ID_SIZE, raw, sizeof raw);
}

enum jobs_ask jobs_ask(struct jobs *jobs, struct store_job *row, const char *secrets,
	const struct store_targets *targets, enum store_status *status, struct err *err)
{
	if (jobs->live >= JOBS_MAX_LIVE)
		return JOBS_TOO_MANY;
	struct store_targets bounded = *targets;
	int64_t room = (int64_t)(JOBS_MAX_LIVE - jobs->live);
	bounded.most = room < JOBS_MAX_TARGETS ? room : JOBS_MAX_TARGETS;
	new_id(row->id);
	memset(row->counts, 0, sizeof row->counts);
	struct filling filling = {jobs, add_job(jobs, row)};
	*status =
		jobs->store->driver->jobs.add(jobs->store, row, secrets, &bounded, fill_new, &filling, err);
	filling.job->row.seq = row->seq;
	if (*status != STORE_OK) {
		jobs_drop_job_if_idle(jobs, filling.job);
		return *status == STORE_NOT_FOUND ? JOBS_NO_SERVER
			   : *status == STORE_TOO_BIG ? JOBS_TOO_MANY
										  : JOBS_NOT_STORED;
	}
	memcpy(row->counts, filling.job->row.counts, sizeof row->counts);
	return JOBS_TAKEN;
}

/* --- life ---------------------------------------------------------------------------------- */

struct jobs *jobs_new(
	struct store *store, const struct identity *identity, const struct jobs_hooks *hooks)
{
	struct jobs *jobs = xcalloc(1, sizeof *jobs);
	jobs->store = store;
	jobs->identity = identity;
	jobs->hooks = *hooks;
	LIST_INIT(&jobs->all);
	TAILQ_INIT(&jobs->waiting);
	TAILQ_INIT(&jobs->dirty_runs);
	TAILQ_INIT(&jobs->dirty_jobs);
	TAILQ_INIT(&jobs->events);
	return jobs;
}

void jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	for (struct jobs_job *job = LIST_FIRST(&jobs->all), *next; job; job = next) {
		next = LIST_NEXT(job, of_all);
		for (struct jobs_run *run = LIST_FIRST(&job->runs), *then; run; run = then) {
			then = LIST_NEXT(run, of_job);
			jobs_drop_run(jobs, run);
		}
		job->dirty = job->event = false;
		jobs_drop_job_if_idle(jobs, job);
	}
	free(jobs);
}

struct loading {
	struct jobs *jobs;
	enum store_status status;
	struct err *err;
};

static void load_job(void *data, const struct store_job *row)
{
	struct loading *loading = data;
	add_job(loading->jobs, row);
}

enum store_status jobs_load(struct jobs *jobs, struct err *err)
{
	struct loading loading = {jobs, STORE_OK, err};
	enum store_status status =
		jobs->store->driver->jobs.active(jobs->store, load_job, &loading, err);
	struct jobs_job *job;
	LIST_FOREACH (job, &jobs->all, of_all) {
		struct filling filling = {jobs, job};
		if (status == STORE_OK)
			status =
				jobs->store->driver->runs.live(jobs->store, job->row.seq, fill_run, &filling, err);
	}
	return status;
}
