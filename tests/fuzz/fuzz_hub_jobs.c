/*
 * What a machine says of its runs: a message a line, as JSON-RPC, with "@" for the id of the one
 * run that it has. Whatever it says, the job's counts stay those of its rows, and output has no
 * hole.
 */
#include "base/json.h"
#include "fuzz.h"
#include "hub/jobs/jobs.h"
#include "hub/log.h"
#include "lib/memory_store.h"
#include "wire/messages.h"

#include <stdio.h>

#define INPUTS_A_STORE 500

static char server[IDENTITY_ID_SIZE], run[JOB_ID_SIZE];

static void on_time(void *data, int64_t after_ms)
{
	(void)data;
	(void)after_ms;
}

static uint64_t on_session(void *data, const char *id, bool *ready)
{
	(void)data;
	(void)id;
	*ready = true;
	return 1;
}

static int64_t on_send(
	void *data, const char *id, uint64_t session, const char *method, json_t *params)
{
	static int64_t sent;
	(void)data;
	(void)id;
	(void)session;
	(void)method;
	snprintf(run, sizeof run, "%s", json_get_text(params, "run"));
	json_decref(params);
	return ++sent;
}

static void on_confirm(void *data, const struct jobs_receipt *receipt)
{
	(void)data;
	assert(receipt->next <= 1000);
}

static void on_changed(void *data, const struct store_job *job, int64_t silent, const int64_t *runs,
	size_t count, bool more)
{
	int64_t total = 0;
	(void)data;
	(void)runs;
	(void)more;
	for (int i = 0; i < RUN_STATES; i++) {
		assert(job->counts[i] == 0 || job->counts[i] == 1);
		total += job->counts[i];
	}
	assert(total == 1 && silent == 0 && count <= 1);
}

static bool on_watched(void *data)
{
	(void)data;
	return true;
}

static void ask(struct jobs *jobs)
{
	static const struct store_query any = {.online = STORE_NO_FILTER};
	static const struct store_targets targets = {.filter = &any};
	enum store_status status;
	struct store_job job = {.title = (char *)"",
		.script = (char *)"true",
		.args = (char *)"[]",
		.env = (char *)"{}",
		.user = (char *)"",
		.cwd = (char *)"",
		.timeout_s = 60,
		.output_limit = 1000,
		.created_by = (char *)"alice",
		.location = (char *)"",
		.created = 1700000000,
		.expires = 1700003600};
	enum jobs_ask asked = jobs_ask(jobs, &job, NULL, &targets, &status, NULL);
	assert(asked == JOBS_TAKEN);
	jobs_deliver(jobs, 1);
}

/* The line with the run's id in the place of each "@". */
static void fill(struct buf *text, const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (line[i] == '@')
			buf_puts(text, run);
		else
			buf_append(text, &line[i], 1);
}

static void say_held(struct jobs *jobs, const struct msg_jobs_held *held)
{
	struct msg_jobs_held_result result;
	jobs_held(jobs, server, 1, held->runs, &result, 1700000001);
	message_free(MSG_jobs_held_result, &result);
}

static void say(struct jobs *jobs, const struct rpc *rpc)
{
	struct jobs_receipt receipt = {.session = 1, .rpc_id = rpc->id};
	struct msg_job_state state = {0};
	struct msg_job_output output = {0};
	struct msg_jobs_held held = {0};
	memcpy(receipt.server, server, sizeof receipt.server);
	if (rpc->kind == RPC_RESULT || rpc->kind == RPC_ERROR)
		jobs_answered(jobs, server, 1, rpc, 1700000001, 1);
	else if (message_read(MSG_job_output, rpc->body, &output, NULL) == 0)
		jobs_output(jobs, &receipt, &output);
	else if (message_read(MSG_job_state, rpc->body, &state, NULL) == 0)
		jobs_told(jobs, &receipt, &state, 1700000001);
	else if (message_read(MSG_jobs_held, rpc->body, &held, NULL) == 0)
		say_held(jobs, &held);
	message_free(MSG_job_output, &output);
	message_free(MSG_job_state, &state);
	message_free(MSG_jobs_held, &held);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct jobs_hooks hooks = {
		on_time, on_time, on_session, on_send, on_confirm, on_changed, on_watched, NULL};
	static struct memory_store *memory;
	static struct identity identity;
	static int inputs;
	int64_t now_ms = 1;
	log_set_level(LOG_SILENT);
	if (!memory || ++inputs % INPUTS_A_STORE == 0) {
		if (memory)
			memory_store_close(memory);
		memory = memory_store_open();
		identity_make(&identity);
		memcpy(server, memory_store_add(memory, 1, "{}"), sizeof server);
	}
	struct jobs *jobs = jobs_new(memory->store, &identity, &hooks);
	ask(jobs);
	for (const char *line = (const char *)data, *end = line + size; line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		struct buf text = {.max = 65536};
		struct rpc rpc;
		fill(&text, line, (size_t)((stop ? stop : end) - line));
		if (rpc_parse(buf_text(&text), text.len, &rpc, NULL) == 0) {
			say(jobs, &rpc);
			rpc_free(&rpc);
			enum store_status status = jobs_flush(jobs, now_ms += 1000, NULL);
			assert(status == STORE_OK);
		}
		buf_free(&text);
		line = stop ? stop + 1 : end;
	}
	jobs_cancel(jobs, "", NULL, 0);
	jobs_forget(jobs, server, 1700000002);
	jobs_flush(jobs, now_ms + 1000, NULL);
	jobs_free(jobs);
	return 0;
}
