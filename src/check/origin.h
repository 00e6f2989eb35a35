/*
 * Did DHCP hand out an address and its DNS servers, or has somebody set them by hand (rows R1, R3)?
 *
 * No single source knows. The kernel knows how long it keeps an address and who set the route; each
 * DHCP client knows its own leases; a network manager knows what it was told. origin_signals()
 * turns what they say into a set of signals, origin_judge() looks the set up in one table. Where
 * two of them contradict each other the answer is unknown, and says what conflicts: never a guess.
 */
#ifndef CHECK_ORIGIN_H
#define CHECK_ORIGIN_H

#include "os/addressing.h"
#include "os/dhcp.h"

enum origin { ORIGIN_UNKNOWN, ORIGIN_DHCP, ORIGIN_STATIC };

enum origin_signal {
	SIGNAL_FINITE = 1,        /* the kernel ends the address by itself */
	SIGNAL_LEASE = 2,         /* somebody has a lease of it that still holds */
	SIGNAL_UNDATED = 4,       /* or one that does not tell until when */
	SIGNAL_ROUTE_DHCP = 8,    /* the default route was set by a DHCP client */
	SIGNAL_ROUTE_STATIC = 16, /* or by a manager, as fixed */
	SIGNAL_BY_HAND = 32,      /* a manager has set this very address as fixed */
	SIGNAL_CLIENT = 64,       /* a DHCP client runs for the interface */
	SIGNAL_MANAGED = 128,     /* a manager runs the interface by DHCP */
	SIGNAL_SEVERAL = 256,     /* the interface has other permanent addresses too */
	SIGNAL_OFFERED = 512,     /* a DHCP server offers this machine this very address */
	SIGNAL_HIDDEN = 1024,     /* somebody who may know can be read by root alone */
	SIGNAL_NOT_ASKED = 2048,  /* no DHCP server could be asked */
};

struct origin_question {
	const struct addressing_link *link;
	const struct addressing_address *address; /* one of the link's */
	uint8_t route_protocol;                   /* of its default route, 0 for none */
	const struct witnesses *witnesses;
	enum dhcp_result asked;
	const struct dhcp_offer *offer; /* with DHCP_OFFERED */
	time_t now;
};

struct origin_verdict {
	enum origin origin;
	bool certain;
	const char *why; /* words for a person: completes "unknown: ..." or "...: so it is static" */
};

unsigned origin_signals(const struct origin_question *question);
struct origin_verdict origin_judge(unsigned signals);
/* What the witnesses say, in words: "systemd-networkd: lease (FILE); ...". Owned by the caller. */
char *origin_words(const struct witnesses *witnesses);

/* Which of the DNS servers in use no lease or offer has handed out. */
struct origin_dns {
	struct in_addr strange[LEASE_MAX_DNS];
	size_t strange_count;
	struct in_addr offered[LEASE_MAX_DNS];
	size_t offered_count;
	bool told; /* somebody tells what was handed out, be it nothing */
};

/* Adds what a lease or an offer handed out. */
void origin_dns_add(struct origin_dns *dns, const struct in_addr *servers, size_t count);
void origin_dns_compare(struct origin_dns *dns, const struct in_addr *in_use, size_t count);

#endif
