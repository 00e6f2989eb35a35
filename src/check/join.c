/*
 * One cause out of many findings (row B2).
 *
 * Two findings have one root when cause and key evidence agree: the proxy for what the proxy does,
 * the resolver for what it answers, the port for what a firewall drops. The names of what is
 * affected (endpoint, name, address) are gathered into one list, so that sentence and remedy speak
 * of all.
 */
#include "check/parts.h"

#include <string.h>

#define KEYS_MAX 2

/* By which evidence two findings of a cause are one; no row: by the endpoint. */
static const struct {
	enum cause cause;
	const char *keys[KEYS_MAX]; /* none: always one */
} rules[] = {
	{CAUSE_NO_ROUTE, {NULL}},
	{CAUSE_PORTS_EXHAUSTED, {NULL}},
	{CAUSE_CLOCK_BEHIND, {NULL}},
	{CAUSE_CLOCK_AHEAD, {NULL}},
	{CAUSE_PROXY_SETTINGS_INVALID, {"variable"}},
	{CAUSE_DNS_NXDOMAIN, {"resolver"}},
	{CAUSE_DNS_SERVFAIL, {"resolver"}},
	{CAUSE_DNSSEC_BOGUS, {"resolver"}},
	{CAUSE_DNS_REFUSED, {"resolver"}},
	{CAUSE_DNS_NO_LISTENER, {"resolver"}},
	{CAUSE_DNS_TIMEOUT, {NULL}},
	{CAUSE_DNS_NO_A, {"name"}},
	{CAUSE_DNS_SINKHOLE, {"resolver"}},
	{CAUSE_DNS_HIJACK, {"address"}},
	{CAUSE_DNS_TRUNCATED_TCP_BLOCKED, {"resolver"}},
	{CAUSE_DNS_FIRST_SERVER_DEAD, {"dead-resolver"}},
	{CAUSE_HOSTS_FILE_STALE, {"name"}},
	{CAUSE_DNS_ONLY_AT_PROXY, {"proxy"}},
	{CAUSE_CONNECT_REFUSED, {"address", "port"}},
	{CAUSE_CONNECT_PROHIBITED, {"hop", "icmp"}},
	{CAUSE_CONNECT_TIMEOUT, {"port"}},
	{CAUSE_CONNECT_INTERCEPTED, {NULL}},
	{CAUSE_PATH_LOSSY, {NULL}},
	{CAUSE_PROXY_UNRESOLVED, {"proxy"}},
	{CAUSE_PROXY_REFUSED, {"proxy"}},
	{CAUSE_PROXY_TIMEOUT, {"proxy"}},
	{CAUSE_PROXY_AUTH_REQUIRED, {"proxy"}},
	{CAUSE_PROXY_AUTH_REJECTED, {"proxy"}},
	{CAUSE_PROXY_AUTH_UNSUPPORTED, {"proxy", "schemes"}},
	{CAUSE_PROXY_DENIED, {"proxy", "status"}},
	{CAUSE_PROXY_UPSTREAM_DNS, {"proxy"}},
	{CAUSE_PROXY_UPSTREAM_CONNECT, {"proxy"}},
	{CAUSE_PROXY_NOT_A_PROXY, {"proxy"}},
	{CAUSE_PROXY_STALLED, {"proxy"}},
	{CAUSE_PROXY_WRONGLY_BYPASSED, {"no-proxy-entry"}},
	{CAUSE_TLS_INTERCEPTED, {"issuer"}},
	{CAUSE_TLS_STALLED, {NULL}},
	{CAUSE_TLS_RESET, {NULL}},
	{CAUSE_CAPTIVE_PORTAL, {NULL}},
	{CAUSE_BLOCK_PAGE, {"sender"}},
};

static const char *const by_endpoint[KEYS_MAX] = {"endpoint", "name"};
/* Evidence that names what is affected: gathered, where everything else keeps its first value. */
static const char *const gathered[] = {"endpoint", "name", "address"};

static const char *const *keys_of(enum cause cause)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].cause == cause)
			return rules[i].keys;
	return by_endpoint;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_root(const struct finding *a, const struct finding *b)
{
	if (a->cause != b->cause)
		return false;
	const char *const *keys = keys_of(a->cause);
	for (size_t i = 0; i < KEYS_MAX && keys[i]; i++)
		if (!same_text(evidence_get(&a->evidence, keys[i]), evidence_get(&b->evidence, keys[i])))
			return false;
	return true;
}

