/* /v1/jobs/{id}/runs: a job on each of its servers, and what it printed there. */
#include "base/json.h"
#include "base/utf8.h"
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/api/rows.h"

#include <string.h>

#define DEFAULT_LIMIT 100
#define MAX_TEXT      262144 /* bytes of output in one answer */

/* --- the list ------------------------------------------------------------------------------ */

static int read_state(struct exchange *exchange, int *state)
{
	const char *text = arg_text(exchange, "state");
	*state = !text                         ? STORE_NO_FILTER
			 : strcmp(text, "live") == 0   ? STORE_RUNS_LIVE
			 : strcmp(text, "silent") == 0 ? STORE_RUNS_SILENT
										   : run_state_find(text);
	if (!text || *state != -1)
		return 0;
	request_invalid(exchange, "state", "the state of a run, live or silent was expected.");
	return -1;
}

static void answer_runs(struct exchange *exchange, struct store_run_page *page)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < page->count; i++)
		json_array_append_new(rows, run_json(exchange->hub, &page->rows[i]));
	exchange_json(exchange, 200,
		json_pack("{s:o,s:o}", "runs", rows, "next_cursor", text_or_null(page->next_cursor)));
	store_run_page_free(page);
}

void runs_get(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_job job;
	struct store_run_query query = {.cursor = arg_text(exchange, "cursor")};
	struct store_run_page page;
	struct err err = {0};
	int64_t limit = arg_number(exchange, "limit", STORE_MAX_LIST, DEFAULT_LIMIT);
	if (limit < 0 || read_state(exchange, &query.state) || job_of_request(exchange, &job))
		return;
	query.job = job.seq;
	query.limit = (int)limit;
	store_job_free(&job);
	enum store_status status = hub->store->driver->runs.list(hub->store, &query, &page, &err);
	if (status == STORE_OK)
		answer_runs(exchange, &page);
	else if (status == STORE_NOT_FOUND)
		request_invalid(exchange, "cursor", "it does not belong to this list; start anew.");
	else
		answer_store_problem(exchange, status, &err);
}

/* --- one run ------------------------------------------------------------------------------- */

/* -1 after a problem was answered. */
static int run_of_request(struct exchange *exchange, struct store_run *run)
{
	struct hub *hub = exchange->hub;
	struct store_job job;
	struct err err = {0};
	if (job_of_request(exchange, &job))
		return -1;
	enum store_status status =
		hub->store->driver->runs.of_server(hub->store, job.seq, exchange->operands[1], run, &err);
	store_job_free(&job);
	if (status == STORE_OK)
		return 0;
	if (status == STORE_NOT_FOUND)
		exchange_problem(exchange, 404, "The job has no such server.");
	else
		answer_store_problem(exchange, status, &err);
	return -1;
}

void run_get(struct exchange *exchange)
{
	struct store_run run;
	if (run_of_request(exchange, &run))
		return;
	exchange_json(exchange, 200, run_json(exchange->hub, &run));
	store_run_free(&run);
}

/* --- output -------------------------------------------------------------------------------- */

static int read_offset(struct exchange *exchange, int64_t *offset)
{
	const char *text = arg_text(exchange, "offset");
	char *end = NULL;
	*offset = 0;
	if (!text)
		return 0;
	*offset = *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;
	if (*offset >= 0 && *offset <= JOB_MAX_OUTPUT && !*end)
		return 0;
	request_invalid(exchange, "offset", "a number from 0 to %d was expected.", JOB_MAX_OUTPUT);
	return -1;
}

/* Nothing more will come. */
static bool is_complete(const struct store_run *run)
{
	bool live = run->state >= RUN_QUEUED && run->state <= RUN_REBOOTING;
	return !live && run->output >= run->output_total;
}

/* The piece of the request; -1 after a problem was answered. */
static int read_output(struct exchange *exchange, struct store_run *run, int64_t *offset,
	size_t most, struct buf *data)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	if (read_offset(exchange, offset) || run_of_request(exchange, run))
		return -1;
	enum store_status status =
		hub->store->driver->runs.output(hub->store, run->seq, *offset, most, data, &err);
	if (status == STORE_OK)
		return 0;
	store_run_free(run);
	answer_store_problem(exchange, status, &err);
	return -1;
}

void run_output_get(struct exchange *exchange)
{
	struct store_run run;
	cleanup(buf_free) struct buf data = {0};
	cleanup(buf_free) struct buf text = {0};
	int64_t offset;
	if (read_output(exchange, &run, &offset, MAX_TEXT, &data))
		return;
	const json_int_t from = offset, size = run.output, dropped = run.dropped;
	/* A character that goes on in what follows waits for it. */
	size_t whole = data.len;
	if (offset + (int64_t)data.len < run.output || !is_complete(&run))
		whole -= utf8_unfinished(data.data, data.len);
	utf8_append(&text, data.data, whole);
	exchange_json(exchange, 200,
		json_pack("{s:I,s:I,s:I,s:b,s:I,s:o}", "offset", from, "next", from + (json_int_t)whole,
			"size", size, "complete", is_complete(&run), "dropped", dropped, "text",
			json_stringn(buf_text(&text), text.len)));
	store_run_free(&run);
}

void run_output_raw_get(struct exchange *exchange)
{
	struct store_run run;
	struct buf data = {0};
	int64_t offset;
	if (read_output(exchange, &run, &offset, JOB_MAX_OUTPUT, &data))
		return;
	exchange_header(exchange, "content-disposition:", "attachment; filename=\"%s.txt\"", run.id);
	exchange_header(exchange, "x-content-type-options:", "nosniff");
	exchange_text(exchange, "text/plain", &data);
	store_run_free(&run);
}
