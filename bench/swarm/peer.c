/*
 * Happy path: line, upgrade, hello, the hub's proof, enrol or (from the second time on) resume,
 * welcome; then jobs.held, the path, heartbeats, and whatever runs come.
 *
 * Failure modes: the line dies, a stage takes longer than an agent waits, the hub refuses or asks
 * for patience (503), its proof does not verify, the session ends. Each ends the attempt;
 * attempt_ended() decides what follows.
 */
#include "swarm/peer.h"

#include "base/clock.h"
#include "swarm/machine.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define ID_HELLO 1
#define ID_ENTRY 2
#define STAGE_MS 10000 /* as DIAL_STAGE_MS: an agent's patience with one stage */

static void fail(struct peer *peer, const char *what, const char *why)
{
	if (!peer->over)
		snprintf(peer->problem, sizeof peer->problem, "%s: %s", what, why ? why : "");
	peer->over = true;
}

static void enter(struct peer *peer, enum peer_state state)
{
	peer->state = state;
	peer->due_us = clock_mono_us() + STAGE_MS * INT64_C(1000);
}

/* --- frames ---------------------------------------------------------------------------------- */

static ssize_t tls_read(void *data, void *bytes, size_t len)
{
	struct peer *peer = data;
	return line_read(&peer->line, bytes, len);
}

static ssize_t tls_write(void *data, const void *bytes, size_t len)
{
	struct peer *peer = data;
	return line_write(&peer->line, bytes, len);
}

static int send_frame(void *data, const char *text, size_t len)
{
	struct peer *peer = data;
	peer->session.moved_us = clock_mono_us();
	return ws_send(peer->ws, text, len);
}

static void send_text(struct peer *peer, char *text)
{
	if (ws_send(peer->ws, text, strlen(text)))
		fail(peer, "send", "the connection is closed");
	free(text);
}

/* --- coming in ------------------------------------------------------------------------------- */

static void send_hello(struct peer *peer)
{
	struct msg_hello hello = {.version_min = PROTOCOL_VERSION_MIN,
		.version_max = PROTOCOL_VERSION_MAX,
		.agent_version = (char *)SALLYPORT_VERSION};
	proof_nonce(peer->nonce);
	memcpy(hello.nonce, peer->nonce, sizeof hello.nonce);
	memcpy(hello.key, peer->identity.public_key, sizeof hello.key);
	send_text(peer, rpc_request(ID_HELLO, "hello", message_write(MSG_hello, &hello)));
}

static const struct join_token *token_of(const struct peer *peer)
{
	const struct peer_goal *goal = peer->goal;
	return &goal->tokens[(size_t)peer->number * goal->token_count / (size_t)goal->peers];
}

static void send_enrol(struct peer *peer, const unsigned char proof[IDENTITY_SIGNATURE_BYTES])
{
	struct msg_enrol enrol = {.inventory = machine_inventory(peer->number)};
	memcpy(enrol.token_secret, token_of(peer)->secret, sizeof enrol.token_secret);
	memcpy(enrol.proof, proof, sizeof enrol.proof);
	send_text(peer, rpc_request(ID_ENTRY, "enrol", message_write(MSG_enrol, &enrol)));
	message_free(MSG_enrol, &enrol);
}

static void send_resume(struct peer *peer, const unsigned char proof[IDENTITY_SIGNATURE_BYTES])
{
	struct msg_resume resume = {.inventory = machine_inventory(peer->number)};
	char name[MACHINE_NAME_SIZE];
	identity_machine(machine_name(peer->number, name), resume.machine);
	memcpy(resume.instance, peer->instance, sizeof resume.instance);
	memcpy(resume.proof, proof, sizeof resume.proof);
	send_text(peer, rpc_request(ID_ENTRY, "resume", message_write(MSG_resume, &resume)));
	message_free(MSG_resume, &resume);
}

static void prove(struct peer *peer, const struct msg_hello_result *hub)
{
	struct proof_transcript transcript;
	unsigned char proof[IDENTITY_SIGNATURE_BYTES];
	memcpy(transcript.agent_nonce, peer->nonce, sizeof transcript.agent_nonce);
	memcpy(transcript.hub_nonce, hub->nonce, sizeof transcript.hub_nonce);
	memcpy(transcript.agent_key, peer->identity.public_key, sizeof transcript.agent_key);
	memcpy(transcript.hub_key, hub->key, sizeof transcript.hub_key);
	if (SSL_export_keying_material(peer->line.ssl, transcript.binding, sizeof transcript.binding,
			"EXPORTER-Channel-Binding", 24, NULL, 0, 0) != 1 ||
		!proof_verify(PROOF_OF_HUB, &transcript, hub->proof)) {
		fail(peer, "hello", "the hub's proof does not verify");
		return;
	}
	memcpy(peer->hub_key, hub->key, sizeof peer->hub_key);
	proof_sign(&peer->identity, PROOF_OF_AGENT, &transcript, proof);
	if (peer->joined)
		send_resume(peer, proof);
	else
		send_enrol(peer, proof);
}

