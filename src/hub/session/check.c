/*
 * The checks of a machine, as its session brings them: it is asked, agrees or not, starts, and
 * reports. A machine that speaks of a run which is not its own, sends what is no report, or its own
 * reports too quickly, is refused like one that breaks the protocol elsewhere.
 */
#include "hub/log.h"
#include "hub/session/parts.h"

#include <string.h>
#include <time.h>

void session_send_check_run(struct session *session, const struct store_check *check)
{
	struct msg_check_run message = {
		.run = (char *)check->id, /* only read */
		.profile = *check->profile ? check->profile : NULL,
		.deep = check->deep,
	};
	session->check_id = ++session->next_id;
	memcpy(session->check_run, check->id, sizeof session->check_run);
	session_send_text(session, rpc_request(session->check_id, message_method(MSG_check_run),
								   message_write(MSG_check_run, &message)));
}

static void refuse(struct session *session, const struct rpc *rpc, const char *why)
{
	log_line(LOG_NOTE, "%s: %s", session->peer, why);
	session_refuse(session, rpc->id, REFUSAL_BAD_MESSAGE, NULL);
}

void session_on_answer(struct session *session, const struct rpc *rpc)
{
	if (session->state != STATE_OPEN || rpc->id < 1 || rpc->id > session->next_id) {
		refuse(session, rpc, "an answer to what was not asked");
		return;
	}
	if (rpc->id == session->present_id) {
		session_is_present(session);
		return;
	}
	if (session_install_answered(session, rpc) || session_job_answered(session, rpc) ||
		session_support_answered(session, rpc))
		return;
	/* Of an older request nobody waits for the answer any more. */
	if (rpc->id == session->check_id)
		checks_answered(session->context->checks, session->check_run,
			rpc->kind == RPC_ERROR ? session_refusal_words(rpc->refusal) : NULL, time(NULL),
			session_now_ms());
}

void session_on_check(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_check *message = record;
	int64_t now_ms = session_now_ms();
	if (!message->run) {
		if (session->checked_ms && now_ms - session->checked_ms < SESSION_LEAST_CHECK_MS) {
			refuse(session, rpc, "reports too often");
			return;
		}
		session->checked_ms = now_ms;
	}
	if (checks_reported(
			session->context->checks, session->id, message->run, message->report, time(NULL)))
		refuse(session, rpc, "a report that was not asked for, or that is none");
}

void session_on_check_started(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_check_started *message = record;
	if (checks_started(
			session->context->checks, session->id, message->run, time(NULL), session_now_ms()))
		refuse(session, rpc, "it starts a check that was not asked for");
}

void session_on_check_failed(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_check_failed *message = record;
	if (checks_failed(
			session->context->checks, session->id, message->run, message->reason, time(NULL)))
		refuse(session, rpc, "it fails at a check that was not asked for");
}
