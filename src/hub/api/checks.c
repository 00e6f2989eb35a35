/* /v1/servers/{id}/checks: has a machine check itself, and the history of its checks. */
#include "base/json.h"
#include "hub/api/route.h"
#include "hub/api/rows.h"
#include "hub/api/request.h"
#include "hub/audit.h"
#include "hub/check_report.h"
#include "hub/log.h"
#include "store/summary.h"

#include <string.h>

#define DEFAULT_LIMIT 20
#define MAX_TITLE     201

const char *check_state_name(int state)
{
	static const char *const states[] = {
		[CHECK_QUEUED] = "queued",
		[CHECK_RUNNING] = "running",
		[CHECK_DONE] = "done",
		[CHECK_FAILED] = "failed",
		[CHECK_LOST] = "lost",
	};
	return (size_t)state < ARRAY_LEN(states) ? states[state] : "lost";
}

json_t *check_json(const struct store_check *check)
{
	return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:{s:o,s:o},s:b,s:o,s:o,s:o,s:I}", "id",
		check->id, "server", check->server, "state", check_state_name((int)check->state),
		"requested_by", text_or_null(check->requested_by), "requested_at",
		time_json(check->requested), "started_at", time_json(check->started), "finished_at",
		time_json(check->finished), "profile", "id", text_or_null(check->profile), "title",
		text_or_null(check->title), "deep", check->deep, "verdict", text_or_null(check->verdict),
		"causes", stored_json(check->causes), "reason", text_or_null(check->reason), "repeats",
		(json_int_t)check->repeats);
}

/* The server of the request, or -1 after a problem was answered. */
static int find_server(
	struct exchange *exchange, struct store_server *server, struct store_details *details)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	hub_flush(hub);
	enum store_status status =
		hub->store->driver->servers.find(hub->store, exchange->operands[0], server, details, &err);
	if (status == STORE_OK)
		return 0;
	if (status == STORE_NOT_FOUND)
		exchange_problem(exchange, 404, "There is no server with this id (any more).");
	else
		answer_store_problem(exchange, status, &err);
	return -1;
}

/* --- asking -------------------------------------------------------------------------------- */

/* Whether the machine says that it has this profile; and the title that it gives it. */
static bool has_profile(const char *inventory, const char *id, char *title, size_t size)
{
	cleanup(json_drop) json_t *tree = stored_json(inventory);
	const json_t *profiles = json_object_get(tree, "profiles");
	for (size_t i = 0; i < json_array_size(profiles); i++) {
		const json_t *profile = json_array_get(profiles, i);
		const char *known = json_get_text(profile, "id");
		if (known && strcmp(known, id) == 0) {
			summary_take_text(title, size, json_get_text(profile, "title"));
			return true;
		}
	}
	return false;
}

/* 0 when the wish can be granted as far as the request and the machine's inventory say. */
static int read_wish(struct exchange *exchange, const struct store_details *details,
	struct checks_wish *wish, char title[MAX_TITLE])
{
	const json_t *deep = json_object_get(exchange->json, "deep");
	const json_t *profile = json_object_get(exchange->json, "profile");
	if (deep && !json_is_boolean(deep)) {
		request_invalid(exchange, "/deep", "true or false was expected.");
		return -1;
	}
	wish->deep = json_is_true(deep);
	if (!profile || json_is_null(profile))
		return 0;
	const char *id = json_string_value(profile);
	if (!id || !check_profile_is_id(id)) {
		request_invalid(exchange, "/profile", "the id of a profile was expected.");
		return -1;
	}
	if (!has_profile(details->inventory, id, title, MAX_TITLE)) {
		request_invalid(exchange, "/profile",
			"This machine has no profile \"%s\". Its inventory lists those that it has; "
			"`sallyport profiles` on the machine does too.",
			id);
		return -1;
	}
	wish->profile = id;
	wish->title = title;
	return 0;
}

static void answer_ask(
	struct exchange *exchange, struct session *session, const struct checks_wish *wish)
{
	struct hub *hub = exchange->hub;
	struct store_check check = {0};
	enum store_status status = STORE_OK;
	struct err err = {0};
	switch (checks_ask(hub->checks, wish, &check, &status, &err)) {
	case ASK_TAKEN:
		session_send_check_run(session, &check);
		log_line(LOG_NOTE, "\"%s\" has server %s checked", wish->user, wish->server);
		audit_note(hub, &exchange->actor, AUDIT_CHECK_ASK, wish->server, wish->profile);
		exchange_json(exchange, 202, check_json(&check));
		break;
	case ASK_RUNS_ALREADY:
		exchange_problem(exchange, 409,
			"A check that %s asked for runs on this machine already. Its report will show here.",
			check.requested_by);
		break;
	case ASK_TOO_MANY:
		exchange_header(exchange, "retry-after:", "30");
		exchange_problem(exchange, 503, "%d checks run at once already; wait for some to end.",
			CHECKS_MAX_UNFINISHED);
		break;
	case ASK_NOT_STORED:
		answer_store_problem(exchange, status, &err);
		break;
	}
	store_check_free(&check);
}

void check_post(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_server server;
	struct store_details details;
	char title[MAX_TITLE] = "";
	struct checks_wish wish = {
		.server = exchange->operands[0],
		.user = exchange->actor.name,
		.profile = "",
		.title = "",
		.now = time(NULL),
		.now_ms = hub_now_ms(),
	};
	if (find_server(exchange, &server, &details))
		return;
	struct session *session = roster_session(hub->roster, wish.server);
	if (!session)
		exchange_problem(exchange, 409,
			"%s is offline, so it cannot be asked. On the machine itself, `sudo sallyport check` "
			"shows what is in its way.",
			*server.name ? server.name : "This server");
	else if (read_wish(exchange, &details, &wish, title) == 0)
		answer_ask(exchange, session, &wish);
	store_server_free(&server);
	store_details_free(&details);
}

/* --- the history --------------------------------------------------------------------------- */

void checks_get(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_server server;
	struct store_check_page page;
	struct err err = {0};
	struct request_page asked;
	if (request_read_page(exchange, STORE_MAX_CHECKS, DEFAULT_LIMIT, &asked) ||
		find_server(exchange, &server, NULL))
		return;
	enum store_status status = hub->store->driver->checks.list(
		hub->store, server.id, asked.limit, asked.before, &page, &err);
	store_server_free(&server);
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	json_t *rows = json_array();
	for (size_t i = 0; i < page.count; i++)
		json_array_append_new(rows, check_json(&page.rows[i]));
	answer_page(exchange, "checks", rows, page.next_cursor);
	store_check_page_free(&page);
}

void check_get(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_check check;
	struct err err = {0};
	hub_flush(hub);
	enum store_status status = hub->store->driver->checks.find(
		hub->store, exchange->operands[0], exchange->operands[1], &check, &err);
	if (status == STORE_NOT_FOUND) {
		exchange_problem(exchange, 404,
			"There is no such check. The newest %d of a server are kept.", STORE_MAX_CHECKS);
		return;
	}
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	json_t *json = check_json(&check);
	json_object_set_new(json, "report", stored_json(check.report));
	exchange_json(exchange, 200, json);
	store_check_free(&check);
}
