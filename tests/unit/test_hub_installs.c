/*
 * Installs between the API and the connectors: who works on what, what a connector may say, what is
 * confirmed when, and how each target ends (R11, R12, R25, S3, S4, B8). The connectors are this
 * test; the store is the real one in memory, which fails on command.
 */
#include "base/json.h"
#include "hub/installs/installs.h"
#include "lib/memory_store.h"
#include "wire/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define NOW      1700000000
#define PLACE    "Bern"
#define MACHINES 4 /* two connectors, one that is none, one that becomes of a target */
#define MAX_SENT 64
#define BOX      "c2VhbGVkLWJveA"
#define PRINT    "SHA256:aaaa"

enum { FIRST, SECOND, STRANGER, TARGET };

static struct memory_store *memory;
static struct installs *installs;
static struct err err;
static char install_id[STORE_INSTALL_ID_SIZE];
static int64_t first_target, now_ms = 1000;

static struct {
	uint64_t session, instance; /* session 0: it is offline */
	char id[IDENTITY_ID_SIZE];
} machines[MACHINES];

static struct {
	int machine;
	int64_t id;
	char method[24];
	json_t *params;
} sent[MAX_SENT];
static size_t sent_count;
static size_t confirmed, events, tokens;

/* --- hooks ----------------------------------------------------------------------------------- */

static int find_machine(const char *id)
{
	for (int i = 0; i < MACHINES; i++)
		if (strcmp(machines[i].id, id) == 0)
			return i;
	return -1;
}

static void on_wake(void *data, int64_t after_ms)
{
	(void)data;
	(void)after_ms;
}

static uint64_t on_session(void *data, const char *server, bool *ready, uint64_t *instance)
{
	int at = find_machine(server);
	(void)data;
	*ready = at >= 0 && machines[at].session;
	*instance = at >= 0 ? machines[at].instance : 0;
	return at >= 0 ? machines[at].session : 0;
}

static int64_t on_send(
	void *data, const char *server, uint64_t session, const char *method, json_t *params)
{
	static int64_t last_id;
	int at = find_machine(server);
	(void)data;
	if (at < 0 || machines[at].session != session || sent_count == MAX_SENT) {
		json_decref(params);
		return 0;
	}
	sent[sent_count].machine = at;
	sent[sent_count].id = ++last_id;
	/* A copy: what is secret in it is wiped by its owner. */
	sent[sent_count].params = json_deep_copy(params);
	snprintf(sent[sent_count].method, sizeof sent->method, "%s", method);
	json_decref(params);
	return sent[sent_count++].id;
}

static void on_confirm(void *data, const struct jobs_receipt *receipt)
{
	(void)data;
	(void)receipt;
	confirmed++;
}

static enum store_status on_token(void *data, const char *location, int64_t target,
	const char *host, const char *by, char **text, struct err *problem)
{
	struct store_token token = {
		.label = (char *)host,
		.created_by = (char *)by,
		.created = NOW,
		.expires = NOW + 1800,
		.uses = 1,
		.location = (char *)location,
		.target = target,
	};
	(void)data;
	snprintf(token.id, sizeof token.id, "%016zx", ++tokens);
	token.secret_hash[0] = (unsigned char)tokens;
	*text = xasprintf("token-%zu", tokens);
	return memory->store->driver->tokens.add(memory->store, &token, problem);
}

static json_t *on_portable(void *data)
{
	(void)data;
	return json_object();
}

static json_t *on_hub(void *data)
{
	(void)data;
	return json_pack("{s:s}", "url", "https://hub:443");
}

static void on_changed(void *data, const char *install, const char *location,
	const int64_t *targets, size_t count, bool more)
{
	(void)data;
	(void)install;
	(void)location;
	(void)targets;
	(void)count;
	(void)more;
	events++;
}

static bool on_watched(void *data)
{
	(void)data;
	return true;
}

/* --- set-up ---------------------------------------------------------------------------------- */

static void make_installs(void)
{
	static const struct installs_hooks hooks = {on_wake, on_session, on_send, on_confirm, on_token,
		on_portable, on_hub, on_changed, on_watched, NULL};
	installs = installs_new(memory->store, &hooks);
	assert_int_equal(installs_load(installs, NOW, &err), STORE_OK);
}

