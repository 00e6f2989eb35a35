/*
 * Which idle times to try, and what their outcomes mean.
 */
#include "dial/idle.h"

#include <stdio.h>
#include <string.h>

/* Common timeouts stand on these steps or between two of them: no two are further apart than a
 * factor of two. Seconds times 1000. */
static const int64_t ladder[] = {1000, 2000, 3000, 5000, 7500, 10000, 15000, 20000, 30000, 45000,
	60000, 90000, 120000, 180000, 240000, 300000, 450000, 600000, 900000, 1200000, 1800000, 2700000,
	3600000};

/* Two idle times that are nearer than this are told as one. */
#define NEAR_PERCENT 10
/* A second round divides what is between in steps of this. */
#define STEP_PERCENT 9

static bool near(int64_t shorter, int64_t longer)
{
	return longer * 100 <= shorter * (100 + NEAR_PERCENT);
}

static size_t first_round(int64_t lives_ms, int64_t most_ms, int64_t steps[IDLE_MAX_LINES])
{
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(ladder) && count < IDLE_MAX_LINES - 1; i++)
		if (ladder[i] > lives_ms && ladder[i] <= most_ms)
			steps[count++] = ladder[i];
	/* As long as there is time for: a deadline between two steps is used up too. */
	int64_t longest = count ? steps[count - 1] : lives_ms;
	if (most_ms > longest && !near(longest, most_ms))
		steps[count++] = most_ms;
	return count;
}

size_t idle_steps(int64_t lives_ms, int64_t dies_ms, int64_t most_ms, int64_t steps[IDLE_MAX_LINES])
{
	size_t count = 0;
	if (!dies_ms)
		return first_round(lives_ms, most_ms, steps);
	/* Where not even the shortest lived, a tenth of a second is as good as nothing. */
	int64_t at = lives_ms ? lives_ms : 100;
	while (count < IDLE_MAX_LINES && !near(at, dies_ms)) {
		at = at * (100 + STEP_PERCENT) / 100;
		if (at > most_ms || at >= dies_ms)
			break;
		steps[count++] = at;
	}
	return count;
}

void idle_conclude(const struct idle_outcome *outcomes, size_t count, struct idle_result *result)
{
	for (size_t i = 0; i < count; i++) {
		const struct idle_outcome *outcome = &outcomes[i];
		bool lived = outcome->fate == IDLE_FATE_LIVED || outcome->fate == IDLE_FATE_CLOSED;
		if (lived && outcome->idle_ms > result->lives_ms)
			result->lives_ms = outcome->idle_ms;
		if (outcome->fate == IDLE_FATE_CLOSED && outcome->idle_ms > result->closes_ms)
			result->closes_ms = outcome->idle_ms;
	}
	if (result->dies_ms && result->dies_ms <= result->lives_ms)
		result->dies_ms = 0;
	for (size_t i = 0; i < count; i++) {
		const struct idle_outcome *outcome = &outcomes[i];
		bool died = outcome->fate == IDLE_FATE_DIED || outcome->fate == IDLE_FATE_RESET;
		if (!died || outcome->idle_ms <= result->lives_ms ||
			(result->dies_ms && outcome->idle_ms >= result->dies_ms))
			continue;
		result->dies_ms = outcome->idle_ms;
		result->death = outcome->fate == IDLE_FATE_RESET ? IDLE_RESET : IDLE_SILENT;
	}
	if (result->dies_ms)
		result->verdict = IDLE_FORGOTTEN;
	else
		result->verdict = result->lives_ms ? IDLE_LIVES : IDLE_UNKNOWN;
}

/* One decimal says as much as was measured. */
static int decimals(int64_t ms)
{
	return ms < 60000 ? 1 : 0;
}

const char *idle_seconds(int64_t ms, char text[IDLE_TEXT_SIZE])
{
	snprintf(text, IDLE_TEXT_SIZE, "%.*f s", decimals(ms), (double)ms / 1000.0);
	return text;
}

const char *idle_limit(int64_t lives_ms, int64_t dies_ms, char text[IDLE_TEXT_SIZE])
{
	char dies[IDLE_TEXT_SIZE];
	idle_seconds(dies_ms, dies);
	char lives[IDLE_TEXT_SIZE];
	if (strcmp(idle_seconds(lives_ms, lives), dies) == 0)
		snprintf(text, IDLE_TEXT_SIZE, "about %.30s", dies);
	else if (lives_ms)
		snprintf(text, IDLE_TEXT_SIZE, "between %.*f and %.30s", decimals(lives_ms),
			(double)lives_ms / 1000.0, dies);
	else
		snprintf(text, IDLE_TEXT_SIZE, "less than %.30s", dies);
	return text;
}
