/*
 * Addressing: a DHCP server, an address and DNS servers that came from it, and IPv4 at all (rows R1
 * to R4).
 *
 * Happy path: the interface of the default route has an address with a lease behind it, a DHCP
 * server offers when asked, and every DNS server in use was handed out. What is wrong with the
 * machine's own place in its network (dial/host.h) comes first and is the one cause of all four;
 * the walks to the endpoints name the same one. An ordinary user cannot ask the network for a DHCP
 * server: a lease that holds is shown then, and proves none that answers today.
 */
#include "check/origin.h"
#include "check/probe.h"
#include "dial/host.h"
#include "os/os.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#define NO_INTERFACE   "no interface that could carry traffic was found"
#define NO_TIME        "the deadline passed before a DHCP server could have answered"
#define ONLY_ROOT_ASKS "only root can ask the network for a DHCP server; run the check as root"

/* What all four look at. */
struct look {
	const struct probe_question *question;
	struct probe_answer *answer;
	struct host_view view;
	uint8_t route_protocol;
};

static void list_addresses(
	struct evidence *evidence, const char *name, const struct in_addr *addresses, size_t count)
{
	cleanup(buf_free) struct buf text = {0};
	for (size_t i = 0; i < count; i++) {
		char one[INET_ADDRSTRLEN];
		inet_ntop(AF_INET, &addresses[i], one, sizeof one);
		buf_printf(&text, "%s%s", i ? ", " : "", one);
	}
	if (count)
		evidence_add(evidence, name, "%s", buf_text(&text));
}

static void tell_facts(struct look *look)
{
	struct evidence *evidence = &look->answer->evidence;
	const struct host_view *view = &look->view;
	const struct addressing_route *route = addressing_route(&view->addressing);
	if (!view->link)
		return;
	evidence_add(evidence, "interface", "%s", view->link->name);
	if (view->address) {
		list_addresses(evidence, "address", &view->address->address, 1);
		evidence_add(
			evidence, "kept", "%s", view->address->permanent ? "for ever" : "until its lease ends");
	}
	if (route && route->link == view->link->index) {
		look->route_protocol = route->protocol;
		evidence_add(evidence, "default-route", "%s", addressing_protocol(route->protocol));
	}
	cleanup(free_ptr) char *words = origin_words(&view->witnesses);
	evidence_add(evidence, "sources", "%s", words);
}

/* The cause of the machine's own place, as the walks tell it: with its own evidence alone. */
static void blame_host(struct look *look)
{
	struct finding *finding = probe_blame(look->answer, look->view.cause, look->view.confidence);
	evidence_free(&finding->evidence);
	finding->evidence = (struct evidence){.count = 0};
	evidence_copy(&finding->evidence, &look->view.evidence);
}

static void look_around(const struct probe_question *question, struct probe_answer *answer,
	bool leases, struct look *look)
{
	const struct check_options *options = question->options;
	const struct host_question ask = {
		.root = options->root,
		.route = !options->proxy->set,
		.leases = leases,
		.dhcp = options->profile->addressing.ipv4 == WISH_DHCP,
		.deadline = question->deadline,
		.cancel = options->cancel,
	};
	*look = (struct look){.question = question, .answer = answer};
	host_look(&ask, &look->view);
	tell_facts(look);
}

/* True when there is an address to ask about; else the answer says what is in the way. */
static bool has_address(struct look *look)
{
	if (look->view.cause != CAUSE_NONE)
		blame_host(look);
	else if (!look->view.link)
		probe_unknown(look->answer, NO_INTERFACE);
	else if (!look->view.address)
		probe_unknown(look->answer, "%s has no IPv4 address", look->view.link->name);
	else
		return true;
	return false;
}

static enum dhcp_result ask_network(struct look *look, struct dhcp_offer *offer)
{
	enum dhcp_result result = host_ask_dhcp(
		look->view.link, look->question->deadline, look->question->options->cancel, offer);
	if (result != DHCP_OFFERED)
		return result;
	list_addresses(&look->answer->evidence, "dhcp-server", &offer->server, 1);
	list_addresses(&look->answer->evidence, "offered-address", &offer->address, 1);
	list_addresses(&look->answer->evidence, "offered-dns", offer->dns, offer->dns_count);
	return result;
}

