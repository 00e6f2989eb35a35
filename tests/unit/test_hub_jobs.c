/*
 * Jobs between the API and the machines: what is sent when, what is confirmed when, and how each
 * run ends. The machines are this test; the store is the real one in memory, which fails on
 * command.
 */
#include "base/json.h"
#include "hub/jobs/jobs.h"
#include "hub/log.h"
#include "lib/memory_store.h"
#include "wire/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define NOW      1700000000
#define EXPIRY   3600
#define MACHINES 4
#define MAX_SENT 64

static struct memory_store *memory;
static struct jobs *jobs;
static struct identity hub_identity;
static struct err err;
static struct store_job job; /* the last one asked for */

/* --- the machines --------------------------------------------------------------------------- */

static struct {
	uint64_t session; /* 0: it is offline */
	bool ready;
	char id[IDENTITY_ID_SIZE];
} machines[MACHINES];

static struct {
	char server[IDENTITY_ID_SIZE], method[16], run[JOB_ID_SIZE];
	uint64_t session;
	int64_t id;
	char *spec;
	unsigned char signature[JOB_SIGNATURE_BYTES];
} sent[MAX_SENT];
static size_t sent_count;
static struct jobs_receipt confirmed[MAX_SENT];
static size_t confirmed_count;
static int64_t again_ms, event_silent;
static int events;
static size_t event_runs;
static int64_t event_counts[RUN_STATES];

static int find_machine(const char *id)
{
	for (int i = 0; i < MACHINES; i++)
		if (strcmp(machines[i].id, id) == 0)
			return i;
	return -1;
}

static void on_wake(void *data, int64_t after_ms)
{
	(void)data;
	(void)after_ms;
}

static void on_again(void *data, int64_t after_ms)
{
	(void)data;
	again_ms = after_ms;
}

static uint64_t on_session(void *data, const char *server, bool *ready)
{
	int at = find_machine(server);
	(void)data;
	*ready = at >= 0 && machines[at].ready;
	return at >= 0 ? machines[at].session : 0;
}

static int64_t on_send(
	void *data, const char *server, uint64_t session, const char *method, json_t *params)
{
	static int64_t last_id;
	struct msg_job_run run = {0};
	int at = find_machine(server);
	(void)data;
	if (machines[at].session != session || sent_count == MAX_SENT) {
		json_decref(params);
		return 0;
	}
	sent[sent_count].session = session;
	sent[sent_count].id = ++last_id;
	snprintf(sent[sent_count].server, sizeof sent->server, "%s", server);
	snprintf(sent[sent_count].method, sizeof sent->method, "%s", method);
	snprintf(sent[sent_count].run, sizeof sent->run, "%s", json_get_text(params, "run"));
	if (strcmp(method, "job.run") == 0) {
		assert_int_equal(message_read(MSG_job_run, params, &run, &err), 0);
		sent[sent_count].spec = run.spec;
		memcpy(sent[sent_count].signature, run.signature, sizeof run.signature);
		free(run.run);
	}
	json_decref(params);
	return sent[sent_count++].id;
}

static void on_confirm(void *data, const struct jobs_receipt *receipt)
{
	(void)data;
	assert_in_range(confirmed_count, 0, MAX_SENT - 1);
	confirmed[confirmed_count++] = *receipt;
}

static void on_changed(void *data, const struct store_job *row, int64_t silent, const int64_t *runs,
	size_t count, bool more)
{
	(void)data;
	(void)runs;
	(void)more;
	events++;
	event_runs = count;
	event_silent = silent;
	memcpy(event_counts, row->counts, sizeof event_counts);
}

static bool on_watched(void *data)
{
	(void)data;
	return true;
}

/* --- set-up --------------------------------------------------------------------------------- */

static void make_jobs(void)
{
	static const struct jobs_hooks hooks = {
		on_wake, on_again, on_session, on_send, on_confirm, on_changed, on_watched, NULL};
	jobs = jobs_new(memory->store, &hub_identity, &hooks);
	assert_int_equal(jobs_load(jobs, &err), STORE_OK);
}

