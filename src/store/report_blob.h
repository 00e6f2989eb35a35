/*
 * Reports as they stand in the database: JSON text, compressed by zlib (RFC 1950).
 *
 * A report repeats itself a lot: what a machine sends as 30 KiB becomes 3.
 */
#ifndef STORE_REPORT_BLOB_H
#define STORE_REPORT_BLOB_H

#include <stddef.h>

#define REPORT_MAX_TEXT 1048576 /* bytes; what unpacks to more was not packed here */

/* The packed bytes, owned by the caller. */
unsigned char *report_pack(const char *json, size_t *len);
/* The text, owned by the caller; NULL when the bytes are damaged. */
char *report_unpack(const void *data, size_t len);

#endif