/* --- a DHCP server (R1) ------------------------------------------------------------------------
 */

/* Without asking the network: a lease that holds was given by a server, which may be gone by now.
 */
static void judge_by_lease(struct look *look)
{
	bool ended = false;
	const struct witness *witness =
		look->view.address
			? host_lease(&look->view.witnesses, look->view.address->address, time(NULL), &ended)
			: NULL;
	if (!witness || ended || !witness->lease.expires_at) {
		probe_unknown(look->answer, ONLY_ROOT_ASKS);
		return;
	}
	evidence_add(&look->answer->evidence, "lease", "%s", witness->where);
	list_addresses(&look->answer->evidence, "dhcp-server", &witness->lease.server, 1);
	probe_unknown(look->answer,
		"a lease that holds shows that there was one; only root can ask the network whether it "
		"still answers: run the check as root");
}

static void judge_server(struct look *look)
{
	struct dhcp_offer offer;
	switch (ask_network(look, &offer)) {
	case DHCP_OFFERED:
		probe_pass(look->answer, NULL);
		break;
	case DHCP_SILENT:
		evidence_add(&look->answer->evidence, "offer", "none to three DHCPDISCOVER");
		probe_blame(look->answer, CAUSE_DHCP_ABSENT, CONFIDENCE_CERTAIN);
		break;
	case DHCP_FORBIDDEN:
		judge_by_lease(look);
		break;
	case DHCP_CUT_SHORT:
		probe_unknown(look->answer, NO_TIME);
		break;
	case DHCP_IMPOSSIBLE:
		probe_unknown(look->answer, "%s is no Ethernet interface", look->view.link->name);
		break;
	}
}

void probe_dhcp_server(const struct probe_question *question, struct probe_answer *answer)
{
	struct look look;
	look_around(question, answer, true, &look);
	/* That a lease was lost says nothing yet about the server. */
	if (look.view.link && (look.view.cause == CAUSE_NONE || look.view.cause == CAUSE_LEASE_LOST))
		judge_server(&look);
	else
		has_address(&look);
	host_view_free(&look.view);
}

/* --- the address (R2, R3) ------------------------------------------------------------------------
 */

/* Where a person would change it: what set it, else what configures the interface at start. */
static void add_place(
	struct evidence *evidence, const struct witnesses *witnesses, enum witness_word word)
{
	const struct witness *witness = witness_find(witnesses, word);
	if (!witness)
		witness = witness_find(witnesses, WITNESS_INTENT);
	if (witness)
		evidence_add(evidence, "configured-in", "%s", witness->where);
}

static struct origin_verdict judge_address(struct look *look)
{
	struct dhcp_offer offer;
	struct origin_question question = {
		.link = look->view.link,
		.address = look->view.address,
		.route_protocol = look->route_protocol,
		.witnesses = &look->view.witnesses,
		.asked = DHCP_SILENT,
		.offer = &offer,
		.now = time(NULL),
	};
	/* The network is asked only where this machine itself has no proof. */
	struct origin_verdict verdict = origin_judge(origin_signals(&question));
	if (verdict.origin == ORIGIN_DHCP || verdict.certain)
		return verdict;
	question.asked = ask_network(look, &offer);
	return origin_judge(origin_signals(&question));
}

static void blame_static(struct look *look, struct origin_verdict verdict)
{
	struct evidence *evidence = &look->answer->evidence;
	evidence_add(evidence, "why", "%s", verdict.why);
	evidence_add(evidence, "wanted-by", "%s", look->question->options->profile->title);
	add_place(evidence, &look->view.witnesses, WITNESS_STATIC);
	probe_blame(look->answer, CAUSE_ADDRESS_STATIC,
		verdict.certain ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
}

void probe_ipv4_origin(const struct probe_question *question, struct probe_answer *answer)
{
	struct look look;
	look_around(question, answer, true, &look);
	if (has_address(&look)) {
		struct origin_verdict verdict = judge_address(&look);
		if (verdict.origin == ORIGIN_DHCP)
			probe_pass(answer, NULL);
		else if (verdict.origin == ORIGIN_STATIC)
			blame_static(&look, verdict);
		else
			probe_unknown(answer, "%s", verdict.why);
		evidence_add(&answer->evidence, "why", "%s", verdict.why);
	}
	host_view_free(&look.view);
}

/* --- its DNS servers (R3) ----------------------------------------------------------------------
 */

static void add_leases(struct origin_dns *dns, const struct host_view *view)
{
	for (size_t i = 0; i < view->witnesses.count; i++) {
		const struct witness *witness = &view->witnesses.list[i];
		const struct lease *lease = &witness->lease;
		if (witness->word == WITNESS_LEASE && lease->dns_told && view->address &&
			lease->address.s_addr == view->address->address.s_addr)
			origin_dns_add(dns, lease->dns, lease->dns_count);
	}
}

static bool any_loopback(const struct in_addr *servers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ntohl(servers[i].s_addr) >> 24 == IN_LOOPBACKNET)
			return true;
	return false;
}

