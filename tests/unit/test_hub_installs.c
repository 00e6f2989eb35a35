/*
 * Installs between the API and the connectors: who works on what, what a connector may say, what is
 * confirmed when, and how each target ends (R11, R12, R25, S3, S4, B8). The connectors are this
 * test; the store is the real one in memory, which fails on command.
 */
#include "base/json.h"
#include "lib/installs_bench.h"
#include "wire/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define PRINT "SHA256:aaaa"

static struct installs_bench bench;
static struct err err;

static int set_up(void **state)
{
	(void)state;
	installs_bench_open(&bench);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	installs_bench_close(&bench);
	return 0;
}

static enum installs_said ask(size_t count, unsigned boxes, const char *action)
{
	return installs_bench_ask(&bench, count, boxes, action);
}

static enum installs_said say_as(int machine, int64_t target, json_t *event)
{
	char name[24];
	const struct jobs_receipt none = {0};
	struct jobs_receipt receipt = none;
	memcpy(receipt.server, bench.machines[machine].id, sizeof receipt.server);
	snprintf(name, sizeof name, "%lld", (long long)target);
	const struct msg_install_event told = {
		.install = bench.install, .target = name, .event = event};
	enum installs_said said = installs_told(bench.installs, &receipt, &told, NOW, bench.now_ms);
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
		.kind = refusal ? RPC_ERROR : RPC_RESULT, .id = bench.sent[request].id, .refusal = refusal};
	assert_true(installs_answered(
		bench.installs, bench.machines[bench.sent[request].machine].id, &rpc, NOW, bench.now_ms));
}

static enum installs_said go(const char *print)
{
	char name[24];
	snprintf(name, sizeof name, "%lld", (long long)bench.first_target);
	cleanup(json_drop) json_t *keys = print ? json_pack("{s:s}", name, print) : NULL;
	return installs_go(bench.installs, bench.install, keys, NULL, "alice", NOW, &err);
}

static struct store_target target_now(int64_t seq)
{
	struct store_target target;
	installs_bench_flush(&bench);
	assert_int_equal(
		bench.memory->store->driver->installs.target(bench.memory->store, seq, &target, &err),
		STORE_OK);
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
	installs_bench_flush(&bench);
	assert_int_equal(bench.memory->store->driver->installs.find(
						 bench.memory->store, bench.install, &install, &err),
		STORE_OK);
	enum store_install_state state = install.state;
	store_install_free(&install);
	return state;
}

/* --- the happy path -------------------------------------------------------------------------- */

