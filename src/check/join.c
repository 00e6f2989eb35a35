/*
 * One cause out of many findings (row B2).
 *
 * Two findings have one root when cause and key evidence agree: the proxy for what the proxy does,
 * the resolver for what it answers, the port for what a firewall drops. The names of what is
 * affected (endpoint, name, address) are gathered into one list, so that sentence and remedy speak
 * of all.
 */
#include "check/parts.h"

#include <stdio.h>
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
	{CAUSE_PROXY_SETTINGS_SPLIT, {NULL}},
	{CAUSE_LINK_DOWN, {NULL}},
	{CAUSE_NO_IPV4, {NULL}},
	{CAUSE_LEASE_LOST, {"interface"}},
	{CAUSE_ADDRESS_STATIC, {"interface"}},
	{CAUSE_DNS_STATIC, {"resolver"}},
	{CAUSE_DHCP_ABSENT, {"interface"}},
	{CAUSE_LOCAL_FIREWALL, {"rule-place", "what-note"}},
	{CAUSE_CA_BUNDLE_MISSING, {NULL}},
	{CAUSE_INBOUND_CLOSED, {"port", "protocol"}},
	{CAUSE_INBOUND_FILTERED, {"port", "protocol"}},
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
	{CAUSE_SNI_FILTERED, {NULL}},
	{CAUSE_MTU_BLACK_HOLE, {"direction"}},
	{CAUSE_CLIENTHELLO_SPLIT_INTOLERANT, {NULL}},
	{CAUSE_IDLE_TIMEOUT, {NULL}},
	{CAUSE_TLS_STALLED, {NULL}},
	{CAUSE_TLS_RESET, {NULL}},
	{CAUSE_CAPTIVE_PORTAL, {NULL}},
	{CAUSE_BLOCK_PAGE, {"sender"}},
};

static const char *const by_endpoint[KEYS_MAX] = {"endpoint", "name"};
/* Evidence that names what is affected: gathered, where everything else keeps its first value. */
static const char *const gathered[] = {"endpoint", "name", "address", "port", "sni"};

static const char *const *keys_of(enum cause cause)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].cause == cause)
			return rules[i].keys;
	return by_endpoint;
}

bool text_equals(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

const char *list_next(const char *list, char entry[LIST_ENTRY])
{
	list += strspn(list, ", ");
	size_t len = strcspn(list, ",");
	if (!len)
		return NULL;
	snprintf(entry, LIST_ENTRY, "%.*s", (int)(len < LIST_ENTRY ? len : LIST_ENTRY - 1), list);
	return list + len;
}

bool list_meets(const char *a, const char *b)
{
	char left[LIST_ENTRY], right[LIST_ENTRY];
	for (const char *rest = a; rest && (rest = list_next(rest, left));)
		for (const char *other = b; other && (other = list_next(other, right));)
			if (strcmp(left, right) == 0)
				return true;
	return false;
}

static bool same_root(const struct finding *a, const struct finding *b)
{
	if (a->cause != b->cause)
		return false;
	const char *const *keys = keys_of(a->cause);
	for (size_t i = 0; i < KEYS_MAX && keys[i]; i++)
		if (!text_equals(evidence_get(&a->evidence, keys[i]), evidence_get(&b->evidence, keys[i])))
			return false;
	return true;
}

void join_gather(struct evidence *to, const struct evidence *from)
{
	for (size_t i = 0; i < ARRAY_LEN(gathered); i++) {
		const char *have = evidence_get(to, gathered[i]), *more = evidence_get(from, gathered[i]);
		if (have && more && !list_meets(have, more)) {
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

void join_affect(struct check_cause *cause, size_t requirement)
{
	size_t at = cause->affects_count;
	while (at && cause->affects[at - 1] > requirement)
		at--;
	if (at && cause->affects[at - 1] == requirement)
		return;
	cause->affects = xrealloc(cause->affects, cause->affects_count + 1, sizeof *cause->affects);
	memmove(&cause->affects[at + 1], &cause->affects[at],
		(cause->affects_count - at) * sizeof *cause->affects);
	cause->affects[at] = requirement;
	cause->affects_count++;
}

size_t join_finding(struct check_result *result, const struct finding *finding,
	enum severity severity, size_t requirement)
{
	struct check_cause *cause = find_or_add(result, finding);
	join_gather(&cause->finding.evidence, &finding->evidence);
	if (finding->confidence == CONFIDENCE_CERTAIN)
		cause->finding.confidence = CONFIDENCE_CERTAIN;
	if (severity == SEVERITY_FAIL)
		cause->severity = SEVERITY_FAIL;
	join_affect(cause, requirement);
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
