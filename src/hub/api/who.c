#include "hub/api/who.h"

#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/audit.h"
#include "hub/state.h"

#include <sodium.h>
#include <string.h>

#define SECRET_BYTES 32
#define BASE64       sodium_base64_VARIANT_URLSAFE_NO_PADDING

static int secret_hash(const char *text, unsigned char hash[STORE_HASH_BYTES])
{
	unsigned char raw[SECRET_BYTES];
	size_t len = 0;
	int bad = !*text ||
			  sodium_base642bin(raw, sizeof raw, text, strlen(text), NULL, &len, NULL, BASE64) ||
			  len != sizeof raw;
	if (!bad)
		crypto_hash_sha256(hash, raw, sizeof raw);
	sodium_memzero(raw, sizeof raw);
	return bad ? -1 : 0;
}

/* Of a new secret; the text has room for sodium_base64_ENCODED_LEN. */
static void new_secret(char *text, size_t size, unsigned char hash[STORE_HASH_BYTES])
{
	unsigned char raw[SECRET_BYTES];
	randombytes_buf(raw, sizeof raw);
	crypto_hash_sha256(hash, raw, sizeof raw);
	sodium_bin2base64(text, size, raw, sizeof raw, BASE64);
	sodium_memzero(raw, sizeof raw);
}

void who_new_key(char text[WHO_KEY_SIZE], unsigned char hash[STORE_KEY_HASH])
{
	size_t prefix = strlen(WHO_KEY_PREFIX);
	memcpy(text, WHO_KEY_PREFIX, prefix);
	new_secret(text + prefix, WHO_KEY_SIZE - prefix, hash);
}

/* --- who it is ----------------------------------------------------------------------------- */

static void actor_is_user(struct actor *actor, const struct store_user *user)
{
	int role = role_find(user->role);
	actor->kind = ACTOR_USER;
	actor->name = xstrdup(user->name);
	actor->user = xstrdup(user->name);
	/* A role of a newer release: he is somebody, and may do nothing. */
	actor->role = role < 0 ? ROLE_COUNT : (enum role)role;
	actor->permissions = role < 0 ? 0 : role_permissions((enum role)role);
}

static enum store_status find_user(struct exchange *exchange, struct actor *actor, struct err *err)
{
	struct store *store = exchange->hub->store;
	unsigned char hash[STORE_HASH_BYTES];
	struct store_user user;
	if (secret_hash(exchange->cookie, hash))
		return STORE_NOT_FOUND;
	enum store_status status =
		store->driver->web_sessions.find(store, hash, time(NULL), &user, err);
	if (status == STORE_OK) {
		actor_is_user(actor, &user);
		store_user_free(&user);
	}
	return status;
}

/* What the maker of a key may do now: nobody's key outlives his rights. */
static enum store_status makers_permissions(
	struct store *store, const struct store_key *key, unsigned *permissions, struct err *err)
{
	struct store_user user;
	*permissions = role_permissions(ROLE_ADMINISTRATOR);
	if (!*key->maker)
		return STORE_OK;
	*permissions = 0;
	enum store_status status = store->driver->users.find(store, key->maker, &user, err);
	if (status != STORE_OK)
		return status;
	int role = role_find(user.role);
	*permissions = role < 0 ? 0 : role_permissions((enum role)role);
	store_user_free(&user);
	return STORE_OK;
}

static void actor_is_key(struct actor *actor, const struct store_key *key, unsigned makers)
{
	unsigned given = 0;
	if (access_read_names(key->permissions, &given))
		given = 0; /* a permission of a newer release */
	actor->kind = ACTOR_KEY;
	actor->name = xasprintf(ACCESS_KEY_NAME_PREFIX "%s", key->name);
	actor->user = *key->maker ? xstrdup(key->maker) : NULL;
	actor->key = xstrdup(key->id);
	actor->permissions = given & makers;
	actor->location = *key->location ? xstrdup(key->location) : NULL;
}

/* A key that was good once is worth a row in the audit trail: somebody still uses it, or stole it.
 * One that is tried on and on is worth fewer and fewer. */
static void note_refused(struct exchange *exchange, const struct store_key *key)
{
	struct actor actor = {.kind = ACTOR_KEY};
	struct throttle *throttle = &exchange->hub->logins;
	int64_t now = time(NULL);
	if (throttle_wait(throttle, key->id, now))
		return;
	throttle_failed(throttle, key->id, now);
	cleanup(free_ptr) char *name = xasprintf(ACCESS_KEY_NAME_PREFIX "%s", key->name);
	actor.name = name;
	memcpy(actor.peer, exchange->peer, sizeof actor.peer);
	audit_note(exchange->hub, &actor, AUDIT_KEY_REFUSED, key->id,
		key->revoked ? "it is revoked" : "it has expired");
}

