/* /v1/tokens: join tokens. The secret is shown once, when the token is made. */
#include "hub/api/tokens.h"

#include "base/json.h"
#include "hub/api/route.h"
#include "hub/api/request.h"
#include "hub/audit.h"
#include "hub/log.h"
#include "hub/state.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum store_status token_make(struct store *store, const struct token_wish *wish,
	char id[STORE_TOKEN_ID_SIZE], char **text, struct err *err)
{
	struct join_token token = {.port = wish->port};
	unsigned char raw_id[(STORE_TOKEN_ID_SIZE - 1) / 2];
	struct store_token row = {
		.label = (char *)wish->label,
		.created_by = (char *)wish->created_by,
		.created = wish->now,
		.expires = wish->now + wish->expires_in_s,
		.uses = wish->uses,
		.location = (char *)wish->location,
		.target = wish->target,
	};
	snprintf(token.host, sizeof token.host, "%s", wish->host);
	crypto_hash_sha256(token.hub_key_hash, wish->hub_key, IDENTITY_KEY_BYTES);
	randombytes_buf(token.secret, sizeof token.secret);
	randombytes_buf(raw_id, sizeof raw_id);
	sodium_bin2hex(row.id, sizeof row.id, raw_id, sizeof raw_id);
	token_secret_hash(token.secret, row.secret_hash);
	enum store_status status = store->driver->tokens.add(store, &row, err);
	if (status == STORE_OK) {
		memcpy(id, row.id, sizeof row.id);
		*text = token_encode(&token);
	}
	token_wipe(&token);
	return status;
}

const char *token_state(const struct store_token *token, int64_t now)
{
	if (token->revoked)
		return "revoked";
	if (token->used >= token->uses)
		return "used-up";
	return token->expires <= now ? "expired" : "valid";
}

/* What the actor may see: all, or what was made for his location. */
struct tokens_view {
	const struct actor *actor;
	json_t *list;
	const char *wanted; /* an id; NULL: the list is made */
	bool found;
};

static bool token_is_seen(const struct tokens_view *view, const struct store_token *token)
{
	return !view->actor->location || (*token->location && actor_sees(view->actor, token->location));
}

static void append_token(void *data, const struct store_token *token)
{
	struct tokens_view *view = data;
	if (!token_is_seen(view, token))
		return;
	json_array_append_new(
		view->list, json_pack("{s:s,s:s,s:o,s:s,s:o,s:I,s:I,s:s,s:o}", "id", token->id, "label",
						token->label, "created_at", time_json(token->created), "created_by",
						token->created_by, "expires_at", time_json(token->expires), "uses",
						(json_int_t)token->uses, "used", (json_int_t)token->used, "state",
						token_state(token, time(NULL)), "location", text_or_null(token->location)));
}

static void look_for_token(void *data, const struct store_token *token)
{
	struct tokens_view *view = data;
	if (strcmp(token->id, view->wanted) == 0 && token_is_seen(view, token))
		view->found = true;
}

void tokens_get(struct exchange *exchange)
{
	struct store *store = exchange->hub->store;
	struct err err = {0};
	struct tokens_view view = {.actor = &exchange->actor, .list = json_array()};
	enum store_status status = store->driver->tokens.list(store, append_token, &view, &err);
	if (status == STORE_OK) {
		exchange_json(exchange, 200, json_pack("{s:o}", "tokens", view.list));
		return;
	}
	json_decref(view.list);
	answer_store_problem(exchange, status, &err);
}

void token_post(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	char id[STORE_TOKEN_ID_SIZE];
	char *text = NULL;
	struct err err = {0};
	const char *label = NULL;
	if (body_optional(exchange, "label", 0, TOKEN_MAX_LABEL, "", &label))
		return;
	struct token_wish wish = {label, exchange->actor.name,
		hub->endpoints.places[ENDPOINT_DISCOVERY].host,
		hub->endpoints.places[ENDPOINT_DISCOVERY].port, hub->identity.public_key, time(NULL), 0, 0,
		exchange->actor.location, 0};
	wish.expires_in_s =
		body_number(exchange, "expires_in_s", TOKEN_MIN_S, TOKEN_MAX_S, TOKEN_DEFAULT_S);
	if (wish.expires_in_s > 0)
		wish.uses = body_number(exchange, "uses", 1, TOKEN_MAX_USES, 1);
	if (wish.uses <= 0)
		return;
	enum store_status status = token_make(hub->store, &wish, id, &text, &err);
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	log_line(LOG_NOTE, "\"%s\" made join token %s", exchange->actor.name, id);
	audit_note(hub, &exchange->actor, AUDIT_TOKEN_ADD, id, label);
	/* Through a pipe: as an argument it would stand in sudo's line of the process list. */
	cleanup(free_ptr) char *join = xasprintf("echo %s | sudo sallyport join --token-file -", text);
	exchange_json(exchange, 201,
		json_pack("{s:s,s:s,s:s,s:o,s:I,s:[s,s]}", "id", id, "token", text, "label", label,
			"expires_at", time_json(wish.now + wish.expires_in_s), "uses", (json_int_t)wish.uses,
			"commands", join, "sudo systemctl enable --now sallyport"));
	sodium_memzero(join, strlen(join));
	sodium_memzero(text, strlen(text));
	free(text);
}

void token_delete(struct exchange *exchange)
{
	struct store *store = exchange->hub->store;
	struct err err = {0};
	struct tokens_view view = {.actor = &exchange->actor, .wanted = exchange->operands[0]};
	enum store_status status = store->driver->tokens.list(store, look_for_token, &view, &err);
	if (status == STORE_OK)
		status =
			view.found ? store->driver->tokens.revoke(store, view.wanted, &err) : STORE_NOT_FOUND;
	if (status == STORE_NOT_FOUND) {
		exchange_problem(exchange, 404, "There is no token with this id.");
		return;
	}
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	log_line(LOG_NOTE, "\"%s\" revoked join token %s", exchange->actor.name, view.wanted);
	audit_note(exchange->hub, &exchange->actor, AUDIT_TOKEN_REVOKE, view.wanted, NULL);
	exchange_empty(exchange, 204);
}
