#include "agent/session.h"

#include "agent/backoff.h"
#include "agent/duration.h"

#include <errno.h>
#include <string.h>

/* The least that an agent accepts: a hub may compress time for a test, but not make it spin. */
#define LEAST_HEARTBEAT_MS 50
#define LEAST_TIMEOUT_MS   50
#define LEAST_BACKOFF_MS   10

#define CODE_PROTOCOL_ERROR  1002
#define CODE_NO_STATUS       1005
#define CODE_ABNORMAL        1006
#define CODE_TOO_BIG         1009
#define CODE_SERVICE_RESTART 1012
#define CODE_REPLACED        4001

static int64_t at_least(int64_t value, int64_t least)
{
	return value < least ? least : value;
}

void session_params_default(struct session_params *params)
{
	*params = (struct session_params){
		.heartbeat_ms = 60000,
		.heartbeat_jitter_ms = 5000,
		.heartbeat_timeout_ms = 20000,
		.backoff_base_ms = BACKOFF_BASE_MS,
		.backoff_cap_ms = BACKOFF_CAP_MS,
		.stable_ms = 60000,
	};
}

int session_params_read(const json_t *welcome, struct session_params *params, struct err *err)
{
	struct msg_welcome msg = {0};
	if (message_read(MSG_welcome, welcome, &msg, err))
		return -1;
	*params = (struct session_params){
		.heartbeat_ms = at_least(msg.heartbeat_ms, LEAST_HEARTBEAT_MS),
		.heartbeat_jitter_ms = msg.heartbeat_jitter_ms,
		.heartbeat_timeout_ms = at_least(msg.heartbeat_timeout_ms, LEAST_TIMEOUT_MS),
		.backoff_base_ms = at_least(msg.backoff_base_ms, LEAST_BACKOFF_MS),
		.backoff_cap_ms =
			at_least(msg.backoff_cap_ms, at_least(msg.backoff_base_ms, LEAST_BACKOFF_MS)),
		.stable_ms = msg.stable_ms,
	};
	message_free(MSG_welcome, &msg);
	return 0;
}

static void schedule_heartbeat(struct session *session, int64_t from_us)
{
	int64_t wait_ms =
		session->params.heartbeat_ms + backoff_spread(session->params.heartbeat_jitter_ms);
	session->heartbeat_us = from_us + wait_ms * 1000;
}

void session_open(struct session *session, const struct session_params *params, session_send *send,
	void *data, int64_t agent_started_us, int64_t now_us)
{
	*session = (struct session){
		.params = *params,
		.send = send,
		.data = data,
		.agent_started_us = agent_started_us,
		.opened_us = now_us,
		.heard_us = now_us,
		.moved_us = now_us,
		.next_id = 100, /* above the few that the hello used */
		.heartbeat_id = -1,
		.round_trip_ms = -1,
	};
	schedule_heartbeat(session, now_us);
}

static void end(
	struct session *session, enum cause cause, enum confidence confidence, int64_t now_us)
{
	char words[DURATION_TEXT_SIZE];
	struct evidence *evidence = &session->over.evidence;
	session->ended_us = now_us;
	if (!session->answer_us)
		session->idle_ms = (now_us - session->moved_us) / 1000;
	finding_set(&session->over, cause, STAGE_SESSION, confidence);
	evidence_add(
		evidence, "lifetime", "%s", duration_words((now_us - session->opened_us) / 1000, words));
	evidence_add(evidence, "last-heard", "%s before the end",
		duration_words((now_us - session->heard_us) / 1000, words));
	if (session->round_trip_ms >= 0)
		evidence_add(evidence, "round-trip", "%lld ms", (long long)session->round_trip_ms);
}

static void on_restarting(struct session *session, const json_t *body, int64_t now_us)
{
	struct msg_restarting msg = {0};
	if (message_read(MSG_restarting, body, &msg, NULL) == 0)
		session->restart_delay_ms = msg.delay_ms;
	end(session, CAUSE_HUB_RESTARTING, CONFIDENCE_CERTAIN, now_us);
	evidence_add(&session->over.evidence, "delay", "%lld ms", (long long)session->restart_delay_ms);
}

static void on_revoked(struct session *session, const json_t *body, int64_t now_us)
{
	(void)body;
	end(session, CAUSE_AGENT_REVOKED, CONFIDENCE_CERTAIN, now_us);
}

