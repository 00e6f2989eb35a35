/* Profiles (row B1): what is right is read whole, what is wrong says file, line, key and remedy. */
#include "profile/profile.h"
#include "base/suggest.h"
#include "base/yaml_map.h"
#include "base/file.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/sallyport-profile-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
	(void)st;
	(void)type;
	(void)place;
	return remove(path);
}

static int remove_folder(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static char *write_file(const char *name, const char *data, size_t len)
{
	char *path = xasprintf("%s/%s", folder, name);
	struct err err;
	cleanup(free_ptr) char *parent = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	assert_int_equal(file_make_dirs(parent, 0755, &err), 0);
	assert_int_equal(file_replace(path, data, len, 0644, &err), 0);
	return path;
}

static struct profile *load(const char *text, struct err *err)
{
	cleanup(free_ptr) char *path = write_file("p.yaml", text, strlen(text));
	return profile_load(path, err);
}

#define HEAD  "profile: a\ntitle: A\n"
#define ENTRY "  - id: x\n    host: h.example\n    port: 443\n"
#define LIST  HEAD "endpoints:\n" ENTRY

/* --- what is wrong -------------------------------------------------------------------------- */

/* The message holds `place` (line and key) and `words`. */
static const struct {
	const char *what, *text, *place, *words;
} mistakes[] = {
	{"empty file", "", ":1: ", "the file is empty"},
	{"comment alone", "# nothing\n", ":1: ", "the file is empty"},
	{"no mapping", "- a\n", ":1: ", "a mapping (key: value) was expected, not a list"},
	{"unknown key at the top", HEAD "tittle: b\n", ":3: tittle: ", "did you mean \"title\"?"},
	{"unknown key of an endpoint", LIST "    purpos: b\n",
		":7: endpoints[0].purpos: ", "did you mean \"purpose\"?"},
	{"unknown key, nothing near", LIST "    zzz: b\n",
		":7: endpoints[0].zzz: ", "the keys here are: id, host, port"},
	{"missing title", "profile: a\n", ":1: ", "the key \"title\" is missing"},
	{"missing title after a mapping", "profile: a\nproxy: {inspection: forbidden}\n",
		":1: ", "the key \"title\" is missing"},
	{"missing host", HEAD "endpoints:\n  - port: 443\n    id: x\n",
		":4: endpoints[0]: ", "the key \"host\" is missing"},
	{"missing host of the second", LIST "  - id: y\n    port: 443\n    marker:\n      path: /\n",
		":7: endpoints[1]: ", "the key \"host\" is missing"},
	{"missing port", HEAD "endpoints:\n  - {id: x, host: h}\n",
		":4: endpoints[0]: ", "the key \"port\" is missing"},
	{"host without a value", HEAD "endpoints:\n  - id: x\n    host:\n    port: 1\n",
		":5: endpoints[0].host: ", "no value; a text"},
	{"port too large", HEAD "endpoints:\n  - id: x\n    host: h\n    port: 65536\n",
		":6: endpoints[0].port: ", "from 1 to 65535 was expected, not \"65536\""},
	{"port 0", HEAD "endpoints:\n  - id: x\n    host: h\n    port: 0\n",
		":6: endpoints[0].port: ", "from 1 to 65535"},
	{"negative port", HEAD "endpoints:\n  - id: x\n    host: h\n    port: -1\n",
		":6: endpoints[0].port: ", "from 1 to 65535"},
	{"port is a word", HEAD "endpoints:\n  - id: x\n    host: h\n    port: https\n",
		":6: endpoints[0].port: ", "not \"https\""},
	{"port is a list", HEAD "endpoints:\n  - id: x\n    host: h\n    port: [1]\n",
		":6: endpoints[0].port: ", "not a list"},
	{"port 0 of inbound", HEAD "inbound:\n  - {port: 22}\n  - {port: 0}\n",
		":5: inbound[1].port: ", "from 1 to 65535"},
	{"endpoints is a word", HEAD "endpoints: none\n",
		":3: endpoints: ", "a list [...] of at most 256"},
	{"an endpoint is a word", HEAD "endpoints:\n  - h.example\n",
		":4: endpoints[0]: ", "a mapping (key: value) was expected, not \"h.example\""},
	{"title is a list", "profile: a\ntitle: [b]\n", ":2: title: ", "a text of 1 to 300 bytes"},
	{"unknown protocol", LIST "    protocol: ftp\n", ":7: endpoints[0].protocol: ",
		"https or tls or tcp or http or udp was expected, not \"ftp\""},
	{"unknown wish", HEAD "addressing: {ipv4: static}\n",
		":3: addressing.ipv4: ", "dhcp or any was expected, not \"static\""},
	{"enum by number", HEAD "internet: 4\n", ":3: internet: ", "required or any"},
	{"required is neither", LIST "    required: maybe\n",
		":7: endpoints[0].required: ", "true or false was expected"},
	{"unknown authentication", HEAD "proxy: {auth: [none, ntlm]}\n",
		":3: proxy.auth: ", "none or basic was expected, not \"ntlm\""},
	{"authentication is no list", HEAD "proxy: {auth: basic}\n", ":3: proxy.auth: ", "a list"},
	{"unknown section", HEAD "sections:\n  dns.internal: {row: R8}\n",
		":4: sections.dns.internal: ", "did you mean \"dns.external\"?"},
	{"duplicate id", LIST ENTRY,
		":7: endpoints[1].id: ", "the id \"x\" is taken by the endpoint in line 4"},
	{"reserved id", HEAD "endpoints:\n  - {id: hub, host: h, port: 1}\n",
		":4: endpoints[0].id: ", "kept for the Sallyport hub"},
	{"bad id", HEAD "endpoints:\n  - {id: a b, host: h, port: 1}\n",
		":4: endpoints[0].id: ", "an id is made of"},
	{"bad profile id", "profile: ../a\ntitle: A\n", ":1: profile: ", "an id is made of"},
	{"duplicate key", HEAD "title: B\n", ":3: ", "stands here and in line 2"},
	{"duplicate port", HEAD "inbound:\n  - {port: 22}\n  - {port: 22}\n",
		":5: inbound[1].port: ", "stands in line 4 already"},
	{"duplicate service",
		HEAD "services:\n  - {name: a, state: running}\n  - {name: a, state: running}\n",
		":5: services[1].name: ", "twice"},
	{"host is a URL", HEAD "endpoints:\n  - {id: x, host: 'https://h/', port: 1}\n",
		":4: endpoints[0].host: ", "without scheme and path"},
	{"host with port", HEAD "endpoints:\n  - {id: x, host: 'h:1', port: 1}\n",
		":4: endpoints[0].host: ", "the port has a key of its own"},
	{"host with a space", HEAD "endpoints:\n  - {id: x, host: 'h h', port: 1}\n",
		":4: endpoints[0].host: ", "is no host name"},
	{"host not ASCII", HEAD "endpoints:\n  - {id: x, host: m\xc3\xbcller.example, port: 1}\n",
		":4: endpoints[0].host: ", "xn--"},
	{"host with an empty label", HEAD "endpoints:\n  - {id: x, host: a..b, port: 1}\n",
		":4: endpoints[0].host: ", "between its dots"},
	{"pin of another hash", LIST "    pins: [sha1/AAAA]\n",
		":7: endpoints[0].pins[0]: ", "a pin is"},
	{"pin too short", LIST "    pins: [sha256/AAAA]\n", ":7: endpoints[0].pins[0]: ", "a pin is"},
	{"host with an unknown variable", HEAD "endpoints:\n  - {id: x, host: 'a.{b}.c', port: 1}\n",
		":4: endpoints[0].host: ", "\"{b}\" names no variable"},
	{"host with an open brace", HEAD "endpoints:\n  - {id: x, host: 'a.{b', port: 1}\n",
		":4: endpoints[0].host: ", "\"{b\" names no variable"},
	{"host with a closing brace", HEAD "endpoints:\n  - {id: x, host: 'a}', port: 1}\n",
		":4: endpoints[0].host: ", "\"}\" names no variable"},
	{"value that is no part of a name", HEAD "variables: [{name: a, value: 'b/c'}]\n",
		":3: variables[0].value: ", "a value is a part of a host name"},
	{"variable with a bad name", HEAD "variables: [{name: 'a b'}]\n",
		":3: variables[0].name: ", "a name is made of"},
	{"variable twice", HEAD "variables:\n  - {name: a}\n  - {name: a}\n",
		":5: variables[1].name: ", "taken in line 4"},
	{"no date", HEAD "source: {title: a, read: yesterday}\n", ":3: source.read: ", "a date as in"},
	{"host for the Internet", HEAD "internet_hosts: ['https://a']\n",
		":3: internet_hosts[0]: ", "without scheme and path"},
	{"CA of two lines that is none", LIST "    ca: |\n      a\n      b\n",
		":7: endpoints[0].ca: ", "the name of a file was expected, or the CA's certificate itself"},
	{"line break in a key", HEAD "\"a\\nb\": c\n", ":3: ", "a line break in a key"},
	{"marker without https", LIST "    protocol: tcp\n    marker: {path: /}\n",
		":8: endpoints[0].marker: ", "only an endpoint with protocol https or http"},
	{"marker's path", LIST "    marker: {path: x}\n",
		":7: endpoints[0].marker.path: ", "begins with \"/\""},
	{"marker's status", LIST "    marker: {status: 99}\n",
		":7: endpoints[0].marker.status: ", "from 100 to 599"},
	{"marker's header", LIST "    marker: {header: {name: 'A:b'}}\n",
		":7: endpoints[0].marker.header.name: ", "no name of an HTTP header"},
	{"header without name", LIST "    marker: {header: {contains: b}}\n",
		":7: endpoints[0].marker.header: ", "the key \"name\" is missing"},
	{"CA file absent", LIST "    ca: no.pem\n", ":7: endpoints[0].ca: ", "no.pem: No such file"},
	{"alias", "profile: &a a\ntitle: *a\n", ":2: ", "an alias (*name) is not allowed"},
	{"second document", HEAD "---\nprofile: b\n", ":3: ", "a second document begins here"},
	{"no YAML", "profile: a\n bad: [\n", ":2: ", "not valid YAML"},
	{"control character", "profile: a\ntitle: \"b\\x1b[31m\"\n", ":2: ", "control character"},
	{"line break in a text", "profile: a\ntitle: |\n  b\n  c\n", ":2: title: ", "a line break"},
	{"list as key", "? [a]\n: b\n", ":1: ", "where a key is expected"},
	{"binary garbage",
		"\x7f"
		"ELF\x02\x01\x01",
		":1: ", "is it the right file?"},
	{"broken UTF-8", "profile: a\ntitle: \xff\xfe\n", ":2: ", "not a text file in UTF-8"},
	{"deep nesting", "a: [[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]\n", ":1: ", "nested deeper"},
};

static void every_mistake_names_its_place_and_remedy(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		struct err err = {""};
		struct profile *profile = load(mistakes[i].text, &err);
		cleanup(free_ptr) char *place = xasprintf("p.yaml%s", mistakes[i].place);
		if (profile || !strstr(err.text, place) || !strstr(err.text, mistakes[i].words))
			fail_msg("%s: \"%s\" lacks \"%s\" or \"%s\"", mistakes[i].what,
				profile ? "(loaded)" : err.text, place, mistakes[i].words);
	}
}

