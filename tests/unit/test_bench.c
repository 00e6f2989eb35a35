/* The simulated machines and clients of the benchmarks: a figure is worth what they do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "peers/client.h"
#include "swarm/machine.h"
#include "swarm/peer.h"
#include "tally.h"

#include <string.h>

/* --- counting -------------------------------------------------------------------------------- */

static void test_shares(void **state)
{
	double values[] = {5, 1, 4, 2, 3};
	(void)state;
	assert_true(tally_share(values, 5, 0.5) == 3);
	assert_true(tally_share(values, 5, 0.99) == 5);
	assert_true(tally_share(values, 5, 0) == 1);
	assert_true(tally_share(values, 0, 0.5) == 0);
}

static void test_curve_is_thinned_and_true(void **state)
{
	struct tally tally = {0};
	(void)state;
	for (int i = 0; i < 1000; i++)
		tally_online(&tally, 1, i * INT64_C(1000)); /* a thousand within a second */
	tally_online(&tally, -1, 5000000);
	assert_int_equal(tally.online, 999);
	assert_in_range(tally.curve_count, 19, 23);
	assert_int_equal(tally.curve[0].online, 1);
	assert_int_equal(tally.curve[tally.curve_count - 2].online, 1000);
	assert_int_equal(tally.curve[tally.curve_count - 1].online, 999);
	tally_clear(&tally);
	assert_int_equal(tally.curve_count, 0);
	assert_int_equal(tally.online, 999);
	tally_free(&tally);
}

static void test_reasons_are_bounded(void **state)
{
	struct tally tally = {0};
	char text[16];
	(void)state;
	for (int i = 0; i < 3 * TALLY_REASONS; i++) {
		snprintf(text, sizeof text, "reason %d", i);
		tally_reason(&tally, text);
	}
	tally_reason(&tally, "reason 0");
	assert_int_equal(tally.reasons[0].count, 2);
	assert_int_equal(tally.reasons[TALLY_REASONS - 1].count, 2 * TALLY_REASONS + 1);
	assert_string_equal(tally.reasons[TALLY_REASONS - 1].text, "something else");
}

/* --- a machine ------------------------------------------------------------------------------- */

/* The hub would refuse what is larger, and keeps what is this large for each machine. */
static void test_a_machine_is_as_large_as_a_real_one(void **state)
{
	(void)state;
	json_t *inventory = machine_inventory(14999);
	json_t *path = machine_path(14999, "localhost", 443);
	assert_non_null(inventory);
	assert_non_null(path);
	char *text = json_dumps(inventory, JSON_COMPACT);
	assert_in_range(strlen(text), 900, 2500);
	assert_string_equal(json_string_value(json_object_get(inventory, "name")), "swarm-14999");
	free(text);
	text = json_dumps(path, JSON_COMPACT);
	assert_in_range(strlen(text), 700, 2500);
	free(text);
	json_decref(inventory);
	json_decref(path);
}

static void test_machines_differ(void **state)
{
	(void)state;
	json_t *one = machine_inventory(1), *other = machine_inventory(257);
	assert_false(
		json_equal(json_object_get(one, "interfaces"), json_object_get(other, "interfaces")));
	assert_false(
		json_equal(json_object_get(one, "machine_id"), json_object_get(other, "machine_id")));
	json_decref(one);
	json_decref(other);
}

/* --- runs ------------------------------------------------------------------------------------ */

struct sent {
	struct peer peer;
	struct peer_goal goal;
	json_t *last; /* owned: the newest message */
	int count, confirmed;
};

static int take_text(void *data, const char *text, size_t len)
{
	struct sent *sent = data;
	json_decref(sent->last);
	sent->last = json_loadb(text, len, 0, NULL);
	sent->count++;
	return 0;
}

static void on_confirmed(void *data)
{
	((struct sent *)data)->confirmed++;
}

