/*
 * Which heartbeat, and which name for how sessions end (row B5): a way with a limit is played
 * against the rhythm, and single ends against their names.
 */
#include "agent/rhythm.h"
#include "base/file.h"
#include "temporary_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct session_params asked = {
	.heartbeat_ms = 60000, .heartbeat_jitter_ms = 5000, .heartbeat_timeout_ms = 20000};

static struct rhythm_end lost(int64_t idle_ms, int64_t lived_ms, int64_t answered)
{
	return (struct rhythm_end){.cause = CAUSE_KEEPALIVE_LOST,
		.age_ms = idle_ms * (answered + 1),
		.idle_ms = idle_ms,
		.lived_ms = lived_ms,
		.answered = answered,
		.awaited = true};
}

static struct rhythm_end cut(enum cause cause, int64_t age_ms, int64_t idle_ms, int64_t answered)
{
	return (struct rhythm_end){.cause = cause,
		.age_ms = age_ms,
		.idle_ms = idle_ms,
		.lived_ms = answered ? 60000 : 0,
		.answered = answered};
}

/* What rhythm_ended() says of the last of these. */
static struct rhythm_word told(struct rhythm *rhythm, const struct rhythm_end *ends, size_t count)
{
	struct rhythm_word word = {.cause = CAUSE_NONE};
	for (size_t i = 0; i < count; i++) {
		word = rhythm_ended(rhythm, &asked, &ends[i]);
		rhythm_walked(rhythm, true);
	}
	return word;
}

static int64_t gap_of(const struct rhythm *rhythm)
{
	struct session_params paced;
	rhythm_pace(rhythm, &asked, &paced);
	return paced.heartbeat_ms + paced.heartbeat_jitter_ms;
}

static void names(void **state)
{
	const struct rhythm_end acknowledged = {.cause = CAUSE_KEEPALIVE_LOST,
		.age_ms = 62000,
		.idle_ms = 62000,
		.awaited = true,
		.acknowledged = true};
	const struct rhythm_end by_hub = {.cause = CAUSE_PEER_CLOSED,
		.by_hub = true,
		.age_ms = 600000,
		.lived_ms = 60000,
		.answered = 9};
	struct rhythm_end cut_by_heartbeat = lost(63000, 61000, 1);
	cut_by_heartbeat.cause = CAUSE_PEER_RESET;
	struct rhythm_end reset_by_heartbeat = lost(61000, 0, 0);
	reset_by_heartbeat.cause = CAUSE_PEER_RESET;
	const struct {
		const char *name;
		struct rhythm_end ends[3];
		enum cause cause;
	} rows[] = {
		{"two losses in a row, each after the first silence",
			{cut(CAUSE_PEER_CLOSED, 1, 1, 0), lost(62000, 0, 0), lost(61000, 0, 0)},
			CAUSE_IDLE_TIMEOUT},
		{"resets in answer to heartbeats",
			{cut(CAUSE_PEER_CLOSED, 1, 1, 0), reset_by_heartbeat, reset_by_heartbeat},
			CAUSE_IDLE_TIMEOUT},
		{"one loss may be chance",
			{cut(CAUSE_PEER_CLOSED, 1, 1, 0), cut(CAUSE_PEER_RESET, 9, 2, 0), lost(61000, 0, 0)},
			CAUSE_KEEPALIVE_LOST},
		{"losses of sessions that survived longer silences",
			{lost(61000, 64000, 50), lost(60500, 64500, 90), lost(62000, 64000, 70)},
			CAUSE_KEEPALIVE_LOST},
		{"losses whose silence was the longest by chance",
			{lost(61000, 64000, 50), lost(64500, 60500, 1), lost(64000, 61000, 2)},
			CAUSE_KEEPALIVE_LOST},
		{"resets at the same age, in answer to heartbeats",
			{cut_by_heartbeat, cut_by_heartbeat, cut_by_heartbeat}, CAUSE_LIFETIME_CAP},
		{"a hub that has the heartbeats and does not answer",
			{acknowledged, acknowledged, acknowledged}, CAUSE_KEEPALIVE_LOST},
		{"closed at the same silence, whatever the age",
			{cut(CAUSE_PEER_CLOSED, 33000, 30000, 0), cut(CAUSE_PEER_CLOSED, 30100, 30050, 0),
				cut(CAUSE_PEER_CLOSED, 47000, 30020, 0)},
			CAUSE_IDLE_TIMEOUT},
		{"ended at the same age with traffic flowing",
			{cut(CAUSE_PEER_RESET, 3600000, 20000, 57), cut(CAUSE_PEER_CLOSED, 3610000, 50000, 57),
				cut(CAUSE_PEER_RESET, 3595000, 1000, 57)},
			CAUSE_LIFETIME_CAP},
		{"ended at ages that differ",
			{cut(CAUSE_PEER_CLOSED, 3600000, 20000, 57), cut(CAUSE_PEER_CLOSED, 4400000, 50000, 67),
				cut(CAUSE_PEER_CLOSED, 3595000, 1000, 57)},
			CAUSE_PEER_CLOSED},
		{"closed by the hub itself", {by_hub, by_hub, by_hub}, CAUSE_PEER_CLOSED},
		{"turned away at once, each time",
			{cut(CAUSE_PEER_CLOSED, 20, 5, 0), cut(CAUSE_PEER_CLOSED, 22, 5, 0),
				cut(CAUSE_PEER_CLOSED, 21, 5, 0)},
			CAUSE_PEER_CLOSED},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rhythm rhythm = {.way = NULL};
		print_message("%s\n", rows[i].name);
		assert_int_equal(told(&rhythm, rows[i].ends, 3).cause, rows[i].cause);
		rhythm_free(&rhythm);
	}
}

