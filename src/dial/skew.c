/*
 * The clock experiment: certificates seem expired or not yet valid. Is it they, or this machine's
 * clock? The peer's own time decides. When the dates are right at the peer's time, the clock is
 * wrong: certainly when it is off by a day or more, likely when it is less, since the peer's clock
 * may be off as well. Without a time to compare with, the certificate is only likely at fault.
 */
#include "dial/chain.h"

#include <stdio.h>
#include <stdlib.h>

#define MINUTE          60LL
#define HOUR            3600LL
#define DAY             86400LL
#define WORTH_A_VERDICT 120 /* clocks that agree this well are not to blame */

static const char *skew_words(long long seconds, char text[48])
{
	static const struct {
		long long at_least, unit;
		const char *word;
	} units[] = {
		{365 * DAY, 31556952, "year"}, /* 365.2425 days */
		{60 * DAY, 2629746, "month"},
		{DAY, DAY, "day"},
		{HOUR, HOUR, "hour"},
		{0, MINUTE, "minute"},
	};
	size_t i = 0;
	while (seconds < units[i].at_least)
		i++;
	long long count = (seconds + units[i].unit / 2) / units[i].unit;
	count = count ? count : 1;
	snprintf(text, 48, "%lld %s%s", count, units[i].word, count == 1 ? "" : "s");
	return text;
}

void clock_note(struct evidence *evidence, time_t peer_now)
{
	char text[48];
	long long ahead = (long long)time(NULL) - peer_now;
	if (llabs(ahead) < WORTH_A_VERDICT)
		evidence_add(evidence, "clock", "agrees");
	else
		evidence_add(evidence, "clock", "%s %s", skew_words(llabs(ahead), text),
			ahead > 0 ? "ahead" : "behind");
}

static void copy_dates(struct walker *walker)
{
	static const char *const names[] = {"subject", "issuer", "not-before", "not-after", "dated"};
	const struct evidence *secure = &walker->walk->stages[STAGE_SECURE].evidence;
	if (walker->evidence == secure)
		return;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = evidence_get(secure, names[i]);
		if (value)
			evidence_add(walker->evidence, names[i], "%s", value);
	}
}

int chain_fail_dates(struct walker *walker, const time_t *peer_now)
{
	const struct chain_seen *chain = &walker->chain;
	char text[CLOCK_TEXT_SIZE], words[48];
	time_t now = time(NULL);
	copy_dates(walker);
	evidence_add(walker->evidence, "local-time", "%s", clock_rfc3339(now, text));
	if (!peer_now)
		return walker_fail(walker, chain->date_cause, CONFIDENCE_LIKELY);
	long long ahead = (long long)now - *peer_now;
	long long off = llabs(ahead);
	bool right_for_peer = *peer_now >= chain->not_before && *peer_now <= chain->not_after;
	evidence_add(walker->evidence, "peer-time", "%s", clock_rfc3339(*peer_now, text));
	if (off < WORTH_A_VERDICT || !right_for_peer)
		return walker_fail(walker, chain->date_cause, CONFIDENCE_CERTAIN);
	evidence_add(walker->evidence, "skew", "%s", skew_words(off, words));
	return walker_fail(walker, ahead > 0 ? CAUSE_CLOCK_AHEAD : CAUSE_CLOCK_BEHIND,
		off >= DAY ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
}
