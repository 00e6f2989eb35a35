/*
 * Links, IPv4 addresses and default routes, over rtnetlink(7).
 *
 * Happy path: four dumps on one socket (links, addresses, routes of IPv4 and of IPv6), each read to
 * its end. It fails only where the kernel gives no netlink socket or ends a dump with an error;
 * then the error says which. Rows beyond the bounds are passed over. The kernel is trusted to keep
 * its own lengths right; the macros of rtnetlink check them all the same.
 */
#include "os/addressing.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY_BYTES    32768
#define REPLY_WAIT_S   2          /* the kernel answers at once, or never will */
#define FOR_EVER       0xffffffff /* a lifetime of IFA_CACHEINFO */
#define OPERSTATE_DOWN 2          /* RFC 2863, as of linux/if.h, which clashes with net/if.h */

typedef void read_message(struct addressing *addressing, const struct nlmsghdr *header);

/* The attribute of that type, or NULL. */
/* `len` is signed, for the macros count it down past zero. */
static const struct rtattr *attribute(const struct rtattr *first, int len, unsigned short type)
{
	for (const struct rtattr *at = first; RTA_OK(at, len); at = RTA_NEXT(at, len))
		if ((at->rta_type & NLA_TYPE_MASK) == type)
			return at;
	return NULL;
}

static uint32_t number(const struct rtattr *at, uint32_t otherwise)
{
	uint32_t value = otherwise;
	if (at && RTA_PAYLOAD(at) >= sizeof value)
		memcpy(&value, RTA_DATA(at), sizeof value);
	return value;
}

static void copy_text(char *to, size_t size, const struct rtattr *at)
{
	if (at)
		snprintf(to, size, "%.*s", (int)RTA_PAYLOAD(at), (const char *)RTA_DATA(at));
}

static const char *link_state(unsigned flags, uint8_t operstate)
{
	static const char *const words[] = {"state unknown", "not present", "no carrier",
		"the interface below it is down", "being tested", "waiting for sign-on (802.1X or Wi-Fi)",
		"up"};
	if (!(flags & IFF_UP))
		return "switched off";
	if (flags & IFF_RUNNING)
		return "up";
	bool known = operstate && operstate < ARRAY_LEN(words) - 1;
	return words[known ? operstate : OPERSTATE_DOWN];
}

static void read_link(struct addressing *addressing, const struct nlmsghdr *header)
{
	const struct ifinfomsg *info = NLMSG_DATA(header);
	int len = (int)IFLA_PAYLOAD(header);
	if (addressing->link_count == ADDRESSING_MAX_LINKS) {
		addressing->more_links = true;
		return;
	}
	struct addressing_link *link = &addressing->links[addressing->link_count++];
	const struct rtattr *mac = attribute(IFLA_RTA(info), len, IFLA_ADDRESS);
	const struct rtattr *operstate = attribute(IFLA_RTA(info), len, IFLA_OPERSTATE);
	const struct rtattr *carrier = attribute(IFLA_RTA(info), len, IFLA_CARRIER);
	const struct rtattr *kind = attribute(IFLA_RTA(info), len, IFLA_LINKINFO);
	unsigned flags = info->ifi_flags, working = IFF_UP | IFF_RUNNING;
	/* The carrier is told at once, the state that follows from it up to a second later. */
	if (carrier && !*(uint8_t *)RTA_DATA(carrier))
		flags &= ~(unsigned)IFF_RUNNING;
	*link = (struct addressing_link){
		.index = info->ifi_index,
		.master = (int)number(attribute(IFLA_RTA(info), len, IFLA_MASTER), 0),
		.ethernet = info->ifi_type == ARPHRD_ETHER,
		.loopback = info->ifi_flags & IFF_LOOPBACK,
		.up = info->ifi_flags & IFF_UP,
		.working = (flags & working) == working,
		.state = link_state(flags, operstate ? *(uint8_t *)RTA_DATA(operstate) : 0),
	};
	copy_text(link->name, sizeof link->name, attribute(IFLA_RTA(info), len, IFLA_IFNAME));
	if (mac && RTA_PAYLOAD(mac) == sizeof link->mac)
		memcpy(link->mac, RTA_DATA(mac), sizeof link->mac);
	if (kind)
		copy_text(link->kind, sizeof link->kind,
			attribute(RTA_DATA(kind), (int)RTA_PAYLOAD(kind), IFLA_INFO_KIND));
	/* The near ends of containers: hundreds on some machines, and none carries traffic out. */
	if (link->master && strcmp(link->kind, "veth") == 0)
		addressing->link_count--;
}

