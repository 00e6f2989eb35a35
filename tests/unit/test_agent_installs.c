/*
 * The installs of a connector: what the hub is told of a worker, whatever becomes of either (rows
 * R11, S4, B8).
 *
 * A shell script plays the worker: the real one says nothing without hosts that it can reach, and
 * never what is wrong.
 */
#include "agent/installs/parts.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "os/wait.h"
#include "temporary_root.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define PATIENCE_MS 20000
#define ID          "0123456789abcdef0123456789abcdef"
#define BOX         "sealed-and-secret"
#define SAY(event)  "say '{\"install\":\"" ID "\",\"target\":\"1\",\"event\":{" event "}}'\n"
#define OVER                                                                                       \
	"echo '{\"jsonrpc\":\"2.0\",\"method\":\"install.over\",\"params\":{\"install\":\"" ID "\"}}'" \
	"\n"

struct bench {
	char root[ROOT_SIZE];
	char *program, *log_path;
	struct session session;
	struct installs installs;
	json_t *asked; /* requests that the hub has not answered, in order */
	size_t asked_ever;
};

static int take(void *data, const char *text, size_t len)
{
	struct bench *bench = data;
	json_t *message = json_parse(text, len, NULL);
	assert_non_null(message);
	bench->asked_ever++;
	json_array_append_new(bench->asked, message);
	return 0;
}

static void go_online(struct bench *bench)
{
	struct session_params params;
	session_params_default(&params);
	json_array_clear(bench->asked);
	session_open(&bench->session, &params, take, bench, 0, clock_mono_us());
	installs_online(&bench->installs, &bench->session);
}

static void go_offline(struct bench *bench)
{
	installs_offline(&bench->installs);
	session_free(&bench->session);
}

static int setup(void **state)
{
	struct bench *bench = xcalloc(1, sizeof *bench);
	if (root_make(bench->root))
		return -1;
	bench->program = xasprintf("%s/worker", bench->root);
	bench->log_path = xasprintf("%s/log", bench->root);
	bench->asked = json_array();
	installs_init(&bench->installs, bench->root);
	bench->installs.program = bench->program;
	bench->installs.log =
		logfile_open(&(struct logfile_options){.path = bench->log_path, .max_bytes = 100000});
	*state = bench;
	go_online(bench);
	return 0;
}

/* Workers that would not end by themselves. */
static void end_workers(struct bench *bench)
{
	for (size_t i = 0; i < INSTALLS_AT_ONCE; i++)
		if (bench->installs.list[i])
			self_end(&bench->installs.list[i]->worker);
	installs_close(&bench->installs);
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	go_offline(bench);
	end_workers(bench);
	logfile_close(bench->installs.log);
	json_decref(bench->asked);
	root_remove(bench->root);
	free(bench->program);
	free(bench->log_path);
	free(bench);
	return 0;
}

/* What the worker does; $1 is --root=..., its first line is the order. */
static void worker_does(struct bench *bench, const char *body)
{
	cleanup(free_ptr) char *text =
		xasprintf("#!/bin/sh\n"
				  "dir=${2#--root=}\n"
				  "say() { echo '{\"jsonrpc\":\"2.0\","
				  "\"method\":\"install.event\",\"params\":'\"$1\"'}'; }\n"
				  "read -r line; echo \"$line\" >>$dir/heard\n"
				  "%s",
			body);
	struct err err;
	assert_int_equal(file_replace(bench->program, text, strlen(text), 0700, &err), 0);
}

static enum refusal order_as(
	struct bench *bench, const char *id, const char *action, const char *targets)
{
	json_t *rows = json_loads(targets, 0, NULL), *hub = json_object();
	struct msg_install_start msg = {
		.install = (char *)id,
		.action = (char *)action,
		.targets = rows,
		.credentials = (char *)BOX,
		.hub = hub,
	};
	enum refusal refusal = installs_start(&bench->installs, &msg);
	json_decref(rows);
	json_decref(hub);
	return refusal;
}

static enum refusal order(struct bench *bench)
{
	return order_as(bench, ID, "install",
		"[{\"id\":\"1\",\"host\":\"web1\",\"port\":22},{\"id\":\"2\",\"host\":\"web2\",\"port\":22}"
		"]");
}

