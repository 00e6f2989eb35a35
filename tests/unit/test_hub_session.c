/*
 * The hub's end of a session, message by message: proofs (B4), tokens, revoked keys, bad messages,
 * rates and bounds. The test plays the machine; the link and the store are fakes.
 */
#include "hub/log.h"
#include "hub/jobs/jobs.h"
#include "hub/session/session.h"
#include "lib/store_fake.h"
#include "wire/messages.h"
#include "wire/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct store_fake *fake;
static struct roster *roster;
static struct checks *checks;
static struct jobs *jobs;
static struct identity hub_identity, agent;
static struct metrics metrics;
static struct session_context context;
static struct session_dues dues;
static struct session *session;

/* What the session did. */
static struct {
	json_t *answer; /* the last message, owned */
	int sent;
	int closed; /* the code, -1 while open */
	bool proven;
	bool no_binding;
	unsigned char binding[PROOF_BINDING_BYTES];
	char removed[IDENTITY_ID_SIZE];
} link;

static void on_send(void *data, char *text)
{
	(void)data;
	json_drop(&link.answer);
	link.answer = json_parse(text, strlen(text), NULL);
	assert_non_null(link.answer);
	link.sent++;
	free(text);
}

static void on_close(void *data, uint16_t code, const char *why)
{
	(void)data;
	(void)why;
	link.closed = code;
}

static void on_proven(void *data)
{
	(void)data;
	link.proven = true;
}

static int on_binding(void *data, unsigned char binding[PROOF_BINDING_BYTES])
{
	(void)data;
	memcpy(binding, link.binding, sizeof link.binding);
	return link.no_binding ? -1 : 0;
}

static const struct session_link functions = {on_send, on_close, on_proven, on_binding};

static void on_removed(void *data, const char *id)
{
	(void)data;
	snprintf(link.removed, sizeof link.removed, "%s", id);
}

static void on_wake(void *data, int64_t after_ms)
{
	(void)data;
	(void)after_ms;
}

static void on_changed(void *data, const char *id)
{
	(void)data;
	(void)id;
}

static void on_check_changed(void *data, const struct store_check *check)
{
	(void)data;
	(void)check;
}

static void open_link(void)
{
	json_drop(&link.answer);
	memset(&link, 0, sizeof link);
	link.closed = -1;
	memset(link.binding, 7, sizeof link.binding);
	session = session_open(&context, &functions, NULL, "192.0.2.1");
}

static int set_up(void **state)
{
	static const struct roster_hooks hooks = {on_wake, on_changed, NULL};
	static const struct checks_hooks check_hooks = {on_wake, on_check_changed, NULL};
	static const struct jobs_hooks job_hooks = {0}; /* there are none here */
	(void)state;
	fake = store_fake_new();
	roster = roster_new(&fake->store, &hooks);
	checks = checks_new(&fake->store, &check_hooks);
	jobs = jobs_new(&fake->store, &hub_identity, &job_hooks);
	identity_make(&hub_identity);
	identity_make(&agent);
	context = (struct session_context){.store = &fake->store,
		.roster = roster,
		.checks = checks,
		.jobs = jobs,
		.dues = &dues,
		.identity = &hub_identity,
		.private_ca = "PEM",
		.timing = {1000, 100, 500, 1, 2, 3},
		.metrics = &metrics,
		.removed = on_removed};
	open_link();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (session)
		session_ended(session, CAUSE_PEER_CLOSED, "test");
	session = NULL;
	json_drop(&link.answer);
	roster_free(roster);
	checks_free(checks);
	jobs_free(jobs);
	fake->store.driver->close(&fake->store);
	return 0;
}

static void say(char *text)
{
	session_text(session, text, strlen(text));
	free(text);
}

static const json_t *result(void)
{
	const json_t *object = json_object_get(link.answer, "result");
	assert_non_null(object);
	return object;
}

static int error_code(void)
{
	return (int)json_get_int(json_object_get(link.answer, "error"), "code", 0);
}

/* --- the machine's part ----------------------------------------------------------------------- */

static struct proof_transcript transcript;

