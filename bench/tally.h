/*
 * What many clients in one process count, and when: who is online over time, which answers came.
 *
 * Times are the monotonic clock's, in milliseconds, as Python's time.monotonic() * 1000.
 */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TALLY_CURVE_US 50000 /* points of the curve that are nearer to each other become one */

struct tally_point {
	int64_t at_us;
	int online;
};

#define TALLY_REASONS 16

struct tally_reason {
	char text[96];
	size_t count;
};

struct tally {
	int online, failed;
	int64_t *answers_us; /* owned */
	size_t answer_count, answer_room;
	struct tally_point *curve; /* owned */
	size_t curve_count, curve_room;
	struct tally_reason reasons[TALLY_REASONS]; /* the last counts whatever has no place */
	double *took_ms; /* owned; how long each needed to be there for the first time */
	size_t arrived, took_room;
};

void tally_arrival(struct tally *tally, int64_t started_us);
void tally_answer(struct tally *tally, int64_t now_us);
void tally_online(struct tally *tally, int change, int64_t now_us);
void tally_reason(struct tally *tally, const char *text);
/* Forgets answers, curve and reasons. */
void tally_clear(struct tally *tally);
void tally_free(struct tally *tally);

/* A JSON line each:
 * {"online", "failed", "seconds", "median_ms", "p99_ms"}, of those that have arrived
 * {"online", "failed", "answers", "at_ms"}, how many there are now
 * {"answers_ms": [...]}
 * {"curve": [[ms, online], ...]}
 * {"reasons": {text: count}} */
void tally_print_arrivals(struct tally *tally, int64_t began_us, FILE *out);
void tally_print_status(const struct tally *tally, FILE *out);
void tally_print_answers(const struct tally *tally, FILE *out);
void tally_print_curve(const struct tally *tally, FILE *out);
void tally_print_reasons(const struct tally *tally, FILE *out);

/* The value that a share (0 to 1) of the values does not exceed; 0 for none. Sorts them. */
double tally_share(double *values, size_t count, double share);

#endif