static void forget_sent(void)
{
	for (size_t i = 0; i < sent_count; i++)
		json_decref(sent[i].params);
	memset(sent, 0, sizeof sent);
	sent_count = confirmed = 0;
}

static int set_up(void **state)
{
	(void)state;
	memory = memory_store_open();
	memset(machines, 0, sizeof machines);
	for (unsigned i = 0; i < MACHINES; i++) {
		const char *id = memory_store_add(
			memory, i, i == STRANGER ? "{\"location\":\"Thun\"}" : "{\"location\":\"" PLACE "\"}");
		memcpy(machines[i].id, id, sizeof machines[i].id);
		machines[i].session = i + 1;
		machines[i].instance = i + 100;
	}
	for (int i = FIRST; i <= SECOND; i++)
		assert_int_equal(
			memory->store->driver->locations.promote(memory->store, machines[i].id, NOW, &err),
			STORE_OK);
	events = tokens = 0;
	make_installs();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	installs_free(installs);
	forget_sent();
	memory_store_close(memory);
	return 0;
}

static void flush(void)
{
	now_ms += 1000;
	assert_int_equal(installs_flush(installs, now_ms, &err), STORE_OK);
}

/* An install on `count` hosts, with boxes for the connectors named by bits. */
static enum installs_said ask(size_t count, unsigned boxes, const char *action)
{
	struct store_target targets[8] = {0};
	char hosts[8][16];
	cleanup(json_drop) json_t *list = json_object();
	for (int i = FIRST; i <= SECOND; i++)
		if (boxes & 1u << i)
			json_object_set_new(list, machines[i].id, json_string(BOX));
	for (size_t i = 0; i < count; i++) {
		snprintf(hosts[i], sizeof hosts[i], "10.0.0.%zu", i + 1);
		targets[i] = (struct store_target){.host = hosts[i],
			.user = (char *)"root",
			.name = (char *)"",
			.port = 22,
			.from_range = i == 1};
	}
	struct installs_wish wish = {
		.row = {.location = (char *)PLACE,
			.action = (char *)action,
			.hosts = (char *)"hosts",
			.user = (char *)"",
			.created_by = (char *)"alice",
			.port = 22,
			.parallel = 16,
			.created = NOW},
		.targets = targets,
		.count = count,
		.boxes = list,
	};
	enum installs_said said = installs_ask(installs, &wish, install_id);
	first_target = targets[0].seq;
	return said;
}

static enum installs_said say_as(int machine, int64_t target, json_t *event)
{
	char name[24];
	const struct jobs_receipt none = {0};
	struct jobs_receipt receipt = none;
	memcpy(receipt.server, machines[machine].id, sizeof receipt.server);
	snprintf(name, sizeof name, "%lld", (long long)target);
	const struct msg_install_event told = {.install = install_id, .target = name, .event = event};
	enum installs_said said = installs_told(installs, &receipt, &told, NOW, now_ms);
	json_decref(event);
	return said;
}

static enum installs_said say(int64_t target, const char *state)
{
	return say_as(FIRST, target,
		json_pack("{s:s,s:s,s:{s:s,s:s,s:s}}", "state", state, "stage", "host-key", "host_key",
			"type", "ssh-ed25519", "fingerprint", PRINT, "state", "new"));
}

static void answer(size_t request, enum refusal refusal)
{
	struct rpc rpc = {
		.kind = refusal ? RPC_ERROR : RPC_RESULT, .id = sent[request].id, .refusal = refusal};
	assert_true(installs_answered(installs, machines[sent[request].machine].id, &rpc, NOW, now_ms));
}

static enum installs_said go(const char *print)
{
	char name[24];
	snprintf(name, sizeof name, "%lld", (long long)first_target);
	cleanup(json_drop) json_t *keys = print ? json_pack("{s:s}", name, print) : NULL;
	return installs_go(installs, install_id, keys, NULL, "alice", NOW, &err);
}

static struct store_target target_now(int64_t seq)
{
	struct store_target target;
	flush();
	assert_int_equal(
		memory->store->driver->installs.target(memory->store, seq, &target, &err), STORE_OK);
	return target;
}

static void must_be(int64_t seq, enum store_target_state state, const char *outcome)
{
	struct store_target target = target_now(seq);
	assert_int_equal(target.state, state);
	assert_string_equal(target.outcome, outcome);
	if (*outcome)
		assert_true(*target.sentence && *target.remedy);
	store_target_free(&target);
}

