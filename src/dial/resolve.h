/*
 * The configured DNS servers asked for one name, each outcome kept. Private to dial/.
 *
 * lookup_run() is what the stage and its second looks share; the verdict is the caller's. It asks
 * as the system's resolver does: the first three servers in their order, the search domains for a
 * name without a dot.
 */
#ifndef DIAL_RESOLVE_H
#define DIAL_RESOLVE_H

#include "dial/dns.h"
#include "dial/stage.h"
#include "os/os.h"

#define LOOKUP_MAX_SERVERS 3 /* MAXNS of resolver(5) */

struct lookup {
	struct os_resolvers resolvers;
	size_t server_count;        /* those that may be asked; at most LOOKUP_MAX_SERVERS */
	char name[OS_MAX_NAME + 1]; /* as it was asked last, search domain included */
	struct dns_answer answers[LOOKUP_MAX_SERVERS]; /* by server */
	size_t asked;
	size_t told; /* the answer that counts */
};

/* WAIT_READY with the lookup filled; WAIT_CANCELLED; WAIT_ERROR: no server with an IPv4 address. */
enum wait_result lookup_run(
	const struct walker *walker, const char *name, struct deadline deadline, struct lookup *lookup);
/* The row of the answer that counts: the first of the lowest rank. */
size_t lookup_verdict(const struct dns_answer *answers, size_t count);

/* "localhost" and what is below it (RFC 6761 section 6.3). */
bool resolve_is_local_name(const char *name);

#endif
