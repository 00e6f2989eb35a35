#include "agent/backoff.h"

#include <sodium.h>

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
