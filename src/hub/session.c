/*
 * Happy path: hello -> the hub's proof -> enrol or resume -> welcome -> heartbeats, notes -> leave
 * or the end of the connection. Whatever does not fit the state, the table of methods or the bounds
 * is refused with the reason, and the connection closed: a peer gets one mistake.
 */
#include "hub/session.h"

#include "base/clock.h"
#include "hub/log.h"
#include "wire/messages.h"
#include "wire/token.h"
#include "wire/ws.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MAX_EARLY     (96 * 1024) /* bytes of a message before the machine has proved itself */
#define MAX_INVENTORY (64 * 1024) /* bytes of JSON text */
#define MAX_PATH      (64 * 1024)
#define RATE_BURST    64 /* messages at once */
#define RATE_PER_S    8  /* and then so many a second */

#define CLOSE_NORMAL   1000
#define CLOSE_RESTART  1012
#define CLOSE_POLICY   1008
#define CLOSE_NO_SENSE 1002

enum state {
	STATE_HELLO, /* waits for hello */
	STATE_PROOF, /* the hub has proved itself; waits for the machine's proof */
	STATE_OPEN,
	STATE_OVER, /* answered for the last time; the connection is about to close */
	STATE_COUNT,
};

struct session {
	const struct session_context *context;
	const struct session_link *link;
	void *link_data;
	struct member *member;               /* while open */
	struct proof_transcript *transcript; /* owned, between hello and proof */
	int64_t opened_ms, rate_ms;
	int rate_left;
	enum state state;
	char id[IDENTITY_ID_SIZE]; /* of the server, once open */
	char peer[46];
};

static int64_t now_ms(void)
{
	return clock_mono_us() / 1000;
}

static void forget_transcript(struct session *session)
{
	if (session->transcript)
		sodium_memzero(session->transcript, sizeof *session->transcript);
	free(session->transcript);
	session->transcript = NULL;
}

static void send_text(struct session *session, char *text)
{
	metric_add(session->context->metrics, METRIC_MESSAGES_OUT, 1);
	session->link->send(session->link_data, text);
}

static void send_result(struct session *session, int64_t id, enum message message, void *record)
{
	send_text(session, rpc_result(id, message_write(message, record)));
}

static void close_session(struct session *session, uint16_t code, const char *why)
{
	session->state = STATE_OVER;
	session->link->close(session->link_data, code, why);
}

/* Takes the data. */
static void refuse(struct session *session, int64_t id, enum refusal refusal, json_t *data)
{
	metric_add(session->context->metrics, METRIC_REFUSALS, 1);
	log_line(LOG_NOTE, "refused %s: %s", session->peer, refusal_text(refusal));
	send_text(session, rpc_error(id, refusal, data));
	close_session(session, CLOSE_POLICY, "refused");
}

/* --- hello --------------------------------------------------------------------------------- */

static void answer_hello(struct session *session, int64_t id)
{
	const struct session_context *context = session->context;
	char time_text[CLOCK_TEXT_SIZE];
	struct msg_hello_result result = {.version = PROTOCOL_VERSION_MAX};
	clock_rfc3339(time(NULL), time_text);
	memcpy(result.nonce, session->transcript->hub_nonce, sizeof result.nonce);
	memcpy(result.key, context->identity->public_key, sizeof result.key);
	proof_sign(context->identity, PROOF_OF_HUB, session->transcript, result.proof);
	result.time = time_text;
	result.private_ca = (char *)context->private_ca; /* only read */
	send_result(session, id, MSG_hello_result, &result);
}

