#include "agent/runner.h"

#include "base/json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DRAIN_MS 5000

void runner_init(struct runner *runner, const char *root)
{
	*runner = (struct runner){.root = root};
	checker_init(&runner->checker);
}

void runner_free(struct runner *runner)
{
	checker_stop(&runner->checker);
	runner_init(runner, runner->root);
}

void runner_want_own(struct runner *runner)
{
	runner->own_wanted = !runner->checker.self.pid;
}

static bool ends_in(const char *text, const char *ending)
{
	size_t len = strlen(text), ending_len = strlen(ending);
	return len >= ending_len && strcmp(text + len - ending_len, ending) == 0;
}

/* An id and no file: `sallyport check --profile` takes either, and the hub may choose among the
 * profiles that this machine's administrator put here, no more. */
static bool is_profile_id(const char *text)
{
	if (!isalnum((unsigned char)*text) || strlen(text) >= CHECKER_PROFILE_SIZE ||
		ends_in(text, ".yaml") || ends_in(text, ".yml"))
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("-_.", *text))
			return false;
	return true;
}

enum runner_answer runner_ask(
	struct runner *runner, const char *run, const char *profile, bool deep)
{
	const char *known = runner_asked(runner);
	if (known)
		return strcmp(known, run) == 0 ? RUNNER_TAKEN : RUNNER_BUSY;
	if (profile && !is_profile_id(profile))
		return RUNNER_NO_PROFILE;
	runner->asked = (struct runner_job){.deep = deep};
	snprintf(runner->asked.run, sizeof runner->asked.run, "%s", run);
	snprintf(runner->asked.profile, sizeof runner->asked.profile, "%s", profile ? profile : "");
	return RUNNER_TAKEN;
}

const char *runner_asked(const struct runner *runner)
{
	if (runner->asked.run[0])
		return runner->asked.run;
	return runner->checker.self.pid && runner->now.run[0] ? runner->now.run : NULL;
}

void runner_resume(struct runner *runner)
{
	struct deadline drained = deadline_in_ms(DRAIN_MS);
	if (runner->checker.self.pid && deadline_left_ms(runner->checker.deadline) < DRAIN_MS)
		runner->checker.deadline = drained;
}

int runner_fd(const struct runner *runner)
{
	return runner->checker.self.fd;
}

bool runner_deadline(const struct runner *runner, struct deadline *deadline)
{
	if (runner->checker.self.pid)
		*deadline = runner->checker.deadline;
	else
		*deadline = deadline_in_ms(0);
	return runner->checker.self.pid || runner->own_wanted || runner->asked.run[0];
}

static void step_running(struct runner *runner, struct runner_news *news)
{
	switch (checker_step(&runner->checker, &news->report, &news->err)) {
	case CHECKER_RUNNING:
		return;
	case CHECKER_DONE:
		news->event = RUNNER_REPORTED;
		break;
	case CHECKER_FAILED:
		news->event = RUNNER_FAILED;
		break;
	}
}

void runner_step(struct runner *runner, struct runner_news *news)
{
	*news = (struct runner_news){.job = runner->now};
	if (runner->checker.self.pid) {
		step_running(runner, news);
		return;
	}
	if (!runner->own_wanted && !runner->asked.run[0])
		return;
	if (runner->own_wanted) {
		runner->now = (struct runner_job){0};
		runner->own_wanted = false;
	} else {
		runner->now = runner->asked;
		runner->asked = (struct runner_job){0};
	}
	struct checker_wish wish = {runner->root, runner->now.profile, runner->now.deep};
	news->job = runner->now;
	news->event = checker_start(&runner->checker, runner->program, &wish, &news->err)
					  ? RUNNER_FAILED
					  : RUNNER_STARTED;
}
