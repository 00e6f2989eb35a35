/*
 * What many endpoints tell together that none tells alone: one CA before endpoints of different
 * owners, and whether what stops one stops the others too.
 */
#include "check/parts.h"

#include <stdio.h>
#include <string.h>

/* The last two labels of "host:port": what usually has one owner. */
static void owner_of(const char *endpoint, char owner[LIST_ENTRY])
{
	size_t len = strcspn(endpoint, ":");
	const char *at = endpoint + len;
	for (int dots = 0; at > endpoint; at--)
		if (at[-1] == '.' && ++dots == 2)
			break;
	snprintf(owner, LIST_ENTRY, "%.*s", (int)(endpoint + len - at), at);
}

/* True when an owner of these endpoints is none of the other's. */
static bool has_another_owner(const char *endpoints, const char *others)
{
	char one[LIST_ENTRY], other[LIST_ENTRY], left[LIST_ENTRY], right[LIST_ENTRY];
	for (const char *rest = endpoints; rest && (rest = list_next(rest, one));)
		for (const char *more = others; more && (more = list_next(more, other));) {
			owner_of(one, left);
			owner_of(other, right);
			if (strcmp(left, right) != 0)
				return true;
		}
	return false;
}

/* One unknown CA before endpoints of different owners is more likely somebody in between than a
 * mistake that both of them made. A private CA that is missing here looks the same, so it is not
 * certain. */
void siblings_recognise(struct check_result *result)
{
	for (size_t i = 0; i < result->cause_count; i++) {
		struct finding *one = &result->causes[i].finding;
		for (size_t n = i + 1; n < result->cause_count; n++) {
			const struct finding *other = &result->causes[n].finding;
			if (one->cause != CAUSE_CERT_UNTRUSTED || other->cause != CAUSE_CERT_UNTRUSTED ||
				!list_meets(evidence_get(&one->evidence, "issuer"),
					evidence_get(&other->evidence, "issuer")) ||
				!has_another_owner(evidence_get(&one->evidence, "endpoint"),
					evidence_get(&other->evidence, "endpoint")))
				continue;
			finding_set(one, CAUSE_TLS_INTERCEPTED, one->stage, CONFIDENCE_LIKELY);
			evidence_add(
				&one->evidence, "unrelated", "%s", evidence_get(&other->evidence, "endpoint"));
		}
	}
}

/* One issuer before endpoints of different owners, where another is expected, leaves no
 * look-alike. */
static void weigh_inspector(struct check_cause *cause)
{
	struct finding *finding = &cause->finding;
	const char *endpoints = evidence_get(&finding->evidence, "endpoint");
	if (finding->cause == CAUSE_TLS_INTERCEPTED && evidence_get(&finding->evidence, "issuer") &&
		!evidence_get(&finding->evidence, "unrelated") && has_another_owner(endpoints, endpoints))
		finding->confidence = CONFIDENCE_CERTAIN;
}

static bool affects(const struct check_cause *cause, size_t requirement)
{
	for (size_t i = 0; i < cause->affects_count; i++)
		if (cause->affects[i] == requirement)
			return true;
	return false;
}

/* Does what stops one endpoint stop the others too? It tells a rule for one from a rule for all. */
static void look_at_siblings(const struct check_result *result, struct check_cause *cause)
{
	struct evidence *evidence = &cause->finding.evidence;
	const char *proxy = evidence_get(evidence, "proxy");
	struct buf connect = {.max = 200};
	size_t tried = 0, passed = 0;
	if (cause->finding.stage != STAGE_CONNECT || cause->finding.cause == CAUSE_PATH_LOSSY)
		return;
	for (size_t i = 0; i < result->requirement_count; i++) {
		const struct requirement *requirement = &result->requirements[i];
		enum stage_status status = requirement->walk.stages[STAGE_CONNECT].status;
		if (!requirement->walked || !text_equals(requirement->walk.proxy, proxy) ||
			(status != STAGE_PASSED && status != STAGE_FAILED))
			continue;
		tried++;
		if (status == STAGE_PASSED && !affects(cause, i))
			buf_printf(&connect, "%s%s", passed++ ? ", " : "", walk_host(requirement));
	}
	if (passed) {
		evidence_add(
			evidence, "siblings", "%s connect%s", buf_text(&connect), passed == 1 ? "s" : "");
		evidence_add(evidence, "siblings-note", ", while %s",
			passed == 1 ? "another endpoint connects" : "other endpoints connect");
	} else if (tried > 1) {
		evidence_add(
			evidence, "siblings", "none of the %zu endpoints that were tried connects", tried);
		evidence_add(evidence, "siblings-note", " (none of the %zu endpoints connects)", tried);
	}
	buf_free(&connect);
}

void siblings_weigh(struct check_result *result)
{
	for (size_t i = 0; i < result->cause_count; i++) {
		weigh_inspector(&result->causes[i]);
		look_at_siblings(result, &result->causes[i]);
	}
}
