/*
 * The report for programs: schema sallyport.check/1. Members are added freely and never change
 * their meaning.
 */
#include "check/report.h"

#include <string.h>

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

/* What was put into the hosts; null for what was not given. */
static json_t *variables_json(const struct profile *profile)
{
	json_t *object = json_object();
	for (unsigned i = 0; i < profile->variables_count; i++)
		json_object_set_new(
			object, profile->variables[i].name, text_or_null(profile->variables[i].value));
	return object;
}

static json_t *profile_json(const struct check_result *result)
{
	if (!result->profile)
		return json_pack("{s:s, s:s}", "id", "hub", "title", "The way to the hub");
	json_t *object =
		json_pack("{s:s, s:s}", "id", result->profile->id, "title", result->profile->title);
	if (result->profile->source.title)
		json_object_set_new(object, "source", json_string(result->profile->source.title));
	if (result->profile->variables_count)
		json_object_set_new(object, "variables", variables_json(result->profile));
	return object;
}

static json_t *proxy_json(const struct proxy_settings *proxy)
{
	cleanup(free_ptr) char *url = proxy_url(proxy);
	json_t *object = json_object(), *warnings = json_array();
	json_object_set_new(object, "url", text_or_null(url));
	json_object_set_new(object, "auth", json_string(proxy->user ? "basic" : "none"));
	json_object_set_new(object, "from", text_or_null(proxy->origin));
	if (proxy->user)
		json_object_set_new(object, "credentials_from", text_or_null(proxy->credentials_origin));
	if (proxy->no_proxy) {
		json_object_set_new(object, "no_proxy", json_string(proxy->no_proxy));
		json_object_set_new(object, "no_proxy_from", text_or_null(proxy->no_proxy_origin));
	}
	for (size_t i = 0; i < proxy->warning_count; i++)
		json_array_append_new(warnings, json_string(proxy->warnings[i]));
	json_object_set_new(object, "warnings", warnings);
	return object;
}

static json_t *cause_json(const struct check_result *result, const struct check_cause *cause)
{
	const struct finding *finding = &cause->finding;
	const struct cause_info *info = cause_info(finding->cause);
	cleanup(free_ptr) char *sentence = finding_sentence(finding);
	cleanup(free_ptr) char *remedy = finding_remedy(finding);
	json_t *affects = json_array(), *evidence = json_array();
	for (size_t i = 0; i < cause->affects_count; i++)
		json_array_append_new(affects, json_string(result->requirements[cause->affects[i]].id));
	for (size_t i = 0; i < finding->evidence.count; i++)
		json_array_append_new(
			evidence, json_pack("{s:s, s:s}", "name", finding->evidence.items[i].name, "value",
						  finding->evidence.items[i].value));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "id", info->id, "stage",
		stage_name(finding->stage), "severity", cause->severity == SEVERITY_FAIL ? "fail" : "warn",
		"confidence", finding->confidence == CONFIDENCE_CERTAIN ? "certain" : "likely", "sentence",
		sentence, "remedy", remedy, "who", info->who, "affects", affects, "evidence", evidence);
}

/* A probe is one stage: host. */
static json_t *probe_to_json(const struct requirement *requirement)
{
	const struct probe_answer *answer = &requirement->answer;
	json_t *evidence = json_object();
	for (size_t i = 0; i < answer->evidence.count; i++)
		json_object_set_new(
			evidence, answer->evidence.items[i].name, json_string(answer->evidence.items[i].value));
	return json_pack("[{s:s, s:s, s:f, s:o}]", "stage", stage_name(STAGE_HOST), "status",
		requirement_status_name(answer->status), "ms", answer->ms, "evidence", evidence);
}

static json_t *stages_json(const struct requirement *requirement)
{
	if (requirement->probed)
		return probe_to_json(requirement);
	return requirement->walked ? walk_to_json(&requirement->walk) : json_array();
}

static json_t *requirement_json(
	const struct check_result *result, const struct requirement *requirement)
{
	json_t *object = json_object();
	json_object_set_new(object, "id", json_string(requirement->id));
	json_object_set_new(object, "title", json_string(requirement->title));
	json_object_set_new(object, "section", text_or_null(requirement->section));
	json_object_set_new(object, "row", text_or_null(requirement->row));
	json_object_set_new(
		object, "status", json_string(requirement_status_name(requirement->status)));
	json_object_set_new(object, "cause",
		requirement->cause == CHECK_NO_CAUSE
			? json_null()
			: json_string(cause_info(result->causes[requirement->cause].finding.cause)->id));
	if (requirement->reason)
		json_object_set_new(object, "reason", json_string(requirement->reason));
	json_object_set_new(object, "stages", stages_json(requirement));
	return object;
}

json_t *report_to_json(const struct check_result *result)
{
	char started[CLOCK_TEXT_SIZE];
	json_t *causes = json_array(), *requirements = json_array(), *report = json_object();
	for (size_t i = 0; i < result->cause_count; i++)
		json_array_append_new(causes, cause_json(result, &result->causes[i]));
	for (size_t i = 0; i < result->requirement_count; i++)
		json_array_append_new(requirements, requirement_json(result, &result->requirements[i]));
	json_object_set_new(report, "schema", json_string("sallyport.check/1"));
	json_object_set_new(report, "profile", profile_json(result));
	json_object_set_new(
		report, "host", json_pack("{s:s, s:s}", "name", result->host_name, "os", result->host_os));
	json_object_set_new(
		report, "started_at", json_string(clock_rfc3339(result->started_at, started)));
	json_object_set_new(report, "elapsed_ms", json_integer((json_int_t)(result->elapsed_ms + 0.5)));
	json_object_set_new(report, "verdict", json_string(check_verdict_name(result->verdict)));
	json_object_set_new(report, "interrupted", json_boolean(result->interrupted));
	json_object_set_new(
		report, "proxy", result->proxy->set ? proxy_json(result->proxy) : json_null());
	json_object_set_new(report, "causes", causes);
	json_object_set_new(report, "requirements", requirements);
	return report;
}

static void dump(FILE *out, const struct check_result *result, size_t flags)
{
	json_t *report = report_to_json(result);
	json_dumpf(report, out, flags | JSON_REAL_PRECISION(9));
	json_decref(report);
	fputc('\n', out);
}

void report_json_line(FILE *out, const struct check_result *result)
{
	dump(out, result, JSON_COMPACT);
}

void report_json(FILE *out, const struct check_result *result, bool colour)
{
	(void)colour;
	dump(out, result, JSON_INDENT(2));
}
