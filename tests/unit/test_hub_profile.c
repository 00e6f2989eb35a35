/* The profile that is made of a hub's discovery document (rows B1, S6). */
#include "base/json.h"
#include "wire/hub_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define ROLES(console, discovery, session, upload)                                                 \
	"{\"endpoints\":{\"console\":\"" console "\",\"discovery\":\"" discovery                       \
	"\",\"session\":\"" session "\",\"upload\":\"" upload "\"}"
#define ONE                                                                                        \
	ROLES("https://Hub.example:8443/", "https://hub.example:8443/x", "wss://hub.example:8443",     \
		"https://hub.example:8443/v1")

static int write_of(const char *document, struct buf *out, struct err *err)
{
	cleanup(json_drop) json_t *parsed = json_parse(document, strlen(document), NULL);
	*out = (struct buf){0};
	return hub_profile_write(parsed, "A remark.", 1795305600, out, err);
}

static size_t count(const char *text, const char *word)
{
	size_t found = 0;
	for (; (text = strstr(text, word)); text++)
		found++;
	return found;
}

static void roles_at_one_place_are_one_endpoint(void **state)
{
	(void)state;
	struct buf text;
	struct err err = {""};
	assert_int_equal(write_of(ONE "}", &text, &err), 0);
	assert_int_equal(count(text.data, "  - id: "), 1);
	assert_non_null(
		strstr(text.data, "  - id: console\n    host: \"hub.example\"\n    port: 8443\n"));
	assert_non_null(strstr(text.data, "purpose: console, discovery, session and upload\n"));
	assert_non_null(strstr(text.data, "marker: {path: /.well-known/sallyport, status: 200"));
	assert_non_null(strstr(text.data, "# A remark.\n"));
	assert_non_null(strstr(text.data, "read: 2026-11-22}"));
	assert_null(strstr(text.data, "ca:"));
	assert_null(strstr(text.data, "Fingerprint"));
	buf_free(&text);
}

static void roles_at_several_places_are_several(void **state)
{
	(void)state;
	struct buf text;
	struct err err = {""};
	assert_int_equal(write_of(ROLES("https://a.example", "https://b.example:444/",
								  "wss://a.example/s", "https://192.0.2.7/") "}",
						 &text, &err),
		0);
	assert_int_equal(count(text.data, "  - id: "), 3);
	assert_non_null(strstr(text.data, "purpose: console and session\n"));
	assert_non_null(strstr(text.data, "purpose: discovery\n"));
	assert_int_equal(count(text.data, "marker:"), 1);
	assert_int_equal(count(text.data, "WebSocket"), 1);
	buf_free(&text);
}

static void ca_and_fingerprint_go_along(void **state)
{
	(void)state;
	struct buf text;
	struct err err = {""};
	assert_int_equal(
		write_of(ONE ",\"identity\":{\"fingerprint\":\"SHA256:a+/=\"},\"private_ca\":"
					 "\"-----BEGIN CERTIFICATE-----\\nAA==\\n-----END CERTIFICATE-----\\n\"}",
			&text, &err),
		0);
	assert_non_null(strstr(text.data, "# Fingerprint of its identity key: SHA256:a+/=\n"));
	assert_non_null(
		strstr(text.data, "    ca: |\n      -----BEGIN CERTIFICATE-----\n      AA==\n"));
	buf_free(&text);
}

static const struct {
	const char *what, *document, *words;
} refused[] = {
	{"nothing", "{}", "no address for the role \"console\""},
	{"no URL", ROLES("hub", "hub", "hub", "hub") "}", "\"console\""},
	{"another scheme", ROLES("http://hub/", "", "", "") "}", "\"console\""},
	{"empty host", ROLES("https:///", "", "", "") "}", "\"console\""},
	{"empty label", ROLES("https://a..b/", "", "", "") "}", "\"console\""},
	{"port 0", ROLES("https://a:0/", "", "", "") "}", "\"console\""},
	{"port too large", ROLES("https://a:65536/", "", "", "") "}", "\"console\""},
	{"port with a tail", ROLES("https://a:1x/", "", "", "") "}", "\"console\""},
	{"user in the URL", ROLES("https://u@a/", "", "", "") "}", "\"console\""},
	{"a line break", ROLES("https://a\\nb: c/", "", "", "") "}", "\"console\""},
	{"only the last is wrong", ROLES("https://a/", "https://a/", "wss://a/", "ftp://a/") "}",
		"\"upload\""},
	{"no PEM", ONE ",\"private_ca\":\"hello\"}", "no PEM"},
	{"PEM and more", ONE ",\"private_ca\":\"-----BEGIN CERTIFICATE-----\\nAA==\\nproxy: {}\\n\"}",
		"no PEM"},
};

static void what_is_no_document_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct buf text;
		struct err err = {""};
		if (write_of(refused[i].document, &text, &err) != -1 || text.len ||
			!strstr(err.text, refused[i].words))
			fail_msg("%s: \"%s\" lacks \"%s\"", refused[i].what, err.text, refused[i].words);
		buf_free(&text);
	}
}

static void a_fingerprint_that_is_none_is_left_out(void **state)
{
	(void)state;
	struct buf text;
	struct err err = {""};
	assert_int_equal(
		write_of(ONE ",\"identity\":{\"fingerprint\":\"a\\nprofile: evil\"}}", &text, &err), 0);
	assert_null(strstr(text.data, "evil"));
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roles_at_one_place_are_one_endpoint),
		cmocka_unit_test(roles_at_several_places_are_several),
		cmocka_unit_test(ca_and_fingerprint_go_along),
		cmocka_unit_test(what_is_no_document_is_refused),
		cmocka_unit_test(a_fingerprint_that_is_none_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
