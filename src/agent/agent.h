/*
 * The service: walks to the hub, stays, and walks again, until it is told to stop.
 *
 * One process, one thread, no listening socket (row R9). SIGTERM and SIGINT end it at any moment;
 * SIGHUP makes it read its files again and try at once. What it does is in connector.log, how it is
 * in status.json.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/inventory.h"

#include <stdbool.h>

struct agent_options {
	const char *root;             /* may be NULL */
	bool to_stderr;               /* the log also there */
	inventory_profiles *profiles; /* may be NULL */
	inventory_origins *origins;   /* may be NULL */
	const char *reboot_program;   /* restarts the machine for a job; NULL: the system's */
};

/* Returns the exit code: 0 after a signal or after the machine left its hub, 1 when it cannot run.
 */
int agent_run(const struct agent_options *options);

#endif
