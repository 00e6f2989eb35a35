/*
 * How often to say "I am here", and what the ends of sessions say about the way (row B5).
 *
 * A box on the way that forgets idle connections takes every session whose heartbeats are further
 * apart than its limit. One such loss may be chance; two in a row, with a way that passes in
 * between, are an idle timeout: the heartbeats come closer together until sessions live, and are
 * let apart again, rarely and by halves of what is unknown, as far as they keep living. A proxy
 * that limits how long a connection may live shows by sessions that end at the same age although
 * heartbeats flow.
 *
 *     rhythm_pace() -> session -> rhythm_answered()* -> rhythm_ended() -> walk -> rhythm_walked()
 *
 * Knows no clock and no session: all is handed in, milliseconds throughout. What it has learnt
 * holds for one way (hub and proxy); rhythm_load() and rhythm_save() keep it over a restart of the
 * agent.
 */
#ifndef AGENT_RHYTHM_H
#define AGENT_RHYTHM_H

#include "agent/paths.h"
#include "agent/session.h"
#include "base/err.h"

#define RHYTHM_ENDS    3 /* as many in a row make a rule of what could be chance */
#define RHYTHM_MAX_WAY 600

/* How a session was when it ended. */
struct rhythm_end {
	enum cause cause;
	bool by_hub;       /* a close frame: it was no accident of the way */
	int64_t age_ms;    /* of the session */
	int64_t idle_ms;   /* nothing moved for this long before the heartbeat that was lost, or before
						* the  end where none was under way */
	int64_t lived_ms;  /* the longest that nothing moved before a heartbeat that was answered */
	int64_t answered;  /* heartbeats that were */
	bool awaited;      /* a heartbeat was under way when it ended */
	bool acknowledged; /* the hub's machine had it, so the way is sound */
};

struct rhythm {
	char *way;        /* owned; what all this was learnt on; NULL: nothing yet */
	int64_t lives_ms; /* the longest idle time that was survived there; 0: none known */
	int64_t dies_ms;  /* the shortest that was not; 0: none known */
	int64_t gap_ms;   /* the longest that heartbeats may now be apart; 0: as the hub asks */
	int64_t failed;   /* longer gaps that were tried in vain: each makes the next try rarer */
	bool closed;      /* idle connections were closed or reset, not silently forgotten */
	/* not kept on the disk */
	int64_t beats;                       /* answered since the gap was last changed */
	int64_t losses;                      /* at idle, in a row */
	struct rhythm_end ends[RHYTHM_ENDS]; /* the latest last */
	size_t end_count;
	int64_t cap_ms; /* the age at which sessions end; 0: at none */
};

/* What rhythm_ended() has to say. */
struct rhythm_word {
	enum cause cause; /* the end's own, or idle-timeout, or lifetime-cap */
	bool known;       /* it was named before: not news */
	bool changed;     /* what is worth keeping is another now */
};

/* Starts anew when this is another way than before. */
void rhythm_on_way(struct rhythm *rhythm, const char *way);
/* What the hub asks, with the heartbeat brought below what the way allows. */
void rhythm_pace(
	const struct rhythm *rhythm, const struct session_params *asked, struct session_params *paced);
/* A heartbeat was answered that came after nothing had moved for so long. True when the pace is
 * another now. */
bool rhythm_answered(struct rhythm *rhythm, const struct session_params *asked, int64_t idle_ms);
struct rhythm_word rhythm_ended(
	struct rhythm *rhythm, const struct session_params *asked, const struct rhythm_end *end);
/* The walk after it: one that fails explains the loss otherwise. */
void rhythm_walked(struct rhythm *rhythm, bool passed);
/* Gives a finding about the end the name of the word, with what is known as evidence. */
void rhythm_name(const struct rhythm *rhythm, const struct session_params *asked, enum cause cause,
	struct finding *over);
/* "between 4.5 and 5.0 s", NULL while no limit is known. Owned by the caller. */
char *rhythm_limit(const struct rhythm *rhythm);
void rhythm_free(struct rhythm *rhythm);

/* rhythm_file.c. A file that is missing or not understood is no knowledge. */
void rhythm_load(const struct agent_paths *paths, struct rhythm *rhythm);
int rhythm_save(const struct agent_paths *paths, const struct rhythm *rhythm, struct err *err);

#endif
