/* /v1/locations: what they demand, who is there, and the host keys that people confirmed. */
#include "base/json.h"
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/api/rows.h"
#include "hub/audit.h"
#include "hub/log.h"
#include "store/summary.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MAX_BREAKS    100
#define DEFAULT_LIMIT 100
#define BASE64        sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* --- as JSON --------------------------------------------------------------------------------- */

struct view {
	const struct hub *hub;
	const struct actor *actor;
	json_t *connectors; /* lists by name in lower case */
	json_t *list;
};

static char *folded(const char *name)
{
	char *key = xstrdup(name);
	summary_fold(key);
	return key;
}

static void add_connector(void *data, const struct store_connector *connector)
{
	struct view *view = data;
	char key[sodium_base64_ENCODED_LEN(IDENTITY_KEY_BYTES, BASE64)];
	cleanup(free_ptr) char *name = folded(connector->location);
	sodium_bin2base64(key, sizeof key, connector->key, sizeof connector->key, BASE64);
	if (!json_object_get(view->connectors, name))
		json_object_set_new(view->connectors, name, json_array());
	json_array_append_new(json_object_get(view->connectors, name),
		json_pack("{s:s,s:s,s:b,s:s,s:o}", "id", connector->id, "name", connector->name, "online",
			roster_session(view->hub->roster, connector->id) != NULL, "key", key, "since",
			time_json(connector->since)));
}

static json_t *location_json(const struct view *view, const struct store_location *location)
{
	cleanup(free_ptr) char *name = folded(location->name);
	json_t *connectors = json_object_get(view->connectors, name);
	return json_pack("{s:s,s:I,s:I,s:s,s:I,s:o,s:o}", "name", location->name, "servers",
		(json_int_t)location->servers, "online", (json_int_t)location->online, "addressing",
		location->dhcp ? "dhcp" : "any", "breaking", (json_int_t)location->breaking, "connectors",
		connectors ? json_incref(connectors) : json_array(), "created_at",
		time_json(location->created));
}

static void append_location(void *data, const struct store_location *location)
{
	struct view *view = data;
	if (actor_sees(view->actor, location->name))
		json_array_append_new(view->list, location_json(view, location));
}

void locations_get(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	const struct store_locations_ops *locations = &hub->store->driver->locations;
	struct view view = {hub, &exchange->actor, json_object(), json_array()};
	struct err err = {0};
	hub_flush(hub);
	enum store_status status = locations->connectors(hub->store, NULL, add_connector, &view, &err);
	if (status == STORE_OK)
		status = locations->list(hub->store, append_location, &view, &err);
	json_decref(view.connectors);
	if (status == STORE_OK) {
		exchange_json(exchange, 200, json_pack("{s:o}", "locations", view.list));
		return;
	}
	json_decref(view.list);
	answer_store_problem(exchange, status, &err);
}

/* What of it does not do what it demands. */
static json_t *breaks_of(struct hub *hub, const char *location)
{
	const struct store_query query = {.online = STORE_NO_FILTER,
		.location = location,
		.addressing = "broken",
		.sort = STORE_BY_NAME,
		.limit = MAX_BREAKS};
	struct store_page page;
	json_t *list = json_array();
	if (hub->store->driver->servers.list(hub->store, &query, &page, NULL) != STORE_OK)
		return list;
	for (size_t i = 0; i < page.count; i++) {
		const struct store_server *server = &page.rows[i];
		cleanup(free_ptr) char *sentence = xasprintf(
			"Its address %s is set by hand; this location demands one by DHCP.", server->address);
		json_array_append_new(
			list, json_pack("{s:s,s:s,s:s,s:s}", "id", server->id, "name", server->name, "address",
					  server->address, "sentence", sentence));
	}
	store_page_free(&page);
	return list;
}

static void answer_location(struct exchange *exchange, int http, const char *name)
{
	struct hub *hub = exchange->hub;
	const struct store_locations_ops *locations = &hub->store->driver->locations;
	struct view view = {hub, &exchange->actor, json_object(), NULL};
	struct store_location location;
	struct err err = {0};
	enum store_status status = locations->find(hub->store, name, &location, &err);
	if (status == STORE_OK) {
		locations->connectors(hub->store, location.name, add_connector, &view, NULL);
		json_t *json = location_json(&view, &location);
		json_object_set_new(json, "breaks", breaks_of(hub, location.name));
		exchange_json(exchange, http, json);
		store_location_free(&location);
	} else {
		answer_store_problem(exchange, status, &err);
	}
	json_decref(view.connectors);
}

/* The location of the request, for who may see it; -1 after a problem was answered. */
static int find_location(struct exchange *exchange, struct store_location *location)
{
	struct hub *hub = exchange->hub;
	const char *name = exchange->operands[0];
	struct err err = {0};
	enum store_status status = STORE_NOT_FOUND;
	hub_flush(hub);
	if (actor_sees(&exchange->actor, name))
		status = hub->store->driver->locations.find(hub->store, name, location, &err);
	if (status == STORE_OK)
		return 0;
	if (status == STORE_NOT_FOUND)
		exchange_problem(exchange, 404, "There is no location of this name (any more).");
	else
		answer_store_problem(exchange, status, &err);
	return -1;
}

