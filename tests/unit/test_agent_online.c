/*
 * Being online over a real pair of sockets: a thread plays the hub, frame by frame. And the check
 * that runs beside it, with small scripts in place of the program.
 */
#include "agent/online.h"
#include "agent/outside.h"
#include "base/file.h"
#include "base/json.h"
#include "temporary_root.h"
#include "dial/stage.h"

#include <errno.h>
#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char root[ROOT_SIZE];
static struct agent_paths paths;

/* --- the hub ---------------------------------------------------------------------------------- */

struct hub {
	int fd;
	struct cancel *interrupt;
	void (*script)(struct hub *hub);
	char text[4096]; /* the last message that came */
	unsigned heartbeats;
	unsigned close_code; /* of the agent's close frame, 0 for none */
};

static bool receive(struct hub *hub, void *data, size_t len)
{
	for (size_t got = 0; got < len;) {
		ssize_t more = recv(hub->fd, (char *)data + got, len - got, 0);
		if (more <= 0)
			return false;
		got += (size_t)more;
	}
	return true;
}

static void shake_hands(struct hub *hub)
{
	char request[2048] = "", joined[128], accept[64], answer[256];
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	for (size_t at = 0; !strstr(request, "\r\n\r\n") && at + 1 < sizeof request; at++)
		if (!receive(hub, request + at, 1))
			return;
	snprintf(joined, sizeof joined, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
		strstr(request, "Sec-WebSocket-Key: ") + strlen("Sec-WebSocket-Key: "));
	EVP_Digest(joined, strlen(joined), hash, &len, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)accept, hash, (int)len);
	int size = snprintf(answer, sizeof answer,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\n\r\n",
		accept);
	send(hub->fd, answer, (size_t)size, MSG_NOSIGNAL);
}

static void say(struct hub *hub, unsigned char first, const char *text)
{
	unsigned char head[2] = {first, (unsigned char)strlen(text)};
	assert(strlen(text) < 126);
	send(hub->fd, head, sizeof head, MSG_NOSIGNAL);
	send(hub->fd, text, strlen(text), MSG_NOSIGNAL);
}

/* One frame of the agent: its opcode, or -1 at the end. */
static int hear(struct hub *hub)
{
	unsigned char head[2], more[2], mask[4];
	if (!receive(hub, head, sizeof head))
		return -1;
	size_t len = head[1] & 0x7f;
	if (len == 126) {
		if (!receive(hub, more, sizeof more))
			return -1;
		len = (size_t)more[0] << 8 | more[1];
	}
	if (len >= sizeof hub->text || !receive(hub, mask, sizeof mask) ||
		!receive(hub, hub->text, len))
		return -1;
	for (size_t i = 0; i < len; i++)
		hub->text[i] = (char)(hub->text[i] ^ mask[i % 4]);
	hub->text[len] = '\0';
	if ((head[0] & 0x0f) == 8 && len >= 2)
		hub->close_code = (unsigned)(unsigned char)hub->text[0] << 8 | (unsigned char)hub->text[1];
	return head[0] & 0x0f;
}

static void answer_heartbeats(struct hub *hub, unsigned count)
{
	for (; count && hear(hub) == 1;) {
		long long id = 0;
		const char *at = strstr(hub->text, "\"id\":");
		if (!strstr(hub->text, "\"heartbeat\"") || !at || sscanf(at, "\"id\":%lld", &id) != 1)
			continue;
		cleanup(free_ptr) char *text =
			xasprintf("{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{}}", id);
		say(hub, 0x81, text);
		hub->heartbeats++;
		count--;
	}
}

static void *hub_main(void *data)
{
	struct hub *hub = data;
	shake_hands(hub);
	/* The path comes first, once the session is open. */
	assert(hear(hub) == 1 && strstr(hub->text, "\"method\":\"path\""));
	hub->script(hub);
	while (hear(hub) >= 0)
		continue;
	close(hub->fd);
	return NULL;
}

/* --- the agent ---------------------------------------------------------------------------------
 */

struct bench {
	struct hub hub;
	pthread_t thread;
	struct walk walk;
	struct online online;
	struct runner runner;
	struct runs runs; /* without a journal: there are none */
	struct sender sender;
	struct installs installs; /* none */
	struct agent_log log;
	struct status status;
	struct cancel interrupt;
	struct session_params asked;
	struct rhythm rhythm;
};

