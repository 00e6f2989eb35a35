/*
 * Two clocks and a deadline.
 *
 * Durations come from the monotonic clock, in milliseconds; what a person or another machine reads
 * comes from the wall clock, as RFC 3339 in UTC. A deadline is a point on the monotonic clock.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_TEXT_SIZE 32

struct deadline {
	int64_t at_us; /* monotonic microseconds; INT64_MAX means never */
};

int64_t clock_mono_us(void);
double clock_ms_since(int64_t start_us);

struct deadline deadline_in_ms(int64_t ms);
struct deadline deadline_never(void);
struct deadline deadline_sooner(struct deadline a, struct deadline b);
/* Milliseconds left, rounded up, 0 once it has passed; fits the timeout of poll(2): -1 is never. */
int deadline_left_ms(struct deadline deadline);

/* "2026-01-02T03:04:05Z" into text, which is returned. */
const char *clock_rfc3339(time_t when, char text[CLOCK_TEXT_SIZE]);
/* The reverse, for that form and for offsets and fractions; -1 when it is none. */
int clock_parse_rfc3339(const char *text, time_t *when);
/* The date of an HTTP header (RFC 9110 section 5.6.7, IMF-fixdate only); -1 when it is none. */
int clock_parse_http(const char *text, time_t *when);

#endif