static struct addressing_link *find_link(struct addressing *addressing, int index)
{
	for (size_t i = 0; i < addressing->link_count; i++)
		if (addressing->links[i].index == index)
			return &addressing->links[i];
	return NULL;
}

static void read_address(struct addressing *addressing, const struct nlmsghdr *header)
{
	const struct ifaddrmsg *info = NLMSG_DATA(header);
	int len = (int)IFA_PAYLOAD(header);
	struct addressing_link *link = find_link(addressing, (int)info->ifa_index);
	if (!link)
		return;
	if (info->ifa_family == AF_INET6) {
		link->ipv6_count += info->ifa_scope == RT_SCOPE_UNIVERSE;
		return;
	}
	/* IFA_LOCAL is the own address where IFA_ADDRESS is the peer's. */
	const struct rtattr *own = attribute(IFA_RTA(info), len, IFA_LOCAL);
	const struct rtattr *times = attribute(IFA_RTA(info), len, IFA_CACHEINFO);
	if (!own)
		own = attribute(IFA_RTA(info), len, IFA_ADDRESS);
	if (!own || RTA_PAYLOAD(own) != sizeof(struct in_addr) ||
		link->address_count == ADDRESSING_MAX_ADDRESSES)
		return;
	struct addressing_address *address = &link->addresses[link->address_count++];
	struct ifa_cacheinfo cache = {.ifa_valid = FOR_EVER};
	if (times && RTA_PAYLOAD(times) >= sizeof cache)
		memcpy(&cache, RTA_DATA(times), sizeof cache);
	memcpy(&address->address, RTA_DATA(own), sizeof address->address);
	address->prefix = info->ifa_prefixlen;
	address->permanent = cache.ifa_valid == FOR_EVER;
}

static void add_route(
	struct addressing *addressing, const struct rtmsg *info, uint32_t link, uint32_t metric)
{
	if (!link || addressing->route_count == ADDRESSING_MAX_ROUTES)
		return;
	addressing->routes[addressing->route_count++] = (struct addressing_route){
		.link = (int)link, .protocol = info->rtm_protocol, .metric = metric};
}

static void read_route(struct addressing *addressing, const struct nlmsghdr *header)
{
	const struct rtmsg *info = NLMSG_DATA(header);
	int len = (int)RTM_PAYLOAD(header);
	uint32_t table = number(attribute(RTM_RTA(info), len, RTA_TABLE), info->rtm_table);
	if (info->rtm_dst_len || info->rtm_type != RTN_UNICAST || table != RT_TABLE_MAIN)
		return;
	if (info->rtm_family == AF_INET6) {
		addressing->ipv6_route = true;
		return;
	}
	uint32_t metric = number(attribute(RTM_RTA(info), len, RTA_PRIORITY), 0);
	add_route(addressing, info, number(attribute(RTM_RTA(info), len, RTA_OIF), 0), metric);
	const struct rtattr *several = attribute(RTM_RTA(info), len, RTA_MULTIPATH);
	int left = several ? (int)RTA_PAYLOAD(several) : 0;
	for (const struct rtnexthop *hop = several ? RTA_DATA(several) : NULL;
		 hop && RTNH_OK(hop, left); hop = RTNH_NEXT(hop)) {
		add_route(addressing, info, (uint32_t)hop->rtnh_ifindex, metric);
		left -= (int)RTNH_ALIGN(hop->rtnh_len);
	}
}

/* The messages of one reply: 1 when the dump is done, 0 when more will come, -1 with errno. */
static int read_reply(struct addressing *addressing, const char *reply, size_t len,
	unsigned short wanted, read_message *read)
{
	const struct nlmsghdr *header;
	for (size_t at = 0; at + sizeof *header <= len; at += NLMSG_ALIGN(header->nlmsg_len)) {
		header = (const void *)(reply + at);
		if (header->nlmsg_len < sizeof *header || header->nlmsg_len > len - at)
			return errno = EBADMSG, -1;
		if (header->nlmsg_type == NLMSG_DONE)
			return 1;
		if (header->nlmsg_type == NLMSG_ERROR)
			return errno = -((const struct nlmsgerr *)NLMSG_DATA(header))->error, -1;
		if (header->nlmsg_type == wanted)
			read(addressing, header);
	}
	return 0;
}

