/*
 * The outside view of inbound ports: what of a check's report the hub is asked to look at, and how
 * its answer goes into that report, as `outside` of each requirement.
 *
 * The requirement's own status stays: what this machine knows of itself and what the hub saw are
 * two answers.
 */
#ifndef AGENT_OUTSIDE_H
#define AGENT_OUTSIDE_H

#include <jansson.h>

#define OUTSIDE_MAX_PORTS 8
#define OUTSIDE_WAIT_MS   5000 /* for the hub's answer; it tries for 2 s */

/* The TCP ports that the report asks for, as a list of numbers; NULL when there are none. New
 * reference. */
json_t *outside_ports(const json_t *report);
/* `ports` is the hub's answer; what is not of its form is left out. */
void outside_merge(json_t *report, const json_t *ports);
/* The IPv4 address of this end of a connection, owned by the caller; NULL when it has none. */
char *outside_own_address(int fd);

#endif
