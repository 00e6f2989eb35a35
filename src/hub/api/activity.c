/* /v1/servers/{id}/activity: what waits or runs on a server, and what did. */
#include "base/json.h"
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/api/rows.h"

#include <string.h>

#define DEFAULT_LIMIT 50
#define MAX_UPCOMING  200

static const char *state_name(const struct store_activity *row)
{
	static const struct {
		const char *kind;
		const char *(*name)(int state);
	} kinds[] = {
		{"run", run_state_name}, {"check", check_state_name}, {"bundle", bundle_state_name}};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].kind, row->kind) == 0)
			return kinds[i].name(row->state);
	return "";
}

static json_t *activity_json(const struct store_activity *row)
{
	return json_pack("{s:s,s:s,s:o,s:s,s:s,s:o,s:o,s:o}", "kind", row->kind, "id", row->id, "job",
		text_or_null(row->job), "title", row->title, "state", state_name(row), "by",
		text_or_null(row->by), "at", time_json(row->at), "finished_at", time_json(row->finished));
}

/* The rows, or NULL after a problem was answered. */
static json_t *read_rows(
	struct exchange *exchange, bool live, int limit, const char *cursor, char **next)
{
	struct hub *hub = exchange->hub;
	struct store_activity_page page;
	struct err err = {0};
	enum store_status status = hub->store->driver->runs.activity(
		hub->store, exchange->operands[0], live, limit, cursor, &page, &err);
	if (status == STORE_NOT_FOUND)
		request_invalid(exchange, "cursor", "it does not belong to this list; start anew.");
	else if (status != STORE_OK)
		answer_store_problem(exchange, status, &err);
	if (status != STORE_OK)
		return NULL;
	json_t *rows = json_array();
	for (size_t i = 0; i < page.count; i++)
		json_array_append_new(rows, activity_json(&page.rows[i]));
	*next = page.next_cursor;
	page.next_cursor = NULL;
	store_activity_page_free(&page);
	return rows;
}

static bool is_known(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_server server;
	struct err err = {0};
	enum store_status status =
		hub->store->driver->servers.find(hub->store, exchange->operands[0], &server, NULL, &err);
	if (status == STORE_OK)
		store_server_free(&server);
	else if (status == STORE_NOT_FOUND)
		exchange_problem(exchange, 404, "There is no server with this id (any more).");
	else
		answer_store_problem(exchange, status, &err);
	return status == STORE_OK;
}

void activity_get(struct exchange *exchange)
{
	cleanup(free_ptr) char *unused = NULL;
	cleanup(free_ptr) char *next = NULL;
	int64_t limit = arg_number(exchange, "limit", STORE_MAX_LIST, DEFAULT_LIMIT);
	hub_flush(exchange->hub);
	if (limit < 0 || !is_known(exchange))
		return;
	cleanup(json_drop) json_t *past =
		read_rows(exchange, false, (int)limit, arg_text(exchange, "cursor"), &next);
	if (!past)
		return;
	json_t *upcoming = read_rows(exchange, true, MAX_UPCOMING, NULL, &unused);
	if (upcoming)
		exchange_json(exchange, 200,
			json_pack("{s:o,s:O,s:o}", "upcoming", upcoming, "past", past, "next_cursor",
				text_or_null(next)));
}
