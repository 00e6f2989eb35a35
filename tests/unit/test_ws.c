/*
 * WebSocket frames at the agent's end, against a peer of this test: two buffers in place of a
 * network, wslay's server side where the peer is a good one, bytes written by hand where it is not.
 */
#include "wire/ws.h"

#include <errno.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <wslay/wslay.h>
#include <cmocka.h>

struct peer {
	struct ws *ws;
	struct buf to_peer, to_agent;
	bool ended;            /* the agent reads the end once to_agent is empty */
	int error;             /* or this errno */
	bool full;             /* the agent cannot write */
	bool gone;             /* nor ever again */
	struct buf last_words; /* that reach the agent when it finds that out */
	size_t text_count;
	struct buf text; /* of the last message */
	bool wants_write;
};

static ssize_t pipe_read(void *data, void *bytes, size_t len)
{
	struct peer *peer = data;
	if (!peer->to_agent.len) {
		errno = peer->error;
		return peer->error ? -1 : peer->ended ? 0 : WS_AGAIN;
	}
	if (len > peer->to_agent.len)
		len = peer->to_agent.len;
	memcpy(bytes, peer->to_agent.data, len);
	buf_consume(&peer->to_agent, len);
	return (ssize_t)len;
}

static ssize_t pipe_write(void *data, const void *bytes, size_t len)
{
	struct peer *peer = data;
	if (peer->full)
		return WS_AGAIN;
	if (peer->gone) {
		buf_append(&peer->to_agent, buf_text(&peer->last_words), peer->last_words.len);
		buf_consume(&peer->last_words, peer->last_words.len);
		peer->ended = true;
		errno = EPIPE;
		return -1;
	}
	buf_append(&peer->to_peer, bytes, len);
	return (ssize_t)len;
}

static void on_text(void *data, const char *text, size_t len)
{
	struct peer *peer = data;
	peer->text_count++;
	buf_consume(&peer->text, peer->text.len);
	buf_append(&peer->text, text, len);
}

static enum ws_state step(struct peer *peer)
{
	return ws_step(peer->ws, &peer->wants_write);
}

static void say(struct peer *peer, const char *text)
{
	buf_puts(&peer->to_agent, text);
}

static int setup(void **state)
{
	struct peer *peer = xcalloc(1, sizeof *peer);
	struct ws_io io = {pipe_read, pipe_write, peer};
	peer->ws = ws_client_start(&io, "hub.example:8443", "/v1/session", on_text, peer);
	assert_int_equal(step(peer), WS_HANDSHAKE);
	*state = peer;
	return 0;
}

static int teardown(void **state)
{
	struct peer *peer = *state;
	ws_free(peer->ws);
	buf_free(&peer->to_peer);
	buf_free(&peer->to_agent);
	buf_free(&peer->text);
	buf_free(&peer->last_words);
	free(peer);
	return 0;
}

/* The accept value for the key that the agent sent, by OpenSSL's own base64. */
static void accept_value(const struct peer *peer, char out[32])
{
	const char *key = strstr(peer->to_peer.data, "Sec-WebSocket-Key: ");
	assert_non_null(key);
	char joined[128];
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len;
	snprintf(joined, sizeof joined, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
		key + strlen("Sec-WebSocket-Key: "));
	EVP_Digest(joined, strlen(joined), hash, &len, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)out, hash, (int)len);
}

static void say_accepted(struct peer *peer)
{
	char accept[32];
	accept_value(peer, accept);
	buf_printf(&peer->to_agent,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\n\r\n",
		accept);
	buf_consume(&peer->to_peer, peer->to_peer.len);
}

static void open_ws(struct peer *peer)
{
	say_accepted(peer);
	assert_int_equal(step(peer), WS_OPEN);
}

static void say_frame(struct peer *peer, unsigned char first, const void *payload, size_t len)
{
	unsigned char head[10] = {first};
	size_t size = 2;
	if (len < 126) {
		head[1] = (unsigned char)len;
	} else {
		head[1] = 127;
		for (size = 2; size < 10; size++)
			head[size] = (unsigned char)((uint64_t)len >> 8 * (9 - size));
	}
	buf_append(&peer->to_agent, head, size);
	if (payload)
		buf_append(&peer->to_agent, payload, len);
}

/* The code of the close frame that the agent sent (masked), or 0. */
static unsigned sent_close_code(const struct peer *peer)
{
	const unsigned char *at = (const unsigned char *)peer->to_peer.data;
	size_t len = peer->to_peer.len;
	if (len < 8 || at[len - 8] != 0x88 || at[len - 7] != (0x80 | 2))
		return 0;
	at += len - 8;
	return (unsigned)((at[6] ^ at[2]) << 8 | (at[7] ^ at[3]));
}