static enum store_install_state install_state(void)
{
	struct store_install install;
	flush();
	assert_int_equal(
		memory->store->driver->installs.find(memory->store, install_id, &install, &err), STORE_OK);
	enum store_install_state state = install.state;
	store_install_free(&install);
	return state;
}

/* --- the happy path -------------------------------------------------------------------------- */

static void a_target_comes_online(void **state)
{
	(void)state;
	machines[TARGET].session = 0;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	assert_string_equal(sent[0].method, "install.start");
	assert_string_equal(json_get_text(sent[0].params, "credentials"), BOX);
	assert_int_equal(install_state(), STORE_INSTALL_LOOKING);
	answer(0, REFUSAL_NONE);
	assert_int_equal(say(first_target, "looking"), INSTALLS_NEW);
	assert_int_equal(confirmed, 0); /* not before it is written */
	flush();
	assert_int_equal(confirmed, 1);
	assert_int_equal(say(first_target, "ready"), INSTALLS_NEW);
	assert_int_equal(install_state(), STORE_INSTALL_WAITING);

	/* Nobody has seen that key: nothing goes. Another key than the one that was seen: neither. */
	assert_int_equal(say(first_target, "working"), INSTALLS_BEFORE);
	assert_int_equal(go(NULL), INSTALLS_NOT_NOW);
	assert_int_equal(go("SHA256:bbbb"), INSTALLS_CHANGED);
	assert_int_equal(sent_count, 1);
	assert_int_equal(go(PRINT), INSTALLS_NEW);
	assert_string_equal(sent[1].method, "install.go");
	const json_t *row = json_array_get(json_object_get(sent[1].params, "targets"), 0);
	assert_string_equal(json_get_text(row, "host_key"), PRINT);
	assert_string_equal(json_get_text(row, "token"), "token-1");
	assert_int_equal(install_state(), STORE_INSTALL_WORKING);
	answer(1, REFUSAL_NONE);
	assert_int_equal(say(first_target, "working"), INSTALLS_NEW);

	/* It enrols with its token; joined is not online. */
	struct store_enrolment enrolment = {.inventory = "{\"location\":\"elsewhere\"}", .now = NOW};
	enum enrol_result result = ENROL_TOKEN_UNKNOWN;
	enrolment.secret_hash[0] = 1;
	memset(enrolment.key, 7, sizeof enrolment.key);
	assert_int_equal(
		memory->store->driver->servers.enrol(memory->store, &enrolment, &result, &err), STORE_OK);
	assert_int_equal(result, ENROL_OK);
	assert_int_equal(enrolment.target, first_target);
	identity_id(enrolment.key, machines[TARGET].id);
	installs_enrolled(installs, enrolment.target, machines[TARGET].id, NOW);
	assert_int_equal(say(first_target, "joined"), INSTALLS_NEW);
	must_be(first_target, TARGET_JOINED, "");
	machines[TARGET].session = 9;
	installs_session_ready(installs, machines[TARGET].id, 9, NOW);
	struct store_target target = target_now(first_target);
	assert_int_equal(target.state, TARGET_ONLINE);
	assert_string_equal(target.server, machines[TARGET].id);
	store_target_free(&target);
	assert_int_equal(install_state(), STORE_INSTALL_DONE);
	assert_false(installs_is_live(installs, install_id));
	assert_int_equal(installs_box_bytes(installs), 0);

	/* What the machine says of its place does not count: it is where the install was. */
	struct store_server server;
	assert_int_equal(memory->store->driver->servers.find(
						 memory->store, machines[TARGET].id, &server, NULL, &err),
		STORE_OK);
	assert_string_equal(server.location, PLACE);
	store_server_free(&server);
	assert_true(events > 0);
}

/* --- what a connector may say ---------------------------------------------------------------- */

