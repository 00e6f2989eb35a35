/*
 * peers: many clients of a message broker in one process, to measure Mosquitto and NATS on the work
 * that swarm gives to a hub.
 *
 *     peers mqtt|nats IPV4:PORT COUNT
 *
 * A program of our own, for no client at hand holds 15,000 TLS connections in one process: the
 * benchmarks that come with the brokers use a thread or more for each, and a broker measured by
 * clients that starve would look slower than it is. It shares sockets, TLS and the counting with
 * swarm, so that both sides are measured by the same means.
 *
 * COUNT clients subscribe to one topic; one more publishes to it and counts the answers. At most 64
 * are under way at once. When all are there it prints {"online","failed","seconds","median_ms",
 * "p99_ms"} and answers what it reads on its standard input, a JSON line each: `publish` and
 * `publish sure` (acknowledged, MQTT's QoS 1) send one message to all and say when; `status`,
 * `answers` and `clear` as of swarm. It ends with its input.
 */
#include "asked.h"
#include "base/clock.h"
#include "peers/client.h"
#include "tally.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define UNDER_WAY_MAX 64
#define EVENTS        256
#define TURN_MS       200
#define ALIVE_US      INT64_C(50000000) /* sooner than the 60 s that were promised */

struct peers {
	struct client_goal goal;
	struct client *clients;
	struct tally tally;
	struct asked asked;
	int count, started;
	int epoll;
	int alive_next; /* whose sign of life is next */
	int64_t began_us, alive_us;
	bool reported;
};

static void on_answered(void *data)
{
	struct peers *peers = data;
	tally_answer(&peers->tally, clock_mono_us());
}

static void settle(struct peers *peers, struct client *client, enum client_state before)
{
	if (client->state == CLIENT_READY && before != CLIENT_READY) {
		tally_arrival(&peers->tally, client->started_us);
		tally_online(&peers->tally, 1, clock_mono_us());
	}
	if (client->state != CLIENT_FAILED) {
		line_watch(&client->line, peers->epoll, client);
		return;
	}
	if (before == CLIENT_READY)
		tally_online(&peers->tally, -1, clock_mono_us());
	if (before != CLIENT_FAILED && peers->tally.failed++ == 0)
		fprintf(stderr, "peers: %s\n", client->problem);
	client_end(client);
}

static void step(struct peers *peers, struct client *client)
{
	enum client_state before = client->state;
	client_step(client);
	settle(peers, client, before);
}

static int there_or_failed(const struct peers *peers)
{
	return (int)peers->tally.arrived + peers->tally.failed;
}

static void start_more(struct peers *peers)
{
	while (
		peers->started < peers->count && peers->started - there_or_failed(peers) < UNDER_WAY_MAX) {
		struct client *client = &peers->clients[peers->started];
		client_start(client, &peers->goal, peers->started++);
		settle(peers, client, CLIENT_REACHING);
	}
}

/* One after the other, so that all have had their turn within ALIVE_US. */
static void keep_alive(struct peers *peers)
{
	int64_t now_us = clock_mono_us();
	int due = (int)((double)(now_us - peers->alive_us) / (double)ALIVE_US * peers->count);
	if (due < 1)
		return;
	peers->alive_us = now_us;
	for (; due > 0; due--) {
		struct client *client = &peers->clients[peers->alive_next];
		peers->alive_next = (peers->alive_next + 1) % peers->count;
		if (client->state != CLIENT_READY)
			continue;
		peers->goal.protocol->keep_alive(client);
		step(peers, client);
	}
}

/* --- what is asked on the standard input ---------------------------------------------------- */

static void say_status(void *data)
{
	struct peers *peers = data;
	tally_print_status(&peers->tally, stdout);
}

static void say_answers(void *data)
{
	struct peers *peers = data;
	tally_print_answers(&peers->tally, stdout);
}

static void clear(void *data)
{
	struct peers *peers = data;
	tally_clear(&peers->tally);
	say_status(peers);
}

static void publish(struct peers *peers, bool sure)
{
	struct client *publisher = &peers->clients[0];
	tally_clear(&peers->tally);
	say_status(peers);
	peers->goal.protocol->publish(publisher, CLIENT_WORK, "echo what every machine shall do", sure);
	step(peers, publisher);
}

static void publish_plain(void *data)
{
	publish(data, false);
}

static void publish_sure(void *data)
{
	publish(data, true);
}

static const struct asked_row questions[] = {{"status", say_status}, {"answers", say_answers},
	{"clear", clear}, {"publish", publish_plain}, {"publish sure", publish_sure}};

/* --- all of them ---------------------------------------------------------------------------- */

static void run(struct peers *peers)
{
	struct epoll_event events[EVENTS];
	peers->began_us = peers->alive_us = clock_mono_us();
	for (;;) {
		start_more(peers);
		if (!peers->reported && there_or_failed(peers) >= peers->count) {
			peers->reported = true;
			tally_print_arrivals(&peers->tally, peers->began_us, stdout);
			if (!asked_watch(peers->epoll))
				return;
		}
		int ready = epoll_wait(peers->epoll, events, EVENTS, TURN_MS);
		for (int i = 0; i < ready; i++) {
			if (events[i].data.ptr)
				step(peers, events[i].data.ptr);
			else if (!asked_read(&peers->asked, questions, ARRAY_LEN(questions), peers))
				return;
		}
		keep_alive(peers);
	}
}

static const struct client_protocol *protocol_of(const char *name)
{
	static const struct client_protocol *const protocols[] = {&client_mqtt, &client_nats};
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (strcmp(protocols[i]->name, name) == 0)
			return protocols[i];
	return NULL;
}

int main(int argc, char **argv)
{
	struct peers peers = {.goal.answered = on_answered};
	if (argc != 4 || !(peers.goal.protocol = protocol_of(argv[1])) ||
		line_address(argv[2], &peers.goal.address) || (peers.count = atoi(argv[3])) < 1) {
		fprintf(stderr, "usage: peers mqtt|nats IPV4:PORT COUNT\n");
		return 2;
	}
	peers.count++; /* the one who publishes and counts */
	peers.goal.data = &peers;
	signal(SIGPIPE, SIG_IGN);
	line_raise_file_limit();
	peers.goal.tls = line_context(NULL);
	peers.clients = xcalloc((size_t)peers.count, sizeof *peers.clients);
	peers.epoll = epoll_create1(EPOLL_CLOEXEC);
	run(&peers);
	bool any_failed = peers.tally.failed > 0;
	for (int i = 0; i < peers.started; i++)
		if (peers.clients[i].state != CLIENT_FAILED)
			client_end(&peers.clients[i]);
	close(peers.epoll);
	free(peers.clients);
	tally_free(&peers.tally);
	SSL_CTX_free(peers.goal.tls);
	return any_failed ? 1 : 0;
}