static void on_hello_result(struct peer *peer, const json_t *body, struct err *err)
{
	struct msg_hello_result hub = {0};
	if (message_read(MSG_hello_result, body, &hub, err))
		fail(peer, "hello", err->text);
	else
		prove(peer, &hub);
	message_free(MSG_hello_result, &hub);
}

static void send_path(struct peer *peer)
{
	const struct join_token *token = token_of(peer);
	struct msg_path path = {.stages = machine_path(peer->number, token->host, token->port)};
	session_notify(&peer->session, MSG_path, &path);
	message_free(MSG_path, &path);
}

static void on_session_text(void *data, const char *text, size_t len)
{
	struct peer *peer = data;
	session_text(&peer->session, text, len, clock_mono_us());
}

static void on_welcome(struct peer *peer, const json_t *body, struct err *err)
{
	int64_t now_us = clock_mono_us();
	if (session_params_read(body, &peer->params, err)) {
		fail(peer, "enter", err->text);
		return;
	}
	peer->backoff.base_ms = peer->params.backoff_base_ms;
	peer->backoff.cap_ms = peer->params.backoff_cap_ms;
	session_open(&peer->session, &peer->params, send_frame, peer, peer->started_us, now_us);
	/* Those that enrolled in one minute would beat in step for the first few; a fleet does not. */
	if (!peer->joined)
		peer->session.heartbeat_us =
			now_us + backoff_spread(peer->params.heartbeat_ms) * INT64_C(1000);
	peer->session.calls = work_calls;
	peer->session.call_count = work_call_count;
	ws_set_receiver(peer->ws, on_session_text, peer);
	peer->joined = true;
	peer->state = PEER_ONLINE;
	send_path(peer);
	work_begin(peer);
}

static void on_text(void *data, const char *text, size_t len)
{
	struct peer *peer = data;
	struct err err = {""};
	struct rpc rpc;
	if (peer->over)
		return;
	if (rpc_parse(text, len, &rpc, &err)) {
		fail(peer, "message", err.text);
		return;
	}
	if (rpc.kind == RPC_ERROR && rpc.refusal == REFUSAL_BUSY)
		peer->retry_after_ms = json_get_int(rpc.body, "retry_after_ms", 0);
	if (rpc.kind == RPC_ERROR)
		fail(peer, "refused", rpc.message);
	else if (rpc.kind == RPC_RESULT && rpc.id == ID_HELLO)
		on_hello_result(peer, rpc.body, &err);
	else if (rpc.kind == RPC_RESULT && rpc.id == ID_ENTRY)
		on_welcome(peer, rpc.body, &err);
	rpc_free(&rpc);
}

/* --- the end of an attempt -------------------------------------------------------------------- */

static void drop_connection(struct peer *peer)
{
	ws_free(peer->ws);
	peer->ws = NULL;
	line_end(&peer->line);
}

static void attempt_ended(struct peer *peer)
{
	enum cause cause = peer->state == PEER_ONLINE ? peer->session.over.cause : CAUSE_NONE;
	int64_t now_us = clock_mono_us();
	bool patience = peer->retry_after_ms > 0;
	peer->goal->ended(peer->goal->data, cause ? cause_info(cause)->id : peer->problem);
	if (peer->state == PEER_ONLINE &&
		now_us - peer->session.opened_us >= peer->params.stable_ms * 1000)
		backoff_reset(&peer->backoff);
	int64_t restart_ms = cause == CAUSE_HUB_RESTARTING ? peer->session.restart_delay_ms : 0;
	peer->due_us = now_us + backoff_wait(&peer->backoff, peer->retry_after_ms, restart_ms) * 1000;
	if (peer->state == PEER_ONLINE && peer->ws)
		session_free(&peer->session);
	drop_connection(peer);
	peer->over = false;
	peer->retry_after_ms = 0;
	peer->state =
		(peer->joined || patience) && cause != CAUSE_AGENT_REVOKED ? PEER_WAITING : PEER_FAILED;
}

/* --- steps ------------------------------------------------------------------------------------ */

