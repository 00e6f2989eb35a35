/*
 * The conversation of an open session and the backoff between sessions, with a clock that the test
 * turns by hand.
 */
#include "agent/backoff.h"
#include "agent/duration.h"
#include "agent/session.h"
#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define SECOND INT64_C(1000000)

struct bench {
	struct session session;
	struct buf sent; /* the messages since last looked at, one a line */
};

static int take(void *data, const char *text, size_t len)
{
	struct bench *bench = data;
	buf_append(&bench->sent, text, len);
	return buf_puts(&bench->sent, "\n");
}

static int setup(void **state)
{
	struct bench *bench = xcalloc(1, sizeof *bench);
	struct session_params params;
	session_params_default(&params);
	params.heartbeat_ms = 60000;
	params.heartbeat_jitter_ms = 5000;
	params.heartbeat_timeout_ms = 20000;
	session_open(&bench->session, &params, take, bench, 0, 100 * SECOND);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	session_free(&bench->session);
	buf_free(&bench->sent);
	free(bench);
	return 0;
}

static void hear(struct bench *bench, int64_t now_us, const char *text)
{
	session_text(&bench->session, text, strlen(text), now_us);
}

static void answer_heartbeat(struct bench *bench, int64_t now_us)
{
	cleanup(free_ptr) char *text = xasprintf(
		"{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{}}", (long long)bench->session.heartbeat_id);
	hear(bench, now_us, text);
}

static bool sent_something(struct bench *bench)
{
	bool sent = bench->sent.len;
	buf_consume(&bench->sent, bench->sent.len);
	return sent;
}

static void heartbeat_comes_on_time_for_an_hour(void **state)
{
	struct bench *bench = *state;
	int64_t now = 100 * SECOND, before = now;
	int beats = 0, odd = 0;
	for (int64_t end = now + 3600 * SECOND; now < end; beats++) {
		int64_t due = session_deadline_us(&bench->session);
		assert_in_range(due - before, 60 * SECOND, 65 * SECOND);
		odd += (due - before) % SECOND != 0;
		session_tick(&bench->session, due - 1);
		assert_false(sent_something(bench));
		session_tick(&bench->session, due);
		assert_non_null(strstr(buf_text(&bench->sent), "\"method\":\"heartbeat\""));
		assert_true(sent_something(bench));
		before = now = due;
		answer_heartbeat(bench, now + SECOND / 5);
		assert_int_equal(bench->session.round_trip_ms, 200);
	}
	assert_in_range(beats, 55, 60);
	assert_true(odd > 10); /* jitter */
	assert_int_equal(bench->session.over.cause, CAUSE_NONE);
}

static void traffic_does_not_put_a_heartbeat_off(void **state)
{
	struct bench *bench = *state;
	int64_t due = session_deadline_us(&bench->session);
	for (int i = 1; i < 60; i++) {
		hear(bench, (100 + i) * SECOND, "{\"jsonrpc\":\"2.0\",\"method\":\"news\",\"params\":{}}");
		assert_int_equal(session_deadline_us(&bench->session), due);
	}
	assert_false(sent_something(bench));
}

