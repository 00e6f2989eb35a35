/*
 * A support bundle: what somebody who helps wants to see of this machine, in one .tar.gz without
 * secrets (rows R27, R28).
 *
 * Its members stand in one table (bundle.c). The last one is manifest.json, schema
 * sallyport.bundle/1: every member with its size and SHA-256, and what was left out and why. It is
 * made by a process of its own, so that neither its time nor its memory is the service's, and it
 * can be made while the service runs or does not.
 */
#ifndef AGENT_BUNDLE_H
#define AGENT_BUNDLE_H

#include "agent/inventory.h"
#include "agent/state.h"

struct bundle_source {
	const char *root;                /* may be NULL */
	const struct agent_paths *paths; /* borrowed */
	const struct agent_state *state; /* borrowed; NULL: it has not joined a hub */
	inventory_profiles *profiles;    /* may be NULL */
};

/* Writes the archive to the descriptor, which it takes, also on failure. *manifest is a new
 * reference. -1 with err when it could not be written. */
int bundle_write(int fd, const struct bundle_source *source, json_t **manifest, struct err *err);

#endif
