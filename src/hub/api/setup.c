/* /v1/setup: the first administrator, by the link that the hub printed at its start. */
#include "hub/api/setup.h"

#include "base/clock.h"
#include "base/json.h"
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/api/sign_in.h"
#include "hub/api/who.h"
#include "hub/audit.h"
#include "hub/log.h"
#include "hub/state.h"

#include <sodium.h>
#include <string.h>

#define META_CODE "setup-code" /* hexadecimal SHA-256 of the code */

static void code_hash(const char *code, char hex[2 * crypto_hash_sha256_BYTES + 1])
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256(hash, (const unsigned char *)code, strlen(code));
	sodium_bin2hex(hex, 2 * sizeof hash + 1, hash, sizeof hash);
}

enum store_status setup_new_code(struct store *store, char code[SETUP_CODE_SIZE], struct err *err)
{
	unsigned char raw[(SETUP_CODE_SIZE - 1) / 2];
	char hex[2 * crypto_hash_sha256_BYTES + 1];
	int64_t users = 0;
	code[0] = '\0';
	enum store_status status = store->driver->users.count(store, &users, err);
	if (status != STORE_OK || users)
		return status;
	randombytes_buf(raw, sizeof raw);
	sodium_bin2hex(code, SETUP_CODE_SIZE, raw, sizeof raw);
	code_hash(code, hex);
	return store->driver->meta.set(store, META_CODE, hex, err);
}

void setup_get(struct exchange *exchange)
{
	struct store *store = exchange->hub->store;
	struct err err = {0};
	int64_t users = 0;
	enum store_status status = store->driver->users.count(store, &users, &err);
	if (status != STORE_OK)
		answer_store_problem(exchange, status, &err);
	else
		exchange_json(exchange, 200, json_pack("{s:b}", "needed", users == 0));
}

/* 0 when the code is the one; -1 after a problem was answered. */
static int check_code(struct exchange *exchange, const char *code)
{
	struct store *store = exchange->hub->store;
	char hex[2 * crypto_hash_sha256_BYTES + 1];
	cleanup(free_ptr) char *stored = NULL;
	struct err err = {0};
	int64_t users = 0;
	enum store_status status = store->driver->users.count(store, &users, &err);
	if (status == STORE_OK)
		status = store->driver->meta.get(store, META_CODE, &stored, &err);
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return -1;
	}
	if (users) {
		exchange_problem(exchange, 410,
			"This hub has its first administrator; the link was good for one use. Sign in "
			"instead.");
		return -1;
	}
	code_hash(code, hex);
	if (stored && strlen(stored) == strlen(hex) && sodium_memcmp(stored, hex, strlen(hex)) == 0)
		return 0;
	note_failed_try(exchange, NULL);
	exchange_problem(
		exchange, 403, "The code is not the one that the hub printed when it was last started.");
	return -1;
}

/* The audit row, and the time that the list of users shows. */
static void note_sign_in(struct exchange *exchange, enum audit_action action, const char *name)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	struct actor actor = {.kind = ACTOR_USER, .name = (char *)name};
	memcpy(actor.peer, exchange->peer, sizeof actor.peer);
	hub_store_said(
		hub, hub->store->driver->access.user_signed_in(hub->store, name, time(NULL), &err), &err);
	audit_note(hub, &actor, action, name, NULL);
}

static void on_hashed(void *data, bool good, const char *hash)
{
	struct exchange *exchange = exchange_resume(data);
	struct err err = {0};
	if (!exchange)
		return;
	const char *name = json_get_text(exchange->json, "name");
	struct store *store = exchange->hub->store;
	struct store_user user = {
		.name = (char *)name,
		.password = (char *)hash,
		.role = (char *)role_name(ROLE_ADMINISTRATOR),
		.created = time(NULL),
	};
	enum store_status status =
		good ? store->driver->users.add(store, &user, true, &err) : STORE_ERROR;
	if (!good)
		answer_no_memory(exchange);
	else if (status == STORE_EXISTS)
		exchange_problem(exchange, 410, "Somebody else was faster: sign in instead.");
	else if (status != STORE_OK)
		answer_store_problem(exchange, status, &err);
	else if (who_sign_in(exchange, name) == 0) {
		log_line(LOG_NOTE, "first administrator \"%s\" made from %s", name, exchange->peer);
		note_sign_in(exchange, AUDIT_SETUP, name);
		exchange_empty(exchange, 204);
	}
	exchange_deliver(exchange);
}

