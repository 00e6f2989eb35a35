#include "hub/net/admission.h"

#define SHARE_PERCENT  80 /* of the time is for those who come; the rest is for other work */
#define MOSTLY_PERCENT 70
#define PACE_LEAST_US  50
#define PACE_MOST_US   1000000
#define SECOND_US      INT64_C(1000000)

void admission_init(struct admission *admission)
{
	atomic_init(&admission->pace_us, ADMISSION_PACE_US);
	atomic_init(&admission->booked_us, 0);
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Loops, core and processors each can be the narrowest place. */
static int64_t busiest_us(const struct admission_sample *sample)
{
	int64_t loops = sample->loops_us / sample->loops;
	int64_t all = (sample->loops_us + sample->core_us) / sample->cores;
	return larger(larger(loops, sample->core_us), all);
}

void admission_measured(struct admission *admission, const struct admission_sample *sample)
{
	int64_t before = atomic_load_explicit(&admission->pace_us, memory_order_relaxed);
	int64_t busy = busiest_us(sample);
	if (sample->count < ADMISSION_LEAST)
		return;
	int64_t pace = busy * 100 / SHARE_PERCENT / sample->count;
	pace = pace < PACE_LEAST_US ? PACE_LEAST_US : pace > PACE_MOST_US ? PACE_MOST_US : pace;
	if (pace > before && busy < sample->passed_us * MOSTLY_PERCENT / 100)
		return;
	atomic_store_explicit(&admission->pace_us, (3 * before + pace) / 4, memory_order_relaxed);
}

int admission_book(struct admission *admission, size_t waiting, int64_t now_us)
{
	int64_t pace = atomic_load_explicit(&admission->pace_us, memory_order_relaxed);
	int64_t free_us = now_us + (int64_t)waiting * pace;
	int64_t booked = atomic_load(&admission->booked_us), place;
	do {
		place = larger(booked, free_us) + pace;
		if (place - now_us > ADMISSION_MAX_RETRY_S * SECOND_US)
			place = now_us + ADMISSION_MAX_RETRY_S * SECOND_US;
	} while (!atomic_compare_exchange_weak(&admission->booked_us, &booked, place));
	return (int)((place - now_us + SECOND_US - 1) / SECOND_US);
}

int64_t admission_spread_ms(const struct admission *admission, int64_t fleet)
{
	return fleet * atomic_load_explicit(&admission->pace_us, memory_order_relaxed) / 1000;
}
