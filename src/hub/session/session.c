/*
 * Happy path: hello -> the hub's proof -> enrol or resume -> welcome -> heartbeats, notes -> leave
 * or the end of the connection. Whatever does not fit the state, the table of methods or the bounds
 * is refused with the reason, and the connection closed: a peer gets one mistake.
 */
#include "base/clock.h"
#include "hub/audit.h"
#include "hub/installs/installs.h"
#include "hub/jobs/jobs.h"
#include "hub/log.h"
#include "hub/session/parts.h"
#include "wire/ws.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MAX_PATH   65536
#define RATE_BURST 64 /* messages at once */

int64_t session_now_ms(void)
{
	return clock_mono_us() / 1000;
}

void session_forget_transcript(struct session *session)
{
	if (session->transcript)
		sodium_memzero(session->transcript, sizeof *session->transcript);
	free(session->transcript);
	session->transcript = NULL;
}

void session_send_text(struct session *session, char *text)
{
	metric_add(session->context->metrics, METRIC_MESSAGES_OUT, 1);
	session->link->send(session->link_data, text);
}

void session_send_result(struct session *session, int64_t id, enum message message, void *record)
{
	session_send_text(session, rpc_result(id, message_write(message, record)));
}

void session_close(struct session *session, uint16_t code, const char *why)
{
	session->state = STATE_OVER;
	session->link->close(session->link_data, code, why);
}

/* Takes the data. */
void session_refuse(struct session *session, int64_t id, enum refusal refusal, json_t *data)
{
	metric_add(session->context->metrics, METRIC_REFUSALS, 1);
	log_line(LOG_NOTE, "refused %s: %s", session->peer, refusal_text(refusal));
	session_send_text(session, rpc_error(id, refusal, data));
	session_close(session, CLOSE_POLICY, "refused");
}

/* --- while it is open ---------------------------------------------------------------------- */

static void on_heartbeat(struct session *session, const struct rpc *rpc, void *record)
{
	(void)record;
	session_send_text(session, rpc_result(rpc->id, json_object()));
}

static void on_inventory(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_inventory *message = record;
	char *text = session_inventory_text(message->inventory);
	if (text)
		roster_note(session->context->roster, session->member, ROSTER_INVENTORY, text);
	else
		session_refuse(session, rpc->id, REFUSAL_BAD_MESSAGE, NULL);
}

static void on_path(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_path *message = record;
	char *text = json_text(rpc->body);
	checks_session_told(session->context->checks, session->id, message->run, time(NULL));
	if (strlen(text) <= MAX_PATH) {
		roster_note(session->context->roster, session->member, ROSTER_PATH, text);
		return;
	}
	free(text);
	session_refuse(session, rpc->id, REFUSAL_BAD_MESSAGE, NULL);
}

static void on_leave(struct session *session, const struct rpc *rpc, void *record)
{
	const struct session_context *context = session->context;
	struct err err = {0};
	(void)record;
	enum store_status status = context->store->driver->servers.remove(
		context->store, session->id, false, time(NULL), &err);
	if (status != STORE_OK && status != STORE_NOT_FOUND) {
		session_refuse_for_store(session, rpc->id, &err);
		return;
	}
	log_line(LOG_NOTE, "server %s left", session->id);
	struct actor actor = {.kind = ACTOR_MACHINE, .name = session->id};
	snprintf(actor.peer, sizeof actor.peer, "%s", session->peer);
	if (audit_store(context->store, &actor, AUDIT_SERVER_LEAVE, session->id, NULL, &err))
		log_line(LOG_ERROR, "%s", err.text);
	session->member = NULL;
	roster_forget(context->roster, session->id);
	checks_forget(context->checks, session->id);
	jobs_forget(context->jobs, session->id, time(NULL));
	if (context->installs)
		installs_lose_connector(context->installs, session->id, time(NULL));
	session_send_text(session, rpc_result(rpc->id, json_object()));
	session_close(session, CLOSE_NORMAL, "left");
	context->removed(context->data, session->id);
}

