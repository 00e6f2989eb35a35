#include "check/origin.h"

#include "dial/host.h"

#include <linux/rtnetlink.h>
#include <string.h>

/* --- the signals ------------------------------------------------------------------------------ */

static unsigned witness_signal(
	const struct origin_question *question, const struct witness *witness)
{
	in_addr_t address = question->address->address.s_addr;
	bool same = witness->lease.address.s_addr == address;
	int64_t ends = witness->lease.expires_at;
	switch (witness->word) {
	case WITNESS_LEASE:
		if (!same)
			return 0;
		return !ends ? SIGNAL_UNDATED : ends > question->now ? SIGNAL_LEASE : 0;
	case WITNESS_STATIC:
		return same ? SIGNAL_BY_HAND : 0;
	case WITNESS_CLIENT:
		return SIGNAL_CLIENT;
	case WITNESS_DHCP:
		return SIGNAL_MANAGED;
	case WITNESS_HIDDEN:
		return SIGNAL_HIDDEN;
	case WITNESS_STATIC_DNS:
	case WITNESS_INTENT:
		break;
	}
	return 0;
}

unsigned origin_signals(const struct origin_question *question)
{
	unsigned signals = question->address->permanent ? 0 : SIGNAL_FINITE;
	size_t permanent = 0;
	for (size_t i = 0; i < question->link->address_count; i++)
		permanent += question->link->addresses[i].permanent;
	if (permanent > 1)
		signals |= SIGNAL_SEVERAL;
	if (question->route_protocol == RTPROT_DHCP)
		signals |= SIGNAL_ROUTE_DHCP;
	if (question->route_protocol == RTPROT_STATIC)
		signals |= SIGNAL_ROUTE_STATIC;
	for (size_t i = 0; i < question->witnesses->count; i++)
		signals |= witness_signal(question, &question->witnesses->list[i]);
	if (question->asked == DHCP_OFFERED &&
		question->offer->address.s_addr == question->address->address.s_addr)
		signals |= SIGNAL_OFFERED;
	if (question->asked != DHCP_OFFERED && question->asked != DHCP_SILENT)
		signals |= SIGNAL_NOT_ASKED;
	return signals;
}

/* --- the table ---------------------------------------------------------------------------------
 */

/* The first row whose signals are all there decides. What a program says about the live address
 * itself comes before what it says about the interface, and that before what is merely absent. */
