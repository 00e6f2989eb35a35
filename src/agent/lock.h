/*
 * One agent for one root: the service holds a lock, others ask who holds it.
 *
 * The lock lives as long as the process, however it ends; a file that is left over means nothing.
 */
#ifndef AGENT_LOCK_H
#define AGENT_LOCK_H

#include "agent/paths.h"
#include "base/err.h"

#include <sys/types.h>

/* The descriptor of the lock, to be kept open; -1 when another process holds it (err names it) or
 * the file cannot be made. */
int lock_take(const struct agent_paths *paths, struct err *err);
/* The process that holds the lock; 0: none; -1: it cannot be asked (no right to look). */
pid_t lock_holder(const struct agent_paths *paths);
/* Asks the running service to look at its files again. */
void lock_nudge(const struct agent_paths *paths);

#endif
