/* Rows R18 to R23: where proxy settings come from, how values are taken apart, what bypasses. */
#include "dial/proxy.h"
#include "dial/proxy_parts.h"

#include "base/file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "temporary_root.h"

#define FILE_PATH "/etc/sallyport/proxy.env"
#define MAX_ENV   12

static char root[ROOT_SIZE];

static void write_env_file(const char *text)
{
	cleanup(free_ptr) char *path = file_under(root, FILE_PATH);
	unlink(path);
	if (text)
		assert_int_equal(file_replace(path, text, strlen(text), 0600, NULL), 0);
}

static bool contains(const char *text, const char *part)
{
	return text && strstr(text, part);
}

static void assert_texts(const char *row, const char *got, const char *want)
{
	if ((!got) != (!want) || (got && strcmp(got, want) != 0))
		fail_msg("%s: got \"%s\", want \"%s\"", row, got ? got : "(null)", want ? want : "(null)");
}

/* --- one value ---------------------------------------------------------------------------- */

static const struct {
	const char *value;
	const char *url; /* NULL: invalid */
	const char *user, *password;
	const char *problem; /* part of the sentence */
} values[] = {
	/* R20: <ip>:<port> as the original page writes it, and the usual forms */
	{"10.0.0.9:3128", "http://10.0.0.9:3128", NULL, NULL, NULL},
	{"proxy.example:8080", "http://proxy.example:8080", NULL, NULL, NULL},
	{"http://10.0.0.9:3128", "http://10.0.0.9:3128", NULL, NULL, NULL},
	{"HTTP://Proxy.Example:3128/", "http://Proxy.Example:3128", NULL, NULL, NULL},
	{"https://proxy:443", "https://proxy:443", NULL, NULL, NULL},
	{"  10.0.0.9:3128\t", "http://10.0.0.9:3128", NULL, NULL, NULL},
	{"proxy_1.corp.:1", "http://proxy_1.corp.:1", NULL, NULL, NULL},
	{"proxy:65535", "http://proxy:65535", NULL, NULL, NULL},
	/* credentials in the URL, decoded, and pasted raw (R22) */
	{"http://joe:secret@proxy:3128", "http://proxy:3128", "joe", "secret", NULL},
	{"joe:secret@proxy:3128", "http://proxy:3128", "joe", "secret", NULL},
	{"http://joe@proxy:3128", "http://proxy:3128", "joe", "", NULL},
	{"http://@proxy:3128", "http://proxy:3128", NULL, NULL, NULL},
	{"http://joe:p%40%3A%2F%25@proxy:3128", "http://proxy:3128", "joe", "p@:/%", NULL},
	{"http://joe:p@ss@proxy:3128", "http://proxy:3128", "joe", "p@ss", NULL},
	{"http://joe:a/b:c?d#e@proxy:3128", "http://proxy:3128", "joe", "a/b:c?d#e", NULL},
	{"http://joe:://@proxy:3128", "http://proxy:3128", "joe", "://", NULL},
	{"http://j\xc3\xb6rg:gr\xc3\xbc\xc3\x9f@proxy:3128", "http://proxy:3128", "j\xc3\xb6rg",
		"gr\xc3\xbc\xc3\x9f", NULL},
	{"http://j%C3%B6rg:%c3%bc@proxy:3128", "http://proxy:3128", "j\xc3\xb6rg", "\xc3\xbc", NULL},
	{"http://CORP\\joe:pw@proxy:3128", "http://proxy:3128", "CORP\\joe", "pw", NULL},
	{"http://joe%40corp:pw@proxy:3128", "http://proxy:3128", "joe@corp", "pw", NULL},
	{"http://joe:p w@proxy:3128", "http://proxy:3128", "joe", "p w", NULL},
	/* what cannot be used */
	{"socks5://proxy:1080", NULL, NULL, NULL, "scheme is socks5://"},
	{"socks5h://joe:hunter2@proxy:1080", NULL, NULL, NULL, "scheme is socks5h://"},
	{"ftp://proxy:21", NULL, NULL, NULL, "scheme is ftp://"},
	{"averyveryverylongscheme://proxy:1", NULL, NULL, NULL, "scheme is averyveryverylon://"},
	{"proxy", NULL, NULL, NULL, "no port"},
	{"http://proxy", NULL, NULL, NULL, "no port"},
	{"http://proxy/", NULL, NULL, NULL, "no port"},
	{"http://proxy:", NULL, NULL, NULL, "no port"},
	{"10.0.0.9", NULL, NULL, NULL, "no port"},
	{"proxy:0", NULL, NULL, NULL, "port is not a number"},
	{"proxy:65536", NULL, NULL, NULL, "port is not a number"},
	{"proxy:99999999999999999999", NULL, NULL, NULL, "port is not a number"},
	{"proxy:-1", NULL, NULL, NULL, "port is not a number"},
	{"proxy:3128x", NULL, NULL, NULL, "port is not a number"},
	{"proxy:http", NULL, NULL, NULL, "port is not a number"},
	{"http://proxy:3128/path", NULL, NULL, NULL, "something follows its port"},
	{"http://:3128", NULL, NULL, NULL, "no host"},
	{"http://", NULL, NULL, NULL, "no host"},
	{"http://[2001:db8::1]:3128", NULL, NULL, NULL, "IPv6"},
	{"2001:db8::1", NULL, NULL, NULL, "IPv6"},
	{"10.0.0.300:3128", NULL, NULL, NULL, "neither a name nor an IPv4 address"},
	{"10.0.9:3128", NULL, NULL, NULL, "neither a name nor an IPv4 address"},
	{"pro xy:3128", NULL, NULL, NULL, "no host name has"},
	{"b\xc3\xbc"
	 "cher.example:3128",
		NULL, NULL, NULL, "xn--"},
	{"proxy..example:3128", NULL, NULL, NULL, "empty or too long"},
	{".example:3128", NULL, NULL, NULL, "empty or too long"},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example:3128", NULL, NULL,
		NULL, "empty or too long"},
	{"http://joe:100%@proxy:3128", NULL, NULL, NULL, "hexadecimal"},
	{"http://joe:%zz@proxy:3128", NULL, NULL, NULL, "hexadecimal"},
	{"http://joe:%4@proxy:3128", NULL, NULL, NULL, "hexadecimal"},
	{"http://joe:%00@proxy:3128", NULL, NULL, NULL, "NUL"},
	{"http://joe:%0d%0aX-Injected:1@proxy:3128", NULL, NULL, NULL, "control character"},
	{"http://proxy:3128\r\nX: y", NULL, NULL, NULL, "control character"},
	{"http://pro\x7fxy:3128", NULL, NULL, NULL, "control character"},
	{"http://j%3Aoe:pw@proxy:3128", NULL, NULL, NULL, "colon"},
	{"http://:hunter2@proxy:3128", NULL, NULL, NULL, "password without a user"},
};