static void silence_is_keepalive_lost(void **state)
{
	struct bench *bench = *state;
	int64_t due = session_deadline_us(&bench->session);
	session_tick(&bench->session, due);
	assert_int_equal(session_deadline_us(&bench->session), due + 20 * SECOND);
	/* Something else that is heard is no answer, nor is an answer to another question. */
	hear(bench, due + 19 * SECOND, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
	session_tick(&bench->session, due + 20 * SECOND - 1);
	assert_int_equal(bench->session.over.cause, CAUSE_NONE);
	session_tick(&bench->session, due + 20 * SECOND);
	assert_int_equal(bench->session.over.cause, CAUSE_KEEPALIVE_LOST);
	assert_int_equal(bench->session.over.stage, STAGE_SESSION);
	assert_non_null(strstr(evidence_get(&bench->session.over.evidence, "lifetime"), "1 min "));
	assert_string_equal(evidence_get(&bench->session.over.evidence, "unanswered-for"), "20000 ms");
}

static void announcements_end_it(void **state)
{
	struct bench *bench = *state;
	hear(bench, 101 * SECOND,
		"{\"jsonrpc\":\"2.0\",\"method\":\"restarting\",\"params\":{\"delay_ms\":3000}}");
	assert_int_equal(bench->session.over.cause, CAUSE_HUB_RESTARTING);
	assert_int_equal(bench->session.restart_delay_ms, 3000);
	/* What comes after it changes nothing any more. */
	session_closed(&bench->session, 1012, 0, 102 * SECOND);
	session_tick(&bench->session, 900 * SECOND);
	assert_int_equal(bench->session.over.cause, CAUSE_HUB_RESTARTING);
}

static void removal_ends_it(void **state)
{
	struct bench *bench = *state;
	hear(bench, 101 * SECOND, "{\"jsonrpc\":\"2.0\",\"method\":\"revoked\",\"params\":{}}");
	assert_int_equal(bench->session.over.cause, CAUSE_AGENT_REVOKED);
}

static void removal_may_answer_a_heartbeat(void **state)
{
	struct bench *bench = *state;
	session_tick(&bench->session, session_deadline_us(&bench->session));
	cleanup(free_ptr) char *text =
		rpc_error(bench->session.heartbeat_id, REFUSAL_AGENT_UNKNOWN, NULL);
	hear(bench, 170 * SECOND, text);
	assert_int_equal(bench->session.over.cause, CAUSE_AGENT_REVOKED);
}

/* A copy of this machine came to the hub. */
static void presence_is_answered(void **state)
{
	struct bench *bench = *state;
	hear(
		bench, 101 * SECOND, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"present\",\"params\":{}}");
	assert_non_null(strstr(buf_text(&bench->sent), "\"id\":7"));
	assert_non_null(strstr(buf_text(&bench->sent), "\"result\""));
	assert_int_equal(bench->session.over.cause, CAUSE_NONE);
}

/* What the rhythm learns from: how long nothing moved before a heartbeat, and before the end. */
static void idleness_is_measured(void **state)
{
	struct bench *bench = *state;
	struct session *session = &bench->session;
	int64_t due = session_deadline_us(session);
	hear(bench, 130 * SECOND, "{\"jsonrpc\":\"2.0\",\"method\":\"news\",\"params\":{}}");
	session_tick(session, due);
	assert_int_equal(session->idle_ms, (due - 130 * SECOND) / 1000);
	assert_int_equal(session->lived_ms, 0);
	answer_heartbeat(bench, due + SECOND);
	assert_int_equal(session->lived_ms, session->idle_ms);
	assert_int_equal(session->answers, 1);
	/* Lost: what counts is the silence before the heartbeat, not the wait for its answer. */
	int64_t lost = session_deadline_us(session);
	session_tick(session, lost);
	session_tick(session, session_deadline_us(session));
	assert_int_equal(session->over.cause, CAUSE_KEEPALIVE_LOST);
	assert_int_equal(session->idle_ms, (lost - due - SECOND) / 1000);
	assert_true(session->answer_us);
}

static void end_without_a_heartbeat_under_way(void **state)
{
	struct bench *bench = *state;
	hear(bench, 110 * SECOND, "{\"jsonrpc\":\"2.0\",\"method\":\"news\",\"params\":{}}");
	session_closed(&bench->session, 1006, 0, 140 * SECOND);
	assert_int_equal(bench->session.idle_ms, 30000);
	assert_int_equal(bench->session.ended_us, 140 * SECOND);
	assert_false(bench->session.by_hub);
	finding_free(&bench->session.over);
	session_closed(&bench->session, 1001, 0, 141 * SECOND);
	assert_true(bench->session.by_hub);
}

static void pace_changes_with_the_next_heartbeat(void **state)
{
	struct bench *bench = *state;
	int64_t due = session_deadline_us(&bench->session);
	session_set_pace(&bench->session,
		&(struct session_params){.heartbeat_ms = 7000, .heartbeat_jitter_ms = 500});
	assert_int_equal(session_deadline_us(&bench->session), due);
	session_tick(&bench->session, due);
	answer_heartbeat(bench, due + SECOND);
	assert_in_range(session_deadline_us(&bench->session) - due, 7 * SECOND, 75 * SECOND / 10);
}

/* How the transport ended, and what it must be called. */
static const struct {
	uint16_t code;
	int error;
	enum cause cause;
	const char *note; /* in close-note, NULL: there is none */
} ends[] = {
	{1006, ECONNRESET, CAUSE_PEER_RESET, NULL},
	{1006, ETIMEDOUT, CAUSE_KEEPALIVE_LOST, NULL},
	{1006, EPIPE, CAUSE_PEER_CLOSED, NULL},
	{1006, 0, CAUSE_PEER_CLOSED, NULL},
	{1001, 0, CAUSE_PEER_CLOSED, "code 1001"},
	{1009, 0, CAUSE_PEER_CLOSED, "larger than both ends allow"},
	{4001, 0, CAUSE_PEER_CLOSED, "took its place"},
};

static void transport_ends_are_told_apart(void **state)
{
	struct bench *bench = *state;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		finding_free(&bench->session.over);
		session_closed(
			&bench->session, ends[i].code, ends[i].error, (100 + 2 * 3600 + 300) * SECOND);
		const char *note = evidence_get(&bench->session.over.evidence, "close-note");
		assert_int_equal(bench->session.over.cause, ends[i].cause);
		assert_string_equal(evidence_get(&bench->session.over.evidence, "lifetime"), "2 h 5 min");
		if (ends[i].note)
			assert_non_null(strstr(note ? note : "", ends[i].note));
		else
			assert_null(note);
	}
}

