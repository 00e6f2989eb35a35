#include "check/changes.h"

#include "check/parts.h"

#include <string.h>

static char *affects_of(const struct check_result *result, const struct check_cause *cause)
{
	struct buf list = {0};
	for (size_t i = 0; i < cause->affects_count; i++)
		buf_printf(&list, "%s%s", i ? ", " : "", result->requirements[cause->affects[i]].id);
	return list.data ? list.data : xstrdup("");
}

static bool was_there(const struct changes *before, enum cause cause, const char *affects)
{
	for (size_t i = 0; i < before->cause_count; i++)
		if (before->causes[i].cause == cause && list_meets(before->causes[i].affects, affects))
			return true;
	return false;
}

static bool is_new(
	const struct changes *before, const struct check_result *now, const struct check_cause *cause)
{
	cleanup(free_ptr) char *affects = affects_of(now, cause);
	return !was_there(before, cause->finding.cause, affects);
}

static bool has_gone(const struct kept_cause *kept, const struct check_result *now)
{
	for (size_t i = 0; i < now->cause_count; i++) {
		cleanup(free_ptr) char *affects = affects_of(now, &now->causes[i]);
		if (now->causes[i].finding.cause == kept->cause && list_meets(kept->affects, affects))
			return false;
	}
	return true;
}

/* The status it had, or its own now when it is new. */
static enum requirement_status status_before(
	const struct changes *before, const struct requirement *requirement)
{
	for (size_t i = 0; i < before->requirement_count; i++)
		if (strcmp(before->requirements[i].id, requirement->id) == 0)
			return before->requirements[i].status;
	return requirement->status;
}

bool changes_since(const struct changes *before, const struct check_result *now)
{
	if (!before->any || before->verdict != now->verdict)
		return true;
	for (size_t i = 0; i < now->requirement_count; i++)
		if (status_before(before, &now->requirements[i]) != now->requirements[i].status)
			return true;
	for (size_t i = 0; i < now->cause_count; i++)
		if (is_new(before, now, &now->causes[i]))
			return true;
	for (size_t i = 0; i < before->cause_count; i++)
		if (has_gone(&before->causes[i], now))
			return true;
	return false;
}

static void print_cause(
	FILE *out, const struct check_cause *cause, const char *begin, const char *end)
{
	const struct cause_info *info = cause_info(cause->finding.cause);
	const char *passes = evidence_get(&cause->finding.evidence, "passes-with");
	cleanup(free_ptr) char *sentence = finding_sentence(&cause->finding);
	cleanup(free_ptr) char *remedy = finding_remedy(&cause->finding);
	fprintf(out, "  %snew%s   %s: %s\n", begin, end, info->id, sentence);
	fprintf(out, "        What to do (%s): %s\n", info->who, remedy);
	if (passes)
		fprintf(out, "        It passes with %s.\n", passes);
}

void changes_print(
	FILE *out, const struct changes *before, const struct check_result *now, bool colour)
{
	static const char *const paints[] = {[VERDICT_PASS] = "\033[32m",
		[VERDICT_FAIL] = "\033[1;31m",
		[VERDICT_DEGRADED] = "\033[33m",
		[VERDICT_INCONCLUSIVE] = "\033[33m"};
	char when[CLOCK_TEXT_SIZE];
	const char *end = colour ? "\033[0m" : "";
	fprintf(out, "%s  %s%s%s", clock_rfc3339(now->started_at, when),
		colour ? paints[now->verdict] : "", check_verdict_name(now->verdict), end);
	if (before->any && before->verdict != now->verdict)
		fprintf(out, " (was %s)", check_verdict_name(before->verdict));
	fputc('\n', out);
	for (size_t i = 0; i < now->cause_count; i++)
		if (is_new(before, now, &now->causes[i]))
			print_cause(out, &now->causes[i], colour ? paints[VERDICT_FAIL] : "", end);
	for (size_t i = 0; i < before->cause_count; i++)
		if (has_gone(&before->causes[i], now))
			fprintf(out, "  %sgone%s  %s\n", colour ? paints[VERDICT_PASS] : "", end,
				cause_info(before->causes[i].cause)->id);
	for (size_t i = 0; i < now->requirement_count; i++) {
		const struct requirement *requirement = &now->requirements[i];
		enum requirement_status was = status_before(before, requirement);
		if (was != requirement->status)
			fprintf(out, "  %s: %s, was %s\n", requirement->id,
				requirement_status_name(requirement->status), requirement_status_name(was));
	}
}

void changes_keep(struct changes *changes, const struct check_result *result)
{
	changes_free(changes);
	changes->any = true;
	changes->verdict = result->verdict;
	changes->causes = xcalloc(result->cause_count + 1, sizeof *changes->causes);
	changes->requirements = xcalloc(result->requirement_count + 1, sizeof *changes->requirements);
	for (; changes->cause_count < result->cause_count; changes->cause_count++) {
		const struct check_cause *cause = &result->causes[changes->cause_count];
		changes->causes[changes->cause_count] =
			(struct kept_cause){cause->finding.cause, affects_of(result, cause)};
	}
	for (; changes->requirement_count < result->requirement_count; changes->requirement_count++) {
		const struct requirement *requirement = &result->requirements[changes->requirement_count];
		changes->requirements[changes->requirement_count] =
			(struct kept_requirement){xstrdup(requirement->id), requirement->status};
	}
}

void changes_free(struct changes *changes)
{
	for (size_t i = 0; i < changes->cause_count; i++)
		free(changes->causes[i].affects);
	for (size_t i = 0; i < changes->requirement_count; i++)
		free(changes->requirements[i].id);
	free(changes->causes);
	free(changes->requirements);
	*changes = (struct changes){.any = false};
}