static void an_outage_in_between_explains_it(void **state)
{
	struct rhythm rhythm = {.way = NULL};
	const struct rhythm_end end = lost(62000, 0, 0);
	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(rhythm_ended(&rhythm, &asked, &end).cause, CAUSE_KEEPALIVE_LOST);
		rhythm_walked(&rhythm, false);
		rhythm_walked(&rhythm, true);
	}
	assert_int_equal(gap_of(&rhythm), 65000);
}

/* A way that forgets after limit_ms, for so many heartbeats; returns how many sessions it took. */
static int play(struct rhythm *rhythm, int64_t limit_ms, int64_t heartbeats)
{
	int losses = 0;
	int64_t lived = 0, answered = 0;
	for (int64_t i = 0; i < heartbeats; i++) {
		/* The jitter, from its least to its most. */
		struct session_params paced;
		rhythm_pace(rhythm, &asked, &paced);
		int64_t idle = paced.heartbeat_ms + paced.heartbeat_jitter_ms * (i % 11) / 10;
		if (idle < limit_ms) {
			answered++;
			lived = idle > lived ? idle : lived;
			rhythm_answered(rhythm, &asked, idle);
			continue;
		}
		struct rhythm_end end = lost(idle, lived, answered);
		rhythm_ended(rhythm, &asked, &end);
		rhythm_walked(rhythm, true);
		lived = answered = 0;
		losses++;
	}
	return losses;
}

static void finds_what_lives_and_stays(void **state)
{
	static const int64_t limits[] = {50000, 30000, 20000, 9000, 7000};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rhythm rhythm = {.way = NULL};
		print_message("a limit of %lld ms\n", (long long)limits[i]);
		assert_in_range(play(&rhythm, limits[i], 30), 2, 6); /* it has come below the limit */
		assert_true(gap_of(&rhythm) < limits[i]);
		assert_in_range(play(&rhythm, limits[i], 20000), 0, 10); /* and tries longer ones rarely */
		assert_true(rhythm.lives_ms < limits[i]);
		/* No more heartbeats than needed. */
		assert_true(gap_of(&rhythm) > limits[i] * 4 / 5);
		assert_in_range(play(&rhythm, limits[i], 20000), 0, 4);
		rhythm_free(&rhythm);
	}
}

static void goes_back_when_the_limit_is_gone(void **state)
{
	struct rhythm rhythm = {.way = NULL};
	(void)state;
	play(&rhythm, 20000, 30);
	assert_true(gap_of(&rhythm) < 20000);
	assert_int_equal(play(&rhythm, INT64_MAX, 20000), 0);
	assert_int_equal(gap_of(&rhythm), 65000);
	assert_null(rhythm_limit(&rhythm));
	rhythm_free(&rhythm);
}

static void never_below_the_floor(void **state)
{
	struct rhythm rhythm = {.way = NULL};
	(void)state;
	play(&rhythm, 10, 100);
	assert_in_range(gap_of(&rhythm), 3750, 5000);
	rhythm_free(&rhythm);
}

/* Sessions without time for a heartbeat look idle; with closer heartbeats the truth shows. */
static void a_short_cap_is_not_idleness(void **state)
{
	struct rhythm rhythm = {.way = NULL};
	const struct rhythm_end idle = cut(CAUSE_PEER_CLOSED, 30000, 30000, 0);
	const struct rhythm_end ends[] = {idle, idle, idle};
	(void)state;
	assert_int_equal(told(&rhythm, ends, 3).cause, CAUSE_IDLE_TIMEOUT);
	assert_true(gap_of(&rhythm) < 30000);
	const struct rhythm_end busy = {.cause = CAUSE_PEER_CLOSED,
		.age_ms = 30100,
		.idle_ms = 100,
		.lived_ms = 14900,
		.answered = 2};
	const struct rhythm_end again[] = {busy, busy, busy};
	assert_int_equal(told(&rhythm, again, 3).cause, CAUSE_LIFETIME_CAP);
	assert_int_equal(gap_of(&rhythm), 65000);
	rhythm_free(&rhythm);
}

