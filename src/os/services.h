/*
 * Whether a system service runs, as the system's service manager says.
 *
 * On Linux that is systemd; a machine without it has no one answer, and SERVICES_NO_MANAGER is
 * returned. Takes a program of the system to ask, so it has a deadline.
 */
#ifndef OS_SERVICES_H
#define OS_SERVICES_H

#include "base/err.h"
#include "os/wait.h"

enum service_result {
	SERVICE_RUNS,
	SERVICE_STOPPED, /* it is there and does not run */
	SERVICE_MISSING, /* there is none of that name */
	SERVICE_NO_MANAGER,
	SERVICE_UNREADABLE, /* err says why */
};

struct service_state {
	char unit[256];  /* "ssh.service" */
	char state[128]; /* "inactive, dead" */
};

enum service_result service_read(const char *name, struct deadline deadline,
	const struct cancel *cancel, struct service_state *state, struct err *err);

#endif
