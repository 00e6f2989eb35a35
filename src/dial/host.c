/*
 * The verdict on this machine's own place in its network.
 *
 * Happy path: an interface has a link and an IPv4 address, and a default route where one is wanted;
 * there is nothing to say. Otherwise, in this order: the interface that carries the way has no
 * link; an address is missing, or is one that the machine gave itself, while IPv6 has one
 * (no-ipv4), or a DHCP server has not answered (dhcp-absent) or was not asked again (lease-lost);
 * the lease of an address that still stands has ended. An ordinary user cannot ask for a DHCP
 * server: then the lease is what is told, as likely.
 */
#include "dial/host.h"

#include "os/os.h"

#include <arpa/inet.h>
#include <string.h>

#define LINK_LOCAL 0xa9fe /* 169.254/16 (RFC 3927) */

static bool is_link_local(struct in_addr address)
{
	return ntohl(address.s_addr) >> 16 == LINK_LOCAL;
}

/* --- leases ---------------------------------------------------------------------------------- */

const struct witness *host_lease(
	const struct witnesses *witnesses, struct in_addr address, time_t now, bool *ended)
{
	const struct witness *over = NULL;
	*ended = false;
	for (size_t i = 0; i < witnesses->count; i++) {
		const struct witness *witness = &witnesses->list[i];
		const struct lease *lease = &witness->lease;
		if (witness->word != WITNESS_LEASE || lease->address.s_addr != address.s_addr)
			continue;
		if (!lease->expires_at || lease->expires_at > now)
			return witness;
		over = witness;
	}
	*ended = over != NULL;
	return over;
}

/* Who is in charge of the address by DHCP, as far as anybody says. */
static const struct witness *dhcp_witness(const struct witnesses *witnesses)
{
	static const enum witness_word words[] = {WITNESS_DHCP, WITNESS_CLIENT, WITNESS_LEASE};
	const struct witness *found = NULL;
	for (size_t i = 0; i < ARRAY_LEN(words) && !found; i++)
		found = witness_find(witnesses, words[i]);
	return found;
}

/* What the DHCP client's program is told to make it ask again; owned by the caller. */
static char *renew_command(const struct witnesses *witnesses, const char *interface)
{
	static const struct {
		const char *who, *command;
	} commands[] = {
		{"systemd-networkd", "networkctl renew"},
		{"NetworkManager", "nmcli device connect"},
		{"dhclient", "dhclient -v"},
		{"dhcpcd", "dhcpcd -n"},
		{"udhcpc", "udhcpc -i"},
	};
	const struct witness *witness = dhcp_witness(witnesses);
	for (size_t i = 0; witness && i < ARRAY_LEN(commands); i++)
		if (strcmp(witness->who, commands[i].who) == 0)
			return xasprintf("%s %s", commands[i].command, interface);
	return NULL;
}

/* --- the cause and its evidence ----------------------------------------------------------------
 */

static void blame(struct host_view *view, enum cause cause, enum confidence confidence)
{
	view->cause = cause;
	view->confidence = confidence;
	if (!view->link)
		return;
	evidence_add(&view->evidence, "interface", "%s", view->link->name);
	evidence_add(&view->evidence, "link-state", "%s", view->link->state);
}

static void add_held(struct host_view *view)
{
	char text[INET_ADDRSTRLEN];
	if (!view->address)
		return;
	inet_ntop(AF_INET, &view->address->address, text, sizeof text);
	evidence_add(&view->evidence, "held-address", "%s/%u", text, view->address->prefix);
}

/* An address that should come from DHCP is not there, or not any more. `sign` says what shows it.
 */