static void on_hello(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_hello *hello = record;
	struct proof_transcript *transcript;
	if (hello->version_min > PROTOCOL_VERSION_MAX || hello->version_max < PROTOCOL_VERSION_MIN) {
		refuse(session, rpc->id, REFUSAL_VERSION_UNSUPPORTED,
			json_pack("{s:i,s:i}", "min", PROTOCOL_VERSION_MIN, "max", PROTOCOL_VERSION_MAX));
		return;
	}
	session->transcript = transcript = xcalloc(1, sizeof *transcript);
	if (session->link->binding(session->link_data, transcript->binding)) {
		refuse(session, rpc->id, REFUSAL_PROOF_REJECTED, NULL);
		return;
	}
	memcpy(transcript->agent_nonce, hello->nonce, sizeof transcript->agent_nonce);
	memcpy(transcript->agent_key, hello->key, sizeof transcript->agent_key);
	memcpy(transcript->hub_key, session->context->identity->public_key, sizeof transcript->hub_key);
	proof_nonce(transcript->hub_nonce);
	session->state = STATE_PROOF;
	answer_hello(session, rpc->id);
}

/* --- the machine's proof ------------------------------------------------------------------- */

static bool proof_fits(
	struct session *session, const struct rpc *rpc, const unsigned char *signature)
{
	if (!sodium_is_zero(session->transcript->agent_key, IDENTITY_KEY_BYTES) &&
		proof_verify(PROOF_OF_AGENT, session->transcript, signature))
		return true;
	metric_add(session->context->metrics, METRIC_PROOFS_REJECTED, 1);
	refuse(session, rpc->id, REFUSAL_PROOF_REJECTED, NULL);
	return false;
}

/* The text of an inventory within its bound, or NULL. */
static char *inventory_text(const json_t *inventory)
{
	char *text = json_is_object(inventory) ? json_text(inventory) : NULL;
	if (text && strlen(text) > MAX_INVENTORY) {
		free(text);
		return NULL;
	}
	return text;
}

static void send_welcome(struct session *session, int64_t id, char server_id[IDENTITY_ID_SIZE])
{
	const struct session_timing *timing = &session->context->timing;
	struct msg_welcome welcome = {
		.server_id = server_id,
		.heartbeat_ms = timing->heartbeat_ms,
		.heartbeat_jitter_ms = timing->heartbeat_jitter_ms,
		.heartbeat_timeout_ms = timing->heartbeat_timeout_ms,
		.backoff_base_ms = timing->backoff_base_ms,
		.backoff_cap_ms = timing->backoff_cap_ms,
		.stable_ms = timing->stable_ms,
	};
	send_result(session, id, MSG_welcome, &welcome);
}

static void open_session(struct session *session, int64_t rpc_id)
{
	const struct session_context *context = session->context;
	struct session *replaced = NULL;
	identity_id(session->transcript->agent_key, session->id);
	forget_transcript(session);
	session->state = STATE_OPEN;
	session->opened_ms = now_ms();
	session->member = roster_join(
		context->roster, session->id, session, time(NULL), session->opened_ms, &replaced);
	if (replaced) {
		replaced->member = NULL;
		log_line(LOG_NOTE, "server %s connected again from %s; its older session ends", session->id,
			session->peer);
		close_session(replaced, CLOSE_NORMAL, "replaced by a newer session");
	}
	metric_add(context->metrics, METRIC_SESSIONS, 1);
	session->link->proven(session->link_data);
	send_welcome(session, rpc_id, session->id);
}

static const enum refusal refusal_of_enrolment[] = {
	[ENROL_OK] = REFUSAL_NONE,
	[ENROL_TOKEN_UNKNOWN] = REFUSAL_TOKEN_UNKNOWN,
	[ENROL_TOKEN_EXPIRED] = REFUSAL_TOKEN_EXPIRED,
	[ENROL_TOKEN_USED_UP] = REFUSAL_TOKEN_USED_UP,
	[ENROL_KEY_REVOKED] = REFUSAL_AGENT_REVOKED,
};

static json_t *enrol_refusal_data(enum enrol_result result, const struct store_enrolment *enrolment)
{
	char text[CLOCK_TEXT_SIZE];
	if (result != ENROL_TOKEN_EXPIRED)
		return NULL;
	return json_pack("{s:s}", "expired_at", clock_rfc3339(enrolment->token_expires, text));
}

