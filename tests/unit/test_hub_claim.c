/*
 * Two sessions with one key at the hub: who may come in, who is asked, who is turned away as a
 * copy. The test plays the machines; link, store and time are fakes but for the monotonic clock,
 * which session_dues_sweep() is told.
 */
#include "base/clock.h"
#include "hub/log.h"
#include "hub/jobs/jobs.h"
#include "hub/session/session.h"
#include "lib/store_fake.h"
#include "wire/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define LATER_MS INT64_C(100000)

static struct store_fake *fake;
static struct roster *roster;
static struct checks *checks;
static struct jobs *jobs;
static struct identity hub_identity, agent;
static struct metrics metrics;
static struct session_dues dues;
static struct session_context context;

/* One machine's end. */
struct peer {
	struct session *session;
	json_t *heard; /* the last message, owned */
	int closed;    /* the code, -1 while open */
	struct proof_transcript transcript;
};

static struct peer peers[8];
static size_t peer_count;

static void on_send(void *data, char *text)
{
	struct peer *peer = data;
	json_drop(&peer->heard);
	peer->heard = json_parse(text, strlen(text), NULL);
	assert_non_null(peer->heard);
	free(text);
}

static void on_close(void *data, uint16_t code, const char *why)
{
	struct peer *peer = data;
	(void)why;
	peer->closed = code;
}

static void on_proven(void *data)
{
	(void)data;
}

static int on_binding(void *data, unsigned char binding[PROOF_BINDING_BYTES])
{
	(void)data;
	memset(binding, 7, PROOF_BINDING_BYTES);
	return 0;
}

static const struct session_link functions = {on_send, on_close, on_proven, on_binding};

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
	store_fake_add(fake, agent.public_key);
	context = (struct session_context){.store = &fake->store,
		.roster = roster,
		.checks = checks,
		.jobs = jobs,
		.dues = &dues,
		.identity = &hub_identity,
		.timing = {60000, 5000, 20000, 1, 2, 3},
		.metrics = &metrics};
	peer_count = 0;
	return 0;
}

static void leave(struct peer *peer)
{
	if (peer->session)
		session_ended(peer->session, CAUSE_PEER_CLOSED, "test");
	peer->session = NULL;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < peer_count; i++) {
		leave(&peers[i]);
		json_drop(&peers[i].heard);
	}
	assert_null(dues.first);
	assert_int_equal(dues.count, 0);
	roster_free(roster);
	checks_free(checks);
	jobs_free(jobs);
	fake->store.driver->close(&fake->store);
	return 0;
}

static void say(struct peer *peer, char *text)
{
	session_text(peer->session, text, strlen(text));
	free(text);
}

static void say_hello(struct peer *peer)
{
	struct msg_hello hello = {.version_min = 1, .version_max = 1, .agent_version = (char *)"t"};
	struct msg_hello_result answer = {0};
	proof_nonce(hello.nonce);
	memcpy(hello.key, agent.public_key, sizeof hello.key);
	say(peer, rpc_request(1, "hello", message_write(MSG_hello, &hello)));
	assert_int_equal(
		message_read(MSG_hello_result, json_object_get(peer->heard, "result"), &answer, NULL), 0);
	memcpy(peer->transcript.agent_nonce, hello.nonce, sizeof hello.nonce);
	memcpy(peer->transcript.hub_nonce, answer.nonce, sizeof answer.nonce);
	memcpy(peer->transcript.agent_key, hello.key, sizeof hello.key);
	memcpy(peer->transcript.hub_key, answer.key, sizeof answer.key);
	memset(peer->transcript.binding, 7, sizeof peer->transcript.binding);
	message_free(MSG_hello_result, &answer);
}

struct who {
	unsigned char machine, instance; /* 0: not told */
	const char *from;
	bool check_only;
	int64_t linger_ms;
};

static struct peer *comes(struct who who)
{
	struct peer *peer = &peers[peer_count++];
	*peer = (struct peer){.closed = -1};
	peer->session = session_open(&context, &functions, peer, who.from ? who.from : "192.0.2.1");
	say_hello(peer);
	struct msg_resume resume = {.check_only = who.check_only, .linger_ms = who.linger_ms};
	memset(resume.machine, who.machine, sizeof resume.machine);
	memset(resume.instance, who.instance, sizeof resume.instance);
	resume.inventory = who.check_only ? NULL : json_pack("{s:s}", "name", "web1");
	proof_sign(&agent, PROOF_OF_AGENT, &peer->transcript, resume.proof);
	say(peer, rpc_request(2, "resume", message_write(MSG_resume, &resume)));
	json_decref(resume.inventory);
	return peer;
}

