#include "os/icmp.h"

#include "base/mem.h"

#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <sys/uio.h>

static const char *const icmp_codes[] = {
	[ICMP_NET_UNREACH] = "network unreachable",
	[ICMP_HOST_UNREACH] = "host unreachable",
	[ICMP_PROT_UNREACH] = "protocol unreachable",
	[ICMP_PORT_UNREACH] = "port unreachable",
	[ICMP_NET_UNKNOWN] = "network unknown",
	[ICMP_HOST_UNKNOWN] = "host unknown",
	[ICMP_NET_ANO] = "network administratively prohibited",
	[ICMP_HOST_ANO] = "host administratively prohibited",
	[ICMP_NET_UNR_TOS] = "network unreachable for this type of service",
	[ICMP_HOST_UNR_TOS] = "host unreachable for this type of service",
	[ICMP_PKT_FILTERED] = "communication administratively prohibited",
	[ICMP_PREC_VIOLATION] = "precedence violation",
	[ICMP_PREC_CUTOFF] = "precedence cutoff",
};

const char *icmp_text(uint8_t code)
{
	const char *text = code < ARRAY_LEN(icmp_codes) ? icmp_codes[code] : NULL;
	return text ? text : "destination unreachable";
}

void icmp_watch(int fd, bool on)
{
	int value = on;
	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &value, sizeof value);
}

static bool read_control(struct msghdr *message, struct icmp_notice *notice)
{
	bool seen = false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR)
			continue;
		const struct sock_extended_err *err = (const void *)CMSG_DATA(c);
		const struct sockaddr_in *from = (const void *)SO_EE_OFFENDER(err);
		if (err->ee_origin != SO_EE_ORIGIN_ICMP || err->ee_type != ICMP_DEST_UNREACH)
			continue;
		*notice = (struct icmp_notice){.code = err->ee_code};
		if (from->sin_family == AF_INET)
			notice->from = from->sin_addr;
		seen = true;
	}
	return seen;
}

bool icmp_read(int fd, struct icmp_notice *notice)
{
	char control[512], unused[1];
	struct iovec piece = {unused, sizeof unused};
	struct msghdr message = {.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	bool seen = false;
	while (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0) {
		seen = read_control(&message, notice) || seen;
		message.msg_controllen = sizeof control;
	}
	return seen;
}