static ssize_t read_conn(void *data, void *bytes, size_t len)
{
	return conn_read(data, bytes, len);
}

static ssize_t write_conn(void *data, const void *bytes, size_t len)
{
	return conn_write(data, bytes, len);
}

static void ignore(void *data, const char *text, size_t len)
{
	(void)data;
	(void)text;
	(void)len;
}

static void open_session(struct bench *bench)
{
	bool wants_write = false;
	struct ws_io io = {read_conn, write_conn, bench->walk.conn};
	bench->walk.ws = ws_client_start(&io, "hub.example", "/v1/session", ignore, NULL);
	while (ws_step(bench->walk.ws, &wants_write) == WS_HANDSHAKE)
		assert_int_equal(conn_wait(bench->walk.conn, deadline_in_ms(10000), NULL), WAIT_READY);
	assert_int_equal(ws_state(bench->walk.ws), WS_OPEN);
}

static enum online_end run(struct bench *bench, void (*script)(struct hub *hub))
{
	int fds[2];
	bench->asked = (struct session_params){.heartbeat_ms = 50, .heartbeat_timeout_ms = 5000};
	cleanup(json_drop) json_t *inventory =
		inventory_read(&(struct inventory_source){.location = "Bern"});
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	bench->hub = (struct hub){.fd = fds[1], .script = script, .interrupt = &bench->interrupt};
	assert_int_equal(pthread_create(&bench->thread, NULL, hub_main, &bench->hub), 0);
	bench->walk.conn = conn_new();
	conn_take_fd(bench->walk.conn, fds[0]);
	open_session(bench);
	bench->online = (struct online){
		.paths = &paths,
		.log = &bench->log,
		.status = &bench->status,
		.interrupt = &bench->interrupt,
		.runner = &bench->runner,
		.runs = &bench->runs,
		.sender = &bench->sender,
		.installs = &bench->installs,
		.rhythm = &bench->rhythm,
		.asked = &bench->asked,
	};
	online_begin(&bench->online, &bench->walk, inventory, NULL, clock_mono_us());
	walk_free(&bench->walk);
	return online_run(&bench->online);
}

/* Ends the session and waits for the hub's thread, so that what it noted can be looked at. */
static void finish(struct bench *bench)
{
	online_free(&bench->online);
	pthread_join(bench->thread, NULL);
}

static int setup(void **state)
{
	struct bench *bench = xcalloc(1, sizeof *bench);
	assert_int_equal(root_make(root), 0);
	paths_init(&paths, root);
	agent_log_open(&bench->log, &paths, false);
	status_init(&bench->status, &paths);
	assert_int_equal(cancel_init(&bench->interrupt), 0);
	runner_init(&bench->runner, "/some root");
	runs_init(&bench->runs);
	sender_init(&bench->sender, NULL);
	installs_init(&bench->installs, NULL);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	runner_free(&bench->runner);
	cancel_fini(&bench->interrupt);
	status_free(&bench->status);
	agent_log_close(&bench->log);
	paths_free(&paths);
	free(bench);
	return root_remove(root);
}

static void restart_script(struct hub *hub)
{
	answer_heartbeats(hub, 5);
	say(hub, 0x81, "{\"jsonrpc\":\"2.0\",\"method\":\"restarting\",\"params\":{\"delay_ms\":7}}");
}

static void stays_until_the_hub_restarts(void **state)
{
	struct bench *bench = *state;
	int64_t start = clock_mono_us();
	assert_int_equal(run(bench, restart_script), ONLINE_LOST);
	assert_int_equal(bench->online.session.over.cause, CAUSE_HUB_RESTARTING);
	assert_int_equal(bench->online.session.restart_delay_ms, 7);
	assert_true(clock_ms_since(start) >= 5 * 50);
	finish(bench);
	assert_int_equal(bench->hub.heartbeats, 5);
	assert_int_equal(bench->hub.close_code, 1001);
}

static void goodbye_script(struct hub *hub)
{
	say(hub, 0x88, "\x03\xe9");
}

