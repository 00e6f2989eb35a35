/*
 * hello with a hub: the WebSocket upgrade, the mutual proof, and then the token or the return.
 *
 * Happy path: 101; our hello with a nonce; the hub's answer signs both nonces, both keys and its
 * end's TLS exporter value; it verifies under the key that was pinned. Only then the token or our
 * own signature goes out, and the welcome comes back. An anonymous check stops at the proof.
 *
 * Failure modes: the upgrade is refused, unanswered or cut off (hub_plain.c finds out by whom); the
 * hub is busy; the proof does not fit this TLS connection, or fits under another key; the versions
 * have none in common; the hub refuses the token or the machine; what answers talks nonsense. The
 * certificate chain decides nothing here but the dates: the proof says more.
 */
#include "dial/chain.h"
#include "dial/hello.h"

#include "os/os.h"
#include "wire/messages.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MAX_IGNORED 16 /* notifications before an answer */
#define BASE64      sodium_base64_VARIANT_URLSAFE_NO_PADDING

struct talk {
	struct walker *walker;
	struct ws *ws; /* owned; walk->ws in the end */
	struct proof_transcript transcript;

	int64_t waiting_for; /* the id of our request; 0 for none */
	struct rpc answer;   /* owned */
	bool answered;
	int ignored;
	char problem[200]; /* what the peer said wrongly, "" for nothing */
};

/* --- the conversation ------------------------------------------------------------------------- */

static void hear(void *data, const char *text, size_t len)
{
	struct talk *talk = data;
	struct rpc rpc;
	struct err err = {0};
	if (talk->answered || talk->problem[0])
		return;
	if (rpc_parse(text, len, &rpc, &err)) {
		snprintf(
			talk->problem, sizeof talk->problem, "what it says is no JSON-RPC: %.150s", err.text);
		return;
	}
	bool is_answer = rpc.kind == RPC_RESULT || rpc.kind == RPC_ERROR;
	if (is_answer && talk->waiting_for &&
		(rpc.id == talk->waiting_for || (rpc.kind == RPC_ERROR && rpc.id == -1))) {
		talk->answer = rpc;
		talk->answered = true;
		return;
	}
	if (rpc.kind != RPC_NOTIFICATION)
		snprintf(talk->problem, sizeof talk->problem, "it answers what was not asked");
	else if (++talk->ignored > MAX_IGNORED)
		snprintf(talk->problem, sizeof talk->problem, "it tells and tells, and does not answer");
	rpc_free(&rpc);
}

/* Moves the WebSocket once and then waits for the next move. */
static enum wait_result talk_wait(struct talk *talk, bool wants_write)
{
	struct conn *conn = talk->walker->walk->conn;
	const struct cancel *cancel = talk->walker->options->cancel;
	if (conn_pending(conn) && deadline_left_ms(talk->walker->deadline) != 0 &&
		!cancel_fired(cancel))
		return WAIT_READY;
	short events = (short)(conn_events(conn) | POLLIN | (wants_write ? POLLOUT : 0));
	return wait_fd(conn_fd(conn), events, talk->walker->deadline, cancel);
}

static bool still(const struct talk *talk, enum ws_state state)
{
	return state == WS_HANDSHAKE ||
		   (state == WS_OPEN && talk->waiting_for && !talk->answered && !talk->problem[0]);
}

/* Until the handshake is over, or the answer or something worse is there. */
static enum wait_result talk_until(struct talk *talk)
{
	for (;;) {
		bool wants_write;
		enum ws_state state = ws_step(talk->ws, &wants_write);
		if (!still(talk, state))
			return WAIT_READY;
		enum wait_result result = talk_wait(talk, wants_write);
		if (result != WAIT_READY)
			return result;
	}
}

static void how_it_ended(const struct talk *talk, char text[160])
{
	int error = ws_error(talk->ws);
	uint16_t code = ws_close_code(talk->ws);
	if (error && code == 1006)
		snprintf(text, 160, "the connection fails: %s", strerror(error));
	else if (code == 1006)
		snprintf(text, 160, "the connection is closed");
	else
		snprintf(text, 160, "the WebSocket ends with code %u", code);
}

static int fail_difference(struct talk *talk, const char *difference)
{
	evidence_add(talk->walker->evidence, "difference", "%s", difference);
	return hub_fail(talk->walker, CAUSE_MARKER_ABSENT, CONFIDENCE_CERTAIN);
}

