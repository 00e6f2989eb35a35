/*
 * A growing run of bytes with a bound.
 *
 * Zero-initialise, append, free. `max` (0: no bound) is set by whoever knows how much a peer may
 * send; an append past it changes nothing and returns -1. `data` always ends in a NUL that `len`
 * does not count, so a text buffer is a C string.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/mem.h"

struct buf {
	char *data; /* owned; NULL while empty and never written */
	size_t len; /* bytes */
	size_t cap; /* bytes */
	size_t max; /* bytes; 0 means no bound */
};

int buf_append(struct buf *buf, const void *data, size_t len);
int buf_puts(struct buf *buf, const char *text);
int buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_consume(struct buf *buf, size_t len); /* drops len bytes from the front */
const char *buf_text(const struct buf *buf);   /* never NULL */
void buf_free(struct buf *buf);                /* zeroes the struct, for `cleanup(buf_free)` too */

#endif
