/* What is new since the last run (check --watch), and how the service differs from the shell (R19,
 * R22). */
#include "check/changes.h"
#include "check/proxy_split.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "temporary_root.h"

/* --- results to order ---------------------------------------------------------------------------
 */

#define REQUIREMENTS 3

/* A result with the requirements a, b and c, of which each may have a cause. */
static struct {
	struct requirement requirements[REQUIREMENTS];
	struct check_cause causes[REQUIREMENTS];
	size_t affects[REQUIREMENTS];
	struct check_result result;
} made;

static const struct check_result *result_with(const enum cause causes[REQUIREMENTS])
{
	static const char *const ids[] = {"endpoint.a", "endpoint.b", "endpoint.c"};
	struct check_result *result = &made.result;
	*result = (struct check_result){.requirements = made.requirements,
		.requirement_count = REQUIREMENTS,
		.causes = made.causes,
		.verdict = VERDICT_PASS,
		.started_at = 1700000000};
	for (size_t i = 0; i < REQUIREMENTS; i++) {
		made.requirements[i] = (struct requirement){.id = (char *)ids[i],
			.status = causes[i] ? REQUIREMENT_FAIL : REQUIREMENT_PASS,
			.cause = causes[i] ? result->cause_count : CHECK_NO_CAUSE};
		if (!causes[i])
			continue;
		made.affects[i] = i;
		struct check_cause *cause = &made.causes[result->cause_count++];
		*cause = (struct check_cause){.affects = &made.affects[i], .affects_count = 1};
		finding_set(&cause->finding, causes[i], STAGE_CONNECT, CONFIDENCE_CERTAIN);
		result->verdict = VERDICT_FAIL;
	}
	return result;
}

static char *printed(const struct changes *before, const struct check_result *now)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	changes_print(out, before, now, false);
	fclose(out);
	return text;
}

static const struct {
	const char *what;
	enum cause before[REQUIREMENTS], now[REQUIREMENTS];
	bool changed;
	const char *words[4]; /* in this order */
	const char *never;
} rows[] = {
	{"nothing new", {CAUSE_DNS_TIMEOUT}, {CAUSE_DNS_TIMEOUT}, false, {"fail\n"}, "dns-timeout"},
	{"all well, still", {0}, {0}, false, {"pass\n"}, "was"},
	{"a cause came", {0}, {0, CAUSE_CONNECT_REFUSED}, true,
		{"fail (was pass)", "new   connect-refused: ", "What to do (",
			"endpoint.b: fail, was pass"},
		"endpoint.a"},
	{"a cause went", {CAUSE_DNS_TIMEOUT}, {0}, true,
		{"pass (was fail)", "gone  dns-timeout", "endpoint.a: pass, was fail"}, "new "},
	{"one went, another stays", {CAUSE_DNS_TIMEOUT, CAUSE_CERT_EXPIRED}, {0, CAUSE_CERT_EXPIRED},
		true, {"2023-11-14T22:13:20Z  fail\n", "gone  dns-timeout", "endpoint.a: pass, was fail"},
		"cert-expired"},
	{"one in the other's place", {CAUSE_DNS_TIMEOUT}, {CAUSE_DNS_REFUSED}, true,
		{"new   dns-refused", "gone  dns-timeout"}, "endpoint.a"},
	{"the same cause elsewhere", {CAUSE_CERT_EXPIRED}, {0, CAUSE_CERT_EXPIRED}, true,
		{"new   cert-expired", "gone  cert-expired", "endpoint.a: pass, was fail",
			"endpoint.b: fail, was pass"},
		"(was"},
};

static void changes_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct changes before = {.any = false};
		changes_keep(&before, result_with(rows[i].before));
		const struct check_result *now = result_with(rows[i].now);
		if (changes_since(&before, now) != rows[i].changed)
			fail_msg("%s: changed is %d", rows[i].what, !rows[i].changed);
		cleanup(free_ptr) char *text = printed(&before, now);
		const char *at = text;
		for (size_t n = 0; n < ARRAY_LEN(rows[i].words) && rows[i].words[n]; n++) {
			at = at ? strstr(at, rows[i].words[n]) : NULL;
			if (!at)
				fail_msg(
					"%s: \"%s\" is not in its place in\n%s", rows[i].what, rows[i].words[n], text);
		}
		if (!text || strstr(text, rows[i].never))
			fail_msg("%s: \"%s\" is in\n%s", rows[i].what, rows[i].never, text);
		changes_free(&before);
	}
}

