/*
 * One simulated machine: it speaks the real protocol over real TLS, without blocking.
 *
 *     peer_init(), peer_start(), then peer_step() when its socket is ready and peer_tick() when
 *     peer_due_us() has passed, for ever; peer_end().
 *
 * It shares messages, proofs, frames, the session (heartbeats, questions) and the backoff with the
 * agent, but no walk: thousands of them live in one thread. Once it was online it comes back after
 * every end, as an agent does; before that, an attempt that fails is final, but for a hub that asks
 * for patience.
 */
#ifndef BENCH_SWARM_PEER_H
#define BENCH_SWARM_PEER_H

#include "agent/backoff.h"
#include "agent/session.h"
#include "line.h"
#include "swarm/work.h"
#include "wire/identity.h"
#include "wire/token.h"
#include "wire/ws.h"

enum peer_state {
	PEER_WAITING, /* for its first or its next attempt */
	PEER_REACHING,
	PEER_UPGRADING,
	PEER_PROVING,
	PEER_ONLINE, /* or, when the goal is TLS alone, secured */
	PEER_FAILED,
};

/* What all peers of a run share; borrowed. */
struct peer_goal {
	struct sockaddr_in address;
	SSL_CTX *tls;
	const struct join_token *tokens; /* shared out evenly; none: TLS alone */
	size_t token_count;
	int peers;
	/* The hub has confirmed the end of a run. */
	void (*confirmed)(void *data);
	/* An attempt or a session has ended, for this reason. */
	void (*ended)(void *data, const char *reason);
	void *data;
};

struct peer {
	const struct peer_goal *goal;
	int number;
	enum peer_state state;
	struct line line;
	struct ws *ws;
	struct identity identity;
	unsigned char instance[IDENTITY_INSTANCE_BYTES];
	unsigned char nonce[PROOF_NONCE_BYTES];
	unsigned char hub_key[IDENTITY_KEY_BYTES]; /* once it has proved itself */
	bool joined;                               /* it has been online */
	bool over;                                 /* this attempt has ended; noticed after the step */
	int64_t retry_after_ms;
	int64_t started_us; /* this attempt */
	int64_t due_us;     /* the next attempt, or the end of patience with this stage */
	struct session_params params;
	struct session session; /* while it is online */
	struct backoff backoff;
	struct work work;
	char problem[160]; /* of the last attempt that failed */
};

void peer_init(struct peer *peer, const struct peer_goal *goal, int number);
void peer_start(struct peer *peer);
void peer_step(struct peer *peer);
void peer_tick(struct peer *peer, int64_t now_us);
int64_t peer_due_us(const struct peer *peer);
void peer_end(struct peer *peer);

#endif
