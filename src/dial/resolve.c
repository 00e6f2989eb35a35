/*
 * resolve: the name of the endpoint, or of the proxy when there is one, to IPv4 addresses (R4, R8).
 *
 * Happy path: the host is a dotted address, or the hosts file has it, or the first configured DNS
 * server answers with A records. What the hosts file says is compared with DNS for five seconds
 * at most. A name without a dot is completed by the search domains, as the system's resolver does.
 *
 * Failure modes: the servers are asked one after the other, as the system would, but each outcome
 * is kept apart: NXDOMAIN and an empty answer speak for the name and end the search; SERVFAIL,
 * REFUSED, ICMP errors and silence speak for the server, and the next is asked. SERVFAIL is asked
 * again with CD, to tell a signature that does not verify from a server that is broken; an empty
 * answer is followed by a question for AAAA. Addresses that lead nowhere are a sinkhole. For a
 * proxy all of them are one cause, proxy-unresolved, which names the cause below it.
 */
#include "dial/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sodium.h>

#define SECOND_LOOK_MS 2000 /* for a question that only adds to what is known */
#define COMPARE_MS     5000 /* the same of all servers: a dead one leaves time for the next */

bool resolve_is_local_name(const char *name)
{
	static const char local[] = "localhost";
	size_t want = sizeof local - 1, len = strlen(name);
	if (len && name[len - 1] == '.')
		len--;
	return len >= want && strncasecmp(name + len - want, local, want) == 0 &&
		   (len == want || name[len - want - 1] == '.');
}

static bool has_address(const struct in_addr *addresses, size_t count, struct in_addr wanted)
{
	for (size_t i = 0; i < count; i++)
		if (addresses[i].s_addr == wanted.s_addr)
			return true;
	return false;
}

static void add_addresses(
	struct evidence *evidence, const char *name, const struct in_addr *addresses, size_t count)
{
	cleanup(buf_free) struct buf text = {0};
	for (size_t i = 0; i < count; i++) {
		char one[INET_ADDRSTRLEN];
		inet_ntop(AF_INET, &addresses[i], one, sizeof one);
		buf_printf(&text, "%s%s", i ? ", " : "", one);
	}
	evidence_add(evidence, name, "%s", buf_text(&text));
}

static void add_server(struct evidence *evidence, const char *name, struct in_addr server)
{
	char text[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &server, text, sizeof text);
	evidence_add(evidence, name, "%s", text);
}

static int pass(struct walker *walker, const char *source)
{
	evidence_add(walker->evidence, "source", "%s", source);
	add_addresses(walker->evidence, "addresses", walker->addresses, walker->address_count);
	return 0;
}

static int pass_with(struct walker *walker, struct in_addr address, const char *source)
{
	walker->addresses[0] = address;
	walker->address_count = 1;
	return pass(walker, source);
}

/* At the proxy the remedy is another one, whatever DNS says. */
static int fail(struct walker *walker, enum cause cause, enum confidence confidence)
{
	if (walker->via_proxy && cause != CAUSE_NO_ROUTE) {
		evidence_add(walker->evidence, "dns-cause", "%s", cause_info(cause)->id);
		cause = CAUSE_PROXY_UNRESOLVED;
	}
	return walker_fail(walker, cause, confidence);
}

/* One more question to a server that has answered; DNS_SILENT when there is no time for it. */
static enum dns_outcome ask_again(struct walker *walker, const struct dns_question *question)
{
	struct dns_answer answer;
	struct deadline soon = deadline_in_ms(SECOND_LOOK_MS);
	if (dns_ask(question, soon, deadline_sooner(soon, walker->deadline), walker->options->cancel,
			&answer) != WAIT_READY)
		return DNS_SILENT;
	return answer.outcome;
}

/* --- the verdict on an answer --------------------------------------------------------------- */

static void all_silent(struct walker *walker, const struct lookup *lookup)
{
	add_addresses(walker->evidence, "resolver", lookup->resolvers.servers, lookup->server_count);
}

static void look_for_aaaa(struct walker *walker, const struct lookup *lookup)
{
	const struct dns_question question = {
		.server = lookup->resolvers.servers[lookup->told],
		.name = lookup->name,
		.type = DNS_AAAA,
	};
	if (ask_again(walker, &question) == DNS_FOUND)
		evidence_add(walker->evidence, "aaaa-note", " (it has IPv6 addresses only)");
}

static void add_source(struct walker *walker, const struct lookup *lookup)
{
	struct in_addr local;
	if (os_source_address(lookup->resolvers.servers[lookup->told], &local) == 0)
		add_server(walker->evidence, "local", local);
}

