/*
 * From the row to the machine's journal.
 *
 * Happy path: a machine that is here and has told its runs waits in a list; in its turn its next
 * run is marked as sent, that is committed, the run is signed and goes out; its answer makes it
 * `delivered`. What goes wrong: the session ends before the answer (sent again in the next one,
 * unless the machine has it), the machine cannot take more (a pause), it refuses for good (the run
 * has failed), the store does not take the mark (nothing is sent).
 */
#include "hub/jobs/parts.h"
#include "hub/jobs/spec.h"
#include "hub/log.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

#define BATCH      32     /* runs that are signed in one turn of the loop: some milliseconds */
#define TURN_BYTES 131072 /* likewise of large ones */
#define MARK_AHEAD (JOBS_FLUSH_RUNS - BATCH)
#define RETRY_MS   2000 /* for a store that failed */
#define RESERVED   (-1) /* in the place of a request's id: chosen for this turn */

void jobs_wait(struct jobs *jobs, struct jobs_server *server)
{
	if (server->waits || !server->ready)
		return;
	server->waits = true;
	TAILQ_INSERT_TAIL(&jobs->waiting, server, of_waiting);
	jobs->hooks.again(jobs->hooks.data, 0);
}

void jobs_land(struct jobs_run *run)
{
	if (!run->ask)
		return;
	run->server->in_flight--;
	run->server->in_flight_bytes -= run->ask_bytes;
	run->ask = 0;
	run->ask_bytes = 0;
}

static void depart(struct jobs_run *run)
{
	run->ask = RESERVED;
	run->server->in_flight++;
}

void jobs_spec_free(struct jobs_job *job)
{
	jobs_spec_drop(job->spec);
	job->spec = NULL;
}

/* --- what goes out ------------------------------------------------------------------------- */

static int load_spec(struct jobs *jobs, struct jobs_job *job, int64_t now_ms)
{
	struct store_job row;
	char *secrets = NULL;
	struct err err = {0};
	job->spec_ms = now_ms;
	if (job->spec)
		return 0;
	if (jobs->store->driver->jobs.load(jobs->store, job->row.seq, &row, &secrets, &err) !=
		STORE_OK) {
		log_line(LOG_ERROR, "job %s cannot be read: %s", job->row.id, err.text);
		return -1;
	}
	job->spec = jobs_spec_new(&row, secrets);
	store_job_free(&row);
	if (secrets)
		sodium_memzero(secrets, strlen(secrets));
	free(secrets);
	return 0;
}

static int64_t send(
	struct jobs *jobs, const struct jobs_server *server, enum message message, const void *record)
{
	return jobs->hooks.send(jobs->hooks.data, server->id, server->session, message_method(message),
		message_write(message, record));
}

static void send_run(struct jobs *jobs, struct jobs_run *run)
{
	struct job *spec = run->job->spec;
	struct jobs_server *server = run->server;
	struct err err = {0};
	memcpy(spec->run, run->row.id, sizeof spec->run);
	memcpy(spec->server, server->id, sizeof spec->server);
	struct msg_job_run message = {.run = run->row.id, .spec = job_write(spec, &err)};
	if (!message.spec) {
		jobs_reason(run, err.text);
		jobs_move(jobs, run, RUN_FAILED, (int64_t)time(NULL));
		return;
	}
	job_sign(jobs->identity, message.spec, message.signature);
	run->ask_bytes = strlen(message.spec);
	server->in_flight_bytes += run->ask_bytes;
	run->ask = send(jobs, server, MSG_job_run, &message);
	if (!run->ask) {
		run->ask = RESERVED;
		jobs_land(run);
		server->ready = false; /* that session is over */
	}
	sodium_memzero(message.spec, strlen(message.spec));
	free(message.spec);
}

