/*
 * How long an idle connection lives on the way to an endpoint (cause idle-timeout, row B5).
 *
 * Firewalls, NAT routers and proxies forget a connection that has been quiet for some time, and
 * what is sent on it afterwards vanishes or is reset. idle_measure() opens connections side by side
 * with dial_walk(), leaves each quiet for another time, then asks something harmless: what is
 * answered has lived, what is not has been forgotten. A second round between the longest that lived
 * and the shortest that did not brings the two within a tenth of each other, as far as the deadline
 * allows.
 *
 * The endpoint has limits of its own. It tells when it uses them (FIN, close_notify), a box that
 * forgets does not: a connection that is closed before it was asked anything has lived until then.
 *
 * The call blocks, and waits in one poll for all connections. It changes nothing at the endpoint:
 * an HTTPS server sees HEAD requests for "/", a hub sees checks that open no session.
 */
#ifndef DIAL_IDLE_H
#define DIAL_IDLE_H

#include "dial/dial.h"

#define IDLE_MAX_LINES 24

struct idle_plan {
	/* Borrowed: an endpoint that speaks HTTPS, or a hub (DIAL_HUB). */
	const struct dial_target *target;
	/* Borrowed; their `overall` bounds the whole measurement. */
	const struct dial_options *options;
	/* Told about once a second: how long the longest connection has been quiet, of how long it is
	 * to be. Milliseconds; may be NULL. */
	void (*on_progress)(void *data, int64_t idle_ms, int64_t of_ms);
	void *on_progress_data;
};

enum idle_verdict {
	IDLE_UNKNOWN,   /* nothing could be measured: `obstacle` */
	IDLE_LIVES,     /* nothing was forgotten within lives_ms */
	IDLE_FORGOTTEN, /* lives_ms was survived (0: nothing was), dies_ms was not */
};

/* How connections died. */
enum idle_death {
	IDLE_SILENT, /* no answer, no error */
	IDLE_RESET,  /* RST, once something was sent */
};

struct idle_result {
	enum idle_verdict verdict;
	enum idle_death death;
	int64_t lives_ms;    /* the longest idle time that was survived */
	int64_t dies_ms;     /* the shortest that was not */
	int64_t closes_ms;   /* the other end closed in order after this; 0: it did not */
	enum cause obstacle; /* why no connection came about; CAUSE_NONE: there was no time */
	bool cancelled;
	char *proxy; /* owned; on the way, NULL for none */
};

void idle_measure(const struct idle_plan *plan, struct idle_result *result);
void idle_result_free(struct idle_result *result);

/* "4.5 s", "120 s"; and what is known of a limit: "between 4.5 and 5.0 s", "less than 1.0 s" where
 * nothing lived. Into text, which is returned. */
#define IDLE_TEXT_SIZE 64
const char *idle_seconds(int64_t ms, char text[IDLE_TEXT_SIZE]);
const char *idle_limit(int64_t lives_ms, int64_t dies_ms, char text[IDLE_TEXT_SIZE]);

/* --- the arithmetic, for idle.c and its tests ------------------------------------------------- */

/* What became of one connection. */
enum idle_fate {
	IDLE_FATE_OPEN,   /* nothing yet */
	IDLE_FATE_LIVED,  /* it answered after idle_ms */
	IDLE_FATE_CLOSED, /* it was closed, unasked, after idle_ms */
	IDLE_FATE_DIED,   /* it did not answer after idle_ms */
	IDLE_FATE_RESET,  /* it was reset, when asked after idle_ms */
};

struct idle_outcome {
	enum idle_fate fate;
	int64_t idle_ms;
};

/* The idle times to try next, ascending, above what lived and below what died (0: nothing has),
 * none longer than most_ms. Returns how many; 0 when the answer is near enough or there is no time.
 */
size_t idle_steps(
	int64_t lives_ms, int64_t dies_ms, int64_t most_ms, int64_t steps[IDLE_MAX_LINES]);
/* Puts what the outcomes say into the result's verdict, death and times, beside what is there. One
 * that died although a longer one lived was lost, not forgotten. */
void idle_conclude(const struct idle_outcome *outcomes, size_t count, struct idle_result *result);

#endif