static void value_is_taken_apart(void **state)
{
	(void)state;
	write_env_file(NULL);
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		cleanup(free_ptr) char *variable = xasprintf("HTTPS_PROXY=%s", values[i].value);
		char *env[] = {variable, NULL};
		struct proxy_settings settings;
		struct finding invalid = {.cause = CAUSE_NONE};
		int rc = proxy_settings_read(env, root, &settings, &invalid);
		cleanup(free_ptr) char *url = proxy_url(&settings);
		assert_texts(values[i].value, url, values[i].url);
		assert_int_equal(rc, values[i].url ? 0 : -1);
		assert_texts(values[i].value, settings.user, values[i].user);
		assert_texts(values[i].value, settings.password, values[i].password);
		if (rc) {
			const char *problem = evidence_get(&invalid.evidence, "problem");
			assert_int_equal(invalid.cause, CAUSE_PROXY_SETTINGS_INVALID);
			if (!contains(problem, values[i].problem))
				fail_msg("%s: %s", values[i].value, problem);
			assert_string_equal(evidence_get(&invalid.evidence, "variable"), "HTTPS_PROXY");
			assert_string_equal(evidence_get(&invalid.evidence, "origin"), "the environment");
		} else {
			assert_string_equal(settings.origin, "HTTPS_PROXY (environment)");
		}
		finding_free(&invalid);
		proxy_settings_free(&settings);
	}
}

/* A planted password appears in no finding, warning or URL, however the value is broken. */
static void secret_is_never_told(void **state)
{
	(void)state;
	static const char *const broken[] = {
		"http://joe:hunter2@proxy",
		"http://joe:hunter2@proxy:99999",
		"joe:hunter2",
		"http://joe:hunter2:proxy:3128",
		"http://proxy:hunter2",
		"http://joe:hunter2%@proxy:1",
		"http://joe:hunter2@pro xy:1",
		"http://joe:hunter2@[::1]:1",
		"http://joe:hunter2@proxy:1/x",
		"joe://hunter2@proxy:1",
		"http://:hunter2@proxy:1",
		"http://joe:1\n@proxy:1",
		"http://proxy:1/hunter2",
		"http://joe:hunter2@proxy:1",
	};
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		cleanup(free_ptr) char *upper = xasprintf("HTTPS_PROXY=%s", broken[i]);
		char lower[] = "https_PROXY=http://joe:hunter2@other:1";
		char *env[] = {upper, lower, NULL};
		struct proxy_settings settings;
		struct finding invalid = {.cause = CAUSE_NONE};
		proxy_settings_read(env, root, &settings, &invalid);
		for (size_t k = 0; k < invalid.evidence.count; k++)
			assert_false(contains(invalid.evidence.items[k].value, "hunter2"));
		for (size_t k = 0; k < settings.warning_count; k++)
			assert_false(contains(settings.warnings[k], "hunter2"));
		cleanup(free_ptr) char *url = proxy_url(&settings);
		assert_false(contains(url, "hunter2"));
		assert_false(contains(settings.origin, "hunter2"));
		finding_free(&invalid);
		proxy_settings_free(&settings);
	}
}

