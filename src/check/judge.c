/*
 * What the walks mean for each requirement, and for all of them together.
 *
 * A walk decides about its own endpoint, a probe about its own subject. What the walks saw on the
 * way decides about the proxy and the clock too, where they saw enough; where they did not, the
 * requirement stays unknown and says why. Nothing passes by default.
 */
#include "check/parts.h"

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

static void judge_walk(struct check_result *result, struct requirement *requirement)
{
	const struct walk *walk = &requirement->walk;
	if (walk->cancelled) {
		requirement_decide(requirement, REQUIREMENT_UNKNOWN, INTERRUPTED);
		return;
	}
	requirement_decide(requirement, REQUIREMENT_PASS, NULL);
	for (size_t i = walk->warning_count; i-- > 0;)
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

/* --- dns.external ------------------------------------------------------------------------- */

/* That this machine resolves no external names is no failure of the machine where the proxy does it
 * and the profile allows that. */
static void judge_dns(struct check_result *result, struct requirement *requirement)
{
	const struct probe_answer *answer = &requirement->answer;
	bool enough = result->profile->dns.external == WISH_PROXY_IS_ENOUGH;
	cleanup(free_ptr) char *proxy = proxy_url(result->proxy);
	requirement_decide(requirement, answer->status, answer->reason);
	for (size_t n = answer->finding_count; n-- > 0 && answer->status == REQUIREMENT_WARN;)
		blame(result, requirement, &answer->findings[n], SEVERITY_WARN);
	if (answer->status != REQUIREMENT_FAIL)
		return;
	struct finding finding = {.cause = CAUSE_NONE};
	finding_copy(&finding, &answer->findings[0]);
	if (proxy && check_passed_stage(result, proxy, STAGE_TUNNEL)) {
		finding_set(&finding, CAUSE_DNS_ONLY_AT_PROXY, STAGE_RESOLVE, CONFIDENCE_CERTAIN);
		evidence_add(&finding.evidence, "proxy", "%s", proxy);
		blame(result, requirement, &finding, enough ? SEVERITY_WARN : SEVERITY_FAIL);
	} else if (proxy && enough) {
		requirement_decide(requirement, REQUIREMENT_UNKNOWN,
			"this machine resolves no external names, and nothing got through the proxy that may "
			"do it instead");
	} else {
		blame(result, requirement, &finding, SEVERITY_FAIL);
	}
	finding_free(&finding);
}

void judge_probes(struct check_result *result)
{
	for (size_t i = 0; i < result->requirement_count; i++) {
		struct requirement *requirement = &result->requirements[i];
		const struct probe_answer *answer = &requirement->answer;
		if (!requirement->probed)
			continue;
		if (strcmp(requirement->id, profile_topic_id(TOPIC_DNS_EXTERNAL)) == 0) {
			judge_dns(result, requirement);
			continue;
		}
		requirement_decide(requirement, answer->status, answer->reason);
		size_t first = CHECK_NO_CAUSE;
		for (size_t n = 0; n < answer->finding_count; n++) {
			blame(result, requirement, &answer->findings[n],
				cause_info(answer->findings[n].cause)->severity);
			first = n ? first : requirement->cause;
		}
		requirement->status = answer->status;
		requirement->cause = first;
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
	bool forbidden = result->profile && result->profile->proxy.inspection == WISH_FORBIDDEN;
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
	unsigned allowed = result->profile ? result->profile->proxy.auth : 0;
	if (!result->proxy->set)
		return true;
	unsigned used = result->proxy->user ? PROFILE_AUTH_BASIC : PROFILE_AUTH_NONE;
	return !allowed || (allowed & used);
}

/* How many endpoints there are that show inspection, and before how many it was looked for. */
static void count_secured(const struct check_result *result, size_t *endpoints, size_t *secured)
{
	for (size_t i = 0; i < result->requirement_count; i++) {
		const struct requirement *other = &result->requirements[i];
		bool tls = other->hub || (other->endpoint && (other->endpoint->protocol == PROFILE_HTTPS ||
														 other->endpoint->protocol == PROFILE_TLS));
		*endpoints += tls;
		*secured += tls && stage_passed(other, STAGE_SECURE);
	}
}

static void judge_proxy(const struct check_options *options, struct check_result *result,
	struct requirement *requirement)
{
	const struct check_cause *cause = proxy_cause(result);
	size_t endpoints = 0, secured = 0;
	count_secured(result, &endpoints, &secured);
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
	if (options->service_proxy_hidden && requirement->status == REQUIREMENT_PASS)
		requirement_decide(requirement, REQUIREMENT_UNKNOWN,
			"this shell has proxy settings of its own, and those of the service only root can "
			"read: run the check as root");
	if (!options->proxy_split)
		return;
	/* What was tried here is not what the service has. */
	size_t at = (size_t)(requirement - result->requirements);
	size_t split = join_finding(result, options->proxy_split, SEVERITY_WARN, at);
	if (requirement->status == REQUIREMENT_PASS || requirement->status == REQUIREMENT_UNKNOWN) {
		requirement_decide(requirement, REQUIREMENT_WARN, NULL);
		requirement->cause = split;
	}
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

/* What the Date headers of those that answered say about this machine's clock, "" when nothing. A
 * clock that is off is told even where no certificate minds yet. */
static char *clock_remark(const struct check_result *result)
{
	size_t agree = 0;
	for (size_t i = 0; i < result->requirement_count; i++) {
		const struct requirement *other = &result->requirements[i];
		const char *told =
			other->walked ? evidence_get(&other->walk.stages[STAGE_HELLO].evidence, "clock") : NULL;
		if (told && strcmp(told, "agrees") != 0)
			return xasprintf(
				"it is %s of the clock of %s; certificates still fit", told, walk_host(other));
		agree += told != NULL;
	}
	return agree ? xasprintf("%zu of those that answered %s", agree,
					   agree == 1 ? "tells the same time" : "tell the same time")
				 : NULL;
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
	cleanup(free_ptr) char *remark = clock_remark(result);
	if (cause)
		blame_again(result, requirement, cause);
	else if (verified)
		requirement_decide(requirement, REQUIREMENT_PASS, remark);
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
	} judges[] = {{TOPIC_PROXY, judge_proxy}, {TOPIC_CLOCK, judge_clock}};
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
