/*
 * What is known of a packet before any rule has seen it.
 */
#include "os/linux/firewall_model.h"

#include <unistd.h>

static void forget(struct fw_fact *facts, enum fw_field field)
{
	facts[field].known = false;
}

static void number(struct fw_fact *facts, enum fw_field field, uint64_t low, uint64_t high)
{
	facts[field] = (struct fw_fact){.known = true, .low = low, .high = high};
}

static void name(struct fw_fact *facts, enum fw_field field, const char *text)
{
	facts[field] = (struct fw_fact){.known = *text, .text = text};
}

static void ports(const struct firewall_packet *packet, struct fw_fact *facts)
{
	uint16_t from = packet->from_port, to = packet->to_port;
	number(facts, FW_FROM_PORT, from ? from : FW_PORTS_LOW, from ? from : FW_PORTS_HIGH);
	number(facts, FW_TO_PORT, to ? to : FW_PORTS_LOW, to ? to : FW_PORTS_HIGH);
}

static void addresses(const struct firewall_packet *packet, struct fw_fact *facts)
{
	uint32_t from = ntohl(packet->from.s_addr), to = ntohl(packet->to.s_addr);
	bool known = packet->sender == FIREWALL_SENDER_KNOWN;
	number(facts, FW_FROM, known ? from : 0, known ? from : UINT32_MAX);
	number(facts, FW_TO, to, to);
	if (packet->direction == FIREWALL_IN) {
		number(facts, FW_TO_TYPE, FW_LOCAL, FW_LOCAL);
		number(facts, FW_FROM_TYPE, FW_UNICAST, FW_UNICAST);
	} else {
		bool loopback = to >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET || to == from;
		number(facts, FW_FROM_TYPE, FW_LOCAL, FW_LOCAL);
		number(
			facts, FW_TO_TYPE, loopback ? FW_LOCAL : FW_UNICAST, loopback ? FW_LOCAL : FW_UNICAST);
	}
}

void fw_learn(const struct firewall_packet *packet, struct fw_fact facts[FW_FIELD_COUNT])
{
	bool in = packet->direction == FIREWALL_IN, tcp = packet->protocol == IPPROTO_TCP;
	uint64_t syn = 2, syn_ack = 18;
	number(facts, FW_FAMILY, AF_INET, AF_INET);
	number(facts, FW_PROTOCOL, packet->protocol, packet->protocol);
	name(facts, in ? FW_IN_NAME : FW_OUT_NAME, packet->interface);
	name(facts, in ? FW_OUT_NAME : FW_IN_NAME, "");
	addresses(packet, facts);
	ports(packet, facts);
	uint64_t flags = packet->answer ? syn_ack : syn;
	number(facts, FW_TCP_FLAGS, tcp ? flags : 0, tcp ? flags : 0);
	uint64_t state = packet->answer ? FW_ESTABLISHED : FW_NEW;
	number(facts, FW_STATE, state, state);
	number(facts, FW_STATUS, 0, 0);
	number(facts, FW_REPLY, packet->answer, packet->answer);
	number(facts, FW_MARK, 0, 0);
	number(facts, FW_CT_MARK, 0, 0);
	if (!in)
		number(facts, FW_OWNER, geteuid(), geteuid());
	number(facts, FW_HAS_ROUTE, 1, 1);
	number(facts, FW_PACKET_TYPE, 0, 0);
	number(facts, FW_FRAGMENT, 0, 0);
	/* An answer belongs to a connection with a past: marks and translation may stand with it. */
	if (packet->answer) {
		forget(facts, FW_STATUS);
		forget(facts, FW_CT_MARK);
		if (!tcp)
			forget(facts, FW_TCP_FLAGS);
	}
}
