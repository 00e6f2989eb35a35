/*
 * What follows from another cause is no cause of its own (row B2).
 *
 * One table says which cause explains which others, and on what evidence. A cause that is explained
 * goes: what it affects is affected by the one at the root, which says in its evidence as what else
 * it was met. Everything is weighed on what was found before anything is put together, so the order
 * in which things were found plays no part. Where two rows fit, the first wins.
 */
#include "check/parts.h"

#include "base/clock.h"

#include <string.h>

#define EFFECTS_MAX 32

/* A cause that may explain, and one that may follow from it. */
struct pair {
	const struct check_result *result;
	const struct check_cause *cause, *effect;
};

typedef bool condition(const struct pair *pair);

/* --- evidence compared --------------------------------------------------------------------------
 */

static const char *cause_says(const struct pair *pair, const char *name)
{
	return evidence_get(&pair->cause->finding.evidence, name);
}

static const char *effect_says(const struct pair *pair, const char *name)
{
	return evidence_get(&pair->effect->finding.evidence, name);
}

static bool meet(const struct pair *pair, const char *name)
{
	return list_meets(cause_says(pair, name), effect_says(pair, name));
}

/* False only where both say it and differ. */
static bool may_meet(const struct pair *pair, const char *name)
{
	return !cause_says(pair, name) || !effect_says(pair, name) || meet(pair, name);
}

/* --- conditions ---------------------------------------------------------------------------------
 */

static bool always(const struct pair *pair)
{
	(void)pair;
	return true;
}

/* Through the same proxy, or both directly. */
static bool same_way(const struct pair *pair)
{
	return text_equals(cause_says(pair, "proxy"), effect_says(pair, "proxy"));
}

static bool same_proxy(const struct pair *pair)
{
	return cause_says(pair, "proxy") && same_way(pair);
}

static bool same_resolver(const struct pair *pair)
{
	return meet(pair, "resolver");
}

static bool dead_server_among_silent(const struct pair *pair)
{
	return list_meets(cause_says(pair, "resolver"), effect_says(pair, "dead-resolver"));
}

static bool same_issuer(const struct pair *pair)
{
	return meet(pair, "issuer");
}

/* The same box answers: at one address, or with certificates of one maker. */
static bool same_answerer(const struct pair *pair)
{
	return meet(pair, "address") || meet(pair, "issuer");
}

static bool both_direct(const struct pair *pair)
{
	return !cause_says(pair, "proxy") && !effect_says(pair, "proxy");
}

bool check_passed_stage(const struct check_result *result, const char *proxy, enum stage stage)
{
	for (size_t i = 0; i < result->requirement_count; i++) {
		const struct requirement *requirement = &result->requirements[i];
		if (requirement->walked && text_equals(requirement->walk.proxy, proxy) &&
			requirement->walk.stages[stage].status == STAGE_PASSED)
			return true;
		/* Its hosts are walked as endpoints are. */
		if (requirement->probed && requirement->status == REQUIREMENT_PASS &&
			strcmp(requirement->id, profile_topic_id(TOPIC_INTERNET)) == 0 &&
			text_equals(evidence_get(&requirement->answer.evidence, "proxy"), proxy))
			return true;
	}
	return false;
}

/* A machine that has no network reaches nothing by the way of the effect. */
static bool nothing_connects(const struct pair *pair)
{
	return may_meet(pair, "interface") &&
		   !check_passed_stage(pair->result, effect_says(pair, "proxy"), STAGE_CONNECT);
}

static bool same_interface(const struct pair *pair)
{
	return may_meet(pair, "interface");
}

/* A portal or a box that takes every connection: the same one answers, or nobody gets through. */
static bool in_between(const struct pair *pair)
{
	return both_direct(pair) &&
		   (same_answerer(pair) || !check_passed_stage(pair->result, NULL, STAGE_SECURE));
}