/* The session of a peer without its connection: what it sends ends in `sent`. */
static void open_peer(struct sent *sent)
{
	sent->goal = (struct peer_goal){.confirmed = on_confirmed, .data = sent};
	peer_init(&sent->peer, &sent->goal, 1);
	session_open(&sent->peer.session, &sent->peer.params, take_text, sent, 0, 0);
	/* As in peer.c the session's data is the peer, which is the first member. */
	sent->peer.session.calls = work_calls;
	sent->peer.session.call_count = work_call_count;
}

static void hear(struct sent *sent, char *text)
{
	session_text(&sent->peer.session, text, strlen(text), clock_mono_us());
	free(text);
}

static void bring_run(struct sent *sent, int64_t id, const char *run)
{
	struct msg_job_run message = {.run = (char *)run, .spec = (char *)"{}"};
	hear(sent, rpc_request(id, "job.run", message_write(MSG_job_run, &message)));
}

static const char *method(const struct sent *sent)
{
	const char *name = json_string_value(json_object_get(sent->last, "method"));
	return name ? name : "";
}

static const char *param(const struct sent *sent, const char *name)
{
	const char *text =
		json_string_value(json_object_get(json_object_get(sent->last, "params"), name));
	return text ? text : "";
}

static void answer_last(struct sent *sent, json_t *result)
{
	hear(sent, rpc_result(json_integer_value(json_object_get(sent->last, "id")), result));
	work_advance(&sent->peer);
}

static void close_peer(struct sent *sent)
{
	session_free(&sent->peer.session);
	json_decref(sent->last);
}

static void test_a_run_counts_once_both_are_confirmed(void **state)
{
	struct sent sent = {0};
	(void)state;
	open_peer(&sent);
	bring_run(&sent, 7, "0123456789abcdef0123456789abcdef");
	assert_int_equal(json_integer_value(json_object_get(sent.last, "id")), 7);
	assert_true(json_is_object(json_object_get(sent.last, "result")));
	work_advance(&sent.peer);
	assert_string_equal(method(&sent), "job.output"); /* the state went first */
	assert_string_equal(param(&sent, "run"), "0123456789abcdef0123456789abcdef");
	assert_int_equal(sent.count, 3);
	int64_t id = json_integer_value(json_object_get(sent.last, "id"));
	hear(&sent, rpc_result(id - 1, json_object()));
	assert_int_equal(sent.confirmed, 0);
	answer_last(&sent, json_pack("{s:i}", "next", 12));
	assert_int_equal(sent.confirmed, 1);
	close_peer(&sent);
}

/* The hub sends a run again until it has the answer: it counts once. */
static void test_a_run_that_comes_again_is_not_run_again(void **state)
{
	struct sent sent = {0};
	(void)state;
	open_peer(&sent);
	for (int again = 0; again < 2; again++) {
		bring_run(&sent, 7 + again, "0123456789abcdef0123456789abcdef");
		work_advance(&sent.peer);
		int64_t last = json_integer_value(json_object_get(sent.last, "id"));
		for (int64_t id = 100; *method(&sent) && id <= last + 2; id++) {
			hear(&sent, rpc_result(id, json_object()));
			work_advance(&sent.peer);
		}
	}
	assert_int_equal(sent.confirmed, 1);
	assert_int_equal(sent.peer.work.count, 1);
	close_peer(&sent);
}

static void test_runs_past_the_bound_push_out_confirmed_ones_alone(void **state)
{
	struct sent sent = {0};
	char run[JOB_ID_SIZE];
	(void)state;
	open_peer(&sent);
	for (int i = 0; i <= WORK_MAX; i++) {
		snprintf(run, sizeof run, "%032x", i);
		bring_run(&sent, i, run);
	}
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(sent.last, "error"), "code")), 1206);
	sent.peer.work.runs[3].confirmed = true;
	bring_run(&sent, 99, run);
	assert_true(json_is_object(json_object_get(sent.last, "result")));
	assert_string_equal(sent.peer.work.runs[3].id, run);
	close_peer(&sent);
}

