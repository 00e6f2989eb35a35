/*
 * swarm: many machines in one process, for measuring a hub.
 *
 *     swarm HOST:PORT COUNT [TOKEN-FILE]
 *
 * Connects COUNT peers, at most 64 under way at once; with tokens (a line each, shared out evenly)
 * each enrols and stays: it beats its heart, answers jobs, and comes back with an agent's backoff
 * when the hub goes. Without them each only shakes hands (TLS) and stays. When all are there it
 * prints one JSON line {"online","failed","seconds","median_ms","p99_ms"}.
 *
 * Then it holds them until its standard input ends, and answers what it reads there, a JSON line
 * each: `status`; `answers`, when the end of each run was confirmed; `curve`, how many were online
 * over time; `reasons`, why attempts and sessions ended; `clear` forgets all three. A peer that
 * fails is counted; the first one's reason is told on stderr.
 */
#include "asked.h"
#include "base/clock.h"
#include "base/file.h"
#include "swarm/peer.h"
#include "tally.h"
#include "wire/tls.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define UNDER_WAY_MAX 64
#define EVENTS        256
#define TICK_MS       5 /* how exact times are kept */
#define TOKENS_MAX    16

struct swarm {
	struct peer_goal goal;
	struct join_token tokens[TOKENS_MAX];
	struct peer *peers;
	int64_t *dues_us; /* of each peer, side by side, to be looked through quickly */
	struct tally tally;
	struct asked asked;
	int count, started;
	int epoll;
	int64_t began_us, ticked_us;
	bool reported;
};

static void on_confirmed(void *data)
{
	struct swarm *swarm = data;
	tally_answer(&swarm->tally, clock_mono_us());
}

/* --- one peer ------------------------------------------------------------------------------ */

static void note_failure(struct swarm *swarm, const struct peer *peer)
{
	if (swarm->tally.failed++ == 0)
		fprintf(stderr, "swarm: %s\n", peer->problem);
}

/* Counts what a step changed, and waits for what comes next. */
static void settle(struct swarm *swarm, struct peer *peer, enum peer_state before, bool was_there)
{
	bool is_online = peer->state == PEER_ONLINE;
	if (is_online && !was_there)
		tally_arrival(&swarm->tally, peer->started_us);
	if (is_online != (before == PEER_ONLINE))
		tally_online(&swarm->tally, is_online ? 1 : -1, clock_mono_us());
	if (peer->state == PEER_FAILED && before != PEER_FAILED)
		note_failure(swarm, peer);
	line_watch(&peer->line, swarm->epoll, peer);
	swarm->dues_us[peer->number] = peer_due_us(peer);
}

/* Has it been there before? Without a token it arrives once. */
static bool was_there(const struct peer *peer)
{
	return peer->joined || (!peer->goal->token_count && peer->state == PEER_ONLINE);
}

static void step(struct swarm *swarm, struct peer *peer)
{
	enum peer_state before = peer->state;
	bool there = was_there(peer);
	peer_step(peer);
	settle(swarm, peer, before, there);
}

static void on_ended(void *data, const char *reason)
{
	struct swarm *swarm = data;
	tally_reason(&swarm->tally, reason);
}

static int there_or_failed(const struct swarm *swarm)
{
	return (int)swarm->tally.arrived + swarm->tally.failed;
}

static void start_more(struct swarm *swarm)
{
	while (
		swarm->started < swarm->count && swarm->started - there_or_failed(swarm) < UNDER_WAY_MAX) {
		struct peer *peer = &swarm->peers[swarm->started];
		peer_init(peer, &swarm->goal, swarm->started++);
		peer_start(peer);
		settle(swarm, peer, PEER_WAITING, false);
	}
}

static void tick(struct swarm *swarm)
{
	int64_t now_us = clock_mono_us();
	if (now_us - swarm->ticked_us < TICK_MS * INT64_C(1000))
		return;
	swarm->ticked_us = now_us;
	for (int i = 0; i < swarm->started; i++) {
		struct peer *peer = &swarm->peers[i];
		if (swarm->dues_us[i] > now_us)
			continue;
		enum peer_state before = peer->state;
		bool there = was_there(peer);
		peer_tick(peer, now_us);
		settle(swarm, peer, before, there);
	}
}