static void the_first_run_is_a_change(void **state)
{
	(void)state;
	static const enum cause none[REQUIREMENTS] = {CAUSE_NONE};
	struct changes before = {.any = false};
	assert_true(changes_since(&before, result_with(none)));
	changes_keep(&before, result_with(none));
	assert_false(changes_since(&before, result_with(none)));
	changes_free(&before);
	assert_false(before.any);
}

/* --- the service and the shell ------------------------------------------------------------------
 */

static char root[ROOT_SIZE];

static const struct {
	const char *what;
	const char *environment[3];
	const char *file; /* proxy.env; NULL: none */
	bool joined;
	const char *service, *difference; /* NULL: not split */
	enum confidence confidence;
} splits[] = {
	{"a shell alone", {"HTTPS_PROXY=10.0.0.1:1"}, NULL, false, NULL, NULL, 0},
	{"a shell, and a service that has none", {"HTTPS_PROXY=10.0.0.1:1"}, NULL, true, "no proxy",
		"the proxy", CONFIDENCE_LIKELY},
	{"the file alone", {NULL}, "HTTPS_PROXY=10.0.0.1:1\n", true, NULL, NULL, 0},
	{"the same", {"https_proxy=http://10.0.0.1:1/"}, "HTTPS_PROXY=10.0.0.1:1\n", true, NULL, NULL,
		0},
	{"two proxies", {"HTTPS_PROXY=10.0.0.1:1"}, "HTTPS_PROXY=10.0.0.2:1\n", false,
		"http://10.0.0.2:1", "the proxy", CONFIDENCE_CERTAIN},
	{"other credentials", {"HTTPS_PROXY=u:s3cret@10.0.0.1:1"}, "HTTPS_PROXY=u:s3krit@10.0.0.1:1\n",
		false, "http://10.0.0.1:1", "the credentials", CONFIDENCE_CERTAIN},
	{"no credentials", {"HTTPS_PROXY=u:s3cret@10.0.0.1:1"}, "HTTPS_PROXY=10.0.0.1:1\n", false,
		"http://10.0.0.1:1", "the credentials", CONFIDENCE_CERTAIN},
	{"another list", {"HTTPS_PROXY=10.0.0.1:1", "NO_PROXY=a.example"}, "HTTPS_PROXY=10.0.0.1:1\n",
		false, "http://10.0.0.1:1", "NO_PROXY", CONFIDENCE_CERTAIN},
	{"a file that cannot be used", {"HTTPS_PROXY=10.0.0.1:1"}, "HTTPS_PROXY=u:s3cret@nowhere\n",
		false, "a setting that cannot be used", "the proxy", CONFIDENCE_CERTAIN},
};

static void a_split_is_told(void **state)
{
	(void)state;
	cleanup(free_ptr) char *path = file_under(root, "/etc/sallyport/proxy.env");
	for (size_t i = 0; i < ARRAY_LEN(splits); i++) {
		struct proxy_settings here;
		struct finding invalid = {.cause = CAUSE_NONE}, split = {.cause = CAUSE_NONE};
		unlink(path);
		if (splits[i].file)
			assert_int_equal(
				file_replace(path, splits[i].file, strlen(splits[i].file), 0600, NULL), 0);
		assert_int_equal(
			proxy_settings_read((char *const *)splits[i].environment, root, &here, &invalid), 0);
		if (proxy_split_find(&here, splits[i].joined, root, &split) != (splits[i].service != NULL))
			fail_msg("%s", splits[i].what);
		if (splits[i].service) {
			cleanup(free_ptr) char *sentence = finding_sentence(&split);
			cleanup(free_ptr) char *remedy = finding_remedy(&split);
			assert_string_equal(evidence_get(&split.evidence, "service-proxy"), splits[i].service);
			assert_string_equal(evidence_get(&split.evidence, "difference"), splits[i].difference);
			assert_int_equal(split.confidence, splits[i].confidence);
			assert_null(strstr(sentence, "s3"));
			assert_null(strstr(remedy, "s3"));
			for (size_t n = 0; n < split.evidence.count; n++)
				assert_null(strstr(split.evidence.items[n].value, "s3"));
		}
		finding_free(&split);
		proxy_settings_free(&here);
	}
	unlink(path);
}

static int set_up(void **state)
{
	(void)state;
	if (root_make(root))
		return -1;
	cleanup(free_ptr) char *etc = file_under(root, "/etc");
	cleanup(free_ptr) char *folder = file_under(root, "/etc/sallyport");
	return mkdir(etc, 0755) || mkdir(folder, 0755);
}

static int tear_down(void **state)
{
	(void)state;
	return root_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_told),
		cmocka_unit_test(the_first_run_is_a_change),
		cmocka_unit_test(a_split_is_told),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
