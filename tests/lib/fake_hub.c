#include "lib/fake_hub.h"

#include "base/clock.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <wslay/wslay.h>

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

struct visit {
	struct fake_hub *hub;
	SSL *ssl;
	struct proof_transcript transcript;
	struct wslay_event_context *ws;
};

static void bind_to_tls(struct visit *visit)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	SSL_export_keying_material(visit->ssl, visit->transcript.binding, PROOF_BINDING_BYTES, label,
		strlen(label), NULL, 0, 0);
	memcpy(visit->transcript.hub_key, visit->hub->identity.public_key, IDENTITY_KEY_BYTES);
	proof_nonce(visit->transcript.hub_nonce);
	if (visit->hub->wrong_proof)
		visit->transcript.binding[0] ^= 1;
}

/* --- the document ----------------------------------------------------------------------------- */

static json_t *base64(const unsigned char *bytes, size_t len)
{
	char text[128];
	return json_string(sodium_bin2base64(text, sizeof text, bytes, len, BASE64));
}

static void say_document(struct visit *visit, const char *request)
{
	unsigned char signature[IDENTITY_SIGNATURE_BYTES];
	const char *nonce = strstr(request, "?nonce=");
	size_t len = 0;
	visit->hub->plain_requests++;
	if (visit->hub->page) {
		server_say(visit->ssl, visit->hub->page);
		return;
	}
	if (nonce)
		sodium_base642bin(visit->transcript.agent_nonce, PROOF_NONCE_BYTES, nonce + 7,
			strcspn(nonce + 7, " "), NULL, &len, NULL, BASE64);
	bind_to_tls(visit);
	proof_sign(&visit->hub->identity, PROOF_OF_HUB, &visit->transcript, signature);
	json_t *document = json_pack("{s:i,s:{s:o},s:{s:o,s:o}}", "sallyport", 1, "identity", "key",
		base64(visit->transcript.hub_key, IDENTITY_KEY_BYTES), "proof", "nonce",
		base64(visit->transcript.hub_nonce, PROOF_NONCE_BYTES), "signature",
		base64(signature, sizeof signature));
	char *text = json_text(document);
	json_decref(document);
	char head[128];
	snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", strlen(text));
	server_say(visit->ssl, head);
	server_say(visit->ssl, text);
	free(text);
}

/* --- the session ------------------------------------------------------------------------------ */

static void say_message(struct visit *visit, char *text)
{
	struct wslay_event_msg message = {WSLAY_TEXT_FRAME, (uint8_t *)text, strlen(text)};
	wslay_event_queue_msg(visit->ws, &message);
	free(text);
}

static void on_hello(struct visit *visit, const struct rpc *rpc)
{
	const struct fake_hub *hub = visit->hub;
	struct msg_hello hello = {0};
	char text[CLOCK_TEXT_SIZE];
	message_read(MSG_hello, rpc->body, &hello, NULL);
	memcpy(visit->transcript.agent_nonce, hello.nonce, PROOF_NONCE_BYTES);
	memcpy(visit->transcript.agent_key, hello.key, IDENTITY_KEY_BYTES);
	message_free(MSG_hello, &hello);
	bind_to_tls(visit);
	struct msg_hello_result result = {.version = hub->version ? hub->version : 1};
	result.time = (char *)clock_rfc3339(time(NULL) + hub->time_days * 86400L, text);
	result.private_ca = (char *)hub->private_ca;
	memcpy(result.nonce, visit->transcript.hub_nonce, PROOF_NONCE_BYTES);
	memcpy(result.key, visit->transcript.hub_key, IDENTITY_KEY_BYTES);
	proof_sign(&hub->identity, PROOF_OF_HUB, &visit->transcript, result.proof);
	for (int i = 0; i < hub->notifications; i++)
		say_message(visit, rpc_notification("news", json_object()));
	if (hub->raw)
		say_message(visit, xstrdup(hub->raw));
	else if (hub->at_hello)
		say_message(
			visit, rpc_error(rpc->id, hub->at_hello,
					   json_pack("{s:i,s:i,s:i}", "min", 7, "max", 9, "retry_after_ms", 5000)));
	else
		say_message(visit, rpc_result(rpc->id, message_write(MSG_hello_result, &result)));
}