static void refuse_for_store(struct session *session, int64_t rpc_id, const struct err *err)
{
	metric_add(session->context->metrics, METRIC_STORE_FAILURES, 1);
	log_line(LOG_ERROR, "%s", err->text);
	refuse(session, rpc_id, REFUSAL_INTERNAL, NULL);
}

static void on_enrol(struct session *session, const struct rpc *rpc, void *record)
{
	struct msg_enrol *enrol = record;
	const struct session_context *context = session->context;
	if (!proof_fits(session, rpc, enrol->proof))
		return;
	cleanup(free_ptr) char *inventory = inventory_text(enrol->inventory);
	if (!inventory) {
		refuse(session, rpc->id, REFUSAL_BAD_MESSAGE, NULL);
		return;
	}
	struct store_enrolment enrolment = {.inventory = inventory, .now = time(NULL)};
	enum enrol_result result = ENROL_TOKEN_UNKNOWN;
	struct err err = {0};
	token_secret_hash(enrol->token_secret, enrolment.secret_hash);
	sodium_memzero(enrol->token_secret, sizeof enrol->token_secret);
	memcpy(enrolment.key, session->transcript->agent_key, sizeof enrolment.key);
	if (context->store->driver->servers.enrol(context->store, &enrolment, &result, &err)) {
		refuse_for_store(session, rpc->id, &err);
	} else if (result != ENROL_OK) {
		refuse(
			session, rpc->id, refusal_of_enrolment[result], enrol_refusal_data(result, &enrolment));
	} else {
		metric_add(context->metrics, METRIC_ENROLMENTS, 1);
		open_session(session, rpc->id);
		log_line(LOG_NOTE, "server %s joined from %s", session->id, session->peer);
	}
}

static void on_resume(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_resume *resume = record;
	const struct session_context *context = session->context;
	enum server_standing standing = SERVER_UNKNOWN;
	struct err err = {0};
	if (!proof_fits(session, rpc, resume->proof))
		return;
	if (context->store->driver->servers.standing(
			context->store, session->transcript->agent_key, &standing, &err)) {
		refuse_for_store(session, rpc->id, &err);
	} else if (standing != SERVER_KNOWN) {
		refuse(session, rpc->id,
			standing == SERVER_REVOKED ? REFUSAL_AGENT_REVOKED : REFUSAL_AGENT_UNKNOWN, NULL);
	} else if (resume->check_only) {
		char id[IDENTITY_ID_SIZE];
		identity_id(session->transcript->agent_key, id);
		send_welcome(session, rpc->id, id);
		close_session(session, CLOSE_NORMAL, "checked");
	} else {
		open_session(session, rpc->id);
		log_line(LOG_DETAIL, "server %s is online from %s", session->id, session->peer);
		char *inventory = inventory_text(resume->inventory);
		if (inventory)
			roster_note(context->roster, session->member, ROSTER_INVENTORY, inventory);
	}
}

/* --- while it is open ---------------------------------------------------------------------- */

static void on_heartbeat(struct session *session, const struct rpc *rpc, void *record)
{
	(void)record;
	send_text(session, rpc_result(rpc->id, json_object()));
}

static void on_inventory(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_inventory *message = record;
	char *text = inventory_text(message->inventory);
	if (text)
		roster_note(session->context->roster, session->member, ROSTER_INVENTORY, text);
	else
		refuse(session, rpc->id, REFUSAL_BAD_MESSAGE, NULL);
}

static void on_path(struct session *session, const struct rpc *rpc, void *record)
{
	char *text = json_text(rpc->body);
	(void)record;
	if (strlen(text) <= MAX_PATH) {
		roster_note(session->context->roster, session->member, ROSTER_PATH, text);
		return;
	}
	free(text);
	refuse(session, rpc->id, REFUSAL_BAD_MESSAGE, NULL);
}

static void on_check(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_check *message = record;
	(void)rpc;
	roster_note(
		session->context->roster, session->member, ROSTER_CHECK, json_text(message->report));
}