/* --- what is asked on the standard input ---------------------------------------------------- */

static void say_status(void *data)
{
	struct swarm *swarm = data;
	tally_print_status(&swarm->tally, stdout);
}

static void say_answers(void *data)
{
	struct swarm *swarm = data;
	tally_print_answers(&swarm->tally, stdout);
}

static void say_curve(void *data)
{
	struct swarm *swarm = data;
	tally_print_curve(&swarm->tally, stdout);
}

static void say_reasons(void *data)
{
	struct swarm *swarm = data;
	tally_print_reasons(&swarm->tally, stdout);
}

static void clear(void *data)
{
	struct swarm *swarm = data;
	tally_clear(&swarm->tally);
	say_status(swarm);
}

static const struct asked_row questions[] = {{"status", say_status}, {"answers", say_answers},
	{"curve", say_curve}, {"reasons", say_reasons}, {"clear", clear}};

/* --- all of them ---------------------------------------------------------------------------- */

static void run(struct swarm *swarm)
{
	struct epoll_event events[EVENTS];
	swarm->began_us = clock_mono_us();
	for (;;) {
		start_more(swarm);
		if (!swarm->reported && there_or_failed(swarm) >= swarm->count) {
			swarm->reported = true;
			tally_print_arrivals(&swarm->tally, swarm->began_us, stdout);
			if (!asked_watch(swarm->epoll))
				return; /* a file or /dev/null: nobody will say when to end */
		}
		int ready = epoll_wait(swarm->epoll, events, EVENTS, TICK_MS);
		for (int i = 0; i < ready; i++) {
			if (events[i].data.ptr)
				step(swarm, events[i].data.ptr);
			else if (!asked_read(&swarm->asked, questions, ARRAY_LEN(questions), swarm))
				return;
		}
		tick(swarm);
	}
}

static int read_tokens(struct swarm *swarm, const char *path)
{
	cleanup(buf_free) struct buf text = {0};
	struct err err;
	char *rest = NULL;
	if (file_read(path, (size_t)TOKENS_MAX * (TOKEN_MAX_TEXT + 1), &text, &err)) {
		fprintf(stderr, "swarm: %s\n", err.text);
		return -1;
	}
	for (char *line = strtok_r(text.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (swarm->goal.token_count == TOKENS_MAX ||
			token_decode(line, &swarm->tokens[swarm->goal.token_count++], &err)) {
			fprintf(stderr, "swarm: %s: a token a line, %d at most\n", path, TOKENS_MAX);
			return -1;
		}
	}
	swarm->goal.tokens = swarm->tokens;
	return swarm->goal.token_count ? 0 : -1;
}

static void end(struct swarm *swarm)
{
	for (int i = 0; i < swarm->started; i++)
		peer_end(&swarm->peers[i]);
	close(swarm->epoll);
	tally_free(&swarm->tally);
	free(swarm->peers);
	free(swarm->dues_us);
	SSL_CTX_free(swarm->goal.tls);
}

int main(int argc, char **argv)
{
	struct swarm swarm = {0};
	if (argc < 3 || line_address(argv[1], &swarm.goal.address) ||
		(swarm.count = atoi(argv[2])) < 1) {
		fprintf(stderr, "usage: swarm IPV4:PORT COUNT [TOKEN-FILE]\n");
		return 2;
	}
	if (sodium_init() < 0 || (argc > 3 && read_tokens(&swarm, argv[3])))
		return 1;
	signal(SIGPIPE, SIG_IGN);
	line_raise_file_limit();
	swarm.goal.tls = line_context(WIRE_TLS_OFFERED);
	swarm.goal.peers = swarm.count;
	swarm.goal.confirmed = on_confirmed;
	swarm.goal.ended = on_ended;
	swarm.goal.data = &swarm;
	swarm.peers = xcalloc((size_t)swarm.count, sizeof *swarm.peers);
	swarm.dues_us = xcalloc((size_t)swarm.count, sizeof *swarm.dues_us);
	swarm.epoll = epoll_create1(EPOLL_CLOEXEC);
	run(&swarm);
	bool any_failed = swarm.tally.failed > 0;
	end(&swarm);
	return any_failed ? 1 : 0;
}
