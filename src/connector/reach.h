/*
 * A TCP connection to a target: resolve and connect. Private to connector/.
 */
#ifndef CONNECTOR_REACH_H
#define CONNECTOR_REACH_H

#include "connector/ending.h"
#include "os/wait.h"

#include <stdint.h>

struct reach {
	const char *host; /* borrowed */
	uint16_t port;
	const char *root;               /* --root, for resolv.conf and hosts; may be NULL */
	const struct cancel *cancel;    /* may be NULL */
	void (*on_connect)(void *data); /* when resolve is done; may be NULL */
	void *data;
};

/* The connected socket, which does not block; -1 with the ending, OUTCOME_CANCELLED included. */
int reach_target(const struct reach *reach, struct ending *ending);

#endif