static void a_target_comes_online(void **state)
{
	(void)state;
	bench.machines[TARGET].session = 0;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	assert_string_equal(bench.sent[0].method, "install.start");
	assert_string_equal(json_get_text(bench.sent[0].params, "credentials"), BOX);
	assert_int_equal(install_state(), STORE_INSTALL_LOOKING);
	answer(0, REFUSAL_NONE);
	assert_int_equal(say(bench.first_target, "looking"), INSTALLS_NEW);
	assert_int_equal(bench.confirmed, 0); /* not before it is written */
	installs_bench_flush(&bench);
	assert_int_equal(bench.confirmed, 1);
	assert_int_equal(say(bench.first_target, "ready"), INSTALLS_NEW);
	assert_int_equal(install_state(), STORE_INSTALL_WAITING);

	/* Nobody has seen that key: nothing goes. Another key than the one that was seen: neither. */
	assert_int_equal(say(bench.first_target, "working"), INSTALLS_BEFORE);
	assert_int_equal(go(NULL), INSTALLS_NOT_NOW);
	assert_int_equal(go("SHA256:bbbb"), INSTALLS_CHANGED);
	assert_int_equal(bench.sent_count, 1);
	assert_int_equal(go(PRINT), INSTALLS_NEW);
	assert_string_equal(bench.sent[1].method, "install.go");
	const json_t *row = json_array_get(json_object_get(bench.sent[1].params, "targets"), 0);
	assert_string_equal(json_get_text(row, "host_key"), PRINT);
	assert_string_equal(json_get_text(row, "token"), "token-1");
	assert_int_equal(install_state(), STORE_INSTALL_WORKING);
	answer(1, REFUSAL_NONE);
	assert_int_equal(say(bench.first_target, "working"), INSTALLS_NEW);

	/* It enrols with its token; joined is not online. */
	struct store_enrolment enrolment = {.inventory = "{\"location\":\"elsewhere\"}", .now = NOW};
	enum enrol_result result = ENROL_TOKEN_UNKNOWN;
	enrolment.secret_hash[0] = 1;
	memset(enrolment.key, 7, sizeof enrolment.key);
	assert_int_equal(
		bench.memory->store->driver->servers.enrol(bench.memory->store, &enrolment, &result, &err),
		STORE_OK);
	assert_int_equal(result, ENROL_OK);
	assert_int_equal(enrolment.target, bench.first_target);
	identity_id(enrolment.key, bench.machines[TARGET].id);
	installs_enrolled(bench.installs, enrolment.target, bench.machines[TARGET].id, NOW);
	assert_int_equal(say(bench.first_target, "joined"), INSTALLS_NEW);
	must_be(bench.first_target, TARGET_JOINED, "");
	bench.machines[TARGET].session = 9;
	installs_session_ready(bench.installs, bench.machines[TARGET].id, 9, NOW);
	struct store_target target = target_now(bench.first_target);
	assert_int_equal(target.state, TARGET_ONLINE);
	assert_string_equal(target.server, bench.machines[TARGET].id);
	store_target_free(&target);
	assert_int_equal(install_state(), STORE_INSTALL_DONE);
	assert_false(installs_is_live(bench.installs, bench.install));
	assert_int_equal(installs_box_bytes(bench.installs), 0);

	/* What the machine says of its place does not count: it is where the install was. */
	struct store_server server;
	assert_int_equal(bench.memory->store->driver->servers.find(
						 bench.memory->store, bench.machines[TARGET].id, &server, NULL, &err),
		STORE_OK);
	assert_string_equal(server.location, PLACE);
	store_server_free(&server);
	assert_true(bench.events > 0);
}

/* --- what a connector may say ---------------------------------------------------------------- */

static void a_connector_is_bound_to_its_targets(void **state)
{
	(void)state;
	assert_int_equal(ask(2, 1u << FIRST, "install"), INSTALLS_NEW);
	assert_int_equal(say_as(STRANGER, bench.first_target, json_pack("{s:s}", "state", "failed")),
		INSTALLS_WRONG);
	assert_int_equal(say(bench.first_target + 7, "looking"), INSTALLS_WRONG);
	assert_int_equal(
		say_as(FIRST, bench.first_target, json_pack("{s:s}", "state", "online")), INSTALLS_WRONG);
	assert_int_equal(
		say_as(FIRST, bench.first_target, json_pack("{s:i}", "state", 1)), INSTALLS_WRONG);
	/* Not of a range: it is there or has failed; and an install removes nothing. */
	assert_int_equal(say(bench.first_target, "absent"), INSTALLS_BEFORE);
	assert_int_equal(say(bench.first_target, "removed"), INSTALLS_BEFORE);
	must_be(bench.first_target, TARGET_WAITING, "");
	assert_int_equal(say(bench.first_target + 1, "absent"), INSTALLS_NEW);
	must_be(bench.first_target + 1, TARGET_ABSENT, "");

	/* A server of another location is nothing that it may speak of. */
	assert_int_equal(say(bench.first_target, "ready"), INSTALLS_NEW);
	assert_int_equal(go(PRINT), INSTALLS_NEW);
	say_as(FIRST, bench.first_target,
		json_pack("{s:s,s:s}", "state", "joined", "server", bench.machines[STRANGER].id));
	must_be(bench.first_target, TARGET_FAILED, "agent-other-location");
	char unknown[STORE_INSTALL_ID_SIZE];
	memcpy(unknown, bench.install, sizeof unknown);
	installs_bench_flush(&bench);
	assert_int_equal(say(bench.first_target, "looking"), INSTALLS_UNKNOWN); /* it is over */
}