/* What was not confirmed is held and said again in the next session. */
static void test_a_new_session_says_what_is_held(void **state)
{
	struct sent sent = {0};
	(void)state;
	open_peer(&sent);
	bring_run(&sent, 7, "0123456789abcdef0123456789abcdef");
	work_advance(&sent.peer);
	assert_int_equal(sent.peer.work.runs[0].awaited, 2);
	work_begin(&sent.peer);
	assert_string_equal(method(&sent), "jobs.held");
	json_t *runs = json_object_get(json_object_get(sent.last, "params"), "runs");
	assert_int_equal(json_array_size(runs), 1);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(runs, 0), "state")), "done");
	work_advance(&sent.peer);
	assert_string_equal(method(&sent), "job.output");
	close_peer(&sent);
}

/* --- when it comes back ---------------------------------------------------------------------- */

static void count_reason(void *data, const char *reason)
{
	tally_reason(data, reason);
}

/* Nothing listens there: the attempt fails at once, and what follows depends on what was before. */
static void refuse_connection(struct peer *peer)
{
	peer_start(peer);
	for (int i = 0; i < 100 && peer->state == PEER_REACHING; i++)
		peer_step(peer);
}

static void test_a_machine_that_was_there_comes_back(void **state)
{
	SSL_CTX *tls = line_context(NULL);
	struct tally tally = {0};
	struct peer_goal goal = {.tls = tls, .peers = 1, .ended = count_reason, .data = &tally};
	struct peer peer;
	(void)state;
	assert_int_equal(line_address("127.0.0.1:1", &goal.address), 0);
	peer_init(&peer, &goal, 0);
	refuse_connection(&peer);
	assert_int_equal(peer.state, PEER_FAILED);
	assert_int_equal(peer_due_us(&peer), INT64_MAX);
	peer_end(&peer);
	peer_init(&peer, &goal, 0);
	peer.joined = true;
	for (int attempt = 0; attempt < 8; attempt++) {
		refuse_connection(&peer);
		assert_int_equal(peer.state, PEER_WAITING);
		assert_true(peer_due_us(&peer) <= clock_mono_us() + BACKOFF_CAP_MS * INT64_C(1000));
	}
	assert_true(peer.backoff.bound_ms > BACKOFF_CAP_MS);
	assert_string_equal(tally.reasons[0].text, "reach: connect: Connection refused");
	assert_int_equal(tally.reasons[0].count, 9);
	peer_end(&peer);
	SSL_CTX_free(tls);
}

static void test_addresses(void **state)
{
	struct sockaddr_in address;
	(void)state;
	assert_int_equal(line_address("127.0.0.1:443", &address), 0);
	assert_int_not_equal(line_address("127.0.0.1", &address), 0);
	assert_int_not_equal(line_address("localhost:443", &address), 0);
	assert_int_not_equal(line_address("127.0.0.1:0", &address), 0);
}

/* --- clients of brokers ---------------------------------------------------------------------- */

static void count_answer(void *data)
{
	++*(int *)data;
}

static void feed(struct client *client, const char *bytes, size_t len, int expected)
{
	/* A byte at a time: pieces of any size must do. */
	for (size_t i = 0; i < len; i++) {
		buf_append(&client->in, bytes + i, 1);
		assert_int_equal(client->goal->protocol->take(client), i == len - 1 ? expected : 0);
	}
}

static void forget(struct client *client)
{
	client->line.fd = -1;
	client_end(client);
}

