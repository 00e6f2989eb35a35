/*
 * Connectors at work: who does it, what it is sent, and what becomes of it when that one fails.
 *
 * Happy path: install.start with all targets -> (what a person confirmed) install.go, each target
 * with a token of its own -> the events of said.c. What goes wrong: the connector refuses, is away
 * for too long, was restarted, or its worker ends: then the next one with a box begins anew, or all
 * that is not final fails.
 */
#include "hub/installs/parts.h"

#include "base/json.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- choosing ------------------------------------------------------------------------------- */

struct still {
	const char *server;
	bool found;
};

static void look_for(void *data, const struct store_connector *connector)
{
	struct still *still = data;
	still->found |= strcmp(connector->id, still->server) == 0;
}

static bool is_connector(
	struct installs *installs, const struct installs_one *one, const char *server)
{
	struct still still = {.server = server};
	return installs->store->driver->locations.connectors(
			   installs->store, one->row.location, look_for, &still, NULL) == STORE_OK &&
		   still.found;
}

struct installs_box *installs_choose(
	struct installs *installs, struct installs_one *one, uint64_t *session, uint64_t *instance)
{
	for (size_t i = 0; i < one->box_count; i++) {
		bool ready = false;
		struct installs_box *box = &one->boxes[i];
		if (box->spent || !is_connector(installs, one, box->server))
			continue;
		*session = installs->hooks.session(installs->hooks.data, box->server, &ready, instance);
		if (*session && ready)
			return box;
	}
	return NULL;
}

static struct installs_box *box_of(const struct installs_one *one)
{
	for (size_t i = 0; i < one->box_count; i++)
		if (strcmp(one->boxes[i].server, one->row.connector) == 0)
			return &one->boxes[i];
	return NULL;
}

/* --- what is sent --------------------------------------------------------------------------- */

static json_t *plan_of(struct installs *installs, const struct installs_target *target)
{
	char id[24];
	char *print = NULL;
	snprintf(id, sizeof id, "%lld", (long long)target->row.seq);
	installs->store->driver->locations.pinned(installs->store, target->install->row.location,
		target->row.host, target->row.port, &print, NULL);
	json_t *keys = print ? json_pack("[s]", print) : json_array();
	free(print);
	return json_pack("{s:s,s:s,s:I,s:s,s:b,s:o}", "id", id, "host", target->row.host, "port",
		(json_int_t)target->row.port, "user", target->row.user, "from_range",
		(int)target->row.from_range, "host_keys", keys);
}

static json_t *hub_of(struct installs *installs, const struct installs_one *one)
{
	struct store_location location = {0};
	json_t *hub = installs->hooks.hub(installs->hooks.data);
	installs->store->driver->locations.find(installs->store, one->row.location, &location, NULL);
	json_object_set_new(hub, "addressing", json_string(location.dhcp ? "dhcp" : "any"));
	json_object_set_new(hub, "location", json_string(one->row.location));
	store_location_free(&location);
	return hub;
}

json_t *installs_plan(struct installs *installs, const char *id)
{
	const struct installs_one *one = installs_find(installs, id);
	json_t *targets = json_array();
	for (size_t i = 0; one && i < one->count; i++)
		json_array_append_new(targets, plan_of(installs, &one->targets[i]));
	json_t *plan =
		json_pack("{s:s,s:s,s:o,s:o,s:o}", "id", id, "location", one ? one->row.location : "",
			"targets", targets, "portable", installs->hooks.portable(installs->hooks.data), "hub",
			one ? hub_of(installs, one) : json_object());
	return plan;
}

static int64_t send_message(struct installs *installs, const struct installs_one *one,
	enum message message, const void *record)
{
	return installs->hooks.send(installs->hooks.data, one->row.connector, one->session,
		message_method(message), message_write(message, record));
}