/* --- which of several --------------------------------------------------------------------- */

static const struct {
	const char *row;
	const char *env[MAX_ENV];
	const char *file; /* proxy.env, NULL for none */
	const char *url;  /* NULL: no proxy, or invalid */
	const char *origin;
	const char *user, *password, *credentials_origin;
	const char *warning;  /* part of one of the warnings; NULL: there is none */
	const char *variable; /* of the finding; NULL: valid */
} choices[] = {
	{.row = "nothing is set", .env = {"PATH=/bin"}},
	{.row = "R20 lower",
		.env = {"https_proxy=a:1"},
		.url = "http://a:1",
		.origin = "https_proxy (environment)"},
	{.row = "R20 mixed",
		.env = {"Https_Proxy=a:1"},
		.url = "http://a:1",
		.origin = "Https_Proxy (environment)"},
	{.row = "R20 odd mix",
		.env = {"hTtPs_PrOxY=a:1"},
		.url = "http://a:1",
		.origin = "hTtPs_PrOxY (environment)"},
	{.row = "R20 lower beats upper",
		.env = {"HTTPS_PROXY=u:1", "https_proxy=l:1"},
		.url = "http://l:1",
		.origin = "https_proxy (environment)",
		.warning = "HTTPS_PROXY (environment) differs and loses to https_proxy (environment)"},
	{.row = "R20 upper beats mixed",
		.env = {"Https_Proxy=m:1", "HTTPS_PROXY=u:1"},
		.url = "http://u:1",
		.origin = "HTTPS_PROXY (environment)",
		.warning = "Https_Proxy (environment) differs and loses to HTTPS_PROXY (environment)"},
	{.row = "R20 mixes in byte order",
		.env = {"https_Proxy=b:1", "Https_proxy=a:1"},
		.url = "http://a:1",
		.origin = "Https_proxy (environment)",
		.warning = "https_Proxy (environment) differs and loses to Https_proxy (environment)"},
	{.row = "R20 same value, no warning",
		.env = {"HTTPS_PROXY=a:1", "https_proxy=a:1"},
		.url = "http://a:1",
		.origin = "https_proxy (environment)"},
	{.row = "empty is unset",
		.env = {"https_proxy=", "HTTPS_PROXY=a:1"},
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)"},
	{.row = "all empty", .env = {"https_proxy=", "HTTPS_PROXY="}},
	{.row = "longer names do not match", .env = {"HTTPS_PROXY_URL=a:1", "MY_HTTPS_PROXY=a:1"}},
	{.row = "the first of a repeated name, as getenv",
		.env = {"HTTPS_PROXY=a:1", "HTTPS_PROXY=b:1"},
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)"},
	{.row = "HTTPS_PROXY beats ALL_PROXY",
		.env = {"all_proxy=b:1", "HTTPS_PROXY=a:1"},
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)"},
	{.row = "ALL_PROXY alone",
		.env = {"ALL_PROXY=b:1"},
		.url = "http://b:1",
		.origin = "ALL_PROXY (environment)"},
	{.row = "ALL_PROXY with socks is named, not skipped",
		.env = {"ALL_PROXY=socks5://b:1"},
		.variable = "ALL_PROXY"},
	{.row = "HTTP_PROXY alone is not it",
		.env = {"http_proxy=a:1"},
		.warning = "http_proxy is not used"},
	{.row = "R22 the file alone",
		.env = {"PATH=/bin"},
		.file = "HTTPS_PROXY=f:1\n",
		.url = "http://f:1",
		.origin = "HTTPS_PROXY (FILE)"},
	{.row = "the environment beats the file",
		.env = {"HTTPS_PROXY=e:1"},
		.file = "https_proxy=f:1\n",
		.url = "http://e:1",
		.origin = "HTTPS_PROXY (environment)",
		.warning = "https_proxy (FILE) differs and loses to HTTPS_PROXY (environment)"},
	{.row = "ALL_PROXY there beats the file too",
		.env = {"ALL_PROXY=e:1"},
		.file = "https_proxy=f:1\n",
		.url = "http://e:1",
		.origin = "ALL_PROXY (environment)",
		.warning = "https_proxy (FILE) differs and loses to ALL_PROXY (environment)"},
	{.row = "an empty one there does not hide the file",
		.env = {"HTTPS_PROXY="},
		.file = "HTTPS_PROXY=f:1\n",
		.url = "http://f:1",
		.origin = "HTTPS_PROXY (FILE)"},
	{.row = "R22 the two variables",
		.env = {"HTTPS_PROXY=a:1", "HTTPS_PROXY_USERNAME=joe", "HTTPS_PROXY_PASSWORD=p%41:@/"},
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)",
		.user = "joe",
		.password = "p%41:@/",
		.credentials_origin = "HTTPS_PROXY_USERNAME (environment)"},
	{.row = "R20 the two in any case",
		.env = {"https_proxy=a:1", "Https_Proxy_Username=joe", "https_proxy_password=pw"},
		.url = "http://a:1",
		.origin = "https_proxy (environment)",
		.user = "joe",
		.password = "pw",
		.credentials_origin = "Https_Proxy_Username (environment)"},
	{.row = "the two beat the URL",
		.env = {"HTTPS_PROXY=http://url:u@a:1", "HTTPS_PROXY_USERNAME=joe",
			"HTTPS_PROXY_PASSWORD=pw"},
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)",
		.user = "joe",
		.password = "pw",
		.credentials_origin = "HTTPS_PROXY_USERNAME (environment)"},
	{.row = "credentials of the URL",
		.env = {"HTTPS_PROXY=http://url:u@a:1"},
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)",
		.user = "url",
		.password = "u",
		.credentials_origin = "HTTPS_PROXY (environment)"},
	{.row = "a password for the URL's user",
		.env = {"HTTPS_PROXY=http://url@a:1", "HTTPS_PROXY_PASSWORD=pw"},
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)",
		.user = "url",
		.password = "pw",
		.credentials_origin = "HTTPS_PROXY_PASSWORD (environment)"},
	{.row = "the URL's password is not another user's",
		.env = {"HTTPS_PROXY=http://url:u@a:1", "HTTPS_PROXY_USERNAME=joe"},
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)",
		.user = "joe",
		.password = "",
		.credentials_origin = "HTTPS_PROXY_USERNAME (environment)"},
	{.row = "the same user named twice keeps it",
		.env = {"HTTPS_PROXY=http://joe:u@a:1", "HTTPS_PROXY_USERNAME=joe"},
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)",
		.user = "joe",
		.password = "u",
		.credentials_origin = "HTTPS_PROXY_USERNAME (environment)"},
	{.row = "a password alone",
		.env = {"HTTPS_PROXY=a:1", "HTTPS_PROXY_PASSWORD=pw"},
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)",
		.warning = "HTTPS_PROXY_PASSWORD is set without HTTPS_PROXY_USERNAME"},
	{.row = "proxy from there, credentials from the file",
		.env = {"HTTPS_PROXY=a:1"},
		.file = "HTTPS_PROXY_USERNAME=joe\nHTTPS_PROXY_PASSWORD=pw\n",
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)",
		.user = "joe",
		.password = "pw",
		.credentials_origin = "HTTPS_PROXY_USERNAME (FILE)"},
	{.row = "the file's password is not sent for another user",
		.env = {"HTTPS_PROXY=a:1", "HTTPS_PROXY_USERNAME=ann"},
		.file = "HTTPS_PROXY_USERNAME=joe\nHTTPS_PROXY_PASSWORD=pw\n",
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)",
		.user = "ann",
		.password = "",
		.credentials_origin = "HTTPS_PROXY_USERNAME (environment)",
		.warning = "HTTPS_PROXY_USERNAME (FILE) differs and loses"},
	{.row = "a user there, its password in the file",
		.env = {"HTTPS_PROXY=a:1", "HTTPS_PROXY_USERNAME=ann"},
		.file = "HTTPS_PROXY_PASSWORD=pw\n",
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)",
		.user = "ann",
		.password = "pw",
		.credentials_origin = "HTTPS_PROXY_USERNAME (environment)"},
	{.row = "a colon in the user",
		.env = {"HTTPS_PROXY=a:1", "HTTPS_PROXY_USERNAME=a:b", "HTTPS_PROXY_PASSWORD=pw"},
		.variable = "HTTPS_PROXY_USERNAME"},
	{.row = "a line break in the password",
		.env = {"HTTPS_PROXY=a:1", "HTTPS_PROXY_USERNAME=ab", "HTTPS_PROXY_PASSWORD=p\r\nX: y"},
		.variable = "HTTPS_PROXY_USERNAME"},
	{.row = "the loser's fault does not matter",
		.env = {"HTTPS_PROXY=socks5://b:1", "https_proxy=a:1"},
		.url = "http://a:1",
		.origin = "https_proxy (environment)",
		.warning = "HTTPS_PROXY (environment) differs"},
	{.row = "an invalid winner is not passed over",
		.env = {"HTTPS_PROXY=a:1", "https_proxy=b"},
		.variable = "https_proxy"},
	{.row = "nor for the file",
		.env = {"HTTPS_PROXY=a"},
		.file = "HTTPS_PROXY=f:1\n",
		.variable = "HTTPS_PROXY"},
	{.row = "a broken file that is needed",
		.env = {"PATH=/bin"},
		.file = "# x\n\nHTTPS_PROXY\n",
		.variable = "file FILE"},
	{.row = "a broken file that is not",
		.env = {"HTTPS_PROXY=a:1"},
		.file = "HTTPS_PROXY\n",
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)",
		.warning = "FILE was passed over: line 1 is not of the form NAME=value"},
	{.row = "an entry that matches nothing",
		.env = {"HTTPS_PROXY=a:1", "NO_PROXY=10.0.0.0/33"},
		.url = "http://a:1",
		.origin = "HTTPS_PROXY (environment)",
		.warning = "\"10.0.0.0/33\" of NO_PROXY (environment)"},
};