static void test_request(void **state)
{
	struct peer *peer = *state;
	assert_non_null(strstr(peer->to_peer.data, "GET /v1/session HTTP/1.1\r\n"));
	assert_non_null(strstr(peer->to_peer.data, "Host: hub.example:8443\r\n"));
	assert_non_null(strstr(peer->to_peer.data, "Upgrade: websocket\r\n"));
	assert_non_null(strstr(peer->to_peer.data, "Sec-WebSocket-Version: 13\r\n"));
	assert_memory_equal(peer->to_peer.data + peer->to_peer.len - 4, "\r\n\r\n", 4);
}

static void test_refusals(void **state)
{
	struct peer *peer = *state;
	say(peer, "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy");
	assert_int_equal(step(peer), WS_REFUSED);
	assert_int_equal(ws_status(peer->ws), 503);
	assert_string_equal(ws_header(peer->ws, "retry-after"), "7");
	assert_string_equal(ws_body(peer->ws), "busy");
}

static void test_wrong_accept(void **state)
{
	struct peer *peer = *state;
	say(peer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			  "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n");
	assert_int_equal(step(peer), WS_REFUSED);
	assert_int_equal(ws_status(peer->ws), 101);
}

static void test_not_http(void **state)
{
	struct peer *peer = *state;
	say(peer, "SSH-2.0-x\r\n");
	assert_int_equal(step(peer), WS_REFUSED);
	assert_int_equal(ws_status(peer->ws), -1);
	assert_string_equal(ws_body(peer->ws), "SSH-2.0-x\r\n");
}