static void forget_sent(void)
{
	for (size_t i = 0; i < sent_count; i++)
		free(sent[i].spec);
	memset(sent, 0, sizeof sent);
	sent_count = confirmed_count = 0;
}

static int set_up(void **state)
{
	(void)state;
	memory = memory_store_open();
	identity_make(&hub_identity);
	memset(machines, 0, sizeof machines);
	for (unsigned i = 0; i < MACHINES; i++)
		memcpy(machines[i].id, memory_store_add(memory, i, "{}"), sizeof machines[i].id);
	events = 0;
	make_jobs();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	jobs_free(jobs);
	forget_sent();
	memory_store_close(memory);
	return 0;
}

static void flush(void)
{
	static int64_t now_ms = 1000;
	now_ms += 1000;
	assert_int_equal(jobs_flush(jobs, now_ms, &err), STORE_OK);
}

static void restart_hub(void)
{
	jobs_free(jobs);
	memset(confirmed, 0, sizeof confirmed);
	for (int i = 0; i < MACHINES; i++) {
		machines[i].session = 0;
		machines[i].ready = false;
	}
	make_jobs();
}

/* Server number `only`, or all of them. */
static void ask(int only, const char *secrets)
{
	cleanup(free_ptr) char *ids = only < 0 ? NULL : xasprintf("[\"%s\"]", machines[only].id);
	const struct store_query any = {.online = STORE_NO_FILTER};
	const struct store_targets targets = {.ids = ids, .filter = &any};
	enum store_status status = STORE_OK;
	job = (struct store_job){.title = (char *)"t",
		.script = (char *)"echo",
		.args = (char *)"[\"a\"]",
		.env = (char *)(secrets ? "{\"A\":\"1\",\"B\":null}" : "{}"),
		.user = (char *)"",
		.cwd = (char *)"",
		.timeout_s = 60,
		.output_limit = 100,
		.created_by = (char *)"alice",
		.location = (char *)"",
		.created = NOW,
		.expires = NOW + EXPIRY};
	assert_int_equal(jobs_ask(jobs, &job, secrets, &targets, &status, &err), JOBS_TAKEN);
}

static void deliver(void)
{
	jobs_deliver(jobs, 0);
}

static enum jobs_said held(int machine, const char *runs)
{
	struct msg_jobs_held_result result;
	cleanup(json_drop) json_t *list = json_parse(runs, strlen(runs), NULL);
	machines[machine].ready = true;
	enum jobs_said said =
		jobs_held(jobs, machines[machine].id, machines[machine].session, list, &result, NOW + 1);
	message_free(MSG_jobs_held_result, &result);
	return said;
}

static void come(int machine)
{
	static uint64_t sessions;
	machines[machine].session = ++sessions;
	machines[machine].ready = false;
	jobs_session_opened(jobs, machines[machine].id, machines[machine].session);
}

static void go(int machine)
{
	uint64_t session = machines[machine].session;
	machines[machine].session = 0;
	machines[machine].ready = false;
	jobs_session_ended(jobs, machines[machine].id, session);
}

static void come_empty(int machine)
{
	come(machine);
	assert_int_equal(held(machine, "[]"), SAID_NEW);
	deliver();
}

static void answer(size_t which, enum refusal refusal)
{
	struct rpc rpc = {.kind = refusal == REFUSAL_NONE ? RPC_RESULT : RPC_ERROR,
		.id = sent[which].id,
		.refusal = refusal};
	assert_true(jobs_answered(jobs, sent[which].server, sent[which].session, &rpc, NOW + 2, 1000));
}

static struct jobs_receipt receipt_of(int machine)
{
	static int64_t rpc_id = 1000;
	struct jobs_receipt receipt = {.session = machines[machine].session, .rpc_id = ++rpc_id};
	memcpy(receipt.server, machines[machine].id, sizeof receipt.server);
	return receipt;
}

