#include "agent/rhythm.h"

#include "agent/duration.h"
#include "dial/idle.h"

#include <string.h>

/* Heartbeats are never closer than this, or than a sixteenth of what the hub asks where its time is
 * compressed, or than a hub takes. */
#define FLOOR_MS       5000
#define FLOOR_SHARE    16
#define FLOOR_LEAST_MS 150

#define LOSSES_TO_NAME 2
/* Of what died, where nothing is known to live: limits are round numbers, and so are heartbeats. */
#define FIRST_PERCENT 45

/* A longer gap is tried after so many answered heartbeats, and twice as many after each failure. */
#define TRY_BEATS 200
/* Where the limit is known well, it is looked whether it still holds. */
#define DOUBT_BEATS    1500
#define PROVEN_BEATS   3 /* so many answers prove a gap */
#define MOST_DOUBLINGS 6

/* Two times are the same when they differ by no more than this. */
#define SAME_PERCENT  5
#define SAME_SLACK_MS 50
/* A limit is known well when its bounds are this near. */
#define NEAR_PERCENT 10
#define LEAST_CAP_MS 1000

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t asked_gap(const struct session_params *asked)
{
	return asked->heartbeat_ms + asked->heartbeat_jitter_ms;
}

static int64_t floor_ms(const struct session_params *asked)
{
	int64_t share = asked->heartbeat_ms / FLOOR_SHARE;
	int64_t floor = least(FLOOR_MS, share > FLOOR_LEAST_MS ? share : FLOOR_LEAST_MS);
	return least(floor, asked_gap(asked));
}

static bool near(int64_t shorter, int64_t longer)
{
	return longer * 100 <= shorter * (100 + NEAR_PERCENT);
}

/* --- pace ------------------------------------------------------------------------------------- */

static void forget(struct rhythm *rhythm)
{
	rhythm->lives_ms = rhythm->dies_ms = rhythm->gap_ms = 0;
	rhythm->failed = rhythm->beats = rhythm->losses = 0;
	rhythm->closed = false;
}

void rhythm_on_way(struct rhythm *rhythm, const char *way)
{
	if (rhythm->way && strcmp(rhythm->way, way) == 0)
		return;
	rhythm_free(rhythm);
	rhythm->way = xstrdup(way);
}

void rhythm_pace(
	const struct rhythm *rhythm, const struct session_params *asked, struct session_params *paced)
{
	*paced = *asked;
	if (!rhythm->gap_ms || rhythm->gap_ms >= asked_gap(asked))
		return;
	int64_t gap = rhythm->gap_ms > floor_ms(asked) ? rhythm->gap_ms : floor_ms(asked);
	paced->heartbeat_jitter_ms = least(asked->heartbeat_jitter_ms, gap / 10);
	paced->heartbeat_ms = gap - paced->heartbeat_jitter_ms;
}

static void set_gap(struct rhythm *rhythm, int64_t gap_ms)
{
	rhythm->gap_ms = gap_ms;
	rhythm->beats = 0;
}

static int64_t patience(const struct rhythm *rhythm, int64_t beats)
{
	return beats << least(rhythm->failed, MOST_DOUBLINGS);
}

/* The next longer gap, when its time has come; 0 when it has not. */
static int64_t longer_gap(const struct rhythm *rhythm)
{
	bool known_well =
		rhythm->dies_ms && rhythm->lives_ms && near(rhythm->lives_ms, rhythm->dies_ms);
	if (!rhythm->dies_ms) /* it is being doubted, and lives */
		return rhythm->beats >= PROVEN_BEATS ? rhythm->gap_ms * 2 : 0;
	if (known_well)
		return rhythm->beats >= patience(rhythm, DOUBT_BEATS) ? rhythm->dies_ms * 2 : 0;
	if (rhythm->beats < patience(rhythm, TRY_BEATS))
		return 0;
	return (rhythm->lives_ms + rhythm->dies_ms) / 2;
}

