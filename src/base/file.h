/*
 * Whole files, read with a bound and replaced in one step.
 *
 * A file that is replaced is written beside its place, synced and renamed, so that a reader and a
 * full disk see the old content or the new one, never half of it. Errors name the path.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* Reads at most max bytes; a larger file is an error. errno is kept for callers that treat
 * ENOENT as "not there yet". */
int file_read(const char *path, size_t max, struct buf *out, struct err *err);
int file_replace(const char *path, const void *data, size_t len, mode_t mode, struct err *err);
/* Makes the folder and its parents (mode 0755 for parents, mode for the last one). */
int file_make_dirs(const char *path, mode_t mode, struct err *err);
/* Brings a file or a folder to the disk; what a folder holds lasts only then. */
int file_sync(const char *path, struct err *err);
bool file_exists(const char *path);
/* "ROOT/path", or path alone when root is NULL or empty. The caller owns the result. */
char *file_under(const char *root, const char *path);

#endif