static void garbage_ends_it(void **state)
{
	static const char *const garbage[] = {"", "{", "[]", "null", "{\"jsonrpc\":\"1.0\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{}}", "\xff\xfe"};
	struct bench *bench = *state;
	for (size_t i = 0; i < ARRAY_LEN(garbage); i++) {
		finding_free(&bench->session.over);
		hear(bench, 101 * SECOND, garbage[i]);
		assert_int_equal(bench->session.over.cause, CAUSE_PEER_CLOSED);
		cleanup(free_ptr) char *sentence = finding_sentence(&bench->session.over);
		assert_non_null(strstr(sentence, "no JSON-RPC message"));
	}
}

static void unknown_question_is_refused_unknown_news_ignored(void **state)
{
	struct bench *bench = *state;
	hear(bench, 101 * SECOND, "{\"jsonrpc\":\"2.0\",\"method\":\"news\",\"params\":{}}");
	assert_false(sent_something(bench));
	hear(bench, 101 * SECOND, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"dance\",\"params\":{}}");
	assert_non_null(strstr(buf_text(&bench->sent), "\"id\":5"));
	assert_non_null(strstr(buf_text(&bench->sent), "-32600"));
	assert_int_equal(bench->session.over.cause, CAUSE_NONE);
}

/* --- what the caller's table answers, and what it asks -------------------------------------- */

static int cancels, unfollows;

static enum refusal on_cancel(void *data, const void *record)
{
	const struct msg_job_cancel *msg = record;
	assert_non_null(data);
	cancels++;
	return strcmp(msg->run, "known") == 0 ? REFUSAL_NONE : REFUSAL_JOB_UNKNOWN;
}

static enum refusal on_unfollow(void *data, const void *record)
{
	const struct msg_log_unfollow *msg = record;
	assert_non_null(data);
	assert_string_equal(msg->stream, "s");
	unfollows++;
	return REFUSAL_BAD_MESSAGE;
}

static const struct session_call calls[] = {
	{MSG_job_cancel, on_cancel}, {MSG_log_unfollow, on_unfollow}};

