/*
 * How this machine stands in its network, and who says how it came to its addresses (rows R1 to
 * R4).
 *
 * addressing_read() asks the kernel, over netlink, about the network namespace that the process is
 * in: links, addresses with their lifetimes, default routes. witnesses_read() gathers for one link
 * what the programs that could have set its address say: their leases, their state, their
 * processes. A witness tells what it knows and decides nothing; whoever judges compares it with the
 * live address (check/origin.h, dial/host.h). Files are read below `root`, the kernel and /proc are
 * not.
 */
#ifndef OS_ADDRESSING_H
#define OS_ADDRESSING_H

#include "base/err.h"
#include "os/lease.h"

#include <net/if.h>

#define ADDRESSING_MAX_LINKS     128
#define ADDRESSING_MAX_ADDRESSES 4 /* of a link */
#define ADDRESSING_MAX_ROUTES    8
#define ADDRESSING_MAX_WITNESSES 24

struct addressing_address {
	struct in_addr address;
	uint8_t prefix;
	bool permanent; /* the kernel keeps it for ever; else it ends with its lease */
};

struct addressing_link {
	int index;
	int master; /* index of the bridge or bond that it is part of, 0 for none */
	char name[IF_NAMESIZE];
	char kind[16]; /* "veth", "bridge", ...; empty for a card, real or virtual */
	unsigned char mac[6];
	bool ethernet;
	bool loopback;
	bool up;           /* by the administrator */
	bool working;      /* and it has a link: what is sent goes somewhere */
	const char *state; /* why it has none, in words */
	struct addressing_address addresses[ADDRESSING_MAX_ADDRESSES];
	size_t address_count;
	size_t ipv6_count; /* global addresses */
};

/* A default route of the main table. */
struct addressing_route {
	int link;         /* index */
	uint8_t protocol; /* who set it: RTPROT_* of linux/rtnetlink.h */
	uint32_t metric;
};

struct addressing {
	struct addressing_link links[ADDRESSING_MAX_LINKS];
	size_t link_count;
	bool
		more_links; /* than there is room for; those that are part of a bridge are left out first */
	struct addressing_route routes[ADDRESSING_MAX_ROUTES]; /* IPv4 */
	size_t route_count;
	bool ipv6_route;
};

int addressing_read(struct addressing *addressing, struct err *err);
const struct addressing_link *addressing_link(const struct addressing *addressing, int index);
/* The IPv4 default route that is used: the one of the lowest metric; NULL for none. */
const struct addressing_route *addressing_route(const struct addressing *addressing);
/* Whether traffic could leave by it: a card, or what is built on one; in a container, whatever
 * stands in a card's place. */
bool addressing_is_candidate(
	const struct addressing *addressing, const struct addressing_link *link);
/* "dhcp", "static", ... for RTPROT_*. */
const char *addressing_protocol(uint8_t protocol);

enum witness_word {
	WITNESS_LEASE,      /* a lease of this interface, `lease` is filled */
	WITNESS_CLIENT,     /* a DHCP client runs for it */
	WITNESS_DHCP,       /* who manages it runs it by DHCP */
	WITNESS_STATIC,     /* who manages it has set lease.address by hand */
	WITNESS_STATIC_DNS, /* who manages it has set lease.dns by hand */
	WITNESS_INTENT,     /* a file that configures it at start; proves nothing */
	WITNESS_HIDDEN,     /* it manages the interface, and what it knows only root can read */
};

struct witness {
	enum witness_word word;
	const char *who; /* "systemd-networkd"; a literal */
	char where[192]; /* file or process */
	struct lease lease;
};

struct witnesses {
	struct witness list[ADDRESSING_MAX_WITNESSES];
	size_t count;
};

/* Never fails: what cannot be read says nothing. */
void witnesses_read(const char *root, const struct addressing *addressing,
	const struct addressing_link *link, struct witnesses *witnesses);
/* For those that gather them: a new witness, or NULL when there is no room. */
struct witness *witness_add(
	struct witnesses *witnesses, enum witness_word word, const char *who, const char *where);
/* The first with that word, or NULL. */
const struct witness *witness_find(const struct witnesses *witnesses, enum witness_word word);

#endif
