/*
 * Is there a DHCP server on an interface's network? Asked without taking a lease (row R1).
 *
 * A DHCPDISCOVER is broadcast and OFFERs are read; no REQUEST ever follows, so the server keeps its
 * offer for a moment and forgets it (RFC 2131 section 3.1). It goes out on a packet socket, which
 * neither needs an address nor minds this machine's own firewall, and carries the identifier that
 * most clients send (the hardware address), so that a server that has leased this machine an
 * address offers the same one again. It takes CAP_NET_RAW.
 */
#ifndef OS_DHCP_H
#define OS_DHCP_H

#include "os/lease.h"
#include "os/wait.h"

#define DHCP_MAC_BYTES  6
#define DHCP_PACKET_MAX 1500 /* bytes of an OFFER that are looked at */
#define DHCP_WAIT_MS    4500 /* the longest that dhcp_discover() asks */
/* Shorter than this, silence proves nothing: a server may try first whether the address is free. */
#define DHCP_PROOF_MS 2500

enum dhcp_result {
	DHCP_OFFERED,
	DHCP_SILENT,     /* asked as often and as long as it takes, and nobody offered */
	DHCP_CUT_SHORT,  /* nobody offered in the time that there was, or a cancel */
	DHCP_FORBIDDEN,  /* needs privileges that this process has not */
	DHCP_IMPOSSIBLE, /* the interface cannot carry it: no Ethernet, or down */
};

struct dhcp_offer {
	struct in_addr address; /* that the server would give */
	struct in_addr server;
	struct in_addr dns[LEASE_MAX_DNS];
	size_t dns_count;
	bool dns_told;
};

/* Three times within DHCP_WAIT_MS, or less where the deadline is sooner. Blocks. `offer` is filled
 * with the first OFFER. */
enum dhcp_result dhcp_discover(const char *interface, const unsigned char mac[DHCP_MAC_BYTES],
	struct deadline deadline, const struct cancel *cancel, struct dhcp_offer *offer);

/* Writes the message of DHCP alone, without IP; returns its length, at most 300 bytes. */
size_t dhcp_write_discover(
	unsigned char *message, uint32_t xid, const unsigned char mac[DHCP_MAC_BYTES]);
/* Reads an OFFER that came as an IP packet, or says false: another kind of packet, another xid,
 * another machine's, or malformed. */
bool dhcp_read_offer(const unsigned char *packet, size_t len, uint32_t xid,
	const unsigned char mac[DHCP_MAC_BYTES], struct dhcp_offer *offer);

/* One message of DHCP (RFC 2131 section 2), with its options (RFC 2132) found. */
struct dhcp_message {
	uint8_t op;
	uint8_t type; /* option 53; 0: none */
	uint32_t xid;
	unsigned char mac[DHCP_MAC_BYTES];
	struct in_addr address; /* yiaddr */
	struct in_addr server;  /* option 54 */
	struct in_addr dns[LEASE_MAX_DNS];
	size_t dns_count;
	bool has_lifetime;
	uint32_t lifetime_s; /* option 51 */
};
/* False when it is none. Options may be spread over `file` and `sname` (option 52). */
bool dhcp_message_read(const unsigned char *message, size_t len, struct dhcp_message *out);

#endif