bool rhythm_answered(struct rhythm *rhythm, const struct session_params *asked, int64_t idle_ms)
{
	if (idle_ms > rhythm->lives_ms)
		rhythm->lives_ms = idle_ms;
	if (rhythm->losses && rhythm->end_count &&
		idle_ms >= rhythm->ends[rhythm->end_count - 1].idle_ms)
		rhythm->losses = 0;
	if (!rhythm->gap_ms)
		return false;
	if (rhythm->dies_ms && rhythm->dies_ms <= rhythm->lives_ms)
		rhythm->dies_ms = 0;
	rhythm->beats++;
	int64_t gap = longer_gap(rhythm);
	if (!gap)
		return false;
	if (rhythm->dies_ms && gap > rhythm->dies_ms)
		rhythm->dies_ms = 0;
	set_gap(rhythm, gap);
	if (gap >= asked_gap(asked) && !rhythm->dies_ms) {
		int64_t lives = rhythm->lives_ms, failed = rhythm->failed;
		forget(rhythm);
		rhythm->lives_ms = lives;
		rhythm->failed = failed;
	}
	return true;
}

/* --- ends ------------------------------------------------------------------------------------- */

/* Nothing like it was survived before: that the last of several silences was the longest by a
 * little is chance. */
static bool beyond(const struct rhythm_end *end)
{
	return end->answered == 0 || !near(end->lived_ms, end->idle_ms);
}

/* Silence, or a reset in answer to a heartbeat: what a box does that has forgotten. On a way that
 * is known to forget, all sessions say together what was survived. */
static bool lost_at_idle(
	const struct rhythm *rhythm, const struct rhythm_end *end, const struct session_params *paced)
{
	bool lost =
		end->cause == CAUSE_KEEPALIVE_LOST || (end->cause == CAUSE_PEER_RESET && !end->by_hub);
	bool longest = beyond(end) || (rhythm->gap_ms && end->idle_ms > rhythm->lives_ms);
	return lost && end->awaited && !end->acknowledged && longest &&
		   end->idle_ms * 2 >= asked_gap(paced);
}

/* It was ended from outside, and nobody said why. */
static bool cut(const struct rhythm_end *end)
{
	return (end->cause == CAUSE_PEER_CLOSED || end->cause == CAUSE_PEER_RESET) && !end->by_hub;
}

static bool cut_at_idle(const struct rhythm_end *end)
{
	return cut(end) && beyond(end);
}

static bool cut_in_traffic(const struct rhythm_end *end)
{
	return cut(end) && !beyond(end);
}

static void keep(struct rhythm *rhythm, const struct rhythm_end *end)
{
	if (rhythm->end_count == RHYTHM_ENDS)
		memmove(rhythm->ends, rhythm->ends + 1, (RHYTHM_ENDS - 1) * sizeof *end);
	else
		rhythm->end_count++;
	rhythm->ends[rhythm->end_count - 1] = *end;
}

/* All of the last ends are such, and this time is the same in all of them. */
static bool same_in_all(
	const struct rhythm *rhythm, bool (*such)(const struct rhythm_end *end), size_t offset)
{
	int64_t shortest = INT64_MAX, longest = 0;
	if (rhythm->end_count < RHYTHM_ENDS)
		return false;
	for (size_t i = 0; i < RHYTHM_ENDS; i++) {
		int64_t ms;
		memcpy(&ms, (const char *)&rhythm->ends[i] + offset, sizeof ms);
		if (!such(&rhythm->ends[i]))
			return false;
		shortest = least(shortest, ms);
		longest = ms > longest ? ms : longest;
	}
	return longest - shortest <= shortest * SAME_PERCENT / 100 + SAME_SLACK_MS;
}

/* An idle time that is now known to be too long: the gap comes below it. */
static void shorten(struct rhythm *rhythm, const struct session_params *asked, int64_t idle_ms)
{
	bool tried = rhythm->gap_ms && rhythm->lives_ms && idle_ms > rhythm->lives_ms;
	rhythm->failed += tried;
	if (!rhythm->dies_ms || idle_ms < rhythm->dies_ms)
		rhythm->dies_ms = idle_ms;
	if (rhythm->lives_ms >= rhythm->dies_ms)
		rhythm->lives_ms = 0;
	int64_t gap = rhythm->dies_ms * FIRST_PERCENT / 100;
	if (gap < floor_ms(asked))
		gap = floor_ms(asked);
	int64_t safe = rhythm->lives_ms * (100 - SAME_PERCENT) / 100;
	set_gap(rhythm, safe > gap ? safe : gap);
	rhythm->losses = 0;
}