static bool in_list(const char *list, const char *entry)
{
	size_t len = strlen(entry);
	for (const char *at = list; (at = strstr(at, entry)); at += len)
		if ((at == list || at[-1] == ' ') && (at[len] == '\0' || at[len] == ','))
			return true;
	return false;
}

static void gather(struct evidence *to, const struct evidence *from)
{
	for (size_t i = 0; i < ARRAY_LEN(gathered); i++) {
		const char *have = evidence_get(to, gathered[i]), *more = evidence_get(from, gathered[i]);
		if (have && more && !in_list(have, more)) {
			cleanup(free_ptr) char *both = xasprintf("%s, %s", have, more);
			evidence_add(to, gathered[i], "%s", both);
		}
	}
}

static struct check_cause *find_or_add(struct check_result *result, const struct finding *finding)
{
	for (size_t i = 0; i < result->cause_count; i++)
		if (same_root(&result->causes[i].finding, finding))
			return &result->causes[i];
	result->causes = xrealloc(result->causes, result->cause_count + 1, sizeof *result->causes);
	struct check_cause *cause = &result->causes[result->cause_count++];
	*cause = (struct check_cause){.severity = SEVERITY_WARN};
	finding_copy(&cause->finding, finding);
	return cause;
}

static const char *host_of(const struct requirement *requirement)
{
	return requirement->endpoint ? requirement->endpoint->host
		   : requirement->hub    ? requirement->hub->host
								 : "";
}

/* The last two labels of a name: what usually has one owner. */
static const char *domain_of(const char *host)
{
	const char *dot = strrchr(host, '.');
	while (dot && dot > host && dot[-1] != '.')
		dot--;
	return dot ? dot : host;
}

/* One issuer before endpoints of different owners is somebody in between. */
static void weigh(const struct check_result *result, struct check_cause *cause)
{
	if (cause->finding.cause != CAUSE_TLS_INTERCEPTED ||
		!evidence_get(&cause->finding.evidence, "issuer"))
		return;
	const char *first = domain_of(host_of(&result->requirements[cause->affects[0]]));
	const struct requirement *last =
		&result->requirements[cause->affects[cause->affects_count - 1]];
	if (*first && *host_of(last) && strcmp(domain_of(host_of(last)), first) != 0)
		cause->finding.confidence = CONFIDENCE_CERTAIN;
}

size_t join_finding(struct check_result *result, const struct finding *finding,
	enum severity severity, size_t requirement)
{
	struct check_cause *cause = find_or_add(result, finding);
	if (cause->affects_count && cause->affects[cause->affects_count - 1] == requirement)
		return (size_t)(cause - result->causes);
	gather(&cause->finding.evidence, &finding->evidence);
	if (finding->confidence == CONFIDENCE_CERTAIN)
		cause->finding.confidence = CONFIDENCE_CERTAIN;
	if (severity == SEVERITY_FAIL)
		cause->severity = SEVERITY_FAIL;
	cause->affects = xrealloc(cause->affects, cause->affects_count + 1, sizeof *cause->affects);
	cause->affects[cause->affects_count++] = requirement;
	weigh(result, cause);
	return (size_t)(cause - result->causes);
}

static int by_weight(const void *a, const void *b)
{
	const struct check_cause *left = a, *right = b;
	if (left->severity != right->severity)
		return left->severity == SEVERITY_FAIL ? -1 : 1;
	if (left->affects_count != right->affects_count)
		return left->affects_count > right->affects_count ? -1 : 1;
	return left->found < right->found ? -1 : 1;
}

/* The requirements point into the list, so each cause remembers where it stood. */
void join_sort(struct check_result *result)
{
	size_t count = result->cause_count;
	cleanup(free_ptr) size_t *now = xcalloc(count + 1, sizeof *now);
	for (size_t i = 0; i < count; i++)
		result->causes[i].found = i;
	if (count)
		qsort(result->causes, count, sizeof *result->causes, by_weight);
	for (size_t i = 0; i < count; i++)
		now[result->causes[i].found] = i;
	for (size_t i = 0; i < result->requirement_count; i++)
		if (result->requirements[i].cause != CHECK_NO_CAUSE)
			result->requirements[i].cause = now[result->requirements[i].cause];
}