/* The port that the effect is about; a rule of this machine's firewall names ports. */
static bool same_port(const struct pair *pair)
{
	const char *ports = cause_says(pair, "port"), *port = effect_says(pair, "port");
	const char *proxy = effect_says(pair, "proxy");
	if (pair->effect->finding.stage == STAGE_RESOLVE)
		port = "53";
	else if (proxy && strrchr(proxy, ':'))
		port = strrchr(proxy, ':') + 1;
	return !ports || !port || list_meets(ports, port);
}

/* The certificate is valid at the time that the peer's clock tells. */
static bool valid_at_the_right_time(const struct pair *pair)
{
	const char *peer = cause_says(pair, "peer-time");
	const char *from = effect_says(pair, "not-before"), *to = effect_says(pair, "not-after");
	time_t now, begins, ends;
	if (!peer || clock_parse_rfc3339(peer, &now))
		return true;
	return (!from || clock_parse_rfc3339(from, &begins) || begins <= now) &&
		   (!to || clock_parse_rfc3339(to, &ends) || now <= ends);
}

static bool at_the_stale_address(const struct pair *pair)
{
	return list_meets(cause_says(pair, "hosts-address"), effect_says(pair, "address"));
}

/* --- who explains whom --------------------------------------------------------------------------
 */

#define NO_WAY_OUT                                                                                 \
	CAUSE_NO_ROUTE, CAUSE_CONNECT_TIMEOUT, CAUSE_CONNECT_PROHIBITED, CAUSE_DNS_TIMEOUT,            \
		CAUSE_DNS_NO_LISTENER, CAUSE_PROXY_TIMEOUT, CAUSE_PROXY_REFUSED, CAUSE_PROXY_UNRESOLVED
#define TLS_BREAKS                                                                                 \
	CAUSE_TLS_STALLED, CAUSE_TLS_RESET, CAUSE_TLS_CLOSED, CAUSE_TLS_ALERT, CAUSE_TLS_VERSION,      \
		CAUSE_TLS_NOT_SPOKEN
#define WRONG_CERTIFICATE                                                                          \
	CAUSE_CERT_UNTRUSTED, CAUSE_CERT_NAME_MISMATCH, CAUSE_CERT_EXPIRED, CAUSE_CERT_NOT_YET_VALID,  \
		CAUSE_CERT_CHAIN_INCOMPLETE
#define WRONG_ANSWER  CAUSE_MARKER_ABSENT, CAUSE_UPGRADE_FILTERED
#define NO_CONNECTION CAUSE_CONNECT_REFUSED, CAUSE_CONNECT_TIMEOUT, CAUSE_CONNECT_PROHIBITED

