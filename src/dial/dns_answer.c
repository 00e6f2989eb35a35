/*
 * What a DNS answer says, and what that means for the walk.
 */
#include "dial/dns.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <stdio.h>

#define TRUNCATED 0x02 /* in the third byte of the header */

static const struct dns_meaning meanings[DNS_OUTCOME_COUNT] = {
	[DNS_FOUND] = {"NOERROR", CAUSE_NONE, CONFIDENCE_CERTAIN, true, 0},
	[DNS_NO_DATA] = {"no IPv4 address", CAUSE_DNS_NO_A, CONFIDENCE_CERTAIN, true, 1},
	[DNS_NXDOMAIN] = {"NXDOMAIN", CAUSE_DNS_NXDOMAIN, CONFIDENCE_CERTAIN, true, 1},
	[DNS_BAD_NAME] = {"not a name", CAUSE_DNS_NXDOMAIN, CONFIDENCE_CERTAIN, true, 1},
	[DNS_SERVFAIL] = {"SERVFAIL", CAUSE_DNS_SERVFAIL, CONFIDENCE_CERTAIN, false, 2},
	[DNS_REFUSED] = {"REFUSED", CAUSE_DNS_REFUSED, CONFIDENCE_CERTAIN, false, 2},
	[DNS_TCP_BLOCKED] = {"truncated, and TCP is blocked", CAUSE_DNS_TRUNCATED_TCP_BLOCKED,
		CONFIDENCE_CERTAIN, false, 2},
	[DNS_TRUNCATED] = {"truncated", CAUSE_DNS_TRUNCATED_TCP_BLOCKED, CONFIDENCE_LIKELY, false, 2},
	[DNS_OTHER_RCODE] = {"another error", CAUSE_DNS_SERVFAIL, CONFIDENCE_LIKELY, false, 3},
	[DNS_GARBLED] = {"an answer that makes no sense", CAUSE_DNS_SERVFAIL, CONFIDENCE_LIKELY, false,
		3},
	[DNS_NO_LISTENER] = {"no listener", CAUSE_DNS_NO_LISTENER, CONFIDENCE_CERTAIN, false, 4},
	[DNS_NO_ROUTE] = {"no route", CAUSE_NO_ROUTE, CONFIDENCE_CERTAIN, false, 4},
	[DNS_UNREACHABLE] = {"unreachable", CAUSE_DNS_TIMEOUT, CONFIDENCE_CERTAIN, false, 4},
	[DNS_SILENT] = {"no answer", CAUSE_DNS_TIMEOUT, CONFIDENCE_CERTAIN, false, 5},
};

const struct dns_meaning *dns_meaning(enum dns_outcome outcome)
{
	return &meanings[(unsigned)outcome < DNS_OUTCOME_COUNT ? outcome : DNS_GARBLED];
}

static const struct {
	const char *text;
	enum dns_outcome outcome;
} rcodes[] = {
	{"NOERROR", DNS_FOUND},
	{"FORMERR", DNS_OTHER_RCODE},
	{"SERVFAIL", DNS_SERVFAIL},
	{"NXDOMAIN", DNS_NXDOMAIN},
	{"NOTIMP", DNS_OTHER_RCODE},
	{"REFUSED", DNS_REFUSED},
};

const char *dns_rcode_text(int rcode, char text[16])
{
	if (rcode >= 0 && (size_t)rcode < ARRAY_LEN(rcodes))
		return rcodes[rcode].text;
	snprintf(text, 16, "RCODE %d", rcode);
	return text;
}

static int parse_addresses(
	const unsigned char *reply, size_t len, enum dns_type type, struct dns_answer *answer)
{
	struct ares_addrttl found[DNS_MAX_ADDRESSES];
	struct ares_addr6ttl found6[DNS_MAX_ADDRESSES];
	int count = DNS_MAX_ADDRESSES;
	int status = type == DNS_AAAA ? ares_parse_aaaa_reply(reply, (int)len, NULL, found6, &count)
								  : ares_parse_a_reply(reply, (int)len, NULL, found, &count);
	if (status == ARES_ENODATA)
		count = 0;
	else if (status != ARES_SUCCESS || count < 0)
		return -1;
	answer->count = (size_t)count;
	for (int i = 0; i < count && type == DNS_A; i++)
		answer->addresses[i] = found[i].ipaddr;
	return 0;
}

void dns_classify(
	const unsigned char *reply, size_t len, enum dns_type type, struct dns_answer *answer)
{
	answer->rcode = -1;
	answer->count = 0;
	answer->outcome = DNS_GARBLED;
	if (len < HFIXEDSZ)
		return;
	answer->rcode = reply[3] & 0x0f;
	if (reply[2] & TRUNCATED)
		answer->outcome = DNS_TRUNCATED;
	else if ((size_t)answer->rcode >= ARRAY_LEN(rcodes))
		answer->outcome = DNS_OTHER_RCODE;
	else if (answer->rcode)
		answer->outcome = rcodes[answer->rcode].outcome;
	else if (parse_addresses(reply, len, type, answer) == 0)
		answer->outcome = answer->count ? DNS_FOUND : DNS_NO_DATA;
}

bool dns_leads_nowhere(struct in_addr address)
{
	static const struct {
		uint32_t network, mask;
	} nowhere[] = {
		{0x00000000, 0xff000000}, /* this network (RFC 1122): 0.0.0.0 */
		{0x7f000000, 0xff000000}, /* loopback */
		{0xe0000000, 0xe0000000}, /* multicast, reserved, broadcast */
	};
	for (size_t i = 0; i < ARRAY_LEN(nowhere); i++)
		if ((ntohl(address.s_addr) & nowhere[i].mask) == nowhere[i].network)
			return true;
	return false;
}
