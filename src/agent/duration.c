#include "agent/duration.h"

#include "base/mem.h"

#include <stdio.h>

const char *duration_words(int64_t ms, char text[DURATION_TEXT_SIZE])
{
	static const struct {
		int64_t from_s, unit_s;
		const char *unit, *below;
		int64_t below_s;
	} forms[] = {
		{86400, 86400, "d", "h", 3600}, {3600, 3600, "h", "min", 60}, {60, 60, "min", "s", 1}};
	int64_t seconds = ms / 1000;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (seconds < forms[i].from_s)
			continue;
		snprintf(text, DURATION_TEXT_SIZE, "%lld %s %lld %s",
			(long long)(seconds / forms[i].unit_s), forms[i].unit,
			(long long)(seconds % forms[i].unit_s / forms[i].below_s), forms[i].below);
		return text;
	}
	if (ms < 1000)
		snprintf(text, DURATION_TEXT_SIZE, "%lld ms", (long long)(ms < 0 ? 0 : ms));
	else
		snprintf(text, DURATION_TEXT_SIZE, "%.1f s", (double)ms / 1000.0);
	return text;
}