void peer_init(struct peer *peer, const struct peer_goal *goal, int number)
{
	*peer = (struct peer){.goal = goal, .number = number, .line.fd = -1, .due_us = INT64_MAX};
	identity_make(&peer->identity);
	randombytes_buf(peer->instance, sizeof peer->instance);
	session_params_default(&peer->params);
	peer->backoff =
		(struct backoff){.base_ms = peer->params.backoff_base_ms, .cap_ms = BACKOFF_CAP_MS};
}

void peer_start(struct peer *peer)
{
	const struct peer_goal *goal = peer->goal;
	peer->started_us = clock_mono_us();
	enter(peer, PEER_REACHING);
	line_start(
		&peer->line, &goal->address, goal->tls, goal->token_count ? token_of(peer)->host : NULL);
	if (peer->line.state == LINE_DEAD) {
		fail(peer, "reach", peer->line.problem);
		attempt_ended(peer);
	}
}

static void reach(struct peer *peer)
{
	enum line_state state = line_step(&peer->line);
	if (state == LINE_DEAD)
		fail(peer, "reach", peer->line.problem);
	if (state != LINE_OPEN)
		return;
	if (!peer->goal->token_count) {
		peer->state = PEER_ONLINE;
		return;
	}
	struct ws_io io = {.read = tls_read, .write = tls_write, .data = peer};
	peer->ws = ws_client_start(&io, token_of(peer)->host, PROTOCOL_SESSION_PATH, on_text, peer);
	enter(peer, PEER_UPGRADING);
}

/* A 503 says for how long to stay away. */
static void refused(struct peer *peer)
{
	const char *after = ws_header(peer->ws, "retry-after");
	char status[32];
	snprintf(status, sizeof status, "HTTP status %d", ws_status(peer->ws));
	if (ws_status(peer->ws) == 503 && after)
		peer->retry_after_ms = strtoll(after, NULL, 10) * 1000;
	fail(peer, "upgrade", status);
}

static void move_frames(struct peer *peer)
{
	bool more = false;
	enum ws_state state = ws_step(peer->ws, &more);
	peer->line.wants_write |= more;
	if (state == WS_OPEN && peer->state == PEER_UPGRADING) {
		enter(peer, PEER_PROVING);
		send_hello(peer);
		return;
	}
	if (state == WS_REFUSED)
		refused(peer);
	else if (state == WS_CLOSED && peer->state == PEER_ONLINE)
		session_closed(
			&peer->session, ws_close_code(peer->ws), ws_error(peer->ws), clock_mono_us());
	else if (state == WS_CLOSED)
		fail(peer, "WebSocket", "closed");
}

/* Without a token a line is all there is; its end is noticed by reading. */
static void hold_line(struct peer *peer)
{
	char bytes[256];
	ssize_t got = line_read(&peer->line, bytes, sizeof bytes);
	if (got == 0 || got == -1)
		fail(peer, "TLS", "closed");
}

static void move(struct peer *peer)
{
	if (!peer->goal->token_count) {
		hold_line(peer);
		return;
	}
	/* What arrives may have to be answered at once: the frames are moved until nothing was added.
	 */
	move_frames(peer);
	if (peer->state == PEER_ONLINE && !peer->over && !peer->session.over.cause)
		work_advance(peer);
	if (!peer->over && ws_state(peer->ws) == WS_OPEN)
		move_frames(peer);
	if (peer->state == PEER_ONLINE && peer->session.over.cause)
		peer->over = true;
}

void peer_step(struct peer *peer)
{
	peer->line.wants_write = false;
	if (peer->state == PEER_REACHING)
		reach(peer);
	if (peer->state > PEER_REACHING && peer->state <= PEER_ONLINE && !peer->over)
		move(peer);
	if (peer->over)
		attempt_ended(peer);
}

int64_t peer_due_us(const struct peer *peer)
{
	if (peer->state == PEER_FAILED || (peer->state == PEER_ONLINE && !peer->ws))
		return INT64_MAX;
	return peer->state == PEER_ONLINE ? session_deadline_us(&peer->session) : peer->due_us;
}

void peer_tick(struct peer *peer, int64_t now_us)
{
	if (peer_due_us(peer) > now_us)
		return;
	if (peer->state == PEER_WAITING) {
		peer_start(peer);
		return;
	}
	if (peer->state == PEER_ONLINE)
		session_tick(&peer->session, now_us);
	else
		fail(peer, "patience", "a stage took longer than an agent waits");
	peer_step(peer);
}

void peer_end(struct peer *peer)
{
	if (peer->state == PEER_ONLINE && peer->ws)
		session_free(&peer->session);
	drop_connection(peer);
	identity_wipe(&peer->identity);
}
