/*
 * One client of a message broker, for measuring what others need for the same work: it subscribes
 * to one topic, and answers each message on it with a message of its own on another topic.
 *
 *     client_start(), then client_step() when its socket is ready; client_end().
 *
 * A protocol is one struct client_protocol; the client moves its bytes. The client that publishes
 * and counts is one as well, subscribed to the answers instead.
 */
#ifndef BENCH_PEERS_CLIENT_H
#define BENCH_PEERS_CLIENT_H

#include "base/buf.h"
#include "line.h"

#define CLIENT_WORK   "all"     /* the topic of those who work */
#define CLIENT_ANSWER "answers" /* the topic of the one who counts */

struct client;

struct client_protocol {
	const char *name;
	/* Queues what is said first, once TLS stands. */
	void (*greet)(struct client *client);
	/* Takes whole packets from client->in and acts on them; -1 when they are none. */
	int (*take)(struct client *client);
	/* Queues a message. `sure`: it is acknowledged (MQTT: QoS 1). */
	void (*publish)(struct client *client, const char *topic, const char *text, bool sure);
	/* Queues a sign of life. */
	void (*keep_alive)(struct client *client);
};

extern const struct client_protocol client_mqtt, client_nats;

enum client_state { CLIENT_REACHING, CLIENT_GREETING, CLIENT_READY, CLIENT_FAILED };

struct client_goal {
	const struct client_protocol *protocol;
	struct sockaddr_in address;
	SSL_CTX *tls;
	/* An answer came to the one who counts. */
	void (*answered)(void *data);
	void *data;
};

struct client {
	const struct client_goal *goal;
	int number; /* 0: publishes and counts */
	enum client_state state;
	struct line line;
	struct buf in, out;
	struct buf stream; /* of a protocol inside frames */
	bool framed;
	int64_t started_us;
	char problem[160];
};

void client_start(struct client *client, const struct client_goal *goal, int number);
void client_step(struct client *client);
void client_end(struct client *client);

/* For protocols. */
const char *client_topic(const struct client *client); /* that it subscribes to */
void client_send(struct client *client, const void *bytes, size_t len);
void client_ready(struct client *client); /* connected and subscribed */
void client_received(struct client *client, bool sure);

#endif
