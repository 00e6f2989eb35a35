/* /v1/installs: has connectors work on their neighbours. */
#include "base/json.h"
#include "hub/api/install_request.h"
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/api/rows.h"
#include "hub/audit.h"
#include "hub/log.h"
#include "wire/credentials.h"
#include "wire/host_list.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DEFAULT_LIMIT 50
#define MAX_PARALLEL  64
#define PARALLEL      16

/* --- reading --------------------------------------------------------------------------------- */

int install_of_request(struct exchange *exchange, struct store_install *install)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	hub_flush(hub);
	enum store_status status =
		hub->store->driver->installs.find(hub->store, exchange->operands[0], install, &err);
	if (status == STORE_OK && actor_sees(&exchange->actor, install->location))
		return 0;
	if (status == STORE_OK)
		store_install_free(install);
	if (status == STORE_OK || status == STORE_NOT_FOUND)
		exchange_problem(exchange, 404, "There is no install with this id (any more).");
	else
		answer_store_problem(exchange, status, &err);
	return -1;
}

static void answer_install(struct exchange *exchange, int http, const char *id)
{
	struct hub *hub = exchange->hub;
	struct store_install install;
	struct err err = {0};
	hub_flush(hub);
	enum store_status status = hub->store->driver->installs.find(hub->store, id, &install, &err);
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	exchange_json(exchange, http, install_json(&install));
	store_install_free(&install);
}

void install_get(struct exchange *exchange)
{
	struct store_install install;
	if (install_of_request(exchange, &install))
		return;
	exchange_json(exchange, 200, install_json(&install));
	store_install_free(&install);
}

bool install_read_location(const struct exchange *exchange, const char **location)
{
	*location = arg_text(exchange, "location");
	if (*location && !actor_sees(&exchange->actor, *location))
		return false;
	if (exchange->actor.location)
		*location = exchange->actor.location;
	return true;
}

void installs_get(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct request_page wanted;
	struct store_install_page page;
	struct err err = {0};
	const char *state = arg_text(exchange, "state");
	struct store_install_query query = {
		.states = state ? install_states_find(state) : (1u << STORE_INSTALL_STATES) - 1};
	if (!query.states) {
		request_invalid(
			exchange, "state", "looking, waiting, working, done, cancelled or live was expected.");
		return;
	}
	if (request_read_page(exchange, STORE_MAX_LIST, DEFAULT_LIMIT, &wanted))
		return;
	if (!install_read_location(exchange, &query.location)) {
		answer_page(exchange, "installs", json_array(), 0);
		return;
	}
	query.limit = wanted.limit;
	query.before = wanted.before;
	hub_flush(hub);
	enum store_status status = hub->store->driver->installs.list(hub->store, &query, &page, &err);
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	json_t *rows = json_array();
	for (size_t i = 0; i < page.count; i++)
		json_array_append_new(rows, install_json(&page.rows[i]));
	answer_page(exchange, "installs", rows, page.next);
	store_install_page_free(&page);
}

/* --- making ---------------------------------------------------------------------------------- */

struct known {
	const json_t *boxes;
	size_t found;
};

static void count_known(void *data, const struct store_connector *connector)
{
	struct known *known = data;
	known->found += json_object_get(known->boxes, connector->id) != NULL;
}

/* The boxes, each for a connector of that location; NULL after a problem was answered. */
static const json_t *read_boxes(struct exchange *exchange, const char *location)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct hub *hub = exchange->hub;
	json_t *boxes = json_object_get(exchange->json, "credentials"), *value;
	struct known known = {.boxes = boxes};
	const char *id;
	if (!json_is_object(boxes) || !json_object_size(boxes) ||
		json_object_size(boxes) > STORE_MAX_CONNECTORS) {
		request_invalid(exchange, "/credentials", "1 to %d boxes by connector were expected.",
			STORE_MAX_CONNECTORS);
		return NULL;
	}
	json_object_foreach(boxes, id, value)
	{
		size_t len = json_string_length(value);
		if (len && len <= CREDENTIALS_MAX_TEXT && strspn(json_string_value(value), digits) == len)
			continue;
		request_invalid(exchange, "/credentials", "a box is base64url of %d bytes at most.",
			CREDENTIALS_MAX_TEXT);
		return NULL;
	}
	hub->store->driver->locations.connectors(hub->store, location, count_known, &known, NULL);
	if (known.found == json_object_size(boxes))
		return boxes;
	request_invalid(
		exchange, "/credentials", "somebody named there is no connector of the location.");
	return NULL;
}