static void is_news_once(void **state)
{
	struct rhythm rhythm = {.way = NULL};
	const struct rhythm_end ends[] = {lost(62000, 0, 0), lost(61000, 0, 0)};
	const struct rhythm_end worse = lost(30000, 0, 0);
	(void)state;
	struct rhythm_word word = told(&rhythm, ends, 2);
	assert_true(word.cause == CAUSE_IDLE_TIMEOUT && !word.known && word.changed);
	word = rhythm_ended(&rhythm, &asked, &worse);
	assert_true(word.cause == CAUSE_IDLE_TIMEOUT && word.known && word.changed);
	rhythm_free(&rhythm);
}

static void is_told_with_its_evidence(void **state)
{
	struct rhythm rhythm = {.way = NULL};
	struct finding finding = {.cause = CAUSE_NONE};
	const struct rhythm_end ends[] = {lost(62000, 0, 0), lost(61000, 0, 0)};
	(void)state;
	rhythm_answered(&rhythm, &asked, 20000);
	told(&rhythm, ends, 2);
	finding_set(&finding, CAUSE_KEEPALIVE_LOST, STAGE_SESSION, CONFIDENCE_CERTAIN);
	rhythm_name(&rhythm, &asked, CAUSE_IDLE_TIMEOUT, &finding);
	assert_int_equal(finding.cause, CAUSE_IDLE_TIMEOUT);
	assert_string_equal(evidence_get(&finding.evidence, "idle-timeout"), "between 20.0 and 61 s");
	assert_string_equal(evidence_get(&finding.evidence, "ended-by"), "keepalive-lost");
	finding_free(&finding);
	rhythm_free(&rhythm);
}

static void belongs_to_its_way(void **state)
{
	struct rhythm rhythm = {.way = NULL};
	(void)state;
	rhythm_on_way(&rhythm, "hub:443");
	play(&rhythm, 20000, 30);
	rhythm_on_way(&rhythm, "hub:443");
	assert_true(gap_of(&rhythm) < 20000);
	rhythm_on_way(&rhythm, "hub:443 through http://proxy:3128");
	assert_int_equal(gap_of(&rhythm), 65000);
	rhythm_free(&rhythm);
}

static void survives_a_restart(void **state)
{
	static const char *const broken[] = {"", "{", "[]", "{\"version\":1}",
		"{\"version\":1,\"way\":\"x\",\"lives_ms\":9,\"dies_ms\":3,\"gap_ms\":5,\"failed\":0,"
		"\"closed\":"
		"false}",
		"{\"version\":9,\"way\":\"x\",\"lives_ms\":1,\"dies_ms\":3,\"gap_ms\":5,\"failed\":0,"
		"\"closed\":"
		"false}"};
	char root[ROOT_SIZE];
	struct agent_paths paths;
	struct rhythm rhythm = {.way = NULL}, kept;
	struct err err;
	(void)state;
	assert_int_equal(root_make(root), 0);
	paths_init(&paths, root);
	rhythm_load(&paths, &kept);
	assert_int_equal(gap_of(&kept), 65000);
	rhythm_on_way(&rhythm, "hub:443");
	play(&rhythm, 20000, 30);
	assert_int_equal(rhythm_save(&paths, &rhythm, &err), -1); /* no folder yet: an error, no more */
	assert_int_equal(file_make_dirs(paths.state_dir, 0700, &err), 0);
	assert_int_equal(rhythm_save(&paths, &rhythm, &err), 0);
	rhythm_load(&paths, &kept);
	assert_string_equal(kept.way, "hub:443");
	assert_int_equal(gap_of(&kept), gap_of(&rhythm));
	assert_int_equal(kept.dies_ms, rhythm.dies_ms);
	rhythm_free(&kept);
	rhythm_free(&rhythm);
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		assert_int_equal(file_replace(paths.rhythm, broken[i], strlen(broken[i]), 0600, &err), 0);
		rhythm_load(&paths, &kept);
		assert_int_equal(gap_of(&kept), 65000);
		rhythm_free(&kept);
	}
	paths_free(&paths);
	root_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(an_outage_in_between_explains_it),
		cmocka_unit_test(finds_what_lives_and_stays),
		cmocka_unit_test(goes_back_when_the_limit_is_gone),
		cmocka_unit_test(never_below_the_floor),
		cmocka_unit_test(a_short_cap_is_not_idleness),
		cmocka_unit_test(is_news_once),
		cmocka_unit_test(is_told_with_its_evidence),
		cmocka_unit_test(belongs_to_its_way),
		cmocka_unit_test(survives_a_restart),
	};
	return cmocka_run_group_tests_name("agent_rhythm", tests, NULL, NULL);
}