void location_get(struct exchange *exchange)
{
	struct store_location location;
	if (find_location(exchange, &location))
		return;
	answer_location(exchange, 200, location.name);
	store_location_free(&location);
}

/* --- changing -------------------------------------------------------------------------------- */

/* -1 after a problem was answered. */
static int read_addressing(struct exchange *exchange, bool *dhcp)
{
	const char *text = NULL;
	if (body_optional(exchange, "addressing", 0, 16, *dhcp ? "dhcp" : "any", &text))
		return -1;
	*dhcp = strcmp(text, "dhcp") == 0;
	if (*dhcp || strcmp(text, "any") == 0)
		return 0;
	request_invalid(exchange, "/addressing", "any or dhcp was expected.");
	return -1;
}

static int read_name(struct exchange *exchange, const char *name)
{
	const char *wrong = access_name_problem(name);
	if (wrong)
		request_invalid(exchange, "/name", "%s.", wrong);
	return wrong ? -1 : 0;
}

void location_post(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	const char *name = body_text(exchange, "name", 1, STORE_MAX_LOCATION);
	struct err err = {0};
	bool dhcp = false;
	if (!name || read_name(exchange, name) || read_addressing(exchange, &dhcp))
		return;
	enum store_status status =
		hub->store->driver->locations.add(hub->store, name, dhcp, time(NULL), &err);
	if (status == STORE_EXISTS) {
		exchange_problem(exchange, 409, "There is a location of this name already.");
		return;
	}
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	log_line(LOG_NOTE, "\"%s\" made the location \"%s\"", exchange->actor.name, name);
	audit_note(hub, &exchange->actor, AUDIT_LOCATION_ADD, name, dhcp ? "dhcp" : NULL);
	hub_locations_changed(hub, name);
	answer_location(exchange, 201, name);
}

static void change(
	struct exchange *exchange, const struct store_location *location, const char *name, bool dhcp)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	enum store_status status =
		hub->store->driver->locations.change(hub->store, location->name, name, dhcp, &err);
	if (status == STORE_EXISTS) {
		exchange_problem(exchange, 409, "There is a location of this name already.");
		return;
	}
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	cleanup(free_ptr) char *detail =
		xasprintf("%s, %s", name, dhcp ? "addresses by DHCP alone" : "any addresses");
	installs_renamed(hub->installs, location->name, name);
	log_line(LOG_NOTE, "\"%s\" changed the location \"%s\": %s", exchange->actor.name,
		location->name, detail);
	audit_note(hub, &exchange->actor, AUDIT_LOCATION_CHANGE, location->name, detail);
	hub_locations_changed(hub, name);
	answer_location(exchange, 200, name);
}

void location_patch(struct exchange *exchange)
{
	struct store_location location;
	const char *name = NULL;
	if (find_location(exchange, &location))
		return;
	bool dhcp = location.dhcp;
	if (body_optional(exchange, "name", 1, STORE_MAX_LOCATION, location.name, &name) == 0 &&
		(name == location.name || read_name(exchange, name) == 0) &&
		read_addressing(exchange, &dhcp) == 0)
		change(exchange, &location, name, dhcp);
	store_location_free(&location);
}

static void answer_holds(struct exchange *exchange, const struct store_holds *holds)
{
	const struct {
		int64_t count;
		const char *one, *many;
	} rows[] = {
		{holds->servers, "server", "servers"},
		{holds->keys, "API key", "API keys"},
		{holds->tokens, "join token", "join tokens"},
		{holds->installs, "install at work", "installs at work"},
	};
	struct buf words = {0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].count)
			buf_printf(&words, "%s%lld %s", words.len ? ", " : "", (long long)rows[i].count,
				rows[i].count == 1 ? rows[i].one : rows[i].many);
	exchange_problem(exchange, 409, "The location is not empty: %s. Move or remove them first.",
		buf_text(&words));
	buf_free(&words);
}

void location_delete(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_location location;
	struct store_holds holds = {0};
	struct err err = {0};
	if (find_location(exchange, &location))
		return;
	enum store_status status =
		hub->store->driver->locations.remove(hub->store, location.name, time(NULL), &holds, &err);
	if (status == STORE_LAST) {
		answer_holds(exchange, &holds);
	} else if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
	} else {
		log_line(
			LOG_NOTE, "\"%s\" deleted the location \"%s\"", exchange->actor.name, location.name);
		audit_note(hub, &exchange->actor, AUDIT_LOCATION_REMOVE, location.name, NULL);
		hub_locations_changed(hub, location.name);
		exchange_empty(exchange, 204);
	}
	store_location_free(&location);
}

/* --- host keys ------------------------------------------------------------------------------- */

static json_t *host_key_json(const struct store_host_key *key)
{
	cleanup(free_ptr) char *id = xasprintf("%lld", (long long)key->seq);
	return json_pack("{s:s,s:s,s:I,s:s,s:s,s:o}", "id", id, "host", key->host, "port",
		(json_int_t)key->port, "fingerprint", key->fingerprint, "confirmed_by", key->confirmed_by,
		"confirmed_at", time_json(key->confirmed));
}

