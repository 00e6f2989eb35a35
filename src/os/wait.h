/*
 * Waiting for one descriptor, a deadline and a wish to stop, whichever comes first.
 *
 * Everything that blocks in the walk waits here, so everything in it can be cancelled. A cancel is
 * fired once, from any thread or a signal handler, and stays fired.
 */
#ifndef OS_WAIT_H
#define OS_WAIT_H

#include "base/clock.h"

#include <poll.h>
#include <stdbool.h>

struct cancel {
	int fd; /* readable once fired */
};

enum wait_result {
	WAIT_READY,
	WAIT_TIMEOUT,
	WAIT_CANCELLED,
	WAIT_ERROR, /* errno says why */
};

int cancel_init(struct cancel *cancel); /* -1: no descriptor left */
void cancel_fire(const struct cancel *cancel);
bool cancel_fired(const struct cancel *cancel); /* NULL is never fired */
void cancel_fini(struct cancel *cancel);

/* Waits for POLLIN and/or POLLOUT on fd (-1: for the deadline or the cancel alone). A descriptor
 * in error or hung up counts as ready: the next read or write says what happened. */
enum wait_result wait_fd(
	int fd, short events, struct deadline deadline, const struct cancel *cancel);
/* The same for several descriptors; `fds` holds `count` of them and room for one more. */
enum wait_result wait_fds(
	struct pollfd *fds, size_t count, struct deadline deadline, const struct cancel *cancel);

#endif
