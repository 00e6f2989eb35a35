#include "store/report_blob.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

unsigned char *report_pack(const char *json, size_t *len)
{
	size_t text_len = strlen(json);
	uLongf packed_len = compressBound((uLong)text_len);
	unsigned char *packed = xcalloc(packed_len, 1);
	if (compress2(packed, &packed_len, (const Bytef *)json, (uLong)text_len,
			Z_DEFAULT_COMPRESSION) != Z_OK)
		abort(); /* the room is what zlib asked for, so only memory can be missing */
	*len = packed_len;
	return packed;
}

char *report_unpack(const void *data, size_t len)
{
	struct buf text = {.max = REPORT_MAX_TEXT};
	unsigned char chunk[16384];
	z_stream stream = {.next_in = (Bytef *)data, .avail_in = (uInt)len}; /* only read */
	if (inflateInit(&stream) != Z_OK)
		return NULL;
	int code;
	do {
		stream.next_out = chunk;
		stream.avail_out = sizeof chunk;
		code = inflate(&stream, Z_NO_FLUSH);
		if (buf_append(&text, chunk, sizeof chunk - stream.avail_out))
			code = Z_BUF_ERROR;
	} while (code == Z_OK);
	inflateEnd(&stream);
	if (code != Z_STREAM_END) {
		buf_free(&text);
		return NULL;
	}
	return text.data ? text.data : xstrdup("");
}
