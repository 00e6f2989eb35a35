/*
 * Jobs on their way through a session: requests to the machine and their answers, and what the
 * machine says of its runs, which is answered once it is on the disk.
 *
 * A machine may be quick here as long as it brings something new, since output is bounded by its
 * job and states come to an end; what it says again counts as any other message. It has to wait for
 * the answer: too much unanswered at once ends the session.
 */
#include "hub/installs/installs.h"
#include "hub/jobs/jobs.h"
#include "hub/log.h"
#include "hub/session/parts.h"

#include <string.h>
#include <time.h>

#define MAX_OWED    64   /* requests of the machine that are not answered yet */
#define LARGE_PIECE 4096 /* bytes of base64: smaller pieces of output are to come slowly */

/* --- to the machine ------------------------------------------------------------------------ */

uint64_t session_number(const struct session *session, bool *jobs_ready)
{
	*jobs_ready = session->state == STATE_OPEN && session->jobs_held;
	return session->number;
}

int64_t session_send_request(struct session *session, const char *method, json_t *params)
{
	if (session->state != STATE_OPEN) {
		json_decref(params);
		return 0;
	}
	int64_t id = ++session->next_id;
	session_send_text(session, rpc_request(id, method, params));
	return id;
}

bool session_job_answered(struct session *session, const struct rpc *rpc)
{
	if (!jobs_answered(session->context->jobs, session->id, session->number, rpc, time(NULL),
			session_now_ms()))
		return false;
	session->rate_left++; /* it was asked */
	return true;
}

/* --- from the machine ---------------------------------------------------------------------- */

static void refuse(struct session *session, const struct rpc *rpc, const char *why)
{
	log_line(LOG_NOTE, "%s: %s", session->peer, why);
	session_refuse(session, rpc->id, REFUSAL_BAD_MESSAGE, NULL);
}

static void answer(struct session *session, const struct rpc *rpc, enum jobs_said said, bool large)
{
	switch (said) {
	case SAID_NEW:
		session->rate_left += large;
		session->jobs_owed++;
		break;
	case SAID_BEFORE:
		session->jobs_owed++;
		break;
	case SAID_UNKNOWN:
		session_send_text(session, rpc_error(rpc->id, REFUSAL_JOB_UNKNOWN, NULL));
		break;
	case SAID_LATER:
		session_send_text(session, rpc_error(rpc->id, REFUSAL_BUSY, NULL));
		break;
	case SAID_WRONG:
		refuse(session, rpc, "it says of a run what it may not");
		break;
	}
}

/* The receipt of a request, false when the machine does not wait for answers. */
bool session_take_receipt(
	struct session *session, const struct rpc *rpc, struct jobs_receipt *receipt)
{
	*receipt = (struct jobs_receipt){.session = session->number, .rpc_id = rpc->id};
	memcpy(receipt->server, session->id, sizeof receipt->server);
	if (session->jobs_owed < MAX_OWED)
		return true;
	refuse(session, rpc, "too much about jobs at once");
	return false;
}

void session_confirm_job(struct session *session, const struct jobs_receipt *receipt)
{
	struct msg_job_output_result output = {.next = receipt->next};
	if (session->number != receipt->session || session->state != STATE_OPEN)
		return; /* it will say it again */
	session->jobs_owed--;
	if (receipt->next < 0)
		session_send_text(session, rpc_result(receipt->rpc_id, json_object()));
	else
		session_send_result(session, receipt->rpc_id, MSG_job_output_result, &output);
}

void session_on_job_state(struct session *session, const struct rpc *rpc, void *record)
{
	struct jobs_receipt receipt;
	if (session_take_receipt(session, rpc, &receipt))
		answer(session, rpc,
			jobs_told(session->context->jobs, &receipt, record, (int64_t)time(NULL)), true);
}

void session_on_job_output(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_job_output *output = record;
	struct jobs_receipt receipt;
	if (session_take_receipt(session, rpc, &receipt))
		answer(session, rpc, jobs_output(session->context->jobs, &receipt, output),
			strlen(output->data) >= LARGE_PIECE);
}

void session_on_jobs_held(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_jobs_held *held = record;
	struct msg_jobs_held_result result = {0};
	if (session->jobs_held) {
		refuse(session, rpc, "it tells its runs twice");
		return;
	}
	session->jobs_held = true;
	enum jobs_said said = jobs_held(
		session->context->jobs, session->id, session->number, held->runs, &result, time(NULL));
	if (said == SAID_NEW)
		session_send_result(session, rpc->id, MSG_jobs_held_result, &result);
	if (said == SAID_NEW && session->context->installs)
		installs_session_ready(
			session->context->installs, session->id, session->number, time(NULL));
	if (said == SAID_LATER)
		session_refuse(session, rpc->id, REFUSAL_BUSY, NULL); /* it comes back and tells again */
	else if (said != SAID_NEW)
		refuse(session, rpc, "its list of runs is none, or names another machine's");
	message_free(MSG_jobs_held_result, &result);
}
