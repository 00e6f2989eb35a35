/*
 * Bytes that should be UTF-8 (RFC 3629) and may be anything.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

#include <stdbool.h>

bool utf8_is_valid(const char *text);
/* Appends the bytes; each that is no part of a character becomes U+FFFD. */
void utf8_append(struct buf *text, const char *data, size_t len);
/* How many bytes at the end begin a character that is not whole: 0 to 3. */
size_t utf8_unfinished(const char *data, size_t len);

#endif