static void say_hello(bool with_key)
{
	struct msg_hello hello = {.version_min = 1, .version_max = 1, .agent_version = (char *)"t"};
	struct msg_hello_result answer = {0};
	proof_nonce(hello.nonce);
	if (with_key)
		memcpy(hello.key, agent.public_key, sizeof hello.key);
	say(rpc_request(1, "hello", message_write(MSG_hello, &hello)));
	assert_int_equal(message_read(MSG_hello_result, result(), &answer, NULL), 0);
	memcpy(transcript.agent_nonce, hello.nonce, sizeof hello.nonce);
	memcpy(transcript.hub_nonce, answer.nonce, sizeof answer.nonce);
	memcpy(transcript.agent_key, hello.key, sizeof hello.key);
	memcpy(transcript.hub_key, answer.key, sizeof answer.key);
	memcpy(transcript.binding, link.binding, sizeof link.binding);
	assert_true(proof_verify(PROOF_OF_HUB, &transcript, answer.proof));
	assert_string_equal(answer.private_ca, "PEM");
	message_free(MSG_hello_result, &answer);
}

static void say_enrol(unsigned char secret, bool right_proof)
{
	struct msg_enrol enrol = {.inventory = json_object()};
	memset(enrol.token_secret, secret, sizeof enrol.token_secret);
	proof_sign(&agent, PROOF_OF_AGENT, &transcript, enrol.proof);
	enrol.proof[0] ^= !right_proof;
	say(rpc_request(2, "enrol", message_write(MSG_enrol, &enrol)));
	message_free(MSG_enrol, &enrol);
}

static void say_resume(bool check_only)
{
	struct msg_resume resume = {.check_only = check_only};
	proof_sign(&agent, PROOF_OF_AGENT, &transcript, resume.proof);
	say(rpc_request(2, "resume", message_write(MSG_resume, &resume)));
}

static void give_token(unsigned char secret, enum enrol_result with)
{
	unsigned char raw[TOKEN_SECRET_BYTES];
	memset(raw, secret, sizeof raw);
	token_secret_hash(raw, fake->secret_hash);
	fake->enrol_result = with;
}

