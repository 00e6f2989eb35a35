#include "check/report_page.h"

#include <stdarg.h>
#include <string.h>

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

void page_put(const struct page *page, enum paint paint, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	begin(page, paint);
	vfprintf(page->out, format, args);
	end(page, paint);
	va_end(args);
}

size_t page_width(const char *text, size_t bytes)
{
	size_t width = 0;
	for (size_t i = 0; i < bytes; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

void page_wrap_from(
	const struct page *page, enum paint paint, size_t indent, size_t column, const char *text)
{
	bool first = true;
	begin(page, paint);
	while (*text) {
		size_t bytes = strcspn(text, " "), width = page_width(text, bytes);
		if (!first && column + 1 + width > PAGE_COLUMNS) {
			fprintf(page->out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			fputc(' ', page->out);
			column++;
		}
		first = false;
		fprintf(page->out, "%.*s", (int)bytes, text);
		column += width;
		text += bytes;
		text += strspn(text, " ");
	}
	end(page, paint);
	fputc('\n', page->out);
}

void page_wrap(const struct page *page, enum paint paint, size_t indent, const char *text)
{
	page_wrap_from(page, paint, indent, indent, text);
}

int page_fit(const char *text, size_t columns)
{
	size_t bytes = 0, width = 0;
	while (text[bytes] && width < columns) {
		bytes++;
		while (((unsigned char)text[bytes] & 0xc0) == 0x80)
			bytes++;
		width++;
	}
	return (int)bytes;
}
