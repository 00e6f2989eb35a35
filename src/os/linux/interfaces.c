/*
 * Network interfaces with their addresses, over netlink by getifaddrs(3): this tells of the network
 * namespace that the process is in, which /sys need not.
 */
#include "os/os.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The row of that name, a new one when there is none, NULL when the table is full. */
static struct os_interface *row_for(struct os_interface *rows, size_t *count, const char *name)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	if (*count == OS_MAX_INTERFACES)
		return NULL;
	struct os_interface *row = &rows[(*count)++];
	*row = (struct os_interface){.up = false};
	snprintf(row->name, sizeof row->name, "%s", name);
	return row;
}

static void set_mac(struct os_interface *row, const struct sockaddr_ll *link)
{
	const unsigned char *b = link->sll_addr;
	static const unsigned char none[6];
	if (link->sll_halen == sizeof none && memcmp(b, none, sizeof none) != 0)
		snprintf(row->mac, sizeof row->mac, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
			b[4], b[5]);
}

static unsigned prefix_length(const void *mask, size_t len)
{
	const unsigned char *bytes = mask;
	unsigned bits = 0;
	for (size_t i = 0; i < len; i++)
		bits += (unsigned)__builtin_popcount(bytes[i]);
	return bits;
}

static void set_ipv4(struct os_interface *row, const struct ifaddrs *entry)
{
	if (*row->ipv4 || !entry->ifa_netmask)
		return;
	const struct sockaddr_in *address = (const void *)entry->ifa_addr;
	const struct sockaddr_in *mask = (const void *)entry->ifa_netmask;
	char text[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
	snprintf(row->ipv4, sizeof row->ipv4, "%s/%u", text,
		prefix_length(&mask->sin_addr, sizeof mask->sin_addr));
}

/* A global address is told rather than the link-local one that every interface has. */
static void set_ipv6(struct os_interface *row, const struct ifaddrs *entry)
{
	const struct sockaddr_in6 *address = (const void *)entry->ifa_addr;
	const struct sockaddr_in6 *mask = (const void *)entry->ifa_netmask;
	bool better = !*row->ipv6 || (strncmp(row->ipv6, "fe80:", 5) == 0 &&
									 !IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr));
	if (!mask || !better)
		return;
	char text[INET6_ADDRSTRLEN];
	inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof text);
	snprintf(row->ipv6, sizeof row->ipv6, "%s/%u", text,
		prefix_length(&mask->sin6_addr, sizeof mask->sin6_addr));
}

int os_interfaces_read(struct os_interface *interfaces, size_t *count, struct err *err)
{
	*count = 0;
	struct ifaddrs *list = NULL;
	if (getifaddrs(&list))
		return err_set(err, "cannot list the network interfaces: %s", strerror(errno));
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		struct os_interface *row = row_for(interfaces, count, entry->ifa_name);
		if (!row)
			continue;
		unsigned working = IFF_UP | IFF_RUNNING;
		row->up = (entry->ifa_flags & working) == working;
		row->loopback = entry->ifa_flags & IFF_LOOPBACK;
		if (!entry->ifa_addr)
			continue;
		if (entry->ifa_addr->sa_family == AF_PACKET)
			set_mac(row, (const void *)entry->ifa_addr);
		else if (entry->ifa_addr->sa_family == AF_INET)
			set_ipv4(row, entry);
		else if (entry->ifa_addr->sa_family == AF_INET6)
			set_ipv6(row, entry);
	}
	freeifaddrs(list);
	return 0;
}

/* Connecting a UDP socket sends nothing: the kernel looks up the route and binds. */
int os_source_address(struct in_addr to, struct in_addr *from)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = to};
	socklen_t len = sizeof address;
	int rc = connect(fd, (struct sockaddr *)&address, sizeof address);
	if (rc == 0)
		rc = getsockname(fd, (struct sockaddr *)&address, &len);
	int saved = errno;
	close(fd);
	errno = saved;
	if (rc == 0)
		*from = address.sin_addr;
	return rc;
}