static void expect_unreadable(const char *path, const char *words)
{
	struct err err = {""};
	assert_null(profile_load(path, &err));
	if (!strstr(err.text, words) || !strstr(err.text, path))
		fail_msg("\"%s\" lacks \"%s\"", err.text, words);
}

static void a_file_that_cannot_be_read_says_why(void **state)
{
	(void)state;
	cleanup(free_ptr) char *absent = xasprintf("%s/absent.yaml", folder);
	expect_unreadable(absent, "No such file or directory");
	expect_unreadable(folder, "Is a directory");
	cleanup(free_ptr) char *closed = write_file("closed.yaml", HEAD, strlen(HEAD));
	if (geteuid() != 0) {
		chmod(closed, 0);
		expect_unreadable(closed, "Permission denied");
	}
}

static void ten_megabytes_are_refused_unread(void **state)
{
	(void)state;
	size_t len = (size_t)10 << 20;
	char *data = xcalloc(1, len);
	memset(data, '#', len);
	cleanup(free_ptr) char *path = write_file("large.yaml", data, len);
	free(data);
	expect_unreadable(path, "larger than 1 MiB");
}

static void more_endpoints_than_256_are_refused(void **state)
{
	(void)state;
	struct buf text = {0};
	struct err err = {""};
	buf_puts(&text, HEAD "endpoints:\n");
	for (int i = 0; i < 256; i++)
		buf_printf(&text, "  - {id: e%d, host: h%d.example, port: 443}\n", i, i);
	struct profile *profile = load(text.data, &err);
	assert_non_null(profile);
	assert_int_equal(profile->endpoints_count, 256);
	profile_free(profile);
	buf_puts(&text, "  - {id: e256, host: h, port: 443}\n");
	assert_null(load(text.data, &err));
	assert_non_null(strstr(err.text, "p.yaml:3: endpoints: at most 256 entries"));
	buf_free(&text);
}

