/*
 * Happy path: line, greeting, ready; then a message in, an answer out. A broker that closes, or
 * says what is none of the protocol, makes it CLIENT_FAILED with the reason.
 */
#include "peers/client.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define PIECE 16384

static void fail(struct client *client, const char *what)
{
	snprintf(client->problem, sizeof client->problem, "%s: %s", client->goal->protocol->name, what);
	client->state = CLIENT_FAILED;
}

const char *client_topic(const struct client *client)
{
	return client->number ? CLIENT_WORK : CLIENT_ANSWER;
}

void client_send(struct client *client, const void *bytes, size_t len)
{
	buf_append(&client->out, bytes, len);
}

void client_ready(struct client *client)
{
	client->state = CLIENT_READY;
}

void client_received(struct client *client, bool sure)
{
	char text[32];
	if (!client->number) {
		client->goal->answered(client->goal->data);
		return;
	}
	snprintf(text, sizeof text, "swarm-%05d: done", client->number);
	client->goal->protocol->publish(client, CLIENT_ANSWER, text, sure);
}

void client_start(struct client *client, const struct client_goal *goal, int number)
{
	*client = (struct client){.goal = goal, .number = number, .started_us = clock_mono_us()};
	line_start(&client->line, &goal->address, goal->tls, "localhost");
	if (client->line.state == LINE_DEAD)
		fail(client, client->line.problem);
}

static void reach(struct client *client)
{
	enum line_state state = line_step(&client->line);
	if (state == LINE_DEAD) {
		fail(client, client->line.problem);
	} else if (state == LINE_OPEN) {
		client->state = CLIENT_GREETING;
		client->goal->protocol->greet(client);
	}
}

static void receive(struct client *client)
{
	char piece[PIECE];
	ssize_t got;
	while ((got = line_read(&client->line, piece, sizeof piece)) > 0)
		buf_append(&client->in, piece, (size_t)got);
	if (client->in.len && client->goal->protocol->take(client))
		fail(client, "what came is none of the protocol");
	if (!client->in.len)
		buf_free(&client->in);
	if (got != LINE_AGAIN && client->state != CLIENT_FAILED)
		fail(client, "the broker closed the connection");
}

static void transmit(struct client *client)
{
	while (client->out.len) {
		ssize_t put = line_write(&client->line, client->out.data, client->out.len);
		if (put == LINE_AGAIN) {
			client->line.wants_write = true;
			return;
		}
		if (put <= 0) {
			fail(client, "the connection broke");
			return;
		}
		buf_consume(&client->out, (size_t)put);
	}
	buf_free(&client->out);
}

void client_step(struct client *client)
{
	client->line.wants_write = false;
	if (client->state == CLIENT_REACHING)
		reach(client);
	if (client->state == CLIENT_GREETING || client->state == CLIENT_READY)
		receive(client);
	if (client->state == CLIENT_GREETING || client->state == CLIENT_READY)
		transmit(client);
}

void client_end(struct client *client)
{
	line_end(&client->line);
	buf_free(&client->in);
	buf_free(&client->out);
	buf_free(&client->stream);
}
