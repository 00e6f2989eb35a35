#include "connector/ending.h"

#include <string.h>

int ending_set(struct ending *ending, enum outcome outcome)
{
	ending_free(ending);
	ending->outcome = outcome;
	return -1;
}

void ending_reason(struct ending *ending, const char *text)
{
	cleanup(free_ptr) char *line = xstrdup(text);
	size_t len = strlen(line);
	while (len && strchr(" \t\r\n.", line[len - 1]))
		line[--len] = '\0';
	for (char *at = line; (at = strpbrk(at, "\t\r\n"));)
		*at = ' ';
	if (len)
		evidence_add(&ending->evidence, "reason", "%s", line);
}

void ending_free(struct ending *ending)
{
	evidence_free(&ending->evidence);
	json_decref(ending->details);
	free(ending->sentence);
	free(ending->remedy);
	*ending = (struct ending){.outcome = OUTCOME_NONE};
}
