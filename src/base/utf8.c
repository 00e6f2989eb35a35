#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* How many bytes the character has that begins with this one; 0: it begins none. */
static size_t length_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static bool continues(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Overlong forms, surrogates and what lies past U+10FFFF show in the second byte. */
static bool second_fits(unsigned char first, unsigned char second)
{
	if (first == 0xe0)
		return second >= 0xa0;
	if (first == 0xed)
		return second < 0xa0;
	if (first == 0xf0)
		return second >= 0x90;
	return first != 0xf4 || second < 0x90;
}

/* The bytes of the whole character at `at`; 0 when there is none. */
static size_t character_at(const unsigned char *at, size_t len)
{
	size_t want = length_of(*at);
	if (!want || want > len)
		return 0;
	for (size_t i = 1; i < want; i++)
		if (!continues(at[i]))
			return 0;
	return want == 1 || second_fits(at[0], at[1]) ? want : 0;
}

bool utf8_is_valid(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t len = strlen(text);
	for (size_t i = 0, step; i < len; i += step) {
		step = character_at(at + i, len - i);
		if (!step)
			return false;
	}
	return true;
}

void utf8_append(struct buf *text, const char *data, size_t len)
{
	const unsigned char *at = (const unsigned char *)data;
	size_t good = 0;
	for (size_t i = 0; i < len;) {
		size_t step = character_at(at + i, len - i);
		if (step) {
			good += step;
			i += step;
			continue;
		}
		buf_append(text, at + i - good, good);
		buf_puts(text, "\xef\xbf\xbd");
		good = 0;
		i++;
	}
	buf_append(text, at + len - good, good);
}

size_t utf8_unfinished(const char *data, size_t len)
{
	const unsigned char *at = (const unsigned char *)data;
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		unsigned char byte = at[len - back];
		if (!continues(byte))
			return length_of(byte) > back ? back : 0;
	}
	return 0;
}
