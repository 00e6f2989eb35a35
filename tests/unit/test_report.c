/* The three reports of one result: what contracts name is there, what is secret is not (row B2). */
#include "check/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define SECRET "s3cr3t-Pa%ss"

static const char profile_text[] =
	"profile: page\ntitle: \"A <Page> & more\"\nsource: {title: Source}\n"
	"internet: required\n"
	"services: [{os: windows, name: TermService, state: running}]\n"
	"endpoints:\n"
	"  - {id: good, host: good.example, port: 443, purpose: it works, section: Ports, row: R7}\n"
	"  - {id: bad, host: bad.example, port: 443}\n";

/* One endpoint passes, the other meets a proxy whose words carry markup and control characters. */
static int fake_walk(
	const struct dial_target *target, const struct dial_options *options, struct walk *walk)
{
	bool good = strcmp(target->host, "good.example") == 0;
	*walk = (struct walk){.elapsed_ms = 42};
	for (int stage = STAGE_RESOLVE; stage <= (good ? STAGE_HELLO : STAGE_TUNNEL); stage++) {
		walk->stages[stage].status = STAGE_PASSED;
		walk->stages[stage].ms = 1.25;
	}
	evidence_add(&walk->stages[STAGE_RESOLVE].evidence, "addresses", "192.0.2.1");
	walk->proxy = proxy_url(options->proxy);
	if (good)
		return 0;
	walk->stages[STAGE_TUNNEL].status = STAGE_FAILED;
	finding_set(&walk->failure, CAUSE_PROXY_DENIED, STAGE_TUNNEL, CONFIDENCE_CERTAIN);
	evidence_add(&walk->failure.evidence, "proxy", "%s", walk->proxy);
	evidence_add(&walk->failure.evidence, "status", "403");
	evidence_add(&walk->failure.evidence, "endpoint", "%s:443", target->host);
	evidence_add(&walk->failure.evidence, "passes-with",
		"the proxy http://10.0.0.8:3128 of https_proxy (environment)");
	evidence_add(&walk->failure.evidence, "told-note", ", which is told");
	evidence_add(&walk->failure.evidence, "proxy-says", "<b>\"no\" & \x1b[31m\xef\xbf\xbf</b>");
	return -1;
}

/* The machine that the test runs on is not asked. */
static probe_run *no_probe(const char *id)
{
	(void)id;
	return NULL;
}

static struct {
	struct profile *profile;
	struct proxy_settings proxy;
	struct check_result result;
} run;

static int set_up(void **state)
{
	(void)state;
	char path[] = "/tmp/sallyport-report-XXXXXX.yaml";
	struct err err = {""};
	int fd = mkstemps(path, 5);
	assert_int_equal(write(fd, profile_text, strlen(profile_text)), strlen(profile_text));
	close(fd);
	run.profile = profile_load(path, &err);
	unlink(path);
	if (!run.profile)
		fail_msg("%s", err.text);
	proxy_settings_none(&run.proxy);
	run.proxy.set = true;
	run.proxy.host = xstrdup("10.0.0.9");
	run.proxy.port = 3128;
	run.proxy.origin = xstrdup("HTTPS_PROXY (environment)");
	run.proxy.user = xstrdup("svc");
	run.proxy.password = xstrdup(SECRET);
	run.proxy.credentials_origin = xstrdup("HTTPS_PROXY_USERNAME (environment)");
	run.proxy.warnings[run.proxy.warning_count++] = xstrdup("Https_Proxy loses to HTTPS_PROXY");
	struct check_options options = {
		.profile = run.profile,
		.proxy = &run.proxy,
		.host_name = "here",
		.host_os = "Test OS",
		.platform = "linux",
		.deadline_ms = 20000,
		.walk = fake_walk,
		.find_probe = no_probe,
	};
	check_run(&options, &run.result);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	check_result_free(&run.result);
	profile_free(run.profile);
	proxy_settings_free(&run.proxy);
	return 0;
}

static char *written(const char *format, bool colour)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	report_format_find(format)->write(out, &run.result, colour);
	fclose(out);
	return text;
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	if (!text)
		fail_msg("\"%s\" is no string", key);
	return text;
}