static void what_it_says_is_bounded(void **state)
{
	char text[9000];
	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	assert_int_equal(say_as(FIRST, bench.first_target,
						 json_pack("{s:s,s:s}", "state", "failed", "sentence", text)),
		INSTALLS_WRONG);
	text[4000] = '\0';
	json_t *facts = json_object();
	for (int i = 0; i < 40; i++) {
		char name[16];
		snprintf(name, sizeof name, "fact-%d", i);
		json_object_set_new(facts, name, json_integer(i));
	}
	assert_int_equal(
		say_as(FIRST, bench.first_target,
			json_pack("{s:s,s:s,s:s,s:[{s:s,s:s},{s:s,s:s}],s:o,s:s}", "state", "failed", "outcome",
				"disk-full", "sentence", text, "evidence", "name", "a", "value", "\x1b[31m", "name",
				"Bad Name", "value", "x", "facts", facts, "stage", "nowhere")),
		INSTALLS_NEW);
	struct store_target target = target_now(bench.first_target);
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
		bench.memory->store->driver->locations.pin(bench.memory->store, PLACE, &key, &err),
		STORE_OK);
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	/* What the connector calls new is changed: the hub knows better. */
	assert_int_equal(say(bench.first_target, "ready"), INSTALLS_NEW);
	must_be(bench.first_target, TARGET_FAILED, "host-key-changed");
	struct store_target target = target_now(bench.first_target);
	assert_non_null(strstr(target.host_key, "\"expected\":\"SHA256:old\""));
	store_target_free(&target);
}

/* --- when connectors fail -------------------------------------------------------------------- */

static void another_connector_takes_over(void **state)
{
	(void)state;
	assert_int_equal(ask(1, 1u << FIRST | 1u << SECOND, "install"), INSTALLS_NEW);
	int worker = bench.sent[0].machine, other = worker == FIRST ? SECOND : FIRST;
	say_as(worker, bench.first_target,
		json_pack(
			"{s:s,s:{s:s,s:s}}", "state", "ready", "host_key", "type", "x", "fingerprint", PRINT));
	assert_int_equal(go(PRINT), INSTALLS_NEW);
	say_as(worker, bench.first_target, json_pack("{s:s,s:s}", "state", "working", "stage", "copy"));
	installs_bench_flush(&bench);
	installs_bench_forget_sent(&bench);
	bench.machines[worker].session = 0;
	installs_sweep(bench.installs, NOW, bench.now_ms);
	installs_sweep(bench.installs, NOW, bench.now_ms + INSTALLS_AWAY_MS - 1);
	assert_int_equal(bench.sent_count, 0); /* it may come back */
	installs_sweep(bench.installs, NOW, bench.now_ms + INSTALLS_AWAY_MS);
	assert_int_equal(bench.sent_count, 1);
	assert_int_equal(bench.sent[0].machine, other);
	must_be(bench.first_target, TARGET_WAITING, "");
	/* The first one comes back and still speaks of it. */
	assert_int_equal(say_as(worker, bench.first_target, json_pack("{s:s}", "state", "joined")),
		INSTALLS_UNKNOWN);
	/* What was confirmed goes on by itself, with a token that was not given out before. */
	say_as(other, bench.first_target,
		json_pack(
			"{s:s,s:{s:s,s:s}}", "state", "ready", "host_key", "type", "x", "fingerprint", PRINT));
	installs_bench_flush(&bench);
	assert_int_equal(bench.sent_count, 2);
	assert_string_equal(bench.sent[1].method, "install.go");
	const json_t *row = json_array_get(json_object_get(bench.sent[1].params, "targets"), 0);
	assert_string_equal(json_get_text(row, "token"), "token-2");
	/* And when that one's worker ends before its time, nobody is left. */
	struct jobs_receipt receipt = {0};
	memcpy(receipt.server, bench.machines[other].id, sizeof receipt.server);
	struct msg_install_over over = {.install = bench.install, .reason = (char *)"killed"};
	assert_int_equal(installs_over(bench.installs, &receipt, &over, NOW), INSTALLS_BEFORE);
	must_be(bench.first_target, TARGET_FAILED, "connector-lost");
	assert_int_equal(installs_box_bytes(bench.installs), 0);
}

