/*
 * DHCP leases as the programs that got them write them down.
 *
 * Each parser reads one format and fills one lease; what it does not understand it passes over. The
 * files belong to other programs and some say "do not parse", so a lease is only believed where its
 * address is the live one (see os/addressing.h). A parser returns false, and leaves the lease
 * zeroed, where there is no lease with an address in the text. The text is written into.
 */
#ifndef OS_LEASE_H
#define OS_LEASE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define LEASE_MAX_DNS 8
#define LEASE_NEVER   INT64_MAX

struct lease {
	struct in_addr address;
	struct in_addr server; /* 0.0.0.0: not told */
	struct in_addr dns[LEASE_MAX_DNS];
	size_t dns_count;
	bool dns_told;      /* the source tells the DNS servers handed out, be they none */
	int64_t expires_at; /* seconds since 1970; 0: not told; LEASE_NEVER */
};

/* systemd-networkd's /run/systemd/netif/leases/N, and NetworkManager's internal-*.lease, which has
 * the address alone. Its lifetime counts from when the file was written. */
bool lease_parse_networkd(char *text, time_t written, struct lease *lease);
/* The section [dhcp4] of NetworkManager's /run/NetworkManager/devices/N. */
bool lease_parse_network_manager(char *text, time_t written, struct lease *lease);
/* dhclient.leases(5): the last lease of the interface. */
bool lease_parse_dhclient(char *text, const char *interface, struct lease *lease);
/* dhcpcd: the server's packet as it came (RFC 2131); it counts from when it was written. */
bool lease_parse_packet(const void *packet, size_t len, time_t written, struct lease *lease);

/* Files of sections and KEY=VALUE lines, which several of these programs write. */
struct ini_line {
	const char *section; /* "" before the first; NULL to begin */
	const char *key, *value;
};
/* The next KEY=VALUE; false at the end. Everything points into the text, which is written into. */
bool ini_next(char **rest, struct ini_line *line);
/* IPv4 addresses parted by blanks, commas or semicolons; those of IPv6 are passed over. */
size_t ini_addresses(const char *text, struct in_addr *addresses, size_t max);

#endif