static void blame_dhcp(
	const struct host_question *question, struct host_view *view, const char *sign)
{
	struct dhcp_offer offer;
	char text[INET_ADDRSTRLEN], server[INET_ADDRSTRLEN];
	enum dhcp_result result =
		host_ask_dhcp(view->link, question->deadline, question->cancel, &offer);
	bool absent = result == DHCP_SILENT;
	blame(view, absent ? CAUSE_DHCP_ABSENT : CAUSE_LEASE_LOST,
		absent || result == DHCP_OFFERED ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	add_held(view);
	evidence_add(&view->evidence, "sign", "%s", sign);
	const struct witness *who = dhcp_witness(&view->witnesses);
	if (who)
		evidence_add(&view->evidence, "dhcp-client", "%s (%s)", who->who, who->where);
	cleanup(free_ptr) char *command = renew_command(&view->witnesses, view->link->name);
	if (command)
		evidence_add(&view->evidence, "client-command", "%s", command);
	if (result == DHCP_OFFERED) {
		inet_ntop(AF_INET, &offer.address, text, sizeof text);
		inet_ntop(AF_INET, &offer.server, server, sizeof server);
		evidence_add(&view->evidence, "offer", "%s offers %s", server, text);
	} else {
		evidence_add(&view->evidence, "offer", "%s",
			absent                     ? "none to three DHCPDISCOVER"
			: result == DHCP_FORBIDDEN ? "not asked for: that takes root"
									   : "none yet, and no time to wait for one");
	}
}

/* --- which link ----------------------------------------------------------------------------------
 */

static bool is_ordinary(struct in_addr address)
{
	return !is_link_local(address) && ntohl(address.s_addr) >> 24 != IN_LOOPBACKNET;
}

static const struct addressing_address *own_address(const struct addressing_link *link)
{
	const struct addressing_address *found = NULL;
	for (size_t i = 0; i < link->address_count; i++)
		if (!found || (!is_ordinary(found->address) && is_ordinary(link->addresses[i].address)))
			found = &link->addresses[i];
	return found;
}

static bool has_address(const struct addressing_link *link)
{
	const struct addressing_address *address = own_address(link);
	return address && is_ordinary(address->address);
}

/* The candidate that comes closest to carrying traffic: a link and an address, an address whose
 * link is gone, a link without an address, none of both. */
static const struct addressing_link *best_candidate(const struct addressing *addressing)
{
	const struct addressing_link *best = NULL;
	int best_score = -1;
	for (size_t i = 0; i < addressing->link_count; i++) {
		const struct addressing_link *link = &addressing->links[i];
		int score = has_address(link) ? 4 + 2 * link->working : 2 * link->working + link->up;
		if (!addressing_is_candidate(addressing, link) || score <= best_score)
			continue;
		best = link;
		best_score = score;
	}
	return best;
}

/* The link of the default route; of several, one that has a link. */
static const struct addressing_link *route_link(const struct addressing *addressing)
{
	const struct addressing_route *route = addressing_route(addressing);
	const struct addressing_link *link = route ? addressing_link(addressing, route->link) : NULL;
	for (size_t i = 0; link && !link->working && i < addressing->route_count; i++) {
		const struct addressing_link *other =
			addressing_link(addressing, addressing->routes[i].link);
		if (other && other->working)
			link = other;
	}
	return link;
}

/* Another interface, or the loopback of a machine that routes, has what this one lacks. */
static bool works_elsewhere(const struct addressing *addressing)
{
	for (size_t i = 0; i < addressing->link_count; i++) {
		const struct addressing_link *link = &addressing->links[i];
		bool out = link->loopback || addressing_is_candidate(addressing, link);
		if (out && link->working && has_address(link))
			return true;
	}
	return false;
}

/* The address that the default route sends from. */
static const struct addressing_address *address_of(const struct addressing_link *link)
{
	const struct in_addr far_away = {htonl(0xcb007101)}; /* 203.0.113.1: nothing is sent there */
	struct in_addr from;
	if (os_source_address(far_away, &from) == 0)
		for (size_t i = 0; i < link->address_count; i++)
			if (link->addresses[i].address.s_addr == from.s_addr)
				return &link->addresses[i];
	return own_address(link);
}

/* --- the verdict
 * ----------------------------------------------------------------------------------- */

static bool set_by_hand(const struct witnesses *witnesses, struct in_addr address)
{
	for (size_t i = 0; i < witnesses->count; i++)
		if (witnesses->list[i].word == WITNESS_STATIC &&
			witnesses->list[i].lease.address.s_addr == address.s_addr)
			return true;
	return false;
}

static void judge_no_address(const struct host_question *question, struct host_view *view)
{
	const struct addressing_link *link = view->link;
	bool had_lease = witness_find(&view->witnesses, WITNESS_LEASE) != NULL;
	if (view->address && set_by_hand(&view->witnesses, view->address->address))
		return;
	if (!view->address && !had_lease && (link->ipv6_count || view->addressing.ipv6_route)) {
		blame(view, CAUSE_NO_IPV4, CONFIDENCE_CERTAIN);
		evidence_add(&view->evidence, "lacks", "%s has no IPv4 address", link->name);
		return;
	}
	if (!view->address && !question->dhcp && !dhcp_witness(&view->witnesses))
		return;
	cleanup(free_ptr) char *sign = NULL;
	char text[INET_ADDRSTRLEN];
	if (view->address) {
		inet_ntop(AF_INET, &view->address->address, text, sizeof text);
		sign = xasprintf("its address %s is one that the machine gave itself", text);
	}
	blame_dhcp(question, view, sign ? sign : "it has no IPv4 address");
}

static void judge_lease(const struct host_question *question, struct host_view *view)
{
	bool ended;
	struct in_addr address = view->address->address;
	const struct witness *witness = host_lease(&view->witnesses, address, time(NULL), &ended);
	if (!ended || !view->address->permanent || set_by_hand(&view->witnesses, address))
		return;
	char text[INET_ADDRSTRLEN], when[CLOCK_TEXT_SIZE];
	inet_ntop(AF_INET, &address, text, sizeof text);
	cleanup(free_ptr) char *sign = xasprintf("the lease of its address %s ended at %s (%s)", text,
		clock_rfc3339(witness->lease.expires_at, when), witness->where);
	blame_dhcp(question, view, sign);
}

static void judge(const struct host_question *question, struct host_view *view)
{
	const struct addressing *addressing = &view->addressing;
	if (!view->link || !view->link->working) {
		if (!view->link)
			evidence_add(&view->evidence, "link-state", "it has no network card");
		blame(view, CAUSE_LINK_DOWN, CONFIDENCE_CERTAIN);
		add_held(view);
	} else if (!has_address(view->link)) {
		if (!works_elsewhere(addressing))
			judge_no_address(question, view);
	} else if (question->route && !addressing->route_count && addressing->ipv6_route) {
		blame(view, CAUSE_NO_IPV4, CONFIDENCE_CERTAIN);
		evidence_add(&view->evidence, "lacks", "there is no IPv4 default route");
	} else if (question->leases) {
		judge_lease(question, view);
	}
}

void host_look(const struct host_question *question, struct host_view *view)
{
	*view = (struct host_view){.cause = CAUSE_NONE};
	/* A kernel that tells nothing leaves nothing to blame. */
	if (addressing_read(&view->addressing, NULL))
		return;
	view->link = route_link(&view->addressing);
	/* Nothing is said where the one that carries the way may be among those that were not read. */
	if (!view->link && view->addressing.more_links)
		return;
	if (!view->link)
		view->link = best_candidate(&view->addressing);
	if (view->link) {
		view->address = address_of(view->link);
		witnesses_read(question->root, &view->addressing, view->link, &view->witnesses);
	}
	judge(question, view);
}

void host_view_free(struct host_view *view)
{
	evidence_free(&view->evidence);
	view->cause = CAUSE_NONE;
}
