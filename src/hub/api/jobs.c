/* /v1/jobs: makes jobs, lists and cancels them. */
#include "base/json.h"
#include "hub/api/job_request.h"
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/api/rows.h"
#include "hub/audit.h"
#include "hub/log.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#define DEFAULT_LIMIT 50
#define MAX_REPEAT    (JOBS_MAX_TARGETS / STORE_MAX_LIST + 1) /* pages */

/* --- one job ------------------------------------------------------------------------------- */

/* A key that is bound to a location has its own jobs, which name no other server. */
static bool is_seen(const struct exchange *exchange, const struct store_job *job)
{
	const char *location = exchange->actor.location;
	return !location || strcasecmp(location, job->location) == 0;
}

int job_of_request(struct exchange *exchange, struct store_job *job)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	hub_flush(hub);
	enum store_status status =
		hub->store->driver->jobs.find(hub->store, exchange->operands[0], job, &err);
	if (status == STORE_OK && is_seen(exchange, job))
		return 0;
	if (status == STORE_OK)
		store_job_free(job);
	if (status == STORE_OK || status == STORE_NOT_FOUND)
		exchange_problem(exchange, 404, "There is no job with this id (any more).");
	else
		answer_store_problem(exchange, status, &err);
	return -1;
}

void job_get(struct exchange *exchange)
{
	struct store_job job;
	if (job_of_request(exchange, &job))
		return;
	exchange_json(exchange, 200, job_whole_json(&job, jobs_silent(exchange->hub->jobs, job.seq)));
	store_job_free(&job);
}

/* --- the list ------------------------------------------------------------------------------ */

void jobs_get(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct request_page wanted;
	struct store_job_page page;
	struct err err = {0};
	const char *state = arg_text(exchange, "state");
	struct store_job_query query = {
		.state = state ? job_state_find(state) : STORE_NO_FILTER,
		.text = arg_text(exchange, "q"),
		.location = exchange->actor.location,
	};
	if (state && query.state < 0) {
		request_invalid(exchange, "state", "active, done or cancelled was expected.");
		return;
	}
	if (request_read_page(exchange, STORE_MAX_LIST, DEFAULT_LIMIT, &wanted))
		return;
	query.limit = wanted.limit;
	query.before = wanted.before;
	hub_flush(hub);
	enum store_status status = hub->store->driver->jobs.list(hub->store, &query, &page, &err);
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	json_t *rows = json_array();
	for (size_t i = 0; i < page.count; i++)
		json_array_append_new(
			rows, job_json(&page.rows[i], jobs_silent(hub->jobs, page.rows[i].seq)));
	answer_page(exchange, "jobs", rows, page.next_cursor);
	store_job_page_free(&page);
}

/* --- making -------------------------------------------------------------------------------- */

static int64_t total_of(const struct store_job *job)
{
	int64_t total = 0;
	for (int i = 0; i < RUN_STATES; i++)
		total += job->counts[i];
	return total;
}

static void answer_refusal(
	struct exchange *exchange, enum jobs_ask ask, enum store_status status, const struct err *err)
{
	if (ask == JOBS_NO_SERVER) {
		exchange_problem(exchange, 422, "No server fits.");
	} else if (ask == JOBS_TOO_MANY) {
		exchange_header(exchange, "retry-after:", "60");
		exchange_problem(exchange, 503,
			"That is too much at once: a job has %d servers at most, and %d runs may wait in all.",
			JOBS_MAX_TARGETS, JOBS_MAX_LIVE);
	} else {
		answer_store_problem(exchange, status, err);
	}
}