/* "FILE" in a row stands for the path of the environment file. */
static char *with_path(const char *text)
{
	const char *at = text ? strstr(text, "FILE") : NULL;
	if (!at)
		return xstrdup(text);
	return xasprintf("%.*s%s%s%s", (int)(at - text), text, root, FILE_PATH, at + 4);
}

static void choice_is_as_documented(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		struct proxy_settings settings;
		struct finding invalid = {.cause = CAUSE_NONE};
		write_env_file(choices[i].file);
		int rc = proxy_settings_read((char *const *)choices[i].env, root, &settings, &invalid);
		cleanup(free_ptr) char *url = proxy_url(&settings);
		cleanup(free_ptr) char *origin = with_path(choices[i].origin);
		cleanup(free_ptr) char *credentials = with_path(choices[i].credentials_origin);
		cleanup(free_ptr) char *warning = with_path(choices[i].warning);
		cleanup(free_ptr) char *variable = with_path(choices[i].variable);
		assert_texts(choices[i].row, url, choices[i].url);
		assert_texts(choices[i].row, settings.origin, origin);
		assert_texts(choices[i].row, settings.user, choices[i].user);
		assert_texts(choices[i].row, settings.password, choices[i].password);
		assert_texts(choices[i].row, settings.credentials_origin, credentials);
		assert_texts(choices[i].row, evidence_get(&invalid.evidence, "variable"), variable);
		assert_int_equal(rc, variable ? -1 : 0);
		bool told = !warning;
		for (size_t k = 0; k < settings.warning_count; k++)
			told = told || contains(settings.warnings[k], warning);
		if (!told || (!warning && settings.warning_count))
			fail_msg("%s: warning \"%s\"", choices[i].row,
				settings.warning_count ? settings.warnings[0] : "(none)");
		finding_free(&invalid);
		proxy_settings_free(&settings);
	}
}