static enum jobs_said tell(int machine, const char *run, const char *state, int64_t attempt)
{
	struct jobs_receipt receipt = receipt_of(machine);
	struct msg_job_state told = {
		.run = (char *)run, .state = (char *)state, .attempt = attempt, .exit_code = 3};
	if (strcmp(state, "done") == 0)
		told.exit_code = 0;
	return jobs_told(jobs, &receipt, &told, NOW + 3);
}

static enum jobs_said print(int machine, const char *run, int64_t offset, const char *text)
{
	struct jobs_receipt receipt = receipt_of(machine);
	char data[256];
	sodium_bin2base64(data, sizeof data, (const unsigned char *)text, strlen(text),
		sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	struct msg_job_output output = {.run = (char *)run, .offset = offset, .data = data};
	return jobs_output(jobs, &receipt, &output);
}

/* The row as the store has it; its texts go at once. */
static struct store_run stored(int machine)
{
	static struct store_run run;
	static char reason[700];
	flush();
	assert_int_equal(memory->store->driver->runs.of_server(
						 memory->store, job.seq, machines[machine].id, &run, &err),
		STORE_OK);
	struct store_run copy = run;
	snprintf(reason, sizeof reason, "%s", run.reason);
	store_run_free(&run);
	copy.server_name = NULL;
	copy.reason = reason;
	return copy;
}

static struct store_job stored_job(char **secrets)
{
	struct store_job row;
	char *kept = NULL;
	flush();
	assert_int_equal(
		memory->store->driver->jobs.load(memory->store, job.seq, &row, &kept, &err), STORE_OK);
	struct store_job copy = row;
	store_job_free(&row);
	if (secrets)
		*secrets = kept;
	else
		free(kept);
	return copy;
}

static void assert_output(int machine, const char *expected)
{
	struct buf data = {0};
	struct store_run run = stored(machine);
	assert_int_equal(
		memory->store->driver->runs.output(memory->store, run.seq, 0, 1000, &data, &err), STORE_OK);
	assert_string_equal(buf_text(&data), expected);
	buf_free(&data);
}

/* One run, delivered to machine 0. */
static const char *delivered(void)
{
	come_empty(0);
	ask(0, NULL);
	deliver();
	assert_int_equal(sent_count, 1);
	answer(0, REFUSAL_NONE);
	return sent[0].run;
}

/* --- the happy path ------------------------------------------------------------------------- */

static void a_run_is_signed_delivered_run_and_done(void **state)
{
	struct job spec;
	(void)state;
	const char *run = delivered();
	assert_string_equal(sent[0].method, "job.run");
	assert_true(job_verify(hub_identity.public_key, sent[0].spec, sent[0].signature));
	assert_int_equal(job_read(sent[0].spec, &spec, &err), 0);
	assert_string_equal(spec.run, run);
	assert_string_equal(spec.job, job.id);
	assert_string_equal(spec.server, machines[0].id);
	assert_string_equal(spec.script, "echo");
	job_free(&spec);
	assert_int_equal(stored(0).state, RUN_DELIVERED);
	assert_int_equal(tell(0, run, "running", 1), SAID_NEW);
	assert_int_equal(print(0, run, 0, "hello "), SAID_NEW);
	assert_int_equal(print(0, run, 6, "world"), SAID_NEW);
	assert_int_equal(tell(0, run, "done", 1), SAID_NEW);
	assert_output(0, "hello world");
	struct store_run row = stored(0);
	assert_int_equal(row.state, RUN_DONE);
	assert_int_equal(row.exit_code, 0);
	assert_int_equal(row.attempt, 1);
	assert_int_equal(row.output, 11);
	assert_true(row.queued && row.delivered && row.started && row.finished);
	struct store_job whole = stored_job(NULL);
	assert_int_equal(whole.state, STORE_JOB_DONE);
	assert_int_equal(whole.counts[RUN_DONE], 1);
	assert_int_equal(whole.counts[RUN_QUEUED], 0);
	assert_true(whole.finished);
}

static void nothing_is_confirmed_before_it_is_stored(void **state)
{
	(void)state;
	const char *run = delivered();
	flush();
	assert_int_equal(tell(0, run, "running", 1), SAID_NEW);
	assert_int_equal(print(0, run, 0, "abc"), SAID_NEW);
	assert_int_equal(confirmed_count, 0);
	memory->fail_with = STORE_FULL;
	assert_int_equal(jobs_flush(jobs, 0, &err), STORE_FULL);
	assert_int_equal(confirmed_count, 0);
	memory->fail_with = STORE_OK;
	flush();
	assert_int_equal(confirmed_count, 2);
	assert_int_equal(confirmed[0].next, -1);
	assert_int_equal(confirmed[1].next, 3);
	assert_output(0, "abc");
}

static void nothing_is_sent_before_it_is_marked(void **state)
{
	(void)state;
	ask(0, NULL); /* offline: not marked when it was made */
	flush();
	come(0);
	assert_int_equal(held(0, "[]"), SAID_NEW);
	memory->fail_with = STORE_FULL;
	deliver();
	assert_int_equal(sent_count, 0);
	assert_true(again_ms > 0);
	memory->fail_with = STORE_OK;
	deliver();
	assert_int_equal(sent_count, 1);
	assert_true(stored(0).sent);
}

static void what_was_said_before_is_confirmed_again(void **state)
{
	(void)state;
	const char *run = delivered();
	tell(0, run, "running", 1);
	print(0, run, 0, "abc");
	tell(0, run, "failed", 1);
	flush();
	confirmed_count = 0;
	assert_int_equal(tell(0, run, "failed", 1), SAID_BEFORE);
	assert_int_equal(print(0, run, 0, "abcde"), SAID_NEW); /* two bytes are */
	assert_int_equal(print(0, run, 2, "c"), SAID_BEFORE);
	flush();
	assert_int_equal(confirmed_count, 3);
	assert_output(0, "abcde");
	assert_int_equal(stored(0).exit_code, 3);
	assert_int_equal(stored_job(NULL).counts[RUN_FAILED], 1);
}

static void consoles_see_counts_and_silence(void **state)
{
	(void)state;
	come_empty(0);
	ask(-1, NULL);
	assert_int_equal(jobs_silent(jobs, job.seq), MACHINES - 1);
	deliver();
	answer(0, REFUSAL_NONE);
	flush();
	assert_int_equal(events, 2); /* marked as sent; delivered */
	assert_int_equal(event_runs, 1);
	assert_int_equal(event_silent, MACHINES - 1);
	assert_int_equal(event_counts[RUN_DELIVERED], 1);
	assert_int_equal(event_counts[RUN_QUEUED], MACHINES - 1);
	come(1);
	assert_int_equal(jobs_silent(jobs, job.seq), MACHINES - 2);
	go(0);
	assert_int_equal(jobs_silent(jobs, job.seq), MACHINES - 1);
}

/* --- sessions and restarts ------------------------------------------------------------------ */

static void a_lost_delivery_is_repeated_unless_it_arrived(void **state)
{
	char entry[128];
	(void)state;
	come_empty(0);
	ask(0, NULL);
	deliver();
	assert_int_equal(sent_count, 1);
	go(0);
	come(0);
	deliver();
	assert_int_equal(sent_count, 1); /* it has not told its runs */
	assert_int_equal(held(0, "[]"), SAID_NEW);
	deliver();
	assert_int_equal(sent_count, 2);
	assert_string_equal(sent[1].run, sent[0].run);
	go(0);
	come(0);
	snprintf(entry, sizeof entry, "[{\"run\":\"%s\",\"state\":\"running\"}]", sent[0].run);
	assert_int_equal(held(0, entry), SAID_NEW);
	deliver();
	assert_int_equal(sent_count, 2);
	assert_int_equal(stored(0).state, RUN_DELIVERED);
}

static void a_restart_of_the_hub_goes_on(void **state)
{
	(void)state;
	come_empty(0);
	ask(-1, NULL);
	deliver();
	answer(0, REFUSAL_NONE);
	flush();
	restart_hub();
	assert_int_equal(jobs_silent(jobs, job.seq), MACHINES);
	come_empty(1);
	assert_int_equal(sent_count, 2);
	assert_string_equal(sent[1].server, machines[1].id);
	come(0);
	cleanup(free_ptr) char *entry = xasprintf("[{\"run\":\"%s\",\"state\":\"done\"}]", sent[0].run);
	assert_int_equal(held(0, entry), SAID_NEW);
	assert_int_equal(tell(0, sent[0].run, "done", 1), SAID_NEW);
	assert_int_equal(stored_job(NULL).counts[RUN_DONE], 1);
}

static void what_a_machine_has_lost_is_undetermined_until_it_tells(void **state)
{
	(void)state;
	const char *run = delivered();
	go(0);
	come_empty(0);
	assert_int_equal(stored(0).state, RUN_UNDETERMINED);
	assert_non_null(strstr(stored(0).reason, "no record"));
	assert_int_equal(stored_job(NULL).state, STORE_JOB_DONE);
	assert_int_equal(tell(0, run, "done", 1), SAID_NEW);
	assert_int_equal(stored(0).state, RUN_DONE);
	assert_int_equal(stored_job(NULL).counts[RUN_UNDETERMINED], 0);
	assert_int_equal(stored_job(NULL).counts[RUN_DONE], 1);
}

static void a_machine_gets_a_few_at_a_time(void **state)
{
	(void)state;
	come_empty(0);
	for (int i = 0; i < JOBS_WINDOW + 2; i++)
		ask(0, NULL);
	for (int i = 0; i < JOBS_WINDOW + 5; i++)
		deliver();
	assert_int_equal(sent_count, JOBS_WINDOW);
	answer(0, REFUSAL_NONE);
	deliver();
	assert_int_equal(sent_count, JOBS_WINDOW + 1);
	answer(1, REFUSAL_JOB_TOO_MANY); /* it pauses, whatever is answered meanwhile */
	answer(2, REFUSAL_NONE);
	deliver();
	assert_int_equal(sent_count, JOBS_WINDOW + 1);
	jobs_sweep(jobs, NOW + 40, 1000 + JOBS_PAUSE_MS);
	jobs_deliver(jobs, 1000 + JOBS_PAUSE_MS);
	assert_int_equal(sent_count, JOBS_WINDOW + 2);
	assert_string_equal(sent[JOBS_WINDOW + 1].run, sent[1].run);
}

static void a_refusal_for_good_is_the_runs_end(void **state)
{
	static const struct {
		enum refusal refusal;
		enum store_run_state state;
	} rows[] = {
		{REFUSAL_JOB_SIGNATURE, RUN_FAILED},
		{REFUSAL_JOB_INVALID, RUN_FAILED},
		{REFUSAL_JOB_OTHER_SERVER, RUN_FAILED},
		{REFUSAL_JOB_EXPIRED, RUN_EXPIRED},
		{REFUSAL_BAD_MESSAGE, RUN_FAILED},
		{REFUSAL_INTERNAL, RUN_FAILED},
	};
	(void)state;
	come_empty(0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		forget_sent();
		ask(0, NULL);
		deliver();
		answer(0, rows[i].refusal);
		assert_int_equal(stored(0).state, rows[i].state);
		assert_true(*stored(0).reason);
	}
}

/* --- what a machine may not say ------------------------------------------------------------- */

static void a_machine_speaks_of_its_own_runs_only(void **state)
{
	(void)state;
	const char *run = delivered();
	come(1);
	assert_int_equal(tell(1, run, "done", 1), SAID_WRONG);
	assert_int_equal(print(1, run, 0, "x"), SAID_WRONG);
	cleanup(free_ptr) char *entry = xasprintf("[{\"run\":\"%s\",\"state\":\"running\"}]", run);
	assert_int_equal(held(1, entry), SAID_WRONG);
	assert_int_equal(tell(0, run, "queued", 1), SAID_WRONG);
	assert_int_equal(tell(0, run, "nonsense", 1), SAID_WRONG);
	assert_int_equal(tell(0, "00112233445566778899aabbccddeeff", "done", 1), SAID_UNKNOWN);
	assert_int_equal(tell(0, "../../etc/passwd", "done", 1), SAID_UNKNOWN);
	assert_int_equal(held(0, "[{\"run\":5}]"), SAID_WRONG);
	assert_int_equal(held(0, "{}"), SAID_WRONG);
	/* The right number behind digits that are not this job's. */
	char other[JOB_ID_SIZE];
	memcpy(other, run, sizeof other);
	other[0] = other[0] == '0' ? '1' : '0';
	assert_int_equal(tell(0, other, "done", 1), SAID_UNKNOWN);
	assert_int_equal(stored(0).state, RUN_DELIVERED);
}

static void output_has_no_holes_and_an_end(void **state)
{
	char text[121];
	(void)state;
	const char *run = delivered();
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_int_equal(print(0, run, 1, "gap"), SAID_WRONG);
	assert_int_equal(print(0, run, 0, text), SAID_WRONG); /* the limit is 100 */
	struct jobs_receipt receipt = receipt_of(0);
	struct msg_job_output output = {.run = (char *)run, .data = (char *)"!!"};
	assert_int_equal(jobs_output(jobs, &receipt, &output), SAID_WRONG);
	assert_output(0, "");
}

static void going_in_circles_brings_nothing(void **state)
{
	(void)state;
	const char *run = delivered();
	assert_int_equal(tell(0, run, "running", 1), SAID_NEW);
	assert_int_equal(tell(0, run, "rebooting", 1), SAID_BEFORE);
	assert_int_equal(tell(0, run, "running", 1), SAID_BEFORE);
	assert_int_equal(tell(0, run, "running", 2), SAID_NEW);
	assert_int_equal(stored(0).attempt, 2);
}

/* --- other ends ------------------------------------------------------------------------------ */

static void what_never_left_is_cancelled_at_once(void **state)
{
	(void)state;
	ask(-1, NULL);
	jobs_cancel(jobs, job.id, NULL, NOW);
	assert_int_equal(stored(0).state, RUN_CANCELLED);
	assert_int_equal(stored_job(NULL).state, STORE_JOB_CANCELLED);
	come_empty(0);
	assert_int_equal(sent_count, 0);
}

static void what_has_left_is_cancelled_by_the_machine(void **state)
{
	(void)state;
	come_empty(0);
	ask(0, NULL);
	deliver();
	jobs_cancel(jobs, job.id, machines[0].id, NOW);
	deliver();
	assert_int_equal(sent_count, 1); /* one thing after the other */
	answer(0, REFUSAL_NONE);
	deliver();
	assert_int_equal(sent_count, 2);
	assert_string_equal(sent[1].method, "job.cancel");
	assert_int_equal(stored(0).state, RUN_DELIVERED);
	go(0);
	come(0);
	cleanup(free_ptr) char *entry =
		xasprintf("[{\"run\":\"%s\",\"state\":\"running\"}]", sent[0].run);
	assert_int_equal(held(0, entry), SAID_NEW);
	deliver();
	assert_int_equal(sent_count, 3); /* nobody answered */
	answer(2, REFUSAL_NONE);
	deliver();
	assert_int_equal(sent_count, 3);
	assert_int_equal(tell(0, sent[0].run, "cancelled", 1), SAID_NEW);
	assert_int_equal(stored(0).state, RUN_CANCELLED);
	assert_int_equal(stored_job(NULL).state, STORE_JOB_DONE); /* one run, not the job */
}

static void a_cancelled_delivery_that_got_lost_is_cancelled(void **state)
{
	(void)state;
	come_empty(0);
	ask(0, NULL);
	deliver();
	jobs_cancel(jobs, job.id, NULL, NOW);
	go(0);
	assert_int_equal(stored(0).state, RUN_QUEUED);
	come_empty(0);
	assert_int_equal(stored(0).state, RUN_CANCELLED);
	assert_int_equal(sent_count, 1);
}

static void what_never_left_expires(void **state)
{
	(void)state;
	ask(0, NULL);
	jobs_sweep(jobs, NOW + EXPIRY - 1, 0);
	assert_int_equal(stored(0).state, RUN_QUEUED);
	jobs_sweep(jobs, NOW + EXPIRY, 0);
	assert_int_equal(stored(0).state, RUN_EXPIRED);
	come_empty(0);
	assert_int_equal(sent_count, 0);
}

static void what_may_have_left_is_undetermined(void **state)
{
	(void)state;
	come_empty(0);
	ask(0, NULL);
	deliver();
	flush();
	restart_hub();
	jobs_sweep(jobs, NOW + EXPIRY, 0);
	assert_int_equal(stored(0).state, RUN_UNDETERMINED);
	assert_non_null(strstr(stored(0).reason, "expired"));
}

static void a_machine_that_stays_away_is_given_up(void **state)
{
	(void)state;
	const char *run = delivered();
	tell(0, run, "running", 1);
	go(0);
	jobs_sweep(jobs, NOW + EXPIRY + JOBS_SILENCE_S - 1, 0);
	assert_int_equal(stored(0).state, RUN_RUNNING);
	jobs_sweep(jobs, NOW + EXPIRY + JOBS_SILENCE_S + 70, 0);
	assert_int_equal(stored(0).state, RUN_UNDETERMINED);
}

static void a_removed_server_ends_its_runs(void **state)
{
	(void)state;
	come_empty(0);
	ask(-1, NULL);
	deliver();
	answer(0, REFUSAL_NONE);
	jobs_forget(jobs, machines[0].id, NOW);
	jobs_forget(jobs, machines[1].id, NOW);
	assert_int_equal(stored(0).state, RUN_UNDETERMINED);
	assert_int_equal(stored(1).state, RUN_CANCELLED);
	assert_true(*stored(0).reason && *stored(1).reason);
	assert_int_equal(stored(2).state, RUN_QUEUED);
}

static void secrets_go_when_nobody_waits_for_them(void **state)
{
	char *secrets = NULL;
	struct job spec;
	(void)state;
	come_empty(0);
	ask(-1, "{\"B\":\"hush\"}");
	deliver();
	assert_int_equal(job_read(sent[0].spec, &spec, &err), 0);
	assert_int_equal(spec.env_count, 2);
	assert_string_equal(spec.env[0].value, "1");
	assert_string_equal(spec.env[1].value, "hush");
	job_free(&spec);
	answer(0, REFUSAL_NONE);
	stored_job(&secrets);
	assert_string_equal(secrets, "{\"B\":\"hush\"}");
	free(secrets);
	jobs_sweep(jobs, NOW + EXPIRY, 0);
	stored_job(&secrets);
	assert_null(secrets);
}

static int64_t count_rows(enum store_run_state state)
{
	const struct store_run_query query = {
		.job = job.seq, .state = (int)state, .limit = STORE_MAX_LIST};
	struct store_run_page page;
	assert_int_equal(
		memory->store->driver->runs.list(memory->store, &query, &page, &err), STORE_OK);
	assert_null(page.next_cursor);
	int64_t count = (int64_t)page.count;
	store_run_page_free(&page);
	return count;
}

/* A flush is bounded, and whenever the hub is killed between two of them the job's counts are those
 * of its rows. */
static void a_great_change_is_written_bit_by_bit(void **state)
{
	const unsigned more = JOBS_FLUSH_RUNS + 200;
	struct store_job row;
	(void)state;
	for (unsigned i = 0; i < more; i++)
		memory_store_add(memory, MACHINES + i, "{}");
	ask(-1, NULL);
	jobs_cancel(jobs, job.id, NULL, NOW);
	memory->fail_with = STORE_FULL;
	assert_int_equal(jobs_flush(jobs, 1, &err), STORE_FULL);
	memory->fail_with = STORE_OK;
	assert_int_equal(jobs_flush(jobs, 1, &err), STORE_OK);
	assert_int_equal(memory->store->driver->jobs.find(memory->store, job.id, &row, &err), STORE_OK);
	assert_int_equal(row.state, STORE_JOB_ACTIVE);
	assert_int_equal(row.counts[RUN_CANCELLED], JOBS_FLUSH_RUNS);
	assert_int_equal(row.counts[RUN_QUEUED], count_rows(RUN_QUEUED));
	assert_int_equal(row.counts[RUN_QUEUED], more + MACHINES - JOBS_FLUSH_RUNS);
	store_job_free(&row);
	restart_hub();
	jobs_cancel(jobs, job.id, NULL, NOW);
	assert_int_equal(jobs_flush_all(jobs, 1, &err), STORE_OK);
	row = stored_job(NULL);
	assert_int_equal(row.state, STORE_JOB_CANCELLED);
	assert_int_equal(row.counts[RUN_CANCELLED], more + MACHINES);
	assert_int_equal(count_rows(RUN_QUEUED), 0);
}

static void old_jobs_are_removed(void **state)
{
	struct store_job row;
	struct store_run run;
	(void)state;
	const char *id = delivered();
	tell(0, id, "running", 1);
	print(0, id, 0, "abc");
	int64_t seq = stored(0).seq;
	jobs_sweep(jobs, NOW + JOBS_KEEP_S + 1, 0);
	assert_int_equal(stored(0).state, RUN_RUNNING); /* live ones stay */
	tell(0, id, "done", 1);
	flush();
	jobs_sweep(jobs, NOW + JOBS_KEEP_S + 1, 70000);
	assert_int_equal(
		memory->store->driver->jobs.find(memory->store, job.id, &row, &err), STORE_NOT_FOUND);
	assert_int_equal(
		memory->store->driver->runs.find(memory->store, seq, &run, &err), STORE_NOT_FOUND);
	assert_int_equal(tell(0, id, "done", 1), SAID_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
		TEST(a_run_is_signed_delivered_run_and_done),
		TEST(nothing_is_confirmed_before_it_is_stored),
		TEST(nothing_is_sent_before_it_is_marked),
		TEST(what_was_said_before_is_confirmed_again),
		TEST(consoles_see_counts_and_silence),
		TEST(a_lost_delivery_is_repeated_unless_it_arrived),
		TEST(a_restart_of_the_hub_goes_on),
		TEST(what_a_machine_has_lost_is_undetermined_until_it_tells),
		TEST(a_machine_gets_a_few_at_a_time),
		TEST(a_refusal_for_good_is_the_runs_end),
		TEST(a_machine_speaks_of_its_own_runs_only),
		TEST(output_has_no_holes_and_an_end),
		TEST(going_in_circles_brings_nothing),
		TEST(what_never_left_is_cancelled_at_once),
		TEST(what_has_left_is_cancelled_by_the_machine),
		TEST(a_cancelled_delivery_that_got_lost_is_cancelled),
		TEST(what_never_left_expires),
		TEST(what_may_have_left_is_undetermined),
		TEST(a_machine_that_stays_away_is_given_up),
		TEST(a_removed_server_ends_its_runs),
		TEST(secrets_go_when_nobody_waits_for_them),
		TEST(a_great_change_is_written_bit_by_bit),
		TEST(old_jobs_are_removed),
	};
	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
