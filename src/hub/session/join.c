/*
 * A machine comes in: hello, the hub's proof, the machine's proof with a token or without, welcome.
 */
#include "base/clock.h"
#include "hub/audit.h"
#include "hub/installs/installs.h"
#include "hub/jobs/jobs.h"
#include "hub/log.h"
#include "hub/session/parts.h"
#include "wire/endpoints.h"
#include "wire/token.h"

#include <sodium.h>
#include <string.h>

#define MAX_INVENTORY 65536 /* bytes of JSON text */

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
	session_send_result(session, id, MSG_hello_result, &result);
}

void session_on_hello(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_hello *hello = record;
	struct proof_transcript *transcript;
	if (hello->version_min > PROTOCOL_VERSION_MAX || hello->version_max < PROTOCOL_VERSION_MIN) {
		session_refuse(session, rpc->id, REFUSAL_VERSION_UNSUPPORTED,
			json_pack("{s:i,s:i}", "min", PROTOCOL_VERSION_MIN, "max", PROTOCOL_VERSION_MAX));
		return;
	}
	session->transcript = transcript = xcalloc(1, sizeof *transcript);
	if (session->link->binding(session->link_data, transcript->binding)) {
		session_refuse(session, rpc->id, REFUSAL_PROOF_REJECTED, NULL);
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
	session_refuse(session, rpc->id, REFUSAL_PROOF_REJECTED, NULL);
	return false;
}

/* The text of an inventory within its bound, or NULL. */
char *session_inventory_text(const json_t *inventory)
{
	char *text = json_is_object(inventory) ? json_text(inventory) : NULL;
	if (text && strlen(text) > MAX_INVENTORY) {
		free(text);
		return NULL;
	}
	return text;
}

static void send_welcome(struct session *session, int64_t id, const char *server_id)
{
	const struct session_timing *timing = &session->context->timing;
	struct msg_welcome welcome = {
		.server_id = (char *)server_id, /* only read */
		.heartbeat_ms = timing->heartbeat_ms,
		.heartbeat_jitter_ms = timing->heartbeat_jitter_ms,
		.heartbeat_timeout_ms = timing->heartbeat_timeout_ms,
		.backoff_base_ms = timing->backoff_base_ms,
		.backoff_cap_ms = timing->backoff_cap_ms,
		.stable_ms = timing->stable_ms,
		.endpoints =
			session->context->endpoints ? endpoints_write(session->context->endpoints) : NULL,
	};
	session_send_result(session, id, MSG_welcome, &welcome);
	json_decref(welcome.endpoints);
}

static void open_session(struct session *session, int64_t rpc_id)
{
	const struct session_context *context = session->context;
	struct session *replaced = NULL;
	identity_id(session->transcript->agent_key, session->id);
	session_forget_transcript(session);
	session->state = STATE_OPEN;
	session->opened_ms = session_now_ms();
	session->member = roster_join(
		context->roster, session->id, session, time(NULL), session->opened_ms, &replaced);
	if (replaced) {
		session_takes_over(session, replaced);
		replaced->member = NULL;
		log_line(LOG_NOTE, "server %s connected again from %s; its older session ends", session->id,
			session->peer);
		session_close(replaced, CLOSE_REPLACED, "replaced by a newer session");
	}
	checks_session_opened(context->checks, session->id);
	jobs_session_opened(context->jobs, session->id, session->number);
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

void session_refuse_for_store(struct session *session, int64_t rpc_id, const struct err *err)
{
	metric_add(session->context->metrics, METRIC_STORE_FAILURES, 1);
	log_line(LOG_ERROR, "%s", err->text);
	session_refuse(session, rpc_id, REFUSAL_INTERNAL, NULL);
}

void session_on_enrol(struct session *session, const struct rpc *rpc, void *record)
{
	struct msg_enrol *enrol = record;
	const struct session_context *context = session->context;
	if (!proof_fits(session, rpc, enrol->proof))
		return;
	cleanup(free_ptr) char *inventory = session_inventory_text(enrol->inventory);
	if (!inventory) {
		session_refuse(session, rpc->id, REFUSAL_BAD_MESSAGE, NULL);
		return;
	}
	struct store_enrolment enrolment = {.inventory = inventory, .now = time(NULL)};
	enum enrol_result result = ENROL_TOKEN_UNKNOWN;
	struct err err = {0};
	token_secret_hash(enrol->token_secret, enrolment.secret_hash);
	sodium_memzero(enrol->token_secret, sizeof enrol->token_secret);
	memcpy(enrolment.key, session->transcript->agent_key, sizeof enrolment.key);
	char id[IDENTITY_ID_SIZE];
	identity_id(enrolment.key, id);
	struct store_audit note = {
		.at = enrolment.now,
		.actor = id,
		.actor_kind = (char *)actor_kind_name(ACTOR_MACHINE),
		.action = (char *)audit_name(AUDIT_SERVER_JOIN),
		.target = id,
		.peer = (char *)session->peer,
	};
	enrolment.note = &note;
	if (context->store->driver->servers.enrol(context->store, &enrolment, &result, &err)) {
		session_refuse_for_store(session, rpc->id, &err);
	} else if (result != ENROL_OK) {
		session_refuse(
			session, rpc->id, refusal_of_enrolment[result], enrol_refusal_data(result, &enrolment));
	} else {
		metric_add(context->metrics, METRIC_ENROLMENTS, 1);
		memcpy(session->id, id, sizeof session->id);
		if (enrolment.target && context->installs)
			installs_enrolled(context->installs, enrolment.target, id, enrolment.now);
		open_session(session, rpc->id);
		log_line(LOG_NOTE, "server %s joined from %s", session->id, session->peer);
	}
}

void session_enter(struct session *session, struct session_entry *entry)
{
	if (entry->check_only) {
		send_welcome(session, entry->rpc_id, session->id);
		session_linger(session, entry->linger_ms);
		free(entry->inventory);
		return;
	}
	open_session(session, entry->rpc_id);
	log_line(LOG_DETAIL, "server %s is online from %s", session->id, session->peer);
	if (entry->inventory)
		roster_note(session->context->roster, session->member, ROSTER_INVENTORY, entry->inventory);
}

static void come_back(struct session *session, int64_t rpc_id, const struct msg_resume *resume)
{
	struct session_entry entry = {
		.rpc_id = rpc_id,
		.inventory = resume->check_only ? NULL : session_inventory_text(resume->inventory),
		.check_only = resume->check_only,
		.linger_ms = resume->linger_ms,
	};
	identity_id(session->transcript->agent_key, session->id);
	memcpy(session->machine, resume->machine, sizeof session->machine);
	memcpy(session->instance, resume->instance, sizeof session->instance);
	if (!session_claims(session, &entry))
		session_enter(session, &entry);
}

void session_on_resume(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_resume *resume = record;
	const struct session_context *context = session->context;
	enum server_standing standing = SERVER_UNKNOWN;
	struct err err = {0};
	if (!proof_fits(session, rpc, resume->proof))
		return;
	if (context->store->driver->servers.standing(
			context->store, session->transcript->agent_key, &standing, &err)) {
		session_refuse_for_store(session, rpc->id, &err);
	} else if (standing != SERVER_KNOWN) {
		session_refuse(session, rpc->id,
			standing == SERVER_REVOKED ? REFUSAL_AGENT_REVOKED : REFUSAL_AGENT_UNKNOWN, NULL);
	} else {
		come_back(session, rpc->id, resume);
	}
}
