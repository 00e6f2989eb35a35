/* hello with an HTTPS endpoint: the marker, and what answers in the service's place. */
#include "base/json.h"
#include "dial/dial.h"
#include "lib/server.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct cert root, leaf;
static char *root_pem;

static int make_certs(void **state)
{
	(void)state;
	struct cert_spec root_spec = {.cn = "Service CA", .ca = true};
	struct cert_spec leaf_spec = {.cn = "service", .sans = "IP:127.0.0.1", .issuer = &root};
	cert_make(&root, &root_spec);
	cert_make(&leaf, &leaf_spec);
	root_pem = cert_pem(&root);
	return 0;
}

static int end_certs(void **state)
{
	(void)state;
	cert_free(&root);
	cert_free(&leaf);
	free(root_pem);
	return 0;
}

static void assert_cause(const struct walk *walk, const char *what, enum cause cause)
{
	print_message("%s: %s\n", what, cause_info(walk->failure.cause)->id);
	assert_int_equal(walk->failure.cause, cause);
}

static void assert_says(const struct walk *walk, const char *name, const char *part)
{
	const char *value = evidence_get(&walk->failure.evidence, name);
	print_message("  %s = %s\n", name, value ? value : "(none)");
	assert_true(value && strstr(value, part));
}

static const struct dial_marker by_header = {
	.path = "/health", .status = 200, .header_name = "X-Service", .header_contains = "good"};
static const struct dial_marker by_status = {.path = "/health", .status = 204};

#define HTML "Content-Type: text/html\r\n\r\n"

static const struct {
	const char *what;
	const char *answer;
	const struct dial_marker *marker;
	enum cause cause;
	const char *evidence, *value;
} pages[] = {
	{"the marker", "HTTP/1.1 200 OK\r\nX-Service: the GOOD one\r\n\r\n", &by_header, CAUSE_NONE, "",
		""},
	{"the marker's status", "HTTP/1.1 204 No Content\r\n\r\n", &by_status, CAUSE_NONE, "", ""},
	{"any answer without a marker", "HTTP/1.1 404 Not Found\r\n" HTML "<html>no", NULL, CAUSE_NONE,
		"", ""},
	{"a redirect without a marker",
		"HTTP/1.1 302 Found\r\nLocation: https://login.invalid/\r\n\r\n", NULL, CAUSE_NONE, "", ""},
	{"another status", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", &by_status,
		CAUSE_MARKER_ABSENT, "difference", "status 500 instead of 204"},
	{"another header", "HTTP/1.1 200 OK\r\nX-Service: bad\r\n\r\n", &by_header, CAUSE_MARKER_ABSENT,
		"difference", "X-Service is \"bad\""},
	{"no header", "HTTP/1.1 200 OK\r\n\r\n", &by_header, CAUSE_MARKER_ABSENT, "difference",
		"no header X-Service"},
	{"another service's page",
		"HTTP/1.1 404 Not Found\r\nServer: nginx\r\n" HTML "<html><title>404 Not Found</title>",
		&by_header, CAUSE_MARKER_ABSENT, "title", "404 Not Found"},
	{"no HTTP", "220 mail.invalid ESMTP\r\n", &by_header, CAUSE_MARKER_ABSENT, "difference",
		"the answer is no HTTP: 220 mail"},
	{"a close", "", &by_header, CAUSE_MARKER_ABSENT, "difference", "closed without an answer"},
	{"a header without end", "HTTP/1.1 200 OK\r\nX: ", &by_header, CAUSE_MARKER_ABSENT,
		"difference", "no HTTP"},
	{"a redirect elsewhere",
		"HTTP/1.1 302 Found\r\nLocation: "
		"http://wifi.hotel.invalid/login?mac=02:00&sid=S3CRET\r\n\r\n",
		&by_header, CAUSE_CAPTIVE_PORTAL, "location", "http://wifi.hotel.invalid/login"},
	{"a redirect to a portal, no marker",
		"HTTP/1.1 302 Found\r\nLocation: http://hotspot.invalid/\r\n\r\n", NULL,
		CAUSE_CAPTIVE_PORTAL, "location", "http://hotspot.invalid/"},
	{"a redirect on the same host", "HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n", &by_header,
		CAUSE_MARKER_ABSENT, "location", "/login"},
	{"511", "HTTP/1.1 511 Network Authentication Required\r\n" HTML "<html>", NULL,
		CAUSE_CAPTIVE_PORTAL, "status", "511"},
	{"a portal's page",
		"HTTP/1.1 200 OK\r\n" HTML "<html><title>Welcome</title>Guest network: accept the terms",
		&by_header, CAUSE_CAPTIVE_PORTAL, "title", "Welcome"},
	{"a filter's page",
		"HTTP/1.1 200 OK\r\nServer: FilterBox\r\n" HTML
		"<html><title>Web Page Blocked</title>This site is blocked.",
		&by_header, CAUSE_BLOCK_PAGE, "sender", "\"Web Page Blocked\", server: FilterBox"},
	{"a filter's 403", "HTTP/1.1 403 Forbidden\r\nVia: 1.1 gate\r\n" HTML "<html>no", &by_header,
		CAUSE_BLOCK_PAGE, "sender", "via: 1.1 gate"},
};

struct page {
	const char *answer;
	char request[2048];
};

static void serve_page(struct server *server, int fd)
{
	struct page *page = server->data;
	SSL *ssl = server_tls(fd, &leaf, NULL);
	if (!ssl)
		return;
	if (server_request(ssl, page->request, sizeof page->request))
		server_say(ssl, page->answer);
	SSL_shutdown(ssl);
	SSL_free(ssl);
}

static void test_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		struct server server;
		struct walk walk;
		struct page page = {.answer = pages[i].answer};
		server_start(&server, serve_page, &page);
		struct dial_target target = {.host = "127.0.0.1",
			.port = server.port,
			.protocol = DIAL_HTTPS,
			.ca_pem = root_pem,
			.marker = pages[i].marker};
		struct dial_options options = {.overall = deadline_in_ms(10000)};
		int rc = dial_walk(&target, &options, &walk);
		assert_cause(&walk, pages[i].what, pages[i].cause);
		assert_int_equal(rc, pages[i].cause ? -1 : 0);
		if (pages[i].cause) {
			assert_says(&walk, pages[i].evidence, pages[i].value);
			cleanup(json_drop) json_t *stages = walk_to_json(&walk);
			cleanup(free_ptr) char *text = json_text(stages);
			assert_null(strstr(text, "S3CRET"));
		}
		assert_memory_equal(page.request, pages[i].marker ? "GET /health " : "GET / HTTP",
			pages[i].marker ? 12 : 10);
		walk_free(&walk);
		server_stop(&server);
	}
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, make_certs, end_certs);
}
