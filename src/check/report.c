#include "check/report.h"

#include <string.h>

static const struct report_format formats[] = {
	{"text", report_text}, {"json", report_json}, {"junit", report_junit}};

const struct report_format *report_format_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}