/* --- receiving ----------------------------------------------------------------------------- */

#define RECORD_MAX 512

static const struct handler {
	enum message message;
	enum state state;
	enum rpc_kind kind;
	size_t record_size;
	void (*run)(struct session *session, const struct rpc *rpc, void *record);
} handlers[] = {
	{MSG_hello, STATE_HELLO, RPC_REQUEST, sizeof(struct msg_hello), session_on_hello},
	{MSG_enrol, STATE_PROOF, RPC_REQUEST, sizeof(struct msg_enrol), session_on_enrol},
	{MSG_resume, STATE_PROOF, RPC_REQUEST, sizeof(struct msg_resume), session_on_resume},
	{MSG_heartbeat, STATE_OPEN, RPC_REQUEST, sizeof(struct msg_heartbeat), on_heartbeat},
	{MSG_inventory, STATE_OPEN, RPC_NOTIFICATION, sizeof(struct msg_inventory), on_inventory},
	{MSG_path, STATE_OPEN, RPC_NOTIFICATION, sizeof(struct msg_path), on_path},
	{MSG_check, STATE_OPEN, RPC_NOTIFICATION, sizeof(struct msg_check), session_on_check},
	{MSG_check_started, STATE_OPEN, RPC_NOTIFICATION, sizeof(struct msg_check_started),
		session_on_check_started},
	{MSG_check_failed, STATE_OPEN, RPC_NOTIFICATION, sizeof(struct msg_check_failed),
		session_on_check_failed},
	{MSG_outside_look, STATE_OPEN, RPC_REQUEST, sizeof(struct msg_outside_look),
		session_on_outside_look},
	{MSG_jobs_held, STATE_OPEN, RPC_REQUEST, sizeof(struct msg_jobs_held), session_on_jobs_held},
	{MSG_job_state, STATE_OPEN, RPC_REQUEST, sizeof(struct msg_job_state), session_on_job_state},
	{MSG_job_output, STATE_OPEN, RPC_REQUEST, sizeof(struct msg_job_output), session_on_job_output},
	{MSG_install_event, STATE_OPEN, RPC_REQUEST, sizeof(struct msg_install_event),
		session_on_install_event},
	{MSG_install_over, STATE_OPEN, RPC_REQUEST, sizeof(struct msg_install_over),
		session_on_install_over},
	{MSG_log_lines, STATE_OPEN, RPC_NOTIFICATION, sizeof(struct msg_log_lines),
		session_on_log_lines},
	{MSG_bundle_failed, STATE_OPEN, RPC_NOTIFICATION, sizeof(struct msg_bundle_failed),
		session_on_bundle_failed},
	{MSG_leave, STATE_OPEN, RPC_REQUEST, sizeof(char), on_leave},
};

static const struct handler *handler_of(const struct session *session, const struct rpc *rpc)
{
	for (size_t i = 0; rpc->method && i < ARRAY_LEN(handlers); i++)
		if (strcmp(message_method(handlers[i].message), rpc->method) == 0 &&
			handlers[i].state == session->state && handlers[i].kind == rpc->kind)
			return &handlers[i];
	return NULL;
}

/* A bucket that fills with SESSION_RATE_PER_S a second. */
static bool within_rate(struct session *session)
{
	int64_t now = session_now_ms();
	int64_t gained = (now - session->rate_ms) * SESSION_RATE_PER_S / 1000;
	if (gained > 0) {
		session->rate_ms = now;
		session->rate_left = gained + session->rate_left > RATE_BURST
								 ? RATE_BURST
								 : session->rate_left + (int)gained;
	}
	return session->rate_left-- > 0;
}