static void close_frame_is_peer_closed(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(run(bench, goodbye_script), ONLINE_LOST);
	assert_int_equal(bench->online.session.over.cause, CAUSE_PEER_CLOSED);
	assert_string_equal(evidence_get(&bench->online.session.over.evidence, "close-code"), "1001");
	finish(bench);
}

static void vanish_script(struct hub *hub)
{
	answer_heartbeats(hub, 1);
	shutdown(hub->fd, SHUT_RDWR);
}

static void end_of_stream_is_peer_closed(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(run(bench, vanish_script), ONLINE_LOST);
	assert_int_equal(bench->online.session.over.cause, CAUSE_PEER_CLOSED);
	assert_null(evidence_get(&bench->online.session.over.evidence, "close-code"));
	finish(bench);
}

static void big_script(struct hub *hub)
{
	/* The head of a message of 1 GB; nothing of it need ever be sent. */
	static const unsigned char head[] = {0x81, 127, 0, 0, 0, 0, 0x40, 0, 0, 0};
	send(hub->fd, head, sizeof head, MSG_NOSIGNAL);
	send(hub->fd, "aaaa", 4, MSG_NOSIGNAL);
}

static void message_of_a_gigabyte_ends_it_with_1009(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(run(bench, big_script), ONLINE_LOST);
	assert_int_equal(bench->online.session.over.cause, CAUSE_PEER_CLOSED);
	assert_string_equal(evidence_get(&bench->online.session.over.evidence, "close-code"), "1009");
	finish(bench);
}

static void interrupt_script(struct hub *hub)
{
	answer_heartbeats(hub, 1);
	cancel_fire(hub->interrupt);
}

static void interruption_says_goodbye(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(run(bench, interrupt_script), ONLINE_INTERRUPTED);
	finish(bench);
	assert_int_equal(bench->hub.close_code, 1001);
}

/* --- the check ---------------------------------------------------------------------------------
 */

static char *write_script(const char *body)
{
	struct err err;
	char *script = xasprintf("%s/check.sh", root);
	cleanup(free_ptr) char *text = xasprintf("#!/bin/sh\n%s\n", body);
	assert_int_equal(file_replace(script, text, strlen(text), 0700, &err), 0);
	return script;
}

static enum checker_result run_checker(
	const char *body, bool expired, json_t **report, struct err *err)
{
	struct checker checker;
	enum checker_result result;
	cleanup(free_ptr) char *script = write_script(body);
	const struct checker_wish wish = {"/some root", "lab", true};
	checker_init(&checker);
	assert_int_equal(checker_start(&checker, script, &wish, err), 0);
	if (expired)
		checker.deadline = deadline_in_ms(0);
	while ((result = checker_step(&checker, report, err)) == CHECKER_RUNNING)
		assert_int_equal(wait_fd(checker.self.fd, POLLIN, deadline_in_ms(10000), NULL), WAIT_READY);
	assert_int_equal(checker.self.pid, 0);
	return result;
}

static void report_is_gathered(void **state)
{
	(void)state;
	json_t *report = NULL;
	struct err err = {""};
	assert_int_equal(
		run_checker("printf '{\"schema\":\"sallyport.check/1\",\"args\":\"'; printf '%s ' \"$@\"; "
					"head -c 300000 /dev/zero | tr '\\0' x; printf '\"}'; exit 1",
			false, &report, &err),
		CHECKER_DONE);
	const char *args = json_get_text(report, "args");
	assert_non_null(
		strstr(args, "check --format=json --deadline=180 --root=/some root --profile=lab --deep "));
	json_decref(report);
}

/* What a child may do wrong, and what the error must say. */
static const struct {
	const char *body;
	bool expired;
	const char *words;
} bad_children[] = {
	{"exit 0", false, "its output"},
	{"echo '{\"schema\":\"other/1\"}'", false, "no report"},
	{"echo oops", false, "line 1"},
	{"head -c 2000000 /dev/zero", false, "more than"},
	{"exec sleep 100", true, "did not end"},
	{"echo 'sallyport check: no profile \"x\"' >&2; echo more >&2; exit 2", false,
		"sallyport check: no profile \"x\""},
	{"printf 'bad \\033[31m\\n' >&2; exit 2", false, "bad ?[31m"},
};

