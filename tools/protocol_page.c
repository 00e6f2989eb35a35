/* Prints docs/protocol.md's tables from wire/messages.def; a test compares the page with it. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct row {
	const char *member, *kind;
	long max;
	bool required;
	const char *doc;
};

static void print_row(const struct row *row)
{
	char bound[48] = "";
	if (strcmp(row->kind, "TEXT") == 0)
		snprintf(bound, sizeof bound, "at most %ld bytes", row->max);
	else if (strcmp(row->kind, "BYTES") == 0)
		snprintf(bound, sizeof bound, "exactly %ld bytes", row->max);
	else if (strcmp(row->kind, "INT") == 0)
		snprintf(bound, sizeof bound, "0 to %ld", row->max);
	printf("| `%s` | %s | %s | %s | %s |\n", row->member, row->kind, bound,
		row->required ? "yes" : "no", row->doc);
}

static void print_message(
	const char *method, const char *from, const char *kind, const char *doc, const struct row *rows)
{
	bool from_agent = strcmp(from, "AGENT") == 0;
	printf("\n### %s: %s, %s\n\n%s\n", method,
		strcmp(kind, "RESULT") == 0    ? "result"
		: strcmp(kind, "REQUEST") == 0 ? "request"
									   : "notification",
		from_agent ? "agent to hub" : "hub to agent", doc);
	if (rows->member)
		printf("\n| member | kind | bound | required | what it holds |\n|---|---|---|---|---|\n");
	for (; rows->member; rows++)
		print_row(rows);
}

int main(void)
{
	printf("## Messages\n");
#define MESSAGE(name, method, from, kind, doc)                                                     \
	{                                                                                              \
		static const char *const head[] = {method, #from, #kind, doc};                             \
		static const struct row rows[] = {
#define FIELD(name, member, kind, max, required, doc) {#member, #kind, max, required, doc},
#define END(name)                                                                                  \
	{                                                                                              \
		NULL, NULL, 0, false, NULL                                                                 \
	}                                                                                              \
	}                                                                                              \
	;                                                                                              \
	print_message(head[0], head[1], head[2], head[3], rows);                                       \
	}
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END
	printf("\n## Errors\n\n| code | cause that the agent names | message |\n|---|---|---|\n");
#define REFUSAL(symbol, code, cause, text)                                                         \
	{                                                                                              \
		const char *named = cause;                                                                 \
		printf("| %d | %s | %s |\n", code, named ? named : "none", text);                          \
	}
#include "wire/messages.def"
#undef REFUSAL
	return 0;
}
