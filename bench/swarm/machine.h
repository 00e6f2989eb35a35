/*
 * What a simulated machine says of itself: as much as a real agent on a small Debian server, with
 * names and addresses of its own. The texts have the size of the real ones, for the hub keeps them.
 *
 * Each returns a new reference, owned by the caller.
 */
#ifndef BENCH_SWARM_MACHINE_H
#define BENCH_SWARM_MACHINE_H

#include <jansson.h>

#define MACHINE_NAME_SIZE 16

/* "swarm-00042" into name, which is returned. */
const char *machine_name(int number, char name[MACHINE_NAME_SIZE]);
json_t *machine_inventory(int number);
/* The stages of the walk to the hub, as of the report of `sallyport check`. */
json_t *machine_path(int number, const char *hub, unsigned port);

#endif
