#include "hub/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>

#define MAX_LINE 1024

static enum log_level highest = LOG_DETAIL;

void log_set_level(enum log_level level)
{
	highest = level;
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[MAX_LINE];
	char time_text[CLOCK_TEXT_SIZE];
	if (level > highest)
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	for (char *at = line; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = ' ';
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", (int)level, line);
	else
		fprintf(stderr, "%s %s\n", clock_rfc3339(time(NULL), time_text), line);
}