/* What the hub sends, what must be in the answer; "": nothing is answered. */
static const struct {
	const char *text, *answer;
} called[] = {
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"job.cancel\",\"params\":{\"run\":\"known\"}}",
		"\"result\":{}"},
	{"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"job.cancel\",\"params\":{\"run\":\"other\"}}",
		"1207"},
	{"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"job.cancel\",\"params\":{\"run\":7}}", "-32600"},
	{"{\"jsonrpc\":\"2.0\",\"method\":\"log.unfollow\",\"params\":{\"stream\":\"s\"}}", ""},
	{"{\"jsonrpc\":\"2.0\",\"method\":\"log.unfollow\",\"params\":{}}", ""},
};

static void calls_are_answered_from_the_table(void **state)
{
	struct bench *bench = *state;
	bench->session.calls = calls;
	bench->session.call_count = ARRAY_LEN(calls);
	cancels = unfollows = 0;
	for (size_t i = 0; i < ARRAY_LEN(called); i++) {
		hear(bench, 101 * SECOND, called[i].text);
		assert_non_null(strstr(buf_text(&bench->sent), called[i].answer));
		assert_int_equal(sent_something(bench), *called[i].answer != '\0');
	}
	assert_int_equal(cancels, 2);
	assert_int_equal(unfollows, 1);
	assert_int_equal(bench->session.over.cause, CAUSE_NONE);
}

static struct {
	int count;
	uint64_t tag;
	bool refused;
	enum refusal refusal;
} heard;

static void on_heard(void *data, uint64_t tag, const json_t *result, enum refusal refusal)
{
	assert_non_null(data);
	heard.count++;
	heard.tag = tag;
	heard.refused = !result;
	heard.refusal = refusal;
}

static int ask(struct bench *bench, uint64_t tag)
{
	return session_ask(
		&bench->session, MSG_heartbeat, &(struct msg_heartbeat){0}, on_heard, bench, tag);
}

static void answer(struct bench *bench, int64_t id, const char *what)
{
	cleanup(free_ptr) char *text =
		xasprintf("{\"jsonrpc\":\"2.0\",\"id\":%lld,%s}", (long long)id, what);
	hear(bench, 102 * SECOND, text);
}

/* Several at once, answered in any order, each once; a place is free again after its answer. */
static void questions_are_told_apart(void **state)
{
	struct bench *bench = *state;
	int64_t first = bench->session.next_id;
	memset(&heard, 0, sizeof heard);
	for (uint64_t i = 0; i < SESSION_ASKS; i++)
		assert_int_equal(ask(bench, i), 0);
	assert_int_equal(ask(bench, 99), -1);
	answer(bench, first + 2, "\"result\":{}");
	assert_int_equal(heard.tag, 2);
	assert_false(heard.refused);
	answer(bench, first, "\"error\":{\"code\":1207,\"message\":\"no\"}");
	assert_int_equal(heard.tag, 0);
	assert_true(heard.refused);
	assert_int_equal(heard.refusal, REFUSAL_JOB_UNKNOWN);
	answer(bench, first, "\"result\":{}");
	answer(bench, 0, "\"result\":{}");
	assert_int_equal(heard.count, 2);
	assert_int_equal(ask(bench, 50), 0);
	answer(bench, bench->session.next_id - 1, "\"result\":{}");
	assert_int_equal(heard.tag, 50);
}

static void no_hub_can_make_an_agent_spin(void **state)
{
	(void)state;
	struct session_params params;
	struct err err = {""};
	json_t *welcome = json_pack("{s:s,s:i,s:i,s:i,s:i,s:i,s:i}", "server_id", "x", "heartbeat_ms",
		0, "heartbeat_jitter_ms", 0, "heartbeat_timeout_ms", 0, "backoff_base_ms", 0,
		"backoff_cap_ms", 0, "stable_ms", 0);
	assert_int_equal(session_params_read(welcome, &params, &err), 0);
	assert_true(params.heartbeat_ms >= 50 && params.heartbeat_timeout_ms >= 50);
	assert_true(params.backoff_base_ms >= 10 && params.backoff_cap_ms >= params.backoff_base_ms);
	json_object_set_new(welcome, "heartbeat_ms", json_integer(1LL << 40));
	assert_int_equal(session_params_read(welcome, &params, &err), -1);
	assert_non_null(strstr(err.text, "heartbeat_ms"));
	json_decref(welcome);
}

