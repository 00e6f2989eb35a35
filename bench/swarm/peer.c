#include "swarm/peer.h"

#include "base/clock.h"
#include "wire/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ID_HELLO 1
#define ID_ENROL 2

static void fail(struct peer *peer, const char *what, const char *why)
{
	if (peer->state != PEER_FAILED)
		snprintf(peer->problem, sizeof peer->problem, "%s: %s", what, why ? why : "");
	peer->state = PEER_FAILED;
}

static ssize_t tls_result(struct peer *peer, int result)
{
	int error = SSL_get_error(peer->ssl, result);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
		peer->wants_write |= error == SSL_ERROR_WANT_WRITE;
		return WS_AGAIN;
	}
	return error == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static ssize_t tls_read(void *data, void *bytes, size_t len)
{
	struct peer *peer = data;
	int got = SSL_read(peer->ssl, bytes, (int)len);
	return got > 0 ? got : tls_result(peer, got);
}

static ssize_t tls_write(void *data, const void *bytes, size_t len)
{
	struct peer *peer = data;
	int put = SSL_write(peer->ssl, bytes, (int)len);
	return put > 0 ? put : tls_result(peer, put);
}

static void send_text(struct peer *peer, char *text)
{
	if (ws_send(peer->ws, text, strlen(text)))
		fail(peer, "send", "the connection is closed");
	free(text);
}

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

/* As much as a small machine says of itself. */
static json_t *inventory(const struct peer *peer)
{
	char name[32], mac[32], address[32];
	snprintf(name, sizeof name, "swarm-%05d", peer->number);
	snprintf(
		mac, sizeof mac, "02:00:00:00:%02x:%02x", peer->number >> 8 & 0xff, peer->number & 0xff);
	snprintf(
		address, sizeof address, "10.0.%d.%d/16", peer->number >> 8 & 0xff, peer->number & 0xff);
	return json_pack(
		"{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:{s:s,s:i},s:{s:I,s:I},s:i,s:[{s:s,s:s,s:s,s:b}]"
		",s:[{s:s,s:s,s:I,s:I}]}",
		"name", name, "machine_id", name, "platform", "linux", "os", "debian", "os_version", "12",
		"kernel", "6.1.0", "arch", "x86_64", "agent_version", SALLYPORT_VERSION, "cpu", "model",
		"simulated", "count", 2, "memory", "total", (json_int_t)4 << 30, "free",
		(json_int_t)2 << 30, "uptime_s", 1000, "interfaces", "name", "eth0", "mac", mac, "ipv4",
		address, "up", 1, "disks", "mount", "/", "type", "ext4", "size", (json_int_t)50 << 30,
		"free", (json_int_t)20 << 30);
}

static void send_enrol(struct peer *peer, const struct msg_hello_result *hub)
{
	struct proof_transcript transcript;
	struct msg_enrol enrol = {.inventory = inventory(peer)};
	memcpy(transcript.agent_nonce, peer->nonce, sizeof transcript.agent_nonce);
	memcpy(transcript.hub_nonce, hub->nonce, sizeof transcript.hub_nonce);
	memcpy(transcript.agent_key, peer->identity.public_key, sizeof transcript.agent_key);
	memcpy(transcript.hub_key, hub->key, sizeof transcript.hub_key);
	if (SSL_export_keying_material(peer->ssl, transcript.binding, sizeof transcript.binding,
			"EXPORTER-Channel-Binding", 24, NULL, 0, 0) != 1 ||
		!proof_verify(PROOF_OF_HUB, &transcript, hub->proof)) {
		fail(peer, "hello", "the hub's proof does not verify");
	} else {
		memcpy(enrol.token_secret, peer->goal->token->secret, sizeof enrol.token_secret);
		proof_sign(&peer->identity, PROOF_OF_AGENT, &transcript, enrol.proof);
		send_text(peer, rpc_request(ID_ENROL, "enrol", message_write(MSG_enrol, &enrol)));
	}
	message_free(MSG_enrol, &enrol);
}

static void on_hello_result(struct peer *peer, const json_t *body, struct err *err)
{
	struct msg_hello_result hub = {0};
	if (message_read(MSG_hello_result, body, &hub, err))
		fail(peer, "hello", err->text);
	else
		send_enrol(peer, &hub);
	message_free(MSG_hello_result, &hub);
}

