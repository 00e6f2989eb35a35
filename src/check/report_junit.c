/*
 * The report for CI systems: JUnit's XML, one test case a requirement. A warning is a passed case
 * with words, what is unknown or skipped is a skipped one.
 */
#include "check/report.h"

#include <string.h>

/* Control characters are gone already; U+FFFE and U+FFFF are all that XML 1.0 refuses besides. */
static void put_escaped(FILE *out, const char *text)
{
	static const struct {
		const char *from, *to;
	} escapes[] = {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"},
		{"\xef\xbf\xbe", "?"}, {"\xef\xbf\xbf", "?"}};
	while (*text) {
		size_t row = 0;
		while (row < ARRAY_LEN(escapes) &&
			   strncmp(text, escapes[row].from, strlen(escapes[row].from)) != 0)
			row++;
		if (row < ARRAY_LEN(escapes)) {
			fputs(escapes[row].to, out);
			text += strlen(escapes[row].from);
		} else {
			fputc(*text++, out);
		}
	}
}

static void put_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	put_escaped(out, value ? value : "");
	fputc('"', out);
}

static double seconds_of(const struct requirement *requirement)
{
	return requirement->walked   ? requirement->walk.elapsed_ms / 1000
		   : requirement->probed ? requirement->answer.ms / 1000
								 : 0;
}

static void put_cause(FILE *out, const char *element, const struct check_cause *cause)
{
	cleanup(free_ptr) char *sentence = finding_sentence(&cause->finding);
	cleanup(free_ptr) char *remedy = finding_remedy(&cause->finding);
	const struct cause_info *info = cause_info(cause->finding.cause);
	fprintf(out, "    <%s", element);
	if (strcmp(element, "failure") == 0) {
		put_attribute(out, "type", info->id);
		put_attribute(out, "message", sentence);
	}
	fputs(">", out);
	put_escaped(out, sentence);
	fprintf(out, "\n%s: ", info->who);
	put_escaped(out, remedy);
	for (size_t i = 0; i < cause->finding.evidence.count; i++) {
		fprintf(out, "\n%s: ", cause->finding.evidence.items[i].name);
		put_escaped(out, cause->finding.evidence.items[i].value);
	}
	fprintf(out, "</%s>\n", element);
}

static void put_case(
	FILE *out, const struct check_result *result, const struct requirement *requirement)
{
	fputs("  <testcase", out);
	put_attribute(out, "classname", result->profile ? result->profile->id : "hub");
	put_attribute(out, "name", requirement->id);
	fprintf(out, " time=\"%.3f\">\n", seconds_of(requirement));
	const struct check_cause *cause =
		requirement->cause == CHECK_NO_CAUSE ? NULL : &result->causes[requirement->cause];
	if (requirement->status == REQUIREMENT_FAIL && !cause) {
		fputs("    <failure", out);
		put_attribute(out, "message", requirement->reason);
		fputs("/>\n", out);
	} else if (cause) {
		put_cause(out, requirement->status == REQUIREMENT_FAIL ? "failure" : "system-out", cause);
	} else if (requirement->status != REQUIREMENT_PASS) {
		fputs("    <skipped", out);
		put_attribute(out, "message", requirement->reason);
		fputs("/>\n", out);
	}
	fputs("  </testcase>\n", out);
}

void report_junit(FILE *out, const struct check_result *result, bool colour)
{
	char started[CLOCK_TEXT_SIZE];
	size_t failed = 0, skipped = 0;
	(void)colour;
	for (size_t i = 0; i < result->requirement_count; i++) {
		enum requirement_status status = result->requirements[i].status;
		failed += status == REQUIREMENT_FAIL;
		skipped += status == REQUIREMENT_UNKNOWN || status == REQUIREMENT_SKIPPED;
	}
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite", out);
	put_attribute(out, "name", result->profile ? result->profile->title : "The way to the hub");
	put_attribute(out, "hostname", result->host_name);
	put_attribute(out, "timestamp", clock_rfc3339(result->started_at, started));
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.3f\">\n",
		result->requirement_count, failed, skipped, result->elapsed_ms / 1000);
	for (size_t i = 0; i < result->requirement_count; i++)
		put_case(out, result, &result->requirements[i]);
	fputs("</testsuite>\n", out);
}
