/*
 * The agent's own portable files for other architectures and systems, as this machine's hub has
 * them: fetched once, kept in /var/lib/sallyport/portable/ARCH-SHA256 (row R11).
 *
 * A row is what install.start says of an architecture: {path, sha256, size}, of the upload
 * endpoint. The file is fetched over the agent's own way, piece by piece (RFC 9110 section 14), so
 * that a lost connection or an ended process costs one piece; it has its name only once its SHA-256
 * is right, and that is looked at again whenever it is asked for. Where this very program is that
 * file, nothing is fetched. Files that nobody has asked for in a day make room.
 */
#ifndef AGENT_INSTALLS_PORTABLE_H
#define AGENT_INSTALLS_PORTABLE_H

#include "agent/proven.h"

#include <jansson.h>

#define PORTABLE_MAX_BYTES   67108864
#define PORTABLE_PIECE_BYTES 1048576
#define PORTABLE_TRIES       6 /* in a row without a byte of progress */

/* All borrowed; `root` and `cancel` may be NULL. */
struct portable_source {
	const char *root;
	const struct agent_paths *paths;
	struct agent_state *state;
	const struct cancel *cancel;
	int64_t retry_ms; /* first wait after a failure; 0: a second */
};

/* Blocks until it is here. *file is its path, owned by the caller; -1 with err. Two threads or
 * processes may ask for the same file: one fetches, the other waits; but a struct agent_state is
 * for one thread at a time. */
int portable_get(const struct portable_source *source, const char *arch, const json_t *row,
	char **file, struct err *err);

#endif
