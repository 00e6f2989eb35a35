/*
 * Nothing is lost and nothing runs twice: agent and supervisor are killed at every step at which
 * something goes to the disk or a script may start, one after the other, and what comes of the run
 * is compared with what the script itself wrote down.
 */
#include "lib/runs_bench.h"

#include "base/file.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRIPT "echo ran >>$RECORD; echo out"

/* More steps than either has; the loops end when a process lives through all of them. */
#define MOST_STEPS 80

static bool ended_in(struct runs_bench *bench, const char *id, const char *state)
{
	const char *states = bench_heard(bench, id)->states;
	size_t len = strlen(states), ending = strlen(state);
	return len >= ending && strcmp(states + len - ending, state) == 0;
}

/* --- the supervisor --------------------------------------------------------------------------- */

struct outcome {
	int done, undetermined, ran;
};

static bool supervisor_dies_at(int step, enum job_rerun rerun, struct outcome *outcome)
{
	struct runs_bench bench;
	bench_make(&bench);
	bench_kill_supervisor_at(&bench, step);
	struct job job = bench_job(&bench, SCRIPT);
	const char *id = bench_heard(&bench, job.run)->id;
	job.rerun = rerun;
	assert_int_equal(bench_give(&bench, &job), REFUSAL_NONE);
	bench_until_buried(&bench, id);
	*outcome = (struct outcome){
		.done = ended_in(&bench, id, "done "),
		.undetermined = ended_in(&bench, id, "undetermined "),
		.ran = bench_record(&bench),
	};
	bool lived = !bench_killed(&bench);
	bench_free(&bench);
	return lived;
}

static void the_supervisor_is_killed_at_every_step(void **state)
{
	struct outcome outcome;
	bool lived = false;
	int undetermined = 0, late = 0;
	(void)state;
	for (int step = 1; !lived; step++) {
		assert_true(step < MOST_STEPS);
		lived = supervisor_dies_at(step, JOB_RERUN_NEVER, &outcome);
		assert_int_equal(outcome.done + outcome.undetermined, 1);
		assert_true(outcome.ran <= 1);
		if (outcome.done)
			assert_int_equal(outcome.ran, 1);
		undetermined += outcome.undetermined;
		late += outcome.undetermined && outcome.ran;
	}
	/* Killed before it said "running" it is begun later, and after its end it is done: both are
	 * told as such, so that what is undetermined is only what lies between. */
	assert_true(undetermined > 0 && late > 0);
}

static void killed_and_safe_to_run_again(void **state)
{
	struct outcome outcome;
	bool lived = false;
	(void)state;
	for (int step = 1; !lived; step++) {
		assert_true(step < MOST_STEPS);
		lived = supervisor_dies_at(step, JOB_RERUN_SAFE, &outcome);
		assert_true(outcome.done);
		assert_in_range(outcome.ran, 1, 2);
	}
}

/* --- the agent -------------------------------------------------------------------------------- */

/* In a process of its own, up to the step; the supervisor that it started goes on. True when it
 * lived through all of them. */
static bool agent_dies_at(struct runs_bench *bench, int step, const char *id)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		bench_start(bench);
		bench_connect(bench);
		bench_kill_self_at(step);
		struct job job = bench_job_with_id(bench, id, SCRIPT);
		bench_give(bench, &job);
		bench_until_buried(bench, id);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status);
}

/* The hub does not know what the agent had acknowledged: it sends the run again. */
static void the_agent_is_killed_at_every_step(void **state)
{
	bool lived = false;
	(void)state;
	for (int step = 1; !lived; step++) {
		struct runs_bench bench;
		assert_true(step < MOST_STEPS);
		bench_make(&bench);
		bench_cut(&bench);
		bench_stop(&bench);
		const char *id = bench_heard(&bench, "0123456789abcdef0123456789abcdef")->id;
		lived = agent_dies_at(&bench, step, id);
		bench_start(&bench);
		bench_connect(&bench);
		struct job job = bench_job_with_id(&bench, id, SCRIPT);
		assert_int_equal(bench_give(&bench, &job), REFUSAL_NONE);
		bench_until_buried(&bench, id);
		assert_int_equal(bench_record(&bench), 1);
		if (!lived && *bench_heard(&bench, id)->states) {
			assert_true(ended_in(&bench, id, "done "));
			assert_string_equal(buf_text(&bench_heard(&bench, id)->output), "out\n");
		}
		bench_free(&bench);
	}
}

int main(int argc, char **argv)
{
	BENCH_SUPERVISE(argc, argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_supervisor_is_killed_at_every_step),
		cmocka_unit_test(killed_and_safe_to_run_again),
		cmocka_unit_test(the_agent_is_killed_at_every_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