static void come_online(void)
{
	store_fake_add(fake, agent.public_key);
	say_hello(true);
	say_resume(false);
	assert_string_equal(json_get_text(result(), "server_id"), fake->servers[0].id);
	assert_true(link.proven);
	assert_int_equal(roster_online(roster), 1);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void joins_with_a_token(void **state)
{
	(void)state;
	give_token(5, ENROL_OK);
	say_hello(true);
	assert_false(link.proven);
	say_enrol(5, true);
	assert_int_equal(json_get_int(result(), "heartbeat_ms", 0), 1000);
	assert_true(link.proven);
	assert_int_equal(link.closed, -1);
	assert_int_equal(fake->count, 1);
}

static void tokens_are_refused_with_their_reason(void **state)
{
	static const struct {
		enum enrol_result result;
		int code;
	} rows[] = {{ENROL_TOKEN_UNKNOWN, 1001}, {ENROL_TOKEN_EXPIRED, 1002},
		{ENROL_TOKEN_USED_UP, 1003}, {ENROL_KEY_REVOKED, 1004}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		give_token(5, rows[i].result);
		say_hello(true);
		say_enrol(5, true);
		assert_int_equal(error_code(), rows[i].code);
		assert_true(link.closed > 0);
		assert_int_equal(roster_online(roster), 0);
		session_ended(session, CAUSE_PEER_CLOSED, "");
		open_link();
	}
}

/* B4: a signature over another TLS connection's exporter is what an interceptor can offer. */
static void proof_of_another_connection_is_refused(void **state)
{
	(void)state;
	give_token(5, ENROL_OK);
	say_hello(true);
	transcript.binding[0] ^= 1;
	say_enrol(5, true);
	assert_int_equal(error_code(), 1006);
	assert_int_equal(fake->count, 0);
}

static void wrong_proofs_are_refused(void **state)
{
	(void)state;
	store_fake_add(fake, agent.public_key);
	say_hello(true);
	say_enrol(5, false);
	assert_int_equal(error_code(), 1006);
	session_ended(session, CAUSE_PEER_CLOSED, "");
	open_link();
	say_hello(false); /* an anonymous check */
	say_resume(false);
	assert_int_equal(error_code(), 1006);
	session_ended(session, CAUSE_PEER_CLOSED, "");
	open_link();
	link.no_binding = true;
	struct msg_hello hello = {.version_min = 1, .version_max = 1, .agent_version = (char *)"t"};
	say(rpc_request(1, "hello", message_write(MSG_hello, &hello)));
	assert_int_equal(error_code(), 1006);
}

static void unknown_and_removed_machines_are_told_apart(void **state)
{
	(void)state;
	say_hello(true);
	say_resume(false);
	assert_int_equal(error_code(), 1005);
	session_ended(session, CAUSE_PEER_CLOSED, "");
	open_link();
	store_fake_add(fake, agent.public_key)->revoked = true;
	say_hello(true);
	say_resume(false);
	assert_int_equal(error_code(), 1004);
}

static void versions_without_overlap(void **state)
{
	struct msg_hello hello = {.version_min = 2, .version_max = 3, .agent_version = (char *)"t"};
	(void)state;
	say(rpc_request(1, "hello", message_write(MSG_hello, &hello)));
	assert_int_equal(error_code(), 1007);
}

static void check_opens_no_session(void **state)
{
	(void)state;
	store_fake_add(fake, agent.public_key);
	say_hello(true);
	say_resume(true);
	assert_non_null(json_get_text(result(), "server_id"));
	assert_int_equal(roster_online(roster), 0);
	assert_int_equal(link.closed, 1000);
}

static void order_is_kept(void **state)
{
	static const char *const texts[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"heartbeat\",\"params\":{\"uptime_s\":1}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"enrol\",\"params\":{}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"nonsense\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"version_min\":\"x\"}}",
		"[]",
		"",
		"\xff\xfe",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		say(xstrdup(texts[i]));
		assert_int_equal(error_code(), -32600);
		assert_true(link.closed > 0);
		int sent = link.sent;
		say(xstrdup(texts[i]));
		assert_int_equal(link.sent, sent); /* it is over */
		session_ended(session, CAUSE_PEER_CLOSED, "");
		open_link();
	}
}

static void heartbeats_are_answered_and_notes_kept(void **state)
{
	struct msg_heartbeat beat = {.uptime_s = 5};
	(void)state;
	come_online();
	say(rpc_request(7, "heartbeat", message_write(MSG_heartbeat, &beat)));
	assert_int_equal(json_get_int(link.answer, "id", 0), 7);
	assert_int_equal(json_object_size(result()), 0);
	say(rpc_notification("path", json_pack("{s:[],s:s}", "stages", "proxy", "http://p:1")));
	roster_flush(roster, 1, NULL);
	assert_non_null(strstr(fake->servers[0].path, "http://p:1"));
	assert_int_equal(link.closed, -1);
}

/* --- checks ----------------------------------------------------------------------------------- */

static void say_check(const char *run, const char *schema)
{
	say(rpc_notification("check", json_pack("{s:{s:s,s:s},s:s*}", "report", "schema", schema,
									  "verdict", "pass", "run", run)));
}

/* Asks for a check as the API does; the run's id. */
static const char *ask(void)
{
	static char id[STORE_CHECK_ID_SIZE];
	struct store_check check;
	enum store_status status;
	const struct checks_wish wish = {.server = fake->servers[0].id,
		.user = "alice",
		.profile = "lab",
		.title = "",
		.deep = true};
	assert_int_equal(checks_ask(checks, &wish, &check, &status, NULL), ASK_TAKEN);
	session_send_check_run(session, &check);
	memcpy(id, check.id, sizeof id);
	store_check_free(&check);
	return id;
}

static void check_is_asked_for_and_kept(void **state)
{
	(void)state;
	come_online();
	const char *run = ask();
	const json_t *params = json_object_get(link.answer, "params");
	assert_string_equal(json_get_text(link.answer, "method"), "check.run");
	assert_string_equal(json_get_text(params, "run"), run);
	assert_string_equal(json_get_text(params, "profile"), "lab");
	assert_true(json_is_true(json_object_get(params, "deep")));
	say(rpc_result(json_get_int(link.answer, "id", 0), json_object()));
	say(rpc_notification("check.started", json_pack("{s:s}", "run", run)));
	checks_flush(checks, NULL);
	assert_int_equal(store_fake_check(fake, 0)->state, CHECK_RUNNING);
	say_check(run, "sallyport.check/1");
	checks_flush(checks, NULL);
	assert_int_equal(store_fake_check(fake, 0)->state, CHECK_DONE);
	assert_string_equal(store_fake_check(fake, 0)->verdict, "pass");
	say_check(NULL, "sallyport.check/1"); /* its own */
	checks_flush(checks, NULL);
	assert_string_equal(store_fake_check(fake, 0)->requested_by, "");
	assert_int_equal(link.closed, -1);
}

/* Codes as in messages.def; the words are for whoever asked. */
static void refusals_are_told(void **state)
{
	static const struct {
		enum refusal refusal;
		const char *words;
	} rows[] = {{REFUSAL_CHECK_BUSY, "another check"}, {REFUSAL_CHECK_UNKNOWN, "profile"},
		{REFUSAL_BAD_MESSAGE, "older than the hub"}, {REFUSAL_INTERNAL, "connector.log"}};
	(void)state;
	come_online();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask();
		int64_t id = json_get_int(link.answer, "id", 0);
		say(rpc_error(id, rows[i].refusal, NULL));
		say(rpc_error(id, rows[i].refusal, NULL)); /* once more harms nobody */
		checks_flush(checks, NULL);
		assert_int_equal(store_fake_check(fake, 0)->state, CHECK_FAILED);
		assert_non_null(strstr(store_fake_check(fake, 0)->reason, rows[i].words));
	}
	assert_int_equal(link.closed, -1);
}

