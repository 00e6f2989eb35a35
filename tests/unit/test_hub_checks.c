/*
 * Checks between the console and the machines: their states, those that are lost, the bounds, and a
 * store that does not take them. The store is a fake that fails on command.
 */
#include "base/json.h"
#include "hub/check_report.h"
#include "hub/checks.h"
#include "hub/log.h"
#include "lib/store_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define NOW 1700000000

static struct store_fake *fake;
static struct checks *checks;
static const char *server;
static struct err err;
static int changes;
static enum store_check_state last_state;

static void on_wake(void *data, int64_t after_ms)
{
	(void)data;
	(void)after_ms;
}

static void on_changed(void *data, const struct store_check *check)
{
	(void)data;
	assert_null(check->report);
	changes++;
	last_state = check->state;
}

static void make_checks(void)
{
	static const struct checks_hooks hooks = {on_wake, on_changed, NULL};
	checks = checks_new(&fake->store, &hooks);
	assert_int_equal(checks_load(checks, 0, &err), STORE_OK);
}

static const char *add_server(unsigned char number)
{
	unsigned char key[IDENTITY_KEY_BYTES] = {number};
	return store_fake_add(fake, key)->id;
}

static int set_up(void **state)
{
	(void)state;
	fake = store_fake_new();
	server = add_server(1);
	changes = 0;
	make_checks();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	checks_free(checks);
	fake->store.driver->close(&fake->store);
	return 0;
}

static enum checks_ask ask_of(const char *id, bool deep, char run[STORE_CHECK_ID_SIZE])
{
	struct store_check check = {0};
	enum store_status status = STORE_OK;
	const struct checks_wish wish = {id, "alice", "", "", deep, NOW, 0};
	enum checks_ask asked = checks_ask(checks, &wish, &check, &status, &err);
	snprintf(run, STORE_CHECK_ID_SIZE, "%s", check.id);
	store_check_free(&check);
	return asked;
}

static void ask(char run[STORE_CHECK_ID_SIZE])
{
	assert_int_equal(ask_of(server, false, run), ASK_TAKEN);
}

static int report_with(const char *run, json_t *report)
{
	int rc = checks_reported(checks, server, run, report, NOW + 5);
	json_decref(report);
	return rc;
}

static json_t *a_report(const char *verdict, const char *cause)
{
	return json_pack("{s:s,s:s,s:{s:s,s:s},s:[{s:s,s:s,s:s}]}", "schema", "sallyport.check/1",
		"verdict", verdict, "profile", "id", "lab", "title", "Lab", "causes", "id", cause,
		"severity", "fail", "sentence", "It fails.");
}

static void flush(void)
{
	assert_int_equal(checks_flush(checks, &err), STORE_OK);
}

static const struct store_check *stored(void)
{
	return store_fake_check(fake, 0);
}

static void one_runs_at_a_time_on_a_server(void **state)
{
	char run[STORE_CHECK_ID_SIZE], other[STORE_CHECK_ID_SIZE];
	(void)state;
	ask(run);
	assert_int_equal(stored()->state, CHECK_QUEUED);
	assert_int_equal(ask_of(server, false, other), ASK_RUNS_ALREADY);
	assert_string_equal(run, other);
	assert_int_equal(ask_of(add_server(2), false, other), ASK_TAKEN);
	assert_int_equal(checks_started(checks, server, run, NOW + 1, 0), 0);
	assert_int_equal(report_with(run, a_report("fail", "x")), 0);
	assert_int_equal(ask_of(server, false, other), ASK_TAKEN); /* before it was written */
	flush();
}

static void report_fills_the_row(void **state)
{
	char run[STORE_CHECK_ID_SIZE];
	(void)state;
	ask(run);
	checks_started(checks, server, run, NOW + 1, 0);
	report_with(run, a_report("fail", "dns-nxdomain"));
	flush();
	assert_int_equal(stored()->state, CHECK_DONE);
	assert_int_equal(stored()->started, NOW + 1);
	assert_int_equal(stored()->finished, NOW + 5);
	assert_string_equal(stored()->outcome, "fail dns-nxdomain");
	assert_string_equal(stored()->title, "Lab");
	assert_string_equal(stored()->profile, ""); /* what was asked for */
	assert_string_equal(stored()->causes,
		"[{\"id\":\"dns-nxdomain\",\"severity\":\"fail\",\"sentence\":\"It fails.\"}]");
	assert_non_null(strstr(stored()->report, "sallyport.check/1"));
	assert_int_equal(last_state, CHECK_DONE);
	report_with(NULL, a_report("pass", "x")); /* the machine's own */
	flush();
	assert_string_equal(stored()->profile, "lab");
	assert_string_equal(stored()->requested_by, "");
}

