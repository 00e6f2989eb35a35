/*
 * What the walks mean for each requirement, and for all of them together.
 *
 * A walk decides about its own endpoint. What it saw on the way decides about the proxy, external
 * DNS and the clock too, where it saw enough; where it did not, the requirement stays unknown and
 * says why. Nothing passes by default.
 */
#include "check/parts.h"

#include "os/os.h"

#include <arpa/inet.h>
#include <string.h>

#define INTERRUPTED "interrupted before it was known"

static void blame(struct check_result *result, struct requirement *requirement,
	const struct finding *finding, enum severity severity)
{
	requirement_decide(
		requirement, severity == SEVERITY_FAIL ? REQUIREMENT_FAIL : REQUIREMENT_WARN, NULL);
	requirement->cause =
		join_finding(result, finding, severity, (size_t)(requirement - result->requirements));
}

/* A cause that is known already; joining may move the list, so it is given a copy. */
static void blame_again(
	struct check_result *result, struct requirement *requirement, const struct check_cause *cause)
{
	struct finding finding = {.cause = CAUSE_NONE};
	enum severity severity = cause->severity;
	finding_copy(&finding, &cause->finding);
	blame(result, requirement, &finding, severity);
	finding_free(&finding);
}

static enum severity weight_of(const struct requirement *requirement)
{
	return requirement->optional ? SEVERITY_WARN : SEVERITY_FAIL;
}

/* That this machine's DNS knows no external names is a matter of dns.external alone. */
static bool concerns_endpoint(const struct finding *warning)
{
	return warning->cause != CAUSE_DNS_ONLY_AT_PROXY;
}

static void judge_walk(struct check_result *result, struct requirement *requirement)
{
	const struct walk *walk = &requirement->walk;
	if (walk->cancelled) {
		requirement_decide(requirement, REQUIREMENT_UNKNOWN, INTERRUPTED);
		return;
	}
	requirement_decide(requirement, REQUIREMENT_PASS, NULL);
	for (size_t i = walk->warning_count; i-- > 0;)
		if (concerns_endpoint(&walk->warnings[i]))
			blame(result, requirement, &walk->warnings[i], SEVERITY_WARN);
	if (walk->failure.cause != CAUSE_NONE)
		blame(result, requirement, &walk->failure, weight_of(requirement));
}

void judge_walks(const struct check_options *options, struct check_result *result)
{
	for (size_t i = 0; i < result->requirement_count; i++) {
		struct requirement *requirement = &result->requirements[i];
		if (!requirement->endpoint && !requirement->hub)
			continue;
		if (options->proxy_invalid)
			blame(result, requirement, options->proxy_invalid, weight_of(requirement));
		else if (requirement->walked)
			judge_walk(result, requirement);
		else
			requirement_decide(requirement, REQUIREMENT_UNKNOWN,
				result->interrupted ? INTERRUPTED : "the deadline passed before it was tried");
	}
}

/* --- proxy -------------------------------------------------------------------------------- */

static bool stage_passed(const struct requirement *requirement, enum stage stage)
{
	return requirement->walked && requirement->walk.stages[stage].status == STAGE_PASSED;
}

/* The first cause that is the proxy's fault, or one that decrypts where the profile forbids it. */
static const struct check_cause *proxy_cause(const struct check_result *result)
{
	bool forbidden = result->profile->proxy.inspection == WISH_FORBIDDEN;
	for (size_t i = 0; i < result->cause_count; i++) {
		const struct check_cause *cause = &result->causes[i];
		enum cause id = cause->finding.cause;
		if (cause_info(id)->stage == STAGE_TUNNEL || id == CAUSE_PROXY_SETTINGS_INVALID ||
			(id == CAUSE_TLS_INTERCEPTED && forbidden))
			return cause;
	}
	return NULL;
}

static bool auth_allowed(const struct check_result *result)
{
	unsigned allowed = result->profile->proxy.auth;
	if (!result->proxy->set)
		return true;
	unsigned used = result->proxy->user ? PROFILE_AUTH_BASIC : PROFILE_AUTH_NONE;
	return !allowed || (allowed & used);
}

static void judge_proxy(const struct check_options *options, struct check_result *result,
	struct requirement *requirement)
{
	(void)options;
	const struct check_cause *cause = proxy_cause(result);
	size_t endpoints = 0, secured = 0;
	for (size_t i = 0; i < result->requirement_count; i++) {
		const struct requirement *other = &result->requirements[i];
		bool tls = other->endpoint && other->endpoint->protocol != PROFILE_TCP;
		endpoints += tls;
		secured += tls && stage_passed(other, STAGE_SECURE);
	}
	if (cause) {
		blame_again(result, requirement, cause);
	} else if (!auth_allowed(result)) {
		requirement_decide(requirement, REQUIREMENT_FAIL,
			"credentials for the proxy are set, and the service can work only with a proxy that "
			"wants none");
	} else if (!endpoints || secured < endpoints) {
		cleanup(free_ptr) char *reason =
			xasprintf("only %zu of %zu endpoints got as far as TLS, where inspection shows",
				secured, endpoints);
		requirement_decide(requirement, REQUIREMENT_UNKNOWN, reason);
	} else {
		requirement_decide(requirement, REQUIREMENT_PASS, NULL);
	}
}

/* --- dns.external ------------------------------------------------------------------------- */

