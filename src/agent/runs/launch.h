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

#include <stddef.h>

#define LAUNCH_MAX_OPTIONS 7

/* program: NULL for this one; root may be NULL. 0 once it was started, which does not mean that it
 * found anything to do; -1 with what it, or the system, had to say. */
int launch_supervisor(
	const char *program, const char *root, const char *run, long attempt, struct err *err);

/* What systemd-run of this version of systemd (0: not known, taken for a new one) is told besides
 * the unit's name: older ones refuse what they do not know. Returns how many; static texts. */
size_t launch_options(int version, const char *options[LAUNCH_MAX_OPTIONS]);

#endif
