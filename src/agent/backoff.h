/*
 * How long to wait before the next attempt: full jitter, for ever.
 *
 * Each attempt doubles a bound, from base to cap, and the wait is anything between nothing and the
 * bound, so that a fleet that lost its hub in one moment comes back spread out. Only a session that
 * proved stable resets it. (Brooker, "Exponential Backoff And Jitter", 2015.)
 */
#ifndef AGENT_BACKOFF_H
#define AGENT_BACKOFF_H

#include <stdint.h>

#define BACKOFF_BASE_MS 1000
#define BACKOFF_CAP_MS  60000

struct backoff {
	int64_t base_ms;
	int64_t cap_ms;
	int64_t bound_ms; /* of the next wait; 0: base_ms */
};

void backoff_reset(struct backoff *backoff);
/* The wait before the next attempt, in milliseconds; doubles the bound. */
int64_t backoff_next(struct backoff *backoff);
/* Anything from 0 to most_ms. */
int64_t backoff_spread(int64_t most_ms);

#endif