/* Full jitter: anything from 0 to a bound that doubles up to the cap, and stays there. */
static void backoff_doubles_to_its_cap(void **state)
{
	(void)state;
	for (int bound = 1000, attempt = 0; attempt < 12; attempt++) {
		int64_t most = 0, least = bound;
		for (int i = 0; i < 300; i++) {
			struct backoff backoff = {.base_ms = 1000, .cap_ms = 60000};
			int64_t wait = 0;
			for (int n = 0; n <= attempt; n++)
				wait = backoff_next(&backoff);
			assert_in_range(wait, 0, bound);
			most = wait > most ? wait : most;
			least = wait < least ? wait : least;
		}
		assert_true(most > bound / 2);
		assert_true(least < bound / 2);
		bound = bound * 2 > 60000 ? 60000 : bound * 2;
	}
}

/* Never sooner than the hub asks, spread so that nobody comes together, and no step of the backoff.
 */
static void backoff_waits_as_asked(void **state)
{
	static const struct {
		int64_t asked, least, most;
	} rows[] = {{1000, 1000, 2000}, {3000, 3000, 4000}, {40000, 40000, 50000},
		{INT64_C(999999999), 3600000, 4500000}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct backoff backoff = {.base_ms = 10, .cap_ms = 60000};
		int64_t first = backoff_wait(&backoff, rows[i].asked, 0);
		bool differs = false;
		for (int n = 0; n < 300; n++) {
			int64_t wait = backoff_wait(&backoff, rows[i].asked, 0);
			assert_in_range(wait, rows[i].least, rows[i].most);
			differs |= wait != first;
		}
		assert_true(differs);
		assert_in_range(backoff_wait(&backoff, 0, 500), 0, 500);
		assert_int_equal(backoff.bound_ms, 0);
		assert_in_range(backoff_wait(&backoff, 0, 0), 0, 10);
		assert_int_equal(backoff.bound_ms, 20);
	}
}

static void backoff_starts_again_after_reset(void **state)
{
	(void)state;
	struct backoff backoff = {.base_ms = 10, .cap_ms = 60000};
	for (int i = 0; i < 20; i++)
		backoff_next(&backoff);
	assert_true(backoff.bound_ms > 60000);
	backoff_reset(&backoff);
	assert_in_range(backoff_next(&backoff), 0, 10);
	assert_int_equal(backoff_spread(0), 0);
	assert_int_equal(backoff_spread(-5), 0);
}

static void durations_read_well(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *words;
	} rows[] = {{0, "0 ms"}, {850, "850 ms"}, {12400, "12.4 s"}, {200000, "3 min 20 s"},
		{7500000, "2 h 5 min"}, {90061000, "1 d 1 h"}};
	char text[DURATION_TEXT_SIZE];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(duration_words(rows[i].ms, text), rows[i].words);
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(heartbeat_comes_on_time_for_an_hour),
		WITH_BENCH(traffic_does_not_put_a_heartbeat_off),
		WITH_BENCH(silence_is_keepalive_lost),
		WITH_BENCH(announcements_end_it),
		WITH_BENCH(removal_ends_it),
		WITH_BENCH(removal_may_answer_a_heartbeat),
		WITH_BENCH(presence_is_answered),
		WITH_BENCH(idleness_is_measured),
		WITH_BENCH(end_without_a_heartbeat_under_way),
		WITH_BENCH(pace_changes_with_the_next_heartbeat),
		WITH_BENCH(transport_ends_are_told_apart),
		WITH_BENCH(garbage_ends_it),
		WITH_BENCH(unknown_question_is_refused_unknown_news_ignored),
		WITH_BENCH(calls_are_answered_from_the_table),
		WITH_BENCH(questions_are_told_apart),
		cmocka_unit_test(no_hub_can_make_an_agent_spin),
		cmocka_unit_test(backoff_doubles_to_its_cap),
		cmocka_unit_test(backoff_waits_as_asked),
		cmocka_unit_test(backoff_starts_again_after_reset),
		cmocka_unit_test(durations_read_well),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
