/* What a proxy's answer to CONNECT means: rows R18, R21 to R23. */
#include "dial/transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void take(struct proxy_answer *answer, const char *head)
{
	for (const char *at = head; *at;) {
		size_t len = strcspn(at, "\n");
		len += at[len] == '\n';
		if (answer_line(answer, at, len))
			return;
		at += len;
	}
}

static void test_causes(void **state)
{
	(void)state;
	static const struct {
		const char *head, *body;
		bool sent;    /* credentials */
		bool by_name; /* the endpoint */
		enum cause cause;
		enum confidence confidence;
	} rows[] = {
		{"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"a, "
		 "b\"\r\n\r\n",
			"", false, true, CAUSE_PROXY_AUTH_REQUIRED, CONFIDENCE_CERTAIN},
		{"HTTP/1.1 407 x\r\nproxy-authenticate: basic realm=x\r\n\r\n", "", true, true,
			CAUSE_PROXY_AUTH_REJECTED, CONFIDENCE_CERTAIN},
		{"HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n\r\n", "",
			true, true, CAUSE_PROXY_AUTH_UNSUPPORTED, CONFIDENCE_CERTAIN},
		{"HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM, Basic realm=\"x\"\r\n\r\n", "", false, true,
			CAUSE_PROXY_AUTH_REQUIRED, CONFIDENCE_CERTAIN},
		{"HTTP/1.1 407 x\r\n\r\n", "", false, true, CAUSE_PROXY_AUTH_REQUIRED, CONFIDENCE_LIKELY},
		{"HTTP/1.0 401 Unauthorized\r\n\r\n", "", true, true, CAUSE_PROXY_AUTH_REJECTED,
			CONFIDENCE_CERTAIN},
		{"HTTP/1.0 401 Unauthorized\r\n\r\n", "", false, true, CAUSE_PROXY_DENIED,
			CONFIDENCE_LIKELY},
		{"HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n", "", false, true,
			CAUSE_PROXY_DENIED, CONFIDENCE_CERTAIN},
		{"HTTP/1.1 403 Forbidden\r\n\r\n", "getaddrinfo is forbidden", false, true,
			CAUSE_PROXY_DENIED, CONFIDENCE_CERTAIN},
		{"HTTP/1.1 405 Method Not Allowed\r\nServer: nginx\r\n\r\n", "", false, true,
			CAUSE_PROXY_DENIED, CONFIDENCE_LIKELY},
		{"HTTP/1.1 302 Found\r\nLocation: http://portal.test/\r\n\r\n", "", false, true,
			CAUSE_PROXY_DENIED, CONFIDENCE_LIKELY},
		{"HTTP/1.1 503 x\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\n\r\n", "", false, true,
			CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
		{"HTTP/1.1 503 x\r\nX-Squid-Error: ERR_CONNECT_FAIL 111\r\n\r\n", "", false, true,
			CAUSE_PROXY_UPSTREAM_CONNECT, CONFIDENCE_CERTAIN},
		{"HTTP/1.1 500 x\r\nX-Squid-Error: ERR_CANNOT_FORWARD 0\r\n\r\n", "", false, true,
			CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_LIKELY},
		{"HTTP/1.1 500 x\r\nX-Squid-Error: ERR_CANNOT_FORWARD 0\r\n\r\n", "", false, false,
			CAUSE_PROXY_UPSTREAM_CONNECT, CONFIDENCE_LIKELY},
		{"HTTP/1.1 502 Bad Gateway\r\n\r\n", "[Errno -2] Name or service not known", false, true,
			CAUSE_PROXY_UPSTREAM_DNS, CONFIDENCE_CERTAIN},
		{"HTTP/1.1 502 Bad Gateway\r\n\r\n", "", false, true, CAUSE_PROXY_UPSTREAM_CONNECT,
			CONFIDENCE_CERTAIN},
		{"HTTP/1.1 504 Gateway Timeout\r\n\r\n", "", false, true, CAUSE_PROXY_UPSTREAM_CONNECT,
			CONFIDENCE_CERTAIN},
		{"HTTP/1.1 500 Unable to connect\r\nServer: tinyproxy/1.11.1\r\n\r\n", "<h1>Unable</h1>",
			false, true, CAUSE_PROXY_UPSTREAM_CONNECT, CONFIDENCE_LIKELY},
		{"HTTP/1.1 400 Bad Request\r\n\r\n", "The plain HTTP request was sent to HTTPS port", false,
			true, CAUSE_PROXY_NOT_A_PROXY, CONFIDENCE_CERTAIN},
		{"HTTP/1.0 501 Unsupported method\r\n\r\n", "", false, true, CAUSE_PROXY_NOT_A_PROXY,
			CONFIDENCE_LIKELY},
		{"SSH-2.0-OpenSSH_9.2\r\n", "", false, true, CAUSE_PROXY_NOT_A_PROXY, CONFIDENCE_CERTAIN},
		{"HTTP/1.1 abc\r\n", "", false, true, CAUSE_PROXY_NOT_A_PROXY, CONFIDENCE_CERTAIN},
		{"", "", false, true, CAUSE_PROXY_NOT_A_PROXY, CONFIDENCE_CERTAIN},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct proxy_answer answer = {.status = 0};
		take(&answer, rows[i].head);
		buf_puts(&answer.body, rows[i].body);
		enum confidence confidence;
		enum cause cause = answer_cause(&answer, rows[i].sent, rows[i].by_name, &confidence);
		if (cause != rows[i].cause || confidence != rows[i].confidence)
			fail_msg("row %zu: %s (%d)", i, cause_info(cause)->id, confidence);
		answer_free(&answer);
	}
}

/* Every scheme that is offered is named once, and nothing that is none (row R23). */
static void test_schemes(void **state)
{
	(void)state;
	static const struct {
		const char *headers, *schemes;
		bool basic;
	} rows[] = {
		{"Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n", "NTLM, Negotiate", false},
		{"Proxy-Authenticate: Negotiate, NTLM\r\nProxy-Authenticate: ntlm\r\n", "Negotiate, NTLM",
			false},
		{"Proxy-Authenticate: Digest realm=\"x, Basic y\", nonce=\"a\\\"b\", qop=auth\r\n",
			"Digest", false},
		{"Proxy-Authenticate: Digest realm=\"x\", nonce=\"n\", Basic realm=\"z\"\r\n",
			"Digest, Basic", true},
		{"Proxy-Authenticate: NTLM TlRMTVNTUAACAAAA==\r\n", "NTLM", false},
		{"Proxy-Authenticate: , ,Basic\r\n", "Basic", true},
		{"Proxy-Authenticate: BasicAuth realm=x\r\n", "BasicAuth", false},
		{"Proxy-Authenticate: \"\r\nProxy-Authenticate: \\\r\n", "", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct proxy_answer answer = {.status = 0};
		take(&answer, "HTTP/1.1 407 x\r\n");
		take(&answer, rows[i].headers);
		assert_string_equal(buf_text(&answer.schemes), rows[i].schemes);
		assert_int_equal(answer.offers_basic, rows[i].basic);
		answer_free(&answer);
	}
}

/* What a proxy may say is bounded, however much it says. */
static void test_bounds(void **state)
{
	(void)state;
	struct proxy_answer answer = {.status = 0};
	char line[16384];
	memset(line, 'A', sizeof line);
	memcpy(line, "Server: ", 8);
	take(&answer, "HTTP/1.1 407 x\r\n");
	assert_int_equal(answer_line(&answer, line, sizeof line), 0);
	assert_in_range(strlen(answer.server), 1, 300);
	for (int i = 0; i < 1000; i++) {
		char scheme[64];
		snprintf(scheme, sizeof scheme, "Proxy-Authenticate: Scheme%d\r\n", i);
		answer_line(&answer, scheme, strlen(scheme));
	}
	assert_in_range(answer.schemes.len, 1, ANSWER_MAX_SCHEMES);
	answer_free(&answer);
}

/* A refusal's evidence identifies the proxy and repeats its page without markup. */
static void test_evidence(void **state)
{
	(void)state;
	struct proxy_answer answer = {.status = 0};
	struct evidence evidence = {.count = 0};
	take(&answer, "HTTP/1.1 403 Forbidden\r\nServer: squid/5.7\r\nVia: 1.1 gate\x01way\r\n\r\n");
	assert_true(answer.complete);
	buf_puts(&answer.body,
		"<html><head><title>no</title></head><body><style>p{}</style><h1>Access\n"
		"denied</h1><script>x<y</script><p>by policy 7</body");
	answer_evidence(&answer, &evidence);
	assert_string_equal(evidence_get(&evidence, "answer"), "HTTP/1.1 403 Forbidden");
	assert_string_equal(evidence_get(&evidence, "status"), "403");
	assert_string_equal(evidence_get(&evidence, "server"), "squid/5.7");
	assert_string_equal(evidence_get(&evidence, "via"), "1.1 gate\\x01way");
	assert_string_equal(evidence_get(&evidence, "proxy-says"), "Access denied by policy 7");
	evidence_free(&evidence);
	answer_free(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_schemes),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_evidence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
