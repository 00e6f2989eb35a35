/*
 * Hosts by which the Internet is known: what the profile names, else a small built-in table of
 * services that are run by different people. Private to the probes.
 */
#ifndef CHECK_PROBE_HOSTS_H
#define CHECK_PROBE_HOSTS_H

#include "check/parts.h"

/* Names of HTTPS services on port 443, borrowed; returns how many, at least one. */
size_t internet_hosts(const struct profile *profile, const char *hosts[PROFILE_MAX_HOSTS]);

#endif