static void say_start(struct installs *installs, struct installs_one *one)
{
	const struct installs_box *box = box_of(one);
	struct msg_install_start start = {
		.install = one->row.id,
		.action = one->row.action,
		.targets = json_array(),
		.parallel = one->row.parallel,
	};
	for (size_t i = 0; i < one->count; i++)
		if (one->targets[i].row.state != TARGET_JOINED &&
			installs_target_is_live(one->targets[i].row.state))
			json_array_append_new(start.targets, plan_of(installs, &one->targets[i]));
	one->ask = 0;
	if (box && json_array_size(start.targets)) {
		start.credentials = box->text;
		start.portable = installs->hooks.portable(installs->hooks.data);
		start.hub = hub_of(installs, one);
		one->ask = send_message(installs, one, MSG_install_start, &start);
		json_decref(start.portable);
		json_decref(start.hub);
	}
	json_decref(start.targets);
	one->ask_at_ms = 0;
	one->away_ms = 0;
}

void installs_begin(struct installs *installs, struct installs_one *one, int64_t now)
{
	for (size_t i = 0; i < one->count; i++) {
		struct installs_target *target = &one->targets[i];
		target->gone = false;
		target->stage = 0;
		if (target->row.state == TARGET_JOINED ||
			!installs_move(installs, target, TARGET_WAITING, now))
			continue;
		installs->store->driver->installs.drop_tokens(installs->store, target->row.seq, NULL);
		installs_set_text(&target->row.stage, "");
		target->row.sent = target->row.total = -1;
	}
	say_start(installs, one);
}

/* The token's text, wiped by the caller; NULL when there is none to be had, or none is needed. */
static char *token_of(struct installs *installs, const struct installs_target *target,
	enum store_status *status, struct err *err)
{
	const struct installs_one *one = target->install;
	char *text = NULL;
	if (strcmp(one->row.action, "install") != 0)
		return xstrdup("");
	*status = installs->hooks.token(installs->hooks.data, one->row.location, target->row.seq,
		target->row.host, one->row.created_by, &text, err);
	return *status == STORE_OK ? text : NULL;
}

void installs_wipe_tokens(json_t *tokens)
{
	size_t at;
	json_t *row;
	json_array_foreach(tokens, at, row)
	{
		json_t *token = json_object_get(row, "token");
		sodium_memzero((char *)json_string_value(token), json_string_length(token));
	}
	json_decref(tokens);
}

json_t *installs_make_tokens(
	struct installs *installs, struct installs_one *one, const json_t *only, struct err *err)
{
	const struct store_driver *driver = installs->store->driver;
	enum store_status status = driver->begin(installs->store, true, err);
	json_t *tokens = json_array();
	for (size_t i = 0; i < one->count && status == STORE_OK; i++) {
		struct installs_target *target = &one->targets[i];
		char id[24];
		snprintf(id, sizeof id, "%lld", (long long)target->row.seq);
		if (target->row.state != TARGET_READY || !target->row.confirmed ||
			(only ? !json_object_get(only, id) : target->gone))
			continue;
		char *text = token_of(installs, target, &status, err);
		if (!text)
			break;
		json_array_append_new(
			tokens, json_pack("{s:s,s:s,s:s}", "id", id, "host_key", target->print, "token", text));
		sodium_memzero(text, strlen(text));
		free(text);
	}
	if (status == STORE_OK)
		status = driver->commit(installs->store, err);
	else
		driver->rollback(installs->store);
	if (status == STORE_OK)
		return tokens;
	installs_wipe_tokens(tokens);
	return NULL;
}

void installs_send_go(struct installs *installs, struct installs_one *one)
{
	struct err err = {0};
	one->go_due = false;
	struct msg_install_go go = {.install = one->row.id};
	go.targets = one->row.by_command ? NULL : installs_make_tokens(installs, one, NULL, &err);
	if (!go.targets)
		return; /* the sweep tries again */
	if (json_array_size(go.targets))
		one->go_ask = send_message(installs, one, MSG_install_go, &go);
	for (size_t i = 0; one->go_ask && i < one->count; i++)
		one->targets[i].gone |=
			one->targets[i].row.state == TARGET_READY && one->targets[i].row.confirmed;
	installs_wipe_tokens(go.targets);
}

void installs_send_end(struct installs *installs, struct installs_one *one)
{
	struct msg_install_end end = {.install = one->row.id};
	if (!one->row.by_command)
		send_message(installs, one, MSG_install_end, &end);
}

/* --- when it fails -------------------------------------------------------------------------- */

