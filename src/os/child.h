/*
 * Another program, run to its end, and what it wrote.
 *
 * For the few facts of a system that only its own tools tell (nft, iptables-save, systemctl). The
 * program is one of the system's folders, never found through PATH; it gets fixed arguments, an
 * environment of PATH and LANG alone, /dev/null as input and error output, and no descriptor of
 * ours. Output and time are bounded; a child that exceeds either, or is cancelled, is killed.
 */
#ifndef OS_CHILD_H
#define OS_CHILD_H

#include "base/buf.h"
#include "base/err.h"
#include "os/wait.h"

/* The program's path in /usr/sbin, /usr/bin, /sbin or /bin; NULL when this machine has none. Owned
 * by the caller. */
char *child_find(const char *name);

/* argv[0] is such a path, the last one NULL. The exit code with what it wrote in *output, whose
 * `max` is the bound; or -1 with err when it could not be run to its end. */
int child_run(const char *const argv[], struct deadline deadline, const struct cancel *cancel,
	struct buf *output, struct err *err);

#endif