static const struct rule {
	enum cause cause;
	enum cause effects[EFFECTS_MAX];
	condition *when;
} rules[] = {
	/* This machine's own network. */
	{CAUSE_LINK_DOWN, {CAUSE_LEASE_LOST, CAUSE_DHCP_ABSENT, CAUSE_NO_IPV4}, same_interface},
	{CAUSE_LINK_DOWN, {NO_WAY_OUT}, nothing_connects},
	{CAUSE_DHCP_ABSENT, {CAUSE_LEASE_LOST}, same_interface},
	{CAUSE_LEASE_LOST, {CAUSE_NO_IPV4, NO_WAY_OUT}, nothing_connects},
	{CAUSE_NO_IPV4, {NO_WAY_OUT}, nothing_connects},
	{CAUSE_NO_ROUTE,
		{CAUSE_CONNECT_TIMEOUT, CAUSE_DNS_TIMEOUT, CAUSE_PROXY_TIMEOUT, CAUSE_PROXY_UNRESOLVED},
		nothing_connects},
	{CAUSE_LOCAL_FIREWALL, {NO_WAY_OUT}, same_port},
	{CAUSE_CLOCK_AHEAD, {CAUSE_CERT_EXPIRED}, valid_at_the_right_time},
	{CAUSE_CLOCK_BEHIND, {CAUSE_CERT_NOT_YET_VALID}, valid_at_the_right_time},
	{CAUSE_CA_BUNDLE_MISSING,
		{CAUSE_CERT_UNTRUSTED, CAUSE_CERT_CHAIN_INCOMPLETE, CAUSE_TLS_INTERCEPTED}, always},
	{CAUSE_HOSTS_FILE_STALE,
		{NO_CONNECTION, TLS_BREAKS, WRONG_CERTIFICATE, WRONG_ANSWER, CAUSE_TLS_INTERCEPTED},
		at_the_stale_address},

	/* DNS. */
	{CAUSE_DNS_TIMEOUT, {CAUSE_DNS_FIRST_SERVER_DEAD}, dead_server_among_silent},
	{CAUSE_DNS_SERVFAIL, {CAUSE_DNS_TIMEOUT}, same_resolver},
	{CAUSE_DNS_REFUSED, {CAUSE_DNS_SERVFAIL, CAUSE_DNS_TIMEOUT}, same_resolver},

	/* Somebody in between. A portal is often met through its DNS as well, and signing in mends
	 * both. */
	{CAUSE_CAPTIVE_PORTAL,
		{CAUSE_DNS_HIJACK, CAUSE_CONNECT_INTERCEPTED, NO_CONNECTION, TLS_BREAKS, WRONG_CERTIFICATE,
			CAUSE_TLS_INTERCEPTED, CAUSE_BLOCK_PAGE, WRONG_ANSWER},
		in_between},
	{CAUSE_DNS_HIJACK,
		{CAUSE_CONNECT_INTERCEPTED, NO_CONNECTION, TLS_BREAKS, WRONG_CERTIFICATE,
			CAUSE_TLS_INTERCEPTED, CAUSE_BLOCK_PAGE, WRONG_ANSWER},
		same_answerer},
	{CAUSE_TLS_INTERCEPTED, {CAUSE_CONNECT_INTERCEPTED, TLS_BREAKS}, in_between},
	{CAUSE_TLS_INTERCEPTED, {WRONG_CERTIFICATE, WRONG_ANSWER, CAUSE_BLOCK_PAGE}, same_issuer},
	{CAUSE_BLOCK_PAGE, {TLS_BREAKS, WRONG_CERTIFICATE, WRONG_ANSWER, CAUSE_CONNECT_INTERCEPTED},
		same_answerer},
	{CAUSE_CONNECT_INTERCEPTED, {TLS_BREAKS, WRONG_CERTIFICATE, WRONG_ANSWER}, in_between},

	/* The proxy: one that is ill in one way is ill in the other. */
	{CAUSE_PROXY_NOT_A_PROXY, {CAUSE_PROXY_STALLED, CAUSE_PROXY_TIMEOUT, CAUSE_PROXY_REFUSED},
		same_proxy},
	{CAUSE_PROXY_STALLED, {CAUSE_PROXY_TIMEOUT, CAUSE_PROXY_REFUSED}, same_proxy},
	{CAUSE_PROXY_REFUSED, {CAUSE_PROXY_TIMEOUT}, same_proxy},
	{CAUSE_PROXY_AUTH_UNSUPPORTED, {CAUSE_PROXY_AUTH_REQUIRED, CAUSE_PROXY_AUTH_REJECTED},
		same_proxy},

	/* The path. */
	{CAUSE_MTU_BLACK_HOLE, {CAUSE_TLS_STALLED}, same_way},
	/* One rule that drops or refuses everything does it on every port, for every address. */
	{CAUSE_CONNECT_TIMEOUT, {CAUSE_CONNECT_TIMEOUT}, nothing_connects},
	{CAUSE_CONNECT_REFUSED, {CAUSE_CONNECT_REFUSED}, nothing_connects},
};