static const struct {
	enum message message;
	void (*run)(struct session *session, const json_t *body, int64_t now_us);
} announcements[] = {{MSG_restarting, on_restarting}, {MSG_revoked, on_revoked}};

static int send_text(struct session *session, char *text)
{
	int rc = session->send(session->data, text, strlen(text));
	free(text);
	return rc;
}

static void answer_call(struct session *session, const struct rpc *rpc, enum refusal refusal)
{
	if (rpc->kind == RPC_REQUEST)
		send_text(session,
			refusal ? rpc_error(rpc->id, refusal, NULL) : rpc_result(rpc->id, json_object()));
}

static void run_call(
	struct session *session, const struct session_call *call, const struct rpc *rpc)
{
	union message_record record;
	enum refusal refusal = REFUSAL_BAD_MESSAGE;
	memset(&record, 0, sizeof record);
	if (message_read(call->message, rpc->body, &record, NULL) == 0) {
		refusal = call->run(session->data, &record);
		message_free(call->message, &record);
	}
	answer_call(session, rpc, refusal);
}

/* Somebody else came to the hub with this machine's key. */
static void on_present(struct session *session, const struct rpc *rpc)
{
	send_text(session, rpc_result(rpc->id, json_object()));
}

static void on_call(struct session *session, const struct rpc *rpc, int64_t now_us)
{
	for (size_t i = 0; i < ARRAY_LEN(announcements); i++) {
		if (strcmp(rpc->method, message_method(announcements[i].message)) == 0) {
			announcements[i].run(session, rpc->body, now_us);
			return;
		}
	}
	for (size_t i = 0; i < session->call_count; i++) {
		if (strcmp(rpc->method, message_method(session->calls[i].message)) == 0) {
			run_call(session, &session->calls[i], rpc);
			return;
		}
	}
	if (rpc->kind == RPC_REQUEST && strcmp(rpc->method, message_method(MSG_present)) == 0) {
		on_present(session, rpc);
		return;
	}
	/* A newer hub may announce what this agent does not know; only a question wants an answer. */
	answer_call(session, rpc, REFUSAL_BAD_MESSAGE);
}

/* True when it answers a question that is open. */
static bool give_answer(struct session *session, const struct rpc *rpc)
{
	for (size_t i = 0; i < ARRAY_LEN(session->questions); i++) {
		struct session_question asked = session->questions[i];
		if (!asked.id || asked.id != rpc->id)
			continue;
		session->questions[i] = (struct session_question){0};
		if (rpc->kind == RPC_RESULT)
			asked.answer(asked.data, asked.tag, rpc->body, REFUSAL_NONE);
		else
			asked.answer(asked.data, asked.tag, NULL, rpc->refusal);
		return true;
	}
	return false;
}

static void on_answer(struct session *session, const struct rpc *rpc, int64_t now_us)
{
	if (give_answer(session, rpc))
		return;
	if (!session->answer_us || rpc->id != session->heartbeat_id)
		return;
	session->answer_us = 0;
	session->answered = true;
	session->round_trip_ms = (now_us - session->sent_us) / 1000;
	session->answers++;
	if (session->idle_ms > session->lived_ms)
		session->lived_ms = session->idle_ms;
	/* The hub forgets a machine that was removed while nobody told it. */
	if (rpc->kind == RPC_ERROR && refusal_cause(rpc->refusal) == CAUSE_AGENT_REVOKED)
		on_revoked(session, rpc->body, now_us);
}

void session_text(struct session *session, const char *text, size_t len, int64_t now_us)
{
	struct rpc rpc;
	struct err err;
	if (session->over.cause)
		return;
	if (rpc_parse(text, len, &rpc, &err)) {
		end(session, CAUSE_PEER_CLOSED, CONFIDENCE_CERTAIN, now_us);
		session->by_hub = true;
		evidence_add(&session->over.evidence, "close-note",
			", by this agent: the hub sent what is no JSON-RPC message (%s)", err.text);
		return;
	}
	session->heard_us = session->moved_us = now_us;
	if (rpc.kind == RPC_REQUEST || rpc.kind == RPC_NOTIFICATION)
		on_call(session, &rpc, now_us);
	else
		on_answer(session, &rpc, now_us);
	rpc_free(&rpc);
}

