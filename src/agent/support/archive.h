/*
 * A .tar.gz, written member by member: POSIX ustar (IEEE 1003.1, pax: "ustar Interchange Format")
 * through zlib.
 *
 * A writer of our own, for a library that knows every archive there is would be larger than the
 * agent, and all that is needed here is a header of 512 bytes before each file.
 *
 *     archive_open(), archive_add()*, archive_close()
 */
#ifndef AGENT_ARCHIVE_H
#define AGENT_ARCHIVE_H

#include "base/err.h"

#include <stddef.h>
#include <time.h>

#define ARCHIVE_MAX_NAME 99 /* bytes */

struct archive;

/* Takes the descriptor, also on failure; NULL with err. */
struct archive *archive_open(int fd, struct err *err);
/* A regular file, mode 0600. -1 with err, after which only archive_close() makes sense. */
int archive_add(struct archive *archive, const char *name, const void *data, size_t len,
	time_t changed, struct err *err);
/* Ends the archive and frees; -1 when not everything could be written. */
int archive_close(struct archive *archive, struct err *err);

#endif