/* Reads replies until the dump is done. */
static int read_dump(
	int fd, struct addressing *addressing, unsigned short wanted, read_message *read)
{
	cleanup(free_ptr) char *reply = xcalloc(1, REPLY_BYTES);
	for (;;) {
		ssize_t got = recv(fd, reply, REPLY_BYTES, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		int done = read_reply(addressing, reply, (size_t)got, wanted, read);
		if (done)
			return done < 0 ? -1 : 0;
	}
}

/* In their order: addresses go to links that are there. */
static const struct {
	unsigned short ask, reply;
	unsigned char family;
	read_message *read;
	const char *what;
} dumps[] = {
	{RTM_GETLINK, RTM_NEWLINK, AF_UNSPEC, read_link, "links"},
	{RTM_GETADDR, RTM_NEWADDR, AF_UNSPEC, read_address, "addresses"},
	{RTM_GETROUTE, RTM_NEWROUTE, AF_INET, read_route, "routes"},
	{RTM_GETROUTE, RTM_NEWROUTE, AF_INET6, read_route, "IPv6 routes"},
};

static int dump(int fd, struct addressing *addressing, size_t row)
{
	/* The longest of the three headers; what is left of it is zero and asks for nothing. */
	struct {
		struct nlmsghdr header;
		struct ifinfomsg body;
	} ask = {
		.header = {.nlmsg_len = sizeof ask,
			.nlmsg_type = dumps[row].ask,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.nlmsg_seq = (uint32_t)row + 1},
		.body = {.ifi_family = dumps[row].family},
	};
	if (send(fd, &ask, sizeof ask, 0) < 0)
		return -1;
	return read_dump(fd, addressing, dumps[row].reply, dumps[row].read);
}

int addressing_read(struct addressing *addressing, struct err *err)
{
	*addressing = (struct addressing){.link_count = 0};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return err_set(err, "cannot ask the kernel for its interfaces: %s", strerror(errno));
	const struct timeval wait = {.tv_sec = REPLY_WAIT_S};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	int rc = 0;
	for (size_t i = 0; i < ARRAY_LEN(dumps) && !rc; i++) {
		/* A kernel without IPv6 has no routes of it. */
		if (dump(fd, addressing, i) && dumps[i].family != AF_INET6)
			rc = err_set(
				err, "cannot read the %s from the kernel: %s", dumps[i].what, strerror(errno));
	}
	close(fd);
	return rc;
}

const struct addressing_link *addressing_link(const struct addressing *addressing, int index)
{
	for (size_t i = 0; i < addressing->link_count; i++)
		if (addressing->links[i].index == index)
			return &addressing->links[i];
	return NULL;
}

const struct addressing_route *addressing_route(const struct addressing *addressing)
{
	const struct addressing_route *best = NULL;
	for (size_t i = 0; i < addressing->route_count; i++)
		if (!best || addressing->routes[i].metric < best->metric)
			best = &addressing->routes[i];
	return best;
}

static bool is_card(const struct addressing_link *link)
{
	return link->ethernet && !link->kind[0] && !link->loopback;
}

static bool has_route(const struct addressing *addressing, const struct addressing_link *link)
{
	for (size_t i = 0; i < addressing->route_count; i++)
		if (addressing->routes[i].link == link->index)
			return true;
	return false;
}

/* What is built on a card, with the card inside it: a bridge of containers has none. */
static bool has_card(const struct addressing *addressing, const struct addressing_link *link)
{
	for (size_t i = 0; i < addressing->link_count; i++)
		if (is_card(&addressing->links[i]) && addressing->links[i].master == link->index)
			return true;
	return strcmp(link->kind, "vlan") == 0;
}

bool addressing_is_candidate(
	const struct addressing *addressing, const struct addressing_link *link)
{
	static const char *const in_place_of_cards[] = {"veth", "macvlan", "ipvlan", "netdevsim"};
	if (link->loopback || link->master)
		return false;
	if (is_card(link) || has_route(addressing, link) || has_card(addressing, link))
		return true;
	for (size_t i = 0; i < addressing->link_count; i++)
		if (is_card(&addressing->links[i]))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(in_place_of_cards); i++)
		if (strcmp(link->kind, in_place_of_cards[i]) == 0)
			return true;
	return false;
}

const char *addressing_protocol(uint8_t protocol)
{
	static const struct {
		uint8_t protocol;
		const char *name;
	} names[] = {
		{RTPROT_KERNEL, "kernel"},
		{RTPROT_BOOT, "by hand or a script"},
		{RTPROT_STATIC, "static"},
		{RTPROT_RA, "router advertisement"},
		{RTPROT_DHCP, "dhcp"},
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].protocol == protocol)
			return names[i].name;
	return "another program";
}
