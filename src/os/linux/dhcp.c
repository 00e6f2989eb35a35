/*
 * The DHCPDISCOVER probe, on a packet socket.
 *
 * Happy path: one DISCOVER is broadcast, a server offers within milliseconds, and that is all.
 *
 * Failure modes: no privileges (EPERM); an interface that is no Ethernet or is down; nobody offers,
 * then it is sent again twice, and silence is told only after the whole time; other packets, which
 * are passed over, so that a busy network cannot keep it beyond its deadline.
 */
#include "os/dhcp.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER_PORT  67
#define CLIENT_PORT  68
#define TIME_TO_LIVE 64

/* When each one goes out, in milliseconds from the start. */
static const int sent_at_ms[] = {0, 1000, 2500};

struct discover {
	struct iphdr ip;
	struct udphdr udp;
	unsigned char message[300];
} __attribute__((packed));

static uint16_t checksum(const void *data, size_t len)
{
	const unsigned char *bytes = data;
	uint32_t sum = 0;
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void write_discover(
	struct discover *packet, uint32_t xid, const unsigned char mac[DHCP_MAC_BYTES])
{
	*packet = (struct discover){
		.ip = {.version = 4,
			.ihl = sizeof packet->ip / 4,
			.ttl = TIME_TO_LIVE,
			.protocol = IPPROTO_UDP,
			.tot_len = htons(sizeof *packet),
			.daddr = htonl(INADDR_BROADCAST)},
		/* No checksum: UDP over IPv4 allows that (RFC 768). */
		.udp = {.source = htons(CLIENT_PORT),
			.dest = htons(SERVER_PORT),
			.len = htons(sizeof packet->udp + sizeof packet->message)},
	};
	dhcp_write_discover(packet->message, xid, mac);
	packet->ip.check = checksum(&packet->ip, sizeof packet->ip);
}

/* UDP to port 68 and nothing else wakes this process. */
static void filter(int fd)
{
	enum { AT_FRAGMENT = 6, AT_PROTOCOL = 9, AT_UDP_TO = 2, FRAGMENT_OFFSET = 0x1fff };
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_FRAGMENT),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FRAGMENT_OFFSET, 4, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, AT_UDP_TO),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLIENT_PORT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, DHCP_PACKET_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog rules = {.len = ARRAY_LEN(program), .filter = program};
	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &rules, sizeof rules);
}

static int open_socket(unsigned interface)
{
	struct sockaddr_ll here = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = (int)interface};
	/* Without a protocol until it is bound, so that nothing of another interface gets in. */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	filter(fd);
	if (bind(fd, (const struct sockaddr *)&here, sizeof here) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int send_discover(int fd, unsigned interface, const struct discover *packet)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)interface,
		.sll_halen = DHCP_MAC_BYTES};
	memset(to.sll_addr, 0xff, DHCP_MAC_BYTES);
	return sendto(fd, packet, sizeof *packet, 0, (const struct sockaddr *)&to, sizeof to) < 0 ? -1
																							  : 0;
}

/* One packet, if it is there: true when it is an OFFER to this question. */
static bool take_offer(
	int fd, uint32_t xid, const unsigned char mac[DHCP_MAC_BYTES], struct dhcp_offer *offer)
{
	unsigned char packet[DHCP_PACKET_MAX];
	ssize_t got = recv(fd, packet, sizeof packet, 0);
	return got > 0 && dhcp_read_offer(packet, (size_t)got, xid, mac, offer);
}

static enum dhcp_result ask(int fd, unsigned interface, const unsigned char mac[DHCP_MAC_BYTES],
	struct deadline deadline, const struct cancel *cancel, struct dhcp_offer *offer)
{
	struct discover packet;
	uint32_t xid;
	randombytes_buf(&xid, sizeof xid);
	write_discover(&packet, xid, mac);
	int64_t start = clock_mono_us();
	struct deadline end = deadline_sooner(deadline, deadline_in_ms(DHCP_WAIT_MS));
	for (size_t i = 0; i < ARRAY_LEN(sent_at_ms); i++) {
		struct deadline next = end;
		if (i + 1 < ARRAY_LEN(sent_at_ms))
			next =
				deadline_sooner(end, (struct deadline){start + (int64_t)sent_at_ms[i + 1] * 1000});
		if (send_discover(fd, interface, &packet))
			return DHCP_IMPOSSIBLE;
		enum wait_result result;
		while ((result = wait_fd(fd, POLLIN, next, cancel)) == WAIT_READY)
			if (take_offer(fd, xid, mac, offer))
				return DHCP_OFFERED;
		if (result != WAIT_TIMEOUT)
			return DHCP_CUT_SHORT;
		if (deadline_left_ms(end) == 0)
			break;
	}
	return clock_ms_since(start) >= DHCP_PROOF_MS ? DHCP_SILENT : DHCP_CUT_SHORT;
}

enum dhcp_result dhcp_discover(const char *interface, const unsigned char mac[DHCP_MAC_BYTES],
	struct deadline deadline, const struct cancel *cancel, struct dhcp_offer *offer)
{
	unsigned index = if_nametoindex(interface);
	int fd = index ? open_socket(index) : -1;
	if (fd < 0)
		return index && (errno == EPERM || errno == EACCES) ? DHCP_FORBIDDEN : DHCP_IMPOSSIBLE;
	enum dhcp_result result = ask(fd, index, mac, deadline, cancel, offer);
	close(fd);
	return result;
}