static void a_connector_is_bound_to_its_targets(void **state)
{
	(void)state;
	assert_int_equal(ask(2, 1u << FIRST, "install"), INSTALLS_NEW);
	assert_int_equal(
		say_as(STRANGER, first_target, json_pack("{s:s}", "state", "failed")), INSTALLS_WRONG);
	assert_int_equal(say(first_target + 7, "looking"), INSTALLS_WRONG);
	assert_int_equal(
		say_as(FIRST, first_target, json_pack("{s:s}", "state", "online")), INSTALLS_WRONG);
	assert_int_equal(say_as(FIRST, first_target, json_pack("{s:i}", "state", 1)), INSTALLS_WRONG);
	/* Not of a range: it is there or has failed; and an install removes nothing. */
	assert_int_equal(say(first_target, "absent"), INSTALLS_BEFORE);
	assert_int_equal(say(first_target, "removed"), INSTALLS_BEFORE);
	must_be(first_target, TARGET_WAITING, "");
	assert_int_equal(say(first_target + 1, "absent"), INSTALLS_NEW);
	must_be(first_target + 1, TARGET_ABSENT, "");

	/* A server of another location is nothing that it may speak of. */
	assert_int_equal(say(first_target, "ready"), INSTALLS_NEW);
	assert_int_equal(go(PRINT), INSTALLS_NEW);
	say_as(FIRST, first_target,
		json_pack("{s:s,s:s}", "state", "joined", "server", machines[STRANGER].id));
	must_be(first_target, TARGET_FAILED, "agent-other-location");
	char unknown[STORE_INSTALL_ID_SIZE];
	memcpy(unknown, install_id, sizeof unknown);
	flush();
	assert_int_equal(say(first_target, "looking"), INSTALLS_UNKNOWN); /* it is over */
}

static void what_it_says_is_bounded(void **state)
{
	char text[9000];
	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	assert_int_equal(
		say_as(FIRST, first_target, json_pack("{s:s,s:s}", "state", "failed", "sentence", text)),
		INSTALLS_WRONG);
	text[4000] = '\0';
	json_t *facts = json_object();
	for (int i = 0; i < 40; i++) {
		char name[16];
		snprintf(name, sizeof name, "fact-%d", i);
		json_object_set_new(facts, name, json_integer(i));
	}
	assert_int_equal(
		say_as(FIRST, first_target,
			json_pack("{s:s,s:s,s:s,s:[{s:s,s:s},{s:s,s:s}],s:o,s:s}", "state", "failed", "outcome",
				"disk-full", "sentence", text, "evidence", "name", "a", "value", "\x1b[31m", "name",
				"Bad Name", "value", "x", "facts", facts, "stage", "nowhere")),
		INSTALLS_NEW);
	struct store_target target = target_now(first_target);
	assert_true(strlen(target.sentence) < 500);
	assert_string_equal(target.evidence, "[{\"name\":\"a\",\"value\":\"\\\\x1b[31m\"}]");
	assert_string_equal(target.stage, "");
	cleanup(json_drop) json_t *kept = json_parse(target.facts, strlen(target.facts), &err);
	assert_int_equal(json_object_size(kept), 16);
	store_target_free(&target);
}

static void a_changed_host_key_stops(void **state)
{
	const struct store_host_key key = {.host = (char *)"10.0.0.1",
		.port = 22,
		.fingerprint = (char *)"SHA256:old",
		.confirmed_by = (char *)"alice",
		.confirmed = NOW};
	(void)state;
	assert_int_equal(
		memory->store->driver->locations.pin(memory->store, PLACE, &key, &err), STORE_OK);
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	/* What the connector calls new is changed: the hub knows better. */
	assert_int_equal(say(first_target, "ready"), INSTALLS_NEW);
	must_be(first_target, TARGET_FAILED, "host-key-changed");
	struct store_target target = target_now(first_target);
	assert_non_null(strstr(target.host_key, "\"expected\":\"SHA256:old\""));
	store_target_free(&target);
}

/* --- when connectors fail -------------------------------------------------------------------- */