static enum refusal tell_go(struct bench *bench)
{
	json_t *rows = json_pack("[{s:s,s:s}]", "id", "1", "token", "one-time-secret");
	struct msg_install_go msg = {.install = (char *)ID, .targets = rows};
	enum refusal refusal = installs_go(&bench->installs, &msg);
	json_decref(rows);
	return refusal;
}

static enum refusal tell_end(struct bench *bench)
{
	return installs_end(&bench->installs, &(struct msg_install_end){.install = (char *)ID});
}

/* Lets the installs go on until `count` requests wait for an answer. */
static void wait_for(struct bench *bench, size_t count)
{
	struct deadline end = deadline_in_ms(PATIENCE_MS), due;
	while (json_array_size(bench->asked) < count) {
		assert_true(deadline_left_ms(end) > 0);
		struct deadline next = end;
		if (installs_deadline(&bench->installs, &due))
			next = deadline_sooner(next, due);
		wait_fd(installs_fd(&bench->installs), POLLIN, next, NULL);
		installs_step(&bench->installs);
	}
}

/* Answers the request that waits longest; REFUSAL_NONE says yes. */
static void answer(struct bench *bench, enum refusal refusal)
{
	int64_t id = json_get_int(json_array_get(bench->asked, 0), "id", -1);
	json_array_remove(bench->asked, 0);
	cleanup(free_ptr) char *text =
		refusal ? rpc_error(id, refusal, NULL) : rpc_result(id, json_object());
	session_text(&bench->session, text, strlen(text), clock_mono_us());
}

static const char *asked(struct bench *bench, size_t at, const char *member)
{
	const json_t *params = json_object_get(json_array_get(bench->asked, at), "params");
	const json_t *event = json_object_get(params, "event");
	const char *text = json_get_text(event, member);
	return text ? text : json_get_text(params, member);
}

static void expect_event(struct bench *bench, const char *target, const char *said)
{
	wait_for(bench, 1);
	assert_string_equal(json_get_text(json_array_get(bench->asked, 0), "method"), "install.event");
	assert_string_equal(asked(bench, 0, "target"), target);
	assert_string_equal(asked(bench, 0, "state"), said);
}

/* The end, with this in its reason; NULL: without one. The hub takes it. */
static void expect_over(struct bench *bench, const char *reason)
{
	wait_for(bench, 1);
	assert_string_equal(json_get_text(json_array_get(bench->asked, 0), "method"), "install.over");
	const char *said = asked(bench, 0, "reason");
	if (!reason)
		assert_null(said);
	else if (!said || !strstr(said, reason))
		fail_msg("\"%s\" is not in \"%s\"", reason, said ? said : "(nothing)");
	answer(bench, REFUSAL_NONE);
	for (size_t i = 0; i < INSTALLS_AT_ONCE; i++)
		assert_null(bench->installs.list[i]);
}

static char *contents(struct bench *bench, const char *name)
{
	cleanup(free_ptr) char *path = xasprintf("%s/%s", bench->root, name);
	struct buf text = {0};
	file_read(path, 1000000, &text, NULL);
	return text.data ? text.data : xstrdup("");
}

/* --- what goes well ------------------------------------------------------------------------ */

static void an_install_from_start_to_end(void **state)
{
	struct bench *bench = *state;
	struct deadline none;
	worker_does(bench,
		SAY("\"state\":\"ready\"") "read -r line; echo \"$line\" >>$dir/heard\n" SAY(
			"\"state\":\"failed\",\"stage\":\"privilege\",\"sentence\":\"It\\u0007 asks.\"") OVER
		"echo chatter >&2\n");
	assert_int_equal(order(bench), REFUSAL_NONE);
	assert_int_equal(order(bench), REFUSAL_NONE); /* said again: nothing changes */
	expect_event(bench, "1", "ready");
	answer(bench, REFUSAL_NONE);
	assert_int_equal(tell_go(bench), REFUSAL_NONE);
	expect_event(bench, "1", "failed");
	answer(bench, REFUSAL_NONE);
	expect_over(bench, NULL);
	assert_false(installs_deadline(&bench->installs, &none));
	assert_int_equal(bench->asked_ever, 3);
	assert_int_equal(tell_go(bench), REFUSAL_INSTALL_UNKNOWN);
	cleanup(free_ptr) char *heard = contents(bench, "heard");
	assert_non_null(strstr(heard, "\"method\":\"install.start\""));
	assert_non_null(strstr(heard, BOX));
	assert_non_null(strstr(heard, "one-time-secret"));
	cleanup(free_ptr) char *log = contents(bench, "log");
	assert_null(strstr(log, "secret"));
	assert_non_null(strstr(log, "the hub wants the agent installed on 2 hosts"));
	assert_non_null(strstr(log, "web1:22: failed (privilege): It\\x07 asks."));
	assert_non_null(strstr(log, "1 of 2 hosts came to an end\n"));
}