static void a_restarted_agent_begins_anew(void **state)
{
	(void)state;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	say(bench.first_target, "looking");
	installs_bench_flush(&bench);
	installs_bench_forget_sent(&bench);
	/* The same agent in a new session: its worker lives, and is told again. */
	bench.machines[FIRST].session = 21;
	installs_session_ready(bench.installs, bench.machines[FIRST].id, 21, NOW);
	assert_int_equal(bench.sent_count, 1);
	must_be(bench.first_target, TARGET_LOOKING, "");
	/* Another life of it: the worker is dead. */
	bench.machines[FIRST].session = 22;
	bench.machines[FIRST].instance++;
	installs_session_ready(bench.installs, bench.machines[FIRST].id, 22, NOW);
	assert_int_equal(bench.sent_count, 2);
	must_be(bench.first_target, TARGET_WAITING, "");
}

static void nobody_is_there(void **state)
{
	(void)state;
	bench.machines[FIRST].session = bench.machines[SECOND].session = 0;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NOBODY);
	bench.machines[SECOND].session = 1;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NOBODY); /* no box for that one */
	bench.machines[FIRST].session = 1;
	for (int i = 0; i < INSTALLS_MAX_LIVE; i++)
		assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_FULL);
}

static void a_busy_connector_is_asked_again(void **state)
{
	(void)state;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	answer(0, REFUSAL_INSTALL_BUSY);
	installs_sweep(bench.installs, NOW, bench.now_ms + INSTALLS_ASK_MS - 1);
	assert_int_equal(bench.sent_count, 1);
	installs_sweep(bench.installs, NOW, bench.now_ms + INSTALLS_ASK_MS);
	assert_int_equal(bench.sent_count, 2);
	answer(1, REFUSAL_BAD_MESSAGE); /* an agent that is too old */
	must_be(bench.first_target, TARGET_FAILED, "connector-lost");
}

/* --- time, restart, cancelling --------------------------------------------------------------- */

static void bring_to_joined(void)
{
	say(bench.first_target, "ready");
	assert_int_equal(go(PRINT), INSTALLS_NEW);
	say_as(FIRST, bench.first_target,
		json_pack("{s:s,s:s}", "state", "joined", "server", bench.machines[TARGET].id));
}

static void one_that_never_appears_may_still_come(void **state)
{
	(void)state;
	bench.machines[TARGET].session = 0;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	bring_to_joined();
	installs_sweep(bench.installs, NOW + INSTALLS_APPEAR_S - 1, bench.now_ms);
	must_be(bench.first_target, TARGET_JOINED, "");
	installs_sweep(bench.installs, NOW + INSTALLS_APPEAR_S, bench.now_ms);
	must_be(bench.first_target, TARGET_FAILED, "never-appeared");
	assert_int_equal(install_state(), STORE_INSTALL_DONE);
	bench.machines[TARGET].session = 30;
	installs_session_ready(bench.installs, bench.machines[TARGET].id, 30, NOW);
	must_be(bench.first_target, TARGET_ONLINE, "");
}