static void test_endless_refusal_is_bounded(void **state)
{
	struct peer *peer = *state;
	say(peer, "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0; i < 10000; i++)
		say(peer, "0123456789");
	assert_int_equal(step(peer), WS_REFUSED);
	assert_int_equal(strlen(ws_body(peer->ws)), 4096);
}

static void test_end_before_answer(void **state)
{
	struct peer *peer = *state;
	peer->error = ECONNRESET;
	assert_int_equal(step(peer), WS_CLOSED);
	assert_int_equal(ws_error(peer->ws), ECONNRESET);
	assert_int_equal(ws_close_code(peer->ws), 1006);
}

static void test_frame_behind_the_answer(void **state)
{
	struct peer *peer = *state;
	say_accepted(peer);
	say_frame(peer, 0x81, "early", 5);
	assert_int_equal(step(peer), WS_OPEN);
	assert_string_equal(peer->text.data, "early");
	assert_null(ws_header(peer->ws, "upgrade")); /* the head is not kept while the session lives */
}

struct server {
	struct peer *peer;
	struct buf text;
};

static ssize_t server_read(
	struct wslay_event_context *ctx, uint8_t *bytes, size_t len, int flags, void *data)
{
	struct buf *from = &((struct server *)data)->peer->to_peer;
	(void)flags;
	if (!from->len) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	if (len > from->len)
		len = from->len;
	memcpy(bytes, from->data, len);
	buf_consume(from, len);
	return (ssize_t)len;
}

static ssize_t server_write(
	struct wslay_event_context *ctx, const uint8_t *bytes, size_t len, int flags, void *data)
{
	(void)ctx;
	(void)flags;
	buf_append(&((struct server *)data)->peer->to_agent, bytes, len);
	return (ssize_t)len;
}

static void server_got(
	struct wslay_event_context *ctx, const struct wslay_event_on_msg_recv_arg *arg, void *data)
{
	(void)ctx;
	if (arg->opcode == WSLAY_TEXT_FRAME)
		buf_append(&((struct server *)data)->text, arg->msg, arg->msg_length);
}

/* Against wslay's own server: masked text there, text and a ping back, a clean close. */
static void test_with_a_server(void **state)
{
	struct server server = {.peer = *state};
	struct peer *peer = *state;
	static const struct wslay_event_callbacks callbacks = {.recv_callback = server_read,
		.send_callback = server_write,
		.on_msg_recv_callback = server_got};
	struct wslay_event_context *ctx;
	assert_int_equal(wslay_event_context_server_init(&ctx, &callbacks, &server), 0);
	open_ws(peer);
	assert_int_equal(ws_send(peer->ws, "hello", 5), 0);
	step(peer);
	assert_int_equal(wslay_event_recv(ctx), 0); /* refuses unmasked frames */
	assert_string_equal(server.text.data, "hello");

	struct wslay_event_msg ping = {WSLAY_PING, (const uint8_t *)"p", 1};
	struct wslay_event_msg text = {WSLAY_TEXT_FRAME, (const uint8_t *)"gr\xc3\xbc\xc3\x9f", 6};
	wslay_event_queue_msg(ctx, &ping);
	wslay_event_queue_msg(ctx, &text);
	wslay_event_send(ctx);
	assert_int_equal(step(peer), WS_OPEN);
	assert_string_equal(peer->text.data, "gr\xc3\xbc\xc3\x9f");
	assert_int_equal((unsigned char)peer->to_peer.data[0], 0x8a); /* the pong */
	assert_int_equal(wslay_event_recv(ctx), 0);

	wslay_event_queue_close(ctx, 1001, NULL, 0);
	wslay_event_send(ctx);
	assert_int_equal(step(peer), WS_CLOSED);
	assert_int_equal(ws_close_code(peer->ws), 1001);
	assert_int_equal(ws_send(peer->ws, "x", 1), -1);
	wslay_event_recv(ctx);
	assert_true(wslay_event_get_close_received(ctx));
	wslay_event_context_free(ctx);
	buf_free(&server.text);
}

/* A hub that announces 1 GB: closed with 1009 before a byte of it is kept. */
static void test_one_gigabyte(void **state)
{
	struct peer *peer = *state;
	open_ws(peer);
	say_frame(peer, 0x81, NULL, 1024UL * 1024 * 1024);
	assert_int_equal(step(peer), WS_OPEN); /* wslay looks at a frame once its first byte is there */
	say(peer, "x");
	assert_int_equal(step(peer), WS_CLOSED);
	assert_int_equal(sent_close_code(peer), 1009);
	assert_int_equal(ws_close_code(peer->ws), 1009);
	assert_int_equal(peer->text_count, 0);
}

static void test_one_gigabyte_in_fragments(void **state)
{
	struct peer *peer = *state;
	static char part[100 * 1024];
	open_ws(peer);
	memset(part, 'x', sizeof part);
	say_frame(peer, 0x01, part, sizeof part);
	enum ws_state last = WS_OPEN;
	size_t said = sizeof part;
	for (; last == WS_OPEN && said < 4UL * WS_MAX_MESSAGE; said += sizeof part) {
		say_frame(peer, 0x00, part, sizeof part);
		last = step(peer);
	}
	assert_int_equal(last, WS_CLOSED);
	assert_int_equal(sent_close_code(peer), 1009);
	assert_true(said <= WS_MAX_MESSAGE + 2 * sizeof part);
}

/* The announcement alone ends it, when it would not fit behind what is there. */
static void test_fragment_announced_too_long(void **state)
{
	struct peer *peer = *state;
	open_ws(peer);
	say_frame(peer, 0x01, "first", 5);
	say_frame(peer, 0x80, NULL, WS_MAX_MESSAGE - 4);
	say(peer, "x");
	assert_int_equal(step(peer), WS_CLOSED);
	assert_int_equal(sent_close_code(peer), 1009);
}

static void test_largest_message(void **state)
{
	struct peer *peer = *state;
	char *text = xcalloc(1, WS_MAX_MESSAGE + 1);
	memset(text, 'y', WS_MAX_MESSAGE);
	open_ws(peer);
	say_frame(peer, 0x01, text, WS_MAX_MESSAGE / 2);
	say_frame(peer, 0x89, "ping", 4); /* control frames may come between fragments */
	say_frame(peer, 0x80, text, WS_MAX_MESSAGE - WS_MAX_MESSAGE / 2);
	size_t steps = 0;
	do
		assert_int_equal(step(peer), WS_OPEN);
	while (peer->wants_write && ++steps < 100);
	assert_true(steps > 1); /* one step reads a bounded amount */
	assert_int_equal(peer->text_count, 1);
	assert_int_equal(peer->text.len, WS_MAX_MESSAGE);
	assert_int_equal(ws_send(peer->ws, text, WS_MAX_MESSAGE), 0);
	assert_int_equal(ws_send(peer->ws, text, 1), -1); /* the queue is bounded */
	free(text);
}

static const struct {
	const char *what;
	const char *bytes;
	size_t len;
	unsigned sent; /* 0: the close frame carries no code */
	unsigned code;
} violations[] = {
	{"a binary message", "\x82\x01x", 3, 1003, 1003},
	{"text that is no UTF-8", "\x81\x02\xc3\x28", 4, 1007, 1007},
	{"an overlong form", "\x81\x02\xc0\x80", 4, 1007, 1007},
	{"half a character", "\x81\x01\xc3", 3, 1007, 1007},
	{"a reserved bit", "\xc1\x01x", 3, 1002, 1002},
	{"an unknown opcode", "\x83\x01x", 3, 1002, 1002},
	{"a masked frame", "\x81\x81\x00\x00\x00\x00x", 7, 1002, 1002},
	{"a continuation of nothing", "\x80\x01x", 3, 1002, 1002},
	{"a fragmented ping", "\x09\x00", 2, 0, 1002},
};

static void test_violations(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(violations); i++) {
		void *one = NULL;
		setup(&one);
		struct peer *peer = one;
		print_message("%s\n", violations[i].what);
		open_ws(peer);
		buf_append(&peer->to_agent, violations[i].bytes, violations[i].len);
		assert_int_equal(step(peer), WS_CLOSED);
		assert_int_equal(sent_close_code(peer), violations[i].sent);
		assert_int_equal(ws_close_code(peer->ws), violations[i].code);
		assert_int_equal(peer->text_count, 0);
		teardown(&one);
	}
}

