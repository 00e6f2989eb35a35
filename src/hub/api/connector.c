/*
 * /v1/connector: installs by a command on the connector itself (`sallyport install`). It has the
 * credentials and does the work; the hub gives it the confirmed host keys and the tokens, keeps
 * what becomes of the targets, and says which of them it has seen.
 */
#include "base/json.h"
#include "hub/api/install_request.h"
#include "hub/api/machine.h"
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/api/rows.h"
#include "hub/audit.h"
#include "hub/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define MAX_EVENTS 200 /* in one request */

struct place_of {
	const char *server;
	char *location; /* owned; NULL: it is no connector */
};

static void look_for(void *data, const struct store_connector *connector)
{
	struct place_of *place = data;
	if (strcmp(connector->id, place->server) == 0 && !place->location)
		place->location = xstrdup(connector->location);
}

/* The connector that asks, and its location, owned by the caller; NULL after a problem was
 * answered. */
static char *find_connector(struct exchange *exchange, char server[IDENTITY_ID_SIZE])
{
	struct hub *hub = exchange->hub;
	struct place_of place = {.server = server};
	if (machine_find(exchange, server))
		return NULL;
	hub->store->driver->locations.connectors(hub->store, NULL, look_for, &place, NULL);
	if (!place.location)
		exchange_problem_of(exchange, 403, "no-connector", NULL,
			"This machine is no connector. Promote it in the console, on its own page.");
	return place.location;
}

/* --- beginning ------------------------------------------------------------------------------- */

static void answer_plan(struct exchange *exchange, int http, const char *id)
{
	hub_flush(exchange->hub);
	exchange_json(exchange, http, installs_plan(exchange->hub->installs, id));
}

static void begin(struct exchange *exchange, struct installs_wish *wish)
{
	struct hub *hub = exchange->hub;
	char id[STORE_INSTALL_ID_SIZE];
	struct actor actor = {.kind = ACTOR_MACHINE, .name = (char *)wish->command};
	snprintf(actor.peer, sizeof actor.peer, "%s", exchange->peer);
	wish->row.created_by = (char *)wish->command;
	wish->row.created = time(NULL);
	enum installs_said said = installs_ask(hub->installs, wish, id);
	if (said == INSTALLS_FULL) {
		exchange_header(exchange, "retry-after:", "60");
		exchange_problem(exchange, 503, "%d installs are at work already.", INSTALLS_MAX_LIVE);
		return;
	}
	if (said != INSTALLS_NEW) {
		answer_store_problem(exchange, wish->status, &wish->err);
		return;
	}
	cleanup(free_ptr) char *detail =
		xasprintf("%s, %zu targets in %s", wish->row.action, wish->count, wish->row.location);
	log_line(LOG_NOTE, "connector %s began install %s: %s", wish->command, id, detail);
	audit_note(hub, &actor, AUDIT_INSTALL_CREATE, id, detail);
	answer_plan(exchange, 201, id);
}

/* Whether that very install is there already: the answer to an earlier request was lost. */
static bool is_there(struct exchange *exchange, const char *id, const char *server, bool *taken)
{
	struct store_install install;
	*taken = exchange->hub->store->driver->installs.find(
				 exchange->hub->store, id, &install, NULL) == STORE_OK;
	if (!*taken)
		return false;
	bool own = install.by_command && strcmp(install.connector, server) == 0 &&
			   installs_is_live(exchange->hub->installs, id);
	store_install_free(&install);
	return own;
}

void connector_begin_post(struct exchange *exchange)
{
	char server[IDENTITY_ID_SIZE];
	struct installs_wish wish = {0};
	const char *id = NULL;
	bool taken;
	cleanup(free_ptr) char *location = find_connector(exchange, server);
	if (!location || body_optional(exchange, "id", 1, STORE_INSTALL_ID_SIZE - 1, NULL, &id))
		return;
	if (id && !upload_is_id(id)) {
		request_invalid(exchange, "/id", "32 hexadecimal digits were expected.");
		return;
	}
	if (id && is_there(exchange, id, server, &taken)) {
		answer_plan(exchange, 200, id);
		return;
	}
	if (id && taken) {
		request_invalid(exchange, "/id", "it was used before.");
		return;
	}
	wish.row.location = location;
	wish.command = server;
	wish.id = id;
	if (install_read_hosts(exchange, &wish) == 0)
		begin(exchange, &wish);
	install_wish_free(&wish);
}

