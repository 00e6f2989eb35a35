/*
 * What the hub hears of the runs.
 *
 * The happy path: jobs.held after the welcome; when it is answered, job.state for every run that is
 * not as the hub has it, and its output piece by piece, one at a time; a run whose end and output
 * the hub has is buried.
 *
 * Failure modes: the session ends (all of it again in the next one), too many questions are open
 * (the rest follows as answers come), the hub refuses (again a little later; a run that it does not
 * know is dropped once it has ended), the output cannot be read (its end is told without it), the
 * burial cannot be written (told again later, which changes nothing at the hub).
 */
#include "agent/runs/parts.h"

#include "base/json.h"

#include <fcntl.h>
#include <malloc.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES 24576
#define SMALL_BYTES 16384 /* after less than this, more is waited for */
#define GATHER_MS   500
#define TEXT_BYTES  (PIECE_BYTES / 3 * 4 + 1)
#define REFUSED_MS  30000
#define OPEN_ASKS   (SESSION_ASKS - 8) /* the rest is for others */
#define BASE64      sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* --- job.state -------------------------------------------------------------------------------- */

static bool is_told(const struct run *run)
{
	return run->told.valid && run->told.status == run->status && run->told.attempt == run->attempt;
}

static int64_t output_size(const struct runs *runs, const struct run *run)
{
	struct stat st;
	cleanup(free_ptr) char *path = journal_file(runs->options.paths, run->id, "output");
	if (stat(path, &st))
		return 0;
	return st.st_size < JOB_MAX_OUTPUT ? st.st_size : JOB_MAX_OUTPUT;
}

static void bury(struct runs *runs, struct run *run)
{
	struct err err;
	if (journal_bury(runs->options.paths, run->id, run->expires, &err)) {
		logfile_line(runs->options.log, LEVEL_WARN, "run %s stays for now: %s", run->id, err.text);
		run->talk_at = deadline_in_ms(REFUSED_MS);
		return;
	}
	runs->ended++;
	runs_drop(runs, run);
	if (!runs->count)
		malloc_trim(0);
}

static void on_state(void *data, uint64_t tag, const json_t *result, enum refusal refusal)
{
	struct runs *runs = data;
	struct run *run = runs_find_order(runs, (int64_t)tag);
	if (!run || !run->asked.valid)
		return;
	run->asked.valid = false;
	bool unknown = refusal == REFUSAL_JOB_UNKNOWN;
	if (result || unknown) {
		run->told = run->asked;
		run->told.valid = true;
	} else {
		run->talk_at = deadline_in_ms(REFUSED_MS);
	}
	if (unknown && run_is_final(run->status))
		bury(runs, run);
	runs_talk(runs);
}

static int ask(struct runs *runs, struct run *run, enum message message, const void *msg,
	session_answer *answer)
{
	size_t open = 0;
	for (size_t i = 0; i < SESSION_ASKS; i++)
		open += runs->session->questions[i].id != 0;
	if (open >= OPEN_ASKS)
		return -1;
	return session_ask(runs->session, message, msg, answer, runs, (uint64_t)run->order);
}

static int say_state(struct runs *runs, struct run *run)
{
	struct run_state state;
	struct err err;
	if (journal_state_load(runs->options.paths, run->id, &state, &err))
		return 0;
	/* The disk is ahead: its news come next, and then it is said. */
	if (state.status != run->status || state.attempt != run->attempt) {
		run_state_free(&state);
		return 0;
	}
	struct msg_job_state msg = {
		.run = run->id,
		.state = (char *)run_status_name(state.status), /* only read, as all of them */
		.attempt = state.attempt,
		.exit_code = state.exit_code,
		.signal = state.signal,
		.reason = state.reason,
		.started = state.started,
		.finished = state.finished,
		.output = output_size(runs, run),
		.dropped = state.dropped,
	};
	int rc = ask(runs, run, MSG_job_state, &msg, on_state);
	if (rc == 0) {
		run->asked.valid = true;
		run->asked.status = run->status;
		run->asked.attempt = run->attempt;
	}
	run_state_free(&state);
	return rc;
}

/* --- job.output ------------------------------------------------------------------------------- */

static void on_output(void *data, uint64_t tag, const json_t *result, enum refusal refusal)
{
	struct runs *runs = data;
	struct run *run = runs_find_order(runs, (int64_t)tag);
	struct msg_job_output_result answer = {0};
	if (!run || !run->output_asked)
		return;
	run->output_asked = false;
	int64_t before = run->output_at;
	if (result && message_read(MSG_job_output_result, result, &answer, NULL) == 0)
		run->output_at = answer.next;
	if (run->output_at > before)
		run->talk_at = (struct deadline){0};
	else if (refusal == REFUSAL_JOB_UNKNOWN)
		run->output_at = JOB_MAX_OUTPUT;
	else
		run->talk_at = deadline_in_ms(REFUSED_MS);
	runs_talk(runs);
}

/* What the hub has must survive a power cut here, or a later attempt would go on before its end. */
static ssize_t read_piece(const struct runs *runs, const struct run *run, unsigned char *bytes)
{
	cleanup(free_ptr) char *path = journal_file(runs->options.paths, run->id, "output");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	fdatasync(fd);
	ssize_t got = pread(fd, bytes, PIECE_BYTES, run->output_at);
	close(fd);
	return got;
}