/* What one walk says about it. */
enum dns_word { DNS_SILENT, DNS_RESOLVED, DNS_FAILED };

/* Behind a proxy a walk that passed has asked the local DNS too, and would have warned; unless the
 * name was no question for DNS. */
static bool asked_beside_proxy(
	const struct check_options *options, const struct requirement *requirement)
{
	struct in_addr address;
	const char *host = requirement->endpoint->host;
	return requirement->walk.failure.cause == CAUSE_NONE &&
		   inet_pton(AF_INET, host, &address) != 1 &&
		   os_hosts_file_lookup(options->root, host, &address, NULL) == 0;
}

static enum dns_word dns_of(const struct check_options *options,
	const struct requirement *requirement, const struct finding **finding)
{
	const struct walk *walk = &requirement->walk;
	if (!requirement->walked || walk->cancelled)
		return DNS_SILENT;
	for (size_t i = 0; i < walk->warning_count; i++) {
		if (walk->warnings[i].cause == CAUSE_DNS_ONLY_AT_PROXY) {
			*finding = &walk->warnings[i];
			return DNS_FAILED;
		}
	}
	if (walk->proxy)
		return asked_beside_proxy(options, requirement) ? DNS_RESOLVED : DNS_SILENT;
	if (walk->stages[STAGE_RESOLVE].status == STAGE_FAILED) {
		*finding = &walk->failure;
		return DNS_FAILED;
	}
	const char *source = evidence_get(&walk->stages[STAGE_RESOLVE].evidence, "source");
	return source && strcmp(source, "dns") == 0 ? DNS_RESOLVED : DNS_SILENT;
}

static void judge_dns(const struct check_options *options, struct check_result *result,
	struct requirement *requirement)
{
	const struct finding *finding = NULL;
	bool resolved = false;
	for (size_t i = 0; i < result->requirement_count; i++)
		if (result->requirements[i].endpoint)
			resolved |= dns_of(options, &result->requirements[i], &finding) == DNS_RESOLVED;
	bool enough = result->profile->dns.external == WISH_PROXY_IS_ENOUGH;
	if (resolved)
		requirement_decide(requirement, REQUIREMENT_PASS, NULL);
	else if (finding && finding->cause == CAUSE_DNS_ONLY_AT_PROXY)
		blame(result, requirement, finding, enough ? SEVERITY_WARN : SEVERITY_FAIL);
	else if (finding)
		blame(result, requirement, finding, SEVERITY_FAIL);
	else
		requirement_decide(requirement, REQUIREMENT_UNKNOWN,
			result->interrupted ? INTERRUPTED
								: "no name was asked for in DNS by this machine itself");
}

/* --- clock -------------------------------------------------------------------------------- */

static const struct check_cause *clock_cause(const struct check_result *result)
{
	for (size_t i = 0; i < result->cause_count; i++)
		if (result->causes[i].finding.cause == CAUSE_CLOCK_AHEAD ||
			result->causes[i].finding.cause == CAUSE_CLOCK_BEHIND)
			return &result->causes[i];
	return NULL;
}

/* What a clock has to be right for is the dates of certificates: one that verified by it is proof.
 */
static void judge_clock(const struct check_options *options, struct check_result *result,
	struct requirement *requirement)
{
	const struct check_cause *cause = clock_cause(result);
	const struct profile_origin *declared = &options->profile->sections[TOPIC_CLOCK];
	bool verified = false;
	for (size_t i = 0; i < result->requirement_count; i++) {
		const struct requirement *other = &result->requirements[i];
		verified |= other->endpoint && stage_passed(other, STAGE_SECURE) &&
					other->walk.failure.cause == CAUSE_NONE;
	}
	if (cause)
		blame_again(result, requirement, cause);
	else if (verified)
		requirement_decide(requirement, REQUIREMENT_PASS, NULL);
	else
		requirement_decide(requirement,
			declared->section || declared->row ? REQUIREMENT_UNKNOWN : REQUIREMENT_SKIPPED,
			"no certificate was seen to compare it with");
}

void judge_rest(const struct check_options *options, struct check_result *result)
{
	static const struct {
		enum profile_topic topic;
		void (*judge)(const struct check_options *options, struct check_result *result,
			struct requirement *requirement);
	} judges[] = {
		{TOPIC_PROXY, judge_proxy}, {TOPIC_DNS_EXTERNAL, judge_dns}, {TOPIC_CLOCK, judge_clock}};
	for (size_t i = 0; i < ARRAY_LEN(judges); i++) {
		struct requirement *requirement =
			requirement_by_id(result, profile_topic_id(judges[i].topic));
		if (requirement)
			judges[i].judge(options, result, requirement);
	}
}

void judge_verdict(struct check_result *result)
{
	size_t counts[REQUIREMENT_STATUS_COUNT] = {0};
	for (size_t i = 0; i < result->requirement_count; i++)
		counts[result->requirements[i].status]++;
	if (counts[REQUIREMENT_FAIL])
		result->verdict = VERDICT_FAIL;
	else if (counts[REQUIREMENT_UNKNOWN] || !(counts[REQUIREMENT_PASS] + counts[REQUIREMENT_WARN]))
		result->verdict = VERDICT_INCONCLUSIVE;
	else
		result->verdict = counts[REQUIREMENT_WARN] ? VERDICT_DEGRADED : VERDICT_PASS;
}