static void on_welcome(struct peer *peer, const json_t *body, struct err *err)
{
	struct msg_welcome welcome = {0};
	if (message_read(MSG_welcome, body, &welcome, err)) {
		fail(peer, "enrol", err->text);
	} else {
		int64_t now = clock_mono_us();
		peer->heartbeat_every_us = welcome.heartbeat_ms * 1000;
		/* Spread over the whole interval: a real fleet does not beat in step. */
		peer->heartbeat_due_us = now + peer->heartbeat_every_us * (peer->number % 1000) / 1000;
		peer->requests = ID_ENROL;
		peer->state = PEER_ONLINE;
	}
	message_free(MSG_welcome, &welcome);
}

static void on_text(void *data, const char *text, size_t len)
{
	struct peer *peer = data;
	struct err err = {""};
	struct rpc rpc;
	if (rpc_parse(text, len, &rpc, &err)) {
		fail(peer, "message", err.text);
		return;
	}
	if (rpc.kind == RPC_ERROR)
		fail(peer, "refused", rpc.message);
	else if (rpc.kind == RPC_RESULT && rpc.id == ID_HELLO)
		on_hello_result(peer, rpc.body, &err);
	else if (rpc.kind == RPC_RESULT && rpc.id == ID_ENROL)
		on_welcome(peer, rpc.body, &err);
	rpc_free(&rpc);
}

void peer_start(struct peer *peer, const struct peer_goal *goal, int number)
{
	*peer = (struct peer){.goal = goal, .number = number, .started_us = clock_mono_us()};
	identity_make(&peer->identity);
	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (peer->fd < 0) {
		fail(peer, "socket", strerror(errno));
		return;
	}
	peer->wants_write = true;
	if (connect(peer->fd, (const struct sockaddr *)&goal->address, sizeof goal->address) &&
		errno != EINPROGRESS)
		fail(peer, "connect", strerror(errno));
}

static void step_connecting(struct peer *peer)
{
	int error = 0;
	socklen_t len = sizeof error;
	getsockopt(peer->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		fail(peer, "connect", strerror(error));
		return;
	}
	peer->ssl = SSL_new(peer->goal->tls);
	SSL_set_fd(peer->ssl, peer->fd);
	peer->state = PEER_SECURING;
}

static void step_securing(struct peer *peer)
{
	int done = SSL_connect(peer->ssl);
	if (done != 1) {
		if (tls_result(peer, done) != WS_AGAIN)
			fail(peer, "TLS", "the handshake failed");
		return;
	}
	if (!peer->goal->token) {
		peer->state = PEER_ONLINE;
		return;
	}
	struct ws_io io = {.read = tls_read, .write = tls_write, .data = peer};
	peer->ws = ws_client_start(&io, peer->goal->token->host, PROTOCOL_SESSION_PATH, on_text, peer);
	peer->state = PEER_UPGRADING;
}

static void step_ws(struct peer *peer)
{
	enum ws_state state = ws_step(peer->ws, &peer->wants_write);
	if (state == WS_REFUSED || state == WS_CLOSED) {
		fail(peer, "WebSocket", state == WS_REFUSED ? "refused" : "closed");
	} else if (state == WS_OPEN && peer->state == PEER_UPGRADING) {
		peer->state = PEER_ENROLLING;
		send_hello(peer);
		ws_step(peer->ws, &peer->wants_write);
	}
}

enum peer_state peer_step(struct peer *peer)
{
	peer->wants_write = false;
	if (peer->state == PEER_CONNECTING)
		step_connecting(peer);
	if (peer->state == PEER_SECURING)
		step_securing(peer);
	if (peer->ws && peer->state != PEER_FAILED)
		step_ws(peer);
	return peer->state;
}

void peer_heartbeat(struct peer *peer)
{
	struct msg_heartbeat beat = {.uptime_s = 1};
	peer->heartbeat_due_us += peer->heartbeat_every_us;
	send_text(
		peer, rpc_request(++peer->requests, "heartbeat", message_write(MSG_heartbeat, &beat)));
	peer_step(peer);
}

void peer_end(struct peer *peer)
{
	ws_free(peer->ws);
	SSL_free(peer->ssl);
	if (peer->fd >= 0)
		close(peer->fd);
	peer->ws = NULL;
	peer->ssl = NULL;
	peer->fd = -1;
}
