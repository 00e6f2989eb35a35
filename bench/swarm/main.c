/*
 * swarm: many machines in one process, for measuring a hub.
 *
 *     swarm HOST:PORT COUNT [TOKEN-FILE]
 *
 * Connects COUNT peers, at most 64 under way at once; with a token each enrols and stays, beating
 * its heart; without one each only shakes hands (TLS) and stays. When all are there it prints one
 * JSON line {"online","failed","seconds","median_ms","p99_ms"} and holds them until its standard
 * input ends. A peer that fails is counted and its reason told once on stderr.
 */
#include "base/clock.h"
#include "base/file.h"
#include "swarm/peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sodium.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define UNDER_WAY_MAX 64
#define EVENTS        256

struct swarm {
	struct peer_goal goal;
	struct join_token token;
	struct peer *peers;
	double *took_ms; /* of those that are online */
	int count, started, online, failed;
	int epoll;
	int64_t began_us;
	bool reported;
};

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

static void report(struct swarm *swarm)
{
	double seconds = clock_ms_since(swarm->began_us) / 1000;
	qsort(swarm->took_ms, (size_t)swarm->online, sizeof *swarm->took_ms, compare);
	printf("{\"online\": %d, \"failed\": %d, \"seconds\": %.3f, \"median_ms\": %.1f, \"p99_ms\": "
		   "%.1f}\n",
		swarm->online, swarm->failed, seconds,
		swarm->online ? swarm->took_ms[swarm->online / 2] : 0,
		swarm->online ? swarm->took_ms[swarm->online * 99 / 100] : 0);
	fflush(stdout);
	swarm->reported = true;
}

static void watch(struct swarm *swarm, struct peer *peer, int operation)
{
	struct epoll_event event = {
		.data.ptr = peer, .events = EPOLLIN | (peer->wants_write ? (uint32_t)EPOLLOUT : 0)};
	epoll_ctl(swarm->epoll, operation, peer->fd, &event);
}

static void step(struct swarm *swarm, struct peer *peer)
{
	enum peer_state before = peer->state;
	enum peer_state after = peer_step(peer);
	if (before != PEER_ONLINE && after == PEER_ONLINE)
		swarm->took_ms[swarm->online++] = clock_ms_since(peer->started_us);
	if (after == PEER_FAILED) {
		if (swarm->failed++ == 0)
			fprintf(stderr, "swarm: %s\n", peer->problem);
		if (before == PEER_ONLINE)
			swarm->online--;
		peer_end(peer);
	} else {
		watch(swarm, peer, EPOLL_CTL_MOD);
	}
}

static void start_more(struct swarm *swarm)
{
	while (swarm->started < swarm->count &&
		   swarm->started - swarm->online - swarm->failed < UNDER_WAY_MAX) {
		struct peer *peer = &swarm->peers[swarm->started];
		peer_start(peer, &swarm->goal, swarm->started++);
		if (peer->state == PEER_FAILED) {
			swarm->failed++;
			fprintf(stderr, "swarm: %s\n", peer->problem);
			peer_end(peer);
		} else {
			watch(swarm, peer, EPOLL_CTL_ADD);
		}
	}
}

static void beat_hearts(struct swarm *swarm)
{
	int64_t now = clock_mono_us();
	for (int i = 0; i < swarm->started; i++) {
		struct peer *peer = &swarm->peers[i];
		if (peer->state == PEER_ONLINE && peer->ws && peer->heartbeat_due_us <= now) {
			peer_heartbeat(peer);
			watch(swarm, peer, EPOLL_CTL_MOD);
		}
	}
}

static void run(struct swarm *swarm)
{
	struct epoll_event stdin_event = {.events = EPOLLIN, .data.ptr = NULL};
	struct epoll_event events[EVENTS];
	swarm->began_us = clock_mono_us();
	bool stdin_watched = false;
	for (;;) {
		start_more(swarm);
		if (!swarm->reported && swarm->online + swarm->failed == swarm->count)
			report(swarm);
		if (swarm->reported && !stdin_watched) {
			stdin_watched = true;
			if (epoll_ctl(swarm->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &stdin_event))
				return; /* a file or /dev/null: nobody will say when to end */
		}
		int ready = epoll_wait(swarm->epoll, events, EVENTS, 200);
		for (int i = 0; i < ready; i++) {
			struct peer *peer = events[i].data.ptr;
			char byte;
			if (peer)
				step(swarm, peer);
			else if (read(STDIN_FILENO, &byte, 1) <= 0)
				return;
		}
		beat_hearts(swarm);
	}
}

static int read_token(struct swarm *swarm, const char *path)
{
	cleanup(buf_free) struct buf text = {0};
	struct err err;
	if (file_read(path, TOKEN_MAX_TEXT, &text, &err) ||
		token_decode(buf_text(&text), &swarm->token, &err)) {
		fprintf(stderr, "swarm: %s\n", err.text);
		return -1;
	}
	swarm->goal.token = &swarm->token;
	return 0;
}

static int read_address(struct swarm *swarm, const char *text)
{
	cleanup(free_ptr) char *host = xstrdup(text);
	char *colon = strchr(host, ':');
	if (!colon)
		return -1;
	*colon = '\0';
	swarm->goal.address.sin_family = AF_INET;
	swarm->goal.address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	return inet_pton(AF_INET, host, &swarm->goal.address.sin_addr) == 1 ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct swarm swarm = {0};
	struct rlimit files;
	if (argc < 3 || read_address(&swarm, argv[1]) || (swarm.count = atoi(argv[2])) < 1) {
		fprintf(stderr, "usage: swarm IPV4:PORT COUNT [TOKEN-FILE]\n");
		return 2;
	}
	if (sodium_init() < 0 || (argc > 3 && read_token(&swarm, argv[3])))
		return 1;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	swarm.goal.tls = SSL_CTX_new(TLS_client_method());
	/* Trust comes from the hub's proof, as for an agent that enrols. */
	SSL_CTX_set_verify(swarm.goal.tls, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_mode(swarm.goal.tls, SSL_MODE_RELEASE_BUFFERS);
	swarm.peers = xcalloc((size_t)swarm.count, sizeof *swarm.peers);
	swarm.took_ms = xcalloc((size_t)swarm.count, sizeof *swarm.took_ms);
	swarm.epoll = epoll_create1(EPOLL_CLOEXEC);
	run(&swarm);
	for (int i = 0; i < swarm.started; i++)
		if (swarm.peers[i].state != PEER_FAILED)
			peer_end(&swarm.peers[i]);
	close(swarm.epoll);
	free(swarm.peers);
	free(swarm.took_ms);
	SSL_CTX_free(swarm.goal.tls);
	return swarm.failed ? 1 : 0;
}
