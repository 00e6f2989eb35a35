/*
 * A log file for people: one line an event, with time (RFC 3339, UTC), level and text.
 *
 *     2026-01-02T03:04:05Z INFO  online at hub.example:443
 *
 * Lines are appended whole, each with one write, so that the file can be copied at any moment. Past
 * max_bytes it becomes PATH.1, PATH.1 becomes PATH.2, and so on up to PATH.keep. Logging never
 * fails and never blocks the caller's work: what cannot be written (a full disk, a missing folder)
 * is counted, and the first line that can be written again is preceded by one that tells how many
 * were lost and why. Bytes that no terminal should see are written as \xNN.
 *
 * Nothing here knows a secret from another word: callers give it none.
 */
#ifndef BASE_LOGFILE_H
#define BASE_LOGFILE_H

#include "base/mem.h"

#include <stdbool.h>

enum logfile_level {
	LEVEL_INFO,
	LEVEL_WARN,
	LEVEL_ERROR,
};

struct logfile_options {
	const char *path; /* copied */
	size_t max_bytes; /* of one file */
	int keep;         /* old files beside it */
	bool to_stderr;   /* every line also there */
};

struct logfile;

/* Owned by the caller, freed by logfile_close(). An unusable path is told on stderr and tried again
 * with every line. */
struct logfile *logfile_open(const struct logfile_options *options);
void logfile_line(struct logfile *log, enum logfile_level level, const char *format, ...)
	PRINTF_LIKE(3, 4);
void logfile_close(struct logfile *log); /* NULL is allowed */

#endif
