/*
 * What becomes of the runs on this machine.
 *
 * The happy path: a run that waits gets a supervisor; its news are read from the disk; when it is
 * gone its last word is the end of the run.
 *
 * Failure modes: the supervisor does not start (tried again every few seconds, until the run
 * expires), it is gone without a last word (interrupted: again when the job says that this is safe,
 * else undetermined), the judgement cannot be written (the same is judged again later), the machine
 * does not restart (tried a few times, then the runs that wanted it have failed).
 */
#include "agent/runs/launch.h"
#include "agent/runs/parts.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define REBOOT_TRIES    5
#define REBOOT_AGAIN_MS 60000  /* after a refusal */
#define REBOOT_SLOW_MS  600000 /* after one that was taken and did not happen */
#define REBOOT_HUB_MS   10000  /* for the hub to hear of it before */

/* --- judging, with the lock in hand ----------------------------------------------------------- */

static void set_end(struct run_state *state, enum run_status status, const char *reason)
{
	char when[CLOCK_TEXT_SIZE];
	state->status = status;
	run_set_reason(state, reason ? "%s" : NULL, reason);
	free(state->finished);
	state->finished = xstrdup(clock_rfc3339(time(NULL), when));
}

static void begin_anew(struct run_state *state)
{
	state->status = RUN_QUEUED;
	state->attempt++;
	state->exit_code = state->signal = 0;
	state->again = false;
	run_set_reason(state, NULL);
}

static bool may_run_again(struct runs *runs, const char *id)
{
	struct job job;
	struct err err;
	if (journal_job_load(runs->options.paths, id, runs->options.state->hub_key, &job, &err))
		return false;
	bool safe = job.rerun == JOB_RERUN_SAFE;
	job_free(&job);
	return safe;
}

static void judge_interrupted(struct runs *runs, const struct run *run, struct run_state *state)
{
	bool restarted = runs_went_down(runs, state);
	bool safe = may_run_again(runs, run->id);
	if (safe && journal_cancelled(runs->options.paths, run->id))
		set_end(state, RUN_CANCELLED, "it was interrupted, and cancelled before it began again");
	else if (safe && state->attempt < JOB_MAX_ATTEMPTS)
		begin_anew(state);
	else if (safe)
		set_end(state, RUN_UNDETERMINED, "it was interrupted too often");
	else if (restarted)
		set_end(state, RUN_UNDETERMINED, "the machine went down while it ran");
	else
		set_end(state, RUN_UNDETERMINED,
			"its supervisor was ended while it ran; what the script had started may go on");
}

static void judge_rebooting(struct runs *runs, const struct run *run, struct run_state *state)
{
	bool back = runs_went_down(runs, state);
	bool cancelled = journal_cancelled(runs->options.paths, run->id);
	if (back)
		state->reboots++;
	if (back && !state->again)
		set_end(state, RUN_DONE, NULL);
	else if (cancelled)
		set_end(
			state, RUN_CANCELLED, "it was cancelled while it waited for the machine to restart");
	else if (back)
		begin_anew(state);
}

static void judge_queued(struct runs *runs, const struct run *run, struct run_state *state)
{
	if (journal_cancelled(runs->options.paths, run->id))
		set_end(state, RUN_CANCELLED, "it was cancelled before it began");
	else if (state->attempt == 1 && runs_hub_now(runs) >= state->expires)
		set_end(state, RUN_EXPIRED, runs->complaint);
}

static void judge(struct runs *runs, const struct run *run, struct run_state *state)
{
	static void (*const judges[RUN_STATUSES])(
		struct runs * runs, const struct run *run, struct run_state *state) = {
		[RUN_QUEUED] = judge_queued,
		[RUN_RUNNING] = judge_interrupted,
		[RUN_REBOOTING] = judge_rebooting,
	};
	if (judges[state->status])
		judges[state->status](runs, run, state);
}

static void tell_log(const struct runs *runs, const struct run *run, const struct run_state *state)
{
	static const enum logfile_level levels[RUN_STATUSES] = {
		[RUN_FAILED] = LEVEL_WARN, [RUN_EXPIRED] = LEVEL_WARN, [RUN_UNDETERMINED] = LEVEL_WARN};
	bool again = state->status == RUN_QUEUED;
	logfile_line(runs->options.log, levels[state->status], "run %s is %s%s%s", run->id,
		again ? "to begin again" : run_status_name(state->status), state->reason ? ": " : "",
		state->reason ? state->reason : "");
}

static void take_state(struct runs *runs, struct run *run, const struct run_state *state)
{
	if (run->status == state->status && run->attempt == state->attempt)
		return;
	run->status = state->status;
	run->attempt = state->attempt;
	run->launched = run->was_down = false;
	run->output_fresh = true;
	run->quiet_at = deadline_in_ms(RUNS_QUIET_MS);
	tell_log(runs, run, state);
}

