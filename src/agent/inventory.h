/*
 * What this machine is, as the hub's roster shows it (row S1).
 *
 * What cannot be read is left out; an inventory always has name, platform and agent_version.
 */
#ifndef AGENT_INVENTORY_H
#define AGENT_INVENTORY_H

#include <jansson.h>

#define INVENTORY_DIGEST_BYTES 32

/* A new reference. `location` is where the administrator says that the machine stands; may be NULL.
 */
json_t *inventory_read(const char *location);
/* Digest of all that counts as a change: neither uptime nor free memory nor free space does. */
void inventory_digest(const json_t *inventory, unsigned char digest[INVENTORY_DIGEST_BYTES]);

#endif