/* What goes beside the outcome in evidence; keyed by the outcome. */
static void (*const extra_evidence[DNS_OUTCOME_COUNT])(
	struct walker *walker, const struct lookup *lookup) = {
	[DNS_SILENT] = all_silent,
	[DNS_NO_DATA] = look_for_aaaa,
	[DNS_REFUSED] = add_source,
};

static void list_servers(struct walker *walker, const struct lookup *lookup)
{
	cleanup(buf_free) struct buf text = {0};
	for (size_t i = 0; i < lookup->asked; i++) {
		char server[INET_ADDRSTRLEN];
		inet_ntop(AF_INET, &lookup->resolvers.servers[i], server, sizeof server);
		buf_printf(&text, "%s%s: %s", i ? "; " : "", server,
			dns_meaning(lookup->answers[i].outcome)->words);
	}
	evidence_add(walker->evidence, "servers", "%s", buf_text(&text));
}

static void lookup_evidence(struct walker *walker, const struct lookup *lookup)
{
	const struct dns_answer *answer = &lookup->answers[lookup->told];
	char rcode[16];
	if (!strchr(evidence_get(walker->evidence, "name"), '.'))
		evidence_add(walker->evidence, "completed-name", "%s", lookup->name);
	add_server(walker->evidence, "resolver", lookup->resolvers.servers[lookup->told]);
	evidence_add(walker->evidence, "resolver-origin", "%s", lookup->resolvers.origin);
	if (answer->outcome == DNS_GARBLED)
		evidence_add(walker->evidence, "rcode", "%s", dns_meaning(answer->outcome)->words);
	else if (answer->rcode >= 0)
		evidence_add(walker->evidence, "rcode", "%s", dns_rcode_text(answer->rcode, rcode));
	else
		evidence_add(walker->evidence, "answer", "%s", dns_meaning(answer->outcome)->words);
	if (answer->error)
		evidence_add(walker->evidence, "error", "%s", strerror(answer->error));
	walker->held_back = answer->error == EPERM ? HELD_SILENTLY : HELD_NOT;
	if (answer->hop.s_addr && answer->outcome == DNS_UNREACHABLE)
		add_server(walker->evidence, "hop", answer->hop);
	if (answer->outcome == DNS_NO_ROUTE)
		add_server(walker->evidence, "address", lookup->resolvers.servers[lookup->told]);
	evidence_add(walker->evidence, "dns-ms", "%.1f", answer->ms);
	if (lookup->asked > 1)
		list_servers(walker, lookup);
}

static int fail_lookup(struct walker *walker, const struct lookup *lookup)
{
	const struct dns_answer *answer = &lookup->answers[lookup->told];
	const struct dns_meaning *meaning = dns_meaning(answer->outcome);
	enum cause cause = meaning->cause;
	lookup_evidence(walker, lookup);
	if (extra_evidence[answer->outcome])
		extra_evidence[answer->outcome](walker, lookup);
	if (answer->outcome == DNS_SERVFAIL) {
		const struct dns_question unchecked = {
			.server = lookup->resolvers.servers[lookup->told],
			.name = lookup->name,
			.type = DNS_A,
			.checking_disabled = true,
		};
		enum dns_outcome outcome = ask_again(walker, &unchecked);
		if (outcome == DNS_FOUND || outcome == DNS_NO_DATA)
			cause = CAUSE_DNSSEC_BOGUS;
	}
	return fail(walker, cause, meaning->confidence);
}

/* The system waits its full time for a silent server with every new name; a refusal costs none. */
static void warn_first_server(struct walker *walker, const struct lookup *lookup)
{
	enum dns_outcome first = lookup->answers[0].outcome;
	bool refuses = first == DNS_NO_LISTENER;
	if (!lookup->told || (!refuses && first != DNS_SILENT && first != DNS_UNREACHABLE))
		return;
	add_server(walker->evidence, "dead-resolver", lookup->resolvers.servers[0]);
	if (refuses)
		evidence_add(walker->evidence, "cost", "a moment");
	else
		evidence_add(walker->evidence, "cost", "%u second%s", lookup->resolvers.timeout_s,
			lookup->resolvers.timeout_s == 1 ? "" : "s");
	walker_warn(walker, CAUSE_DNS_FIRST_SERVER_DEAD, CONFIDENCE_CERTAIN);
}

static int pass_lookup(struct walker *walker, const struct lookup *lookup)
{
	const struct dns_answer *answer = &lookup->answers[lookup->told];
	lookup_evidence(walker, lookup);
	for (size_t i = 0; i < answer->count && walker->address_count < WALKER_MAX_ADDRESSES; i++)
		if (!dns_leads_nowhere(answer->addresses[i]))
			walker->addresses[walker->address_count++] = answer->addresses[i];
	if (!walker->address_count) {
		bool own = ntohl(answer->addresses[0].s_addr) >> 24 == IN_LOOPBACKNET;
		add_addresses(walker->evidence, "addresses", answer->addresses, answer->count);
		add_server(walker->evidence, "address", answer->addresses[0]);
		/* Some names for developers are meant to lead to the machine itself. */
		return fail(walker, CAUSE_DNS_SINKHOLE, own ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN);
	}
	walker->by_dns = true;
	walker->resolver = lookup->resolvers.servers[lookup->told];
	warn_first_server(walker, lookup);
	return pass(walker, "dns");
}

