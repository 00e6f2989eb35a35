#include "agent/backoff.h"

#include <sodium.h>

#define ASKED_MOST_MS   INT64_C(3600000) /* a hub may ask for patience, not for good-bye */
#define ASKED_SPREAD_MS 1000             /* Retry-After counts in seconds */

void backoff_reset(struct backoff *backoff)
{
	backoff->bound_ms = 0;
}

int64_t backoff_spread(int64_t most_ms)
{
	if (most_ms <= 0)
		return 0;
	return randombytes_uniform(most_ms < UINT32_MAX ? (uint32_t)most_ms + 1 : UINT32_MAX);
}

int64_t backoff_next(struct backoff *backoff)
{
	int64_t bound = backoff->bound_ms ? backoff->bound_ms : backoff->base_ms;
	if (bound > backoff->cap_ms)
		bound = backoff->cap_ms;
	backoff->bound_ms = bound * 2;
	return backoff_spread(bound);
}

static int64_t wait_as_asked(int64_t asked_ms)
{
	int64_t wait = asked_ms < ASKED_MOST_MS ? asked_ms : ASKED_MOST_MS;
	return wait + backoff_spread(wait / 4 > ASKED_SPREAD_MS ? wait / 4 : ASKED_SPREAD_MS);
}

int64_t backoff_wait(struct backoff *backoff, int64_t retry_after_ms, int64_t restart_delay_ms)
{
	if (restart_delay_ms > 0)
		return backoff_spread(restart_delay_ms);
	return retry_after_ms > 0 ? wait_as_asked(retry_after_ms) : backoff_next(backoff);
}
