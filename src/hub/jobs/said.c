/*
 * What machines say of their runs.
 *
 * Happy path: running, pieces of output one behind the other, done; each is written with others and
 * then confirmed. What goes wrong: it was said before (confirmed again), the run is of another
 * server or may not go there (a protocol error), nobody knows it any more (the machine forgets it
 * then), the store takes nothing and too much waits already (said again later).
 */
#include "hub/jobs/parts.h"
#include "store/summary.h"

#include "base/clock.h"

#include <sodium.h>
#include <string.h>

#define DAY_S    86400
#define MAX_HELD 4096
#define BASE64   sodium_base64_VARIANT_URLSAFE_NO_PADDING

static const struct {
	const char *name;
	enum store_run_state state;
} words[] = {
	{"delivered", RUN_DELIVERED},
	{"running", RUN_RUNNING},
	{"rebooting", RUN_REBOOTING},
	{"done", RUN_DONE},
	{"failed", RUN_FAILED},
	{"cancelled", RUN_CANCELLED},
	{"expired", RUN_EXPIRED},
	{"undetermined", RUN_UNDETERMINED},
};

static int state_of(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].name, name) == 0)
			return (int)words[i].state;
	return -1;
}

static void owe(
	struct jobs *jobs, struct jobs_run *run, const struct jobs_receipt *receipt, int64_t next)
{
	struct jobs_owed *owed = xcalloc(1, sizeof *owed);
	owed->receipt = *receipt;
	owed->receipt.next = next;
	if (run->owed)
		run->owed_last->next = owed;
	else
		run->owed = owed;
	run->owed_last = owed;
	jobs_touch(jobs, run);
}

/* The run that this server speaks of; NULL with what to make of it. */
static struct jobs_run *run_of(
	struct jobs *jobs, const struct jobs_receipt *receipt, const char *id, enum jobs_said *said)
{
	enum store_status status;
	struct jobs_run *run = jobs_get_run(jobs, id, &status);
	*said = status == STORE_NOT_FOUND || status == STORE_OK ? SAID_UNKNOWN : SAID_LATER;
	if (!run || strcmp(run->row.server, receipt->server) == 0)
		return run;
	*said = SAID_WRONG;
	return NULL;
}

/* --- its state ----------------------------------------------------------------------------- */

/* By the machine's clock, unless that is far off. */
static int64_t time_said(const char *text, const struct jobs_run *run, int64_t now)
{
	time_t when;
	if (!text || clock_parse_rfc3339(text, &when) || when < run->row.queued - DAY_S ||
		when > now + DAY_S)
		return now;
	return when;
}

static void take_details(struct jobs_run *run, const struct msg_job_state *told, int64_t now)
{
	char reason[601];
	bool ended = !jobs_is_live(run->row.state);
	summary_take_text(reason, sizeof reason, told->reason);
	jobs_reason(run, reason);
	run->row.attempt = (int)told->attempt;
	if (!run->row.delivered)
		run->row.delivered = now;
	if (run->row.state != RUN_EXPIRED && (!run->row.started || told->started))
		run->row.started = time_said(told->started, run, now);
	run->row.output_total = ended ? told->output : -1;
	run->row.dropped = told->dropped;
	if (!ended)
		return;
	/* 0 stands for none too. */
	bool exited = run->row.state == RUN_DONE ||
				  (run->row.state == RUN_FAILED && told->exit_code && !told->signal);
	run->row.exit_code = exited ? (int)told->exit_code : -1;
	run->row.signal = (int)told->signal;
	run->row.finished = time_said(told->finished, run, now);
}

/* Whether it goes on towards its end: a machine could say for ever that a run reboots and runs. */
static bool is_progress(const struct jobs_run *run, enum store_run_state state, int64_t attempt)
{
	enum store_run_state before = run->row.state;
	return before == RUN_QUEUED || before == RUN_DELIVERED || attempt > run->row.attempt ||
		   (jobs_is_live(before) && !jobs_is_live(state));
}

/* What has ended stays so and is confirmed all the same, or the machine would say it for ever. */
enum jobs_said jobs_told(struct jobs *jobs, const struct jobs_receipt *receipt,
	const struct msg_job_state *told, int64_t now)
{
	enum jobs_said said = SAID_WRONG;
	int found = state_of(told->state);
	if (found < 0 || found == RUN_DELIVERED)
		return said;
	enum store_run_state state = (enum store_run_state)found;
	struct jobs_run *run = run_of(jobs, receipt, told->run, &said);
	if (!run)
		return said;
	bool same = run->row.state == state && run->row.attempt == (int)told->attempt;
	said = !same && is_progress(run, state, told->attempt) ? SAID_NEW : SAID_BEFORE;
	if (!same && jobs_move(jobs, run, state, now)) {
		take_details(run, told, now);
		jobs_wait(jobs, run->server); /* there may be room for the next one */
	}
	owe(jobs, run, receipt, -1);
	return said;
}

/* --- its output ---------------------------------------------------------------------------- */

static void add_piece(
	struct jobs *jobs, struct jobs_run *run, const unsigned char *data, size_t len)
{
	struct jobs_piece *piece = xcalloc(1, sizeof *piece + len);
	piece->at = run->row.output;
	piece->len = len;
	memcpy(piece->data, data, len);
	if (run->last)
		run->last->next = piece;
	else
		run->first = piece;
	run->last = piece;
	run->row.output += (int64_t)len;
	jobs->output_waiting += len;
}

