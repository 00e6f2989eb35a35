/*
 * What this machine is, as the hub's roster shows it (row S1).
 *
 * What cannot be read is left out; an inventory always has name, platform and agent_version.
 */
#ifndef AGENT_INVENTORY_H
#define AGENT_INVENTORY_H

#include <jansson.h>

#define INVENTORY_DIGEST_BYTES 32

/* The profiles of this machine as a list of {"id", "title"}; a new reference. */
typedef json_t *inventory_profiles(const char *root);
/* Who gave the addresses, {INTERFACE: "dhcp" or "static"}; a new reference. */
typedef json_t *inventory_origins(const char *root);

struct inventory_source {
	const char *location;         /* where the administrator says that it stands; may be NULL */
	inventory_profiles *profiles; /* may be NULL */
	const char *root;             /* for these; may be NULL */
	inventory_origins *origins;   /* may be NULL */
};

json_t *inventory_read(const struct inventory_source *source); /* a new reference */
/* Digest of all that counts as a change: neither uptime nor free memory nor free space does. */
void inventory_digest(const json_t *inventory, unsigned char digest[INVENTORY_DIGEST_BYTES]);

#endif
