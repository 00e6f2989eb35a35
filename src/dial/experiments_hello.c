/*
 * Deep looks at a path that a handshake has passed: would a larger ClientHello pass, too?
 *
 * The usual one fits in one segment; those of newer software, with post-quantum keys, do not. So it
 * is sent in two segments on purpose, and padded to more than one full segment. What fails twice
 * while the usual one passes again is a warning: two segments that nobody puts together, or full
 * segments that get lost, which an upload would meet next.
 */
#include "dial/again.h"

#define LOOK_MS   2500
#define ENOUGH_MS 1000
#define CUT       64 /* bytes: after the random value, before the name */

enum try_index { SAME, SPLIT, SPLIT_TOO, LARGE, LARGE_TOO, TRIES };
enum smaller_index { SAFE_MSS, LEAST_MSS, SMALLER };

static bool both_fail(const struct again *a, const struct again *b)
{
	return a->end == AGAIN_FAILED && b->end == AGAIN_FAILED;
}

/* Called off or not, the walk itself has passed. */
static bool over(const struct walker *walker)
{
	int left = deadline_left_ms(walker->options->overall);
	return cancel_fired(walker->options->cancel) || (left >= 0 && left < ENOUGH_MS);
}

static void warn_mtu(struct walker *walker, int mss)
{
	evidence_add(
		walker->evidence, "direction", "to the %s", walker->via_proxy ? "proxy" : "endpoint");
	evidence_add(walker->evidence, "passing-mss", "%d", mss);
	evidence_add(walker->evidence, "passing-mtu", "%d", mss + AGAIN_HEADERS);
	evidence_add(walker->evidence, "passes-with", "a segment size (MSS) of %d", mss);
	walker_warn(walker, CAUSE_MTU_BLACK_HOLE, CONFIDENCE_CERTAIN);
}

/* A large one that fails at every segment size is not liked by the endpoint itself: no warning. */
static void look_smaller(struct walker *walker)
{
	struct again tries[SMALLER] = {
		[SAFE_MSS] = {.name = "large-clienthello-mss-1200",
			.changed = {.form = HELLO_LARGE, .mss = AGAIN_MSS_SAFE}},
		[LEAST_MSS] = {.name = "large-clienthello-mss-536",
			.changed = {.form = HELLO_LARGE, .mss = AGAIN_MSS_LEAST}},
	};
	if (over(walker))
		return;
	again_run(walker, tries, SMALLER, LOOK_MS);
	for (size_t i = 0; i < SMALLER; i++)
		again_evidence(&tries[i], walker->evidence);
	if (tries[SAFE_MSS].end == AGAIN_PASSED)
		warn_mtu(walker, AGAIN_MSS_SAFE);
	else if (tries[LEAST_MSS].end == AGAIN_PASSED)
		warn_mtu(walker, AGAIN_MSS_LEAST);
}

void experiment_split_hello(struct walker *walker)
{
	struct again tries[TRIES] = {
		[SAME] = {.name = "tried-again"},
		[SPLIT] = {.name = "clienthello-in-two", .changed = {.split_at = CUT}},
		[SPLIT_TOO] = {.name = "clienthello-in-two", .changed = {.split_at = CUT}},
		[LARGE] = {.name = "large-clienthello", .changed = {.form = HELLO_LARGE}},
		[LARGE_TOO] = {.name = "large-clienthello", .changed = {.form = HELLO_LARGE}},
	};
	/* Inside the TLS of a proxy the pieces would be the proxy's. */
	bool hidden = walker->via_proxy && walker->options->proxy->scheme == PROXY_HTTPS;
	if (walker->walk->stages[STAGE_SECURE].status != STAGE_PASSED || hidden || over(walker))
		return;
	walker->stage = STAGE_SECURE;
	walker->evidence = &walker->walk->stages[STAGE_SECURE].evidence;
	again_run(walker, tries, TRIES, LOOK_MS);
	again_evidence(&tries[SPLIT], walker->evidence);
	again_evidence(&tries[LARGE], walker->evidence);
	if (tries[SAME].end != AGAIN_PASSED)
		return;
	if (both_fail(&tries[SPLIT], &tries[SPLIT_TOO])) {
		evidence_add(walker->evidence, "passes-with", "a ClientHello in one segment");
		walker_warn(walker, CAUSE_CLIENTHELLO_SPLIT_INTOLERANT, CONFIDENCE_CERTAIN);
	} else if (both_fail(&tries[LARGE], &tries[LARGE_TOO])) {
		look_smaller(walker);
	}
}
