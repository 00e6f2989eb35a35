/*
 * The table of probes, and the few ways in which one can end.
 */
#include "check/probe.h"

#include <stdarg.h>
#include <string.h>

/* An id that ends in a dot stands for all that begin with it. */
static const struct {
	const char *id;
	probe_run *run;
} probes[] = {
	{"path.idle", probe_idle},
	{"dns.external", probe_dns_external},
	{"internet", probe_internet},
	{"addressing.dhcp-server", probe_dhcp_server},
	{"addressing.ipv4", probe_ipv4_origin},
	{"addressing.dns", probe_dns_origin},
	{"addressing.ipv6", probe_ipv4_usable},
	{"inbound.", probe_inbound},
	{"service.", probe_service},
	{"account.", probe_account},
	{"agent.no-listener", probe_listening},
	{"", NULL},
};

probe_run *probe_find(const char *requirement_id)
{
	for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
		size_t len = strlen(probes[i].id);
		bool family = len && probes[i].id[len - 1] == '.';
		if (strncmp(requirement_id, probes[i].id, len) == 0 && (family || !requirement_id[len]))
			return probes[i].run;
	}
	return NULL;
}

static void end(struct probe_answer *answer, enum requirement_status status, char *reason)
{
	answer->status = status;
	free(answer->reason);
	answer->reason = reason;
}

void probe_pass(struct probe_answer *answer, const char *remark)
{
	end(answer, REQUIREMENT_PASS, xstrdup(remark));
}

void probe_unknown(struct probe_answer *answer, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	end(answer, REQUIREMENT_UNKNOWN, xvasprintf(format, arguments));
	va_end(arguments);
}

void probe_skip(struct probe_answer *answer, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	end(answer, REQUIREMENT_SKIPPED, xvasprintf(format, arguments));
	va_end(arguments);
}

struct finding *probe_blame(
	struct probe_answer *answer, enum cause cause, enum confidence confidence)
{
	const struct cause_info *info = cause_info(cause);
	bool fails = info->severity == SEVERITY_FAIL || answer->status == REQUIREMENT_FAIL;
	if (answer->finding_count == PROBE_MAX_FINDINGS)
		return &answer->findings[PROBE_MAX_FINDINGS - 1];
	struct finding *finding = &answer->findings[answer->finding_count++];
	finding_set(finding, cause, info->stage, confidence);
	evidence_copy(&finding->evidence, &answer->evidence);
	end(answer, fails ? REQUIREMENT_FAIL : REQUIREMENT_WARN, NULL);
	return finding;
}

struct finding *probe_blame_finding(struct probe_answer *answer, const struct finding *finding)
{
	struct finding *blamed = probe_blame(answer, finding->cause, finding->confidence);
	finding_set(blamed, finding->cause, finding->stage, finding->confidence);
	evidence_copy(&blamed->evidence, &finding->evidence);
	return blamed;
}

void probe_answer_free(struct probe_answer *answer)
{
	for (size_t i = 0; i < answer->finding_count; i++)
		finding_free(&answer->findings[i]);
	evidence_free(&answer->evidence);
	free(answer->reason);
	*answer = (struct probe_answer){.reason = NULL};
}
