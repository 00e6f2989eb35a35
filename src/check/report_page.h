/*
 * A page of text for a terminal or a file: paint, and words broken into lines. Private to the
 * report.
 */
#ifndef CHECK_REPORT_PAGE_H
#define CHECK_REPORT_PAGE_H

#include "check/report.h"

#define PAGE_COLUMNS 80

enum paint { PLAIN, BOLD, RED, YELLOW, GREEN, DIM };

struct page {
	FILE *out;
	bool colour; /* without it no paint is used */
	const struct check_result *result;
};

void page_put(const struct page *page, enum paint paint, const char *format, ...) PRINTF_LIKE(3, 4);
/* Words, broken into lines that begin at `indent`, and the end of the line. The first line has got
 * to `column` already; page_wrap(): to the indent. */
void page_wrap_from(
	const struct page *page, enum paint paint, size_t indent, size_t column, const char *text);
void page_wrap(const struct page *page, enum paint paint, size_t indent, const char *text);
/* Columns that so many bytes of UTF-8 take, wide characters counted as one. */
size_t page_width(const char *text, size_t bytes);
/* As many bytes of the text as fit into so many columns. */
int page_fit(const char *text, size_t columns);

#endif