/* --- what is not DNS ------------------------------------------------------------------------ */

static int fail_no_ipv4_server(struct walker *walker, const struct os_resolvers *resolvers)
{
	evidence_add(walker->evidence, "resolver", "any IPv4 address (%zu with IPv6 %s not asked)",
		resolvers->ipv6_skipped, resolvers->ipv6_skipped == 1 ? "is" : "are");
	evidence_add(walker->evidence, "resolver-origin", "%s", resolvers->origin);
	return fail(walker, CAUSE_DNS_NO_LISTENER, CONFIDENCE_LIKELY);
}

/* DNS is asked only to warn: a hosts file that shadows it is how an old address stays in use. */
static int pass_hosts_file(struct walker *walker, struct in_addr address)
{
	struct lookup lookup;
	struct deadline soon = deadline_sooner(walker->deadline, deadline_in_ms(COMPARE_MS));
	pass_with(walker, address, "hosts-file");
	if (resolve_is_local_name(walker->next_host))
		return 0;
	enum wait_result result = lookup_run(walker, walker->next_host, soon, &lookup);
	if (result == WAIT_CANCELLED)
		return walker_wait_failed(walker, result, CAUSE_NONE);
	const struct dns_answer *answer = &lookup.answers[lookup.told];
	if (result != WAIT_READY || answer->outcome != DNS_FOUND ||
		has_address(answer->addresses, answer->count, address))
		return 0;
	lookup_evidence(walker, &lookup);
	add_server(walker->evidence, "hosts-address", address);
	add_addresses(walker->evidence, "dns-address", answer->addresses, answer->count);
	walker_warn(walker, CAUSE_HOSTS_FILE_STALE, CONFIDENCE_CERTAIN);
	return 0;
}

int resolve_run(struct walker *walker)
{
	struct in_addr address;
	const char *name = walker->next_host;
	evidence_add(walker->evidence, "name", "%s", name);
	if (inet_pton(AF_INET, name, &address) == 1)
		return pass_with(walker, address, "address");
	if (os_hosts_file_lookup(walker->options->root, name, &address, NULL) == 1)
		return pass_hosts_file(walker, address);
	if (resolve_is_local_name(name)) {
		address.s_addr = htonl(INADDR_LOOPBACK);
		return pass_with(walker, address, "RFC 6761");
	}
	struct lookup lookup;
	enum wait_result result = lookup_run(walker, name, walker->deadline, &lookup);
	if (result == WAIT_CANCELLED)
		return walker_wait_failed(walker, result, CAUSE_NONE);
	if (result == WAIT_ERROR)
		return fail_no_ipv4_server(walker, &lookup.resolvers);
	if (lookup.answers[lookup.told].outcome == DNS_FOUND)
		return pass_lookup(walker, &lookup);
	return fail_lookup(walker, &lookup);
}

/* --- second looks --------------------------------------------------------------------------- */

void resolve_check_hijack(struct walker *walker)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	char name[] = "xxxxxxxxxxxxxxxxxxxx.com";
	if (!walker->by_dns)
		return;
	for (char *at = name; *at == 'x'; at++)
		*at = letters[randombytes_uniform(sizeof letters - 1)];
	const struct dns_question question = {.server = walker->resolver, .name = name, .type = DNS_A};
	struct dns_answer answer;
	struct deadline soon =
		deadline_sooner(walker->options->overall, deadline_in_ms(SECOND_LOOK_MS));
	if (dns_ask(&question, soon, soon, walker->options->cancel, &answer) != WAIT_READY ||
		answer.outcome != DNS_FOUND)
		return;
	struct finding *failure = &walker->walk->failure;
	for (size_t i = 0; i < answer.count; i++) {
		if (!has_address(walker->addresses, walker->address_count, answer.addresses[i]))
			continue;
		evidence_add(&failure->evidence, "instead-of", "%s", cause_info(failure->cause)->id);
		evidence_add(&failure->evidence, "random-name", "%s", name);
		add_server(&failure->evidence, "address", answer.addresses[i]);
		add_server(&failure->evidence, "resolver", walker->resolver);
		failure->cause = CAUSE_DNS_HIJACK;
		failure->confidence = CONFIDENCE_CERTAIN;
		return;
	}
}
