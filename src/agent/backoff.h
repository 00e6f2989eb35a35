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
/* The wait when the hub had a wish, else the next one; 0 stands for no wish, and a wish leaves the
 * bound as it is. `retry_after_ms`: at least as long, an hour at most, and up to a quarter more, so
 * that those who were asked for the same do not come together. `restart_delay_ms`: anything up to
 * it. */
int64_t backoff_wait(struct backoff *backoff, int64_t retry_after_ms, int64_t restart_delay_ms);
/* Anything from 0 to most_ms. */
int64_t backoff_spread(int64_t most_ms);

#endif
