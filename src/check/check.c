#include "check/parts.h"

#include <string.h>

void check_run(const struct check_options *options, struct check_result *result)
{
	*result = (struct check_result){
		.profile = options->profile,
		.hub = options->hub,
		.proxy = options->proxy,
		.proxy_unusable = options->proxy_invalid != NULL,
		.host_name = options->host_name,
		.host_os = options->host_os,
		.started_at = time(NULL),
	};
	int64_t start = clock_mono_us();
	requirements_build(options, result);
	tries_run(options, result);
	result->interrupted = cancel_fired(options->cancel);
	judge_probes(result);
	judge_walks(options, result);
	explain_causes(result);
	judge_rest(options, result);
	join_sort(result);
	judge_verdict(result);
	result->elapsed_ms = clock_ms_since(start);
}

void check_result_free(struct check_result *result)
{
	for (size_t i = 0; i < result->requirement_count; i++) {
		struct requirement *requirement = &result->requirements[i];
		free(requirement->id);
		free(requirement->title);
		free(requirement->reason);
		if (requirement->walked)
			walk_free(&requirement->walk);
		probe_answer_free(&requirement->answer);
	}
	for (size_t i = 0; i < result->cause_count; i++) {
		finding_free(&result->causes[i].finding);
		free(result->causes[i].affects);
	}
	free(result->requirements);
	free(result->causes);
	*result = (struct check_result){.requirements = NULL};
}

int check_exit_code(enum check_verdict verdict)
{
	static const int codes[] = {
		[VERDICT_PASS] = 0, [VERDICT_FAIL] = 1, [VERDICT_INCONCLUSIVE] = 3, [VERDICT_DEGRADED] = 4};
	return codes[verdict];
}

const char *check_verdict_name(enum check_verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_PASS] = "pass",
		[VERDICT_FAIL] = "fail",
		[VERDICT_DEGRADED] = "degraded",
		[VERDICT_INCONCLUSIVE] = "inconclusive",
	};
	return names[verdict];
}

const char *requirement_status_name(enum requirement_status status)
{
	static const char *const names[REQUIREMENT_STATUS_COUNT] = {
		[REQUIREMENT_PASS] = "pass",
		[REQUIREMENT_FAIL] = "fail",
		[REQUIREMENT_WARN] = "warn",
		[REQUIREMENT_UNKNOWN] = "unknown",
		[REQUIREMENT_SKIPPED] = "skipped",
	};
	return names[status];
}

struct requirement *requirement_by_id(struct check_result *result, const char *id)
{
	for (size_t i = 0; i < result->requirement_count; i++)
		if (strcmp(result->requirements[i].id, id) == 0)
			return &result->requirements[i];
	return NULL;
}

void requirement_decide(
	struct requirement *requirement, enum requirement_status status, const char *reason)
{
	requirement->status = status;
	free(requirement->reason);
	requirement->reason = xstrdup(reason);
}