/* Only the last event of a target waits, so that no worker can flood a session, and no more than
 * four are on their way. */
static void events_take_the_place_of_older_ones(void **state)
{
	struct bench *bench = *state;
	json_t *rows = json_array();
	worker_does(bench,
		"i=0; while [ $i -lt 300 ]; do i=$((i+1)); for t in 1 2 3 4 5 6; do\n"
		"say '{\"install\":\"" ID "\",\"target\":\"'$t'\",\"event\":{\"state\":\"s'$i'\"}}'\n"
		"done; done; touch $dir/done\n" OVER);
	for (int i = 1; i <= 6; i++) {
		char id[2] = {(char)('0' + i), '\0'};
		json_array_append_new(rows, json_pack("{s:s,s:s,s:i}", "id", id, "host", "h", "port", 22));
	}
	cleanup(free_ptr) char *text = json_text(rows);
	json_decref(rows);
	assert_int_equal(order_as(bench, ID, "remove", text), REFUSAL_NONE);
	wait_for(bench, 4);
	struct install *install = bench->installs.list[0];
	struct deadline end = deadline_in_ms(PATIENCE_MS);
	while (!install->over) {
		assert_true(deadline_left_ms(end) > 0);
		wait_fd(installs_fd(&bench->installs), POLLIN, end, NULL);
		installs_step(&bench->installs);
		assert_int_equal(json_array_size(bench->asked), 4);
	}
	for (int i = 0; i < 4; i++)
		answer(bench, REFUSAL_NONE);
	/* Those four have said something since; the other two only have a last word. */
	for (int i = 0; i < 6; i++) {
		wait_for(bench, 1);
		if (strcmp(asked(bench, 0, "state"), "s300") != 0)
			fail_msg("%s is said of %s", asked(bench, 0, "state"), asked(bench, 0, "target"));
		answer(bench, REFUSAL_NONE);
	}
	expect_over(bench, NULL);
	assert_int_equal(bench->asked_ever, 11);
}

static void progress_is_told_now_and_then(void **state)
{
	struct bench *bench = *state;
	struct deadline due;
	worker_does(bench,
		SAY("\"state\":\"working\",\"stage\":\"copy\",\"sent\":1") "read -r line\n" SAY(
			"\"state\":\"working\",\"stage\":\"copy\",\"sent\":2") "touch $dir/said\n"
																   "read -r line\n" SAY(
																	   "\"state\":\"joined\","
																	   "\"stage\":\"copy\","
																	   "\"sent\":2") OVER);
	order(bench);
	expect_event(bench, "1", "working");
	answer(bench, REFUSAL_NONE);
	tell_go(bench);
	struct install_target *target = &bench->installs.list[0]->targets[0];
	while (!target->event) {
		wait_fd(installs_fd(&bench->installs), POLLIN, deadline_in_ms(PATIENCE_MS), NULL);
		/* As on a machine so busy that a second is over already. */
		target->progress_at = deadline_never();
		installs_step(&bench->installs);
	}
	assert_int_equal(json_array_size(bench->asked), 0);
	assert_true(installs_deadline(&bench->installs, &due));
	/* Another state is told at once. */
	tell_go(bench);
	expect_event(bench, "1", "joined");
	answer(bench, REFUSAL_NONE);
	expect_over(bench, NULL);
}

static void what_was_not_heard_is_said_in_the_next_session(void **state)
{
	struct bench *bench = *state;
	worker_does(bench, SAY("\"state\":\"ready\"") "read -r line\n" OVER);
	order(bench);
	expect_event(bench, "1", "ready");
	go_offline(bench);
	installs_step(&bench->installs);
	go_online(bench);
	expect_event(bench, "1", "ready");
	assert_int_equal(json_array_size(bench->asked), 1);
	answer(bench, REFUSAL_NONE);
	go_offline(bench);
	go_online(bench);
	assert_int_equal(json_array_size(bench->asked), 0); /* that was heard */
	tell_go(bench);
	wait_for(bench, 1);
	go_offline(bench);
	go_online(bench);
	expect_over(bench, NULL);
}

