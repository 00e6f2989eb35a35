/*
 * The happy path: take a run from the hub, verify it, write it down, acknowledge it.
 *
 * Failure modes: it is not signed by this hub, not for this machine, not understood, over, or one
 * too many (refused, nothing is kept); the journal cannot be written (refused, the hub asks again);
 * it is here already, or was (acknowledged again, and never begun twice).
 */
#include "agent/runs/parts.h"

#include "base/file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PURGE_EVERY_US (3600 * INT64_C(1000000))

/* What was written before is not written again, whatever it says. */
static bool is_known(struct runs *runs, const char *id, enum refusal *refusal)
{
	struct err err;
	const struct agent_paths *paths = runs->options.paths;
	*refusal = REFUSAL_NONE;
	if (runs_find(runs, id) || journal_buried(paths, id))
		return true;
	if (!journal_has(paths, id))
		return false;
	/* The last step of writing it down had failed. */
	if (file_sync(paths->runs, &err) || !runs_adopt(runs, id))
		*refusal = REFUSAL_JOB_NOT_KEPT;
	return true;
}

static enum refusal verify(struct runs *runs, const struct msg_job_run *msg, struct job *job)
{
	struct err err;
	const struct agent_state *own = runs->options.state;
	if (!job_verify(own->hub_key, msg->spec, msg->signature))
		return REFUSAL_JOB_SIGNATURE;
	if (job_read(msg->spec, job, &err)) {
		logfile_line(
			runs->options.log, LEVEL_WARN, "run %s is not understood: %s", msg->run, err.text);
		return REFUSAL_JOB_INVALID;
	}
	if (strcmp(job->run, msg->run) != 0)
		return REFUSAL_JOB_INVALID;
	if (strcmp(job->server, own->server_id) != 0)
		return REFUSAL_JOB_OTHER_SERVER;
	return job->expires <= runs_hub_now(runs) ? REFUSAL_JOB_EXPIRED : REFUSAL_NONE;
}

static bool has_room(struct runs *runs)
{
	if (clock_mono_us() - runs->purged_us > PURGE_EVERY_US)
		runs_purge(runs);
	return runs->count < JOURNAL_MAX_RUNS && runs->ended < JOURNAL_MAX_ENDED;
}

static enum refusal keep(struct runs *runs, const struct msg_job_run *msg, const struct job *job)
{
	struct err err;
	struct run_state state = {
		.status = RUN_QUEUED,
		.order = runs->next_order,
		.attempt = 1,
		.expires = job->expires,
		.server = (char *)job->server,
		.title = job->title,
	};
	if (!has_room(runs))
		return REFUSAL_JOB_TOO_MANY;
	if (journal_add(runs->options.paths, msg->run, msg->spec, msg->signature, &state, &err)) {
		logfile_line(runs->options.log, LEVEL_ERROR,
			"run %s cannot be kept, so it is refused for now: %s", msg->run, err.text);
		return REFUSAL_JOB_NOT_KEPT;
	}
	runs_add(runs, msg->run, &state)->launch_at = deadline_in_ms(0); /* no sleep before it */
	logfile_line(runs->options.log, LEVEL_INFO, "run %s is taken: \"%s\" (%s)", msg->run,
		job->title, job_interpreter_name(job->interpreter));
	return REFUSAL_NONE;
}

enum refusal runs_take(struct runs *runs, const struct msg_job_run *msg)
{
	struct job job = {0};
	enum refusal refusal;
	if (runs->epoll < 0)
		return REFUSAL_JOB_NOT_KEPT;
	if (!job_is_id(msg->run))
		return REFUSAL_JOB_INVALID;
	if (is_known(runs, msg->run, &refusal))
		return refusal;
	refusal = verify(runs, msg, &job);
	if (!refusal)
		refusal = keep(runs, msg, &job);
	job_free(&job);
	return refusal;
}

/* To the supervisor: look. Without a reader there is nobody to tell. */
static void call(const struct runs *runs, const struct run *run)
{
	cleanup(free_ptr) char *path = journal_file(runs->options.paths, run->id, "call");
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t ignored = write(fd, "", 1);
	(void)ignored;
	close(fd);
}

enum refusal runs_cancel(struct runs *runs, const struct msg_job_cancel *msg)
{
	struct err err;
	struct run *run = runs_find(runs, msg->run);
	if (!run)
		return REFUSAL_JOB_UNKNOWN;
	if (run_is_final(run->status))
		return REFUSAL_NONE;
	if (journal_cancel(runs->options.paths, run->id, &err)) {
		logfile_line(
			runs->options.log, LEVEL_ERROR, "run %s cannot be cancelled: %s", run->id, err.text);
		return REFUSAL_JOB_NOT_KEPT;
	}
	logfile_line(runs->options.log, LEVEL_INFO, "run %s: the hub wants it ended", run->id);
	call(runs, run);
	runs_refresh(runs, run);
	runs_talk(runs);
	return REFUSAL_NONE;
}

/* --- for `sallyport status` ------------------------------------------------------------------- */

struct counting {
	const struct agent_paths *paths;
	struct runs_count *count;
};

static void count_one(void *data, const char *id)
{
	struct counting *counting = data;
	struct run_state state;
	struct err err;
	if (journal_state_load(counting->paths, id, &state, &err))
		return;
	counting->count->by_status[state.status]++;
	run_state_free(&state);
}

void runs_count(const struct agent_paths *paths, struct runs_count *count)
{
	struct counting counting = {paths, count};
	*count = (struct runs_count){0};
	journal_list(paths, count_one, &counting);
}
