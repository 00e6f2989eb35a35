/* /v1/keys: API keys. The text is shown once, when the key is made. */
#include "hub/api/api_keys.h"

#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/audit.h"
#include "hub/log.h"
#include "hub/state.h"

#include <sodium.h>
#include <string.h>

enum store_status api_key_make(struct store *store, const struct api_key_wish *wish,
	struct store_key *key, char text[WHO_KEY_SIZE], struct err *err)
{
	unsigned char raw[(STORE_KEY_ID_SIZE - 1) / 2];
	char names[ACCESS_NAMES_SIZE];
	access_names(wish->permissions, names);
	*key = (struct store_key){
		.name = xstrdup(wish->name),
		.permissions = xstrdup(names),
		.location = xstrdup(wish->location ? wish->location : ""),
		.maker = xstrdup(wish->actor->user ? wish->actor->user : ""),
		.created_by = xstrdup(wish->actor->name),
		.created = wish->now,
		.expires = wish->now + wish->expires_in_s,
	};
	randombytes_buf(raw, sizeof raw);
	sodium_bin2hex(key->id, sizeof key->id, raw, sizeof raw);
	if (wish->actor->key)
		memcpy(key->parent, wish->actor->key, sizeof key->parent);
	who_new_key(text, key->hash);
	return store->driver->access.key_add(store, key, err);
}

const char *api_key_problem(unsigned permissions, const char *location)
{
	for (int i = 0; location && i < PERMISSION_COUNT; i++)
		if (permissions & 1u << i && permission_wide((enum permission)i))
			return "users, keys and audit concern the whole hub: a key that is limited to a "
				   "location cannot have them";
	return permissions ? NULL : "at least one permission was expected";
}

const char *api_key_state(const struct store_key *key, int64_t now)
{
	if (key->revoked)
		return "revoked";
	return key->expires <= now ? "expired" : "valid";
}

static json_t *key_json(const struct store_key *key)
{
	unsigned permissions = 0;
	access_read_names(key->permissions, &permissions);
	return json_pack("{s:s,s:s,s:o,s:o,s:s,s:o,s:o,s:o,s:s}", "id", key->id, "name", key->name,
		"permissions", access_json(permissions), "location", text_or_null(key->location),
		"created_by", key->created_by, "created_at", time_json(key->created), "expires_at",
		time_json(key->expires), "last_used_at", time_json(key->last_used), "state",
		api_key_state(key, time(NULL)));
}

static void append_key(void *data, const struct store_key *key)
{
	json_array_append_new(data, key_json(key));
}

void keys_get(struct exchange *exchange)
{
	struct store *store = exchange->hub->store;
	struct err err = {0};
	json_t *list = json_array();
	enum store_status status = store->driver->access.key_list(store, append_key, list, &err);
	if (status == STORE_OK) {
		answer_page(exchange, "keys", list, 0);
		return;
	}
	json_decref(list);
	answer_store_problem(exchange, status, &err);
}

/* Those of the body, none of which the actor lacks; -1 after a problem was answered. */
static int body_permissions(struct exchange *exchange, unsigned *permissions)
{
	const json_t *list = json_object_get(exchange->json, "permissions");
	*permissions = 0;
	if (!json_is_array(list)) {
		request_invalid(exchange, "/permissions", "a list of permissions was expected.");
		return -1;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		int found = name ? permission_find(name) : -1;
		cleanup(free_ptr) char *pointer = xasprintf("/permissions/%zu", i);
		if (found < 0) {
			request_invalid(exchange, pointer,
				"read, operate, enrol, remove, users, keys or audit was expected.");
			return -1;
		}
		if (!actor_may(&exchange->actor, (enum permission)found)) {
			exchange_problem_of(exchange, 403, "not-permitted", NULL,
				"\"%s\" does not have the permission \"%s\" itself, so it cannot give it.",
				exchange->actor.name, name);
			return -1;
		}
		*permissions |= 1u << found;
	}
	return 0;
}

static int read_wish(struct exchange *exchange, struct api_key_wish *wish)
{
	wish->name = body_text(exchange, "name", 1, ACCESS_MAX_NAME);
	const char *problem = wish->name ? access_name_problem(wish->name) : NULL;
	if (problem)
		request_invalid(exchange, "/name", "%s.", problem);
	if (!wish->name || problem || body_permissions(exchange, &wish->permissions) ||
		body_optional(exchange, "location", 1, ACCESS_MAX_LOCATION, NULL, &wish->location))
		return -1;
	problem = api_key_problem(wish->permissions, wish->location);
	if (problem) {
		request_invalid(exchange, "/permissions", "%s.", problem);
		return -1;
	}
	wish->expires_in_s = body_number(exchange, "expires_in_s", API_KEY_MIN_S, API_KEY_MAX_S, 0);
	if (wish->expires_in_s == 0)
		request_invalid(exchange, "/expires_in_s", "a number from %d to %d was expected.",
			API_KEY_MIN_S, API_KEY_MAX_S);
	return wish->expires_in_s > 0 ? 0 : -1;
}

void key_post(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct api_key_wish wish = {.actor = &exchange->actor, .now = time(NULL)};
	struct store_key key = {0};
	char text[WHO_KEY_SIZE];
	struct err err = {0};
	if (read_wish(exchange, &wish))
		return;
	enum store_status status = api_key_make(hub->store, &wish, &key, text, &err);
	if (status == STORE_OK) {
		cleanup(free_ptr) char *detail = xasprintf(
			"\"%s\": %s%s%s", key.name, key.permissions, *key.location ? " at " : "", key.location);
		log_line(LOG_NOTE, "\"%s\" made API key %s", exchange->actor.name, key.id);
		audit_note(hub, &exchange->actor, AUDIT_KEY_ADD, key.id, detail);
		json_t *json = key_json(&key);
		json_object_set_new(json, "key", json_string(text));
		exchange_json(exchange, 201, json);
	} else {
		answer_store_problem(exchange, status, &err);
	}
	sodium_memzero(text, sizeof text);
	store_key_free(&key);
}

void key_delete(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	const char *id = exchange->operands[0];
	struct err err = {0};
	enum store_status status = hub->store->driver->access.key_revoke(hub->store, id, &err);
	if (status == STORE_NOT_FOUND) {
		exchange_problem(exchange, 404, "There is no API key with this id.");
	} else if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
	} else {
		log_line(LOG_NOTE, "\"%s\" revoked API key %s", exchange->actor.name, id);
		audit_note(hub, &exchange->actor, AUDIT_KEY_REVOKE, id, NULL);
		events_review(hub->events);
		exchange_empty(exchange, 204);
	}
}
