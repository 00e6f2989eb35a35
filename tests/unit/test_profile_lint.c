/* The linter of profiles (row B1): every mistake at once, and each doubt. */
#include "base/file.h"
#include "base/problems.h"
#include "profile/profile.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/sallyport-lint-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	cleanup(free_ptr) char *path = xasprintf("%s/p.yaml", folder);
	unlink(path);
	return rmdir(folder);
}

static void lint(const char *text, struct problems *problems)
{
	struct err err;
	cleanup(free_ptr) char *path = xasprintf("%s/p.yaml", folder);
	assert_int_equal(file_replace(path, text, strlen(text), 0644, &err), 0);
	*problems = (struct problems){.items = NULL};
	profile_lint(path, problems);
}

static char *joined(const struct problems *problems)
{
	struct buf all = {0};
	buf_puts(&all, "");
	for (size_t i = 0; i < problems->count; i++)
		buf_printf(&all, "%s\n", problems->items[i].text);
	return all.data;
}

#define SOURCE                                                                                     \
	"source: {title: Page, section: Ports, url: \"https://a.example/\", read: 2026-11-22}\n"
#define HEAD  "profile: p\ntitle: P\n" SOURCE
#define ENTRY "  - id: x\n    host: h.example\n    port: 443\n    purpose: y\n"
#define LIST  HEAD "endpoints:\n" ENTRY

static void a_careful_profile_is_clean(void **state)
{
	(void)state;
	struct problems problems;
	lint(LIST "    row: R7, S6\n    marker: {path: /a, status: 200}\n", &problems);
	cleanup(free_ptr) char *all = joined(&problems);
	assert_string_equal(all, "");
	problems_free(&problems);
}

/* Exactly one warning, with `place` (line and key) and `words`. */
static const struct {
	const char *what, *text, *place, *words;
} doubts[] = {
	{"no source", "profile: p\ntitle: P\nendpoints:\n" ENTRY "    section: a\n",
		":1: ", "no source"},
	{"source without url",
		"profile: p\ntitle: P\nsource: {title: a, section: b, read: 2026-11-22}\n"
		"endpoints:\n" ENTRY,
		":3: source: ", "has no url"},
	{"url without https",
		"profile: p\ntitle: P\nsource: {title: a, section: b, url: 'ftp://a', read: 2026-11-22}\n"
		"endpoints:\n" ENTRY,
		":3: source.url: ", "does not begin with https"},
	{"source without date",
		"profile: p\ntitle: P\nsource: {title: a, section: b, url: "
		"'https://a'}\nendpoints:\n" ENTRY,
		":3: source: ", "has no date"},
	{"no section",
		"profile: p\ntitle: P\nsource: {title: a, url: 'https://a', read: 2026-11-22}\n"
		"endpoints:\n" ENTRY,
		":5: endpoints[0]: ", "no section"},
	{"another name than the file's", "profile: q\ntitle: P\n" SOURCE "endpoints:\n" ENTRY,
		":1: profile: ", "the file is not called q.yaml"},
	{"order", "title: P\nprofile: p\n" SOURCE "endpoints:\n" ENTRY,
		":2: profile: ", "stands behind `title`"},
	{"asks for nothing", HEAD, ":1: ", "asks for nothing"},
	{"nothing required", LIST "    required: false\n",
		":4: endpoints: ", "no endpoint is required"},
	{"no purpose", HEAD "endpoints:\n  - {id: x, host: h.example, port: 443}\n",
		":5: endpoints[0]: ", "no purpose"},
	{"address", HEAD "endpoints:\n  - {id: x, host: 192.0.2.1, port: 443, purpose: y}\n",
		":5: endpoints[0].host: ", "an address"},
	{"capitals", HEAD "endpoints:\n  - {id: x, host: H.example, port: 443, purpose: y}\n",
		":5: endpoints[0].host: ", "capital letters"},
	{"dot at the end", HEAD "endpoints:\n  - {id: x, host: h.example., port: 443, purpose: y}\n",
		":5: endpoints[0].host: ", "a dot at the end"},
	{"pattern without remark",
		HEAD "endpoints:\n  - {id: x, host: '*.example', port: 443, purpose: y}\n",
		":5: endpoints[0].host: ", "add a remark"},
	{"tcp on 443", LIST "    protocol: tcp\n",
		":9: endpoints[0].protocol: ", "looks at no certificate"},
	{"http on 443", LIST "    protocol: http\n", ":9: endpoints[0].protocol: ", "write https"},
	{"https on 80", HEAD "endpoints:\n  - {id: x, host: h.example, port: 80, purpose: y}\n",
		":5: endpoints[0]: ", "TLS on port 80"},
	{"UDP", HEAD "endpoints:\n  - {id: x, host: h.example, port: 53, protocol: udp, purpose: y}\n",
		":5: endpoints[0].protocol: ", "UDP cannot be tested"},
	{"one pin", LIST "    pins: [sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=]\n",
		":9: endpoints[0].pins: ", "one pin"},
	{"marker without path", LIST "    marker: {status: 200}\n",
		":9: endpoints[0].marker: ", "no path"},
	{"marker that proves nothing", LIST "    marker: {path: /}\n",
		":9: endpoints[0].marker: ", "every answer proves"},
	{"the same endpoint again",
		LIST "  - {id: z, host: H.example, port: 443, purpose: y, remark: a}\n",
		":9: endpoints[1]: ", "the same host and port as \"x\" in line 5"},
	{"row of no list", LIST "    row: R7, R29\n", ":9: endpoints[0].row: ", "\"R29\" is no row"},
	{"row that is a word", LIST "    row: soon\n", ":9: endpoints[0].row: ", "\"soon\" is no row"},
	{"row 0", LIST "    row: R0\n", ":9: endpoints[0].row: ", "\"R0\" is no row"},
	{"section of nothing", LIST "sections: {internet: {row: R6}}\n",
		":9: sections.internet: ", "does not have"},
	{"inbound without service", HEAD "inbound: [{port: 22}]\n", ":4: inbound[0]: ", "no service"},
	{"unused variable", HEAD "variables: [{name: a, value: b, purpose: c}]\nendpoints:\n" ENTRY,
		":4: variables[0]: ", "no host has {a} in it"},
	{"variable without purpose",
		HEAD "variables: [{name: a, value: b}]\nendpoints:\n"
			 "  - {id: x, host: '{a}.example', port: 443, purpose: y}\n",
		":4: variables[0]: ", "say what to set it to"},
};

