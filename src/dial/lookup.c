/*
 * One name at the configured DNS servers.
 *
 * Happy path: the first server answers. A server that stays silent has three seconds while others
 * wait behind it, the last has five; what is silent once is not asked again for another search
 * domain, so that a dead server costs its time once.
 */
#include "dial/resolve.h"

#include <stdio.h>
#include <string.h>

#define SERVER_MS      3000
#define LAST_SERVER_MS 5000

size_t lookup_verdict(const struct dns_answer *answers, size_t count)
{
	size_t best = 0;
	for (size_t i = 1; i < count; i++)
		if (dns_meaning(answers[i].outcome)->rank < dns_meaning(answers[best].outcome)->rank)
			best = i;
	return best;
}

/* One name, whole as it stands, at each server until one has an answer that is final. */
static enum wait_result ask_servers(
	const struct walker *walker, struct deadline deadline, struct lookup *lookup)
{
	size_t before = lookup->asked;
	lookup->asked = 0;
	for (size_t i = 0; i < lookup->server_count; i++) {
		struct dns_answer *answer = &lookup->answers[i];
		lookup->asked = i + 1;
		if (i < before && answer->outcome == DNS_SILENT)
			continue;
		const struct dns_question question = {
			.server = lookup->resolvers.servers[i], .name = lookup->name, .type = DNS_A};
		bool last = i + 1 == lookup->server_count;
		enum wait_result result =
			dns_ask(&question, deadline_in_ms(last ? LAST_SERVER_MS : SERVER_MS), deadline,
				walker->options->cancel, answer);
		if (result != WAIT_READY)
			return result;
		if (dns_meaning(answer->outcome)->final)
			break;
	}
	lookup->told = lookup_verdict(lookup->answers, lookup->asked);
	return WAIT_READY;
}

static bool is_about_the_name(const struct lookup *lookup)
{
	enum dns_outcome outcome = lookup->answers[lookup->told].outcome;
	return outcome == DNS_NXDOMAIN || outcome == DNS_NO_DATA || outcome == DNS_BAD_NAME;
}

enum wait_result lookup_run(
	const struct walker *walker, const char *name, struct deadline deadline, struct lookup *lookup)
{
	*lookup = (struct lookup){.answers = {{.outcome = DNS_BAD_NAME, .rcode = -1}}};
	struct os_resolvers *resolvers = &lookup->resolvers;
	/* Unreadable is as good as empty: then the system asks this machine. */
	if (os_resolvers_read(walker->options->root, resolvers, NULL)) {
		resolvers->count = 1;
		resolvers->servers[0].s_addr = htonl(INADDR_LOOPBACK);
	}
	if (!resolvers->count)
		return WAIT_ERROR;
	lookup->server_count =
		resolvers->count < LOOKUP_MAX_SERVERS ? resolvers->count : LOOKUP_MAX_SERVERS;
	size_t domains = strchr(name, '.') ? 0 : resolvers->search_count;
	for (size_t i = 0; i <= domains; i++) {
		int len = snprintf(lookup->name, sizeof lookup->name, "%s%s%s", name,
			i < domains ? "." : "", i < domains ? resolvers->search[i] : "");
		if (len < 0 || (size_t)len >= sizeof lookup->name)
			continue;
		enum wait_result result = ask_servers(walker, deadline, lookup);
		if (result != WAIT_READY || !is_about_the_name(lookup))
			return result;
	}
	return WAIT_READY;
}