static void dispatch(struct session *session, const struct rpc *rpc)
{
	_Alignas(max_align_t) unsigned char record[RECORD_MAX] = {0};
	struct err err = {0};
	const struct handler *handler = handler_of(session, rpc);
	if (!handler || handler->record_size > sizeof record ||
		message_read(handler->message, rpc->body, record, &err)) {
		log_line(LOG_NOTE, "%s: %s", session->peer,
			handler ? err.text : "a message that does not belong here");
		session_refuse(session, rpc->id, REFUSAL_BAD_MESSAGE, NULL);
		return;
	}
	handler->run(session, rpc, record);
	message_free(handler->message, record);
	sodium_memzero(record, sizeof record);
}

void session_text(struct session *session, const char *text, size_t len)
{
	struct rpc rpc;
	if (session->state == STATE_OVER)
		return;
	metric_add(session->context->metrics, METRIC_MESSAGES_IN, 1);
	if (!within_rate(session)) {
		log_line(LOG_WARNING, "%s sends too many messages; its session ends", session->peer);
		session_close(session, CLOSE_POLICY, "too many messages");
		return;
	}
	/* The parser's words would quote the message, which may hold a secret. */
	if (rpc_parse(text, len, &rpc, NULL)) {
		session_refuse(session, -1, REFUSAL_BAD_MESSAGE, NULL);
		return;
	}
	if (session->member)
		roster_heard(session->context->roster, session->member, time(NULL), session_now_ms());
	if (rpc.kind == RPC_RESULT || rpc.kind == RPC_ERROR)
		session_on_answer(session, &rpc);
	else
		dispatch(session, &rpc);
	rpc_free(&rpc);
}

/* --- beginning and end --------------------------------------------------------------------- */

struct session *session_open(const struct session_context *context, const struct session_link *link,
	void *link_data, const char *peer)
{
	static uint64_t number;
	struct session *session = xcalloc(1, sizeof *session);
	session->number = ++number;
	session->context = context;
	session->link = link;
	session->link_data = link_data;
	session->rate_left = RATE_BURST;
	session->rate_ms = session_now_ms();
	session->peer = peer;
	return session;
}

void session_send_restarting(struct session *session, int64_t delay_ms)
{
	struct msg_restarting message = {.delay_ms = delay_ms};
	session_send_text(session,
		rpc_notification(message_method(MSG_restarting), message_write(MSG_restarting, &message)));
	session_close(session, CLOSE_RESTART, "restarting");
}

void session_send_revoked(struct session *session)
{
	session->member = NULL;
	roster_forget(session->context->roster, session->id);
	session_send_text(session, rpc_notification(message_method(MSG_revoked), json_object()));
	session_close(session, CLOSE_POLICY, "removed");
}

void session_lost(struct session *session)
{
	char reason[160];
	snprintf(reason, sizeof reason,
		"No heartbeat came for %lld s: the machine, or its way to the hub, is gone without a word.",
		(long long)(session_silence_ms(&session->context->timing) + 500) / 1000);
	metric_add(session->context->metrics, METRIC_SILENT, 1);
	log_line(LOG_NOTE, "server %s is silent; its session ends", session->id);
	if (session->member)
		roster_leave(session->context->roster, session->member, session, CAUSE_KEEPALIVE_LOST,
			reason, time(NULL));
	session->member = NULL;
	session_close(session, 0, "silent");
}

void session_ended(struct session *session, enum cause cause, const char *reason)
{
	struct session_dues *dues = session->context->dues;
	(void)dues;
	if (session->member) {
		roster_leave(session->context->roster, session->member, session, cause, reason, time(NULL));
		log_line(LOG_DETAIL, "server %s is offline: %s", session->id, cause_info(cause)->id);
	}
	if (*session->id)
		jobs_session_ended(session->context->jobs, session->id, session->number);
	session_claims_end(session);
	session_support_ended(session);
	session_forget_transcript(session);
	free(session);
}

int64_t session_silence_ms(const struct session_timing *timing)
{
	return timing->heartbeat_ms + timing->heartbeat_jitter_ms + timing->heartbeat_timeout_ms;
}