static void bad_children_are_ended_and_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_children); i++) {
		json_t *report = NULL;
		struct err err = {""};
		assert_int_equal(run_checker(bad_children[i].body, bad_children[i].expired, &report, &err),
			CHECKER_FAILED);
		assert_null(report);
		if (!strstr(err.text, bad_children[i].words))
			fail_msg("\"%s\" is not in: %s", bad_children[i].words, err.text);
	}
	struct checker checker;
	struct err err = {""};
	checker_init(&checker);
	assert_int_equal(checker_start(&checker, "/nonexistent/sallyport",
						 &(struct checker_wish){.profile = ""}, &err),
		-1);
	assert_non_null(strstr(err.text, "/nonexistent/sallyport"));
}

/* --- checks that the hub asks for ------------------------------------------------------------- */

static struct runner_news next_news(struct runner *runner)
{
	struct runner_news news;
	struct deadline end = deadline_in_ms(10000), unused;
	for (;;) {
		runner_step(runner, &news);
		if (news.event || !runner_deadline(runner, &unused))
			return news;
		assert_int_equal(wait_fd(runner_fd(runner), POLLIN, end, NULL), WAIT_READY);
	}
}

/* Neither a file nor an option can be chosen from the hub. */
static void profile_is_an_id_and_no_file(void **state)
{
	static const struct {
		const char *profile;
		enum runner_answer answer;
	} rows[] = {
		{"citrix-smart-tools", RUNNER_TAKEN},
		{"a.b_c-9", RUNNER_TAKEN},
		{NULL, RUNNER_TAKEN},
		{"", RUNNER_NO_PROFILE},
		{"/etc/shadow", RUNNER_NO_PROFILE},
		{"../x", RUNNER_NO_PROFILE},
		{"x.yaml", RUNNER_NO_PROFILE},
		{"x.yml", RUNNER_NO_PROFILE},
		{"--hub=https://evil", RUNNER_NO_PROFILE},
		{"a b", RUNNER_NO_PROFILE},
		{"a\nb", RUNNER_NO_PROFILE},
		{"\xc3\xa9", RUNNER_NO_PROFILE},
		{"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", RUNNER_NO_PROFILE},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct runner runner;
		runner_init(&runner, NULL);
		if (runner_ask(&runner, "r1", rows[i].profile, false) != rows[i].answer)
			fail_msg("%s", rows[i].profile ? rows[i].profile : "none");
		assert_int_equal(runner_asked(&runner) != NULL, rows[i].answer == RUNNER_TAKEN);
		runner_free(&runner);
	}
}

static void one_check_at_a_time_the_own_first(void **state)
{
	struct runner runner;
	(void)state;
	cleanup(free_ptr) char *script =
		write_script("printf '{\"schema\":\"sallyport.check/1\",\"args\":\"%s\"}' \"$*\"");
	runner_init(&runner, NULL);
	runner.program = script;
	assert_int_equal(next_news(&runner).event, RUNNER_NOTHING);
	runner_want_own(&runner);
	assert_int_equal(runner_ask(&runner, "r1", "lab", true), RUNNER_TAKEN);
	assert_int_equal(runner_ask(&runner, "r1", "lab", true), RUNNER_TAKEN); /* said again */
	assert_int_equal(runner_ask(&runner, "r2", NULL, false), RUNNER_BUSY);
	struct runner_news news = next_news(&runner);
	assert_int_equal(news.event, RUNNER_STARTED);
	assert_string_equal(news.job.run, "");
	news = next_news(&runner);
	assert_int_equal(news.event, RUNNER_REPORTED);
	json_drop(&news.report);
	assert_string_equal(runner_asked(&runner), "r1");
	news = next_news(&runner);
	assert_int_equal(news.event, RUNNER_STARTED);
	assert_string_equal(news.job.run, "r1");
	assert_int_equal(runner_ask(&runner, "r2", NULL, false), RUNNER_BUSY);
	news = next_news(&runner);
	assert_int_equal(news.event, RUNNER_REPORTED);
	assert_string_equal(json_get_text(news.report, "args"),
		"check --format=json --deadline=180 --profile=lab --deep");
	json_drop(&news.report);
	assert_null(runner_asked(&runner));
	runner_free(&runner);
}

