#include "hub/api/replay.h"

#include "hub/api/request.h"
#include "hub/state.h"

#include <sodium.h>
#include <string.h>

#define MAX_KEY 128

struct replay {
	unsigned char id[STORE_KEY_HASH];
};

/* What the database does not know: hashes of bodies cannot be guessed from it, answers not read. */
static void derive_key(const struct hub *hub, unsigned char key[crypto_secretbox_KEYBYTES])
{
	static const unsigned char purpose[] = "sallyport idempotent answers 1";
	crypto_generichash(key, crypto_secretbox_KEYBYTES, purpose, sizeof purpose - 1,
		hub->identity.secret_key, sizeof hub->identity.secret_key);
}

static void hash_part(crypto_generichash_state *state, const char *text)
{
	crypto_generichash_update(state, (const unsigned char *)text, strlen(text) + 1);
}

/* Whoever asks, what, and the key that he gave. */
static void request_id(const struct exchange *exchange, unsigned char id[STORE_KEY_HASH])
{
	unsigned char key[crypto_secretbox_KEYBYTES];
	crypto_generichash_state state;
	const struct actor *actor = &exchange->actor;
	derive_key(exchange->hub, key);
	crypto_generichash_init(&state, key, sizeof key, STORE_KEY_HASH);
	hash_part(&state, actor_kind_name(actor->kind));
	hash_part(&state, actor->key ? actor->key : actor->name);
	hash_part(&state, exchange->path);
	hash_part(&state, exchange->replay_key);
	crypto_generichash_final(&state, id, STORE_KEY_HASH);
	sodium_memzero(key, sizeof key);
}

static void body_hash(const struct exchange *exchange, unsigned char hash[STORE_KEY_HASH])
{
	unsigned char key[crypto_secretbox_KEYBYTES];
	derive_key(exchange->hub, key);
	crypto_generichash(hash, STORE_KEY_HASH, (const unsigned char *)buf_text(&exchange->body),
		exchange->body.len, key, sizeof key);
	sodium_memzero(key, sizeof key);
}

/* --- sealing ------------------------------------------------------------------------------- */

/* Nonce, then the box of "TYPE\nANSWER". NULL when it is too long. */
static void *seal(const struct exchange *exchange, size_t *len)
{
	unsigned char key[crypto_secretbox_KEYBYTES];
	struct buf plain = {0};
	if (exchange->answer.len > REPLAY_MAX_ANSWER)
		return NULL;
	buf_printf(&plain, "%s\n", exchange->type ? exchange->type : "");
	buf_append(&plain, buf_text(&exchange->answer), exchange->answer.len);
	*len = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + plain.len;
	unsigned char *sealed = xcalloc(1, *len);
	randombytes_buf(sealed, crypto_secretbox_NONCEBYTES);
	derive_key(exchange->hub, key);
	crypto_secretbox_easy(
		sealed + crypto_secretbox_NONCEBYTES, (unsigned char *)plain.data, plain.len, sealed, key);
	sodium_memzero(key, sizeof key);
	sodium_memzero(plain.data, plain.cap);
	buf_free(&plain);
	return sealed;
}

/* The types that answers have; what is stored only chooses among them. */
static const char *known_type(const char *name)
{
	static const char *const types[] = {"application/json", "text/plain; charset=utf-8"};
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i], name) == 0)
			return types[i];
	return NULL;
}