static void another_connector_takes_over(void **state)
{
	(void)state;
	assert_int_equal(ask(1, 1u << FIRST | 1u << SECOND, "install"), INSTALLS_NEW);
	int worker = sent[0].machine, other = worker == FIRST ? SECOND : FIRST;
	say_as(worker, first_target,
		json_pack(
			"{s:s,s:{s:s,s:s}}", "state", "ready", "host_key", "type", "x", "fingerprint", PRINT));
	assert_int_equal(go(PRINT), INSTALLS_NEW);
	say_as(worker, first_target, json_pack("{s:s,s:s}", "state", "working", "stage", "copy"));
	flush();
	forget_sent();
	machines[worker].session = 0;
	installs_sweep(installs, NOW, now_ms);
	installs_sweep(installs, NOW, now_ms + INSTALLS_AWAY_MS - 1);
	assert_int_equal(sent_count, 0); /* it may come back */
	installs_sweep(installs, NOW, now_ms + INSTALLS_AWAY_MS);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent[0].machine, other);
	must_be(first_target, TARGET_WAITING, "");
	/* The first one comes back and still speaks of it. */
	assert_int_equal(
		say_as(worker, first_target, json_pack("{s:s}", "state", "joined")), INSTALLS_UNKNOWN);
	/* What was confirmed goes on by itself, with a token that was not given out before. */
	say_as(other, first_target,
		json_pack(
			"{s:s,s:{s:s,s:s}}", "state", "ready", "host_key", "type", "x", "fingerprint", PRINT));
	flush();
	assert_int_equal(sent_count, 2);
	assert_string_equal(sent[1].method, "install.go");
	const json_t *row = json_array_get(json_object_get(sent[1].params, "targets"), 0);
	assert_string_equal(json_get_text(row, "token"), "token-2");
	/* And when that one's worker ends before its time, nobody is left. */
	struct jobs_receipt receipt = {0};
	memcpy(receipt.server, machines[other].id, sizeof receipt.server);
	struct msg_install_over over = {.install = install_id, .reason = (char *)"killed"};
	assert_int_equal(installs_over(installs, &receipt, &over, NOW), INSTALLS_BEFORE);
	must_be(first_target, TARGET_FAILED, "connector-lost");
	assert_int_equal(installs_box_bytes(installs), 0);
}

static void a_restarted_agent_begins_anew(void **state)
{
	(void)state;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	say(first_target, "looking");
	flush();
	forget_sent();
	/* The same agent in a new session: its worker lives, and is told again. */
	machines[FIRST].session = 21;
	installs_session_ready(installs, machines[FIRST].id, 21, NOW);
	assert_int_equal(sent_count, 1);
	must_be(first_target, TARGET_LOOKING, "");
	/* Another life of it: the worker is dead. */
	machines[FIRST].session = 22;
	machines[FIRST].instance++;
	installs_session_ready(installs, machines[FIRST].id, 22, NOW);
	assert_int_equal(sent_count, 2);
	must_be(first_target, TARGET_WAITING, "");
}

static void nobody_is_there(void **state)
{
	(void)state;
	machines[FIRST].session = machines[SECOND].session = 0;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NOBODY);
	machines[SECOND].session = 1;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NOBODY); /* no box for that one */
	machines[FIRST].session = 1;
	for (int i = 0; i < INSTALLS_MAX_LIVE; i++)
		assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_FULL);
}

static void a_busy_connector_is_asked_again(void **state)
{
	(void)state;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	answer(0, REFUSAL_INSTALL_BUSY);
	installs_sweep(installs, NOW, now_ms + INSTALLS_ASK_MS - 1);
	assert_int_equal(sent_count, 1);
	installs_sweep(installs, NOW, now_ms + INSTALLS_ASK_MS);
	assert_int_equal(sent_count, 2);
	answer(1, REFUSAL_BAD_MESSAGE); /* an agent that is too old */
	must_be(first_target, TARGET_FAILED, "connector-lost");
}

/* --- time, restart, cancelling --------------------------------------------------------------- */

static void bring_to_joined(void)
{
	say(first_target, "ready");
	assert_int_equal(go(PRINT), INSTALLS_NEW);
	say_as(FIRST, first_target,
		json_pack("{s:s,s:s}", "state", "joined", "server", machines[TARGET].id));
}

static void one_that_never_appears_may_still_come(void **state)
{
	(void)state;
	machines[TARGET].session = 0;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	bring_to_joined();
	installs_sweep(installs, NOW + INSTALLS_APPEAR_S - 1, now_ms);
	must_be(first_target, TARGET_JOINED, "");
	installs_sweep(installs, NOW + INSTALLS_APPEAR_S, now_ms);
	must_be(first_target, TARGET_FAILED, "never-appeared");
	assert_int_equal(install_state(), STORE_INSTALL_DONE);
	machines[TARGET].session = 30;
	installs_session_ready(installs, machines[TARGET].id, 30, NOW);
	must_be(first_target, TARGET_ONLINE, "");
}