static void more_nodes_than_the_bound_are_refused(void **state)
{
	(void)state;
	struct buf text = {0};
	struct err err = {""};
	buf_puts(&text, "a: [");
	for (int i = 0; i <= YAML_MAP_MAX_NODES; i++)
		buf_puts(&text, "1,");
	buf_puts(&text, "]\n");
	assert_null(load(text.data, &err));
	assert_non_null(strstr(err.text, "more keys and values"));
	buf_free(&text);
}

/* --- what is right -------------------------------------------------------------------------- */

static const char whole[] =
	"profile: whole\n"
	"title: \"Everything: at once\"\n"
	"source: {title: Page, section: Chapter}\n"
	"addressing: {ipv4: dhcp, dns: any, ipv6: unsupported}\n"
	"dns: {external: proxy-is-enough}\n"
	"internet: required\n"
	"endpoints:\n"
	"  - id: console\n"
	"    host: console.example\n"
	"    port: 443\n"
	"    purpose: console and API\n"
	"    required: false\n"
	"    ca: ca.pem\n"
	"    pins: [sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=]\n"
	"    marker: {path: /x, status: 200, header: {name: Server, contains: y}}\n"
	"    section: Ports\n"
	"    row: R7\n"
	"  - {id: raw, host: 192.0.2.1, port: 0x16, protocol: tcp}\n"
	"  - {id: all, host: '*.example', port: 443, protocol: tls}\n"
	"proxy: {auth: [none, basic], inspection: forbidden}\n"
	"inbound:\n"
	"  - {port: 22, protocol: tcp, service: ssh, os: linux, when: auto-install, row: R12}\n"
	"services: [{os: windows, name: TermService, state: running}]\n"
	"accounts: [{os: windows, account: Administrator, rule: password-change-not-required}]\n"
	"sections: {addressing.ipv4: {section: General, row: R3}, proxy: {row: R18}}\n";