/* --- the environment file ----------------------------------------------------------------- */

static const struct {
	const char *text;
	const char *list[4];
	const char *problem;
} files[] = {
	{"", {NULL}, NULL},
	{"A=1\nB=2", {"A=1", "B=2"}, NULL},
	{"# c\n; c\n\n  \t\nA=1\n", {"A=1"}, NULL},
	{"A=1 # no comment\n", {"A=1 # no comment"}, NULL},
	{"  A =  1  \n", {"A=1"}, NULL},
	{"A=\nB=\"\"\n", {"A=", "B="}, NULL},
	{"export A=1\nexport\tB=2\n", {"A=1", "B=2"}, NULL},
	{"export=1\n", {"export=1"}, NULL},
	{"A='a \"b\" \\ $c '\n", {"A=a \"b\" \\ $c "}, NULL},
	{"A=\"a 'b' \\\" \\\\ \\$ \\` \\n \"\n", {"A=a 'b' \" \\ $ ` \\n "}, NULL},
	{"A=a\\ b\\\"c\n", {"A=a b\"c"}, NULL},
	{"A=a\\  \n", {"A=a "}, NULL},
	{"A=x'y z'\"w\" v\n", {"A=xy zw v"}, NULL},
	{"A=one\\\ntwo\nB=3\n", {"A=onetwo", "B=3"}, NULL},
	{"A=\"one\\\ntwo\"\n", {"A=onetwo"}, NULL},
	{"A=1\r\nB='2'\r\n", {"A=1", "B=2"}, NULL},
	{"A=1\nA=2\n", {"A=2"}, NULL},
	{"A=a=b=c\n", {"A=a=b=c"}, NULL},
	{"A=1\\", {"A=1"}, NULL},
	{"A=1\nB\n", {NULL}, "line 2 is not of the form"},
	{"A=1\n\n=2\n", {NULL}, "line 3 has no name"},
	{"1A=2\n", {NULL}, "line 1 has no name"},
	{"A B=2\n", {NULL}, "line 1 is not of the form"},
	{"A='x\nB=2\n", {NULL}, "line 1 has a ' that is not closed"},
	{"A=1\nB=\"x\nC=2\n", {NULL}, "line 2 has a \" that is not closed"},
	{"A=\"x\\\ny\n", {NULL}, "line 1 has a \" that is not closed"},
	{"A=x\\\ny\n?\n", {NULL}, "line 3 is not of the form"},
	{"https_proxy: a:1\n", {NULL}, "line 1 is not of the form"},
};