/* Answers with what was sealed; -1 when it cannot be opened. */
static int unseal(struct exchange *exchange, const struct store_replay *replay)
{
	unsigned char key[crypto_secretbox_KEYBYTES];
	const size_t overhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
	const unsigned char *sealed = replay->answer;
	if (!sealed || replay->len <= overhead)
		return -1;
	char *plain = xcalloc(1, replay->len - overhead + 1);
	derive_key(exchange->hub, key);
	int bad =
		crypto_secretbox_open_easy((unsigned char *)plain, sealed + crypto_secretbox_NONCEBYTES,
			replay->len - crypto_secretbox_NONCEBYTES, sealed, key);
	sodium_memzero(key, sizeof key);
	char *end = bad ? NULL : strchr(plain, '\n');
	if (end) {
		*end = '\0';
		struct buf answer = {0};
		buf_append(&answer, end + 1, replay->len - overhead - (size_t)(end + 1 - plain));
		const char *type = known_type(plain);
		exchange_header(exchange, "idempotent-replay:", "true");
		if (type)
			exchange_text(exchange, type, &answer);
		else
			exchange_empty(exchange, replay->status);
		exchange->status = replay->status;
		buf_free(&answer);
	}
	sodium_memzero(plain, replay->len - overhead);
	free(plain);
	return end ? 0 : -1;
}

/* --- the order of things ------------------------------------------------------------------- */

static bool key_is_good(const char *key)
{
	size_t len = strlen(key);
	for (size_t i = 0; i < len; i++)
		if (key[i] < '!' || key[i] > '~')
			return false;
	return len <= MAX_KEY;
}

/* There is such a request already. */
static void answer_again(struct exchange *exchange, const struct store_replay *replay,
	const unsigned char body[STORE_KEY_HASH])
{
	if (sodium_memcmp(replay->body, body, STORE_KEY_HASH) != 0)
		exchange_problem_of(exchange, 422, "idempotency-mismatch", NULL,
			"This Idempotency-Key was used for another body; take a new one.");
	else if (!replay->status)
		exchange_problem_of(exchange, 409, "idempotency-unknown", NULL,
			"The first request with this Idempotency-Key is still at work, or the hub was stopped "
			"before it was answered. Look whether it was done before you ask with a new key.");
	else if (unseal(exchange, replay))
		exchange_problem_of(exchange, 409, "idempotency-unknown", NULL,
			"The request with this Idempotency-Key was done (status %d), but its answer was not "
			"kept.",
			replay->status);
}

int replay_begin(struct exchange *exchange)
{
	struct store *store = exchange->hub->store;
	struct store_replay replay = {.created = time(NULL)};
	unsigned char body[STORE_KEY_HASH];
	struct err err = {0};
	if (exchange->method != METHOD_POST || !exchange->replay_key[0] ||
		exchange->actor.kind == ACTOR_NOBODY)
		return 0;
	if (!key_is_good(exchange->replay_key)) {
		request_invalid(
			exchange, "Idempotency-Key", "1 to %d printable characters were expected.", MAX_KEY);
		return -1;
	}
	request_id(exchange, replay.id);
	body_hash(exchange, body);
	memcpy(replay.body, body, sizeof body);
	enum store_status status = store->driver->access.replay_begin(store, &replay, &err);
	if (status == STORE_OK) {
		exchange->replay = xcalloc(1, sizeof *exchange->replay);
		memcpy(exchange->replay->id, replay.id, sizeof replay.id);
		return 0;
	}
	if (status == STORE_EXISTS)
		answer_again(exchange, &replay, body);
	else
		answer_store_problem(exchange, status, &err);
	free(replay.answer);
	return -1;
}

void replay_end(struct exchange *exchange)
{
	struct store *store = exchange->hub->store;
	struct store_replay replay = {.status = exchange->status};
	struct err err = {0};
	if (!exchange->replay || !exchange->status)
		return;
	if (exchange->status >= 300) {
		replay_forget(exchange);
		return;
	}
	memcpy(replay.id, exchange->replay->id, sizeof replay.id);
	replay.answer = seal(exchange, &replay.len);
	hub_store_said(exchange->hub, store->driver->access.replay_end(store, &replay, &err), &err);
	free(replay.answer);
	free(exchange->replay);
	exchange->replay = NULL;
}

void replay_forget(struct exchange *exchange)
{
	struct store *store = exchange->hub->store;
	struct err err = {0};
	if (!exchange->replay)
		return;
	hub_store_said(
		exchange->hub, store->driver->access.replay_drop(store, exchange->replay->id, &err), &err);
	free(exchange->replay);
	exchange->replay = NULL;
}
