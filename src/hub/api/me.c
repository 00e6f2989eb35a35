/* /v1/me: who asks, what he may do, and his own password. */
#include "base/json.h"
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/api/sign_in.h"
#include "hub/api/who.h"
#include "hub/audit.h"
#include "hub/log.h"
#include "hub/state.h"

void me_get(struct exchange *exchange)
{
	const struct hub *hub = exchange->hub;
	const struct actor *actor = &exchange->actor;
	bool person = actor->kind == ACTOR_USER;
	char fingerprint[IDENTITY_PRINT_SIZE];
	identity_fingerprint(hub->identity.public_key, fingerprint);
	exchange_json(exchange, 200,
		json_pack("{s:s,s:s,s:o,s:o,s:o,s:{s:s,s:s,s:s,s:s}}", "name", actor->name, "kind",
			actor_kind_name(actor->kind), "role",
			person && actor->role < ROLE_COUNT ? json_string(role_name(actor->role)) : json_null(),
			"permissions", access_json(actor->permissions), "location",
			text_or_null(actor->location), "hub", "name", hub->host, "url", hub->url, "release",
			SALLYPORT_VERSION, "fingerprint", fingerprint));
}

static void on_hashed(void *data, bool good, const char *hash)
{
	struct exchange *exchange = exchange_resume(data);
	struct err err = {0};
	if (!exchange)
		return;
	struct hub *hub = exchange->hub;
	const char *name = exchange->actor.name;
	enum store_status status = STORE_ERROR;
	if (good)
		status = hub->store->driver->access.user_change(
			hub->store, name, NULL, hash, role_name(ROLE_ADMINISTRATOR), &err);
	if (!good)
		answer_no_memory(exchange);
	else if (status != STORE_OK)
		answer_store_problem(exchange, status, &err);
	else if (who_sign_in(exchange, name) == 0) {
		log_line(LOG_NOTE, "\"%s\" changed the password from %s", name, exchange->peer);
		audit_note(hub, &exchange->actor, AUDIT_USER_PASSWORD, name, NULL);
		exchange_empty(exchange, 204);
	}
	route_deliver(exchange);
}

static void on_verified(void *data, bool good, const char *hash)
{
	struct exchange *exchange = exchange_resume(data);
	(void)hash;
	if (!exchange)
		return;
	struct hub *hub = exchange->hub;
	if (!good) {
		note_failed_try(exchange, exchange->actor.name);
		exchange_problem(exchange, 403, "The old password is wrong.");
	} else if (passwords_hash(
				   hub->passwords, json_get_text(exchange->json, "new"), on_hashed, exchange)) {
		answer_busy(exchange);
	} else {
		exchange_defer(exchange);
		return;
	}
	route_deliver(exchange);
}

void password_post(struct exchange *exchange)
{
	struct store *store = exchange->hub->store;
	struct store_user user = {0};
	struct err err = {0};
	const char *name = exchange->actor.name;
	if (exchange->actor.kind != ACTOR_USER) {
		exchange_problem_of(
			exchange, 403, "not-permitted", NULL, "A key has no password; a person has one.");
		return;
	}
	const char *old = body_text(exchange, "old", 1, PASSWORD_MAX);
	if (!old || !body_password(exchange, "new") || check_throttle(exchange, name))
		return;
	enum store_status status = store->driver->users.find(store, name, &user, &err);
	if (status != STORE_OK)
		answer_store_problem(exchange, status, &err);
	else if (passwords_verify(exchange->hub->passwords, user.password, old, on_verified, exchange))
		answer_busy(exchange);
	else
		exchange_defer(exchange);
	store_user_free(&user);
}