static void test_mqtt(void **state)
{
	static const char publish[] = "\x32\x0a\0\x03"
								  "all\0\x09hey";
	int answers = 0;
	struct client_goal goal = {
		.protocol = &client_mqtt, .answered = count_answer, .data = &answers};
	struct client client = {.goal = &goal, .number = 1, .state = CLIENT_GREETING};
	(void)state;
	client_mqtt.greet(&client);
	assert_memory_equal(client.out.data, "\x10\x17\0\x04MQTT\x04\x02\0\x3c\0\x0bswarm-00001", 25);
	client.out.len = 0;
	feed(&client, "\x20\x02\0\0", 4, 0);
	assert_memory_equal(client.out.data,
		"\x82\x08\0\x01\0\x03"
		"all\x01",
		10);
	client.out.len = 0;
	feed(&client, "\x90\x03\0\x01\x01", 5, 0);
	assert_int_equal(client.state, CLIENT_READY);
	feed(&client, publish, sizeof publish - 1, 0);
	assert_memory_equal(client.out.data, "\x40\x02\0\x09\x32", 5); /* PUBACK, then the answer */
	client.number = 0;
	feed(&client, publish, sizeof publish - 1, 0);
	assert_int_equal(answers, 1);
	feed(&client, "\xf0\x00", 2, -1);
	forget(&client);
}

static void test_mqtt_refusals(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{"\x20\x02\0\x05", 4},       /* not authorised */
		{"\x90\x03\0\x01\x80", 5},   /* the subscription failed */
		{"\x30\x02\0\x09", 4},       /* a topic longer than its packet */
		{"\x30\xff\xff\xff\xff", 5}, /* a length without an end */
	};
	struct client_goal goal = {.protocol = &client_mqtt};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct client client = {.goal = &goal, .number = 1, .state = CLIENT_GREETING};
		feed(&client, rows[i].bytes, rows[i].len, -1);
		forget(&client);
	}
}

static void test_nats(void **state)
{
	static const char info[] = "HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n"
							   "\x82\x09INFO {}\r\n";
	static const char pong[] = "\x82\x06PONG\r\n";
	/* One message in two frames, a ping between them. */
	static const char message[] = "\x02\x0fMSG all 1 3\r\nhe\x89\0\x80\x03y\r\n";
	int answers = 0;
	struct client_goal goal = {
		.protocol = &client_nats, .answered = count_answer, .data = &answers};
	struct client client = {.goal = &goal, .number = 1, .state = CLIENT_GREETING};
	(void)state;
	feed(&client, info, sizeof info - 1, 0);
	assert_non_null(memmem(client.out.data, client.out.len, "SUB all 1\r\nPING\r\n", 17));
	feed(&client, pong, sizeof pong - 1, 0);
	assert_int_equal(client.state, CLIENT_READY);
	client.out.len = 0;
	feed(&client, message, sizeof message - 1, 0);
	assert_memory_equal(client.out.data, "\x8a\x80", 2); /* the pong, then the answer */
	assert_non_null(
		memmem(client.out.data, client.out.len, "PUB answers 17\r\nswarm-00001: done", 33));
	client.number = 0;
	feed(&client, message, sizeof message - 1, 0);
	assert_int_equal(answers, 1);
	feed(&client, "\x82\x08-ERR x\r\n", 10, -1);
	forget(&client);
}

static void test_nats_refuses_another_answer(void **state)
{
	static const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	struct client_goal goal = {.protocol = &client_nats};
	struct client client = {.goal = &goal, .number = 1, .state = CLIENT_GREETING};
	(void)state;
	feed(&client, answer, sizeof answer - 1, -1);
	forget(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_curve_is_thinned_and_true),
		cmocka_unit_test(test_reasons_are_bounded),
		cmocka_unit_test(test_a_machine_is_as_large_as_a_real_one),
		cmocka_unit_test(test_machines_differ),
		cmocka_unit_test(test_a_run_counts_once_both_are_confirmed),
		cmocka_unit_test(test_a_run_that_comes_again_is_not_run_again),
		cmocka_unit_test(test_runs_past_the_bound_push_out_confirmed_ones_alone),
		cmocka_unit_test(test_a_new_session_says_what_is_held),
		cmocka_unit_test(test_a_machine_that_was_there_comes_back),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_mqtt),
		cmocka_unit_test(test_mqtt_refusals),
		cmocka_unit_test(test_nats),
		cmocka_unit_test(test_nats_refuses_another_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