static void env_file_is_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct proxy_env env;
		struct err problem = {.text = ""};
		int rc = proxy_env_parse(files[i].text, &env, &problem);
		assert_int_equal(rc, files[i].problem ? -1 : 0);
		if (files[i].problem && !contains(problem.text, files[i].problem))
			fail_msg("%s: %s", files[i].text, problem.text);
		size_t count = 0;
		for (; count < ARRAY_LEN(files[i].list) && files[i].list[count]; count++)
			assert_texts(
				files[i].text, env.count > count ? env.list[count] : NULL, files[i].list[count]);
		assert_int_equal(env.count, count);
		proxy_env_wipe(&env);
	}
}

static void env_file_is_bounded(void **state)
{
	(void)state;
	static char big[80 * 1024];
	memset(big, '#', sizeof big - 1);
	write_env_file(big);
	cleanup(free_ptr) char *path = file_under(root, FILE_PATH);
	struct proxy_env env;
	struct err problem;
	assert_int_equal(proxy_env_read(path, &env, &problem), -1);
	assert_non_null(strstr(problem.text, "larger than 64 KiB"));
	write_env_file("A=\"1\n");
	errno = ENOENT;
	assert_int_equal(proxy_env_read(path, &env, &problem), -1);
	assert_int_not_equal(errno, ENOENT);
	write_env_file(NULL);
	assert_int_equal(proxy_env_read(path, &env, &problem), -1);
	assert_int_equal(errno, ENOENT);
	cleanup(buf_free) struct buf many = {0};
	for (unsigned k = 0; k < 300; k++)
		buf_printf(&many, "V%u=1\n", k);
	assert_int_equal(proxy_env_parse(many.data, &env, &problem), -1);
	assert_non_null(strstr(problem.text, "one variable too many"));
	buf_free(&many);
	buf_puts(&many, "A=");
	for (unsigned k = 0; k < 5000; k++)
		buf_puts(&many, "xxxx");
	assert_int_equal(proxy_env_parse(many.data, &env, &problem), -1);
	assert_non_null(strstr(problem.text, "too long"));
}

static void long_values_are_refused(void **state)
{
	(void)state;
	write_env_file(NULL);
	cleanup(buf_free) struct buf value = {0};
	buf_puts(&value, "HTTPS_PROXY=http://joe:");
	for (unsigned k = 0; k < 1025; k++)
		buf_puts(&value, "x");
	buf_puts(&value, "@proxy:1");
	char *env[] = {value.data, NULL};
	struct proxy_settings settings;
	struct finding invalid = {.cause = CAUSE_NONE};
	assert_int_equal(proxy_settings_read(env, root, &settings, &invalid), -1);
	assert_non_null(strstr(evidence_get(&invalid.evidence, "problem"), "longer than 1024"));
	finding_free(&invalid);
	for (unsigned k = 0; k < 4000; k++)
		buf_puts(&value, "x");
	env[0] = value.data;
	assert_int_equal(proxy_settings_read(env, root, &settings, &invalid), -1);
	assert_non_null(strstr(evidence_get(&invalid.evidence, "problem"), "longer than 4096"));
	finding_free(&invalid);
}

/* --- NO_PROXY ------------------------------------------------------------------------------ */

