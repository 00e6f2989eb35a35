/*
 * The end of connector.log, and what is written to it from now on, across rotation.
 *
 *     tail_open(), then tail_read() at once and whenever tail_fd() is readable, tail_close()
 *
 * inotify on the log's folder tells of new lines. Rotation shows as another file at the path: the
 * old one is read to its end first. A log that is not there yet is waited for.
 */
#ifndef AGENT_TAIL_H
#define AGENT_TAIL_H

#include "agent/paths.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define TAIL_MAX_LINES 1000
#define TAIL_MAX_BYTES 262144 /* of the lines that come first */

struct tail {
	const struct agent_paths *paths; /* borrowed */
	int watch, fd;                   /* owned; -1: none */
};

/* Bytes of the log; -1 ends the reading. */
typedef int tail_sink(void *data, const char *bytes, size_t len);

void tail_init(struct tail *tail);
/* `lines` of what is there come first. -1 with err, whose errno is kept. */
int tail_open(struct tail *tail, const struct agent_paths *paths, int lines, struct err *err);
int tail_fd(const struct tail *tail);
/* Hands over all there is, without waiting; 0, -1 with errno when it cannot be read, or what the
 * sink returned. */
int tail_read(struct tail *tail, tail_sink *sink, void *data);
void tail_close(struct tail *tail);

#endif