/* 0 when nothing more is to be sent now or it is on its way. */
static int say_output(struct runs *runs, struct run *run)
{
	cleanup(free_ptr) unsigned char *bytes = xcalloc(PIECE_BYTES, 1);
	cleanup(free_ptr) char *text = xcalloc(TEXT_BYTES, 1);
	ssize_t got = read_piece(runs, run, bytes);
	if (got <= 0) {
		run->output_fresh = false;
		return 0;
	}
	run->piece_at = deadline_in_ms(got < SMALL_BYTES ? GATHER_MS : 0);
	sodium_bin2base64(text, TEXT_BYTES, bytes, (size_t)got, BASE64);
	struct msg_job_output msg = {.run = run->id, .offset = run->output_at, .data = text};
	int rc = ask(runs, run, MSG_job_output, &msg, on_output);
	run->output_asked = rc == 0;
	return rc;
}

/* --- one after the other ---------------------------------------------------------------------- */

static bool is_quiet(const struct run *run)
{
	return run->status == RUN_RUNNING && deadline_left_ms(run->quiet_at);
}

static bool has_state_to_say(const struct run *run)
{
	return run->status != RUN_QUEUED && !run->asked.valid && !is_told(run);
}

static bool has_output_to_say(const struct run *run)
{
	return run->status != RUN_QUEUED && run->output_fresh && !run->output_asked &&
		   run->output_at < JOB_MAX_OUTPUT;
}

static bool is_all_said(const struct run *run)
{
	return run_is_final(run->status) && is_told(run) && !run->asked.valid && !run->output_asked &&
		   !has_output_to_say(run);
}

/* False when the session takes no more for now. */
static bool say(struct runs *runs, struct run *run)
{
	bool gathers = !run_is_final(run->status) && deadline_left_ms(run->piece_at);
	if (is_quiet(run))
		return true;
	if (has_state_to_say(run) && say_state(runs, run))
		return false;
	return gathers || !has_output_to_say(run) || say_output(runs, run) == 0;
}

void runs_talk(struct runs *runs)
{
	if (!runs->session || !runs->held_told)
		return;
	for (size_t i = 0, count; i < runs->count; i += runs->count == count) {
		struct run *run = runs->list[i];
		count = runs->count;
		if (deadline_left_ms(run->talk_at))
			continue;
		if (!say(runs, run))
			return;
		if (is_all_said(run))
			bury(runs, run);
	}
}

bool runs_talk_deadline(const struct runs *runs, struct deadline *deadline)
{
	*deadline = deadline_never();
	for (size_t i = 0; runs->session && i < runs->count; i++) {
		const struct run *run = runs->list[i];
		if (deadline_left_ms(run->talk_at))
			*deadline = deadline_sooner(*deadline, run->talk_at);
		if (is_quiet(run))
			*deadline = deadline_sooner(*deadline, run->quiet_at);
		if (has_output_to_say(run) && deadline_left_ms(run->piece_at))
			*deadline = deadline_sooner(*deadline, run->piece_at);
	}
	return deadline->at_us != INT64_MAX;
}

/* --- jobs.held -------------------------------------------------------------------------------- */

static void take_offsets(struct runs *runs, const json_t *outputs)
{
	for (size_t i = 0; i < runs->count; i++) {
		int64_t at = json_get_int(outputs, runs->list[i]->id, 0);
		runs->list[i]->output_at = at < 0 || at > JOB_MAX_OUTPUT ? 0 : at;
	}
}

static void drop_unknown(struct runs *runs, const json_t *unknown)
{
	for (size_t i = 0; i < json_array_size(unknown); i++) {
		const char *id = json_string_value(json_array_get(unknown, i));
		struct run *run = id ? runs_find(runs, id) : NULL;
		if (run && run_is_final(run->status))
			bury(runs, run);
	}
}

/* A hub that does not know the question knows no jobs either, and then there is nothing to say. */
static void on_held(void *data, uint64_t tag, const json_t *result, enum refusal refusal)
{
	struct runs *runs = data;
	struct msg_jobs_held_result answer = {0};
	(void)tag;
	(void)refusal;
	if (!result || message_read(MSG_jobs_held_result, result, &answer, NULL))
		return;
	runs->held_told = true;
	take_offsets(runs, answer.outputs);
	drop_unknown(runs, answer.unknown);
	message_free(MSG_jobs_held_result, &answer);
	runs_talk(runs);
}

void runs_online(struct runs *runs, struct session *session)
{
	if (runs->epoll < 0)
		return;
	cleanup(json_drop) json_t *list = json_array();
	for (size_t i = 0; i < runs->count; i++) {
		struct run *run = runs->list[i];
		run->told.valid = run->asked.valid = run->output_asked = false;
		run->output_fresh = true;
		run->talk_at = (struct deadline){0};
		json_array_append_new(
			list, json_pack("{s:s,s:s}", "run", run->id, "state", run_status_name(run->status)));
	}
	runs->session = session;
	runs->held_told = false;
	session_ask(session, MSG_jobs_held, &(struct msg_jobs_held){.runs = list}, on_held, runs, 0);
}

void runs_offline(struct runs *runs)
{
	runs->session = NULL;
	runs->held_told = false;
}
