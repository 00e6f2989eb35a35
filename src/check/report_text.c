/*
 * The report for people, who may be tired: the verdict; each cause in a sentence, with what to do
 * first, who can do it and what makes it pass; the proxy that was used and where it was set; below
 * that the evidence; then the requirements, those that passed last and in one line each.
 */
#include "check/report_page.h"

#include <string.h>

#define MARK        8 /* columns of "  ok    " */
#define AFFECTS_MAX 6 /* what is more is only counted */

static size_t count_status(const struct check_result *result, enum requirement_status status)
{
	size_t count = 0;
	for (size_t i = 0; i < result->requirement_count; i++)
		count += result->requirements[i].status == status;
	return count;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static char *name_of(const struct check_result *result)
{
	if (result->profile)
		return xstrdup(result->profile->title);
	return result->hub ? xasprintf("The way to the hub %s", result->hub->host) : xstrdup("Check");
}

static size_t count_causes(const struct check_result *result, enum severity severity)
{
	size_t count = 0;
	for (size_t i = 0; i < result->cause_count; i++)
		count += result->causes[i].severity == severity;
	return count;
}

/* What the verdict means, in words. */
static char *summary(const struct check_result *result)
{
	size_t failed = count_status(result, REQUIREMENT_FAIL);
	size_t unknown = count_status(result, REQUIREMENT_UNKNOWN);
	size_t all = result->requirement_count - count_status(result, REQUIREMENT_SKIPPED);
	switch (result->verdict) {
	case VERDICT_PASS:
		return all == 1 ? xstrdup("the one requirement is met")
						: xasprintf("all %zu requirements are met", all);
	case VERDICT_FAIL:
		return all == 1 ? xstrdup("the one requirement is not met")
						: xasprintf("%zu of %zu requirements not met%s", failed, all,
							  count_causes(result, SEVERITY_FAIL) == 1 ? ", for one reason" : "");
	case VERDICT_DEGRADED:
		return xasprintf(
			"it works, with %zu warning%s", result->cause_count, plural(result->cause_count));
	case VERDICT_INCONCLUSIVE:
		break;
	}
	return xasprintf("nothing failed, but %zu of %zu requirement%s could not be determined",
		unknown, all, plural(all));
}

/* What was put into the hosts, so that nobody takes another region's answer for his own. */
static void put_variables(const struct page *page)
{
	const struct profile *profile = page->result->profile;
	for (unsigned i = 0; profile && i < profile->variables_count; i++) {
		const struct profile_variable *variable = &profile->variables[i];
		cleanup(free_ptr) char *line = xasprintf("--set %s=%s%s%s%s", variable->name,
			variable->value ? variable->value : "...", variable->purpose ? " (" : "",
			variable->purpose ? variable->purpose : "", variable->purpose ? ")" : "");
		page_put(page, DIM, "With: ");
		page_wrap(page, DIM, 6, line);
	}
}

static void put_verdict(const struct page *page)
{
	const struct check_result *result = page->result;
	static const struct {
		const char *word;
		enum paint paint;
	} looks[] = {
		[VERDICT_PASS] = {"PASS", GREEN},
		[VERDICT_FAIL] = {"FAIL", RED},
		[VERDICT_DEGRADED] = {"DEGRADED", YELLOW},
		[VERDICT_INCONCLUSIVE] = {"INCONCLUSIVE", YELLOW},
	};
	cleanup(free_ptr) char *name = name_of(result);
	cleanup(free_ptr) char *meaning = summary(result);
	cleanup(free_ptr) char *line =
		xasprintf("%s: %s (%.1f s)", name, meaning, result->elapsed_ms / 1000);
	page_put(page, looks[result->verdict].paint, "%s", looks[result->verdict].word);
	page_put(page, PLAIN, "  ");
	page_wrap(page, BOLD, strlen(looks[result->verdict].word) + 2, line);
	if (result->profile && result->profile->source.title) {
		page_put(page, DIM, "Requirements from: ");
		page_wrap(page, DIM, 19, result->profile->source.title);
	}
	put_variables(page);
	if (result->interrupted)
		page_put(page, YELLOW, "It was interrupted: this report is partial.\n");
}

static void put_affects(const struct page *page, const struct check_cause *cause)
{
	struct buf list = {0};
	size_t shown = cause->affects_count <= AFFECTS_MAX ? cause->affects_count : AFFECTS_MAX - 1;
	for (size_t i = 0; i < shown; i++)
		buf_printf(&list, "%s%s", i ? ", " : "", page->result->requirements[cause->affects[i]].id);
	if (shown < cause->affects_count)
		buf_printf(&list, " and %zu more", cause->affects_count - shown);
	page_put(page, DIM, "   Affects: ");
	page_wrap(page, DIM, 12, buf_text(&list));
	buf_free(&list);
}

static void put_cause(const struct page *page, size_t number, const struct check_cause *cause)
{
	const struct finding *finding = &cause->finding;
	const struct cause_info *info = cause_info(finding->cause);
	const char *passes = evidence_get(&finding->evidence, "passes-with");
	cleanup(free_ptr) char *sentence = finding_sentence(finding);
	cleanup(free_ptr) char *remedy = finding_remedy(finding);
	page_put(page, PLAIN, "\n%zu. ", number);
	if (cause->severity == SEVERITY_WARN)
		page_put(page, YELLOW, "Warning: ");
	page_wrap_from(page, BOLD, 3, cause->severity == SEVERITY_WARN ? 12 : 3, sentence);
	page_put(page, GREEN, "   What to do");
	page_put(page, PLAIN, " (%s):\n     ", info->who);
	page_wrap(page, PLAIN, 5, remedy);
	if (passes) {
		cleanup(free_ptr) char *line = xasprintf("It passes with %s.", passes);
		page_put(page, PLAIN, "   ");
		page_wrap(page, GREEN, 3, line);
	}
	put_affects(page, cause);
}

/* What is in the sentence already is not told again: words made for it, and what passes. */
static bool is_told(const char *name)
{
	size_t len = strlen(name);
	return strcmp(name, "passes-with") == 0 || (len > 5 && strcmp(name + len - 5, "-note") == 0);
}

static void put_evidence(const struct page *page, size_t number, const struct check_cause *cause)
{
	const struct finding *finding = &cause->finding;
	page_put(page, PLAIN, "  %zu. %s, met at %s, %s\n", number, cause_info(finding->cause)->id,
		stage_name(finding->stage),
		finding->confidence == CONFIDENCE_CERTAIN ? "certain" : "likely");
	for (size_t i = 0; i < finding->evidence.count; i++) {
		const struct evidence_item *item = &finding->evidence.items[i];
		if (is_told(item->name))
			continue;
		page_put(page, DIM, "     %-20s ", item->name);
		page_wrap(page, PLAIN, 26, item->value);
	}
}

static void put_causes(const struct page *page)
{
	const struct check_result *result = page->result;
	for (size_t i = 0; i < result->cause_count; i++)
		put_cause(page, i + 1, &result->causes[i]);
}

static void put_all_evidence(const struct page *page)
{
	const struct check_result *result = page->result;
	if (result->cause_count)
		page_put(page, BOLD, "\nEvidence\n");
	for (size_t i = 0; i < result->cause_count; i++)
		put_evidence(page, i + 1, &result->causes[i]);
}

/* The NO_PROXY entries that kept endpoints off the proxy. */
static void put_bypasses(const struct page *page)
{
	for (size_t i = 0; i < page->result->requirement_count; i++) {
		const struct requirement *requirement = &page->result->requirements[i];
		char entry[256];
		const char *host = requirement->endpoint ? requirement->endpoint->host
						   : requirement->hub    ? requirement->hub->host
												 : NULL;
		uint16_t port = requirement->endpoint ? requirement->endpoint->port
						: requirement->hub    ? requirement->hub->port
											  : 0;
		if (host && proxy_bypass(page->result->proxy, host, port, entry))
			page_put(page, PLAIN, "  not used for %s: \"%s\" in %s\n", host, entry,
				page->result->proxy->no_proxy_origin ? page->result->proxy->no_proxy_origin
													 : "NO_PROXY");
	}
}

static void put_proxy(const struct page *page)
{
	const struct proxy_settings *proxy = page->result->proxy;
	if (page->result->proxy_unusable) {
		page_put(page, PLAIN, "\nProxy: ");
		page_wrap(page, PLAIN, 7,
			"its setting cannot be used, so nothing was tried; nothing goes out directly");
	} else if (!proxy->set) {
		page_put(page, PLAIN, "\nProxy: none is set; everything goes out directly\n");
	} else {
		cleanup(free_ptr) char *url = proxy_url(proxy);
		const char *credentials =
			proxy->credentials_origin ? proxy->credentials_origin : proxy->origin;
		cleanup(free_ptr) char *line = xasprintf("%s, from %s, %s%s", url, proxy->origin,
			proxy->user ? "Basic credentials from " : "no credentials",
			proxy->user ? credentials : "");
		page_put(page, PLAIN, "\nProxy: ");
		page_wrap(page, PLAIN, 7, line);
		put_bypasses(page);
	}
	for (size_t i = 0; i < proxy->warning_count; i++) {
		page_put(page, YELLOW, "  warning: ");
		page_wrap(page, PLAIN, 11, proxy->warnings[i]);
	}
}

/* How far a walk got, in a line of its own. */
static void put_stages(const struct page *page, const struct walk *walk)
{
	struct buf line = {0};
	for (int i = 0; i < STAGE_COUNT; i++) {
		const struct stage_record *stage = &walk->stages[i];
		bool passed = stage->status == STAGE_PASSED;
		if (!passed && stage->status != STAGE_FAILED)
			continue;
		buf_printf(&line, "%s%s%s %.*fms", line.len ? ", " : "", stage_name((enum stage)i),
			passed            ? ""
			: walk->cancelled ? " stopped after"
							  : " failed after",
			stage->ms < 10 ? 1 : 0, stage->ms);
	}
	if (line.len) {
		page_put(page, DIM, "        %s", walk->proxy ? "via the proxy: " : "");
		page_wrap(page, DIM, walk->proxy ? 23 : 8, buf_text(&line));
	}
	buf_free(&line);
}

/* One that is not simply met: with the number of its cause, how far it got, and where on the
 * vendor's page it stands. */
static void put_trouble(const struct page *page, const struct requirement *requirement)
{
	bool failed = requirement->status == REQUIREMENT_FAIL;
	const char *section = requirement->section, *row = requirement->row;
	cleanup(free_ptr) char *number = requirement->cause == CHECK_NO_CAUSE
										 ? xstrdup("")
										 : xasprintf(" (%zu)", requirement->cause + 1);
	cleanup(free_ptr) char *line = xasprintf("%s%s  %s%s%s%s%s%s", requirement->id, number,
		requirement->title, section || row ? "  [" : "", section ? section : "",
		section && row ? ", " : "", row ? row : "", section || row ? "]" : "");
	page_put(page, failed ? RED : YELLOW, "  %-5s ", failed ? "FAIL" : "warn");
	page_wrap(page, PLAIN, 8, line);
	if (requirement->walked)
		put_stages(page, &requirement->walk);
	if (requirement->reason) {
		page_put(page, PLAIN, "        ");
		page_wrap(page, PLAIN, 8, requirement->reason);
	}
}

static void put_troubles(
	const struct page *page, enum requirement_status status, const char *heading)
{
	if (count_status(page->result, status))
		page_put(page, BOLD, "\n%s\n", heading);
	for (size_t i = 0; i < page->result->requirement_count; i++)
		if (page->result->requirements[i].status == status)
			put_trouble(page, &page->result->requirements[i]);
}

static bool same_group(const struct requirement *a, const struct requirement *b)
{
	return a->status == b->status && a->reason && b->reason && strcmp(a->reason, b->reason) == 0;
}

/* Those of one reason in one line: "one, another: the reason". */
static void put_by_reason(
	const struct page *page, enum requirement_status status, const char *heading)
{
	const struct check_result *result = page->result;
	if (count_status(result, status))
		page_put(page, BOLD, "\n%s\n", heading);
	for (size_t i = 0; i < result->requirement_count; i++) {
		const struct requirement *first = &result->requirements[i];
		bool told = first->status != status;
		for (size_t n = 0; n < i && !told; n++)
			told = same_group(&result->requirements[n], first);
		if (told)
			continue;
		struct buf line = {0};
		buf_printf(&line, "%s", first->id);
		for (size_t n = i + 1; n < result->requirement_count; n++)
			if (same_group(first, &result->requirements[n]))
				buf_printf(&line, ", %s", result->requirements[n].id);
		buf_printf(&line, ": %s", first->reason ? first->reason : "no reason is known");
		page_put(page, YELLOW, status == REQUIREMENT_SKIPPED ? "  -     " : "  ?     ");
		page_wrap(page, status == REQUIREMENT_SKIPPED ? DIM : PLAIN, 8, buf_text(&line));
		buf_free(&line);
	}
}

/* One line; what does not fit goes, the remark first. */
static void put_line_met(const struct page *page, const struct requirement *requirement)
{
	cleanup(free_ptr) char *line = xasprintf("%-22s %s", requirement->id, requirement->title);
	cleanup(free_ptr) char *remarked =
		xasprintf("%s (%s)", line, requirement->reason ? requirement->reason : "");
	bool fits = page_width(line, strlen(line)) <= PAGE_COLUMNS - MARK;
	bool both =
		requirement->reason && page_width(remarked, strlen(remarked)) <= PAGE_COLUMNS - MARK;
	page_put(page, GREEN, "  ok    ");
	if (both || fits)
		page_put(page, PLAIN, "%s\n", both ? remarked : line);
	else
		page_put(page, PLAIN, "%.*s...\n", page_fit(line, PAGE_COLUMNS - MARK - 3), line);
}

static void put_met(const struct page *page)
{
	const struct check_result *result = page->result;
	if (count_status(result, REQUIREMENT_PASS))
		page_put(page, BOLD, "\nMet\n");
	for (size_t i = 0; i < result->requirement_count; i++) {
		const struct requirement *requirement = &result->requirements[i];
		if (requirement->status != REQUIREMENT_PASS)
			continue;
		put_line_met(page, requirement);
	}
}

void report_text(FILE *out, const struct check_result *result, bool colour)
{
	struct page page = {out, colour, result};
	put_verdict(&page);
	put_causes(&page);
	put_proxy(&page);
	put_all_evidence(&page);
	put_troubles(&page, REQUIREMENT_FAIL, "Not met (in brackets: the number of the cause)");
	put_troubles(&page, REQUIREMENT_WARN, "Met, with a warning");
	put_by_reason(&page, REQUIREMENT_UNKNOWN, "Not determined");
	put_by_reason(&page, REQUIREMENT_SKIPPED, "Skipped");
	put_met(&page);
}