static void the_whole_of_a_profile_is_read(void **state)
{
	(void)state;
	static const char pem[] = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
	free(write_file("ca.pem", pem, strlen(pem)));
	struct err err = {""};
	struct profile *profile = load(whole, &err);
	if (!profile) {
		fail_msg("%s", err.text);
		return;
	}
	assert_string_equal(profile->id, "whole");
	assert_string_equal(profile->title, "Everything: at once");
	assert_string_equal(profile->source.section, "Chapter");
	assert_int_equal(profile->addressing.ipv4, WISH_DHCP);
	assert_int_equal(profile->addressing.dns, WISH_ANY);
	assert_int_equal(profile->addressing.ipv6, WISH_UNSUPPORTED);
	assert_int_equal(profile->dns.external, WISH_PROXY_IS_ENOUGH);
	assert_int_equal(profile->internet, WISH_REQUIRED);
	assert_int_equal(profile->proxy.auth, PROFILE_AUTH_NONE | PROFILE_AUTH_BASIC);
	assert_int_equal(profile->proxy.inspection, WISH_FORBIDDEN);
	assert_int_equal(profile->endpoints_count, 3);
	const struct profile_endpoint *endpoint = &profile->endpoints[0];
	assert_int_equal(endpoint->port, 443);
	assert_int_equal(endpoint->protocol, PROFILE_HTTPS);
	assert_int_equal(endpoint->required, WISH_NO);
	assert_string_equal(endpoint->ca_pem, pem);
	assert_int_equal(endpoint->pins_count, 1);
	assert_string_equal(endpoint->marker->path, "/x");
	assert_int_equal(endpoint->marker->status, 200);
	assert_string_equal(endpoint->marker->header.name, "Server");
	assert_string_equal(endpoint->marker->header.contains, "y");
	assert_string_equal(endpoint->origin.section, "Ports");
	assert_string_equal(endpoint->origin.row, "R7");
	assert_false(endpoint->wildcard);
	assert_int_equal(profile->endpoints[1].port, 22);
	assert_int_equal(profile->endpoints[1].protocol, PROFILE_TCP);
	assert_null(profile->endpoints[1].ca_pem);
	assert_true(profile->endpoints[2].wildcard);
	assert_int_equal(profile->inbound[0].port, 22);
	assert_int_equal(profile->inbound[0].os, PROFILE_OS_LINUX);
	assert_int_equal(profile->inbound[0].when, PROFILE_AUTO_INSTALL);
	assert_string_equal(profile->services[0].name, "TermService");
	assert_string_equal(profile->accounts[0].account, "Administrator");
	assert_string_equal(profile->sections[TOPIC_ADDRESSING_IPV4].row, "R3");
	assert_null(profile->sections[TOPIC_PROXY].section);
	profile_free(profile);
}

