/*
 * The answer to an upgrade and the frames after it, as the agent reads them: in pieces whose sizes
 * the input chooses. Whatever comes, messages are whole and within their bound, and it ends.
 */
#include "fuzz.h"
#include "wire/ws.h"

#include <openssl/evp.h>
#include <stdio.h>

#define GUID  "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 section 1.3 */
#define STEPS 4096

struct peer {
	const uint8_t *data;
	size_t left;
	char answer[256]; /* to the upgrade, before the data */
	size_t answer_left;
	char request[1024];
	size_t request_len;
	bool upgrades;
};

/* The one header that depends on what the agent sent. */
static void make_answer(struct peer *peer)
{
	static const char name[] = "Sec-WebSocket-Key: ";
	unsigned char digest[EVP_MAX_MD_SIZE], text[64];
	char key[128];
	unsigned len = 0;
	peer->request[peer->request_len] = '\0';
	const char *at = strstr(peer->request, name);
	assert(at);
	snprintf(key, sizeof key, "%.24s" GUID, at + strlen(name));
	EVP_Digest(key, strlen(key), digest, &len, EVP_sha1(), NULL);
	EVP_EncodeBlock(text, digest, (int)len);
	peer->answer_left = (size_t)snprintf(peer->answer, sizeof peer->answer,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\n\r\n",
		text);
}

static ssize_t peer_read(void *data, void *bytes, size_t len)
{
	struct peer *peer = data;
	if (peer->upgrades && peer->request_len && !peer->answer[0])
		make_answer(peer);
	if (peer->answer_left) {
		size_t take = len < peer->answer_left ? len : peer->answer_left;
		memcpy(bytes, peer->answer + strlen(peer->answer) - peer->answer_left, take);
		peer->answer_left -= take;
		return (ssize_t)take;
	}
	if (!peer->left)
		return 0;
	size_t take = (size_t)peer->data[0] % 64 + 1;
	take = take < peer->left ? take : peer->left;
	take = take < len ? take : len;
	memcpy(bytes, peer->data, take);
	peer->data += take;
	peer->left -= take;
	return (ssize_t)take;
}

static ssize_t peer_write(void *data, const void *bytes, size_t len)
{
	struct peer *peer = data;
	size_t room = sizeof peer->request - 1 - peer->request_len;
	if (!peer->answer[0]) {
		memcpy(peer->request + peer->request_len, bytes, len < room ? len : room);
		peer->request_len += len < room ? len : room;
	}
	return (ssize_t)len;
}

static void on_text(void *data, const char *text, size_t len)
{
	size_t *heard = data;
	assert(text[len] == '\0' && len <= WS_MAX_MESSAGE);
	*heard += len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer peer = {.upgrades = size && data[0] % 8};
	struct ws_io io = {peer_read, peer_write, &peer};
	size_t heard = 0;
	bool wants_write;
	peer.data = size ? data + 1 : data;
	peer.left = size ? size - 1 : 0;
	struct ws *ws = ws_client_start(&io, "hub.example", "/v1/session", on_text, &heard);
	for (int i = 0; i < STEPS && ws_step(ws, &wants_write) < WS_REFUSED; i++)
		if (i == 3)
			ws_send(ws, "{}", 2);
	assert(heard <= size);
	assert(!peer.upgrades || ws_state(ws) != WS_HANDSHAKE);
	ws_header(ws, "retry-after");
	ws_body(ws);
	ws_close_code(ws);
	ws_free(ws);
	return 0;
}
