/* /v1/servers: the list, one server, its removal; and the stream of their changes. */
#include "base/json.h"
#include "hub/api/route.h"
#include "hub/api/rows.h"
#include "hub/api/request.h"
#include "hub/audit.h"
#include "hub/log.h"

#include <string.h>

#define DEFAULT_LIMIT 100

json_t *row_json(const struct hub *hub, struct store_server *server)
{
	roster_overlay(hub->roster, server);
	return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:s,s:b}", "id",
		server->id, "name", server->name, "status", server->online ? "online" : "offline", "reason",
		text_or_null(server->reason), "cause", text_or_null(server->cause), "since",
		time_json(server->since), "address", server->address, "mac", server->mac, "os_name",
		server->os_name, "platform", server->platform, "location", server->location, "version",
		server->version, "last_seen", time_json(server->last_seen), "addressing",
		server->addressing, "connector", (int)server->connector);
}

json_t *counts_json(const struct hub *hub, const char *location)
{
	struct store_counts counts;
	if (hub->store->driver->servers.counts(hub->store, location, &counts, NULL) != STORE_OK)
		return NULL;
	return json_pack("{s:I,s:I,s:I}", "all", (json_int_t)counts.all, "online",
		(json_int_t)counts.online, "offline", (json_int_t)(counts.all - counts.online));
}

/* --- the list ------------------------------------------------------------------------------ */

static const char *const sort_names[] = {
	[STORE_BY_STATUS] = "status",
	[STORE_BY_NAME] = "name",
	[STORE_BY_ADDRESS] = "address",
	[STORE_BY_OS] = "os",
	[STORE_BY_VERSION] = "version",
	[STORE_BY_LAST_SEEN] = "last_seen",
};

static int read_sort(struct store_query *query, const char *text)
{
	query->descending = *text == '-';
	text += query->descending;
	for (unsigned i = 0; i < ARRAY_LEN(sort_names); i++) {
		if (strcmp(sort_names[i], text) == 0) {
			query->sort = (enum store_sort)i;
			return 0;
		}
	}
	return -1;
}

/* The query of the request, or -1 after a problem was answered. */
static int read_query(struct exchange *exchange, struct store_query *query)
{
	const char *sort = arg_text(exchange, "sort");
	const char *status = arg_text(exchange, "status");
	int64_t limit = arg_number(exchange, "limit", STORE_MAX_LIST, DEFAULT_LIMIT);
	*query = (struct store_query){
		.platform = arg_text(exchange, "platform"),
		.online = STORE_NO_FILTER,
		.text = arg_text(exchange, "q"),
		.location = arg_text(exchange, "location"),
		.addressing = arg_text(exchange, "addressing"),
		.connectors = arg_text(exchange, "connector") != NULL,
		.sort = STORE_BY_NAME,
		.limit = (int)limit,
		.cursor = arg_text(exchange, "cursor"),
	};
	if (limit < 0)
		return -1;
	if (status && strcmp(status, "online") != 0 && strcmp(status, "offline") != 0) {
		request_invalid(exchange, "status", "online or offline was expected.");
		return -1;
	}
	if (query->addressing && strcmp(query->addressing, "dhcp") != 0 &&
		strcmp(query->addressing, "static") != 0 && strcmp(query->addressing, "broken") != 0) {
		request_invalid(exchange, "addressing", "dhcp, static or broken was expected.");
		return -1;
	}
	if (status)
		query->online = strcmp(status, "online") == 0;
	if (sort && read_sort(query, sort)) {
		request_invalid(exchange, "sort",
			"status, name, address, os, version or last_seen was expected, with a \"-\" "
			"before it for the reverse.");
		return -1;
	}
	return 0;
}

static json_t *page_json(const struct hub *hub, const char *location, struct store_page *page)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < page->count; i++)
		json_array_append_new(rows, row_json(hub, &page->rows[i]));
	return json_pack("{s:o,s:o,s:I,s:o*}", "servers", rows, "next_cursor",
		text_or_null(page->next_cursor), "total", (json_int_t)page->total, "counts",
		counts_json(hub, location));
}

void servers_get(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	const char *only = exchange->actor.location;
	struct store_query query;
	struct store_page page;
	struct err err = {0};
	if (read_query(exchange, &query))
		return;
	if (query.location && !actor_sees(&exchange->actor, query.location)) {
		page = (struct store_page){0};
		exchange_json(exchange, 200, page_json(hub, only, &page));
		return;
	}
	if (only)
		query.location = only;
	hub_flush(hub);
	enum store_status status = hub->store->driver->servers.list(hub->store, &query, &page, &err);
	if (status == STORE_NOT_FOUND)
		request_invalid(exchange, "cursor", "it does not belong to this list; start anew.");
	else if (status != STORE_OK)
		answer_store_problem(exchange, status, &err);
	else
		exchange_json(exchange, 200, page_json(hub, only, &page));
	if (status == STORE_OK)
		store_page_free(&page);
}

/* --- one server ---------------------------------------------------------------------------- */

static json_t *path_json(const struct store_details *details)
{
	json_t *path = stored_json(details->path);
	if (json_is_object(path)) {
		if (!json_object_get(path, "proxy"))
			json_object_set_new(path, "proxy", json_null());
		json_object_set_new(path, "at", time_json(details->path_at));
	}
	return path;
}

void server_get(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_server server;
	struct store_details details;
	char fingerprint[IDENTITY_PRINT_SIZE];
	struct err err = {0};
	hub_flush(hub);
	enum store_status status = hub->store->driver->servers.find(
		hub->store, exchange->operands[0], &server, &details, &err);
	if (status == STORE_NOT_FOUND) {
		exchange_problem(exchange, 404, "There is no server with this id (any more).");
		return;
	}
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	identity_fingerprint(server.key, fingerprint);
	json_t *json = row_json(hub, &server);
	json_object_set_new(json, "fingerprint", json_string(fingerprint));
	json_object_set_new(json, "created_at", time_json(server.created));
	json_object_set_new(json, "inventory", stored_json(details.inventory));
	json_object_set_new(json, "path", path_json(&details));
	json_object_set_new(json, "check", stored_json(details.check));
	json_object_set_new(json, "check_at", time_json(details.check_at));
	exchange_json(exchange, 200, json);
	store_server_free(&server);
	store_details_free(&details);
}

void server_delete(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	const char *id = exchange->operands[0];
	enum store_status status =
		hub->store->driver->servers.remove(hub->store, id, true, time(NULL), &err);
	if (status == STORE_NOT_FOUND) {
		exchange_problem(exchange, 404, "There is no server with this id (any more).");
		return;
	}
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	log_line(LOG_NOTE, "\"%s\" removed server %s", exchange->actor.name, id);
	audit_note(hub, &exchange->actor, AUDIT_SERVER_REMOVE, id, NULL);
	struct session *session = roster_session(hub->roster, id);
	if (session)
		session_send_revoked(session);
	else
		roster_forget(hub->roster, id);
	checks_forget(hub->checks, id);
	jobs_forget(hub->jobs, id, time(NULL));
	installs_lose_connector(hub->installs, id, time(NULL));
	hub_server_removed(hub, id);
	exchange_empty(exchange, 204);
}

void events_get(struct exchange *exchange)
{
	if (events_watch(exchange->hub->events, exchange)) {
		exchange_header(exchange, "retry-after:", "30");
		exchange_problem(exchange, 503, "Too many consoles watch at once.");
	}
}