static void answer_refusal(
	struct exchange *exchange, enum installs_said said, const struct installs_wish *wish)
{
	if (said == INSTALLS_FULL) {
		exchange_header(exchange, "retry-after:", "60");
		exchange_problem(exchange, 503, "%d installs are at work already.", INSTALLS_MAX_LIVE);
	} else if (said == INSTALLS_NOBODY) {
		exchange_problem(exchange, 409,
			"No connector that there are credentials for is online. Bring one of the location "
			"online, or promote another server there.");
	} else {
		answer_store_problem(exchange, wish->status, &wish->err);
	}
}

static void make(struct exchange *exchange, struct installs_wish *wish, enum audit_action action)
{
	struct hub *hub = exchange->hub;
	char id[STORE_INSTALL_ID_SIZE];
	wish->row.created_by = exchange->actor.name;
	wish->row.created = time(NULL);
	enum installs_said said = installs_ask(hub->installs, wish, id);
	if (said != INSTALLS_NEW) {
		answer_refusal(exchange, said, wish);
		return;
	}
	cleanup(free_ptr) char *detail =
		xasprintf("%s, %zu targets in %s", wish->row.action, wish->count, wish->row.location);
	log_line(LOG_NOTE, "\"%s\" made install %s: %s", exchange->actor.name, id, detail);
	audit_note(hub, &exchange->actor, action, id, detail);
	answer_install(exchange, 201, id);
}

int install_read_hosts(struct exchange *exchange, struct installs_wish *wish)
{
	struct store_install *row = &wish->row;
	struct host_list list;
	struct err err = {0};
	const char *user = NULL, *action = NULL;
	const char *hosts = body_text(exchange, "hosts", 1, HOST_LIST_MAX_TEXT);
	if (!hosts || body_optional(exchange, "user", 0, HOST_LIST_MAX_USER, "", &user) ||
		body_optional(exchange, "action", 0, 16, "install", &action))
		return -1;
	row->port = body_number(exchange, "port", 1, 65535, HOST_LIST_PORT);
	row->parallel =
		row->port < 0 ? -1 : body_number(exchange, "parallel", 1, MAX_PARALLEL, PARALLEL);
	if (row->parallel < 0)
		return -1;
	if (strcmp(action, "install") != 0 && strcmp(action, "remove") != 0) {
		request_invalid(exchange, "/action", "install or remove was expected.");
		return -1;
	}
	if (host_list_read(hosts, (uint16_t)row->port, user, &list, &err)) {
		request_invalid(exchange, "/hosts", "%s.", err.text);
		return -1;
	}
	row->hosts = (char *)hosts; /* only read, like those below */
	row->user = (char *)user;
	row->action = (char *)action;
	wish->count = list.count;
	wish->targets = xcalloc(list.count, sizeof *wish->targets);
	for (size_t i = 0; i < list.count; i++)
		wish->targets[i] = (struct store_target){
			.host = xstrdup(list.hosts[i].host),
			.user = xstrdup(list.hosts[i].user),
			.name = xstrdup(list.hosts[i].name),
			.port = list.hosts[i].port,
			.from_range = list.hosts[i].from_range,
		};
	host_list_free(&list);
	return 0;
}

void install_wish_free(struct installs_wish *wish)
{
	for (size_t i = 0; i < wish->count; i++)
		store_target_free(&wish->targets[i]);
	free(wish->targets);
}

void install_post(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct installs_wish wish = {0};
	struct store_location location;
	struct err err = {0};
	const char *name = body_text(exchange, "location", 1, STORE_MAX_LOCATION);
	if (!name)
		return;
	hub_flush(hub);
	enum store_status status =
		actor_sees(&exchange->actor, name)
			? hub->store->driver->locations.find(hub->store, name, &location, &err)
			: STORE_NOT_FOUND;
	if (status == STORE_NOT_FOUND) {
		request_invalid(exchange, "/location", "there is no location of this name (any more).");
		return;
	}
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	wish.row.location = location.name;
	if (install_read_hosts(exchange, &wish) == 0 &&
		(wish.boxes = read_boxes(exchange, location.name)))
		make(exchange, &wish, AUDIT_INSTALL_CREATE);
	install_wish_free(&wish);
	store_location_free(&location);
}

/* --- retry ----------------------------------------------------------------------------------- */

static bool is_named(const json_t *names, int64_t seq)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		if (name && installs_target_number(name) == seq)
			return true;
	}
	return !json_is_array(names);
}

/* Takes what failed or was cancelled, of `names` or at all. */
static enum store_status take_failed(struct hub *hub, const struct store_install *install,
	const json_t *names, struct installs_wish *wish, struct err *err)
{
	struct store_target_query query = {.install = install->seq,
		.states = 1u << TARGET_FAILED | 1u << TARGET_CANCELLED,
		.limit = STORE_MAX_LIST};
	wish->targets = xcalloc(INSTALLS_MAX_TARGETS, sizeof *wish->targets);
	do {
		struct store_target_page page;
		enum store_status status =
			hub->store->driver->installs.targets(hub->store, &query, &page, err);
		if (status != STORE_OK)
			return status;
		for (size_t i = 0; i < page.count && wish->count < INSTALLS_MAX_TARGETS; i++)
			if (is_named(names, page.rows[i].seq))
				wish->targets[wish->count++] = (struct store_target){
					.host = xstrdup(page.rows[i].host),
					.user = xstrdup(page.rows[i].user),
					.name = xstrdup(page.rows[i].name),
					.port = page.rows[i].port,
					.from_range = page.rows[i].from_range,
				};
		query.after = page.next;
		store_target_page_free(&page);
	} while (query.after);
	return STORE_OK;
}