/* Pings without end and nobody who takes the pongs: reading stops, memory does not grow. */
static void test_ping_flood(void **state)
{
	struct peer *peer = *state;
	open_ws(peer);
	peer->full = true;
	for (int i = 0; i < 10000; i++)
		say_frame(peer, 0x89, "flood", 5);
	for (int i = 0; i < 100; i++)
		assert_int_equal(step(peer), WS_OPEN);
	assert_true(peer->to_agent.len > 35000);
	peer->full = false;
	for (int i = 0; i < 100 && peer->to_agent.len; i++)
		assert_int_equal(step(peer), WS_OPEN);
	assert_int_equal(peer->to_agent.len, 0);
}

static void test_stream_ends(void **state)
{
	struct peer *peer = *state;
	open_ws(peer);
	peer->ended = true;
	assert_int_equal(step(peer), WS_CLOSED);
	assert_int_equal(ws_error(peer->ws), 0);
	assert_int_equal(ws_close_code(peer->ws), 1006);
}

static void say_at_last(struct peer *peer, unsigned char first, const void *payload, size_t len)
{
	say_frame(peer, first, payload, len);
	buf_append(&peer->last_words, buf_text(&peer->to_agent), peer->to_agent.len);
	buf_consume(&peer->to_agent, peer->to_agent.len);
}

/* A hub that ends says why, and what the agent sends at that moment finds nobody. */
static void test_last_words_are_heard(void **state)
{
	struct peer *peer = *state;
	open_ws(peer);
	say_at_last(peer, 0x81, "farewell", 8);
	peer->gone = true;
	assert_int_equal(ws_send(peer->ws, "hello", 5), 0);
	assert_int_equal(step(peer), WS_CLOSED);
	assert_int_equal(peer->text_count, 1);
	assert_string_equal(buf_text(&peer->text), "farewell");
	assert_int_equal(ws_error(peer->ws), EPIPE);
	assert_int_equal(ws_close_code(peer->ws), 1006);
}

static void test_last_words_with_a_close(void **state)
{
	struct peer *peer = *state;
	open_ws(peer);
	say_at_last(peer, 0x88, "\x03\xe9", 2);
	peer->gone = true;
	assert_int_equal(ws_send(peer->ws, "hello", 5), 0);
	assert_int_equal(step(peer), WS_CLOSED);
	assert_int_equal(ws_close_code(peer->ws), 1001);
}

static void test_own_close(void **state)
{
	struct peer *peer = *state;
	open_ws(peer);
	assert_int_equal(ws_close(peer->ws, 1000), 0);
	assert_int_equal(step(peer), WS_OPEN); /* until the peer agrees */
	assert_int_equal(sent_close_code(peer), 1000);
	say_frame(peer, 0x88, "\x03\xe8", 2);
	assert_int_equal(step(peer), WS_CLOSED);
	assert_int_equal(ws_close_code(peer->ws), 1000);
}

int main(void)
{
#define WITH_PEER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_PEER(test_request),
		WITH_PEER(test_refusals),
		WITH_PEER(test_wrong_accept),
		WITH_PEER(test_not_http),
		WITH_PEER(test_endless_refusal_is_bounded),
		WITH_PEER(test_end_before_answer),
		WITH_PEER(test_frame_behind_the_answer),
		WITH_PEER(test_with_a_server),
		WITH_PEER(test_one_gigabyte),
		WITH_PEER(test_one_gigabyte_in_fragments),
		WITH_PEER(test_fragment_announced_too_long),
		WITH_PEER(test_largest_message),
		cmocka_unit_test(test_violations),
		WITH_PEER(test_ping_flood),
		WITH_PEER(test_stream_ends),
		WITH_PEER(test_last_words_are_heard),
		WITH_PEER(test_last_words_with_a_close),
		WITH_PEER(test_own_close),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
