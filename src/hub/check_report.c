#include "hub/check_report.h"

#include "base/buf.h"
#include "base/json.h"
#include "store/summary.h"

#include <ctype.h>
#include <string.h>

#define SCHEMA       "sallyport.check/1"
#define MAX_SENTENCE 600
#define MAX_ID       64

static const char *const verdicts[] = {"pass", "fail", "degraded", "inconclusive"};

static const char *verdict_of(const json_t *report)
{
	const char *schema = json_get_text(report, "schema");
	const char *verdict = json_get_text(report, "verdict");
	if (!schema || strcmp(schema, SCHEMA) != 0 || !verdict)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		if (strcmp(verdicts[i], verdict) == 0)
			return verdicts[i];
	return NULL;
}

static json_t *cut_text(const json_t *object, const char *key, size_t size)
{
	char text[MAX_SENTENCE + 1];
	summary_take_text(text, size < sizeof text ? size : sizeof text, json_get_text(object, key));
	return json_string(text);
}

static char *causes_of(const json_t *report)
{
	const json_t *causes = json_object_get(report, "causes");
	cleanup(json_drop) json_t *list = json_array();
	for (size_t i = 0; i < json_array_size(causes) && i < CHECK_REPORT_MAX_CAUSES; i++) {
		const json_t *cause = json_array_get(causes, i);
		json_array_append_new(
			list, json_pack("{s:o, s:o, s:o}", "id", cut_text(cause, "id", MAX_ID), "severity",
					  cut_text(cause, "severity", 8), "sentence",
					  cut_text(cause, "sentence", MAX_SENTENCE + 1)));
	}
	return json_text(list);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "fail connect-refused dns-nxdomain": the causes in an order of their own, so that it does not
 * matter which was found first. */
static char *outcome_of(const char *verdict, const json_t *report)
{
	const json_t *causes = json_object_get(report, "causes");
	char ids[CHECK_REPORT_MAX_CAUSES][MAX_ID];
	const char *sorted[CHECK_REPORT_MAX_CAUSES];
	size_t count = 0;
	struct buf text = {0};
	for (; count < json_array_size(causes) && count < CHECK_REPORT_MAX_CAUSES; count++) {
		summary_take_text(ids[count], MAX_ID, json_get_text(json_array_get(causes, count), "id"));
		sorted[count] = ids[count];
	}
	qsort(sorted, count, sizeof *sorted, compare_texts);
	buf_puts(&text, verdict);
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, " %s", sorted[i]);
	return text.data;
}

static void replace(char **at, char *text)
{
	free(*at);
	*at = text;
}

static void take_profile(const json_t *report, struct store_check *row)
{
	const json_t *profile = json_object_get(report, "profile");
	char text[201];
	summary_take_text(text, sizeof text, json_get_text(profile, "title"));
	replace(&row->title, xstrdup(text));
	if (*row->requested_by)
		return;
	summary_take_text(text, MAX_ID + 1, json_get_text(profile, "id"));
	replace(&row->profile, xstrdup(strcmp(text, "hub") == 0 ? "" : text));
}

int check_report_take(const json_t *report, struct store_check *row)
{
	const char *verdict = verdict_of(report);
	if (!verdict)
		return -1;
	replace(&row->verdict, xstrdup(verdict));
	replace(&row->causes, causes_of(report));
	replace(&row->outcome, outcome_of(verdict, report));
	replace(&row->report, json_text(report));
	take_profile(report, row);
	return 0;
}

static bool ends_in(const char *text, const char *ending)
{
	size_t len = strlen(text), ending_len = strlen(ending);
	return len >= ending_len && strcmp(text + len - ending_len, ending) == 0;
}

bool check_profile_is_id(const char *text)
{
	size_t len = strlen(text);
	if (!len || len > MAX_ID || !isalnum((unsigned char)*text) || ends_in(text, ".yaml") ||
		ends_in(text, ".yml"))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
			return false;
	return true;
}