static const json_t *by_id(const json_t *list, const char *id)
{
	size_t i;
	json_t *each;
	json_array_foreach(
		(json_t *)list, i, each) if (strcmp(text_at(each, "id"), id) == 0) return each;
	fail_msg("there is no %s", id);
	return NULL;
}

static void json_is_as_the_contract_says(void **state)
{
	(void)state;
	cleanup(free_ptr) char *text = written("json", false);
	json_t *report = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(report);
	assert_string_equal(text_at(report, "schema"), "sallyport.check/1");
	assert_string_equal(text_at(json_object_get(report, "profile"), "id"), "page");
	assert_string_equal(text_at(json_object_get(report, "host"), "name"), "here");
	assert_string_equal(text_at(report, "verdict"), "fail");
	assert_true(json_is_integer(json_object_get(report, "elapsed_ms")));
	time_t when;
	assert_int_equal(clock_parse_rfc3339(text_at(report, "started_at"), &when), 0);
	const json_t *proxy = json_object_get(report, "proxy");
	assert_string_equal(text_at(proxy, "url"), "http://10.0.0.9:3128");
	assert_string_equal(text_at(proxy, "auth"), "basic");
	assert_string_equal(text_at(proxy, "from"), "HTTPS_PROXY (environment)");

	const json_t *causes = json_object_get(report, "causes");
	assert_int_equal(json_array_size(causes), 1);
	const json_t *cause = by_id(causes, "proxy-denied");
	assert_string_equal(text_at(cause, "stage"), "tunnel");
	assert_string_equal(text_at(cause, "severity"), "fail");
	assert_string_equal(text_at(cause, "confidence"), "certain");
	assert_string_equal(text_at(cause, "who"), "proxy administrator");
	assert_non_null(strstr(text_at(cause, "sentence"), "forbids bad.example:443 (HTTP 403)"));
	assert_non_null(strstr(text_at(cause, "remedy"), "Allow CONNECT to bad.example:443"));
	const json_t *affects = json_object_get(cause, "affects");
	assert_int_equal(json_array_size(affects), 1);
	assert_string_equal(json_string_value(json_array_get(affects, 0)), "endpoint.bad");
	const json_t *evidence = json_array_get(json_object_get(cause, "evidence"), 0);
	assert_string_equal(text_at(evidence, "name"), "proxy");

	const json_t *requirements = json_object_get(report, "requirements");
	const json_t *good = by_id(requirements, "endpoint.good");
	assert_string_equal(text_at(good, "title"), "it works (good.example:443)");
	assert_string_equal(text_at(good, "section"), "Ports");
	assert_string_equal(text_at(good, "row"), "R7");
	assert_string_equal(text_at(good, "status"), "pass");
	assert_true(json_is_null(json_object_get(good, "cause")));
	const json_t *stage = json_array_get(json_object_get(good, "stages"), 0);
	assert_string_equal(text_at(stage, "stage"), "resolve");
	assert_string_equal(text_at(json_object_get(stage, "evidence"), "addresses"), "192.0.2.1");
	const json_t *bad = by_id(requirements, "endpoint.bad");
	assert_string_equal(text_at(bad, "status"), "fail");
	assert_string_equal(text_at(bad, "cause"), "proxy-denied");
	assert_string_equal(text_at(by_id(requirements, "internet"), "status"), "unknown");
	assert_string_equal(
		text_at(by_id(requirements, "internet"), "reason"), "not probed by this version");
	assert_string_equal(text_at(by_id(requirements, "service.TermService"), "status"), "skipped");
	json_decref(report);
}

static size_t place(const char *text, const char *words)
{
	const char *at = strstr(text, words);
	if (!at)
		fail_msg("\"%s\" is not in\n%s", words, text);
	return (size_t)(at - text);
}