static void send_heartbeat(struct session *session, int64_t now_us)
{
	struct msg_heartbeat msg = {.uptime_s = (now_us - session->agent_started_us) / 1000000};
	session->heartbeat_id = session->next_id++;
	session->sent_us = now_us;
	session->idle_ms = (now_us - session->moved_us) / 1000;
	session->moved_us = now_us;
	session->answer_us = now_us + session->params.heartbeat_timeout_ms * 1000;
	schedule_heartbeat(session, now_us);
	send_text(session, rpc_request(session->heartbeat_id, message_method(MSG_heartbeat),
						   message_write(MSG_heartbeat, &msg)));
}

void session_tick(struct session *session, int64_t now_us)
{
	if (session->over.cause)
		return;
	if (session->answer_us) {
		/* One heartbeat at a time: while an answer is awaited, only its lateness counts. */
		if (now_us < session->answer_us)
			return;
		end(session, CAUSE_KEEPALIVE_LOST, CONFIDENCE_CERTAIN, now_us);
		evidence_add(&session->over.evidence, "unanswered-for", "%lld ms",
			(long long)((now_us - session->sent_us) / 1000));
		return;
	}
	if (now_us >= session->heartbeat_us)
		send_heartbeat(session, now_us);
}

void session_set_pace(struct session *session, const struct session_params *paced)
{
	session->params.heartbeat_ms = paced->heartbeat_ms;
	session->params.heartbeat_jitter_ms = paced->heartbeat_jitter_ms;
}

int64_t session_deadline_us(const struct session *session)
{
	return session->answer_us ? session->answer_us : session->heartbeat_us;
}

int session_notify(struct session *session, enum message message, const void *record)
{
	return send_text(
		session, rpc_notification(message_method(message), message_write(message, record)));
}

int session_ask(struct session *session, enum message message, const void *record,
	session_answer *answer, void *data, uint64_t tag)
{
	for (size_t i = 0; i < ARRAY_LEN(session->questions); i++) {
		struct session_question *question = &session->questions[i];
		if (question->id)
			continue;
		*question = (struct session_question){session->next_id++, answer, data, tag};
		int rc = send_text(session,
			rpc_request(question->id, message_method(message), message_write(message, record)));
		if (rc)
			*question = (struct session_question){0};
		return rc;
	}
	return -1;
}

/* What a close code says, for the sentence of peer-closed; "" where it says nothing. */
static const char *close_words(uint16_t code)
{
	static const struct {
		uint16_t code;
		const char *words;
	} words[] = {
		{CODE_PROTOCOL_ERROR, ": it broke the WebSocket protocol"},
		{CODE_TOO_BIG, ": a message was larger than both ends allow"},
		{CODE_SERVICE_RESTART, ": the hub restarts"},
		{CODE_REPLACED, ": another session with this machine's key took its place"},
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].code == code)
			return words[i].words;
	return "";
}

/* TCP gives up on a silent path with a time-out; only an RST is a reset. */
static enum cause error_cause(int error)
{
	static const struct {
		int error;
		enum cause cause;
	} causes[] = {{ECONNRESET, CAUSE_PEER_RESET}, {ETIMEDOUT, CAUSE_KEEPALIVE_LOST},
		{EHOSTUNREACH, CAUSE_KEEPALIVE_LOST}, {ENETUNREACH, CAUSE_KEEPALIVE_LOST}};
	for (size_t i = 0; i < ARRAY_LEN(causes); i++)
		if (causes[i].error == error)
			return causes[i].cause;
	return CAUSE_PEER_CLOSED;
}

void session_closed(struct session *session, uint16_t code, int error, int64_t now_us)
{
	if (session->over.cause)
		return;
	end(session, error_cause(error), CONFIDENCE_CERTAIN, now_us);
	if (error)
		evidence_add(&session->over.evidence, "error", "%s", strerror(error));
	if (code == CODE_ABNORMAL || code == CODE_NO_STATUS || !code)
		return;
	session->by_hub = true;
	evidence_add(&session->over.evidence, "close-code", "%u", code);
	evidence_add(&session->over.evidence, "close-note", " (code %u%s)", code, close_words(code));
}

void session_free(struct session *session)
{
	finding_free(&session->over);
}
