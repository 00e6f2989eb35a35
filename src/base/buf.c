#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int buf_append(struct buf *buf, const void *data, size_t len)
{
	if (buf->max && (len > buf->max || buf->len > buf->max - len))
		return -1;
	if (buf->cap - buf->len < len + 1) {
		size_t cap = buf->cap ? buf->cap : 64;
		while (cap - buf->len < len + 1)
			cap *= 2;
		buf->data = xrealloc(buf->data, cap, 1);
		buf->cap = cap;
	}
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int buf_puts(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

int buf_printf(struct buf *buf, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		abort();
	int rc = buf_append(buf, text, (size_t)len);
	free(text);
	return rc;
}

void buf_consume(struct buf *buf, size_t len)
{
	if (len > buf->len)
		len = buf->len;
	if (!len)
		return;
	memmove(buf->data, buf->data + len, buf->len - len + 1);
	buf->len -= len;
}

const char *buf_text(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){0};
}
