/*
 * Plain requests to the hub, one after the other, on a connection apart from the session: the hub
 * has proved itself on it before anything is sent, and each request carries this machine's own
 * proof for that very connection (Sallyport-Proof, wire/upload.h).
 *
 * Where the upload endpoint cannot be had, discovery is asked once whether it has moved. Every call
 * blocks; a cancel ends it.
 *
 *     proven_connect() ( proven_ask() )* until it says 0, then proven_connect() anew; proven_free()
 *
 * or proven_insist(), which does both as often as it takes.
 */
#ifndef AGENT_PROVEN_H
#define AGENT_PROVEN_H

#include "agent/state.h"
#include "agent/way.h"
#include "dial/dial.h"
#include "dial/request.h"
#include "wire/upload.h"

struct proven {
	/* filled by the caller, borrowed */
	const char *root; /* may be NULL */
	const struct agent_paths *paths;
	struct agent_state *state;   /* it learns where the endpoint is */
	const struct cancel *cancel; /* may be NULL */

	/* its own; the rest zeroed by the caller */
	struct way way;
	struct dial_target target;
	struct walk walk; /* its connection is open while `connected`; its failure says why it is not */
	bool connected, moved, begun;
	char proof[UPLOAD_PROOF_SIZE];
	struct http_response response; /* of the last request */
};

/* Nothing happens when it is connected. -1 when the hub cannot be had, as walk.failure says, or the
 * cancel fired (walk.cancelled). */
int proven_connect(struct proven *proven);
/* The status of the answer, whose body is at most `max` bytes long; 0 when the connection is lost.
 * The headers of the request get the proof. */
int proven_ask(struct proven *proven, const struct request *request, size_t max);
/* The status of the answer, over connections that are lost and a hub that is busy, after `tries` at
 * most; `retry_ms` is the first wait between them (0: a second). 0 with err when it has none, and
 * then walk.failure has a cause where it was the way. A hub that cannot be had at the very first is
 * not tried again. */
int proven_insist(struct proven *proven, const struct request *request, size_t max, int tries,
	int64_t retry_ms, struct err *err);
/* What the hub says against it, of its problem details, printable and bounded. */
void proven_words(const struct proven *proven, struct err *err);
/* For how long the hub asks to wait with its 429 or 503; -1 when it does not. Milliseconds. */
int64_t proven_patience_ms(const struct proven *proven);
void proven_free(struct proven *proven);

#endif