static void send_cancels(struct jobs *jobs, struct jobs_server *server)
{
	struct jobs_run *run;
	TAILQ_FOREACH (run, &server->runs, of_server) {
		if (!run->row.cancel || run->cancel_told || run->cancel_ask || run->ask ||
			!jobs_is_live(run->row.state) || run->row.state == RUN_QUEUED)
			continue;
		struct msg_job_cancel message = {.run = run->row.id};
		run->cancel_ask = send(jobs, server, MSG_job_cancel, &message);
	}
}

/* --- turns --------------------------------------------------------------------------------- */

static struct jobs_run *next_run(const struct jobs_server *server)
{
	struct jobs_run *run;
	if (server->in_flight >= JOBS_WINDOW ||
		(server->in_flight && server->in_flight_bytes >= JOBS_WINDOW_BYTES))
		return NULL;
	TAILQ_FOREACH (run, &server->runs, of_server)
		if (run->row.state == RUN_QUEUED && !run->ask && !run->row.cancel)
			return run;
	return NULL;
}

static size_t choose(struct jobs *jobs, struct jobs_run *batch[BATCH], int64_t now_ms)
{
	struct jobs_server *server;
	size_t count = 0;
	while (count < BATCH && (server = TAILQ_FIRST(&jobs->waiting))) {
		TAILQ_REMOVE(&jobs->waiting, server, of_waiting);
		server->waits = false;
		if (!server->ready)
			continue;
		send_cancels(jobs, server);
		struct jobs_run *run = server->pause_until_ms > now_ms ? NULL : next_run(server);
		if (run) {
			depart(run);
			batch[count++] = run;
		}
	}
	return count;
}

/* Among the first to be written. */
static void mark(struct jobs *jobs, struct jobs_run *run)
{
	if (run->row.sent)
		return;
	run->row.sent = true;
	jobs_touch(jobs, run);
	TAILQ_REMOVE(&jobs->dirty_runs, run, of_dirty);
	TAILQ_INSERT_HEAD(&jobs->dirty_runs, run, of_dirty);
}

static bool all_marked(struct jobs_run *const *batch, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!batch[i]->row.sent)
			return false;
	return true;
}

/* What nobody has written down must not leave. Those whose turn comes soon are marked with them:
 * thousands that come back at once cost some commits and not hundreds. */
static bool mark_sent(
	struct jobs *jobs, struct jobs_run *const *batch, size_t count, int64_t now_ms)
{
	struct err err = {0};
	const struct jobs_server *server = TAILQ_FIRST(&jobs->waiting);
	if (all_marked(batch, count))
		return true;
	for (size_t i = 0; server && i < MARK_AHEAD; i++, server = TAILQ_NEXT(server, of_waiting)) {
		struct jobs_run *run = next_run(server);
		if (run)
			mark(jobs, run);
	}
	for (size_t i = 0; i < count; i++)
		mark(jobs, batch[i]);
	return jobs_flush(jobs, now_ms, &err) == STORE_OK;
}

/* False when it stays queued: the store cannot be read. */
static bool go(struct jobs *jobs, struct jobs_run *run, int64_t now_ms)
{
	bool loaded = load_spec(jobs, run->job, now_ms) == 0;
	if (loaded)
		send_run(jobs, run);
	else
		jobs_land(run);
	return loaded;
}

void jobs_deliver(struct jobs *jobs, int64_t now_ms)
{
	struct jobs_run *batch[BATCH];
	size_t count = choose(jobs, batch, now_ms), bytes = 0;
	bool works = mark_sent(jobs, batch, count, now_ms);
	for (size_t i = 0; i < count; i++) {
		struct jobs_run *run = batch[i];
		if (works && bytes < TURN_BYTES)
			works = go(jobs, run, now_ms);
		else
			jobs_land(run);
		bytes += run->ask_bytes;
		if (!run->server->waits && next_run(run->server)) {
			run->server->waits = true;
			TAILQ_INSERT_TAIL(&jobs->waiting, run->server, of_waiting);
		}
	}
	if (!TAILQ_EMPTY(&jobs->waiting))
		jobs->hooks.again(jobs->hooks.data, works ? 0 : RETRY_MS);
}