/* The WebSocket has ended. A close frame of either end says that frames do get through: then the
 * peer broke the protocol (with a message too long, say), or did not want us. */
static int fail_ended(struct talk *talk)
{
	char text[160];
	how_it_ended(talk, text);
	return ws_close_code(talk->ws) == 1006 ? hub_explain(talk->walker, text, CONFIDENCE_LIKELY)
										   : fail_difference(talk, text);
}

/* --- the upgrade ------------------------------------------------------------------------------ */

static int fail_refused(struct talk *talk)
{
	struct walker *walker = talk->walker;
	int status = ws_status(talk->ws);
	const char *retry_after = ws_header(talk->ws, "retry-after");
	const char *server = ws_header(talk->ws, "server");
	bool hub_speaks = ws_header(talk->ws, "sallyport") != NULL;
	char difference[160];
	if (status > 0)
		evidence_add(walker->evidence, "status", "%d", status);
	if (server)
		evidence_add(walker->evidence, "server", "%s", server);
	if (status == 503 && retry_after &&
		(hub_speaks || walker->chain.cause != CAUSE_TLS_INTERCEPTED))
		return hub_fail_busy(
			walker, retry_after, hub_speaks ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	if (status < 0)
		snprintf(difference, sizeof difference, "the answer to the upgrade is no HTTP: %.80s",
			ws_body(talk->ws));
	else
		snprintf(difference, sizeof difference, "the upgrade is answered with HTTP %d%s", status,
			status == 101 ? ", and not as RFC 6455 asks" : "");
	return hub_explain(walker, difference, status > 0 ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
}

static int talk_open(struct talk *talk)
{
	enum wait_result result = talk_until(talk);
	if (result == WAIT_CANCELLED)
		return walker_wait_failed(talk->walker, result, CAUSE_NONE);
	if (ws_state(talk->ws) == WS_REFUSED || (result != WAIT_READY && ws_status(talk->ws) > 0))
		return fail_refused(talk);
	if (result != WAIT_READY)
		return hub_explain(talk->walker, "the upgrade is not answered", CONFIDENCE_LIKELY);
	if (ws_state(talk->ws) == WS_CLOSED)
		return fail_ended(talk);
	evidence_add(talk->walker->evidence, "status", "101");
	return 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

static void add_versions(struct evidence *evidence, const char *name, int64_t least, int64_t most)
{
	if (least == most)
		evidence_add(evidence, name, "%lld", (long long)least);
	else
		evidence_add(evidence, name, "%lld to %lld", (long long)least, (long long)most);
}

/* From {"versions":{"min":1,"max":3}} or {"min":1,"max":3}. */
static void add_hub_versions(struct evidence *evidence, const json_t *data)
{
	const json_t *versions = json_object_get(data, "versions");
	versions = json_is_object(versions) ? versions : data;
	int64_t least = json_get_int(versions, "min", 0), most = json_get_int(versions, "max", 0);
	if (least)
		add_versions(evidence, "hub-versions", least, most);
	else
		evidence_add(evidence, "hub-versions", "another");
}

static int fail_version(struct talk *talk)
{
	add_versions(
		talk->walker->evidence, "agent-versions", PROTOCOL_VERSION_MIN, PROTOCOL_VERSION_MAX);
	return walker_fail(talk->walker, CAUSE_VERSION_UNSUPPORTED, CONFIDENCE_CERTAIN);
}

/* Whom the hub takes for this machine: {"name":"web1","inside":"10.0.0.9","address":"203.0.113.7"}.
 */
static void add_other(struct evidence *evidence, const json_t *data)
{
	const char *name = json_get_text(data, "name"), *inside = json_get_text(data, "inside");
	const char *address = json_get_text(data, "address");
	if (!address)
		return;
	name = name && *name ? name : "a machine";
	if (inside && *inside && strcmp(inside, address) != 0)
		evidence_add(evidence, "other", "%.100s (%.60s, seen from %.60s)", name, inside, address);
	else
		evidence_add(evidence, "other", "%.100s (%.60s)", name, address);
}

/* The hub said no. */
static int fail_answer(struct talk *talk)
{
	struct walker *walker = talk->walker;
	const struct rpc *answer = &talk->answer;
	enum cause cause = refusal_cause(answer->refusal);
	const char *expired_at = json_get_text(answer->body, "expired_at");
	const char *words = answer->message ? answer->message : refusal_text(answer->refusal);
	char text[32];
	evidence_add(walker->evidence, "answer", "%s", words);
	if (cause == CAUSE_AGENT_DUPLICATE)
		add_other(walker->evidence, answer->body);
	if (expired_at)
		evidence_add(walker->evidence, "expired-at", "%s", expired_at);
	if (cause == CAUSE_VERSION_UNSUPPORTED) {
		add_hub_versions(walker->evidence, answer->body);
		return fail_version(talk);
	}
	if (cause == CAUSE_HUB_BUSY || answer->refusal == REFUSAL_INTERNAL) {
		int64_t ms = json_get_int(answer->body, "retry_after_ms", 0);
		snprintf(text, sizeof text, "%lld", (long long)(ms > 0 ? ms + 999 : 0) / 1000);
		return hub_fail_busy(
			walker, ms > 0 ? text : NULL, cause ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	}
	if (cause == CAUSE_NONE)
		return fail_difference(talk, words);
	return hub_fail(walker, cause, CONFIDENCE_CERTAIN);
}

/* Sends one request and waits for its result, which is then in talk->answer. Takes `params`. */
static int ask(struct talk *talk, int64_t id, const char *method, json_t *params)
{
	struct walker *walker = talk->walker;
	cleanup(free_ptr) char *request = rpc_request(id, method, params);
	rpc_free(&talk->answer);
	talk->answered = false;
	talk->waiting_for = id;
	ws_send(talk->ws, request, strlen(request));
	sodium_memzero(request, strlen(request)); /* enrol carries the token's secret */
	enum wait_result result = talk_until(talk);
	talk->waiting_for = 0;
	if (talk->answered)
		return talk->answer.kind == RPC_ERROR ? fail_answer(talk) : 0;
	if (result == WAIT_CANCELLED)
		return walker_wait_failed(walker, result, CAUSE_NONE);
	if (talk->problem[0])
		return fail_difference(talk, talk->problem);
	if (result != WAIT_READY)
		return hub_explain(
			walker, "the upgrade passes, but no message comes back", CONFIDENCE_LIKELY);
	return fail_ended(talk);
}

/* --- hello ------------------------------------------------------------------------------------ */

static json_t *hello_params(struct talk *talk)
{
	const struct identity *identity = talk->walker->target->hub.identity;
	struct msg_hello hello = {
		.version_min = PROTOCOL_VERSION_MIN,
		.version_max = PROTOCOL_VERSION_MAX,
		.agent_version = (char *)SALLYPORT_VERSION,
	};
	proof_nonce(talk->transcript.agent_nonce);
	memcpy(hello.nonce, talk->transcript.agent_nonce, sizeof hello.nonce);
	if (identity) {
		memcpy(hello.key, identity->public_key, sizeof hello.key);
		memcpy(talk->transcript.agent_key, identity->public_key, IDENTITY_KEY_BYTES);
	}
	return message_write(MSG_hello, &hello);
}

static int check_hello(struct talk *talk, const struct msg_hello_result *result)
{
	struct walker *walker = talk->walker;
	struct proof_transcript *transcript = &talk->transcript;
	time_t hub_now;
	if (result->version < PROTOCOL_VERSION_MIN || result->version > PROTOCOL_VERSION_MAX) {
		evidence_add(walker->evidence, "hub-versions", "%lld", (long long)result->version);
		return fail_version(talk);
	}
	memcpy(transcript->hub_nonce, result->nonce, sizeof transcript->hub_nonce);
	memcpy(transcript->hub_key, result->key, sizeof transcript->hub_key);
	if (conn_channel_binding(walker->walk->conn, transcript->binding)) {
		evidence_add(walker->evidence, "proof", "this TLS connection has no exporter value");
		return hub_fail(walker, CAUSE_TLS_INTERCEPTED, CONFIDENCE_LIKELY);
	}
	if (hub_check_proof(walker, transcript, result->proof))
		return -1;
	bool told = !clock_parse_rfc3339(result->time, &hub_now);
	if (told) {
		clock_note(walker->evidence, hub_now);
		walker->walk->hub_clock_told = true;
		walker->walk->hub_clock = hub_now;
	}
	if (walker->chain.date_cause)
		return chain_fail_dates(walker, told ? &hub_now : NULL);
	walker->walk->private_ca = xstrdup(result->private_ca);
	return 0;
}

static int talk_prove(struct talk *talk)
{
	struct msg_hello_result result = {0};
	struct err err = {0};
	if (ask(talk, 1, message_method(MSG_hello), hello_params(talk)))
		return -1;
	if (message_read(MSG_hello_result, talk->answer.body, &result, &err))
		return fail_difference(talk, err.text);
	int rc = check_hello(talk, &result);
	message_free(MSG_hello_result, &result);
	return rc;
}

/* --- enrol and resume ------------------------------------------------------------------------- */

static int ask_enrol(struct talk *talk)
{
	const struct dial_hub *hub = &talk->walker->target->hub;
	struct msg_enrol enrol = {.inventory = hub->inventory ? hub->inventory : json_object()};
	proof_sign(hub->identity, PROOF_OF_AGENT, &talk->transcript, enrol.proof);
	memcpy(enrol.token_secret, hub->token->secret, sizeof enrol.token_secret);
	json_t *params = message_write(MSG_enrol, &enrol);
	sodium_memzero(enrol.token_secret, sizeof enrol.token_secret);
	if (!hub->inventory)
		json_decref(enrol.inventory);
	return ask(talk, 2, message_method(MSG_enrol), params);
}

static int ask_resume(struct talk *talk)
{
	const struct dial_hub *hub = &talk->walker->target->hub;
	struct msg_resume resume = {.check_only = hub->check_only};
	struct os_host host = {.machine_id = ""};
	struct err err;
	resume.inventory = hub->check_only ? NULL : hub->inventory;
	resume.linger_ms = hub->check_only ? hub->linger_ms : 0;
	if (os_host_read(&host, &err) == 0)
		identity_machine(host.machine_id, resume.machine);
	if (hub->instance)
		memcpy(resume.instance, hub->instance, sizeof resume.instance);
	proof_sign(hub->identity, PROOF_OF_AGENT, &talk->transcript, resume.proof);
	return ask(talk, 2, message_method(MSG_resume), message_write(MSG_resume, &resume));
}

static void keep_welcome(struct talk *talk)
{
	struct walk *walk = talk->walker->walk;
	char key[sodium_base64_ENCODED_LEN(IDENTITY_KEY_BYTES, BASE64)];
	sodium_bin2base64(key, sizeof key, walk->hub_key, IDENTITY_KEY_BYTES, BASE64);
	walk->welcome = json_deep_copy(talk->answer.body);
	json_object_set_new(walk->welcome, "hub_key", json_string(key));
	if (walk->private_ca)
		json_object_set_new(walk->welcome, "private_ca", json_string(walk->private_ca));
}

static int talk_enter(struct talk *talk)
{
	const struct dial_hub *hub = &talk->walker->target->hub;
	struct msg_welcome welcome = {0};
	struct err err = {0};
	if (!hub->identity || (hub->token && hub->check_only))
		return 0;
	if (hub->token ? ask_enrol(talk) : ask_resume(talk))
		return -1;
	if (hub->check_only)
		return 0;
	if (message_read(MSG_welcome, talk->answer.body, &welcome, &err))
		return fail_difference(talk, err.text);
	message_free(MSG_welcome, &welcome);
	keep_welcome(talk);
	return 0;
}

/* --- the stage -------------------------------------------------------------------------------- */

/* WS_AGAIN is CONN_AGAIN by another name. */
static ssize_t io_read(void *data, void *bytes, size_t len)
{
	return conn_read(data, bytes, len);
}

static ssize_t io_write(void *data, const void *bytes, size_t len)
{
	return conn_write(data, bytes, len);
}

int hub_run(struct walker *walker)
{
	const struct dial_hub *hub = &walker->target->hub;
	struct walk *walk = walker->walk;
	struct talk talk = {.walker = walker, .answer = {.id = -1}};
	struct ws_io io = {io_read, io_write, walk->conn};
	char host[TOKEN_MAX_HOST + 8];
	if (hub->plain_proof)
		return hub_plain_run(walker);
	talk.ws = ws_client_start(
		&io, exchange_host(walker->target, host), PROTOCOL_SESSION_PATH, hear, &talk);
	int rc = talk_open(&talk) || talk_prove(&talk) || talk_enter(&talk) ? -1 : 0;
	rpc_free(&talk.answer);
	ws_set_receiver(talk.ws, NULL, NULL);
	if (rc == 0 && (walk->welcome || hub->linger_ms)) {
		walk->ws = talk.ws;
		return 0;
	}
	bool wants_write;
	if (ws_close(talk.ws, 1000) == 0)
		ws_step(talk.ws, &wants_write); /* a goodbye as far as it goes without waiting */
	ws_free(talk.ws);
	return rc;
}