/* A list of ids or nothing; -1 after a problem was answered. */
static int read_ids(struct exchange *exchange, const json_t **ids)
{
	*ids = json_object_get(exchange->json, "targets");
	if (json_is_null(*ids))
		*ids = NULL;
	bool good = !*ids || (json_is_array(*ids) && json_array_size(*ids) <= INSTALLS_MAX_TARGETS);
	for (size_t i = 0; good && i < json_array_size(*ids); i++)
		good = json_is_string(json_array_get(*ids, i)) &&
			   json_string_length(json_array_get(*ids, i)) <= 32;
	if (!good)
		request_invalid(exchange, "/targets", "a list of ids of targets was expected.");
	return good ? 0 : -1;
}

void install_retry_post(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_install install;
	struct installs_wish wish = {0};
	struct err err = {0};
	const json_t *names;
	if (read_ids(exchange, &names) || install_of_request(exchange, &install))
		return;
	wish.row = install;
	wish.boxes = read_boxes(exchange, install.location);
	enum store_status status =
		wish.boxes ? take_failed(hub, &install, names, &wish, &err) : STORE_OK;
	if (status != STORE_OK)
		answer_store_problem(exchange, status, &err);
	else if (wish.boxes && !wish.count)
		exchange_problem(exchange, 409, "None of these has failed or was cancelled.");
	else if (wish.boxes)
		make(exchange, &wish, AUDIT_INSTALL_RETRY);
	install_wish_free(&wish);
	store_install_free(&install);
}

/* --- start, cancel --------------------------------------------------------------------------- */

static int read_host_keys(struct exchange *exchange, const json_t **keys)
{
	const char *id;
	json_t *print;
	*keys = json_object_get(exchange->json, "host_keys");
	if (json_is_null(*keys))
		*keys = NULL;
	bool good =
		!*keys || (json_is_object(*keys) && json_object_size(*keys) <= INSTALLS_MAX_TARGETS);
	if (good)
		json_object_foreach((json_t *)*keys, id, print)
		{
			good = good && json_is_string(print);
		}
	if (!good)
		request_invalid(
			exchange, "/host_keys", "fingerprints by the id of the target were expected.");
	return good ? 0 : -1;
}

static void start(struct exchange *exchange, const struct store_install *install,
	const json_t *keys, const json_t *names)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	enum installs_said said = installs_go(
		hub->installs, install->id, keys, names, exchange->actor.name, time(NULL), &err);
	if (said == INSTALLS_CHANGED) {
		exchange_problem(exchange, 409,
			"A host shows another key than the one that was confirmed. Look at the list again.");
	} else if (said == INSTALLS_LATER) {
		answer_store_problem(exchange, STORE_ERROR, &err);
	} else if (said != INSTALLS_NEW) {
		exchange_problem(exchange, 409,
			install->by_command
				? "It was begun by a command on the connector, and is started there."
				: "None of these is ready with a host key that somebody has confirmed.");
	} else {
		log_line(LOG_NOTE, "\"%s\" started install %s", exchange->actor.name, install->id);
		audit_note(hub, &exchange->actor, AUDIT_INSTALL_START, install->id,
			names ? "some of its targets" : NULL);
		answer_install(exchange, 202, install->id);
	}
}

void install_start_post(struct exchange *exchange)
{
	struct store_install install;
	const json_t *keys, *names;
	if (read_host_keys(exchange, &keys) || read_ids(exchange, &names) ||
		install_of_request(exchange, &install))
		return;
	start(exchange, &install, keys, names);
	store_install_free(&install);
}

void install_cancel_post(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_install install;
	if (install_of_request(exchange, &install))
		return;
	if (installs_cancel(hub->installs, install.id, time(NULL)) == INSTALLS_NEW) {
		log_line(LOG_NOTE, "\"%s\" cancelled install %s", exchange->actor.name, install.id);
		audit_note(hub, &exchange->actor, AUDIT_INSTALL_CANCEL, install.id, NULL);
		answer_install(exchange, 202, install.id);
	} else if (install.finished) {
		exchange_problem(exchange, 409, "This install has ended.");
	} else {
		answer_install(exchange, 202, install.id);
	}
	store_install_free(&install);
}
