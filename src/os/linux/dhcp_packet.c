/*
 * DHCP on the wire (RFC 2131, options of RFC 2132): a DISCOVER written, an OFFER read.
 *
 * Every length in what is read was chosen by somebody else, so each step checks what is left first.
 * The UDP checksum is not looked at: a virtual card hands packets over before it is filled in.
 */
#include "os/dhcp.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	BOOTREQUEST = 1,
	BOOTREPLY = 2,
	HARDWARE_ETHERNET = 1,
	AT_XID = 4,
	AT_FLAGS = 10,
	AT_YIADDR = 16,
	AT_CHADDR = 28,
	AT_SNAME = 44,
	SNAME_BYTES = 64,
	AT_FILE = 108,
	FILE_BYTES = 128,
	AT_COOKIE = 236,
	AT_OPTIONS = 240,
	DISCOVER_BYTES = 300, /* as short as some relays let through */
	FLAG_BROADCAST = 0x80,
};

enum {
	OPTION_PAD = 0,
	OPTION_DNS = 6,
	OPTION_LEASE_TIME = 51,
	OPTION_OVERLOAD = 52,
	OPTION_MESSAGE_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_ASK_FOR = 55,
	OPTION_CLIENT = 61,
	OPTION_END = 255,
};

enum { DHCPDISCOVER = 1, DHCPOFFER = 2 };

enum { OVERLOAD_FILE = 1, OVERLOAD_SNAME = 2 };

static const unsigned char cookie[] = {99, 130, 83, 99};

size_t dhcp_write_discover(
	unsigned char *message, uint32_t xid, const unsigned char mac[DHCP_MAC_BYTES])
{
	/* Mask, router, DNS and domain: what an ordinary client asks for. */
	static const unsigned char asked[] = {1, 3, OPTION_DNS, 15};
	memset(message, 0, DISCOVER_BYTES);
	message[0] = BOOTREQUEST;
	message[1] = HARDWARE_ETHERNET;
	message[2] = DHCP_MAC_BYTES;
	memcpy(message + AT_XID, &xid, sizeof xid);
	/* A machine that holds another address, or none, hears a broadcast. */
	message[AT_FLAGS] = FLAG_BROADCAST;
	memcpy(message + AT_CHADDR, mac, DHCP_MAC_BYTES);
	memcpy(message + AT_COOKIE, cookie, sizeof cookie);
	unsigned char *at = message + AT_OPTIONS;
	*at++ = OPTION_MESSAGE_TYPE;
	*at++ = 1;
	*at++ = DHCPDISCOVER;
	*at++ = OPTION_CLIENT;
	*at++ = 1 + DHCP_MAC_BYTES;
	*at++ = HARDWARE_ETHERNET;
	memcpy(at, mac, DHCP_MAC_BYTES);
	at += DHCP_MAC_BYTES;
	*at++ = OPTION_ASK_FOR;
	*at++ = sizeof asked;
	memcpy(at, asked, sizeof asked);
	at += sizeof asked;
	*at = OPTION_END;
	return DISCOVER_BYTES;
}

static void read_option(struct dhcp_message *out, uint8_t code, const unsigned char *value,
	size_t len, uint8_t *overload)
{
	if (code == OPTION_MESSAGE_TYPE && len == 1)
		out->type = *value;
	if (code == OPTION_OVERLOAD && len == 1)
		*overload = *value;
	if (code == OPTION_SERVER && len == sizeof out->server)
		memcpy(&out->server, value, len);
	if (code == OPTION_LEASE_TIME && len == sizeof out->lifetime_s) {
		memcpy(&out->lifetime_s, value, len);
		out->lifetime_s = ntohl(out->lifetime_s);
		out->has_lifetime = true;
	}
	if (code != OPTION_DNS)
		return;
	/* An option that is longer than one field comes in pieces (RFC 3396). */
	for (; len >= sizeof *out->dns && out->dns_count < LEASE_MAX_DNS; len -= sizeof *out->dns) {
		memcpy(&out->dns[out->dns_count++], value, sizeof *out->dns);
		value += sizeof *out->dns;
	}
}

static void read_options(
	const unsigned char *at, size_t len, struct dhcp_message *out, uint8_t *overload)
{
	while (len && *at != OPTION_END) {
		if (*at == OPTION_PAD) {
			at++;
			len--;
			continue;
		}
		if (len < 2 || (size_t)at[1] + 2 > len)
			return;
		read_option(out, at[0], at + 2, at[1], overload);
		len -= (size_t)at[1] + 2;
		at += (size_t)at[1] + 2;
	}
}

bool dhcp_message_read(const unsigned char *message, size_t len, struct dhcp_message *out)
{
	uint8_t overload = 0, ignored = 0;
	*out = (struct dhcp_message){.op = 0};
	if (len < AT_OPTIONS || memcmp(message + AT_COOKIE, cookie, sizeof cookie) != 0 ||
		message[1] != HARDWARE_ETHERNET || message[2] != DHCP_MAC_BYTES)
		return false;
	out->op = message[0];
	memcpy(&out->xid, message + AT_XID, sizeof out->xid);
	memcpy(&out->address, message + AT_YIADDR, sizeof out->address);
	memcpy(out->mac, message + AT_CHADDR, DHCP_MAC_BYTES);
	read_options(message + AT_OPTIONS, len - AT_OPTIONS, out, &overload);
	if (overload & OVERLOAD_FILE)
		read_options(message + AT_FILE, FILE_BYTES, out, &ignored);
	if (overload & OVERLOAD_SNAME)
		read_options(message + AT_SNAME, SNAME_BYTES, out, &ignored);
	return true;
}

/* The UDP payload of an IPv4 packet to the port of DHCP clients; NULL for any other packet. */
static const unsigned char *udp_payload(const unsigned char *packet, size_t *len)
{
	enum { IP_BYTES = 20, UDP_BYTES = 8, PROTOCOL_UDP = 17, CLIENT_PORT = 68 };
	if (*len < IP_BYTES || packet[0] >> 4 != 4 || packet[9] != PROTOCOL_UDP)
		return NULL;
	size_t header = (size_t)(packet[0] & 15) * 4;
	size_t total = (size_t)packet[2] << 8 | packet[3];
	bool fragment = (packet[6] & 0x3f) || packet[7];
	if (header < IP_BYTES || total > *len || total < header + UDP_BYTES || fragment)
		return NULL;
	const unsigned char *udp = packet + header;
	size_t udp_len = (size_t)udp[4] << 8 | udp[5];
	if ((udp[2] << 8 | udp[3]) != CLIENT_PORT || udp_len < UDP_BYTES || udp_len > total - header)
		return NULL;
	*len = udp_len - UDP_BYTES;
	return udp + UDP_BYTES;
}

bool dhcp_read_offer(const unsigned char *packet, size_t len, uint32_t xid,
	const unsigned char mac[DHCP_MAC_BYTES], struct dhcp_offer *offer)
{
	struct dhcp_message message;
	const unsigned char *payload = udp_payload(packet, &len);
	if (!payload || !dhcp_message_read(payload, len, &message) || message.op != BOOTREPLY ||
		message.type != DHCPOFFER || message.xid != xid ||
		memcmp(message.mac, mac, DHCP_MAC_BYTES) != 0 || !message.address.s_addr)
		return false;
	*offer = (struct dhcp_offer){
		.address = message.address, .server = message.server, .dns_count = message.dns_count};
	offer->dns_told = true;
	memcpy(offer->dns, message.dns, sizeof offer->dns);
	return true;
}
