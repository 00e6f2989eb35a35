/*
 * What this machine's own firewall does with one packet: read from its rules, never guessed.
 *
 * firewall_ask() reads the rules (nftables, and the legacy tables of iptables), follows the packet
 * through every chain of its hooks, and says what becomes of it and which rule decides. A snapshot
 * serves the questions of a few seconds; asking is safe from several threads. Only root may read
 * rules. What a rule asks for and this program cannot know (another program's verdict, a random
 * number) makes that rule undetermined: where the outcome hangs on it the verdict is unknown. It is
 * IPv4.
 */
#ifndef OS_FIREWALL_H
#define OS_FIREWALL_H

#include "os/wait.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum firewall_direction { FIREWALL_IN, FIREWALL_OUT };

enum firewall_sender {
	FIREWALL_SENDER_KNOWN,    /* `from` */
	FIREWALL_SENDER_ANY,      /* unknown: what hangs on it is undetermined */
	FIREWALL_SENDER_UNLISTED, /* one whose address no rule names */
};

struct firewall_packet {
	enum firewall_direction direction;
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	bool answer;      /* belongs to a connection that is there; else it begins one */
	enum firewall_sender sender;
	struct in_addr from, to;
	uint16_t from_port, to_port; /* from_port 0: any of those that clients use */
	char interface[IF_NAMESIZE]; /* it comes or goes by; "": unknown */
};

enum firewall_verdict {
	FIREWALL_UNKNOWN,
	FIREWALL_ACCEPTS,
	FIREWALL_DROPS,
	FIREWALL_REJECTS,
};

struct firewall_answer {
	enum firewall_verdict verdict;
	bool assumed;        /* that a rate or a count is not exceeded: likely, not certain */
	bool by_sender;      /* unknown, and the sender's address alone would tell */
	bool without_rights; /* unknown, because only root may read the rules */
	char place[256];     /* "table inet filter, chain input, rule handle 7"; "" for none */
	char rule[400];      /* its text; what the rules' author wrote, so show it as evidence only */
	char reason[256];    /* why it is unknown; else "" */
};

void firewall_ask(const struct firewall_packet *packet, struct deadline deadline,
	const struct cancel *cancel, struct firewall_answer *answer);
/* "accepts", "drops", "rejects", "may stop" */
const char *firewall_verdict_text(enum firewall_verdict verdict);

/* The packet that this machine would begin a connection with, and the first answer to it. Their
 * addresses and interface are those of the route; 0, or -1 when there is none. */
int firewall_packet_out(
	uint8_t protocol, struct in_addr to, uint16_t port, struct firewall_packet *packet);
void firewall_packet_answer(const struct firewall_packet *out, struct firewall_packet *answer);
/* The packet with which somebody outside begins one to a port of this machine, by the interface
 * that leads outside; -1 when it has none. */
int firewall_packet_in(uint8_t protocol, uint16_t port, struct firewall_packet *packet);

#endif