static void on_enter(struct visit *visit, const struct rpc *rpc)
{
	struct fake_hub *hub = visit->hub;
	struct msg_enrol enrol = {0};
	struct msg_resume resume = {0};
	bool enrols = strcmp(rpc->method, "enrol") == 0;
	if (enrols ? message_read(MSG_enrol, rpc->body, &enrol, NULL)
			   : message_read(MSG_resume, rpc->body, &resume, NULL))
		return;
	const unsigned char *proof = enrols ? enrol.proof : resume.proof;
	memcpy(hub->secret, enrol.token_secret, sizeof hub->secret);
	hub->check_only = resume.check_only;
	hub->agent_proof_fits = proof_verify(PROOF_OF_AGENT, &visit->transcript, proof);
	message_free(MSG_enrol, &enrol);
	message_free(MSG_resume, &resume);
	if (hub->at_enter) {
		say_message(visit, rpc_error(rpc->id, hub->at_enter,
							   json_pack("{s:s}", "expired_at", "2026-01-02T03:04:05Z")));
		return;
	}
	struct msg_welcome welcome = {.server_id = (char *)"0123456789abcdef0123456789abcdef",
		.heartbeat_ms = 60000,
		.heartbeat_timeout_ms = 10000,
		.backoff_cap_ms = 60000};
	say_message(visit, rpc_result(rpc->id, message_write(MSG_welcome, &welcome)));
	hub->sessions++;
}

static void on_message(
	struct wslay_event_context *ctx, const struct wslay_event_on_msg_recv_arg *arg, void *data)
{
	struct visit *visit = data;
	struct rpc rpc;
	(void)ctx;
	if (arg->opcode != WSLAY_TEXT_FRAME || visit->hub->upgrade == HUB_DEAF ||
		rpc_parse((const char *)arg->msg, arg->msg_length, &rpc, NULL))
		return;
	snprintf(visit->hub->method, sizeof visit->hub->method, "%s", rpc.method);
	if (strcmp(rpc.method, "hello") == 0)
		on_hello(visit, &rpc);
	else if (strcmp(rpc.method, "enrol") == 0 || strcmp(rpc.method, "resume") == 0)
		on_enter(visit, &rpc);
	rpc_free(&rpc);
}

static ssize_t tls_read(
	struct wslay_event_context *ctx, uint8_t *bytes, size_t len, int flags, void *data)
{
	struct visit *visit = data;
	(void)flags;
	/* Answers go out before the next read blocks. */
	if (wslay_event_want_write(ctx)) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	int got = SSL_read(visit->ssl, bytes, (int)len);
	if (got > 0)
		return got;
	wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static ssize_t tls_write(
	struct wslay_event_context *ctx, const uint8_t *bytes, size_t len, int flags, void *data)
{
	struct visit *visit = data;
	(void)flags;
	int put = SSL_write(visit->ssl, bytes, (int)len);
	if (put > 0)
		return put;
	wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static void say_accepted(struct visit *visit, const char *request)
{
	const char *key = strstr(request, "Sec-WebSocket-Key: ");
	char joined[128], accept[64], answer[256];
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	snprintf(joined, sizeof joined, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
		key ? key + strlen("Sec-WebSocket-Key: ") : "");
	EVP_Digest(joined, strlen(joined), hash, &len, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)accept, hash, (int)len);
	snprintf(answer, sizeof answer,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\n\r\n",
		accept);
	server_say(visit->ssl, answer);
}

static void talk(struct visit *visit)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = tls_read,
		.send_callback = tls_write,
		.on_msg_recv_callback = on_message,
	};
	wslay_event_context_server_init(&visit->ws, &callbacks, visit);
	while (wslay_event_want_read(visit->ws) || wslay_event_want_write(visit->ws))
		if (wslay_event_recv(visit->ws) || wslay_event_send(visit->ws))
			break;
	wslay_event_context_free(visit->ws);
}

static void drain(SSL *ssl)
{
	char bytes[512];
	while (SSL_read(ssl, bytes, sizeof bytes) > 0)
		continue;
}

static void answer(struct visit *visit, const char *request)
{
	struct fake_hub *hub = visit->hub;
	if (strncmp(request, "GET /v1/session ", 16) != 0)
		say_document(visit, request);
	else if (hub->upgrade == HUB_REFUSES)
		server_say(visit->ssl, hub->refusal);
	else if (hub->upgrade == HUB_SILENT)
		drain(visit->ssl);
	else if (hub->upgrade != HUB_CLOSES) {
		say_accepted(visit, request);
		talk(visit);
	}
}

static void serve(struct server *server, int fd)
{
	struct fake_hub *hub = server->data;
	struct visit visit = {.hub = hub, .ssl = server_tls(fd, &hub->leaf, NULL)};
	char request[4096];
	if (!visit.ssl)
		return;
	if (server_request(visit.ssl, request, sizeof request)) {
		const char *host = strstr(request, "Host: ");
		snprintf(hub->host, sizeof hub->host, "%.*s", host ? (int)strcspn(host + 6, "\r") : 0,
			host ? host + 6 : "");
		answer(&visit, request);
	}
	SSL_shutdown(visit.ssl);
	SSL_free(visit.ssl);
}

void fake_hub_start(struct fake_hub *hub)
{
	identity_make(&hub->identity);
	server_start(&hub->server, serve, hub);
}

void fake_hub_stop(struct fake_hub *hub)
{
	server_stop(&hub->server);
}