static const struct rule *rule_for(const struct pair *pair)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (rules[i].cause != pair->cause->finding.cause)
			continue;
		for (size_t n = 0; n < EFFECTS_MAX && rules[i].effects[n]; n++)
			if (rules[i].effects[n] == pair->effect->finding.cause && rules[i].when(pair))
				return &rules[i];
	}
	return NULL;
}

/* --- to the root --------------------------------------------------------------------------------
 */

static bool leads_to(const size_t *parents, size_t from, size_t to)
{
	while (from != to && parents[from] != CHECK_NO_CAUSE)
		from = parents[from];
	return from == to;
}

static size_t root_of(const size_t *parents, size_t at)
{
	while (parents[at] != CHECK_NO_CAUSE)
		at = parents[at];
	return at;
}

/* parents[i] is the cause that explains cause i, or CHECK_NO_CAUSE. */
static void find_parents(const struct check_result *result, size_t *parents)
{
	for (size_t i = 0; i < result->cause_count; i++)
		parents[i] = CHECK_NO_CAUSE;
	for (size_t effect = 0; effect < result->cause_count; effect++) {
		const struct rule *best = NULL;
		for (size_t cause = 0; cause < result->cause_count; cause++) {
			const struct pair pair = {result, &result->causes[cause], &result->causes[effect]};
			/* A cause of the same kind goes to the one that was found first. */
			bool twin = pair.cause->finding.cause == pair.effect->finding.cause;
			if ((twin && cause > effect) || leads_to(parents, cause, effect))
				continue;
			const struct rule *rule = rule_for(&pair);
			if (rule && (!best || rule < best)) {
				best = rule;
				parents[effect] = cause;
			}
		}
	}
}

static void remember(struct evidence *evidence, enum cause effect)
{
	const char *id = cause_info(effect)->id, *before = evidence_get(evidence, "also-met-as");
	if (list_meets(before, id))
		return;
	cleanup(free_ptr) char *list = before ? xasprintf("%s, %s", before, id) : xstrdup(id);
	evidence_add(evidence, "also-met-as", "%s", list);
}

/* Everything that the effect affects is the root's; the effect stays behind, empty. */
static void absorb(struct check_result *result, size_t root, size_t effect)
{
	struct check_cause *to = &result->causes[root], *from = &result->causes[effect];
	if (to->finding.cause == from->finding.cause)
		join_gather(&to->finding.evidence, &from->finding.evidence);
	else
		remember(&to->finding.evidence, from->finding.cause);
	if (from->severity == SEVERITY_FAIL)
		to->severity = SEVERITY_FAIL;
	for (size_t i = 0; i < from->affects_count; i++)
		join_affect(to, from->affects[i]);
	for (size_t i = 0; i < result->requirement_count; i++)
		if (result->requirements[i].cause == effect)
			result->requirements[i].cause = root;
	finding_free(&from->finding);
	free(from->affects);
	*from = (struct check_cause){.affects = NULL};
}

/* Takes the empty ones out of the list; requirements follow. */
static void close_up(struct check_result *result)
{
	size_t kept = 0;
	for (size_t i = 0; i < result->cause_count; i++) {
		if (!result->causes[i].finding.cause)
			continue;
		result->causes[kept] = result->causes[i];
		for (size_t n = 0; n < result->requirement_count; n++)
			if (result->requirements[n].cause == i)
				result->requirements[n].cause = kept;
		kept++;
	}
	result->cause_count = kept;
}

/* --- the one call -------------------------------------------------------------------------------
 */

void explain_causes(struct check_result *result)
{
	siblings_recognise(result);
	cleanup(free_ptr) size_t *parents = xcalloc(result->cause_count + 1, sizeof *parents);
	find_parents(result, parents);
	for (size_t i = 0; i < result->cause_count; i++)
		if (parents[i] != CHECK_NO_CAUSE)
			absorb(result, root_of(parents, i), i);
	close_up(result);
	siblings_weigh(result);
}