static const struct {
	unsigned signals;
	enum origin origin;
	bool certain;
	const char *why;
} rows[] = {
	{SIGNAL_BY_HAND | SIGNAL_FINITE, ORIGIN_UNKNOWN, false,
		"a network manager has the address as fixed, but the kernel says that it runs out"},
	{SIGNAL_BY_HAND | SIGNAL_LEASE, ORIGIN_UNKNOWN, false,
		"a network manager has the address as fixed, but there is a lease of it too"},
	{SIGNAL_BY_HAND | SIGNAL_ROUTE_DHCP, ORIGIN_UNKNOWN, false,
		"a network manager has the address as fixed, but a DHCP client has set the default route"},
	{SIGNAL_BY_HAND | SIGNAL_CLIENT, ORIGIN_UNKNOWN, false,
		"a network manager has the address as fixed, but a DHCP client runs for the interface"},
	{SIGNAL_BY_HAND, ORIGIN_STATIC, true, "a network manager has set it as fixed"},
	{SIGNAL_FINITE, ORIGIN_DHCP, true, "the kernel keeps it for as long as its lease lasts"},
	{SIGNAL_LEASE, ORIGIN_DHCP, true, "there is a lease of it that still holds"},
	{SIGNAL_ROUTE_DHCP, ORIGIN_DHCP, true, "a DHCP client has set the default route"},
	{SIGNAL_CLIENT | SIGNAL_ROUTE_STATIC, ORIGIN_UNKNOWN, false,
		"a DHCP client runs for the interface, but its default route is a static one"},
	{SIGNAL_CLIENT | SIGNAL_SEVERAL, ORIGIN_UNKNOWN, false,
		"a DHCP client runs for the interface, which has several permanent addresses, and there is "
		"no lease that says which of them is its"},
	{SIGNAL_CLIENT, ORIGIN_DHCP, false, "a DHCP client runs for the interface"},
	{SIGNAL_UNDATED | SIGNAL_ROUTE_STATIC, ORIGIN_UNKNOWN, false,
		"there is a lease of it without a date, but the default route is a static one"},
	{SIGNAL_UNDATED, ORIGIN_DHCP, false, "there is a lease of it"},
	{SIGNAL_OFFERED | SIGNAL_ROUTE_STATIC, ORIGIN_UNKNOWN, false,
		"the DHCP server offers this very address, but the default route is a static one"},
	{SIGNAL_OFFERED, ORIGIN_DHCP, false, "the DHCP server offers this machine this very address"},
	{SIGNAL_MANAGED, ORIGIN_UNKNOWN, false,
		"the interface is set to DHCP, but there is no lease of the address that it has"},
	{SIGNAL_HIDDEN | SIGNAL_ROUTE_STATIC, ORIGIN_STATIC, false,
		"a network manager has set its default route as fixed"},
	{SIGNAL_HIDDEN, ORIGIN_UNKNOWN, false, "who set it, only root can see; run the check as root"},
	{SIGNAL_ROUTE_STATIC, ORIGIN_STATIC, true,
		"it is permanent, its default route is static, and nobody has a lease of it"},
	{SIGNAL_NOT_ASKED, ORIGIN_UNKNOWN, false,
		"nobody here has a lease of it, and only root can ask whether the DHCP server gave it; run "
		"the check as root"},
	{0, ORIGIN_STATIC, false, "it is permanent, nobody has a lease of it and no DHCP client runs"},
};

struct origin_verdict origin_judge(unsigned signals)
{
	size_t i = 0;
	while ((signals & rows[i].signals) != rows[i].signals)
		i++;
	return (struct origin_verdict){rows[i].origin, rows[i].certain, rows[i].why};
}

char *origin_words(const struct witnesses *witnesses)
{
	static const char *const words[] = {
		[WITNESS_LEASE] = "a lease",
		[WITNESS_CLIENT] = "runs",
		[WITNESS_DHCP] = "set to DHCP",
		[WITNESS_STATIC] = "a fixed address",
		[WITNESS_STATIC_DNS] = "fixed DNS servers",
		[WITNESS_INTENT] = "names the interface",
		[WITNESS_HIDDEN] = "hidden from this user",
	};
	struct buf text = {0};
	for (size_t i = 0; i < witnesses->count; i++)
		buf_printf(&text, "%s%s: %s (%s)", i ? "; " : "", witnesses->list[i].who,
			words[witnesses->list[i].word], witnesses->list[i].where);
	return text.data ? text.data : xstrdup("nobody says anything");
}

/* --- DNS ---------------------------------------------------------------------------------------
 */

static void add_server(struct in_addr *list, size_t *count, struct in_addr server)
{
	for (size_t i = 0; i < *count; i++)
		if (list[i].s_addr == server.s_addr)
			return;
	if (*count < LEASE_MAX_DNS)
		list[(*count)++] = server;
}

void origin_dns_add(struct origin_dns *dns, const struct in_addr *servers, size_t count)
{
	dns->told = true;
	for (size_t i = 0; i < count; i++)
		add_server(dns->offered, &dns->offered_count, servers[i]);
}

void origin_dns_compare(struct origin_dns *dns, const struct in_addr *in_use, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool offered = false;
		for (size_t n = 0; n < dns->offered_count; n++)
			offered |= dns->offered[n].s_addr == in_use[i].s_addr;
		if (!offered)
			add_server(dns->strange, &dns->strange_count, in_use[i]);
	}
}