/* The twin row above also has capitals: the doubts that a row has beside its own. */
static size_t others(size_t row)
{
	return strcmp(doubts[row].what, "the same endpoint again") == 0 ? 1 : 0;
}

static void every_doubt_names_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(doubts); i++) {
		struct problems problems;
		lint(doubts[i].text, &problems);
		cleanup(free_ptr) char *all = joined(&problems);
		cleanup(free_ptr) char *place = xasprintf("p.yaml%s", doubts[i].place);
		if (problems.errors || problems.count != 1 + others(i) || !strstr(all, place) ||
			!strstr(all, doubts[i].words))
			fail_msg("%s: \"%s\" lacks \"%s\" or \"%s\", or holds more", doubts[i].what, all, place,
				doubts[i].words);
		problems_free(&problems);
	}
}

static void all_mistakes_are_told_at_once(void **state)
{
	(void)state;
	struct problems problems;
	lint("profile: a b\ntittle: P\nendpoints:\n  - {id: x, hots: h, port: 0x1ffff}\n"
		 "  - {id: y, host: h, port: 1, protocol: gopher}\n",
		&problems);
	cleanup(free_ptr) char *all = joined(&problems);
	static const char *const told[] = {":1: the key \"title\" is missing",
		":2: tittle: unknown key (did you mean \"title\"?)", ":4: endpoints[0].hots: unknown key",
		":4: endpoints[0]: the key \"host\" is missing", ":4: endpoints[0].port: a whole number",
		":5: endpoints[1].protocol: https or"};
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		if (!strstr(all, told[i]))
			fail_msg("\"%s\" lacks \"%s\"", all, told[i]);
	assert_int_equal(problems.errors, ARRAY_LEN(told));
	problems_free(&problems);

	lint("profile: a b\ntitle: P\nendpoints:\n  - {id: x, host: 'h/', port: 0}\n"
		 "  - {id: x, host: h, port: 1, ca: no.pem}\n",
		&problems);
	assert_int_equal(problems.errors, 5); /* two ids, host, port, CA */
	for (size_t i = 1; i < problems.count; i++)
		assert_true(problems.items[i - 1].line <= problems.items[i].line);
	problems_free(&problems);
}

static void what_is_no_yaml_is_one_error(void **state)
{
	(void)state;
	struct problems problems;
	lint("a: [\n", &problems);
	assert_int_equal(problems.count, 1);
	assert_int_equal(problems.errors, 1);
	assert_non_null(strstr(problems.items[0].text, "p.yaml:2: not valid YAML"));
	problems_free(&problems);
	problems = (struct problems){.items = NULL};
	profile_lint("/no/such.yaml", &problems);
	assert_non_null(strstr(problems.items[0].text, "No such file"));
	problems_free(&problems);
}

static void the_number_of_problems_is_bounded(void **state)
{
	(void)state;
	struct problems problems;
	struct buf text = {0};
	buf_puts(&text, "profile: p\ntitle: P\n");
	for (int i = 0; i < 500; i++)
		buf_printf(&text, "zzz%d: 1\n", i);
	lint(text.data, &problems);
	assert_int_equal(problems.count, PROBLEMS_MAX);
	problems_free(&problems);
	buf_free(&text);
}

/* Every profile that is shipped can be used, and a careful author has nothing to say about it. */
static void the_shipped_profiles_are_clean(void **state)
{
	(void)state;
	size_t count = 0;
	DIR *dir = opendir(SOURCE_ROOT "/profiles");
	struct dirent *file;
	assert_non_null(dir);
	while ((file = readdir(dir))) {
		if (!strstr(file->d_name, ".yaml"))
			continue;
		struct problems problems = {.items = NULL};
		cleanup(free_ptr) char *path = xasprintf("%s/profiles/%s", SOURCE_ROOT, file->d_name);
		profile_lint(path, &problems);
		cleanup(free_ptr) char *all = joined(&problems);
		if (problems.count)
			fail_msg("%s", all);
		problems_free(&problems);
		count++;
	}
	closedir(dir);
	assert_true(count >= 11);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_careful_profile_is_clean),
		TEST(every_doubt_names_its_place),
		TEST(all_mistakes_are_told_at_once),
		TEST(what_is_no_yaml_is_one_error),
		TEST(the_number_of_problems_is_bounded),
		cmocka_unit_test(the_shipped_profiles_are_clean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
