/*
 * Second looks at a handshake to which nothing came back: what has to change for it to pass?
 *
 * The walk is tried again with one factor changed at a time, all side by side: nothing changed
 * (twice: a fault that comes and goes, or one broken server of several behind an address, is no
 * filter), another name, no name, smaller segments, a smaller ClientHello. Only when the unchanged
 * tries fail like the walk does another one that passes say why:
 *
 *   smaller segments               mtu-black-hole
 *   a hello that fits in one       clienthello-split-intolerant
 *   another name, or none          sni-filtered
 *   none of them                   it stays what it was, and says what was tried
 *
 * Smaller segments come first, for a server may answer another name with a smaller certificate,
 * which passes a black hole; but segments so small that they cut the ClientHello hide the name
 * from a filter, so there the other name decides.
 */
#include "dial/again.h"

#include <arpa/inet.h>
#include <string.h>

#define LOOK_MS   2500
#define ENOUGH_MS 200 /* less shows nothing */

enum try_index { SAME, SAME_TOO, OTHER_NAME, NO_NAME, SAFE_MSS, LEAST_MSS, SMALL_HELLO, TRIES };

/* An endpoint whose system has taken all that was sent may merely be overloaded, and a fleet of
 * agents that comes back to it must not ask for seven handshakes where it asked for one. */
static bool must_spare(const struct walker *walker, const struct segments *seen)
{
	const struct dial_target *target = walker->target;
	bool comes_back = target->protocol == DIAL_HUB && !target->hub.check_only && !target->hub.token;
	return comes_back && seen->acknowledged && !seen->overtaken;
}

static int look_ms(const struct walker *walker)
{
	int left = deadline_left_ms(walker->options->overall);
	int ms = left < 0 || left / 3 * 2 > LOOK_MS ? LOOK_MS : left / 3 * 2;
	return walker->options->stage_ms && walker->options->stage_ms < ms ? walker->options->stage_ms
																	   : ms;
}

static bool passes(const struct again *try)
{
	return try->end == AGAIN_PASSED;
}

static bool answers(const struct again *try)
{
	return try->end == AGAIN_PASSED || try->end == AGAIN_ANSWERED;
}

static void add_tries(struct walker *walker, const struct again tries[TRIES])
{
	struct evidence *evidence = &walker->walk->failure.evidence;
	for (size_t i = SAME_TOO; i < TRIES; i++)
		if (tries[i].name)
			again_evidence(&tries[i], evidence);
	/* The two unchanged ones are one line. */
	int passed = answers(&tries[SAME]) + answers(&tries[SAME_TOO]);
	if (passed)
		evidence_add(evidence, tries[SAME].name, "%d of 2 tries %s", passed,
			passed == 1 ? "passes" : "pass");
}

static void blame(struct walker *walker, enum cause cause, enum confidence confidence)
{
	struct finding *failure = &walker->walk->failure;
	evidence_add(&failure->evidence, "met-as", "%s", cause_info(failure->cause)->id);
	finding_set(failure, cause, failure->stage, confidence);
}

static void blame_mtu(struct walker *walker, const struct segments *seen, int mss)
{
	struct evidence *evidence = &walker->walk->failure.evidence;
	evidence_add(evidence, "direction", "%s the %s", seen->acknowledged ? "from" : "to",
		walker->via_proxy ? "proxy" : "endpoint");
	evidence_add(evidence, "passing-mss", "%d", mss);
	evidence_add(evidence, "passing-mtu", "%d", mss + AGAIN_HEADERS);
	evidence_add(evidence, "passes-with", "a segment size (MSS) of %d", mss);
	blame(walker, CAUSE_MTU_BLACK_HOLE, CONFIDENCE_CERTAIN);
}

/* Somebody who does not even acknowledge the ClientHello stands before the endpoint's own TCP;
 * otherwise the endpoint may treat its names differently, too. */
static void blame_name(
	struct walker *walker, const struct segments *seen, const struct again tries[TRIES])
{
	struct evidence *evidence = &walker->walk->failure.evidence;
	bool other = answers(&tries[OTHER_NAME]);
	evidence_add(evidence, "sni", "%s", walker->target->host);
	evidence_add(evidence, "passes-with", "%s name in TLS (SNI)", other ? "another" : "no");
	blame(walker, CAUSE_SNI_FILTERED,
		seen->acknowledged || walker->via_proxy ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN);
}