/* --- what does not ------------------------------------------------------------------------- */

static void a_refused_event_is_said_again_and_an_unknown_one_dropped(void **state)
{
	struct bench *bench = *state;
	worker_does(
		bench, SAY("\"state\":\"ready\"") "read -r line\n" SAY("\"state\":\"failed\"") OVER);
	order(bench);
	expect_event(bench, "1", "ready");
	answer(bench, REFUSAL_INTERNAL);
	assert_int_equal(json_array_size(bench->asked), 0);
	assert_true(deadline_left_ms(bench->installs.list[0]->talk_at) > 0);
	bench->installs.list[0]->talk_at = (struct deadline){0};
	installs_step(&bench->installs);
	expect_event(bench, "1", "ready");
	answer(bench, REFUSAL_INSTALL_UNKNOWN);
	tell_go(bench);
	expect_event(bench, "1", "failed");
	answer(bench, REFUSAL_INSTALL_UNKNOWN);
	wait_for(bench, 1);
	answer(bench, REFUSAL_INSTALL_UNKNOWN);
	assert_null(bench->installs.list[0]);
}

static void a_worker_that_dies_is_told(void **state)
{
	static const struct {
		const char *body, *reason;
	} rows[] = {
		{"echo 'sallyport: no key' >&2; echo more >&2; exit 1\n", "sallyport: no key"},
		{"kill -9 $$\n", "worker died"},
		{"echo nonsense; exec sleep 1000\n", "cannot be understood"},
		{"echo '{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{}}'; exec sleep 1000\n",
			"neither an event nor its end"},
		{"head -c 20000 /dev/zero | tr '\\0' x; exec sleep 1000\n", "a line is longer than"},
		{"say '{\"install\":\"" ID "\",\"target\":\"7\",\"event\":{}}'; exec sleep 1000\n",
			"of no target"},
		{"say '{\"install\":\"other\",\"target\":\"1\",\"event\":{}}'; exec sleep 1000\n",
			"of no target"},
		{"exec >&-\nexec sleep 1000\n", "worker died"},
		{"exec 2>&- <&-\nexit 0\n", "worker died"},
	};
	struct bench *bench = *state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		worker_does(bench, rows[i].body);
		assert_int_equal(order(bench), REFUSAL_NONE);
		expect_over(bench, rows[i].reason);
	}
	/* What it said before its death comes first. */
	worker_does(bench, SAY("\"state\":\"working\"") "exit 3\n");
	order(bench);
	expect_event(bench, "1", "working");
	answer(bench, REFUSAL_NONE);
	expect_over(bench, "worker died");
}

/* A descriptor that has hung up must not be news for ever. */
static void a_worker_that_closes_its_ends_costs_no_time(void **state)
{
	struct bench *bench = *state;
	worker_does(bench, "exec 2>&- <&-\n" SAY("\"state\":\"ready\"") "exec sleep 1000\n");
	order(bench);
	expect_event(bench, "1", "ready");
	answer(bench, REFUSAL_NONE);
	installs_step(&bench->installs);
	assert_int_equal(
		wait_fd(installs_fd(&bench->installs), POLLIN, deadline_in_ms(50), NULL), WAIT_TIMEOUT);
	tell_go(bench); /* and the end of its input is noticed */
	assert_int_equal(bench->installs.list[0]->input.len, 0);
	assert_int_equal(bench->installs.list[0]->worker.input_fd, -1);
}

static void an_end_that_is_not_obeyed(void **state)
{
	struct bench *bench = *state;
	worker_does(bench, SAY("\"state\":\"ready\"") "exec sleep 1000\n");
	order(bench);
	expect_event(bench, "1", "ready");
	answer(bench, REFUSAL_NONE);
	assert_int_equal(tell_end(bench), REFUSAL_NONE);
	assert_int_equal(tell_end(bench), REFUSAL_NONE);
	assert_int_equal(tell_go(bench), REFUSAL_NONE); /* its end is on the way */
	assert_in_range(deadline_left_ms(bench->installs.list[0]->deadline), 1, INSTALLS_END_MS);
	bench->installs.list[0]->deadline = (struct deadline){0};
	expect_over(bench, "did not end when it was told to");
	order(bench);
	expect_event(bench, "1", "ready");
	answer(bench, REFUSAL_NONE);
	bench->installs.list[0]->deadline = (struct deadline){0};
	expect_over(bench, "longer than two hours");
	assert_int_equal(tell_end(bench), REFUSAL_INSTALL_UNKNOWN);
}