/* Everything that changes goes to the disk first; what cannot be written has not changed. */
static void judge_and_save(struct runs *runs, struct run *run)
{
	struct run_state state;
	struct err err;
	const struct agent_paths *paths = runs->options.paths;
	if (journal_state_load(paths, run->id, &state, &err))
		return;
	enum run_status before = state.status;
	int64_t attempt = state.attempt;
	judge(runs, run, &state);
	bool changed = state.status != before || state.attempt != attempt;
	if (changed && journal_state_save(paths, run->id, &state, &err)) {
		journal_free_room(paths, run->id);
		if (journal_state_save(paths, run->id, &state, &err)) {
			run->launch_at = deadline_in_ms(RUNS_AGAIN_MS);
			run_state_free(&state);
			return;
		}
	}
	take_state(runs, run, &state);
	run_state_free(&state);
}

/* --- news of a supervisor --------------------------------------------------------------------- */

static int open_news(struct runs *runs, struct run *run, struct err *err)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)run->order};
	cleanup(free_ptr) char *path = journal_file(runs->options.paths, run->id, "news");
	if (run->news >= 0)
		return 0;
	run->news = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (run->news < 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	if (epoll_ctl(runs->epoll, EPOLL_CTL_ADD, run->news, &event) == 0)
		return 0;
	close(run->news);
	run->news = -1;
	return err_set(err, "%s: %s", path, strerror(errno));
}

static void read_news(struct runs *runs, struct run *run)
{
	struct run_state state;
	struct err err;
	if (run->status != RUN_QUEUED || journal_state_load(runs->options.paths, run->id, &state, &err))
		return;
	take_state(runs, run, &state);
	run_state_free(&state);
}

/* The FIFO is opened before the lock is looked at: a supervisor opens it before it takes the lock,
 * so one that is seen holding it cannot end unheard. */
void runs_refresh(struct runs *runs, struct run *run)
{
	struct err err;
	if (run_is_final(run->status))
		return;
	if (open_news(runs, run, &err))
		logfile_line(runs->options.log, LEVEL_WARN, "%s", err.text);
	int lock = journal_lock(runs->options.paths, run->id, &err);
	if (lock < 0 && errno == EAGAIN) {
		run->launched = true;
		run->launch_at = (struct deadline){0};
		read_news(runs, run);
		return;
	}
	if (lock < 0) {
		run->launch_at = deadline_in_ms(RUNS_AGAIN_MS);
		return;
	}
	if (run->news >= 0)
		close(run->news);
	run->news = -1;
	if (run->launched && run->status == RUN_QUEUED)
		run->launch_at = deadline_in_ms(RUNS_AGAIN_MS);
	run->launched = false;
	judge_and_save(runs, run);
	close(lock);
}

/* --- beginning -------------------------------------------------------------------------------- */

static void complain(struct runs *runs, const struct run *run, const char *why)
{
	if (runs->complaint && strcmp(runs->complaint, why) == 0)
		return;
	free(runs->complaint);
	runs->complaint = xstrdup(why);
	logfile_line(runs->options.log, LEVEL_ERROR, "run %s cannot be begun, it is tried again: %s",
		run->id, why);
}

/* What comes of it is heard through the FIFO; only silence is looked into. */
static void begin(struct runs *runs, struct run *run)
{
	struct err err;
	const struct runs_options *options = &runs->options;
	run->launched = true;
	run->launch_at = deadline_in_ms(RUNS_AGAIN_MS);
	if (open_news(runs, run, &err) == 0 && launch_supervisor(options->program, options->root,
											   run->id, (long)run->attempt, &err) == 0) {
		free(runs->complaint);
		runs->complaint = NULL;
		return;
	}
	complain(runs, run, err.text);
	runs_refresh(runs, run);
}

static bool is_busy(const struct run *run)
{
	return run->status == RUN_RUNNING || (run->status == RUN_QUEUED && run->launched);
}

static bool is_over(const struct runs *runs, const struct run *run)
{
	return run->attempt == 1 && runs_hub_now(runs) >= run->expires;
}

static void begin_those_that_wait(struct runs *runs, size_t busy)
{
	for (size_t i = 0; i < runs->count && busy < RUNS_AT_ONCE; i++) {
		struct run *run = runs->list[i];
		if (run->status != RUN_QUEUED || run->launched || deadline_left_ms(run->launch_at))
			continue;
		begin(runs, run);
		busy += is_busy(run);
	}
}

/* --- another boot ----------------------------------------------------------------------------- */

/* One that the disk does not let go on must not restart the machine over and over. */
static bool wants_restart(const struct run *run)
{
	return run->status == RUN_REBOOTING && !run->was_down;
}