/* Makes the job and answers. */
static void make(struct exchange *exchange, struct job_request *request, const char *ids,
	struct store_query *filter, enum audit_action action)
{
	struct hub *hub = exchange->hub;
	struct store_job *job = &request->job;
	enum store_status status = STORE_OK;
	struct err err = {0};
	if (exchange->actor.location)
		filter->location = exchange->actor.location;
	const struct store_targets targets = {.ids = ids, .filter = filter};
	enum jobs_ask ask = jobs_ask(hub->jobs, job, request->secrets, &targets, &status, &err);
	if (ask != JOBS_TAKEN) {
		answer_refusal(exchange, ask, status, &err);
		return;
	}
	cleanup(free_ptr) char *detail = xasprintf(
		"%lld servers%s%s", (long long)total_of(job), *job->title ? ": " : "", job->title);
	audit_note(hub, &exchange->actor, action, job->id, detail);
	log_line(LOG_NOTE, "\"%s\" made job %s for %lld servers", exchange->actor.name, job->id,
		(long long)total_of(job));
	exchange_json(exchange, 201, job_whole_json(job, jobs_silent(hub->jobs, job->seq)));
}

/* What was named and is not there is an error, not left out. */
static bool all_there(struct exchange *exchange, json_t *servers)
{
	const char *id;
	json_t *value;
	json_object_foreach(servers, id, value)
	{
		struct store_server server;
		enum store_status status = exchange->hub->store->driver->servers.find(
			exchange->hub->store, id, &server, NULL, NULL);
		bool there = status == STORE_OK && actor_sees(&exchange->actor, server.location);
		if (status == STORE_OK)
			store_server_free(&server);
		if (there)
			continue;
		request_invalid(exchange, "/servers", "there is no server %s (any more).", id);
		return false;
	}
	return true;
}

static void post_for_servers(struct exchange *exchange, struct job_request *request)
{
	struct store_query any = {.online = STORE_NO_FILTER};
	cleanup(json_drop) json_t *servers = job_request_servers(exchange);
	if (!servers || !all_there(exchange, servers))
		return;
	cleanup(free_ptr) char *ids = job_request_ids(servers);
	make(exchange, request, ids, &any, AUDIT_JOB_CREATE);
}

static void post_for_filter(struct exchange *exchange, struct job_request *request)
{
	struct store_query filter;
	if (job_request_filter(exchange, &filter))
		return;
	if (exchange->actor.location && filter.location &&
		strcasecmp(filter.location, exchange->actor.location) != 0)
		request_invalid(exchange, "/filter/location", "it is not yours.");
	else
		make(exchange, request, NULL, &filter, AUDIT_JOB_CREATE);
}

void job_post(struct exchange *exchange)
{
	struct job_request request;
	const json_t *servers = json_object_get(exchange->json, "servers");
	const json_t *filter = json_object_get(exchange->json, "filter");
	bool by_ids = servers && !json_is_null(servers);
	if (by_ids && filter && !json_is_null(filter)) {
		request_invalid(exchange, "/filter", "give either \"servers\" or \"filter\".");
		return;
	}
	if (job_request_read(exchange, &request, time(NULL)))
		return;
	hub_flush(exchange->hub);
	if (by_ids)
		post_for_servers(exchange, &request);
	else
		post_for_filter(exchange, &request);
	job_request_free(&request);
}

/* --- again --------------------------------------------------------------------------------- */

static bool is_wanted(const struct hub *hub, const struct store_run *run, const char *only)
{
	if (strcmp(only, "all") == 0)
		return true;
	if (strcmp(only, "failed") == 0)
		return run->state <= RUN_CANCELLED;
	return run->state >= RUN_QUEUED && run->state <= RUN_REBOOTING &&
		   !roster_session(hub->roster, run->server);
}

/* The servers of those runs, as JSON; NULL after a problem was answered. */
static char *servers_of(struct exchange *exchange, int64_t job, const char *only)
{
	struct hub *hub = exchange->hub;
	struct store_run_query query = {.job = job, .state = STORE_NO_FILTER, .limit = STORE_MAX_LIST};
	cleanup(json_drop) json_t *list = json_array();
	cleanup(free_ptr) char *cursor = NULL;
	struct err err = {0};
	for (int i = 0; i < MAX_REPEAT; i++) {
		struct store_run_page page;
		enum store_status status = hub->store->driver->runs.list(hub->store, &query, &page, &err);
		if (status != STORE_OK) {
			answer_store_problem(exchange, status, &err);
			return NULL;
		}
		for (size_t n = 0; n < page.count; n++)
			if (is_wanted(hub, &page.rows[n], only))
				json_array_append_new(list, json_string(page.rows[n].server));
		free(cursor);
		query.cursor = cursor = page.next_cursor;
		page.next_cursor = NULL;
		store_run_page_free(&page);
		if (!cursor)
			break;
	}
	return json_text(list);
}

