/*
 * What installs need of the running hub: its sessions, its join tokens, the portable agent, and the
 * consoles that watch.
 */
#include "hub/api/rows.h"
#include "hub/api/tokens.h"
#include "hub/portable.h"
#include "hub/state.h"

#include <stdio.h>

#define TOKEN_S 1800 /* that a target has to join */

static uint64_t find_session(void *data, const char *server, bool *ready, uint64_t *instance)
{
	const struct hub *hub = data;
	const struct session *session = roster_session(hub->roster, server);
	*instance = session ? session_instance(session) : 0;
	return hub_session_number(data, server, ready);
}

static enum store_status make_token(void *data, const char *location, int64_t target,
	const char *host, const char *by, char **text, struct err *err)
{
	struct hub *hub = data;
	const struct place *place = &hub->endpoints.places[ENDPOINT_DISCOVERY];
	char id[STORE_TOKEN_ID_SIZE], label[TOKEN_MAX_LABEL + 1];
	snprintf(label, sizeof label, "install on %s", host);
	const struct token_wish wish = {
		.label = label,
		.created_by = by,
		.host = place->host,
		.port = place->port,
		.hub_key = hub->identity.public_key,
		.now = time(NULL),
		.expires_in_s = TOKEN_S,
		.uses = 1,
		.location = location,
		.target = target,
	};
	return token_make(hub->store, &wish, id, text, err);
}

static json_t *list_portable(void *data)
{
	const struct hub *hub = data;
	return portable_json(hub->portable);
}

static json_t *describe_hub(void *data)
{
	const struct hub *hub = data;
	const struct place *place = &hub->endpoints.places[ENDPOINT_DISCOVERY];
	cleanup(free_ptr) char *url = xasprintf("https://%s:%u", place->host, (unsigned)place->port);
	return json_pack("{s:s}", "url", url);
}

static void install_changed(void *data, const char *id, const char *location,
	const int64_t *targets, size_t count, bool more)
{
	struct hub *hub = data;
	struct store_install install;
	if (hub->store->driver->installs.find(hub->store, id, &install, NULL) != STORE_OK)
		return;
	json_t *rows = json_array();
	for (size_t i = 0; i < count; i++) {
		struct store_target target;
		if (hub->store->driver->installs.target(hub->store, targets[i], &target, NULL) != STORE_OK)
			continue;
		json_array_append_new(rows, target_json(&target));
		store_target_free(&target);
	}
	events_send_at(hub->events, location, "installs",
		json_pack("{s:o,s:o,s:b}", "install", install_json(&install), "targets", rows, "more",
			(int)more));
	store_install_free(&install);
}

static bool is_watched(void *data)
{
	const struct hub *hub = data;
	return events_watched(hub->events);
}

const struct installs_hooks hub_installs_hooks = {
	.wake = hub_wake,
	.session = find_session,
	.send = hub_send_request,
	.confirm = hub_confirm,
	.token = make_token,
	.portable = list_portable,
	.hub = describe_hub,
	.changed = install_changed,
	.watched = is_watched,
};

void hub_locations_changed(struct hub *hub, const char *location)
{
	if (events_watched(hub->events))
		events_send_at(hub->events, location, "locations", json_object());
}