static void orders_that_are_none(void **state)
{
	static const char *const targets[] = {
		"[]",
		"{}",
		"[{\"id\":\"\",\"host\":\"h\"}]",
		"[{\"id\":\"1\"}]",
		"[{\"id\":\"a/b\",\"host\":\"h\"}]",
		"[{\"id\":\"123456789012345678901234567890123\",\"host\":\"h\"}]",
		"[7]",
	};
	static const char good[] = "[{\"id\":\"1\",\"host\":\"h\"}]";
	struct bench *bench = *state;
	char id[] = ID;
	worker_does(bench, "exec sleep 1000\n");
	for (size_t i = 0; i < ARRAY_LEN(targets); i++)
		assert_int_equal(order_as(bench, ID, "install", targets[i]), REFUSAL_BAD_MESSAGE);
	assert_int_equal(order_as(bench, ID, "explode", good), REFUSAL_BAD_MESSAGE);
	assert_int_equal(order_as(bench, "../x", "install", good), REFUSAL_BAD_MESSAGE);
	json_t *many = json_array();
	for (int i = 0; i <= INSTALL_MAX_TARGETS; i++)
		json_array_append_new(many, json_pack("{s:s,s:s}", "id", "1", "host", "h"));
	cleanup(free_ptr) char *text = json_text(many);
	json_decref(many);
	assert_int_equal(order_as(bench, ID, "install", text), REFUSAL_BAD_MESSAGE);

	for (int i = 0; i < INSTALLS_AT_ONCE; i++) {
		id[0] = (char)('a' + i);
		assert_int_equal(order_as(bench, id, "install", good), REFUSAL_NONE);
	}
	assert_int_equal(order_as(bench, ID, "install", good), REFUSAL_INSTALL_BUSY);
	end_workers(bench);
	remove(bench->program);
	assert_int_equal(order(bench), REFUSAL_INSTALL_FAILED);
	cleanup(free_ptr) char *log = contents(bench, "log");
	assert_non_null(strstr(log, "worker: No such file"));
}

/* Neither a worker that does not read nor a hub that does not stop fills the memory. */
static void what_waits_for_a_worker_is_bounded(void **state)
{
	struct bench *bench = *state;
	json_t *rows = json_array();
	enum refusal refusal = REFUSAL_NONE;
	char token[1024];
	int told = 0;
	worker_does(bench, "exec sleep 1000\n");
	order(bench);
	memset(token, 'x', sizeof token - 1);
	token[sizeof token - 1] = '\0';
	for (int i = 0; i < 256; i++)
		json_array_append_new(rows, json_pack("{s:s,s:s}", "id", "1", "token", token));
	for (; !refusal; told++) {
		assert_true(told < 100);
		refusal = installs_go(
			&bench->installs, &(struct msg_install_go){.install = (char *)ID, .targets = rows});
		assert_true(bench->installs.list[0]->input.len <= INSTALL_MAX_WAITING);
	}
	json_decref(rows);
	assert_int_equal(refusal, REFUSAL_INSTALL_BUSY);
	assert_true(told > 10);
}

/* Its input ends when the agent does, and it has time to take back what is under way. */
static void workers_end_with_the_agent(void **state)
{
	struct bench *bench = *state;
	worker_does(bench, SAY("\"state\":\"ready\"") "read -r line\ntouch $dir/rolled-back\n");
	order(bench);
	expect_event(bench, "1", "ready");
	installs_close(&bench->installs);
	cleanup(free_ptr) char *trace = xasprintf("%s/rolled-back", bench->root);
	assert_true(file_exists(trace));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_install_from_start_to_end),
		TEST(events_take_the_place_of_older_ones),
		TEST(progress_is_told_now_and_then),
		TEST(what_was_not_heard_is_said_in_the_next_session),
		TEST(a_refused_event_is_said_again_and_an_unknown_one_dropped),
		TEST(a_worker_that_dies_is_told),
		TEST(a_worker_that_closes_its_ends_costs_no_time),
		TEST(an_end_that_is_not_obeyed),
		TEST(orders_that_are_none),
		TEST(what_waits_for_a_worker_is_bounded),
		TEST(workers_end_with_the_agent),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