static void blame_split(struct walker *walker)
{
	evidence_add(
		&walker->walk->failure.evidence, "passes-with", "a ClientHello that fits in one segment");
	blame(walker, CAUSE_CLIENTHELLO_SPLIT_INTOLERANT, CONFIDENCE_CERTAIN);
}

static void judge_tries(
	struct walker *walker, const struct segments *seen, const struct again tries[TRIES])
{
	bool in_pieces = seen->mss && walker->hello_size > seen->mss;
	bool other = answers(&tries[OTHER_NAME]);
	bool least_hides_name = walker->hello_size > AGAIN_MSS_LEAST && other;
	/* Without a name the ClientHello is smaller, which could be why it passes. */
	bool by_name = other || (answers(&tries[NO_NAME]) && !in_pieces);
	if (tries[SAME].end != AGAIN_FAILED || tries[SAME_TOO].end != AGAIN_FAILED)
		walker->walk->failure.confidence = CONFIDENCE_LIKELY;
	else if (passes(&tries[SAFE_MSS]))
		blame_mtu(walker, seen, AGAIN_MSS_SAFE);
	else if (passes(&tries[LEAST_MSS]) && !least_hides_name)
		blame_mtu(walker, seen, AGAIN_MSS_LEAST);
	else if (by_name)
		blame_name(walker, seen, tries);
	else if (answers(&tries[SMALL_HELLO]))
		blame_split(walker);
}

static void look(struct walker *walker, struct again tries[TRIES])
{
	struct finding *failure = &walker->walk->failure;
	struct segments seen;
	int ms = look_ms(walker);
	if (segments_look(walker, &seen) || must_spare(walker, &seen))
		return;
	if (ms < ENOUGH_MS) {
		failure->confidence = CONFIDENCE_LIKELY;
		evidence_add(&failure->evidence, "tried-again", "no: the deadline left no time for it");
		return;
	}
	if (walker->hello_size <= seen.mss)
		tries[SMALL_HELLO].name = NULL;
	again_run(walker, tries, TRIES, ms);
	if (cancel_fired(walker->options->cancel)) {
		walker->walk->cancelled = true;
		return;
	}
	add_tries(walker, tries);
	judge_tries(walker, &seen, tries);
}

void experiment_tls(struct walker *walker)
{
	char neutral[TOKEN_MAX_HOST + 1];
	struct in_addr address;
	struct again tries[TRIES] = {
		[SAME] = {.name = "tried-again"},
		[SAME_TOO] = {.name = "tried-again"},
		[OTHER_NAME] = {.name = "another-name", .changed = {.sni = neutral}},
		[NO_NAME] = {.name = "no-name", .changed = {.sni = ""}},
		[SAFE_MSS] = {.name = "mss-1200", .changed = {.mss = AGAIN_MSS_SAFE}},
		[LEAST_MSS] = {.name = "mss-536", .changed = {.mss = AGAIN_MSS_LEAST}},
		[SMALL_HELLO] = {.name = "small-clienthello", .changed = {.form = HELLO_SMALL}},
	};
	again_neutral_name(walker->target->host, neutral);
	if (inet_pton(AF_INET, walker->target->host, &address) == 1)
		tries[OTHER_NAME].name = tries[NO_NAME].name = NULL;
	/* What is lost without a word ends in silence, not in an answer. */
	if (walker->walk->failure.cause != CAUSE_TLS_STALLED)
		tries[SAFE_MSS].name = tries[LEAST_MSS].name = NULL;
	look(walker, tries);
}

/* What only smaller segments could change. */
static void look_at_segments(struct walker *walker)
{
	struct again tries[TRIES] = {
		[SAME] = {.name = "tried-again"},
		[SAME_TOO] = {.name = "tried-again"},
		[SAFE_MSS] = {.name = "mss-1200", .changed = {.mss = AGAIN_MSS_SAFE}},
		[LEAST_MSS] = {.name = "mss-536", .changed = {.mss = AGAIN_MSS_LEAST}},
	};
	look(walker, tries);
}

void experiment_unanswered(struct walker *walker)
{
	if (walker->unanswered && walker->target->protocol == DIAL_HTTPS)
		look_at_segments(walker);
}

void experiment_proxy_stalled(struct walker *walker)
{
	look_at_segments(walker);
}
