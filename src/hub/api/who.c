#include "hub/api/who.h"

#include "base/clock.h"
#include "base/json.h"
#include "hub/log.h"
#include "hub/state.h"

#include <sodium.h>
#include <string.h>

#define COOKIE_BYTES 32
#define BASE64       sodium_base64_VARIANT_URLSAFE_NO_PADDING

static int cookie_hash(const char *cookie, unsigned char hash[STORE_HASH_BYTES])
{
	unsigned char raw[COOKIE_BYTES];
	size_t len = 0;
	if (!*cookie ||
		sodium_base642bin(raw, sizeof raw, cookie, strlen(cookie), NULL, &len, NULL, BASE64) ||
		len != sizeof raw)
		return -1;
	crypto_hash_sha256(hash, raw, sizeof raw);
	sodium_memzero(raw, sizeof raw);
	return 0;
}

char *who_is(struct hub *hub, const char *cookie)
{
	unsigned char hash[STORE_HASH_BYTES];
	char *user = NULL;
	struct err err = {0};
	if (cookie_hash(cookie, hash))
		return NULL;
	enum store_status status =
		hub->store->driver->web_sessions.find(hub->store, hash, time(NULL), &user, &err);
	if (status == STORE_ERROR)
		log_line(LOG_ERROR, "%s", err.text);
	return user;
}

int who_sign_in(struct exchange *exchange, const char *user)
{
	struct hub *hub = exchange->hub;
	unsigned char raw[COOKIE_BYTES];
	unsigned char hash[STORE_HASH_BYTES];
	char text[sodium_base64_ENCODED_LEN(COOKIE_BYTES, BASE64)];
	struct err err = {0};
	randombytes_buf(raw, sizeof raw);
	crypto_hash_sha256(hash, raw, sizeof raw);
	sodium_bin2base64(text, sizeof text, raw, sizeof raw, BASE64);
	int64_t now = time(NULL);
	enum store_status status = hub->store->driver->web_sessions.add(
		hub->store, hash, user, now, now + WHO_SESSION_S, &err);
	if (status == STORE_OK)
		exchange_header(exchange, "set-cookie:",
			"__Host-sallyport=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%d", text,
			WHO_SESSION_S);
	else
		answer_store_problem(exchange, status, &err);
	sodium_memzero(raw, sizeof raw);
	sodium_memzero(text, sizeof text);
	return status == STORE_OK ? 0 : -1;
}

void who_sign_out(struct exchange *exchange)
{
	unsigned char hash[STORE_HASH_BYTES];
	struct err err = {0};
	struct store *store = exchange->hub->store;
	if (cookie_hash(exchange->cookie, hash) == 0) {
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

void answer_store_problem(
	struct exchange *exchange, enum store_status status, const struct err *err)
{
	hub_store_said(exchange->hub, status, err);
	if (status == STORE_FULL)
		exchange_problem(exchange, 507, "The hub could not store it: %s.", err->text);
	else if (status == STORE_NOT_FOUND)
		exchange_problem(exchange, 404, "There is no such thing here (any more).");
	else
		exchange_problem(exchange, 500, "The hub could not do it: %s.", err->text);
}

const char *body_text(struct exchange *exchange, const char *name, size_t least, size_t most)
{
	const char *text = json_get_text(exchange->json, name);
	if (text && strlen(text) >= least && strlen(text) <= most)
		return text;
	exchange_problem(
		exchange, 422, "\"%s\": a text of %zu to %zu bytes was expected.", name, least, most);
	return NULL;
}

int64_t body_number(
	struct exchange *exchange, const char *name, int64_t least, int64_t most, int64_t otherwise)
{
	const json_t *value = json_object_get(exchange->json, name);
	if (!value || json_is_null(value))
		return otherwise;
	if (json_is_integer(value) && json_integer_value(value) >= least &&
		json_integer_value(value) <= most)
		return json_integer_value(value);
	exchange_problem(exchange, 422, "\"%s\": a number from %lld to %lld was expected.", name,
		(long long)least, (long long)most);
	return -1;
}

json_t *time_json(int64_t when)
{
	char text[CLOCK_TEXT_SIZE];
	return when ? json_string(clock_rfc3339((time_t)when, text)) : json_null();
}