/* Hostile reports: what is none is refused, what is one is cut and made printable. */
static void reports_are_not_taken_on_trust(void **state)
{
	struct store_check row = {.requested_by = xstrdup(""), .profile = xstrdup("")};
	json_t *report = a_report("fail", "ev\x1bil\n");
	char long_text[5000];
	(void)state;
	assert_int_equal(report_with(NULL, json_object()), -1);
	assert_int_equal(report_with(NULL, json_pack("{s:s}", "verdict", "pass")), -1);
	assert_int_equal(report_with(NULL, a_report("fine", "x")), -1);
	memset(long_text, 'y', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	json_t *causes = json_object_get(report, "causes");
	json_array_append_new(causes, json_integer(7));
	for (int i = 0; i < 300; i++)
		json_array_append_new(
			causes, json_pack("{s:s,s:s}", "id", long_text, "sentence", long_text));
	assert_int_equal(check_report_take(report, &row), 0);
	json_t *kept = json_parse(row.causes, strlen(row.causes), &err);
	assert_int_equal(json_array_size(kept), CHECK_REPORT_MAX_CAUSES);
	assert_string_equal(json_get_text(json_array_get(kept, 0), "id"), "ev il ");
	assert_string_equal(json_get_text(json_array_get(kept, 1), "id"), "");
	assert_true(strlen(json_get_text(json_array_get(kept, 2), "sentence")) <= 600);
	assert_true(strlen(row.outcome) < 2000);
	json_decref(kept);
	json_decref(report);
	store_check_free(&row);
}

static void outcome_does_not_depend_on_the_order(void **state)
{
	static const char *const ids[2][3] = {{"b", "a", "c"}, {"c", "b", "a"}};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct store_check row = {.requested_by = xstrdup("u")};
		json_t *report = json_pack("{s:s,s:s,s:[{s:s},{s:s},{s:s}]}", "schema", "sallyport.check/1",
			"verdict", "fail", "causes", "id", ids[i][0], "id", ids[i][1], "id", ids[i][2]);
		assert_int_equal(check_report_take(report, &row), 0);
		assert_string_equal(row.outcome, "fail a b c");
		json_decref(report);
		store_check_free(&row);
	}
}

/* A machine that comes back says what it still has: that goes on, every other one is lost. */
static void machine_comes_back_with_or_without_it(void **state)
{
	char run[STORE_CHECK_ID_SIZE], fresh[STORE_CHECK_ID_SIZE];
	(void)state;
	ask(run);
	checks_started(checks, server, run, NOW, 0);
	checks_session_told(checks, server, NULL, NOW); /* still the session that it was asked in */
	flush();
	assert_int_equal(stored()->state, CHECK_RUNNING);
	checks_session_opened(checks, server);
	checks_session_told(checks, server, run, NOW);
	flush();
	assert_int_equal(stored()->state, CHECK_RUNNING);
	checks_session_opened(checks, server);
	checks_session_told(checks, server, "another", NOW + 9);
	flush();
	assert_int_equal(stored()->state, CHECK_LOST);
	assert_int_equal(stored()->finished, NOW + 9);
	assert_non_null(strstr(stored()->reason, "restarted"));
	ask(fresh);
	checks_session_opened(checks, server);
	checks_session_told(checks, server, NULL, NOW);
	flush();
	assert_int_equal(stored()->state, CHECK_LOST);
	/* One that is asked for between the session's begin and the machine's word is not meant. */
	checks_session_opened(checks, server);
	ask(fresh);
	checks_session_told(checks, server, NULL, NOW);
	flush();
	assert_int_equal(stored()->state, CHECK_QUEUED);
}

