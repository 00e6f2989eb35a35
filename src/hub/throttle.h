/*
 * How often something may fail before it has to wait, by name: sign-ins by user and by address.
 *
 * After THROTTLE_FREE failures each further one doubles the wait, up to THROTTLE_MAX_S; a success
 * or THROTTLE_FORGET_S without failure clears it. The table is fixed: when it is full, the entry
 * that fails least recently goes.
 */
#ifndef HUB_THROTTLE_H
#define HUB_THROTTLE_H

#include <stdint.h>

#define THROTTLE_SLOTS    512
#define THROTTLE_FREE     5
#define THROTTLE_MAX_S    300
#define THROTTLE_FORGET_S 3600

struct throttle {
	struct {
		uint64_t key; /* hash of the name; 0 is empty */
		int failures;
		int64_t last;  /* seconds */
		int64_t until; /* wait until then */
	} slots[THROTTLE_SLOTS];
};

/* Seconds to wait before the next try, 0 for none. */
int64_t throttle_wait(const struct throttle *throttle, const char *name, int64_t now);
void throttle_failed(struct throttle *throttle, const char *name, int64_t now);
void throttle_succeeded(struct throttle *throttle, const char *name);

#endif
