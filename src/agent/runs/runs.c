/*
 * The happy path: open the journal, know its runs, step through their news.
 *
 * Failure modes: the journal cannot be opened (there are no runs, and none are taken), a run in it
 * cannot be read (told as undetermined, once its folder can be written), a run of an earlier hub is
 * found (forgotten).
 */
#include "agent/runs/parts.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CLOCK_STEP_S    5              /* a difference from the hub's clock that is worth a write */
#define PURGE_GRACE_S   INT64_C(86400) /* past `expires`, in case a clock was set */
#define DAMAGED_DAYS    30             /* as long as a hub may want a run begun */
#define MAX_CLOCK_BYTES 64

/* --- the table -------------------------------------------------------------------------------- */

struct run *runs_find(struct runs *runs, const char *id)
{
	for (size_t i = 0; i < runs->count; i++)
		if (strcmp(runs->list[i]->id, id) == 0)
			return runs->list[i];
	return NULL;
}

struct run *runs_find_order(struct runs *runs, int64_t order)
{
	for (size_t i = 0; i < runs->count; i++)
		if (runs->list[i]->order == order)
			return runs->list[i];
	return NULL;
}

bool runs_went_down(const struct runs *runs, const struct run_state *state)
{
	return strcmp(state->boot ? state->boot : "", runs->boot) != 0;
}

struct run *runs_add(struct runs *runs, const char *id, const struct run_state *state)
{
	struct run *run = xcalloc(1, sizeof *run);
	*run = (struct run){
		.status = state->status,
		.attempt = state->attempt,
		.expires = state->expires,
		.order = state->order,
		.news = -1,
		.was_down = state->status == RUN_REBOOTING && runs_went_down(runs, state),
		.output_fresh = true,
	};
	memcpy(run->id, id, sizeof run->id);
	if (runs->count == runs->room) {
		runs->room = runs->room ? runs->room * 2 : 8;
		runs->list = xrealloc(runs->list, runs->room, sizeof(struct run *));
	}
	runs->list[runs->count++] = run;
	if (run->order >= runs->next_order)
		runs->next_order = run->order + 1;
	return run;
}

static void free_run(struct run *run)
{
	if (run->news >= 0)
		close(run->news);
	free(run);
}

void runs_drop(struct runs *runs, struct run *run)
{
	for (size_t i = 0; i < runs->count; i++) {
		if (runs->list[i] != run)
			continue;
		memmove(&runs->list[i], &runs->list[i + 1], (runs->count - i - 1) * sizeof(struct run *));
		runs->count--;
		break;
	}
	free_run(run);
}

/* --- what stands in the journal --------------------------------------------------------------- */

/* A state that the disk has spoilt: nobody knows any more what became of the run. */
static int replace_damaged(struct runs *runs, const char *id, const struct err *damage)
{
	struct err err;
	struct run_state state = {
		.status = RUN_UNDETERMINED,
		.order = runs->next_order,
		.attempt = 1,
		.expires = runs_hub_now(runs) + DAMAGED_DAYS * PURGE_GRACE_S,
		.server = (char *)runs->options.state->server_id,
		.title = (char *)"",
	};
	int lock = journal_lock(runs->options.paths, id, &err);
	if (lock < 0)
		return -1;
	run_set_reason(&state, "its journal cannot be read: %s", damage->text);
	int rc = journal_state_save(runs->options.paths, id, &state, &err);
	free(state.reason);
	close(lock);
	logfile_line(runs->options.log, LEVEL_ERROR, "run %s: %s%s", id, damage->text,
		rc ? "; and that cannot be written down" : "; it is told as undetermined");
	return rc;
}

/* Another hub's, or of an identity that this machine had before. */
static bool is_foreign(struct runs *runs, const char *id, const struct run_state *state)
{
	struct job job;
	struct err err;
	const struct agent_state *own = runs->options.state;
	if (strcmp(state->server, own->server_id) != 0)
		return true;
	if (state->status != RUN_QUEUED && state->status != RUN_REBOOTING)
		return false;
	bool bad = journal_job_load(runs->options.paths, id, own->hub_key, &job, &err) != 0;
	if (!bad)
		job_free(&job);
	return bad;
}

struct run *runs_adopt(struct runs *runs, const char *id)
{
	const struct agent_paths *paths = runs->options.paths;
	struct run_state state;
	struct err err;
	struct run *run = NULL;
	if (journal_state_load(paths, id, &state, &err) &&
		(replace_damaged(runs, id, &err) || journal_state_load(paths, id, &state, &err)))
		return NULL;
	if (!is_foreign(runs, id, &state)) {
		run = runs_add(runs, id, &state);
	} else if (!journal_locked(paths, id)) {
		logfile_line(
			runs->options.log, LEVEL_INFO, "run %s was another hub's; it is forgotten", id);
		journal_forget(paths, id);
	}
	run_state_free(&state);
	return run;
}