void installs_hand_over(
	struct installs *installs, struct installs_one *one, const char *why, int64_t now)
{
	bool had_boxes = one->box_count > 0;
	installs_set_text(&one->row.reason, why);
	one->ask = one->go_ask = one->ask_at_ms = one->away_ms = 0;
	installs_touch_one(installs, one);
	if (one->cancel) {
		installs_fail_rest(installs, one, OUTCOME_CANCELLED, NULL, now);
		return;
	}
	const struct installs_box *box =
		++one->moves > INSTALLS_MAX_MOVES
			? NULL
			: installs_choose(installs, one, &one->session, &one->instance);
	if (!box) {
		installs_fail_rest(installs, one,
			had_boxes || one->row.by_command ? OUTCOME_CONNECTOR_LOST : OUTCOME_CREDENTIALS_GONE,
			why, now);
		return;
	}
	memcpy(one->row.connector, box->server, sizeof one->row.connector);
	installs_begin(installs, one, now);
}

void installs_lose_connector(struct installs *installs, const char *server, int64_t now)
{
	struct installs_one *one, *next;
	for (one = TAILQ_FIRST(&installs->all); one; one = next) {
		next = TAILQ_NEXT(one, of_all);
		if (strcmp(one->row.connector, server) != 0)
			continue;
		installs_send_end(installs, one);
		installs_hand_over(installs, one, "The server is no connector any more.", now);
	}
}

static const char *words_of(enum refusal refusal)
{
	return refusal == REFUSAL_BAD_MESSAGE
			   ? "The agent on the connector is older than the hub and cannot do it: update it."
			   : "The connector could not begin; its connector.log says why.";
}

bool installs_answered(struct installs *installs, const char *server, const struct rpc *rpc,
	int64_t now, int64_t now_ms)
{
	struct installs_one *one;
	TAILQ_FOREACH (one, &installs->all, of_all) {
		if (strcmp(one->row.connector, server) != 0 ||
			(rpc->id != one->ask && rpc->id != one->go_ask))
			continue;
		bool start = rpc->id == one->ask;
		*(start ? &one->ask : &one->go_ask) = 0;
		if (rpc->kind != RPC_ERROR) {
			if (start)
				installs_send_go(installs, one);
			return true;
		}
		if (rpc->refusal == REFUSAL_INSTALL_BUSY) {
			one->ask_at_ms = now_ms + INSTALLS_ASK_MS;
			return true;
		}
		if (box_of(one))
			box_of(one)->spent = true;
		installs_hand_over(installs, one, words_of(rpc->refusal), now);
		return true;
	}
	return false;
}

static void connector_is_here(
	struct installs *installs, struct installs_one *one, uint64_t session, int64_t now)
{
	bool ready;
	uint64_t instance = 0;
	installs->hooks.session(installs->hooks.data, one->row.connector, &ready, &instance);
	bool same = !instance || !one->instance || instance == one->instance;
	one->away_ms = 0;
	if (one->row.by_command || session == one->session)
		return;
	one->session = session;
	one->instance = instance;
	if (!same) {
		installs_hand_over(installs, one, "The connector's agent was restarted.", now);
		return;
	}
	/* Its worker may live; what was on its way may be lost. */
	for (size_t i = 0; i < one->count; i++)
		one->targets[i].gone = false;
	one->go_ask = 0;
	if (one->cancel)
		installs_send_end(installs, one);
	else
		say_start(installs, one);
}

void installs_session_ready(
	struct installs *installs, const char *server, uint64_t session, int64_t now)
{
	struct installs_one *one, *next;
	for (one = TAILQ_FIRST(&installs->all); one; one = next) {
		next = TAILQ_NEXT(one, of_all);
		for (size_t i = 0; i < one->count; i++)
			if (strcmp(one->targets[i].row.server, server) == 0)
				installs_look_online(installs, &one->targets[i], now);
		if (strcmp(one->row.connector, server) == 0 && one->row.finished == 0)
			connector_is_here(installs, one, session, now);
	}
}

void installs_ask_again(struct installs *installs, struct installs_one *one)
{
	if (one->ask || one->row.by_command)
		return;
	say_start(installs, one);
}
