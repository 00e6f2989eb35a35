/*
 * This machine's own place in its network: can it get out at all, and if not, which link, address
 * or lease is to blame?
 *
 * host_look() reads what the kernel and the DHCP clients say and ends with one cause (link-down,
 * no-ipv4, lease-lost, dhcp-absent) or with CAUSE_NONE. The walk asks it after a failure that such
 * a fault could explain, and the probes of `check` ask it too, so both name the same root with the
 * same evidence. It takes milliseconds, unless an address is missing or a lease has ended: then it
 * asks for a DHCP server, which takes up to DHCP_WAIT_MS where none answers.
 */
#ifndef DIAL_HOST_H
#define DIAL_HOST_H

#include "diagnosis/finding.h"
#include "os/addressing.h"
#include "os/dhcp.h"

struct host_question {
	const char *root;
	bool route;  /* something beyond the own network is wanted: an address alone does not do */
	bool leases; /* tell also of a lease that has ended while its address still stands */
	bool dhcp;   /* the addresses are to come from DHCP, whatever this machine is set to */
	struct deadline deadline;
	const struct cancel *cancel; /* may be NULL */
};

struct host_view {
	struct addressing addressing;
	/* That the verdict is about, or that carries the default route, or that has an address; points
	 * into addressing. NULL where there is nothing that could. */
	const struct addressing_link *link;
	struct witnesses witnesses;               /* about that link */
	const struct addressing_address *address; /* its address that is used; NULL for none */
	enum cause cause;
	enum confidence confidence;
	struct evidence evidence; /* of the cause */
};

void host_look(const struct host_question *question, struct host_view *view);
void host_view_free(struct host_view *view);

/* The witness whose lease is of that address. A lease that still holds is preferred; *ended says
 * that it holds no more. NULL when nobody has one. */
const struct witness *host_lease(
	const struct witnesses *witnesses, struct in_addr address, time_t now, bool *ended);

/* host_dhcp.c: dhcp_discover(), for many that want to know at once: one asks, and what it hears
 * counts for a few seconds. */
enum dhcp_result host_ask_dhcp(const struct addressing_link *link, struct deadline deadline,
	const struct cancel *cancel, struct dhcp_offer *offer);

#endif
