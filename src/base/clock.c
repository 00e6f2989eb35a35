#include "base/clock.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

int64_t clock_mono_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

double clock_ms_since(int64_t start_us)
{
	return (double)(clock_mono_us() - start_us) / 1000.0;
}

struct deadline deadline_in_ms(int64_t ms)
{
	return (struct deadline){clock_mono_us() + ms * 1000};
}

struct deadline deadline_never(void)
{
	return (struct deadline){INT64_MAX};
}

struct deadline deadline_sooner(struct deadline a, struct deadline b)
{
	return a.at_us < b.at_us ? a : b;
}

int deadline_left_ms(struct deadline deadline)
{
	if (deadline.at_us == INT64_MAX)
		return -1;
	int64_t left = (deadline.at_us - clock_mono_us() + 999) / 1000;
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

const char *clock_rfc3339(time_t when, char text[CLOCK_TEXT_SIZE])
{
	struct tm tm;
	if (!gmtime_r(&when, &tm) || !strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(text, CLOCK_TEXT_SIZE, "1970-01-01T00:00:00Z");
	return text;
}

/* The point in time, or -1 for a day or an hour that does not exist. A leap second is the one
 * before it. */
static int exact_time(struct tm *tm, time_t *when)
{
	if (tm->tm_sec == 60)
		tm->tm_sec = 59;
	const struct tm asked = *tm;
	*when = timegm(tm);
	return tm->tm_mon == asked.tm_mon && tm->tm_mday == asked.tm_mday &&
				   tm->tm_hour == asked.tm_hour && tm->tm_min == asked.tm_min &&
				   tm->tm_sec == asked.tm_sec
			   ? 0
			   : -1;
}

int clock_parse_rfc3339(const char *text, time_t *when)
{
	struct tm tm = {0};
	int used = 0;
	if (sscanf(text, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
			&tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 6 ||
		!used)
		return -1;
	const char *rest = text + used;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	long offset = 0;
	if (*rest == '+' || *rest == '-') {
		int hours = 0, minutes = 0, end = 0;
		if (sscanf(rest + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 || rest[1 + end] ||
			hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
			return -1;
		offset = (hours * 60L + minutes) * 60L * (*rest == '-' ? -1 : 1);
	} else if (strcmp(rest, "Z") != 0 && strcmp(rest, "z") != 0) {
		return -1;
	}
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (exact_time(&tm, when))
		return -1;
	*when -= offset;
	return 0;
}

int clock_parse_http(const char *text, time_t *when)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = {0};
	char month[4] = "";
	int end = 0;
	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month,
			&tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) != 6 ||
		!end)
		return -1;
	const char *found = strstr(months, month);
	if (!found || (found - months) % 3 || strlen(month) != 3)
		return -1;
	tm.tm_mon = (int)(found - months) / 3;
	tm.tm_year -= 1900;
	return exact_time(&tm, when);
}
