/* The hub's pure parts: routes, waiting after failures, certificates, the identity file. */
#include "base/file.h"
#include "hub/api/route.h"
#include "hub/keys.h"
#include "hub/passwords.h"
#include "hub/throttle.h"
#include "temporary_root.h"
#include "wire/hub_profile.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static char root[ROOT_SIZE];
static struct err err;

static int set_up(void **state)
{
	(void)state;
	return root_make(root);
}

static int tear_down(void **state)
{
	(void)state;
	return root_remove(root);
}

/* --- routes ----------------------------------------------------------------------------------- */

static void routes_are_found(void **state)
{
	static const struct {
		enum exchange_method method;
		const char *path;
		route_handler *handler;
		bool other;
	} rows[] = {
		{METHOD_GET, "/v1/servers", servers_get, false},
		{METHOD_GET, "/v1/servers/abc", server_get, false},
		{METHOD_DELETE, "/v1/servers/abc", server_delete, false},
		{METHOD_POST, "/v1/servers/abc", NULL, true},
		{METHOD_OTHER, "/v1/servers", NULL, true},
		{METHOD_GET, "/v1/servers/", NULL, false},
		{METHOD_GET, "/v1/servers/a/b", NULL, false},
		{METHOD_GET, "/v1/servers/abc/checks", checks_get, false},
		{METHOD_POST, "/v1/servers/abc/checks", check_post, false},
		{METHOD_GET, "/v1/servers/abc/checks/", NULL, false},
		{METHOD_GET, "/v1/servers//checks", NULL, false},
		{METHOD_GET, "/v1/servers/abc/checks/def", check_get, false},
		{METHOD_POST, "/v1/servers/abc/checks/def", NULL, true},
		{METHOD_GET, "/v1/servers/abc/checks/def/x", NULL, false},
		{METHOD_GET, "/v1/serversx", NULL, false},
		{METHOD_GET, "/.well-known/sallyport", discovery_get, false},
		{METHOD_GET, "/", NULL, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char operands[EXCHANGE_MAX_OPERANDS][EXCHANGE_OPERAND_SIZE] = {"", ""};
		bool other = false;
		const struct route *route = route_find(rows[i].method, rows[i].path, operands, &other);
		assert_ptr_equal(route ? route->run : NULL, rows[i].handler);
		assert_int_equal(!route && other, rows[i].other);
		if (route && strchr(route->path, '{'))
			assert_string_equal(operands[0], "abc");
		if (route && strstr(route->path, "{check}"))
			assert_string_equal(operands[1], "def");
	}
	char path[sizeof "/v1/servers/" + EXCHANGE_OPERAND_SIZE] = "/v1/servers/";
	char operands[EXCHANGE_MAX_OPERANDS][EXCHANGE_OPERAND_SIZE];
	bool other = false;
	memset(path + strlen(path), 'x', EXCHANGE_OPERAND_SIZE - 1);
	assert_non_null(route_find(METHOD_GET, path, operands, &other));
	strcat(path, "x");
	assert_null(route_find(METHOD_GET, path, operands, &other));
}

/* Only these may be asked by anyone: a route that is added is closed until it is put here. */
static void open_routes_are_known(void **state)
{
	static const char *const open[] = {HUB_PROFILE_PATH, "/.well-known/sallyport", "/v1/session",
		"/healthz", "/readyz", "/metrics", "/v1/openapi.json", "/v1/setup", "/v1/login",
		"/v1/logout", "/v1/uploads", "/v1/uploads/{id}", "/v1/portable/{arch}",
		"/v1/connector/installs", "/v1/connector/installs/{id}/go",
		"/v1/connector/installs/{id}/events"};
	(void)state;
	for (const struct route *route = routes; route->path; route++) {
		bool listed = false;
		for (size_t i = 0; i < ARRAY_LEN(open); i++)
			listed |= strcmp(open[i], route->path) == 0;
		assert_int_equal(route->permission == PERMIT_ANYONE, listed);
	}
}

/* --- waiting after failures ------------------------------------------------------------------- */

static void failures_make_wait(void **state)
{
	static struct throttle throttle;
	(void)state;
	for (int i = 0; i < THROTTLE_FREE - 1; i++)
		throttle_failed(&throttle, "eve", 1000);
	assert_int_equal(throttle_wait(&throttle, "eve", 1000), 0);
	throttle_failed(&throttle, "eve", 1000);
	int64_t first = throttle_wait(&throttle, "eve", 1000);
	assert_true(first > 0);
	assert_int_equal(throttle_wait(&throttle, "eve", 1000 + first), 0);
	throttle_failed(&throttle, "eve", 1000 + first);
	assert_int_equal(throttle_wait(&throttle, "eve", 1000 + first), 2 * first);
	for (int i = 0; i < 100; i++)
		throttle_failed(&throttle, "eve", 2000);
	assert_int_equal(throttle_wait(&throttle, "eve", 2000), THROTTLE_MAX_S);
	assert_int_equal(throttle_wait(&throttle, "alice", 2000), 0);
	throttle_succeeded(&throttle, "eve");
	assert_int_equal(throttle_wait(&throttle, "eve", 2000), 0);
}

static void a_flood_of_names_forgets_the_oldest(void **state)
{
	static struct throttle throttle;
	char name[32];
	(void)state;
	for (int i = 0; i < THROTTLE_FREE; i++)
		throttle_failed(&throttle, "victim", 5000);
	for (int i = 0; i < 4 * THROTTLE_SLOTS; i++) {
		snprintf(name, sizeof name, "name-%d", i);
		throttle_failed(&throttle, name, 4000);
	}
	assert_true(throttle_wait(&throttle, "victim", 5000) > 0);
}

static void passwords_have_a_least_length(void **state)
{
	(void)state;
	assert_non_null(password_problem("12345678901"));
	assert_null(password_problem("123456789012"));
	assert_non_null(password_problem("ääääää")); /* twelve bytes, six characters */
	assert_null(password_problem("ääääääääääää"));
}

/* --- identity and certificate ----------------------------------------------------------------- */

static void identity_lasts(void **state)
{
	struct identity first, second;
	char path[ROOT_SIZE + 16];
	struct stat st;
	(void)state;
	assert_int_not_equal(keys_identity(root, false, &first, &err), 0);
	assert_int_equal(keys_identity(root, true, &first, &err), 0);
	assert_int_equal(keys_identity(root, false, &second, &err), 0);
	assert_memory_equal(&first, &second, sizeof first);
	snprintf(path, sizeof path, "%s/identity.key", root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_replace(path, "garbage\n", 8, 0600, &err), 0);
	assert_int_not_equal(keys_identity(root, true, &first, &err), 0);
	assert_non_null(strstr(err.text, path));
}

static X509 *read_certificate(const char *file)
{
	FILE *in = fopen(file, "r");
	assert_non_null(in);
	X509 *certificate = PEM_read_X509(in, NULL, NULL, NULL);
	fclose(in);
	assert_non_null(certificate);
	return certificate;
}

static void certificate_follows_the_names(void **state)
{
	struct keys_names one = {{"hub.example", "10.0.0.5"}, 2}, two = {{"other.example"}, 1};
	struct keys_certificate first, again, changed;
	struct stat before, after;
	(void)state;
	assert_int_equal(keys_certificate(root, &one, &first, &err), 0);
	assert_non_null(first.ca_pem);
	X509 *certificate = read_certificate(first.chain_file);
	assert_int_equal(X509_check_host(certificate, "hub.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(certificate, "10.0.0.5", 0), 1);
	assert_int_equal(X509_check_host(certificate, "other.example", 0, 0, NULL), 0);
	X509_free(certificate);
	assert_int_equal(stat(first.key_file, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0600);
	assert_int_equal(keys_certificate(root, &one, &again, &err), 0);
	assert_int_equal(stat(first.key_file, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino); /* nothing was written */
	assert_int_equal(keys_certificate(root, &two, &changed, &err), 0);
	assert_string_equal(first.ca_pem, changed.ca_pem);
	certificate = read_certificate(first.chain_file);
	assert_int_equal(X509_check_host(certificate, "other.example", 0, 0, NULL), 1);
	X509_free(certificate);
	keys_certificate_free(&first);
	keys_certificate_free(&again);
	keys_certificate_free(&changed);
}

static void broken_keys_are_told_apart(void **state)
{
	struct keys_names names = {{"hub.example"}, 1};
	struct keys_certificate certificate;
	char path[ROOT_SIZE + 16];
	(void)state;
	assert_int_equal(keys_certificate(root, &names, &certificate, &err), 0);
	/* The server's certificate costs nothing to make again. */
	file_replace(certificate.chain_file, "x", 1, 0600, &err);
	keys_certificate_free(&certificate);
	assert_int_equal(keys_certificate(root, &names, &certificate, &err), 0);
	keys_certificate_free(&certificate);
	/* The CA is what every machine trusts: it is never replaced in silence. */
	snprintf(path, sizeof path, "%s/ca.key", root);
	assert_int_equal(unlink(path), 0);
	assert_int_not_equal(keys_certificate(root, &names, &certificate, &err), 0);
	assert_non_null(strstr(err.text, "ca.key"));
	assert_non_null(strstr(err.text, "backup"));
}

static void given_certificate_is_checked(void **state)
{
	struct keys_names names = {{"hub.example"}, 1};
	struct keys_certificate made, given;
	char ca[ROOT_SIZE + 16];
	(void)state;
	assert_int_equal(keys_certificate(root, &names, &made, &err), 0);
	assert_int_equal(keys_certificate_given(made.chain_file, made.key_file, &given, &err), 0);
	assert_null(given.ca_pem);
	keys_certificate_free(&given);
	snprintf(ca, sizeof ca, "%s/ca.pem", root);
	assert_int_not_equal(keys_certificate_given(ca, made.key_file, &given, &err), 0);
	assert_non_null(strstr(err.text, ca));
	assert_int_not_equal(keys_certificate_given("/nonexistent", made.key_file, &given, &err), 0);
	keys_certificate_free(&made);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(routes_are_found),
		TEST(open_routes_are_known),
		TEST(failures_make_wait),
		TEST(a_flood_of_names_forgets_the_oldest),
		TEST(passwords_have_a_least_length),
		TEST(identity_lasts),
		TEST(certificate_follows_the_names),
		TEST(broken_keys_are_told_apart),
		TEST(given_certificate_is_checked),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("hub_parts", tests, NULL, NULL);
}