static bool is_in(const struct peer *peer)
{
	return peer->session && roster_session(roster, fake->servers[0].id) == peer->session;
}

static bool welcome(const struct peer *peer)
{
	return json_get_text(json_object_get(peer->heard, "result"), "server_id") != NULL;
}

static bool is_asked(const struct peer *peer)
{
	const char *method = json_get_text(peer->heard, "method");
	return method && strcmp(method, "present") == 0;
}

static void answer(struct peer *peer)
{
	say(peer, rpc_result(json_get_int(peer->heard, "id", 0), json_object()));
}

static int error_of(const struct peer *peer)
{
	return (int)json_get_int(json_object_get(peer->heard, "error"), "code", 0);
}

static int64_t now_ms(void)
{
	return clock_mono_us() / 1000;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void same_machine_takes_over(void **state)
{
	static const struct {
		const char *name;
		struct who first, second;
	} rows[] = {
		{"the same process", {.machine = 1, .instance = 1}, {.machine = 1, .instance = 1}},
		{"it was restarted", {.machine = 1, .instance = 1}, {.machine = 1, .instance = 2}},
		{"another address", {.machine = 1, .instance = 1, .from = "192.0.2.1"},
			{.machine = 1, .instance = 1, .from = "192.0.2.9"}},
		{"an agent that says nothing of itself", {.machine = 0}, {.machine = 0}},
		{"it was upgraded", {.machine = 0}, {.machine = 1, .instance = 1}},
		{"a program that passes by", {.machine = 1, .instance = 1}, {.machine = 1}},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		peer_count = 0;
		struct peer *first = comes(rows[i].first);
		assert_true(is_in(first));
		struct peer *second = comes(rows[i].second);
		assert_true(is_in(second) && welcome(second));
		assert_int_equal(first->closed, 4001);
		leave(first);
		assert_true(is_in(second));
		leave(second);
		json_drop(&first->heard);
		json_drop(&second->heard);
	}
	peer_count = 0;
}

static void copy_is_turned_away(void **state)
{
	(void)state;
	struct peer *original = comes((struct who){.machine = 1, .instance = 1, .from = "192.0.2.1"});
	struct peer *copy = comes((struct who){.machine = 2, .instance = 2, .from = "192.0.2.2"});
	assert_true(is_asked(original) && is_in(original));
	assert_false(welcome(copy)); /* it waits */
	answer(original);
	assert_int_equal(error_of(copy), 1009);
	const json_t *data = json_object_get(json_object_get(copy->heard, "error"), "data");
	assert_string_equal(json_get_text(data, "address"), "192.0.2.1");
	assert_int_equal(copy->closed, 1008);
	assert_true(is_in(original));
	assert_int_equal(original->closed, -1);
	/* The row says so, stays online, and forgets it in time. */
	roster_flush(roster, 1, NULL);
	assert_true(fake->servers[0].online);
	assert_string_equal(fake->servers[0].cause, "agent-duplicate");
	assert_non_null(strstr(fake->servers[0].reason, "192.0.2.2"));
	assert_non_null(strstr(fake->servers[0].reason, "web1"));
	session_dues_sweep(&dues, now_ms() + 10 * LATER_MS);
	roster_flush(roster, 2, NULL);
	assert_true(fake->servers[0].online);
	assert_string_equal(fake->servers[0].cause, "");
}

static void any_answer_is_one(void **state)
{
	(void)state;
	struct peer *original = comes((struct who){.machine = 1, .instance = 1});
	struct peer *copy = comes((struct who){.machine = 2, .instance = 2});
	/* As an agent answers that does not know the question. */
	say(original, rpc_error(json_get_int(original->heard, "id", 0), REFUSAL_BAD_MESSAGE, NULL));
	assert_int_equal(error_of(copy), 1009);
	assert_int_equal(original->closed, -1);
}

static void silence_lets_the_newcomer_in(void **state)
{
	(void)state;
	struct peer *dead = comes((struct who){.machine = 1, .instance = 1});
	struct peer *moved = comes((struct who){.machine = 2, .instance = 2});
	session_dues_sweep(&dues, now_ms());
	assert_false(welcome(moved));
	session_dues_sweep(&dues, now_ms() + 5001); /* sooner than the heartbeat's timeout */
	assert_true(welcome(moved) && is_in(moved));
	assert_int_equal(dead->closed, 4001);
	roster_flush(roster, 1, NULL);
	assert_non_null(strstr(fake->servers[0].inventory, "web1"));
}

static void end_of_the_older_one_lets_the_newcomer_in(void **state)
{
	(void)state;
	struct peer *dead = comes((struct who){.machine = 1, .instance = 1});
	struct peer *moved = comes((struct who){.machine = 2, .instance = 2});
	leave(dead);
	assert_true(welcome(moved) && is_in(moved));
}

static void newcomer_may_give_up(void **state)
{
	(void)state;
	struct peer *original = comes((struct who){.machine = 1, .instance = 1});
	struct peer *copy = comes((struct who){.machine = 2, .instance = 2});
	leave(copy);
	answer(original);
	assert_true(is_in(original));
	assert_int_equal(original->closed, -1);
	/* One that talks while it waits breaks the protocol. */
	copy = comes((struct who){.machine = 2, .instance = 2});
	say(copy, rpc_request(3, "heartbeat", json_pack("{s:i}", "uptime_s", 1)));
	assert_int_equal(error_of(copy), -32600);
	session_dues_sweep(&dues, now_ms() + LATER_MS);
	assert_true(is_in(original));
}

static void removed_while_it_waits(void **state)
{
	(void)state;
	struct peer *original = comes((struct who){.machine = 1, .instance = 1});
	struct peer *copy = comes((struct who){.machine = 2, .instance = 2});
	fake->servers[0].known = false;
	session_send_revoked(original->session);
	leave(original);
	assert_int_equal(error_of(copy), 1005);
	assert_int_equal(roster_online(roster), 0);
}

/* A clone has the same machine-id; a process that was replaced never comes back unless two run. */
static void clone_is_found_by_its_return(void **state)
{
	(void)state;
	struct peer *original = comes((struct who){.machine = 1, .instance = 1});
	struct peer *clone = comes((struct who){.machine = 1, .instance = 2});
	assert_true(is_in(clone));
	leave(original);
	struct peer *again = comes((struct who){.machine = 1, .instance = 1});
	assert_true(is_asked(clone));
	answer(clone);
	assert_int_equal(error_of(again), 1009);
	assert_true(is_in(clone));
}

/* Cloned while it ran, the process and all: only how often it comes back tells. */
static void running_clone_is_found_by_its_haste(void **state)
{
	const struct who who = {.machine = 1, .instance = 1};
	(void)state;
	struct peer *last = comes(who);
	for (int i = 0; i < 3; i++) {
		struct peer *next = comes(who);
		assert_true(is_in(next));
		leave(last);
		last = next;
	}
	struct peer *next = comes(who);
	assert_true(is_asked(last));
	answer(last);
	assert_int_equal(error_of(next), 1009);
	/* A machine whose way is bad comes as often, but what it left is silent. */
	leave(next);
	next = comes(who);
	session_dues_sweep(&dues, now_ms() + 5001);
	assert_true(is_in(next));
}

/* Row B3: what passes the check connects. */
static void check_on_the_copy_says_the_same(void **state)
{
	(void)state;
	struct peer *original = comes((struct who){.machine = 1, .instance = 1});
	struct peer *check = comes((struct who){.machine = 2, .check_only = true});
	answer(original);
	assert_int_equal(error_of(check), 1009);
	check = comes((struct who){.machine = 1, .check_only = true});
	assert_true(welcome(check) && is_in(original));
	assert_int_equal(check->closed, 1000);
	roster_flush(roster, 1, NULL);
	assert_string_equal(fake->servers[0].cause, ""); /* a check is no agent */
}

static void check_may_linger(void **state)
{
	(void)state;
	struct peer *check = comes((struct who){.machine = 1, .check_only = true, .linger_ms = 90000});
	assert_true(welcome(check));
	assert_int_equal(check->closed, -1);
	session_dues_sweep(&dues, now_ms() + 89000);
	assert_int_equal(check->closed, -1);
	session_dues_sweep(&dues, now_ms() + 90001);
	assert_int_equal(check->closed, 1000);
	assert_int_equal(roster_online(roster), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(same_machine_takes_over),
		TEST(copy_is_turned_away),
		TEST(any_answer_is_one),
		TEST(silence_lets_the_newcomer_in),
		TEST(end_of_the_older_one_lets_the_newcomer_in),
		TEST(newcomer_may_give_up),
		TEST(removed_while_it_waits),
		TEST(clone_is_found_by_its_return),
		TEST(running_clone_is_found_by_its_haste),
		TEST(check_on_the_copy_says_the_same),
		TEST(check_may_linger),
	};
	if (sodium_init() < 0)
		return 1;
	log_set_level(LOG_SILENT);
	return cmocka_run_group_tests_name("hub_claim", tests, NULL, NULL);
}