static void a_ca_that_is_no_certificate_is_refused(void **state)
{
	(void)state;
	free(write_file("ca.pem", "hello", 5));
	struct err err = {""};
	assert_null(load(whole, &err));
	assert_non_null(strstr(err.text, "p.yaml:13: endpoints[0].ca: "));
	assert_non_null(strstr(err.text, "holds no certificate in PEM form"));
}

static void a_ca_may_stand_in_the_profile(void **state)
{
	(void)state;
	struct err err = {""};
	struct profile *profile = load(LIST "    ca: |\n      -----BEGIN CERTIFICATE-----\n      AA==\n"
										"      -----END CERTIFICATE-----\n",
		&err);
	if (!profile) {
		fail_msg("%s", err.text);
		return;
	}
	assert_string_equal(profile->endpoints[0].ca_pem,
		"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n");
	profile_free(profile);
}

/* --- variables and what cannot be tested ------------------------------------------------------ */

static const char regional[] =
	HEAD "variables:\n  - {name: region, value: us-east-1}\n"
		 "  - {name: site, purpose: the name that the vendor gave you}\n"
		 "endpoints:\n"
		 "  - {id: a, host: 'api.{region}.example', port: 443}\n"
		 "  - {id: b, host: '{site}.{region}.example', port: 443}\n"
		 "  - {id: c, host: '*.{region}.example', port: 443, remark: under it lie x and y}\n"
		 "  - {id: d, host: 'stun.example', port: 3478, protocol: udp}\n";

static void variables_are_put_into_hosts(void **state)
{
	(void)state;
	struct err err = {""};
	struct profile *profile = load(regional, &err);
	if (!profile) {
		fail_msg("%s", err.text);
		return;
	}
	const struct profile_endpoint *all = profile->endpoints;
	assert_string_equal(all[0].host, "api.us-east-1.example");
	assert_null(all[0].untested);
	assert_string_equal(all[1].host, "{site}.{region}.example");
	assert_string_equal(all[1].untested,
		"not testable: say which with --set site=... (the name that the vendor gave you)");
	assert_true(all[2].wildcard);
	assert_non_null(strstr(all[2].untested, "a pattern"));
	assert_non_null(strstr(all[2].untested, "; under it lie x and y"));
	assert_non_null(strstr(all[3].untested, "UDP"));

	assert_int_equal(profile_set(profile, "region=eu-west-1,site=acme.cloud", &err), 0);
	assert_string_equal(all[0].host, "api.eu-west-1.example");
	assert_string_equal(all[1].host, "acme.cloud.eu-west-1.example");
	assert_null(all[1].untested);

	assert_int_equal(profile_set(profile, "regio=x", &err), -1);
	assert_non_null(strstr(err.text, "it has region, site"));
	assert_int_equal(profile_set(profile, "region", &err), -1);
	assert_non_null(strstr(err.text, "NAME=VALUE"));
	assert_int_equal(profile_set(profile, "region=a b", &err), -1);
	assert_int_equal(profile_set(profile, "region=", &err), -1);
	assert_int_equal(profile_set(profile, "region=a..b", &err), -1);
	assert_non_null(strstr(err.text, "\"api.a..b.example\" is no host name then"));
	assert_int_equal(profile_set(profile, "region=eu-west-1", &err), 0);
	assert_string_equal(all[0].host, "api.eu-west-1.example");
	profile_free(profile);
}

/* --- the vendor's page ---------------------------------------------------------------------- */

static void add_rows(bool seen[25], const char *row)
{
	for (const char *at = row ? strchr(row, 'R') : NULL; at; at = strchr(at + 1, 'R')) {
		int number = atoi(at + 1);
		assert_in_range(number, 1, 24);
		seen[number] = true;
	}
}

/* The shipped profile holds the rows R1 to R24 and the exact names and ports of R7, R10, R12 to
 * R17. */