static void adopt_each(void *data, const char *id)
{
	runs_adopt(data, id);
}

static int by_order(const void *a, const void *b)
{
	const struct run *left = *(struct run *const *)a, *right = *(struct run *const *)b;
	return left->order < right->order ? -1 : left->order > right->order;
}

/* --- the hub's clock -------------------------------------------------------------------------- */

static int64_t boot_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

int64_t runs_hub_now(const struct runs *runs)
{
	if (runs->hub_clock.told)
		return runs->hub_clock.told + boot_seconds() - runs->hub_clock.at;
	return time(NULL) + runs->hub_clock.ahead;
}

static char *clock_path(const struct runs *runs)
{
	return xasprintf("%s/clock", runs->options.paths->runs);
}

static void load_clock(struct runs *runs)
{
	cleanup(free_ptr) char *path = clock_path(runs);
	cleanup(buf_free) struct buf text = {0};
	if (file_read(path, MAX_CLOCK_BYTES, &text, NULL) == 0)
		runs->hub_clock.ahead = strtoll(buf_text(&text), NULL, 10);
}

void runs_set_clock(struct runs *runs, time_t hub_now)
{
	int64_t ahead = hub_now - time(NULL);
	int64_t before = runs->hub_clock.ahead;
	runs->hub_clock.told = hub_now;
	runs->hub_clock.at = boot_seconds();
	if (!runs->options.paths || (ahead - before <= CLOCK_STEP_S && before - ahead <= CLOCK_STEP_S))
		return;
	cleanup(free_ptr) char *path = clock_path(runs);
	cleanup(free_ptr) char *text = xasprintf("%lld\n", (long long)ahead);
	if (file_replace(path, text, strlen(text), 0600, NULL) == 0)
		runs->hub_clock.ahead = ahead;
}

/* --- life ------------------------------------------------------------------------------------- */

void runs_purge(struct runs *runs)
{
	runs->ended = journal_purge(runs->options.paths, runs_hub_now(runs) - PURGE_GRACE_S);
	runs->purged_us = clock_mono_us();
}

void runs_init(struct runs *runs)
{
	*runs = (struct runs){.epoll = -1, .next_order = 1};
}

static bool is_same_machine(const struct runs *runs, const struct agent_state *state)
{
	return strcmp(runs->server_id, state->server_id) == 0 &&
		   memcmp(runs->hub_key, state->hub_key, sizeof runs->hub_key) == 0;
}

int runs_keep_open(struct runs *runs, const struct runs_options *options, struct err *err)
{
	if (runs->epoll >= 0 && is_same_machine(runs, options->state))
		return 0;
	runs_close(runs);
	if (journal_open(options->paths, err))
		return -1;
	runs->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (runs->epoll < 0)
		return err_set(err, "no descriptor is left: %s", strerror(errno));
	runs->options = *options;
	memcpy(runs->server_id, options->state->server_id, sizeof runs->server_id);
	memcpy(runs->hub_key, options->state->hub_key, sizeof runs->hub_key);
	boot_id(options->root, runs->boot);
	load_clock(runs);
	runs_purge(runs);
	journal_list(options->paths, adopt_each, runs);
	if (runs->count)
		qsort(runs->list, runs->count, sizeof(struct run *), by_order);
	for (size_t i = 0; i < runs->count; i++)
		runs_refresh(runs, runs->list[i]);
	return 0;
}

void runs_close(struct runs *runs)
{
	for (size_t i = 0; i < runs->count; i++)
		free_run(runs->list[i]);
	free(runs->list);
	free(runs->complaint);
	if (runs->epoll >= 0)
		close(runs->epoll);
	runs_init(runs);
}

int runs_fd(const struct runs *runs)
{
	return runs->epoll;
}

static void drain(int fd)
{
	char bytes[256];
	while (read(fd, bytes, sizeof bytes) > 0)
		continue;
}

static void take_news(struct runs *runs)
{
	struct epoll_event events[RUNS_AT_ONCE * 2];
	int count = epoll_wait(runs->epoll, events, ARRAY_LEN(events), 0);
	for (int i = 0; i < count; i++) {
		struct run *run = runs_find_order(runs, (int64_t)events[i].data.u64);
		if (!run || run->news < 0)
			continue;
		drain(run->news);
		run->output_fresh = true;
		if (events[i].events & (EPOLLHUP | EPOLLERR)) {
			close(run->news);
			run->news = -1;
		}
		runs_refresh(runs, run);
	}
}

void runs_step(struct runs *runs)
{
	if (runs->epoll < 0)
		return;
	take_news(runs);
	runs_schedule(runs);
	runs_talk(runs);
}

bool runs_deadline(const struct runs *runs, struct deadline *deadline)
{
	struct deadline other;
	bool waits = runs_schedule_deadline(runs, deadline);
	if (!runs_talk_deadline(runs, &other))
		return waits;
	*deadline = waits ? deadline_sooner(*deadline, other) : other;
	return true;
}