enum jobs_said jobs_output(
	struct jobs *jobs, const struct jobs_receipt *receipt, const struct msg_job_output *output)
{
	unsigned char data[JOBS_MAX_PIECE];
	size_t len = 0;
	enum jobs_said said;
	if (sodium_base642bin(
			data, sizeof data, output->data, strlen(output->data), NULL, &len, NULL, BASE64))
		return SAID_WRONG;
	struct jobs_run *run = run_of(jobs, receipt, output->run, &said);
	if (!run)
		return said;
	jobs_touch(jobs, run);
	if (output->offset > run->row.output)
		return SAID_WRONG;
	int64_t known = run->row.output - output->offset;
	said = SAID_BEFORE;
	if ((int64_t)len > known) {
		if (output->offset + (int64_t)len > run->job->row.output_limit)
			return SAID_WRONG;
		if (jobs->output_waiting + len > JOBS_MAX_WAITING)
			return SAID_LATER;
		add_piece(jobs, run, data + known, len - (size_t)known);
		said = SAID_NEW;
	}
	owe(jobs, run, receipt, run->row.output);
	return said;
}

/* --- its list ------------------------------------------------------------------------------ */

static struct jobs_run *held_run(
	struct jobs *jobs, const char *server, const json_t *entry, enum jobs_said *said)
{
	struct jobs_receipt receipt = {0};
	const char *id = json_get_text(entry, "run");
	memcpy(receipt.server, server, strnlen(server, sizeof receipt.server - 1));
	*said = SAID_WRONG;
	if (!id || state_of(json_get_text(entry, "state")) < 0)
		return NULL;
	struct jobs_run *run = run_of(jobs, &receipt, id, said);
	if (run)
		*said = SAID_NEW;
	return run;
}

/* Of what it tells here only that it has the run: how that stands follows in job.state. */
static void take_held(struct jobs *jobs, struct jobs_run *run, int64_t now)
{
	run->held = true;
	if (run->row.state == RUN_QUEUED && jobs_move(jobs, run, RUN_DELIVERED, now))
		run->row.delivered = now;
	jobs_touch(jobs, run);
}

/* What was here and is not in the list. A queued run that is not has never arrived. */
static void settle_missing(struct jobs *jobs, struct jobs_server *server, int64_t now)
{
	struct jobs_run *run, *next;
	for (run = TAILQ_FIRST(&server->runs); run; run = next) {
		next = TAILQ_NEXT(run, of_server);
		if (run->held || !jobs_is_live(run->row.state)) {
			run->held = false;
			continue;
		}
		if (run->row.state != RUN_QUEUED) {
			jobs_reason(run,
				"The machine has no record of this run any more: its state folder was lost or "
				"replaced. Whether it ran is not known.");
			jobs_move(jobs, run, RUN_UNDETERMINED, now);
		} else if (run->row.cancel) {
			jobs_move(jobs, run, RUN_CANCELLED, now);
		}
	}
}

static enum jobs_said take_list(struct jobs *jobs, const char *id, const json_t *runs,
	struct msg_jobs_held_result *result, int64_t now)
{
	for (size_t i = 0; i < json_array_size(runs); i++) {
		enum jobs_said said;
		const json_t *entry = json_array_get(runs, i);
		struct jobs_run *run = held_run(jobs, id, entry, &said);
		if (run) {
			take_held(jobs, run, now);
			/* What stands on the disk, not what waits for it. */
			json_object_set_new(result->outputs, run->row.id,
				json_integer(run->first ? run->first->at : run->row.output));
		} else if (said == SAID_UNKNOWN) {
			json_array_append(result->unknown, json_object_get(entry, "run"));
		} else {
			return said;
		}
	}
	return SAID_NEW;
}

enum jobs_said jobs_held(struct jobs *jobs, const char *id, uint64_t session, const json_t *runs,
	struct msg_jobs_held_result *result, int64_t now)
{
	*result = (struct msg_jobs_held_result){json_object(), json_array()};
	if (!json_is_array(runs) || json_array_size(runs) > MAX_HELD)
		return SAID_WRONG;
	enum jobs_said said = take_list(jobs, id, runs, result, now);
	struct jobs_server *server = jobs_find_server(jobs, id);
	if (said != SAID_NEW || !server)
		return said;
	settle_missing(jobs, server, now);
	server->session = session;
	server->ready = true;
	server->pause_until_ms = 0;
	jobs_wait(jobs, server);
	return SAID_NEW;
}

/* --- its sessions -------------------------------------------------------------------------- */

static void change_session(struct jobs *jobs, struct jobs_server *server, uint64_t session)
{
	struct jobs_run *run;
	bool was_here = server->session != 0, is_here = session != 0;
	server->session = session;
	server->ready = false;
	TAILQ_FOREACH (run, &server->runs, of_server) {
		jobs_land(run);
		run->cancel_ask = 0;
		run->cancel_told = run->held = false;
		if (was_here != is_here && jobs_is_live(run->row.state)) {
			run->job->silent += is_here ? -1 : 1;
			jobs_touch_job(jobs, run->job);
		}
	}
}

void jobs_session_opened(struct jobs *jobs, const char *id, uint64_t session)
{
	struct jobs_server *server = jobs_find_server(jobs, id);
	if (server)
		change_session(jobs, server, session);
}

void jobs_session_ended(struct jobs *jobs, const char *id, uint64_t session)
{
	struct jobs_server *server = jobs_find_server(jobs, id);
	if (server && server->session == session)
		change_session(jobs, server, 0);
}