static void the_page_of_smart_tools_is_held_completely(void **state)
{
	(void)state;
	static const char *const hosts[] = {
		"smart.cloud.com", "rttf.citrix.com", "manage-disc.citrix.com", "manage-monlb.citrix.com"};
	static const uint16_t ports[] = {22, 3389, 135};
	bool seen[25] = {false};
	struct err err = {""};
	struct profile *profile = profile_load(SOURCE_ROOT "/profiles/citrix-smart-tools.yaml", &err);
	if (!profile) {
		fail_msg("%s", err.text);
		return;
	}
	assert_int_equal(profile->endpoints_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(profile->endpoints[i].host, hosts[i]);
		assert_int_equal(profile->endpoints[i].port, 443);
		add_rows(seen, profile->endpoints[i].origin.row);
	}
	assert_int_equal(profile->inbound_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(profile->inbound[i].port, ports[i]);
		add_rows(seen, profile->inbound[i].origin.row);
	}
	add_rows(seen, profile->services[0].origin.row);
	add_rows(seen, profile->accounts[0].origin.row);
	for (size_t i = 0; i < TOPIC_COUNT; i++)
		add_rows(seen, profile->sections[i].row);
	for (int row = 1; row <= 24; row++)
		if (!seen[row])
			fail_msg("row R%d is not in the profile", row);
	assert_int_equal(profile->dns.external, WISH_REQUIRED);
	assert_int_equal(profile->addressing.ipv4, WISH_DHCP);
	assert_int_equal(profile->proxy.auth, PROFILE_AUTH_NONE | PROFILE_AUTH_BASIC);
	assert_int_equal(profile->proxy.inspection, WISH_FORBIDDEN);
	profile_free(profile);
}

/* --- by id ---------------------------------------------------------------------------------- */

static void the_administrators_profile_comes_first(void **state)
{
	(void)state;
	static const char own[] = "profile: web\ntitle: Own\n",
					  shipped[] = "profile: web\ntitle: Shipped\n";
	free(write_file("root/etc/sallyport/profiles/web.yaml", own, strlen(own)));
	free(write_file("root/usr/share/sallyport/profiles/web.yaml", shipped, strlen(shipped)));
	free(write_file("root/usr/share/sallyport/profiles/readme.txt", "x", 1));
	free(write_file("profiles/mail.yaml", "profile: mail\ntitle: M\n", 23));
	free(write_file("profiles/other.yaml", "profile: else\ntitle: M\n", 23));
	cleanup(free_ptr) char *root = xasprintf("%s/root", folder);
	cleanup(free_ptr) char *program = xasprintf("%s/build/sallyport", folder);
	free(write_file("build/x", "x", 1));
	const struct profile_places places = {root, program};
	struct err err = {""};

	struct profile *profile = profile_find(&places, "web", &err);
	assert_non_null(profile);
	assert_string_equal(profile->title, "Own");
	profile_free(profile);
	profile = profile_find(&places, "mail", &err);
	assert_non_null(profile);
	profile_free(profile);
	assert_null(profile_find(&places, "maill", &err));
	assert_non_null(strstr(err.text, "did you mean \"mail\"?"));
	assert_null(profile_find(&places, "something-else-entirely", &err));
	assert_non_null(strstr(err.text, "`sallyport profiles`"));
	assert_null(profile_find(&places, "other", &err));
	assert_non_null(strstr(err.text, "is not the name of its file"));

	size_t count;
	struct profile_entry *entries = profile_list(&places, &count);
	assert_int_equal(count, 4);
	assert_string_equal(entries[0].profile->title, "Own");
	assert_false(entries[0].shadowed);
	assert_true(entries[1].shadowed);
	profile_list_free(entries, count);
}

static void a_word_that_is_near_is_found(void **state)
{
	(void)state;
	static const char *const words[] = {
		"dns-nxdomain", "dns-refused", "connect-refused", "no-route"};
	size_t best[SUGGEST_MAX];
	assert_int_equal(suggest_nearest("dns-nxdomian", words, 4, best), 1);
	assert_int_equal(best[0], 0);
	assert_true(suggest_nearest("refused", words, 4, best) == 2);
	assert_int_equal(best[0], 1);
	assert_int_equal(suggest_nearest("qqqqqqqq", words, 4, best), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_mistake_names_its_place_and_remedy),
		TEST(a_file_that_cannot_be_read_says_why),
		TEST(ten_megabytes_are_refused_unread),
		TEST(more_endpoints_than_256_are_refused),
		TEST(more_nodes_than_the_bound_are_refused),
		TEST(the_whole_of_a_profile_is_read),
		TEST(a_ca_that_is_no_certificate_is_refused),
		TEST(a_ca_may_stand_in_the_profile),
		TEST(variables_are_put_into_hosts),
		TEST(the_page_of_smart_tools_is_held_completely),
		TEST(the_administrators_profile_comes_first),
		TEST(a_word_that_is_near_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
