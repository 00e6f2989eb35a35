/*
 * One simulated machine: it speaks the real protocol over real TLS, without blocking.
 *
 * peer_start(), then peer_step() whenever its socket is ready, until it is where its goal says;
 * peer_heartbeat() when its time has come; peer_end(). It shares messages, proofs and frames with
 * the agent (wire/), but no walk: thousands of them live in one thread.
 */
#ifndef BENCH_SWARM_PEER_H
#define BENCH_SWARM_PEER_H

#include "wire/identity.h"
#include "wire/token.h"
#include "wire/ws.h"

#include <netinet/in.h>
#include <openssl/ssl.h>

enum peer_state {
	PEER_CONNECTING,
	PEER_SECURING,
	PEER_UPGRADING,
	PEER_ENROLLING,
	PEER_ONLINE, /* or, when the goal is TLS alone, secured */
	PEER_FAILED,
};

/* What all peers of a run share; borrowed. */
struct peer_goal {
	struct sockaddr_in address;
	SSL_CTX *tls;
	const struct join_token *token; /* NULL: TLS alone */
};

struct peer {
	const struct peer_goal *goal;
	enum peer_state state;
	int fd;
	SSL *ssl;
	struct ws *ws;
	struct identity identity;
	unsigned char nonce[PROOF_NONCE_BYTES];
	int number;
	int64_t started_us;
	int64_t heartbeat_due_us;
	int64_t heartbeat_every_us;
	int64_t requests; /* ids used */
	bool wants_write;
	char problem[160];
};

void peer_start(struct peer *peer, const struct peer_goal *goal, int number);
enum peer_state peer_step(struct peer *peer);
void peer_heartbeat(struct peer *peer);
void peer_end(struct peer *peer);

#endif