static void silent_ones_are_given_up_in_time(void **state)
{
	static const struct {
		bool agreed, started, deep;
		int64_t ms;
		const char *words;
	} rows[] = {
		{false, false, false, CHECKS_ANSWER_MS, "did not start"},
		{true, false, false, CHECKS_TURN_MS, "did not start"},
		{true, true, false, CHECKS_RUN_MS, "within 3 minutes"},
		{true, true, true, CHECKS_RUN_DEEP_MS, "within 10 minutes"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char run[STORE_CHECK_ID_SIZE];
		assert_int_equal(ask_of(server, rows[i].deep, run), ASK_TAKEN);
		if (rows[i].agreed)
			checks_answered(checks, run, NULL, NOW, 0);
		if (rows[i].started)
			checks_started(checks, server, run, NOW, 0);
		checks_sweep(checks, NOW, rows[i].ms - 1);
		flush();
		assert_int_not_equal(stored()->state, CHECK_LOST);
		checks_sweep(checks, NOW, rows[i].ms);
		flush();
		assert_int_equal(stored()->state, CHECK_LOST);
		assert_non_null(strstr(stored()->reason, rows[i].words));
	}
}

static void report_that_comes_late_is_still_taken(void **state)
{
	char run[STORE_CHECK_ID_SIZE];
	(void)state;
	for (int flushed = 0; flushed < 2; flushed++) {
		ask(run);
		checks_sweep(checks, NOW, CHECKS_ANSWER_MS);
		if (flushed)
			flush();
		assert_int_equal(report_with(run, a_report("pass", "x")), 0);
		flush();
		assert_int_equal(stored()->state, CHECK_DONE);
		assert_string_equal(stored()->reason, "");
		assert_int_equal(report_with(run, a_report("pass", "x")), -1); /* once */
	}
	ask(run);
	assert_int_equal(ask_of(add_server(2), false, run), ASK_TAKEN);
	assert_int_equal(report_with(run, a_report("pass", "x")), -1); /* another machine's */
}

static void hub_that_restarts_goes_on_waiting(void **state)
{
	char run[STORE_CHECK_ID_SIZE], other[STORE_CHECK_ID_SIZE];
	(void)state;
	ask(run);
	checks_started(checks, server, run, NOW, 0);
	flush();
	checks_free(checks);
	make_checks();
	assert_int_equal(ask_of(server, false, other), ASK_RUNS_ALREADY);
	checks_session_opened(checks, server);
	checks_session_told(checks, server, run, NOW);
	assert_int_equal(report_with(run, a_report("pass", "x")), 0);
	flush();
	assert_int_equal(stored()->state, CHECK_DONE);
}

static void full_disk_keeps_a_report_for_later(void **state)
{
	char run[STORE_CHECK_ID_SIZE];
	(void)state;
	ask(run);
	changes = 0;
	fake->fail_with = STORE_FULL;
	assert_int_equal(ask_of(add_server(2), false, run), ASK_NOT_STORED);
	memcpy(run, stored()->id, sizeof run);
	report_with(run, a_report("pass", "x"));
	assert_int_equal(checks_flush(checks, &err), STORE_FULL);
	assert_int_equal(changes, 0);
	fake->fail_with = STORE_OK;
	flush();
	assert_int_equal(stored()->state, CHECK_DONE);
	assert_non_null(stored()->report);
	assert_int_equal(changes, 1);
}

/* What waits for a store that takes nothing is bounded: here 200 reports of 400 kB. */
static void what_waits_is_bounded(void **state)
{
	char *filler = xcalloc(400001, 1);
	(void)state;
	memset(filler, 'x', 400000);
	fake->fail_with = STORE_FULL;
	for (int i = 0; i < 200; i++) {
		json_t *report = a_report("pass", "x");
		json_object_set_new(report, "filler", json_string(filler));
		assert_int_equal(report_with(NULL, report), 0);
	}
	free(filler);
	fake->fail_with = STORE_OK;
	flush();
	assert_in_range(fake->check_count, 50, 90);
}

static void report_too_large_for_the_store_is_said(void **state)
{
	char run[STORE_CHECK_ID_SIZE];
	(void)state;
	ask(run);
	changes = 0;
	fake->report_fails_with = STORE_TOO_BIG;
	report_with(run, a_report("pass", "x"));
	report_with(NULL, a_report("pass", "x"));
	flush();
	assert_int_equal(fake->check_count, 1);
	assert_int_equal(stored()->state, CHECK_FAILED);
	assert_non_null(strstr(stored()->reason, "too large"));
	assert_int_equal(changes, 1);
}

static void unfinished_ones_are_bounded(void **state)
{
	struct store_check row = {.state = CHECK_QUEUED};
	char run[STORE_CHECK_ID_SIZE];
	(void)state;
	checks_free(checks);
	snprintf(row.server, sizeof row.server, "%s", add_server(3));
	for (int i = 0; i < CHECKS_MAX_UNFINISHED; i++) {
		snprintf(row.id, sizeof row.id, "%d", i);
		assert_int_equal(fake->store.driver->checks.add(&fake->store, &row, &err), STORE_OK);
	}
	make_checks();
	assert_int_equal(ask_of(server, false, run), ASK_TOO_MANY);
	checks_sweep(checks, NOW, CHECKS_RUN_MS);
	assert_int_equal(ask_of(server, false, run), ASK_TAKEN);
}

static void removed_server_is_forgotten(void **state)
{
	char run[STORE_CHECK_ID_SIZE];
	(void)state;
	ask(run);
	report_with(NULL, a_report("pass", "x"));
	checks_forget(checks, server);
	changes = 0;
	flush();
	assert_int_equal(changes, 0);
	assert_int_equal(ask_of(server, false, run), ASK_TAKEN);
}

static void profiles_are_ids(void **state)
{
	static const char *const good[] = {"citrix-smart-tools", "a", "A.b_c-9"};
	static const char *const bad[] = {"", "-x", ".x", "a/b", "x.yaml", "x.yml", "a b", "\xc3\xa9",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(check_profile_is_id(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (check_profile_is_id(bad[i]))
			fail_msg("%s", bad[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_runs_at_a_time_on_a_server),
		TEST(report_fills_the_row),
		TEST(reports_are_not_taken_on_trust),
		TEST(outcome_does_not_depend_on_the_order),
		TEST(machine_comes_back_with_or_without_it),
		TEST(silent_ones_are_given_up_in_time),
		TEST(report_that_comes_late_is_still_taken),
		TEST(hub_that_restarts_goes_on_waiting),
		TEST(full_disk_keeps_a_report_for_later),
		TEST(what_waits_is_bounded),
		TEST(report_too_large_for_the_store_is_said),
		TEST(unfinished_ones_are_bounded),
		TEST(removed_server_is_forgotten),
		TEST(profiles_are_ids),
	};
	if (sodium_init() < 0)
		return 1;
	log_set_level(LOG_SILENT);
	return cmocka_run_group_tests_name("hub_checks", tests, NULL, NULL);
}
