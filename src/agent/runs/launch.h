/*
 * Starts the supervisor of a run, outside of this service.
 *
 * Under systemd it becomes a transient unit (systemd-run), so that neither a restart of the agent's
 * unit ends it nor the restrictions of that unit bind what an administrator orders. Elsewhere it is
 * a process in a session of its own.
 */
#ifndef AGENT_LAUNCH_H
#define AGENT_LAUNCH_H

#include "base/err.h"

/* program: NULL for this one; root may be NULL. 0 once it was started, which does not mean that it
 * found anything to do; -1 with what it, or the system, had to say. */
int launch_supervisor(
	const char *program, const char *root, const char *run, long attempt, struct err *err);

#endif
