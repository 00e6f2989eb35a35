/*
 * The outside view (R12): ports of this machine's loopback, open and refused; who is looked at how
 * often; and a hub that goes down meanwhile. A port that is silent needs a firewall: see
 * tests/integration/test_checks.py.
 */
#include "hub/outside.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static uv_loop_t loop;
static struct outside *outside;
static json_t *answer;
static struct outside_question answered;
static int answers;

static void on_done(void *data, const struct outside_question *question, json_t *ports)
{
	assert_ptr_equal(data, &loop);
	json_decref(answer);
	answer = ports;
	answered = *question;
	answers++;
}

static int set_up(void **state)
{
	(void)state;
	answers = 0;
	uv_loop_init(&loop);
	outside = outside_new(&loop, on_done, &loop);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	outside_free(outside);
	uv_run(&loop, UV_RUN_DEFAULT);
	json_decref(answer);
	answer = NULL;
	return uv_loop_close(&loop);
}

/* A socket of the loopback; one that only has its port refuses who comes. */
static int bind_port(bool listening, uint16_t *port)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof own;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
	assert_int_equal(listening ? listen(fd, 1) : 0, 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
	*port = ntohs(own.sin_port);
	return fd;
}

static struct outside_question question_of(const char *server)
{
	struct outside_question question = {
		.session = 7, .rpc_id = 8, .address.s_addr = htonl(INADDR_LOOPBACK), .count = 1};
	snprintf(question.server, sizeof question.server, "%s", server);
	question.ports[0] = 1;
	return question;
}

static const char *result_of(uint16_t port)
{
	char name[8];
	snprintf(name, sizeof name, "%u", port);
	return json_string_value(json_object_get(answer, name));
}

static void open_and_refused_are_told_apart(void **state)
{
	struct outside_question question = question_of("a");
	int open = bind_port(true, &question.ports[0]), refusing = bind_port(false, &question.ports[1]);
	(void)state;
	question.count = 2;
	assert_true(outside_look(outside, &question, 0));
	assert_int_equal(answers, 0); /* never from inside */
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(answers, 1);
	assert_string_equal(result_of(question.ports[0]), "open");
	assert_string_equal(result_of(question.ports[1]), "refused");
	assert_int_equal(answered.session, 7);
	assert_int_equal(answered.rpc_id, 8);
	close(open);
	close(refusing);
}

static void each_server_is_looked_at_once_a_minute(void **state)
{
	const struct outside_question a = question_of("a"), b = question_of("b");
	(void)state;
	assert_true(outside_look(outside, &a, 0));
	assert_false(outside_look(outside, &a, OUTSIDE_EVERY_MS - 1));
	assert_true(outside_look(outside, &b, OUTSIDE_EVERY_MS - 1));
	assert_true(outside_look(outside, &a, OUTSIDE_EVERY_MS));
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(answers, 3);
}

static void so_many_servers_a_minute_and_no_more(void **state)
{
	char name[16];
	(void)state;
	for (int i = 0; i < OUTSIDE_MAX_SERVERS; i++) {
		snprintf(name, sizeof name, "s%d", i);
		const struct outside_question question = question_of(name);
		assert_true(outside_look(outside, &question, i));
	}
	const struct outside_question late = question_of("late");
	assert_false(outside_look(outside, &late, 1000));
	assert_false(outside_look(outside, &late, OUTSIDE_EVERY_MS - 1));
	assert_true(outside_look(outside, &late, OUTSIDE_EVERY_MS));
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(answers, OUTSIDE_MAX_SERVERS + 1);
}

static void hub_that_goes_down_gives_no_answer(void **state)
{
	const struct outside_question question = question_of("a");
	(void)state;
	assert_true(outside_look(outside, &question, 0));
	outside_free(outside);
	outside = NULL;
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(answers, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(open_and_refused_are_told_apart),
		TEST(each_server_is_looked_at_once_a_minute),
		TEST(so_many_servers_a_minute_and_no_more),
		TEST(hub_that_goes_down_gives_no_answer),
	};
	return cmocka_run_group_tests_name("hub_outside", tests, NULL, NULL);
}
