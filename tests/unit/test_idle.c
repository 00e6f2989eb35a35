/*
 * Which idle times are tried, and what their outcomes mean (row B5). The connections themselves are
 * the lab's.
 */
#include "dial/idle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void first_round_climbs_to_the_deadline(void **state)
{
	int64_t steps[IDLE_MAX_LINES];
	(void)state;
	size_t count = idle_steps(0, 0, 178000, steps);
	assert_in_range(count, 8, 16);
	assert_int_equal(steps[0], 1000);
	assert_int_equal(steps[count - 1], 178000);
	for (size_t i = 1; i < count; i++)
		assert_in_range(steps[i], steps[i - 1] + 1, steps[i - 1] * 2);
	/* A deadline near a step is as good as the step; a short one is used up; none is no time. */
	count = idle_steps(0, 0, 10500, steps);
	assert_int_equal(steps[count - 1], 10000);
	assert_int_equal(idle_steps(0, 0, 700, steps), 1);
	assert_int_equal(steps[0], 700);
	assert_int_equal(idle_steps(0, 0, -5, steps), 0);
	assert_in_range(idle_steps(0, 0, INT64_MAX / 2000, steps), 20, IDLE_MAX_LINES);
}

/* Whatever the limit is, the second round leaves no gap above a tenth, the bounds included. */
static void second_round_divides_what_is_between(void **state)
{
	static const struct {
		int64_t lives, dies;
	} rows[] = {{2000, 3000}, {3000, 5000}, {5000, 7500}, {60000, 90000}, {30000, 45000},
		{1000, 2000}, {170000, 180000}, {900000, 1200000}};
	int64_t steps[IDLE_MAX_LINES];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t count = idle_steps(rows[i].lives, rows[i].dies, 3600000, steps);
		int64_t before = rows[i].lives;
		for (size_t n = 0; n < count; n++) {
			assert_in_range(steps[n], before + 1, before * 110 / 100);
			before = steps[n];
		}
		assert_in_range(rows[i].dies, before + 1, before * 110 / 100);
	}
	assert_int_equal(idle_steps(4600, 5000, 3600000, steps), 0); /* near enough */
	/* Only what there is still time for. */
	size_t count = idle_steps(60000, 90000, 72000, steps);
	assert_in_range(count, 1, 2);
	assert_true(steps[count - 1] <= 72000);
	/* Where not even the first step lived. */
	count = idle_steps(0, 1000, 3600000, steps);
	assert_in_range(count, 10, IDLE_MAX_LINES);
	assert_true(steps[count - 1] < 1000);
}

static void outcomes_mean(void **state)
{
	static const struct {
		const char *name;
		struct idle_outcome outcomes[5];
		enum idle_verdict verdict;
		int64_t lives, dies, closes;
		enum idle_death death;
	} rows[] = {
		{"all live", {{IDLE_FATE_LIVED, 1000}, {IDLE_FATE_LIVED, 2000}, {IDLE_FATE_LIVED, 5000}},
			IDLE_LIVES, 5000, 0, 0, IDLE_SILENT},
		{"a limit",
			{{IDLE_FATE_LIVED, 1000}, {IDLE_FATE_LIVED, 2000}, {IDLE_FATE_DIED, 3000},
				{IDLE_FATE_OPEN, 0}, {IDLE_FATE_OPEN, 0}},
			IDLE_FORGOTTEN, 2000, 3000, 0, IDLE_SILENT},
		{"a limit that resets", {{IDLE_FATE_LIVED, 1000}, {IDLE_FATE_RESET, 2000}}, IDLE_FORGOTTEN,
			1000, 2000, 0, IDLE_RESET},
		{"nothing lives", {{IDLE_FATE_DIED, 1000}, {IDLE_FATE_OPEN, 0}}, IDLE_FORGOTTEN, 0, 1000, 0,
			IDLE_SILENT},
		{"the endpoint's own limit",
			{{IDLE_FATE_LIVED, 1000}, {IDLE_FATE_CLOSED, 1990}, {IDLE_FATE_CLOSED, 2000}},
			IDLE_LIVES, 2000, 0, 2000, IDLE_SILENT},
		{"its limit lies above the way's",
			{{IDLE_FATE_LIVED, 1000}, {IDLE_FATE_DIED, 2000}, {IDLE_FATE_OPEN, 0}}, IDLE_FORGOTTEN,
			1000, 2000, 0, IDLE_SILENT},
		{"one was lost by chance",
			{{IDLE_FATE_LIVED, 1000}, {IDLE_FATE_DIED, 2000}, {IDLE_FATE_LIVED, 5000}}, IDLE_LIVES,
			5000, 0, 0, IDLE_SILENT},
		{"nothing came about", {{IDLE_FATE_OPEN, 0}}, IDLE_UNKNOWN, 0, 0, 0, IDLE_SILENT},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct idle_result result = {.verdict = IDLE_UNKNOWN};
		idle_conclude(rows[i].outcomes, ARRAY_LEN(rows[i].outcomes), &result);
		print_message("%s\n", rows[i].name);
		assert_int_equal(result.verdict, rows[i].verdict);
		assert_int_equal(result.lives_ms, rows[i].lives);
		assert_int_equal(result.dies_ms, rows[i].dies);
		assert_int_equal(result.closes_ms, rows[i].closes);
		assert_int_equal(result.death, rows[i].death);
	}
}

/* A second round refines what the first found, and takes nothing back that it proved. */
static void rounds_add_up(void **state)
{
	static const struct idle_outcome second[] = {
		{IDLE_FATE_LIVED, 2180}, {IDLE_FATE_DIED, 2376}, {IDLE_FATE_DIED, 2590}};
	static const struct idle_outcome contrary[] = {{IDLE_FATE_LIVED, 3100}};
	struct idle_result result = {
		.verdict = IDLE_FORGOTTEN, .lives_ms = 2000, .dies_ms = 3000, .death = IDLE_SILENT};
	(void)state;
	idle_conclude(second, ARRAY_LEN(second), &result);
	assert_int_equal(result.lives_ms, 2180);
	assert_int_equal(result.dies_ms, 2376);
	idle_conclude(contrary, ARRAY_LEN(contrary), &result);
	assert_int_equal(result.verdict, IDLE_LIVES);
	assert_int_equal(result.lives_ms, 3100);
}

static void words(void **state)
{
	char text[IDLE_TEXT_SIZE];
	(void)state;
	assert_string_equal(idle_limit(4500, 5000, text), "between 4.5 and 5.0 s");
	assert_string_equal(idle_limit(0, 1000, text), "less than 1.0 s");
	assert_string_equal(idle_limit(110000, 120400, text), "between 110 and 120 s");
	assert_string_equal(idle_limit(983, 1022, text), "about 1.0 s");
	assert_string_equal(idle_seconds(2180, text), "2.2 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_round_climbs_to_the_deadline),
		cmocka_unit_test(second_round_divides_what_is_between),
		cmocka_unit_test(outcomes_mean),
		cmocka_unit_test(rounds_add_up),
		cmocka_unit_test(words),
	};
	return cmocka_run_group_tests_name("idle", tests, NULL, NULL);
}