static struct rhythm_word idle_word(
	struct rhythm *rhythm, const struct session_params *asked, int64_t idle_ms, bool closed)
{
	struct rhythm_word word = {
		.cause = CAUSE_IDLE_TIMEOUT, .known = rhythm->gap_ms != 0, .changed = true};
	rhythm->closed = closed;
	shorten(rhythm, asked, idle_ms);
	return word;
}

static struct rhythm_word cap_word(struct rhythm *rhythm, int64_t age_ms)
{
	struct rhythm_word word = {.cause = CAUSE_LIFETIME_CAP, .known = rhythm->cap_ms != 0};
	rhythm->cap_ms = age_ms;
	/* Sessions that had no time for a heartbeat looked as if idleness ended them. */
	if (rhythm->closed) {
		forget(rhythm);
		word.changed = true;
	}
	return word;
}

struct rhythm_word rhythm_ended(
	struct rhythm *rhythm, const struct session_params *asked, const struct rhythm_end *end)
{
	struct session_params paced;
	rhythm_pace(rhythm, asked, &paced);
	keep(rhythm, end);
	if (lost_at_idle(rhythm, end, &paced)) {
		/* What has lived before is not doubted for one loss, nor is a way that seemed sound. */
		bool at_once = rhythm->gap_ms && end->idle_ms > rhythm->lives_ms;
		rhythm->losses++;
		if (at_once || rhythm->losses >= LOSSES_TO_NAME)
			return idle_word(rhythm, asked, end->idle_ms, false);
		return (struct rhythm_word){.cause = end->cause};
	}
	rhythm->losses = 0;
	if (same_in_all(rhythm, cut_at_idle, offsetof(struct rhythm_end, idle_ms)) &&
		end->idle_ms >= LEAST_CAP_MS) {
		rhythm->end_count = 0;
		return idle_word(rhythm, asked, end->idle_ms, true);
	}
	if (cut_in_traffic(end) && end->age_ms >= LEAST_CAP_MS &&
		same_in_all(rhythm, cut, offsetof(struct rhythm_end, age_ms)))
		return cap_word(rhythm, end->age_ms);
	rhythm->cap_ms = 0;
	return (struct rhythm_word){.cause = end->cause};
}

void rhythm_walked(struct rhythm *rhythm, bool passed)
{
	if (passed)
		return;
	rhythm->losses = 0;
	rhythm->end_count = 0;
}

/* --- words ------------------------------------------------------------------------------------ */

char *rhythm_limit(const struct rhythm *rhythm)
{
	char text[IDLE_TEXT_SIZE];
	if (!rhythm->gap_ms || !rhythm->dies_ms)
		return NULL;
	return xstrdup(idle_limit(rhythm->lives_ms, rhythm->dies_ms, text));
}

static void name_idle(
	const struct rhythm *rhythm, const struct session_params *asked, struct evidence *evidence)
{
	struct session_params paced;
	char text[IDLE_TEXT_SIZE];
	rhythm_pace(rhythm, asked, &paced);
	evidence_add(
		evidence, "idle-timeout", "%s", idle_limit(rhythm->lives_ms, rhythm->dies_ms, text));
	if (rhythm->lives_ms)
		evidence_add(evidence, "lives", "%s", idle_seconds(rhythm->lives_ms, text));
	evidence_add(evidence, "dead-after", "%s", idle_seconds(rhythm->dies_ms, text));
	if (rhythm->closed)
		evidence_add(evidence, "idle-note", " and closes them");
	evidence_add(evidence, "heartbeat", "now every %s, the hub asks for %s",
		idle_seconds(paced.heartbeat_ms, text),
		idle_seconds(asked->heartbeat_ms, (char[IDLE_TEXT_SIZE]){0}));
}

void rhythm_name(const struct rhythm *rhythm, const struct session_params *asked, enum cause cause,
	struct finding *over)
{
	if (cause == over->cause)
		return;
	evidence_add(&over->evidence, "ended-by", "%s", cause_info(over->cause)->id);
	over->cause = cause;
	over->confidence = CONFIDENCE_LIKELY;
	if (cause == CAUSE_IDLE_TIMEOUT)
		name_idle(rhythm, asked, &over->evidence);
	else
		evidence_add(&over->evidence, "same-age", "%d sessions in a row", RHYTHM_ENDS);
}

void rhythm_free(struct rhythm *rhythm)
{
	free(rhythm->way);
	*rhythm = (struct rhythm){.way = NULL};
}