static bool waits_for_hub(const struct runs *runs)
{
	for (size_t i = 0; runs->session && i < runs->count; i++) {
		const struct run *run = runs->list[i];
		if (wants_restart(run) && !(run->told.valid && run->told.status == run->status &&
									  run->told.attempt == run->attempt))
			return true;
	}
	return false;
}

/* Where its supervisor has the lock still, or the disk takes nothing, the run stays as it is. */
static void fail_rebooting(struct runs *runs, struct run *run)
{
	struct run_state state;
	struct err err;
	const struct agent_paths *paths = runs->options.paths;
	int lock = journal_lock(paths, run->id, &err);
	if (lock < 0)
		return;
	if (journal_state_load(paths, run->id, &state, &err) == 0) {
		set_end(&state, RUN_FAILED, "the machine could not be restarted; its agent's log says why");
		if (journal_state_save(paths, run->id, &state, &err) == 0)
			take_state(runs, run, &state);
		run_state_free(&state);
	}
	close(lock);
}

static int ask_system(struct runs *runs, struct err *err)
{
	const struct runs_options *options = &runs->options;
	if (options->root && !options->reboot_program)
		return err_set(err, "with --root it is restarted only by --reboot-with PROGRAM");
	return boot_again(options->reboot_program, NULL, err);
}

static void restart_machine(struct runs *runs)
{
	struct err err;
	if (++runs->reboot.tries <= REBOOT_TRIES) {
		logfile_line(runs->options.log, LEVEL_INFO, "restarting this machine, as a job asks");
		if (ask_system(runs, &err) == 0) {
			runs->reboot.at = deadline_in_ms(REBOOT_SLOW_MS);
			return;
		}
		logfile_line(
			runs->options.log, LEVEL_ERROR, "this machine cannot be restarted: %s", err.text);
		runs->reboot.at = deadline_in_ms(REBOOT_AGAIN_MS);
		return;
	}
	bool left = false;
	for (size_t i = 0; i < runs->count; i++) {
		struct run *run = runs->list[i];
		if (wants_restart(run))
			fail_rebooting(runs, run);
		left |= wants_restart(run);
	}
	runs->reboot.wanted = runs->reboot.due = left;
	runs->reboot.at = deadline_in_ms(RUNS_AGAIN_MS);
}

/* Those that run are let finish, nothing new begins meanwhile, and the hub hears of it. */
static void schedule_reboot(struct runs *runs, bool wanted, size_t busy)
{
	if (wanted && !runs->reboot.wanted) {
		runs->reboot.tries = 0;
		runs->reboot.at = deadline_in_ms(waits_for_hub(runs) ? REBOOT_HUB_MS : 0);
	}
	runs->reboot.wanted = wanted;
	runs->reboot.due = wanted && !busy;
	if (!runs->reboot.due)
		return;
	if (!runs->reboot.tries && !waits_for_hub(runs))
		runs->reboot.at = deadline_in_ms(0);
	if (!deadline_left_ms(runs->reboot.at))
		restart_machine(runs);
}

/* --- the schedule ----------------------------------------------------------------------------- */

/* To be looked at although there is no news of it. */
static bool is_due(const struct runs *runs, const struct run *run)
{
	if (run_is_final(run->status) || deadline_left_ms(run->launch_at))
		return false;
	return run->launch_at.at_us ||
		   (run->status == RUN_QUEUED && !run->launched && is_over(runs, run));
}

void runs_schedule(struct runs *runs)
{
	size_t busy = 0;
	bool reboot = false;
	for (size_t i = 0; i < runs->count; i++) {
		struct run *run = runs->list[i];
		if (is_due(runs, run)) {
			run->launch_at = (struct deadline){0};
			runs_refresh(runs, run);
		}
		busy += is_busy(run);
		reboot |= wants_restart(run);
	}
	schedule_reboot(runs, reboot, busy);
	if (!reboot)
		begin_those_that_wait(runs, busy);
}

/* When a run that waits expires, as a point of this machine's clock; a minute at most, so that a
 * clock that is set, or a machine that sleeps, is noticed. */
static struct deadline expiry(const struct runs *runs, const struct run *run)
{
	int64_t left = run->expires - runs_hub_now(runs);
	return deadline_in_ms(left < 0 ? 0 : left > 60 ? 60000 : left * 1000);
}

bool runs_schedule_deadline(const struct runs *runs, struct deadline *deadline)
{
	bool waits = runs->reboot.due;
	*deadline = waits ? runs->reboot.at : deadline_never();
	for (size_t i = 0; i < runs->count; i++) {
		const struct run *run = runs->list[i];
		if (run_is_final(run->status))
			continue;
		if (run->launch_at.at_us)
			*deadline = deadline_sooner(*deadline, run->launch_at);
		else if (run->status == RUN_QUEUED && run->attempt == 1 && !run->launched)
			*deadline = deadline_sooner(*deadline, expiry(runs, run));
		else
			continue;
		waits = true;
	}
	return waits;
}
