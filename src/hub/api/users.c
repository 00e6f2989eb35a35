/* /v1/users: the people who may sign in, and their roles. */
#include "base/json.h"
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/api/sign_in.h"
#include "hub/api/who.h"
#include "hub/audit.h"
#include "hub/log.h"
#include "hub/state.h"

#include <ctype.h>
#include <string.h>

static json_t *user_json(const struct store_user *user)
{
	return json_pack("{s:s,s:s,s:o,s:o}", "name", user->name, "role", user->role, "created_at",
		time_json(user->created), "last_login_at", time_json(user->last_login));
}

static void append_user(void *data, const struct store_user *user)
{
	json_array_append_new(data, user_json(user));
}

void users_get(struct exchange *exchange)
{
	struct store *store = exchange->hub->store;
	struct err err = {0};
	json_t *list = json_array();
	enum store_status status = store->driver->users.list(store, append_user, list, &err);
	if (status == STORE_OK) {
		answer_page(exchange, "users", list, 0);
		return;
	}
	json_decref(list);
	answer_store_problem(exchange, status, &err);
}

const char *body_user_name(struct exchange *exchange)
{
	const char *name = body_text(exchange, "name", 1, ACCESS_MAX_NAME);
	const char *problem = name ? access_name_problem(name) : NULL;
	if (!problem)
		return name;
	request_invalid(exchange, "/name", "%s.", problem);
	return NULL;
}

/* A role that the actor may give: nobody makes somebody who may do more than he. -1 after a problem
 * was answered, ROLE_COUNT when it is absent. */
static int body_role(struct exchange *exchange)
{
	const json_t *value = json_object_get(exchange->json, "role");
	int role = json_is_string(value) ? role_find(json_string_value(value)) : -1;
	if (!value)
		return ROLE_COUNT;
	if (role < 0) {
		request_invalid(exchange, "/role", "administrator, architect or operator was expected.");
		return -1;
	}
	if (role_permissions((enum role)role) & ~exchange->actor.permissions) {
		exchange_problem_of(exchange, 403, "not-permitted", NULL,
			"\"%s\" may not do all that this role may, so it cannot give it.",
			exchange->actor.name);
		return -1;
	}
	return role;
}

static void answer_user(struct exchange *exchange, int code, const char *name)
{
	struct store *store = exchange->hub->store;
	struct store_user user;
	struct err err = {0};
	enum store_status status = store->driver->users.find(store, name, &user, &err);
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	exchange_json(exchange, code, user_json(&user));
	store_user_free(&user);
}

/* --- making one ---------------------------------------------------------------------------- */

static void on_new_hashed(void *data, bool good, const char *hash)
{
	struct exchange *exchange = exchange_resume(data);
	struct err err = {0};
	if (!exchange)
		return;
	struct hub *hub = exchange->hub;
	struct store_user user = {
		.name = (char *)json_get_text(exchange->json, "name"),
		.password = (char *)hash,
		.role = (char *)json_get_text(exchange->json, "role"),
		.created = time(NULL),
	};
	enum store_status status =
		good ? hub->store->driver->users.add(hub->store, &user, false, &err) : STORE_ERROR;
	if (!good) {
		answer_no_memory(exchange);
	} else if (status == STORE_EXISTS) {
		exchange_problem(exchange, 409, "There is a user \"%s\" already.", user.name);
	} else if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
	} else {
		log_line(LOG_NOTE, "\"%s\" made user \"%s\"", exchange->actor.name, user.name);
		audit_note(hub, &exchange->actor, AUDIT_USER_ADD, user.name, user.role);
		answer_user(exchange, 201, user.name);
	}
	route_deliver(exchange);
}

void user_post(struct exchange *exchange)
{
	if (!body_user_name(exchange))
		return;
	int role = body_role(exchange);
	if (role == ROLE_COUNT)
		request_invalid(exchange, "/role", "administrator, architect or operator was expected.");
	if (role < 0 || role == ROLE_COUNT)
		return;
	const char *password = body_password(exchange, "password");
	if (!password)
		return;
	if (passwords_hash(exchange->hub->passwords, password, on_new_hashed, exchange))
		answer_busy(exchange);
	else
		exchange_defer(exchange);
}

/* --- changing one -------------------------------------------------------------------------- */

/* The user of the path, when he may be touched: nobody changes or removes somebody who may do more
 * than he. -1 after a problem was answered. */
static int check_reach(struct exchange *exchange)
{
	struct store *store = exchange->hub->store;
	struct store_user user;
	struct err err = {0};
	enum store_status status = store->driver->users.find(store, exchange->operands[0], &user, &err);
	if (status == STORE_NOT_FOUND) {
		exchange_problem(exchange, 404, "There is no user with this name.");
		return -1;
	}
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return -1;
	}
	int role = role_find(user.role);
	bool beyond = role >= 0 && role_permissions((enum role)role) & ~exchange->actor.permissions;
	store_user_free(&user);
	if (!beyond)
		return 0;
	exchange_problem_of(exchange, 403, "not-permitted", NULL,
		"\"%s\" may do more than \"%s\", who cannot change that.", exchange->operands[0],
		exchange->actor.name);
	return -1;
}

static void change(struct exchange *exchange, const char *hash)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	const char *name = exchange->operands[0];
	const char *role = json_get_text(exchange->json, "role");
	enum store_status status = hub->store->driver->access.user_change(
		hub->store, name, role, hash, role_name(ROLE_ADMINISTRATOR), &err);
	if (status == STORE_LAST) {
		exchange_problem_of(exchange, 409, "last-administrator", NULL,
			"\"%s\" is the last administrator: make another one first.", name);
	} else if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
	} else {
		cleanup(free_ptr) char *detail =
			xasprintf("%s%s%s", role ? role : "", role && hash ? ", " : "", hash ? "password" : "");
		log_line(LOG_NOTE, "\"%s\" changed user \"%s\"", exchange->actor.name, name);
		audit_note(hub, &exchange->actor, AUDIT_USER_CHANGE, name, detail);
		events_review(hub->events);
		answer_user(exchange, 200, name);
	}
}

static void on_changed_hashed(void *data, bool good, const char *hash)
{
	struct exchange *exchange = exchange_resume(data);
	if (!exchange)
		return;
	if (good)
		change(exchange, hash);
	else
		answer_no_memory(exchange);
	route_deliver(exchange);
}

void user_patch(struct exchange *exchange)
{
	if (check_reach(exchange) || body_role(exchange) < 0)
		return;
	if (!json_object_get(exchange->json, "password")) {
		change(exchange, NULL);
		return;
	}
	const char *password = body_password(exchange, "password");
	if (!password)
		return;
	if (passwords_hash(exchange->hub->passwords, password, on_changed_hashed, exchange))
		answer_busy(exchange);
	else
		exchange_defer(exchange);
}

void user_delete(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	const char *name = exchange->operands[0];
	if (check_reach(exchange))
		return;
	enum store_status status =
		hub->store->driver->users.remove(hub->store, name, role_name(ROLE_ADMINISTRATOR), &err);
	if (status == STORE_LAST) {
		exchange_problem_of(exchange, 409, "last-administrator", NULL,
			"\"%s\" is the last administrator: make another one first.", name);
	} else if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
	} else {
		log_line(LOG_NOTE, "\"%s\" removed user \"%s\"", exchange->actor.name, name);
		audit_note(hub, &exchange->actor, AUDIT_USER_REMOVE, name, NULL);
		events_review(hub->events);
		exchange_empty(exchange, 204);
	}
}
