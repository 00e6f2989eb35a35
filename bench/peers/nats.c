/*
 * The NATS client protocol inside WebSocket frames (RFC 6455), as much as one subscription needs.
 *
 * The frames are this file's own: wire/ws.c takes text frames alone, and nats-server sends binary
 * ones. The mask is zero, which is a mask like any other and leaves the bytes as they are.
 */
#include "peers/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_BINARY 0x82 /* the last one of its message */
#define FRAME_PONG   0x8a
#define OPCODE_PING  0x9
#define OPCODE_CLOSE 0x8

/* --- frames ---------------------------------------------------------------------------------- */

static void send_frame(struct client *client, unsigned first, const void *bytes, size_t len)
{
	unsigned char head[8] = {(unsigned char)first, (unsigned char)(0x80 | len)};
	size_t head_len = 6;
	if (len > 125) {
		head[1] = 0x80 | 126;
		head[2] = (unsigned char)(len >> 8);
		head[3] = (unsigned char)len;
		head_len = 8;
	}
	client_send(client, head, head_len);
	client_send(client, bytes, len);
}

static void say(struct client *client, const char *text)
{
	send_frame(client, FRAME_BINARY, text, strlen(text));
}

/* Bytes of the head, 0 when it is not all there; a server's frames carry no mask. */
static size_t head_of(const unsigned char *bytes, size_t len, uint64_t *payload)
{
	if (len < 2)
		return 0;
	size_t more = (bytes[1] & 0x7f) == 126 ? 2 : (bytes[1] & 0x7f) == 127 ? 8 : 0;
	*payload = more ? 0 : bytes[1] & 0x7f;
	if (len < 2 + more)
		return 0;
	for (size_t i = 0; i < more; i++)
		*payload = *payload << 8 | bytes[2 + i];
	return 2 + more;
}

/* Moves whole frames from `in` to `stream`; -1 when the server closes or frames are wrong. */
static int take_frames(struct client *client)
{
	size_t used = 0;
	for (;;) {
		const unsigned char *bytes = (const unsigned char *)client->in.data + used;
		uint64_t payload = 0;
		size_t left = client->in.len - used;
		size_t head = head_of(bytes, left, &payload);
		if (!head || left - head < payload)
			break;
		unsigned opcode = bytes[0] & 0x0f;
		if (opcode == OPCODE_CLOSE || bytes[1] & 0x80)
			return -1;
		if (opcode == OPCODE_PING)
			send_frame(client, FRAME_PONG, bytes + head, payload);
		else if (opcode < OPCODE_CLOSE)
			buf_append(&client->stream, bytes + head, payload);
		used += head + payload;
	}
	buf_consume(&client->in, used);
	return 0;
}

/* --- the protocol ------------------------------------------------------------------------------
 */

/* The key is the example of RFC 6455 section 1.3: nobody caches here. */
static void greet(struct client *client)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
								  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
								  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	client_send(client, request, sizeof request - 1);
}

static void introduce(struct client *client)
{
	char text[256];
	snprintf(text, sizeof text,
		"CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"c\",\"version\":\"1\","
		"\"protocol\":1,\"name\":\"swarm-%05d\"}\r\nSUB %s 1\r\nPING\r\n",
		client->number, client_topic(client));
	say(client, text);
}

static void publish(struct client *client, const char *topic, const char *text, bool sure)
{
	char message[256];
	(void)sure; /* NATS itself has no such thing */
	snprintf(message, sizeof message, "PUB %s %zu\r\n%s\r\n", topic, strlen(text), text);
	say(client, message);
}

static void keep_alive(struct client *client)
{
	say(client, "PING\r\n");
}

/* Bytes that the line and what belongs to it take; 0: not all there, -1: no such line. */
static long on_line(struct client *client, const char *line, size_t len, size_t left)
{
	if (strncmp(line, "MSG ", 4) == 0) {
		const char *space = memrchr(line, ' ', len);
		size_t payload = strtoul(space, NULL, 10);
		if (len + 2 + payload + 2 > left)
			return 0;
		client_received(client, false);
		return (long)(len + 2 + payload + 2);
	}
	if (strncmp(line, "INFO ", 5) == 0 && client->state == CLIENT_GREETING)
		introduce(client);
	else if (strncmp(line, "PING", 4) == 0)
		say(client, "PONG\r\n");
	else if (strncmp(line, "PONG", 4) == 0)
		client_ready(client);
	else if (strncmp(line, "INFO ", 5) != 0)
		return -1;
	return (long)len + 2;
}

static int take_lines(struct client *client)
{
	size_t used = 0;
	long step = 1;
	while (used < client->stream.len) {
		const char *line = client->stream.data + used;
		size_t left = client->stream.len - used;
		const char *end = memmem(line, left, "\r\n", 2);
		step = end ? on_line(client, line, (size_t)(end - line), left) : 0;
		if (step <= 0)
			break;
		used += (size_t)step;
	}
	buf_consume(&client->stream, used);
	if (!client->stream.len)
		buf_free(&client->stream);
	return step < 0 ? -1 : 0;
}

static int take(struct client *client)
{
	if (!client->framed) {
		const char *end = memmem(client->in.data, client->in.len, "\r\n\r\n", 4);
		if (!end)
			return 0;
		if (strncmp(client->in.data, "HTTP/1.1 101", 12) != 0)
			return -1;
		client->framed = true;
		buf_consume(&client->in, (size_t)(end + 4 - client->in.data));
	}
	if (take_frames(client))
		return -1;
	return client->stream.len ? take_lines(client) : 0;
}

const struct client_protocol client_nats = {"nats", greet, take, publish, keep_alive};