/* --- going on -------------------------------------------------------------------------------- */

static void refuse(struct exchange *exchange, enum installs_said said, const struct err *err)
{
	if (said == INSTALLS_UNKNOWN)
		exchange_problem(exchange, 404, "There is no such install of this connector (any more).");
	else if (said == INSTALLS_WRONG)
		request_invalid(exchange, "/events", "this is no event of a target of the install.");
	else if (said == INSTALLS_LATER)
		answer_store_problem(exchange, STORE_ERROR, err);
	else
		exchange_problem(exchange, 409, "One of these targets is not ready.");
}

void connector_go_post(struct exchange *exchange)
{
	char server[IDENTITY_ID_SIZE];
	struct err err = {0};
	json_t *tokens = NULL;
	cleanup(free_ptr) char *location = find_connector(exchange, server);
	if (!location)
		return;
	const json_t *targets = json_object_get(exchange->json, "targets");
	if (!json_is_array(targets) || !json_array_size(targets) ||
		json_array_size(targets) > INSTALLS_MAX_TARGETS) {
		request_invalid(
			exchange, "/targets", "1 to %d ids of targets were expected.", INSTALLS_MAX_TARGETS);
		return;
	}
	enum installs_said said = installs_command_go(
		exchange->hub->installs, exchange->operands[0], server, targets, time(NULL), &tokens, &err);
	if (said == INSTALLS_NEW)
		exchange_json(exchange, 200, json_pack("{s:o}", "targets", tokens));
	else
		refuse(exchange, said, &err);
}

static void answer_states(struct exchange *exchange, const char *id)
{
	struct hub *hub = exchange->hub;
	struct store_install install;
	struct store_target_query query = {.states = STORE_TARGETS_ALL, .limit = STORE_MAX_LIST};
	json_t *rows = json_array();
	hub_flush(hub);
	if (hub->store->driver->installs.find(hub->store, id, &install, NULL) == STORE_OK) {
		query.install = install.seq;
		store_install_free(&install);
		do {
			struct store_target_page page;
			if (hub->store->driver->installs.targets(hub->store, &query, &page, NULL) != STORE_OK)
				break;
			for (size_t i = 0; i < page.count; i++) {
				cleanup(free_ptr) char *name = xasprintf("%lld", (long long)page.rows[i].seq);
				json_array_append_new(rows, json_pack("{s:s,s:s}", "id", name, "state",
												target_state_name((int)page.rows[i].state)));
			}
			query.after = page.next;
			store_target_page_free(&page);
		} while (query.after);
	}
	exchange_json(exchange, 200, json_pack("{s:o}", "targets", rows));
}

void connector_events_post(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	const char *id = exchange->operands[0];
	char server[IDENTITY_ID_SIZE];
	struct err err = {0};
	cleanup(free_ptr) char *location = find_connector(exchange, server);
	if (!location)
		return;
	const json_t *events = json_object_get(exchange->json, "events");
	enum installs_said said = json_is_array(events) && json_array_size(events) <= MAX_EVENTS
								  ? INSTALLS_NEW
								  : INSTALLS_WRONG;
	if (said == INSTALLS_NEW && !installs_command_knows(hub->installs, server, id))
		said = INSTALLS_UNKNOWN;
	for (size_t i = 0; said == INSTALLS_NEW && i < json_array_size(events); i++) {
		const json_t *row = json_array_get(events, i);
		const char *target = json_get_text(row, "target");
		said = target ? installs_command_told(hub->installs, server, id, target,
							json_object_get(row, "event"), time(NULL), hub_now_ms())
					  : INSTALLS_WRONG;
	}
	if (said == INSTALLS_NEW && json_is_true(json_object_get(exchange->json, "over")))
		said = installs_command_over(hub->installs, server, id, time(NULL));
	if (said == INSTALLS_NEW)
		answer_states(exchange, id);
	else
		refuse(exchange, said, &err);
}
