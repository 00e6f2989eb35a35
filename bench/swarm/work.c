#include "swarm/work.h"

#include "base/clock.h"
#include "swarm/machine.h"
#include "swarm/peer.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static struct work_run *find(struct work *work, const char *id)
{
	for (size_t i = 0; i < work->count; i++)
		if (strcmp(work->runs[i].id, id) == 0)
			return &work->runs[i];
	return NULL;
}

/* The place of a new run; NULL while none is confirmed that could make room. */
static struct work_run *place(struct work *work)
{
	if (work->count < WORK_MAX)
		return &work->runs[work->count++];
	for (size_t i = 0; i < WORK_MAX; i++) {
		struct work_run *run = &work->runs[(work->oldest + i) % WORK_MAX];
		if (run->confirmed && !run->awaited) {
			work->oldest = (size_t)(run - work->runs + 1) % WORK_MAX;
			return run;
		}
	}
	return NULL;
}

static enum refusal on_job_run(void *data, const void *record)
{
	struct peer *peer = data;
	const struct msg_job_run *wish = record;
	if (strlen(wish->run) >= JOB_ID_SIZE)
		return REFUSAL_JOB_INVALID;
	if (find(&peer->work, wish->run))
		return REFUSAL_NONE; /* it came before, and its answer was lost */
	if (peer->number % WORK_VERIFIES_EACH == 0 &&
		!job_verify(peer->hub_key, wish->spec, wish->signature))
		return REFUSAL_JOB_SIGNATURE;
	struct work_run *run = place(&peer->work);
	if (!run)
		return REFUSAL_JOB_TOO_MANY;
	*run = (struct work_run){.awaited = 0};
	memcpy(run->id, wish->run, strlen(wish->run));
	return REFUSAL_NONE;
}

/* A script that takes no time cannot be cut short. */
static enum refusal on_job_cancel(void *data, const void *record)
{
	struct peer *peer = data;
	const struct msg_job_cancel *wish = record;
	return find(&peer->work, wish->run) ? REFUSAL_NONE : REFUSAL_JOB_UNKNOWN;
}

const struct session_call work_calls[] = {
	{MSG_job_run, on_job_run},
	{MSG_job_cancel, on_job_cancel},
};
const size_t work_call_count = ARRAY_LEN(work_calls);

/* --- telling ------------------------------------------------------------------------------- */

/* The tag of a question is the place of its run. What the hub refuses is not said again. */
static void on_answer(void *data, uint64_t tag, const json_t *result, enum refusal refusal)
{
	struct peer *peer = data;
	struct work_run *run = &peer->work.runs[tag];
	run->awaited--;
	if (run->confirmed)
		return;
	if (!result) {
		snprintf(
			peer->problem, sizeof peer->problem, "a run was refused: %s", refusal_text(refusal));
		run->confirmed = true;
	} else if (!run->awaited) {
		run->confirmed = true;
		peer->goal->confirmed(peer->goal->data);
	}
}

static void ask(struct peer *peer, struct work_run *run, enum message message, const void *record)
{
	uint64_t tag = (uint64_t)(run - peer->work.runs);
	if (session_ask(&peer->session, message, record, on_answer, peer, tag) == 0)
		run->awaited++;
}

static void say_done(struct peer *peer, struct work_run *run)
{
	char now[CLOCK_TEXT_SIZE], text[MACHINE_NAME_SIZE + 1], base64[64];
	clock_rfc3339(time(NULL), now);
	machine_name(peer->number, text);
	strcat(text, "\n");
	sodium_bin2base64(base64, sizeof base64, (const unsigned char *)text, strlen(text),
		sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	ask(peer, run, MSG_job_state,
		&(struct msg_job_state){.run = run->id,
			.state = (char *)"done",
			.attempt = 1,
			.started = now,
			.finished = now,
			.output = (int64_t)strlen(text)});
	ask(peer, run, MSG_job_output, &(struct msg_job_output){.run = run->id, .data = base64});
}

void work_advance(struct peer *peer)
{
	for (size_t i = 0; i < peer->work.count; i++)
		if (!peer->work.runs[i].awaited && !peer->work.runs[i].confirmed)
			say_done(peer, &peer->work.runs[i]);
}

/* --- a new session ------------------------------------------------------------------------- */

static void on_held(void *data, uint64_t tag, const json_t *result, enum refusal refusal)
{
	struct peer *peer = data;
	struct msg_jobs_held_result answer = {0};
	size_t i;
	const json_t *id;
	(void)tag;
	(void)refusal;
	if (result)
		message_read(MSG_jobs_held_result, result, &answer, NULL);
	json_array_foreach(answer.unknown, i, id)
	{
		struct work_run *run = json_is_string(id) ? find(&peer->work, json_string_value(id)) : NULL;
		if (run)
			run->confirmed = true;
	}
	message_free(MSG_jobs_held_result, &answer);
}

void work_begin(struct peer *peer)
{
	struct msg_jobs_held message = {.runs = json_array()};
	for (size_t i = 0; i < peer->work.count; i++) {
		struct work_run *run = &peer->work.runs[i];
		run->awaited = 0;
		if (!run->confirmed)
			json_array_append_new(
				message.runs, json_pack("{s:s,s:s}", "run", run->id, "state", "done"));
	}
	session_ask(&peer->session, MSG_jobs_held, &message, on_held, peer, 0);
	json_decref(message.runs);
}
