/*
 * How quickly machines can come (back) in, from what each has cost, and who is asked to come later.
 *
 * `pace_us` is the time between two machines that this hub keeps up while it goes on with its other
 * work: what loops and core were busy for, divided by those who came, with a reserve. Everything
 * that spreads a fleet over time follows from it: Retry-After, the delay of a restart, the base of
 * the backoff. Who is turned away is given a place in a row, so that those who honour it find room.
 */
#ifndef HUB_ADMISSION_H
#define HUB_ADMISSION_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define ADMISSION_PACE_US     2000    /* until it was measured */
#define ADMISSION_LEAST       16      /* machines in a measurement */
#define ADMISSION_BUSY_US     3000000 /* whoever would wait longer comes back later */
#define ADMISSION_MAX_RETRY_S 300

struct admission {
	_Atomic int64_t pace_us;
	_Atomic int64_t booked_us; /* the first time for which nobody was asked to come back */
};

/* What was busy while `count` machines came in: all loops together, and the core. Other work is in
 * it as well, so a cost above what is known counts only when the hub was busy for most of the time:
 * otherwise machines did not come more quickly because none wanted to. */
struct admission_sample {
	int64_t passed_us;
	int64_t loops_us, core_us;
	int64_t count;
	unsigned loops, cores;
};

void admission_init(struct admission *admission);
void admission_measured(struct admission *admission, const struct admission_sample *sample);
/* Seconds after which to come back, at least 1, for one more who is turned away while so many wait.
 * From any thread. */
int admission_book(struct admission *admission, size_t waiting, int64_t now_us);
/* Over how long a fleet of this size has to be spread so that it can be taken as it comes. */
int64_t admission_spread_ms(const struct admission *admission, int64_t fleet);

#endif