/* A hostile machine: what it says of runs that are not its own, or twice, ends its session. */
static void wrong_words_about_checks_are_refused(void **state)
{
	static const char *const texts[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}",
		"{\"jsonrpc\":\"2.0\",\"id\":-1,\"result\":{}}",
		"{\"jsonrpc\":\"2.0\",\"id\":9,\"error\":{\"code\":1101,\"message\":\"\"}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"check.started\",\"params\":{\"run\":\"f\"}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"check.failed\","
		"\"params\":{\"run\":\"f\",\"reason\":\"x\"}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"check\","
		"\"params\":{\"run\":\"f\",\"report\":{\"schema\":\"sallyport.check/"
		"1\",\"verdict\":\"pass\"}}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"check\",\"params\":{\"report\":{}}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"check\",\"params\":{\"report\":[]}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"check\","
		"\"params\":{\"report\":{\"schema\":\"sallyport.check/1\",\"verdict\":\"fine\"}}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"check.run\",\"id\":4,\"params\":{\"run\":\"f\"}}",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int64_t refused = metrics.values[METRIC_REFUSALS];
		come_online();
		say(xstrdup(texts[i]));
		if (error_code() != -32600 || link.closed != 1008)
			fail_msg("%s", texts[i]);
		assert_int_equal(metrics.values[METRIC_REFUSALS], refused + 1);
		assert_int_equal(fake->check_count, 0);
		session_ended(session, CAUSE_PEER_CLOSED, "");
		open_link();
	}
}

static void report_is_taken_once(void **state)
{
	(void)state;
	come_online();
	const char *run = ask();
	say_check(run, "sallyport.check/1");
	assert_int_equal(link.closed, -1);
	say_check(run, "sallyport.check/1");
	assert_int_equal(link.closed, 1008);
}

static void own_reports_may_not_flood(void **state)
{
	(void)state;
	come_online();
	say_check(NULL, "sallyport.check/1");
	assert_int_equal(link.closed, -1);
	say_check(NULL, "sallyport.check/1");
	assert_int_equal(link.closed, 1008);
	checks_flush(checks, NULL);
	assert_int_equal(fake->check_count, 1);
}

/* --- the outside view --------------------------------------------------------------------------
 */

static void look_that_is_out_of_bounds_is_refused(void **state)
{
	static const char *const ports[] = {
		"[]", "[0]", "[65536]", "[22.5]", "[\"22\"]", "[-1]", "{}", "[1,2,3,4,5,6,7,8,9]"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		come_online();
		say(xasprintf("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"outside.look\",\"params\":"
					  "{\"ports\":%s,\"address\":\"192.0.2.1\"}}",
			ports[i]));
		if (error_code() != -32600 || link.closed != 1008)
			fail_msg("%s", ports[i]);
		session_ended(session, CAUSE_PEER_CLOSED, "");
		open_link();
	}
}