/* --- answers ------------------------------------------------------------------------------- */

static const struct {
	enum refusal refusal;
	bool later;
	enum store_run_state state;
	const char *reason;
} refusals[] = {
	{REFUSAL_JOB_NOT_KEPT, true, RUN_QUEUED, NULL},
	{REFUSAL_JOB_TOO_MANY, true, RUN_QUEUED, NULL},
	{REFUSAL_BUSY, true, RUN_QUEUED, NULL},
	{REFUSAL_JOB_EXPIRED, false, RUN_EXPIRED, "It reached the machine too late."},
	{REFUSAL_JOB_SIGNATURE, false, RUN_FAILED,
		"The agent refused it: it is not signed by the hub that this machine has joined."},
	{REFUSAL_JOB_OTHER_SERVER, false, RUN_FAILED,
		"The agent refused it: it says that it is another server."},
	{REFUSAL_JOB_INVALID, false, RUN_FAILED,
		"The agent refused it: it does not understand the job. Is it older than the hub?"},
	{REFUSAL_BAD_MESSAGE, false, RUN_FAILED,
		"The agent on this machine is older than the hub and runs no jobs: update it."},
};

static void run_refused(
	struct jobs *jobs, struct jobs_run *run, enum refusal refusal, int64_t now, int64_t now_ms)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		if (refusals[i].refusal != refusal)
			continue;
		if (refusals[i].later) {
			run->server->pause_until_ms = now_ms + JOBS_PAUSE_MS;
			return;
		}
		jobs_reason(run, refusals[i].reason);
		jobs_move(jobs, run, refusals[i].state, now);
		return;
	}
	jobs_reason(run, "The agent could not take it; its connector.log says why.");
	jobs_move(jobs, run, RUN_FAILED, now);
}

static void run_answered(
	struct jobs *jobs, struct jobs_run *run, enum refusal refusal, int64_t now, int64_t now_ms)
{
	jobs_land(run);
	if (run->row.state != RUN_QUEUED)
		return; /* it has told more than that already */
	if (refusal == REFUSAL_NONE && jobs_move(jobs, run, RUN_DELIVERED, now))
		run->row.delivered = now;
	else if (refusal != REFUSAL_NONE)
		run_refused(jobs, run, refusal, now, now_ms);
	if (run->row.state == RUN_QUEUED && run->row.cancel)
		jobs_move(jobs, run, RUN_CANCELLED, now);
}

static void cancel_answered(
	struct jobs *jobs, struct jobs_run *run, enum refusal refusal, int64_t now, int64_t now_ms)
{
	run->cancel_ask = 0;
	run->cancel_told = refusal == REFUSAL_NONE;
	if (refusal == REFUSAL_JOB_UNKNOWN && jobs_is_live(run->row.state)) {
		jobs_reason(run, "The agent has no record of this run; whether it ran is not known.");
		jobs_move(jobs, run, RUN_UNDETERMINED, now);
	} else if (refusal != REFUSAL_NONE) {
		run->server->pause_until_ms = now_ms + JOBS_PAUSE_MS;
	}
}

bool jobs_answered(struct jobs *jobs, const char *id, uint64_t session, const struct rpc *rpc,
	int64_t now, int64_t now_ms)
{
	enum refusal refusal = rpc->kind == RPC_ERROR ? rpc->refusal : REFUSAL_NONE;
	struct jobs_server *server = jobs_find_server(jobs, id);
	struct jobs_run *run = NULL;
	if (!server || server->session != session || rpc->id <= 0)
		return false;
	TAILQ_FOREACH (run, &server->runs, of_server)
		if (run->ask == rpc->id || run->cancel_ask == rpc->id)
			break;
	if (!run)
		return false;
	if (run->ask == rpc->id)
		run_answered(jobs, run, refusal, now, now_ms);
	else
		cancel_answered(jobs, run, refusal, now, now_ms);
	jobs_wait(jobs, server);
	return true;
}