static void text_says_what_to_do_before_what_was_seen(void **state)
{
	(void)state;
	cleanup(free_ptr) char *text = written("text", false);
	assert_int_equal(place(text, "FAIL  A <Page> & more: 1 of 4 requirements not met"), 0);
	size_t sentence = place(text, "1. The proxy http://10.0.0.9:3128 forbids bad.example:443");
	size_t remedy = place(text, "What to do (proxy administrator):");
	size_t proxy =
		place(text, "Proxy: http://10.0.0.9:3128, from HTTPS_PROXY (environment), Basic");
	size_t warning = place(text, "warning: Https_Proxy loses to HTTPS_PROXY");
	size_t evidence = place(text, "1. proxy-denied, met at tunnel, certain");
	size_t failed = place(text, "FAIL  endpoint.bad (1)");
	size_t unknown = place(text, "Not determined");
	size_t skipped = place(text, "service.TermService: applies to Windows only");
	size_t passed = place(text, "ok    endpoint.good");
	assert_true(sentence < remedy && remedy < proxy && proxy < warning && warning < evidence);
	assert_true(evidence < failed && failed < unknown && unknown < skipped && skipped < passed);
	place(text, "tunnel failed after 1.2ms");
	place(text, "internet: not probed by this version");
}

/* What makes it pass stands in a line of its own after the remedy, and is not told twice. */
static void text_says_what_passes(void **state)
{
	(void)state;
	cleanup(free_ptr) char *text = written("text", false);
	size_t remedy = place(text, "Allow CONNECT to bad.example:443 in the proxy's rules.");
	size_t passes = place(
		text, "\n   It passes with the proxy http://10.0.0.8:3128 of https_proxy (environment).\n");
	assert_true(remedy < passes && passes < place(text, "Affects: endpoint.bad"));
	assert_null(strstr(text, "passes-with"));
	assert_null(strstr(text, "told-note"));
}

/* R7: a line has at most eighty columns, and what is met one line. */
static void text_is_narrow(void **state)
{
	(void)state;
	cleanup(free_ptr) char *text = written("text", false);
	for (const char *at = text, *end; (end = strchr(at, '\n')); at = end + 1)
		if (end - at > 80)
			fail_msg("%.*s", (int)(end - at), at);
	place(text, "\n  ok    endpoint.good          it works (good.example:443)\n");
}

static void colour_is_for_terminals_only(void **state)
{
	(void)state;
	cleanup(free_ptr) char *plain = written("text", false);
	cleanup(free_ptr) char *colour = written("text", true);
	assert_null(strchr(plain, '\033'));
	place(colour, "\033[1;31mFAIL\033[0m");
	assert_null(strstr(colour, "\033[31m</b>")); /* the proxy's own colour did not pass */
}

static void junit_is_well_formed(void **state)
{
	(void)state;
	cleanup(free_ptr) char *text = written("junit", false);
	place(text, "<testsuite name=\"A &lt;Page&gt; &amp; more\" hostname=\"here\"");
	place(text, " tests=\"5\" failures=\"1\" errors=\"0\" skipped=\"2\"");
	place(text, "<failure type=\"proxy-denied\" message=\"The proxy ");
	place(text, "&lt;b&gt;&quot;no&quot; &amp; \\x1b[31m?&lt;/b&gt;");
	place(text, "<skipped message=\"not probed by this version\"/>");
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 && *at != '\n')
			fail_msg("a control character is in\n%s", text);
}

/* R27: the password is in no format, whole or in part. */
static void no_report_holds_the_password(void **state)
{
	(void)state;
	static const char *const formats[] = {"text", "json", "junit"};
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		cleanup(free_ptr) char *text = written(formats[i], true);
		assert_null(strstr(text, "s3cr3t"));
		assert_non_null(strstr(text, "bad.example"));
	}
	assert_null(report_format_find("xml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_as_the_contract_says),
		cmocka_unit_test(text_says_what_to_do_before_what_was_seen),
		cmocka_unit_test(text_says_what_passes),
		cmocka_unit_test(text_is_narrow),
		cmocka_unit_test(colour_is_for_terminals_only),
		cmocka_unit_test(junit_is_well_formed),
		cmocka_unit_test(no_report_holds_the_password),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