/* It costs no session: a hub that does not look says so. */
static void look_that_is_switched_off_is_said(void **state)
{
	(void)state;
	come_online();
	say(rpc_request(
		5, "outside.look", json_pack("{s:[i],s:s}", "ports", 22, "address", "192.0.2.1")));
	assert_int_equal(error_code(), 1104);
	assert_int_equal(json_get_int(link.answer, "id", 0), 5);
	assert_int_equal(link.closed, -1);
}

static void too_much_is_refused(void **state)
{
	char *long_text = xcalloc(70000, 1);
	memset(long_text, 'x', 69999);
	(void)state;
	come_online();
	say(rpc_notification("inventory", json_pack("{s:{s:s}}", "inventory", "name", long_text)));
	assert_int_equal(error_code(), -32600);
	free(long_text);
}

static void flood_ends_the_session(void **state)
{
	struct msg_heartbeat beat = {.uptime_s = 5};
	(void)state;
	come_online();
	for (int i = 0; i < 200 && link.closed < 0; i++)
		say(rpc_request(i, "heartbeat", message_write(MSG_heartbeat, &beat)));
	assert_int_equal(link.closed, 1008);
}

static void leaving_removes_the_machine(void **state)
{
	(void)state;
	come_online();
	say(rpc_request(3, "leave", json_object()));
	assert_int_equal(json_object_size(result()), 0);
	assert_false(fake->servers[0].known);
	assert_false(fake->servers[0].revoked);
	assert_string_equal(link.removed, fake->servers[0].id);
	assert_int_equal(roster_online(roster), 0);
}

static void full_disk_refuses_a_join_and_says_so(void **state)
{
	(void)state;
	give_token(5, ENROL_OK);
	fake->fail_with = STORE_FULL;
	say_hello(true);
	say_enrol(5, true);
	assert_int_equal(error_code(), -32603);
	assert_int_equal(fake->count, 0);
}

static void machines_are_told_of_the_end(void **state)
{
	(void)state;
	come_online();
	session_send_restarting(session, 4000);
	assert_string_equal(json_get_text(link.answer, "method"), "restarting");
	assert_int_equal(link.closed, 1012);
	session_ended(session, CAUSE_HUB_RESTARTING, "down");
	open_link();
	come_online();
	session_send_revoked(session);
	assert_string_equal(json_get_text(link.answer, "method"), "revoked");
	assert_int_equal(roster_online(roster), 0);
	session_ended(session, CAUSE_PEER_CLOSED, "");
	open_link();
	come_online();
	session_lost(session);
	assert_int_equal(link.closed, 0);
	roster_flush(roster, 1, NULL);
	assert_string_equal(fake->servers[0].cause, "keepalive-lost");
}

static void second_session_ends_the_first(void **state)
{
	struct session *first;
	(void)state;
	come_online();
	first = session;
	session = session_open(&context, &functions, NULL, "192.0.2.2");
	link.closed = -1;
	say_hello(true);
	say_resume(false);
	assert_int_equal(link.closed, 4001); /* the first one's link: they share the fake */
	session_ended(first, CAUSE_PEER_CLOSED, "");
	assert_int_equal(roster_online(roster), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(joins_with_a_token),
		TEST(tokens_are_refused_with_their_reason),
		TEST(proof_of_another_connection_is_refused),
		TEST(wrong_proofs_are_refused),
		TEST(unknown_and_removed_machines_are_told_apart),
		TEST(versions_without_overlap),
		TEST(check_opens_no_session),
		TEST(order_is_kept),
		TEST(heartbeats_are_answered_and_notes_kept),
		TEST(check_is_asked_for_and_kept),
		TEST(refusals_are_told),
		TEST(wrong_words_about_checks_are_refused),
		TEST(report_is_taken_once),
		TEST(own_reports_may_not_flood),
		TEST(look_that_is_out_of_bounds_is_refused),
		TEST(look_that_is_switched_off_is_said),
		TEST(too_much_is_refused),
		TEST(flood_ends_the_session),
		TEST(leaving_removes_the_machine),
		TEST(full_disk_refuses_a_join_and_says_so),
		TEST(machines_are_told_of_the_end),
		TEST(second_session_ends_the_first),
	};
	if (sodium_init() < 0)
		return 1;
	log_set_level(LOG_SILENT);
	return cmocka_run_group_tests_name("hub_session", tests, NULL, NULL);
}