int check_throttle(struct exchange *exchange, const char *name)
{
	const struct throttle *throttle = &exchange->hub->logins;
	int64_t wait = throttle_wait(throttle, exchange->peer, time(NULL));
	int64_t name_wait = name ? throttle_wait(throttle, name, time(NULL)) : 0;
	if (name_wait > wait)
		wait = name_wait;
	if (!wait)
		return 0;
	exchange_header(exchange, "retry-after:", "%lld", (long long)wait);
	exchange_problem(exchange, 429, "Too many failed tries; try again in %lld s.", (long long)wait);
	return -1;
}

void answer_busy(struct exchange *exchange)
{
	exchange_header(exchange, "retry-after:", "2");
	exchange_problem(exchange, 429, "Too many people sign in at once; try again.");
}

void answer_no_memory(struct exchange *exchange)
{
	exchange_problem(exchange, 503, "The hub has too little memory to hash the password.");
}

const char *body_password(struct exchange *exchange, const char *name)
{
	const char *password = body_text(exchange, name, 0, PASSWORD_MAX);
	const char *problem = password ? password_problem(password) : NULL;
	if (!problem)
		return password;
	cleanup(free_ptr) char *pointer = xasprintf("/%s", name);
	request_invalid(exchange, pointer, "%s.", problem);
	return NULL;
}

void note_failed_try(struct exchange *exchange, const char *name)
{
	struct hub *hub = exchange->hub;
	struct actor actor = {0};
	struct store_user user = {0};
	memcpy(actor.peer, exchange->peer, sizeof actor.peer);
	if (name)
		throttle_failed(&hub->logins, name, time(NULL));
	throttle_failed(&hub->logins, exchange->peer, time(NULL));
	metric_add(&hub->metrics, METRIC_LOGIN_FAILURES, 1);
	log_line(LOG_WARNING, "failed sign-in from %s", exchange->peer);
	/* A name that nobody has may be a password in the wrong place. */
	if (!name)
		audit_note(hub, &actor, AUDIT_LOGIN_FAILED, NULL, "with a link for the first set-up");
	else if (hub->store->driver->users.find(hub->store, name, &user, NULL) == STORE_OK)
		audit_note(hub, &actor, AUDIT_LOGIN_FAILED, user.name, NULL);
	else
		audit_note(hub, &actor, AUDIT_LOGIN_FAILED, NULL, "with a name that nobody has");
	store_user_free(&user);
}

void setup_post(struct exchange *exchange)
{
	const char *code = body_text(exchange, "code", 1, 128);
	const char *name = code ? body_user_name(exchange) : NULL;
	const char *password = name ? body_password(exchange, "password") : NULL;
	if (!password || check_throttle(exchange, NULL) || check_code(exchange, code))
		return;
	if (passwords_hash(exchange->hub->passwords, password, on_hashed, exchange))
		answer_busy(exchange);
	else
		exchange_defer(exchange);
}

/* --- signing in ---------------------------------------------------------------------------- */

static void on_verified(void *data, bool good, const char *hash)
{
	struct exchange *exchange = exchange_resume(data);
	(void)hash;
	if (!exchange)
		return;
	struct hub *hub = exchange->hub;
	const char *name = json_get_text(exchange->json, "name");
	if (!good) {
		note_failed_try(exchange, name);
		exchange_problem(exchange, 401, "Name or password is wrong.");
	} else if (who_sign_in(exchange, name) == 0) {
		throttle_succeeded(&hub->logins, name);
		throttle_succeeded(&hub->logins, exchange->peer);
		log_line(LOG_NOTE, "\"%s\" signed in from %s", name, exchange->peer);
		note_sign_in(exchange, AUDIT_LOGIN, name);
		exchange_empty(exchange, 204);
	}
	exchange_deliver(exchange);
}

void login_post(struct exchange *exchange)
{
	struct store *store = exchange->hub->store;
	struct store_user user = {0};
	struct err err = {0};
	const char *name = body_text(exchange, "name", 1, ACCESS_MAX_NAME);
	const char *password = name ? body_text(exchange, "password", 1, PASSWORD_MAX) : NULL;
	if (!password || check_throttle(exchange, name))
		return;
	enum store_status status = store->driver->users.find(store, name, &user, &err);
	if (status != STORE_OK && status != STORE_NOT_FOUND)
		answer_store_problem(exchange, status, &err);
	else if (passwords_verify(
				 exchange->hub->passwords, user.password, password, on_verified, exchange))
		answer_busy(exchange);
	else
		exchange_defer(exchange);
	store_user_free(&user);
}

void logout_post(struct exchange *exchange)
{
	who_sign_out(exchange);
}