static enum store_status find_key(struct exchange *exchange, struct actor *actor, struct err *err)
{
	struct store *store = exchange->hub->store;
	unsigned char hash[STORE_KEY_HASH];
	struct store_key key;
	unsigned makers = 0;
	int64_t now = time(NULL);
	if (strncmp(exchange->bearer, WHO_KEY_PREFIX, strlen(WHO_KEY_PREFIX)) != 0 ||
		secret_hash(exchange->bearer + strlen(WHO_KEY_PREFIX), hash))
		return STORE_NOT_FOUND;
	enum store_status status = store->driver->access.key_find(store, hash, &key, err);
	if (status != STORE_OK)
		return status;
	if (key.revoked || key.expires <= now) {
		note_refused(exchange, &key);
		status = STORE_NOT_FOUND;
	} else {
		status = makers_permissions(store, &key, &makers, err);
	}
	if (status == STORE_OK) {
		actor_is_key(actor, &key, makers);
		if (now - key.last_used >= WHO_KEY_USED_S)
			hub_store_said(
				exchange->hub, store->driver->access.key_used(store, key.id, now, err), err);
	}
	store_key_free(&key);
	return status;
}

static enum store_status find_actor(struct exchange *exchange, struct err *err)
{
	access_forget(&exchange->actor);
	memcpy(exchange->actor.peer, exchange->peer, sizeof exchange->actor.peer);
	return exchange->bearer[0] ? find_key(exchange, &exchange->actor, err)
							   : find_user(exchange, &exchange->actor, err);
}

int who_acts(struct exchange *exchange)
{
	struct err err = {0};
	enum store_status status = find_actor(exchange, &err);
	if (status == STORE_OK)
		return 0;
	if (status != STORE_NOT_FOUND)
		answer_store_problem(exchange, status, &err);
	else if (exchange->bearer[0]) {
		exchange_header(exchange, "www-authenticate:", "Bearer error=\"invalid_token\"");
		exchange_problem_of(exchange, 401, "not-signed-in", NULL,
			"This API key is not known here, is revoked or has expired.");
	} else {
		exchange_header(exchange, "www-authenticate:", "Bearer");
		exchange_problem_of(exchange, 401, "not-signed-in", NULL,
			"Sign in first, or send an API key: Authorization: Bearer spk_...");
	}
	return -1;
}

bool who_still(struct exchange *exchange)
{
	struct err err = {0};
	enum store_status status = find_actor(exchange, &err);
	if (status != STORE_OK && status != STORE_NOT_FOUND)
		hub_store_said(exchange->hub, status, &err);
	return status == STORE_OK && actor_may(&exchange->actor, exchange->route->permission);
}

bool who_sees_server(struct hub *hub, const struct actor *actor, const char *server)
{
	struct store_server row;
	struct err err = {0};
	if (!actor->location)
		return true;
	hub_flush(hub);
	enum store_status status =
		hub->store->driver->servers.find(hub->store, server, &row, NULL, &err);
	if (status != STORE_OK)
		return false;
	bool sees = actor_sees(actor, row.location);
	store_server_free(&row);
	return sees;
}

/* --- signing in ---------------------------------------------------------------------------- */

int who_sign_in(struct exchange *exchange, const char *user)
{
	struct store *store = exchange->hub->store;
	unsigned char hash[STORE_HASH_BYTES];
	char text[sodium_base64_ENCODED_LEN(SECRET_BYTES, BASE64)];
	struct err err = {0};
	new_secret(text, sizeof text, hash);
	int64_t now = time(NULL);
	enum store_status status =
		store->driver->web_sessions.add(store, hash, user, now, now + WHO_SESSION_S, &err);
	if (status == STORE_OK)
		exchange_header(exchange, "set-cookie:",
			"__Host-sallyport=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%d", text,
			WHO_SESSION_S);
	else
		answer_store_problem(exchange, status, &err);
	sodium_memzero(text, sizeof text);
	return status == STORE_OK ? 0 : -1;
}

void who_sign_out(struct exchange *exchange)
{
	unsigned char hash[STORE_HASH_BYTES];
	struct err err = {0};
	struct store *store = exchange->hub->store;
	if (secret_hash(exchange->cookie, hash) == 0) {
		if (find_user(exchange, &exchange->actor, NULL) == STORE_OK) {
			memcpy(exchange->actor.peer, exchange->peer, sizeof exchange->actor.peer);
			audit_note(exchange->hub, &exchange->actor, AUDIT_LOGOUT, exchange->actor.name, NULL);
		}
		enum store_status status = store->driver->web_sessions.remove(store, hash, &err);
		if (status != STORE_OK) {
			answer_store_problem(exchange, status, &err);
			return;
		}
	}
	exchange_header(exchange,
		"set-cookie:", "__Host-sallyport=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
	exchange_empty(exchange, 204);
}