static const struct {
	const char *list, *host;
	uint16_t port;
	const char *entry; /* the one that matches, NULL for none */
} bypasses[] = {
	{"*", "hub.example.com", 443, "*"},
	{"example.com", "example.com", 443, "example.com"},
	{"example.com", "hub.example.com", 443, "example.com"},
	{"example.com", "notexample.com", 443, NULL},
	{"example.com", "example.com.evil", 443, NULL},
	{"EXAMPLE.com", "Hub.Example.COM", 443, "EXAMPLE.com"},
	{".example.com", "example.com", 443, NULL},
	{".example.com", "hub.example.com", 443, ".example.com"},
	{"*.example.com", "hub.example.com", 443, "*.example.com"},
	{"*.example.com", "example.com", 443, NULL},
	{"*.example.com", "a.b.example.com", 443, "*.example.com"},
	{"example.com.", "hub.example.com", 443, "example.com."},
	{"example.com", "hub.example.com.", 443, "example.com"},
	{"localhost,127.0.0.1", "127.0.0.1", 443, "127.0.0.1"},
	{"localhost, 127.0.0.1 ,hub", "hub", 443, "hub"},
	{"a b\tc", "b", 443, "b"},
	{"a;;,, b", "b", 443, "b"},
	{"10.0.0.0/8", "10.9.8.7", 443, "10.0.0.0/8"},
	{"10.1.2.3/8", "10.9.8.7", 443, "10.1.2.3/8"},
	{"10.0.0.0/8", "11.0.0.1", 443, NULL},
	{"192.168.4.0/22", "192.168.7.255", 443, "192.168.4.0/22"},
	{"192.168.4.0/22", "192.168.8.0", 443, NULL},
	{"10.0.0.1/32", "10.0.0.1", 443, "10.0.0.1/32"},
	{"10.0.0.1/32", "10.0.0.2", 443, NULL},
	{"0.0.0.0/0", "203.0.113.9", 443, "0.0.0.0/0"},
	{"0.0.0.0/0", "hub.example.com", 443, NULL},
	{"10.0.0.0/8", "10.example.com", 443, NULL},
	{"0.0.1", "10.0.0.1", 443, NULL},
	{"10.0.0.0/33", "10.0.0.0", 443, NULL},
	{"10.0.0.0/", "10.0.0.0", 443, NULL},
	{"example.com:8443", "hub.example.com", 8443, "example.com:8443"},
	{"example.com:8443", "hub.example.com", 443, NULL},
	{"10.0.0.0/8:443", "10.0.0.1", 443, "10.0.0.0/8:443"},
	{"10.0.0.1:443", "10.0.0.1", 443, "10.0.0.1:443"},
	{"10.0.0.1:443", "10.0.0.1", 80, NULL},
	{"example.com:99999", "example.com", 443, NULL},
	{"[::1],::1,2001:db8::/32", "example.com", 443, NULL},
	{"exa*le.com", "example.com", 443, NULL},
	{"", "example.com", 443, NULL},
	{",", "example.com", 443, NULL},
	{"x,example.com,*", "example.com", 443, "example.com"},
};

static void bypass_matches_as_documented(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bypasses); i++) {
		cleanup(free_ptr) char *list = xstrdup(bypasses[i].list);
		struct proxy_settings settings = {.set = true, .no_proxy = list};
		char entry[256];
		const char *got = proxy_bypass(&settings, bypasses[i].host, bypasses[i].port, entry);
		if (got)
			assert_ptr_equal(got, entry);
		assert_texts(bypasses[i].list, got, bypasses[i].entry);
	}
	char entry[256];
	struct proxy_settings none = {.set = false};
	assert_null(proxy_bypass(&none, "a", 443, entry));
}

static void bypass_entry_too_long_is_passed_over(void **state)
{
	(void)state;
	char list[600];
	memset(list, 'a', sizeof list);
	memcpy(list + sizeof list - 5, ",hub", 5);
	struct proxy_settings settings = {.set = true, .no_proxy = list};
	char entry[256];
	assert_string_equal(proxy_bypass(&settings, "hub", 443, entry), "hub");
}

static int make_root(void **state)
{
	(void)state;
	if (root_make(root))
		return -1;
	cleanup(free_ptr) char *folder = file_under(root, "/etc/sallyport");
	return file_make_dirs(folder, 0755, NULL);
}

static int remove_root(void **state)
{
	(void)state;
	return root_remove(root);
}

/* --- proxies that are named besides the one in use ------------------------------------------- */

