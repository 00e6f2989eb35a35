/*
 * The report for people: the verdict, each cause with what to do about it first and its evidence
 * below, the proxy that was used and where it was set, then the requirements, those that passed
 * last.
 */
#include "check/report.h"

#include <stdarg.h>
#include <string.h>

#define COLUMNS 96

enum paint { PLAIN, BOLD, RED, YELLOW, GREEN, DIM };

struct page {
	FILE *out;
	bool colour;
	const struct check_result *result;
};

static void begin(const struct page *page, enum paint paint)
{
	static const char *const codes[] = {[PLAIN] = "",
		[BOLD] = "\033[1m",
		[RED] = "\033[1;31m",
		[YELLOW] = "\033[33m",
		[GREEN] = "\033[32m",
		[DIM] = "\033[2m"};
	if (page->colour)
		fputs(codes[paint], page->out);
}

static void end(const struct page *page, enum paint paint)
{
	if (page->colour && paint != PLAIN)
		fputs("\033[0m", page->out);
}

static void put(const struct page *page, enum paint paint, const char *format, ...)
	PRINTF_LIKE(3, 4);

static void put(const struct page *page, enum paint paint, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	begin(page, paint);
	vfprintf(page->out, format, args);
	end(page, paint);
	va_end(args);
}

/* Columns that UTF-8 text takes, wide characters counted as one. */
static size_t width_of(const char *text, size_t bytes)
{
	size_t width = 0;
	for (size_t i = 0; i < bytes; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

/* Words, broken into lines that begin at `indent`; the first line has got there already. */
static void put_wrapped(const struct page *page, enum paint paint, size_t indent, const char *text)
{
	size_t column = indent;
	begin(page, paint);
	while (*text) {
		size_t bytes = strcspn(text, " "), width = width_of(text, bytes);
		if (column > indent && column + 1 + width > COLUMNS) {
			fprintf(page->out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', page->out);
			column++;
		}
		fprintf(page->out, "%.*s", (int)bytes, text);
		column += width;
		text += bytes;
		text += strspn(text, " ");
	}
	end(page, paint);
	fputc('\n', page->out);
}

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

static void put_verdict(const struct page *page)
{
	const struct check_result *result = page->result;
	size_t failed = count_status(result, REQUIREMENT_FAIL);
	size_t unknown = count_status(result, REQUIREMENT_UNKNOWN);
	size_t skipped = count_status(result, REQUIREMENT_SKIPPED);
	size_t all = result->requirement_count - skipped;
	cleanup(free_ptr) char *name = result->profile ? xstrdup(result->profile->title)
								   : result->hub
									   ? xasprintf("The way to the hub %s", result->hub->host)
									   : xstrdup("Check");
	static const struct {
		const char *word;
		enum paint paint;
	} looks[] = {
		[VERDICT_PASS] = {"PASS", GREEN},
		[VERDICT_FAIL] = {"FAIL", RED},
		[VERDICT_DEGRADED] = {"DEGRADED", YELLOW},
		[VERDICT_INCONCLUSIVE] = {"INCONCLUSIVE", YELLOW},
	};
	put(page, looks[result->verdict].paint, "%s", looks[result->verdict].word);
	put(page, BOLD, "  %s", name);
	put(page, PLAIN, ": ");
	if (result->verdict == VERDICT_PASS)
		put(page, PLAIN, all == 1 ? "the one requirement is met" : "all %zu requirements are met",
			all);
	else if (result->verdict == VERDICT_FAIL && all == 1)
		put(page, PLAIN, "the one requirement is not met");
	else if (result->verdict == VERDICT_FAIL)
		put(page, PLAIN, "%zu of %zu requirements not met", failed, all);
	else if (result->verdict == VERDICT_DEGRADED)
		put(page, PLAIN, "it works, with %zu warning%s", result->cause_count,
			plural(result->cause_count));
	else
		put(page, PLAIN, "nothing failed, but %zu of %zu requirement%s could not be determined",
			unknown, all, plural(all));
	put(page, PLAIN, " (%.1f s)\n", result->elapsed_ms / 1000);
	if (result->profile && result->profile->source.title)
		put(page, DIM, "Requirements from: %s\n", result->profile->source.title);
	if (result->interrupted)
		put(page, YELLOW, "It was interrupted: this report is partial.\n");
}

static void put_affects(const struct page *page, const struct check_cause *cause)
{
	struct buf list = {0};
	for (size_t i = 0; i < cause->affects_count; i++)
		buf_printf(&list, "%s%s", i ? ", " : "", page->result->requirements[cause->affects[i]].id);
	put(page, PLAIN, "   Affects: ");
	put_wrapped(page, PLAIN, 12, buf_text(&list));
	buf_free(&list);
}

static void put_cause(const struct page *page, size_t number, const struct check_cause *cause)
{
	const struct finding *finding = &cause->finding;
	const struct cause_info *info = cause_info(finding->cause);
	cleanup(free_ptr) char *sentence = finding_sentence(finding);
	cleanup(free_ptr) char *remedy = finding_remedy(finding);
	put(page, PLAIN, "\n%zu. ", number);
	if (cause->severity == SEVERITY_WARN)
		put(page, YELLOW, "Warning: ");
	put_wrapped(page, BOLD, cause->severity == SEVERITY_WARN ? 12 : 3, sentence);
	put(page, GREEN, "   What to do");
	put(page, PLAIN, " (%s):\n     ", info->who);
	put_wrapped(page, PLAIN, 5, remedy);
	put_affects(page, cause);
	put(page, PLAIN, "   Evidence (%s, met at %s, %s):\n", info->id, stage_name(finding->stage),
		finding->confidence == CONFIDENCE_CERTAIN ? "certain" : "likely");
	for (size_t i = 0; i < finding->evidence.count; i++) {
		put(page, DIM, "     %-20s ", finding->evidence.items[i].name);
		put_wrapped(page, PLAIN, 26, finding->evidence.items[i].value);
	}
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
			put(page, PLAIN, "  not used for %s: \"%s\" in %s\n", host, entry,
				page->result->proxy->no_proxy_origin ? page->result->proxy->no_proxy_origin
													 : "NO_PROXY");
	}
}

static void put_proxy(const struct page *page)
{
	const struct proxy_settings *proxy = page->result->proxy;
	if (page->result->proxy_unusable) {
		put(page, PLAIN,
			"\nProxy: its setting cannot be used, so nothing was tried; nothing goes out "
			"directly\n");
	} else if (!proxy->set) {
		put(page, PLAIN, "\nProxy: none is set; everything goes out directly\n");
	} else {
		cleanup(free_ptr) char *url = proxy_url(proxy);
		put(page, PLAIN, "\nProxy: ");
		put(page, BOLD, "%s", url);
		put(page, PLAIN, ", from %s, ", proxy->origin);
		if (proxy->user)
			put(page, PLAIN, "Basic credentials from %s\n",
				proxy->credentials_origin ? proxy->credentials_origin : proxy->origin);
		else
			put(page, PLAIN, "no credentials\n");
		put_bypasses(page);
	}
	for (size_t i = 0; i < proxy->warning_count; i++) {
		put(page, YELLOW, "  warning: ");
		put_wrapped(page, PLAIN, 11, proxy->warnings[i]);
	}
}

static void put_stages(const struct page *page, const struct walk *walk)
{
	const char *failed = walk->cancelled ? " stopped after" : " failed after";
	const char *before = walk->proxy ? "           via the proxy: " : "           ";
	const char *separator = before;
	for (int i = 0; i < STAGE_COUNT; i++) {
		const struct stage_record *stage = &walk->stages[i];
		if (stage->status != STAGE_PASSED && stage->status != STAGE_FAILED)
			continue;
		bool passed = stage->status == STAGE_PASSED;
		put(page, PLAIN, "%s", separator);
		put(page, passed ? PLAIN : RED, "%s%s %.*f ms", stage_name((enum stage)i),
			passed ? "" : failed, stage->ms < 10 ? 1 : 0, stage->ms);
		separator = ", ";
	}
	if (separator != before)
		put(page, PLAIN, "\n");
}

static void put_requirement(const struct page *page, const struct requirement *requirement)
{
	static const struct {
		const char *word;
		enum paint paint;
	} looks[REQUIREMENT_STATUS_COUNT] = {
		[REQUIREMENT_PASS] = {"ok", GREEN},
		[REQUIREMENT_FAIL] = {"FAIL", RED},
		[REQUIREMENT_WARN] = {"warn", YELLOW},
		[REQUIREMENT_UNKNOWN] = {"?", YELLOW},
		[REQUIREMENT_SKIPPED] = {"-", DIM},
	};
	bool passed = requirement->status == REQUIREMENT_PASS;
	put(page, looks[requirement->status].paint, "  %-5s", looks[requirement->status].word);
	put(page, PLAIN, " %-22s  %s", requirement->id, requirement->title);
	if (passed && requirement->walked)
		put(page, DIM, "  %.0f ms", requirement->walk.elapsed_ms);
	const char *section = requirement->section, *row = requirement->row;
	if (section || row)
		put(page, DIM, "  [%s%s%s]", section ? section : "", section && row ? ", " : "",
			row ? row : "");
	put(page, PLAIN, "\n");
	if (!passed && requirement->walked)
		put_stages(page, &requirement->walk);
	if (requirement->status == REQUIREMENT_FAIL && requirement->reason)
		put(page, PLAIN, "           %s\n", requirement->reason);
}

/* The requirements of one status, and of one reason unless that is NULL. */
static void put_group(const struct page *page, enum requirement_status status, const char *heading,
	const char *reason)
{
	put(page, BOLD, "\n%s", heading);
	put(page, PLAIN, "%s%s\n", reason ? ": " : "", reason ? reason : "");
	for (size_t i = 0; i < page->result->requirement_count; i++) {
		const struct requirement *requirement = &page->result->requirements[i];
		if (requirement->status == status &&
			(!reason || (requirement->reason && strcmp(requirement->reason, reason) == 0)))
			put_requirement(page, requirement);
	}
}

/* True when an earlier requirement of that status had the same reason, so it is on paper already.
 */
static bool told_before(const struct check_result *result, size_t at)
{
	const struct requirement *this = &result->requirements[at];
	for (size_t i = 0; i < at; i++)
		if (result->requirements[i].status == this->status && result->requirements[i].reason &&
			strcmp(result->requirements[i].reason, this->reason) == 0)
			return true;
	return false;
}

static void put_requirements(const struct page *page)
{
	static const struct {
		enum requirement_status status;
		const char *heading;
		bool by_reason;
	} groups[] = {
		{REQUIREMENT_FAIL, "Not met", false},
		{REQUIREMENT_WARN, "Met, with a warning", false},
		{REQUIREMENT_UNKNOWN, "Not determined", true},
		{REQUIREMENT_SKIPPED, "Skipped", true},
		{REQUIREMENT_PASS, "Met", false},
	};
	const struct check_result *result = page->result;
	for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
		if (!groups[g].by_reason && count_status(result, groups[g].status))
			put_group(page, groups[g].status, groups[g].heading, NULL);
		for (size_t i = 0; groups[g].by_reason && i < result->requirement_count; i++)
			if (result->requirements[i].status == groups[g].status && !told_before(result, i))
				put_group(
					page, groups[g].status, groups[g].heading, result->requirements[i].reason);
	}
}

void report_text(FILE *out, const struct check_result *result, bool colour)
{
	struct page page = {out, colour, result};
	put_verdict(&page);
	for (size_t i = 0; i < result->cause_count; i++)
		put_cause(&page, i + 1, &result->causes[i]);
	put_proxy(&page);
	put_requirements(&page);
}