static void on_leave(struct session *session, const struct rpc *rpc, void *record)
{
	const struct session_context *context = session->context;
	struct err err = {0};
	(void)record;
	enum store_status status = context->store->driver->servers.remove(
		context->store, session->id, false, time(NULL), &err);
	if (status != STORE_OK && status != STORE_NOT_FOUND) {
		refuse_for_store(session, rpc->id, &err);
		return;
	}
	log_line(LOG_NOTE, "server %s left", session->id);
	session->member = NULL;
	roster_forget(context->roster, session->id);
	send_text(session, rpc_result(rpc->id, json_object()));
	close_session(session, CLOSE_NORMAL, "left");
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
	{MSG_hello, STATE_HELLO, RPC_REQUEST, sizeof(struct msg_hello), on_hello},
	{MSG_enrol, STATE_PROOF, RPC_REQUEST, sizeof(struct msg_enrol), on_enrol},
	{MSG_resume, STATE_PROOF, RPC_REQUEST, sizeof(struct msg_resume), on_resume},
	{MSG_heartbeat, STATE_OPEN, RPC_REQUEST, sizeof(struct msg_heartbeat), on_heartbeat},
	{MSG_inventory, STATE_OPEN, RPC_NOTIFICATION, sizeof(struct msg_inventory), on_inventory},
	{MSG_path, STATE_OPEN, RPC_NOTIFICATION, sizeof(struct msg_path), on_path},
	{MSG_check, STATE_OPEN, RPC_NOTIFICATION, sizeof(struct msg_check), on_check},
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

/* A bucket that fills with RATE_PER_S a second. */
static bool within_rate(struct session *session)
{
	int64_t now = now_ms();
	int64_t gained = (now - session->rate_ms) * RATE_PER_S / 1000;
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
		refuse(session, rpc->id, REFUSAL_BAD_MESSAGE, NULL);
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
		close_session(session, CLOSE_POLICY, "too many messages");
		return;
	}
	/* The parser's words would quote the message, which may hold a secret. */
	if (rpc_parse(text, len, &rpc, NULL)) {
		refuse(session, -1, REFUSAL_BAD_MESSAGE, NULL);
		return;
	}
	if (session->member)
		roster_heard(session->context->roster, session->member, time(NULL), now_ms());
	dispatch(session, &rpc);
	rpc_free(&rpc);
}

/* --- beginning and end --------------------------------------------------------------------- */

struct session *session_open(const struct session_context *context, const struct session_link *link,
	void *link_data, const char *peer)
{
	struct session *session = xcalloc(1, sizeof *session);
	session->context = context;
	session->link = link;
	session->link_data = link_data;
	session->rate_left = RATE_BURST;
	session->rate_ms = now_ms();
	snprintf(session->peer, sizeof session->peer, "%s", peer);
	return session;
}

size_t session_max_message(const struct session *session)
{
	return session->state == STATE_OPEN ? WS_MAX_MESSAGE : MAX_EARLY;
}

void session_send_restarting(struct session *session, int64_t delay_ms)
{
	struct msg_restarting message = {.delay_ms = delay_ms};
	send_text(session,
		rpc_notification(message_method(MSG_restarting), message_write(MSG_restarting, &message)));
	close_session(session, CLOSE_RESTART, "restarting");
}

void session_send_revoked(struct session *session)
{
	session->member = NULL;
	roster_forget(session->context->roster, session->id);
	send_text(session, rpc_notification(message_method(MSG_revoked), json_object()));
	close_session(session, CLOSE_POLICY, "removed");
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
	close_session(session, 0, "silent");
}

void session_ended(struct session *session, enum cause cause, const char *reason)
{
	if (session->member) {
		roster_leave(session->context->roster, session->member, session, cause, reason, time(NULL));
		log_line(LOG_DETAIL, "server %s is offline: %s", session->id, cause_info(cause)->id);
	}
	forget_transcript(session);
	free(session);
}

int64_t session_silence_ms(const struct session_timing *timing)
{
	return timing->heartbeat_ms + timing->heartbeat_jitter_ms + timing->heartbeat_timeout_ms;
}