/* Nobody here tells what was handed out: then the network says it, and the address itself. */
static void judge_without_lease(struct look *look, enum dhcp_result asked)
{
	bool address_wanted = look->question->options->profile->addressing.ipv4 == WISH_DHCP;
	if (asked == DHCP_FORBIDDEN || asked == DHCP_CUT_SHORT) {
		probe_unknown(look->answer, "no lease here tells which DNS servers were handed out; %s",
			asked == DHCP_FORBIDDEN ? ONLY_ROOT_ASKS : NO_TIME);
		return;
	}
	struct origin_verdict verdict = judge_address(look);
	/* What DHCP does not give to an address that is set by hand has that one root. */
	if (verdict.origin == ORIGIN_STATIC && address_wanted)
		blame_static(look, verdict);
	else if (verdict.origin == ORIGIN_STATIC || asked == DHCP_OFFERED)
		probe_blame(look->answer, CAUSE_DNS_STATIC, CONFIDENCE_LIKELY);
	else
		probe_unknown(look->answer,
			"no lease here tells which DNS servers were handed out, and no DHCP server answers");
}

static void judge_dns(struct look *look, const struct os_resolvers *resolvers)
{
	struct origin_dns dns = {.told = false};
	struct dhcp_offer offer;
	enum dhcp_result asked = DHCP_SILENT;
	add_leases(&dns, &look->view);
	bool leased = dns.told;
	if (!leased && (asked = ask_network(look, &offer)) == DHCP_OFFERED)
		origin_dns_add(&dns, offer.dns, offer.dns_count);
	origin_dns_compare(&dns, resolvers->servers, resolvers->count);
	if (!dns.strange_count) {
		probe_pass(look->answer, NULL);
		return;
	}
	list_addresses(&look->answer->evidence, "resolver", dns.strange, dns.strange_count);
	list_addresses(&look->answer->evidence, "offered", dns.offered, dns.offered_count);
	add_place(&look->answer->evidence, &look->view.witnesses, WITNESS_STATIC_DNS);
	if (any_loopback(dns.strange, dns.strange_count))
		probe_unknown(look->answer,
			"a DNS server on this machine is asked, and which servers that one asks is not known");
	else if (leased)
		probe_blame(look->answer, CAUSE_DNS_STATIC, CONFIDENCE_CERTAIN);
	else
		judge_without_lease(look, asked);
}

void probe_dns_origin(const struct probe_question *question, struct probe_answer *answer)
{
	struct look look;
	struct os_resolvers resolvers;
	struct err err;
	look_around(question, answer, true, &look);
	if (!has_address(&look)) {
		host_view_free(&look.view);
		return;
	}
	if (os_resolvers_read(question->options->root, &resolvers, &err)) {
		probe_unknown(answer, "%s", err.text);
	} else {
		list_addresses(&answer->evidence, "dns-in-use", resolvers.servers, resolvers.count);
		evidence_add(&answer->evidence, "resolver-origin", "%s", resolvers.origin);
		if (resolvers.count)
			judge_dns(&look, &resolvers);
		else
			probe_unknown(answer, "only DNS servers with IPv6 addresses are set");
	}
	host_view_free(&look.view);
}

/* --- IPv4 at all (R4) ----------------------------------------------------------------------------
 */

void probe_ipv4_usable(const struct probe_question *question, struct probe_answer *answer)
{
	struct look look;
	look_around(question, answer, false, &look);
	if (has_address(&look))
		probe_pass(answer, NULL);
	host_view_free(&look.view);
}
