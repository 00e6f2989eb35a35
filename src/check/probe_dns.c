/*
 * dns.external (row R8): does this machine itself resolve external names?
 *
 * Happy path: the first name among the profile's endpoints is asked of the configured servers, with
 * the code of the walk, and has an address. Behind a proxy too, for a blueprint's steps may not use
 * it; what the proxy does in its place is judged later (judge.c).
 *
 * Failure modes: a name can fail for reasons of its own, so a few others are asked, at last
 * well-known ones; a server that does not serve at all fails for every name, so no other is asked.
 * Names in the hosts file and addresses say nothing about DNS.
 */
#include "check/probe_hosts.h"

#include <arpa/inet.h>
#include <string.h>

#define NAMES_MAX 4 /* of the profile's own */

struct names {
	const char *list[NAMES_MAX + PROFILE_MAX_HOSTS];
	size_t count;
};

static void add_name(struct names *names, size_t max, const char *name)
{
	struct in_addr address;
	bool known = inet_pton(AF_INET, name, &address) == 1;
	for (size_t i = 0; i < names->count && !known; i++)
		known = strcasecmp(names->list[i], name) == 0;
	if (!known && names->count < max)
		names->list[names->count++] = name;
}

static void collect_names(const struct profile *profile, struct names *names)
{
	const char *hosts[PROFILE_MAX_HOSTS];
	for (unsigned i = 0; i < profile->endpoints_count; i++)
		if (!profile->endpoints[i].untested)
			add_name(names, NAMES_MAX, profile->endpoints[i].host);
	size_t count = internet_hosts(profile, hosts);
	for (size_t i = 0; i < count; i++)
		add_name(names, ARRAY_LEN(names->list), hosts[i]);
}

/* Another name may fare better. */
static bool is_about_the_name(enum cause cause)
{
	return cause == CAUSE_DNS_NXDOMAIN || cause == CAUSE_DNS_NO_A || cause == CAUSE_DNS_SINKHOLE ||
		   cause == CAUSE_DNSSEC_BOGUS || cause == CAUSE_DNS_SERVFAIL;
}

static bool by_dns(const struct walk *walk)
{
	return text_equals(evidence_get(&walk->stages[STAGE_RESOLVE].evidence, "source"), "dns");
}

/* What the first name to fail met; the others only decide whether it matters. */
static void keep_first(struct finding *kept, const struct finding *failure)
{
	if (!kept->cause)
		finding_copy(kept, failure);
}

static void pass(struct probe_answer *answer, const struct walk *walk)
{
	evidence_copy(&answer->evidence, &walk->stages[STAGE_RESOLVE].evidence);
	probe_pass(answer, NULL);
	for (size_t i = 0; i < walk->warning_count; i++)
		probe_blame_finding(answer, &walk->warnings[i]);
}

void probe_dns_external(const struct probe_question *question, struct probe_answer *answer)
{
	const struct check_options *options = question->options;
	const struct dial_options dial = {
		.root = options->root, .overall = question->deadline, .cancel = options->cancel};
	struct names names = {.count = 0};
	struct finding first = {.cause = CAUSE_NONE};
	bool decided = false;
	probe_unknown(answer, "no name was asked for in DNS");
	collect_names(options->profile, &names);
	for (size_t i = 0; i < names.count && !decided; i++) {
		const struct dial_target target = {.host = names.list[i], .protocol = DIAL_TCP};
		struct walk walk;
		int rc = (options->resolve ? options->resolve : dial_resolve)(&target, &dial, &walk);
		if (walk.cancelled) {
			probe_unknown(answer, "interrupted before it was known");
			decided = true;
		} else if (rc) {
			keep_first(&first, &walk.failure);
			decided = !is_about_the_name(walk.failure.cause);
		} else if (by_dns(&walk)) {
			pass(answer, &walk);
			decided = true;
			finding_free(&first);
		}
		walk_free(&walk);
	}
	if (first.cause && !cancel_fired(options->cancel))
		probe_blame_finding(answer, &first);
	finding_free(&first);
}
