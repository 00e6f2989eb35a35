/*
 * What somebody at the hub wants of a machine whose troubles he looks into: its log as it grows,
 * and a support bundle. The bundle itself comes over requests of its own (api/uploads.c).
 */
#include "hub/support/bundles.h"
#include "hub/log.h"
#include "hub/support/log_streams.h"
#include "hub/session/parts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct session_support *support_of(struct session *session)
{
	if (!session->support)
		session->support = xcalloc(1, sizeof *session->support);
	return session->support;
}

void session_send_log_follow(struct session *session, const char *stream, int lines)
{
	struct msg_log_follow message = {.stream = (char *)stream, .lines = lines}; /* only read */
	support_of(session)->follow_id = session_send_request(
		session, message_method(MSG_log_follow), message_write(MSG_log_follow, &message));
}

void session_send_log_unfollow(struct session *session, const char *stream)
{
	struct msg_log_unfollow message = {.stream = (char *)stream}; /* only read */
	if (session->state == STATE_OPEN)
		session_send_text(session, rpc_notification(message_method(MSG_log_unfollow),
									   message_write(MSG_log_unfollow, &message)));
}

void session_send_bundle_make(struct session *session, const char *id)
{
	struct msg_bundle_make message = {.bundle = (char *)id}; /* only read */
	struct session_support *support = support_of(session);
	snprintf(support->bundle, sizeof support->bundle, "%s", id);
	support->bundle_id = session_send_request(
		session, message_method(MSG_bundle_make), message_write(MSG_bundle_make, &message));
}

bool session_support_answered(struct session *session, const struct rpc *rpc)
{
	struct session_support *support = session->support;
	const struct session_context *context = session->context;
	if (!support || (rpc->id != support->follow_id && rpc->id != support->bundle_id))
		return false;
	if (rpc->kind != RPC_ERROR)
		return true;
	if (rpc->id == support->follow_id)
		log_streams_end(context->log_streams, session->id, session_refusal_words(rpc->refusal));
	else
		bundles_failed(context->bundles, session->id, support->bundle,
			session_refusal_words(rpc->refusal), time(NULL));
	return true;
}

void session_on_log_lines(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_log_lines *message = record;
	(void)rpc;
	if (session->context->log_streams)
		log_streams_lines(session->context->log_streams, session->id, message->stream,
			message->lines, message->skipped);
}

void session_on_bundle_failed(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_bundle_failed *message = record;
	if (session->context->bundles && !bundles_failed(session->context->bundles, session->id,
										 message->bundle, message->reason, time(NULL)))
		return;
	log_line(LOG_NOTE, "%s: it fails at a bundle that is not its own", session->peer);
	session_refuse(session, rpc->id, REFUSAL_BAD_MESSAGE, NULL);
}

void session_support_ended(struct session *session)
{
	if (session->support && session->context->log_streams)
		log_streams_end(session->context->log_streams, session->id,
			"The machine's session has ended; its log can be followed again once it is back.");
	free(session->support);
	session->support = NULL;
}