static const struct {
	const char *row;
	const char *environment[5];
	const char *file, *system_file;
	const char *others; /* "URL from ORIGIN; ..." without the folder of the test */
} named[] = {
	{"nothing", {NULL}, NULL, NULL, ""},
	{"the one in use is no other", {"HTTPS_PROXY=http://10.0.0.1:1"}, NULL, NULL, ""},
	{"the same in the file", {"HTTPS_PROXY=http://10.0.0.1:1"}, "https_proxy=10.0.0.1:1\n", NULL,
		""},
	{"HTTP_PROXY alone", {"http_proxy=http://10.0.0.2:1"}, NULL, NULL,
		"http://10.0.0.2:1 from http_proxy (environment); "},
	{"a spelling that lost", {"https_proxy=http://10.0.0.1:1", "Https_Proxy=http://10.0.0.3:1"},
		NULL, NULL, "http://10.0.0.3:1 from Https_Proxy (environment); "},
	{"ALL_PROXY beside it", {"HTTPS_PROXY=10.0.0.1:1", "ALL_PROXY=10.0.0.4:1"}, NULL, NULL,
		"http://10.0.0.4:1 from ALL_PROXY (environment); "},
	{"the service's file", {"HTTPS_PROXY=10.0.0.1:1"}, "HTTPS_PROXY=10.0.0.5:1\n", NULL,
		"http://10.0.0.5:1 from HTTPS_PROXY (/etc/sallyport/proxy.env); "},
	{"other credentials are another proxy", {"HTTPS_PROXY=10.0.0.1:1"},
		"HTTPS_PROXY=u:p@10.0.0.1:1\n", NULL,
		"http://10.0.0.1:1 from HTTPS_PROXY (/etc/sallyport/proxy.env); "},
	{"the system's file", {NULL}, NULL, "PATH=/bin\nhttps_proxy=\"http://10.0.0.6:1/\"\n",
		"http://10.0.0.6:1 from https_proxy (/etc/environment); "},
	{"each once", {"HTTP_PROXY=10.0.0.2:1", "http_proxy=10.0.0.2:1"}, NULL,
		"HTTPS_PROXY=10.0.0.2:1\n", "http://10.0.0.2:1 from HTTP_PROXY (environment); "},
	{"what cannot be used is passed over", {"HTTP_PROXY=socks5://10.0.0.2:1"}, NULL,
		"no assignment\n", ""},
};

static void other_proxies_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		struct proxy_settings settings, others[PROXY_MAX_OTHERS];
		struct finding invalid = {.cause = CAUSE_NONE};
		struct buf got = {0};
		cleanup(free_ptr) char *system = file_under(root, "/etc/environment");
		write_env_file(named[i].file);
		unlink(system);
		if (named[i].system_file)
			assert_int_equal(file_replace(system, named[i].system_file,
								 strlen(named[i].system_file), 0644, NULL),
				0);
		char *const *list = (char *const *)named[i].environment;
		assert_int_equal(proxy_settings_read(list, root, &settings, &invalid), 0);
		size_t count = proxy_settings_others(list, root, &settings, others);
		for (size_t n = 0; n < count; n++) {
			cleanup(free_ptr) char *url = proxy_url(&others[n]);
			char *below = strstr(others[n].origin, root);
			if (below)
				memmove(below, below + strlen(root), strlen(below + strlen(root)) + 1);
			buf_printf(&got, "%s from %s; ", url, others[n].origin);
			proxy_settings_free(&others[n]);
		}
		assert_texts(named[i].row, buf_text(&got), named[i].others);
		buf_free(&got);
		proxy_settings_free(&settings);
		unlink(system);
	}
	write_env_file(NULL);
}

/* R22: what the service has is its file, whatever this process's environment says. */
static void the_service_has_its_file(void **state)
{
	(void)state;
	struct proxy_settings settings;
	struct finding invalid = {.cause = CAUSE_NONE};
	write_env_file("HTTPS_PROXY=10.0.0.5:1\n");
	assert_int_equal(setenv("HTTPS_PROXY", "http://10.0.0.1:1", 1), 0);
	assert_int_equal(proxy_settings_of_service(root, &settings, &invalid), 0);
	unsetenv("HTTPS_PROXY");
	assert_string_equal(settings.host, "10.0.0.5");
	proxy_settings_free(&settings);
	write_env_file(NULL);
	assert_int_equal(proxy_settings_of_service(root, &settings, &invalid), 0);
	assert_false(settings.set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_is_taken_apart),
		cmocka_unit_test(secret_is_never_told),
		cmocka_unit_test(choice_is_as_documented),
		cmocka_unit_test(env_file_is_parsed),
		cmocka_unit_test(env_file_is_bounded),
		cmocka_unit_test(long_values_are_refused),
		cmocka_unit_test(other_proxies_are_found),
		cmocka_unit_test(the_service_has_its_file),
		cmocka_unit_test(bypass_matches_as_documented),
		cmocka_unit_test(bypass_entry_too_long_is_passed_over),
	};
	return cmocka_run_group_tests(tests, make_root, remove_root);
}