void host_keys_get(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_location location;
	struct request_page wanted;
	struct store_host_key_page page;
	struct err err = {0};
	if (request_read_page(exchange, STORE_MAX_LIST, DEFAULT_LIMIT, &wanted) ||
		find_location(exchange, &location))
		return;
	enum store_status status = hub->store->driver->locations.host_keys(
		hub->store, location.name, wanted.limit, wanted.before, &page, &err);
	store_location_free(&location);
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	json_t *rows = json_array();
	for (size_t i = 0; i < page.count; i++)
		json_array_append_new(rows, host_key_json(&page.rows[i]));
	answer_page(exchange, "host_keys", rows, page.next);
	store_host_key_page_free(&page);
}

void host_key_delete(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_location location;
	struct err err = {0};
	if (find_location(exchange, &location))
		return;
	enum store_status status = hub->store->driver->locations.unpin(
		hub->store, location.name, installs_target_number(exchange->operands[1]), &err);
	if (status == STORE_NOT_FOUND) {
		exchange_problem(exchange, 404, "There is no such host key (any more).");
	} else if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
	} else {
		audit_note(
			hub, &exchange->actor, AUDIT_HOST_KEY_FORGET, location.name, exchange->operands[1]);
		exchange_empty(exchange, 204);
	}
	store_location_free(&location);
}

/* --- a server's place ------------------------------------------------------------------------ */

static bool is_server(struct hub *hub, const char *id)
{
	struct store_server server;
	if (hub->store->driver->servers.find(hub->store, id, &server, NULL, NULL) != STORE_OK)
		return false;
	store_server_free(&server);
	return true;
}

/* The row once more, after its change. */
static void answer_server(struct exchange *exchange, const char *id)
{
	struct hub *hub = exchange->hub;
	struct store_server server;
	struct err err = {0};
	enum store_status status =
		hub->store->driver->servers.find(hub->store, id, &server, NULL, &err);
	if (status == STORE_NOT_FOUND) {
		exchange_problem(exchange, 404, "There is no server with this id (any more).");
		return;
	}
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	hub_row_changed(hub, id);
	hub_locations_changed(hub, server.location);
	exchange_json(exchange, 200, row_json(hub, &server));
	store_server_free(&server);
}

void server_patch(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	const char *id = exchange->operands[0], *location = NULL;
	struct err err = {0};
	if (!json_object_get(exchange->json, "location")) {
		request_invalid(exchange, "/location", "a location, or null, was expected.");
		return;
	}
	if (body_optional(exchange, "location", 1, STORE_MAX_LOCATION, NULL, &location))
		return;
	if (exchange->actor.location && (!location || !actor_sees(&exchange->actor, location))) {
		request_invalid(exchange, "/location", "it is not yours.");
		return;
	}
	hub_flush(hub);
	enum store_status status = hub->store->driver->locations.place(hub->store, id, location, &err);
	if (status == STORE_LAST) {
		exchange_problem(
			exchange, 409, "It is a connector of its location, and stays there. Demote it first.");
	} else if (status == STORE_NOT_FOUND && is_server(hub, id)) {
		request_invalid(exchange, "/location", "there is no location of this name (any more).");
	} else if (status == STORE_NOT_FOUND) {
		exchange_problem(exchange, 404, "There is no server with this id (any more).");
	} else if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
	} else {
		log_line(LOG_NOTE, "\"%s\" put server %s into \"%s\"", exchange->actor.name, id,
			location ? location : "");
		audit_note(hub, &exchange->actor, AUDIT_SERVER_PLACE, id, location);
		answer_server(exchange, id);
	}
}

void server_promote_post(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	const char *id = exchange->operands[0];
	struct err err = {0};
	hub_flush(hub);
	enum store_status status =
		hub->store->driver->locations.promote(hub->store, id, time(NULL), &err);
	if (status == STORE_LAST) {
		exchange_problem(exchange, 409, "It belongs to no location. Put it into one first.");
	} else if (status == STORE_EXISTS) {
		exchange_problem(
			exchange, 409, "The location has %d connectors already.", STORE_MAX_CONNECTORS);
	} else if (status == STORE_NOT_FOUND) {
		exchange_problem(exchange, 404, "There is no server with this id (any more).");
	} else if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
	} else {
		log_line(LOG_NOTE, "\"%s\" made server %s a connector", exchange->actor.name, id);
		audit_note(hub, &exchange->actor, AUDIT_SERVER_PROMOTE, id, NULL);
		answer_server(exchange, id);
	}
}

void server_demote_post(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	const char *id = exchange->operands[0];
	struct err err = {0};
	enum store_status status = hub->store->driver->locations.demote(hub->store, id, &err);
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	if (is_server(hub, id)) {
		installs_lose_connector(hub->installs, id, time(NULL));
		log_line(LOG_NOTE, "\"%s\" made server %s a connector no longer", exchange->actor.name, id);
		audit_note(hub, &exchange->actor, AUDIT_SERVER_DEMOTE, id, NULL);
	}
	answer_server(exchange, id);
}