static void a_restarted_hub_has_no_credentials(void **state)
{
	(void)state;
	bench.machines[TARGET].session = 0;
	assert_int_equal(ask(2, 1u << FIRST, "install"), INSTALLS_NEW);
	say(bench.first_target + 1, "looking");
	bring_to_joined();
	installs_bench_flush(&bench);
	installs_bench_restart(&bench);
	must_be(bench.first_target + 1, TARGET_FAILED, "credentials-gone");
	must_be(bench.first_target, TARGET_JOINED, "");
	assert_int_equal(installs_box_bytes(bench.installs), 0);
	bench.machines[TARGET].session = 31;
	installs_session_ready(bench.installs, bench.machines[TARGET].id, 31, NOW);
	must_be(bench.first_target, TARGET_ONLINE, "");
	assert_int_equal(install_state(), STORE_INSTALL_DONE);
}

static void boxes_do_not_stay(void **state)
{
	(void)state;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	say(bench.first_target, "ready");
	assert_true(installs_box_bytes(bench.installs) > 0);
	installs_sweep(bench.installs, NOW, bench.now_ms);
	installs_sweep(bench.installs, NOW, bench.now_ms + INSTALLS_BOX_MS);
	assert_int_equal(installs_box_bytes(bench.installs), 0);
	must_be(bench.first_target, TARGET_FAILED, "credentials-gone");
}

static void cancelling_waits_for_what_is_under_way(void **state)
{
	(void)state;
	assert_int_equal(ask(2, 1u << FIRST, "install"), INSTALLS_NEW);
	say(bench.first_target, "ready");
	assert_int_equal(go(PRINT), INSTALLS_NEW);
	say(bench.first_target, "working");
	installs_bench_flush(&bench);
	installs_bench_forget_sent(&bench);
	assert_int_equal(installs_cancel(bench.installs, bench.install, NOW), INSTALLS_NEW);
	assert_string_equal(bench.sent[0].method, "install.end");
	assert_int_equal(installs_box_bytes(bench.installs), 0);
	must_be(bench.first_target + 1, TARGET_CANCELLED, "cancelled");
	must_be(bench.first_target, TARGET_WORKING, "");
	say_as(FIRST, bench.first_target,
		json_pack("{s:s,s:s}", "state", "cancelled", "outcome", "cancelled"));
	must_be(bench.first_target, TARGET_CANCELLED, "cancelled");
	assert_int_equal(install_state(), STORE_INSTALL_CANCELLED);
}

static void a_store_that_fails_confirms_nothing(void **state)
{
	(void)state;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	installs_bench_flush(&bench);
	say(bench.first_target, "looking");
	bench.memory->fail_with = STORE_FULL;
	assert_int_equal(installs_flush(bench.installs, bench.now_ms, &err), STORE_FULL);
	assert_int_equal(bench.confirmed, 0);
	bench.memory->fail_with = STORE_OK;
	must_be(bench.first_target, TARGET_LOOKING, "");
	assert_int_equal(bench.confirmed, 1);
}

/* Machines that were expected and are not here (R25). */
static void what_is_missing_is_listed(void **state)
{
	const struct store_target_query query = {.limit = 10};
	struct store_target_page page;
	(void)state;
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	say_as(FIRST, bench.first_target,
		json_pack("{s:s,s:s}", "state", "failed", "outcome", "auth-failed"));
	installs_bench_flush(&bench);
	const struct store_installs_ops *store = &bench.memory->store->driver->installs;
	assert_int_equal(store->targets(bench.memory->store, &query, &page, &err), STORE_OK);
	assert_int_equal(page.count, 1);
	assert_int_equal(page.rows[0].seq, bench.first_target);
	store_target_page_free(&page);
	/* Another try is under way: the newest word counts. */
	assert_int_equal(ask(1, 1u << FIRST, "install"), INSTALLS_NEW);
	assert_int_equal(store->targets(bench.memory->store, &query, &page, &err), STORE_OK);
	assert_int_equal(page.count, 0);
	store_target_page_free(&page);
	say_as(FIRST, bench.first_target, json_pack("{s:s}", "state", "failed"));
	installs_bench_flush(&bench);
	assert_int_equal(store->forget(bench.memory->store, bench.first_target, &err), STORE_OK);
	assert_int_equal(store->targets(bench.memory->store, &query, &page, &err), STORE_OK);
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