static void repeat(struct exchange *exchange, struct store_job *old, const char *only)
{
	struct hub *hub = exchange->hub;
	struct store_query any = {.online = STORE_NO_FILTER};
	struct job_request request = {0};
	struct err err = {0};
	cleanup(free_ptr) char *ids = servers_of(exchange, old->seq, only);
	if (!ids)
		return;
	enum store_status status =
		hub->store->driver->jobs.load(hub->store, old->seq, &request.job, &request.secrets, &err);
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	struct store_job *job = &request.job;
	cleanup(json_drop) json_t *env = stored_json(job->env);
	const char *name;
	json_t *value;
	bool secret = false;
	json_object_foreach(env, name, value) secret |= json_is_null(value);
	int64_t now = time(NULL);
	job->expires = now + (job->expires - job->created);
	job->created = now;
	job->finished = 0;
	job->state = STORE_JOB_ACTIVE;
	job->cancel = false;
	free(job->created_by);
	job->created_by = xstrdup(exchange->actor.name);
	if (secret && !request.secrets)
		exchange_problem(exchange, 409,
			"The job had secret values, which were forgotten when they were no longer needed. Make "
			"a new job with them.");
	else
		make(exchange, &request, ids, &any, AUDIT_JOB_REPEAT);
	job_request_free(&request);
}

void job_repeat_post(struct exchange *exchange)
{
	struct store_job job;
	const char *only = body_text(exchange, "only", 1, 16);
	if (!only)
		return;
	if (strcmp(only, "failed") != 0 && strcmp(only, "silent") != 0 && strcmp(only, "all") != 0) {
		request_invalid(exchange, "/only", "failed, silent or all was expected.");
		return;
	}
	if (job_of_request(exchange, &job))
		return;
	repeat(exchange, &job, only);
	store_job_free(&job);
}

/* --- cancelling ---------------------------------------------------------------------------- */

/* -1 after a problem was answered. */
static int cancel(struct exchange *exchange, const struct store_job *job)
{
	struct hub *hub = exchange->hub;
	const json_t *given = json_object_get(exchange->json, "servers");
	if (!given || json_is_null(given)) {
		jobs_cancel(hub->jobs, job->id, NULL, time(NULL));
		return 0;
	}
	cleanup(json_drop) json_t *servers = job_request_servers(exchange);
	const char *id;
	json_t *value;
	json_object_foreach(servers, id, value)
	{
		jobs_cancel(hub->jobs, job->id, id, time(NULL));
	}
	return servers ? 0 : -1;
}

void job_cancel_post(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_job job;
	struct err err = {0};
	if (job_of_request(exchange, &job))
		return;
	if (cancel(exchange, &job) == 0) {
		enum store_status status = jobs_flush(hub->jobs, hub_now_ms(), &err);
		store_job_free(&job);
		if (status != STORE_OK) {
			answer_store_problem(exchange, status, &err);
			return;
		}
		if (job_of_request(exchange, &job))
			return;
		audit_note(hub, &exchange->actor, AUDIT_JOB_CANCEL, job.id,
			json_object_get(exchange->json, "servers") ? "some of its runs" : NULL);
		log_line(LOG_NOTE, "\"%s\" cancelled job %s", exchange->actor.name, job.id);
		exchange_json(exchange, 202, job_whole_json(&job, jobs_silent(hub->jobs, job.seq)));
	}
	store_job_free(&job);
}