static void a_restarted_hub_has_no_credentials(void **state)
{
	(void)state;
	machines[TARGET].session = 0;
	assert_int_equal(ask(2, 1u << FIRST, "install"), INSTALLS_NEW);
	say(first_target + 1, "looking");
	bring_to_joined();
	flush();
	installs_free(installs); /* as kill -9 does: nothing is written any more */
	make_installs();
	must_be(first_target + 1, TARGET_FAILED, "credentials-gone");
	must_be(first_target, TARGET_JOINED, "");
	assert_int_equal(installs_box_bytes(installs), 0);
	machines[TARGET].session = 31;
	installs_session_ready(installs, machines[TARGET].id, 31, NOW);
	must_be(first_target, TARGET_ONLINE, "");
	assert_int_equal(install_state(), STORE_INSTALL_DONE);
}

static void boxes_do_not_stay(void **state)
{
	(void)state;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	say(first_target, "ready");
	assert_true(installs_box_bytes(installs) > 0);
	installs_sweep(installs, NOW, now_ms);
	installs_sweep(installs, NOW, now_ms + INSTALLS_BOX_MS);
	assert_int_equal(installs_box_bytes(installs), 0);
	must_be(first_target, TARGET_FAILED, "credentials-gone");
}

static void cancelling_waits_for_what_is_under_way(void **state)
{
	(void)state;
	assert_int_equal(ask(2, 1u << FIRST, "install"), INSTALLS_NEW);
	say(first_target, "ready");
	assert_int_equal(go(PRINT), INSTALLS_NEW);
	say(first_target, "working");
	flush();
	forget_sent();
	assert_int_equal(installs_cancel(installs, install_id, NOW), INSTALLS_NEW);
	assert_string_equal(sent[0].method, "install.end");
	assert_int_equal(installs_box_bytes(installs), 0);
	must_be(first_target + 1, TARGET_CANCELLED, "cancelled");
	must_be(first_target, TARGET_WORKING, "");
	say_as(
		FIRST, first_target, json_pack("{s:s,s:s}", "state", "cancelled", "outcome", "cancelled"));
	must_be(first_target, TARGET_CANCELLED, "cancelled");
	assert_int_equal(install_state(), STORE_INSTALL_CANCELLED);
}

static void a_store_that_fails_confirms_nothing(void **state)
{
	(void)state;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	flush();
	say(first_target, "looking");
	memory->fail_with = STORE_FULL;
	assert_int_equal(installs_flush(installs, now_ms, &err), STORE_FULL);
	assert_int_equal(confirmed, 0);
	memory->fail_with = STORE_OK;
	must_be(first_target, TARGET_LOOKING, "");
	assert_int_equal(confirmed, 1);
}

/* Machines that were expected and are not here (R25). */
static void what_is_missing_is_listed(void **state)
{
	const struct store_target_query query = {.limit = 10};
	struct store_target_page page;
	(void)state;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	say_as(
		FIRST, first_target, json_pack("{s:s,s:s}", "state", "failed", "outcome", "auth-failed"));
	flush();
	const struct store_installs_ops *store = &memory->store->driver->installs;
	assert_int_equal(store->targets(memory->store, &query, &page, &err), STORE_OK);
	assert_int_equal(page.count, 1);
	assert_int_equal(page.rows[0].seq, first_target);
	store_target_page_free(&page);
	/* Another try is under way: the newest word counts. */
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	assert_int_equal(store->targets(memory->store, &query, &page, &err), STORE_OK);
	assert_int_equal(page.count, 0);
	store_target_page_free(&page);
	say_as(FIRST, first_target, json_pack("{s:s}", "state", "failed"));
	flush();
	assert_int_equal(store->forget(memory->store, first_target, &err), STORE_OK);
	assert_int_equal(store->targets(memory->store, &query, &page, &err), STORE_OK);
	assert_int_equal(page.count, 0);
	store_target_page_free(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_target_comes_online, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_connector_is_bound_to_its_targets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_it_says_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_changed_host_key_stops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_connector_takes_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_restarted_agent_begins_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_is_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_busy_connector_is_asked_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_that_never_appears_may_still_come, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_restarted_hub_has_no_credentials, set_up, tear_down),
		cmocka_unit_test_setup_teardown(boxes_do_not_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cancelling_waits_for_what_is_under_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_store_that_fails_confirms_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_missing_is_listed, set_up, tear_down),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
