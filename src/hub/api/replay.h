/*
 * Idempotency-Key: the answer to a POST is kept for a day and given again when the same caller
 * sends the same request with the same key.
 *
 * replay_begin() before the handler notes durably that the request has begun, so that nothing runs
 * twice, whatever crashes; replay_end() keeps an answer that changed something and forgets the
 * request otherwise. Answers may hold secrets (a new key, a token): they are sealed with a key that
 * comes from the hub's identity, which is not in the database.
 */
#ifndef HUB_API_REPLAY_H
#define HUB_API_REPLAY_H

#include "hub/net/exchange.h"

#define REPLAY_MAX_ANSWER 262144 /* bytes; of a longer one it is kept only that it was given */

/* 0: the handler runs. -1: answered, with the first answer or a problem. */
int replay_begin(struct exchange *exchange);
/* The handler has answered. */
void replay_end(struct exchange *exchange);
/* There will be no answer, and nothing was changed. */
void replay_forget(struct exchange *exchange);

#endif