/* The session ends while the check runs; the next one gets its report. */
static void asked_script(struct hub *hub)
{
	say(hub, 0x81,
		"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"check.run\",\"params\":{\"run\":\"abc\"}}");
	while (hear(hub) == 1 && !strstr(hub->text, "check.started"))
		hub->heartbeats += strstr(hub->text, "\"id\":4,\"jsonrpc\"") != NULL ||
						   strstr(hub->text, "\"result\":{}") != NULL;
	shutdown(hub->fd, SHUT_RDWR);
}

static void report_script(struct hub *hub)
{
	assert(strstr(hub->text, "\"run\":\"abc\"")); /* in the path */
	cleanup(free_ptr) char *go = xasprintf("%s/go", root);
	assert(file_replace(go, "", 0, 0600, NULL) == 0);
	while (hear(hub) == 1 && !strstr(hub->text, "\"method\":\"check\""))
		continue;
	assert(strstr(hub->text, "\"run\":\"abc\""));
	shutdown(hub->fd, SHUT_RDWR);
}

static void check_goes_on_when_its_session_ends(void **state)
{
	struct bench *bench = *state;
	cleanup(free_ptr) char *body = xasprintf("while ! [ -e %s/go ]; do sleep 0.01; done\n"
											 "echo '{\"schema\":\"sallyport.check/1\"}'",
		root);
	cleanup(free_ptr) char *script = write_script(body);
	bench->runner.program = script;
	run(bench, asked_script);
	finish(bench);
	assert_int_equal(bench->hub.heartbeats, 1); /* it agreed, once */
	assert_string_equal(runner_asked(&bench->runner), "abc");
	run(bench, report_script);
	finish(bench);
	assert_null(runner_asked(&bench->runner));
}

/* --- the outside view --------------------------------------------------------------------------
 */

static void outside_view_joins_the_report(void **state)
{
	static const char text[] =
		"{\"requirements\":[{\"id\":\"inbound.22\",\"status\":\"unknown\"},"
		"{\"id\":\"inbound.25-udp\",\"status\":\"pass\"},"
		"{\"id\":\"inbound.3389\",\"status\":\"skipped\"},{\"id\":\"inbound.\",\"status\":\"pass\"}"
		","
		"{\"id\":\"inbound.23\",\"status\":\"pass\"},{\"id\":\"clock\",\"status\":\"pass\"},7,{}]}";
	static const char hub[] = "{\"22\":\"open\",\"23\":\"<b>\",\"3389\":\"open\",\"24\":\"open\"}";
	(void)state;
	cleanup(json_drop) json_t *report = json_parse(text, strlen(text), NULL);
	cleanup(json_drop) json_t *seen = json_parse(hub, strlen(hub), NULL);
	cleanup(json_drop) json_t *ports = outside_ports(report);
	cleanup(free_ptr) char *asked = json_text(ports);
	assert_string_equal(asked, "[22,23]");
	outside_merge(report, seen);
	const json_t *requirements = json_object_get(report, "requirements");
	cleanup(free_ptr) char *first =
		json_text(json_object_get(json_array_get(requirements, 0), "outside"));
	assert_string_equal(first, "{\"from\":\"hub\",\"result\":\"open\"}");
	for (size_t i = 1; i < json_array_size(requirements); i++)
		assert_null(json_object_get(json_array_get(requirements, i), "outside"));
	assert_null(outside_ports(seen));
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(stays_until_the_hub_restarts),
		WITH_BENCH(close_frame_is_peer_closed),
		WITH_BENCH(end_of_stream_is_peer_closed),
		WITH_BENCH(message_of_a_gigabyte_ends_it_with_1009),
		WITH_BENCH(interruption_says_goodbye),
		WITH_BENCH(report_is_gathered),
		WITH_BENCH(bad_children_are_ended_and_named),
		WITH_BENCH(profile_is_an_id_and_no_file),
		WITH_BENCH(one_check_at_a_time_the_own_first),
		WITH_BENCH(check_goes_on_when_its_session_ends),
		WITH_BENCH(outside_view_joins_the_report),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
