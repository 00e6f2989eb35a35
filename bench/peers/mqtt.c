/*
 * MQTT 3.1.1 (OASIS standard, 29 October 2014), as much as one subscription, QoS 0 and QoS 1 need.
 */
#include "peers/client.h"

#include <stdio.h>
#include <string.h>

#define KEEP_ALIVE_S 60 /* as often as an agent's heartbeat */

enum packet {
	PACKET_CONNECT = 0x10,
	PACKET_CONNACK = 0x20,
	PACKET_PUBLISH = 0x30,
	PACKET_PUBACK = 0x40,
	PACKET_SUBSCRIBE = 0x82,
	PACKET_SUBACK = 0x90,
	PACKET_PINGREQ = 0xc0,
	PACKET_PINGRESP = 0xd0,
};

#define QOS_1 0x02 /* in the first byte of a PUBLISH */

static void put_u16(struct buf *body, unsigned value)
{
	unsigned char bytes[2] = {(unsigned char)(value >> 8), (unsigned char)value};
	buf_append(body, bytes, sizeof bytes);
}

static void put_text(struct buf *body, const char *text)
{
	put_u16(body, (unsigned)strlen(text));
	buf_puts(body, text);
}

/* Frees the body. */
static void send_packet(struct client *client, unsigned first, struct buf *body)
{
	unsigned char head[5] = {(unsigned char)first};
	size_t len = 1, left = body->len;
	do {
		head[len] = left & 0x7f;
		left >>= 7;
		head[len++] |= left ? 0x80 : 0;
	} while (left);
	client_send(client, head, len);
	client_send(client, body->data, body->len);
	buf_free(body);
}

static void greet(struct client *client)
{
	struct buf body = {0};
	char id[32];
	snprintf(id, sizeof id, "swarm-%05d", client->number);
	put_text(&body, "MQTT");
	buf_append(&body, "\x04\x02", 2); /* level 4, clean session */
	put_u16(&body, KEEP_ALIVE_S);
	put_text(&body, id);
	send_packet(client, PACKET_CONNECT, &body);
}

static void subscribe(struct client *client)
{
	struct buf body = {0};
	put_u16(&body, 1);
	put_text(&body, client_topic(client));
	buf_append(&body, "\x01", 1); /* QoS 1 at most */
	send_packet(client, PACKET_SUBSCRIBE, &body);
}

static void publish(struct client *client, const char *topic, const char *text, bool sure)
{
	struct buf body = {0};
	put_text(&body, topic);
	if (sure)
		put_u16(&body, 2);
	buf_puts(&body, text);
	send_packet(client, PACKET_PUBLISH | (sure ? QOS_1 : 0), &body);
}

static void keep_alive(struct client *client)
{
	struct buf body = {0};
	send_packet(client, PACKET_PINGREQ, &body);
}

static int on_publish(struct client *client, unsigned first, const unsigned char *body, size_t len)
{
	size_t topic = len >= 2 ? (size_t)body[0] << 8 | body[1] : len;
	bool sure = first & QOS_1;
	if (topic + 2 + (sure ? 2 : 0) > len)
		return -1;
	if (sure) {
		struct buf answer = {0};
		buf_append(&answer, body + 2 + topic, 2);
		send_packet(client, PACKET_PUBACK, &answer);
	}
	client_received(client, sure);
	return 0;
}

static int on_packet(struct client *client, unsigned first, const unsigned char *body, size_t len)
{
	switch (first & 0xf0) {
	case PACKET_CONNACK:
		if (len < 2 || body[1])
			return -1;
		subscribe(client);
		return 0;
	case PACKET_SUBACK:
		if (len < 3 || body[2] & 0x80)
			return -1;
		client_ready(client);
		return 0;
	case PACKET_PUBLISH:
		return on_publish(client, first, body, len);
	case PACKET_PUBACK:
	case PACKET_PINGRESP:
		return 0;
	default:
		return -1;
	}
}

/* Bytes of the fixed header, with the length of the rest; 0: not all there, -1: wrong. */
static int head_of(const unsigned char *bytes, size_t len, size_t *rest)
{
	*rest = 0;
	for (size_t i = 1; i < len && i < 5; i++) {
		*rest |= (size_t)(bytes[i] & 0x7f) << (7 * (i - 1));
		if (!(bytes[i] & 0x80))
			return (int)i + 1;
	}
	return len < 5 ? 0 : -1;
}

static int take(struct client *client)
{
	size_t used = 0;
	int rc = 0;
	while (!rc && used < client->in.len) {
		const unsigned char *bytes = (const unsigned char *)client->in.data + used;
		size_t rest, left = client->in.len - used;
		int head = head_of(bytes, left, &rest);
		if (head < 0)
			rc = -1;
		if (head <= 0 || left - (size_t)head < rest)
			break;
		rc = on_packet(client, bytes[0], bytes + head, rest);
		used += (size_t)head + rest;
	}
	buf_consume(&client->in, used);
	return rc;
}

const struct client_protocol client_mqtt = {"mqtt", greet, take, publish, keep_alive};
