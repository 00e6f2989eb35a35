/*
 * secure: every way in which a handshake can fail, and whose clock is wrong, against a server of
 * this test (rows R17, B5). The verdicts on chains are in test_chain.c.
 */
#include "dial/dial.h"
#include "lib/server.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#define SANS "DNS:svc.example,IP:127.0.0.1"

/* --- handshakes ------------------------------------------------------------------------------- */

static void await_hello(int fd)
{
	char bytes[4096];
	assert_true(recv(fd, bytes, sizeof bytes, 0) > 0);
}

static void serve_close(struct server *server, int fd)
{
	(void)server;
	await_hello(fd);
}

static void serve_reset(struct server *server, int fd)
{
	/* Connecting a TCP socket to nowhere drops its connection with a RST. */
	(void)server;
	await_hello(fd);
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	(void)connect(fd, &nowhere, sizeof nowhere);
}

static void serve_nothing(struct server *server, int fd)
{
	char bytes[4096];
	(void)server;
	while (recv(fd, bytes, sizeof bytes, 0) > 0)
		continue;
}

static void serve_bytes(struct server *server, int fd)
{
	const char *hex = server->data;
	unsigned char bytes[256];
	size_t len = 0;
	await_hello(fd);
	sodium_hex2bin(bytes, sizeof bytes, hex, strlen(hex), " ", &len, NULL);
	send(fd, bytes, len, 0);
	serve_nothing(server, fd);
}

static void serve_text(struct server *server, int fd)
{
	send(fd, server->data, strlen(server->data), 0);
	serve_nothing(server, fd);
}

static void serve_old_tls(struct server *server, int fd)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	(void)server;
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
	SSL *ssl = SSL_new(context);
	SSL_set_fd(ssl, fd);
	SSL_accept(ssl);
	SSL_free(ssl);
	SSL_CTX_free(context);
}

static const struct {
	const char *what;
	void (*serve)(struct server *server, int fd);
	const char *data;
	int stage_ms;
	enum cause cause;
	const char *evidence, *value;
} handshakes[] = {
	{"closed", serve_close, NULL, 0, CAUSE_TLS_CLOSED, "received", "0 bytes"},
	{"reset", serve_reset, NULL, 0, CAUSE_TLS_RESET, "received", "0 bytes"},
	{"silent", serve_nothing, NULL, 200, CAUSE_TLS_STALLED, "clienthello-acknowledged", "yes"},
	{"SSH", serve_text, "SSH-2.0-OpenSSH_9.2p1 Debian\r\n", 0, CAUSE_TLS_NOT_SPOKEN, "first-bytes",
		"SSH-2.0-OpenSSH_9.2p1 Debian"},
	{"HTTP", serve_text, "HTTP/1.1 400 Bad Request\r\n\r\n", 0, CAUSE_TLS_NOT_SPOKEN, "first-bytes",
		"HTTP/1.1 400 Bad Request"},
	{"two letters and silence", serve_text, "22", 200, CAUSE_TLS_NOT_SPOKEN, "first-bytes", "22"},
	{"an alert", serve_bytes, "15 03 03 00 02 02 28", 0, CAUSE_TLS_ALERT, "alert",
		"handshake failure"},
	{"an alert about the name", serve_bytes, "15 03 03 00 02 02 70", 0, CAUSE_TLS_ALERT, "alert",
		"unrecognized name"},
	{"TLS 1.1 at most", serve_old_tls, NULL, 0, CAUSE_TLS_VERSION, "offered", "TLS 1.2 to 1.3"},
	{"a ServerHello of TLS 1.0", serve_bytes,
		"16 03 01 00 2a 02 00 00 26 03 01 00000000000000000000000000000000"
		"00000000000000000000000000000000 00 002f 00",
		0, CAUSE_TLS_VERSION, "peer-version", "TLS 1.0"},
	{"bytes of something else", serve_bytes, "05 03 01 41", 200, CAUSE_TLS_NOT_SPOKEN,
		"first-bytes", "\\x05\\x03\\x01A"},
	{"half a record and silence", serve_bytes, "16 03 03 00", 200, CAUSE_TLS_STALLED, "received",
		"4 bytes"},
};

static int walk_to(const struct server *server, enum dial_protocol protocol, int stage_ms,
	const char *ca_pem, struct walk *walk)
{
	struct dial_target target = {
		.host = "127.0.0.1", .port = server->port, .protocol = protocol, .ca_pem = ca_pem};
	struct dial_options options = {.overall = deadline_in_ms(10000), .stage_ms = stage_ms};
	return dial_walk(&target, &options, walk);
}

static void test_handshakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(handshakes); i++) {
		struct server server;
		struct walk walk;
		server_start(&server, handshakes[i].serve, (void *)handshakes[i].data);
		assert_int_equal(walk_to(&server, DIAL_TLS, handshakes[i].stage_ms, NULL, &walk), -1);
		print_message("%s: %s\n", handshakes[i].what, cause_info(walk.failure.cause)->id);
		assert_int_equal(walk.failure.cause, handshakes[i].cause);
		assert_int_equal(walk.failure.stage, STAGE_SECURE);
		const char *value = evidence_get(&walk.failure.evidence, handshakes[i].evidence);
		assert_non_null(value);
		assert_non_null(strstr(value, handshakes[i].value));
		assert_null(walk.conn);
		walk_free(&walk);
		server_stop(&server);
	}
}

static void serve_cancel(struct server *server, int fd)
{
	await_hello(fd);
	cancel_fire(server->data);
	serve_nothing(server, fd);
}

static void test_cancel(void **state)
{
	(void)state;
	struct server server;
	struct cancel cancel;
	struct walk walk;
	cancel_init(&cancel);
	server_start(&server, serve_cancel, &cancel);
	struct dial_target target = {.host = "127.0.0.1", .port = server.port, .protocol = DIAL_TLS};
	struct dial_options options = {.overall = deadline_in_ms(10000), .cancel = &cancel};
	assert_int_equal(dial_walk(&target, &options, &walk), -1);
	assert_true(walk.cancelled);
	assert_int_equal(walk.failure.cause, CAUSE_NONE);
	walk_free(&walk);
	server_stop(&server);
	cancel_fini(&cancel);
}

/* --- the clock -------------------------------------------------------------------------------- */

struct dated {
	struct cert leaf;
	int date_days; /* the server's Date, relative to this machine's clock; NO_DATE: none */
};

#define NO_DATE 100000

static void serve_dated(struct server *server, int fd)
{
	struct dated *dated = server->data;
	char request[2048], answer[256], date[64];
	SSL *ssl = server_tls(fd, &dated->leaf, NULL);
	if (!ssl)
		return;
	time_t when = time(NULL) + dated->date_days * 86400L;
	struct tm tm;
	strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&when, &tm));
	if (server_request(ssl, request, sizeof request)) {
		snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\n%sContent-Length: 0\r\n\r\n",
			dated->date_days == NO_DATE ? "" : date);
		server_say(ssl, answer);
	}
	SSL_shutdown(ssl);
	SSL_free(ssl);
}

static const struct {
	const char *what;
	int from_days, to_days, date_days;
	enum cause cause;
	enum confidence confidence;
	const char *skew;
} clocks[] = {
	{"the clock two years behind", 700, 1000, 731, CAUSE_CLOCK_BEHIND, CONFIDENCE_CERTAIN,
		"2 years"},
	{"the clock two years ahead", -1000, -700, -731, CAUSE_CLOCK_AHEAD, CONFIDENCE_CERTAIN,
		"2 years"},
	{"the clock five days behind", 1, 30, 5, CAUSE_CLOCK_BEHIND, CONFIDENCE_CERTAIN, "5 days"},
	{"expired, and the clocks agree", -60, -30, 0, CAUSE_CERT_EXPIRED, CONFIDENCE_CERTAIN, NULL},
	{"not yet valid, and the clocks agree", 30, 60, 0, CAUSE_CERT_NOT_YET_VALID, CONFIDENCE_CERTAIN,
		NULL},
	{"expired for the peer as well", -60, -30, -5, CAUSE_CERT_EXPIRED, CONFIDENCE_CERTAIN, NULL},
	{"expired, and no time to compare", -60, -30, NO_DATE, CAUSE_CERT_EXPIRED, CONFIDENCE_LIKELY,
		NULL},
	{"right, and the clock two years off", -1, 30, 731, CAUSE_NONE, CONFIDENCE_CERTAIN, NULL},
};

static void test_clock(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(clocks) * 2; i++) {
		enum dial_protocol protocol = i % 2 ? DIAL_TLS : DIAL_HTTPS;
		struct server server;
		struct walk walk;
		struct cert root;
		struct dated dated = {.date_days = clocks[i / 2].date_days};
		struct cert_spec root_spec = {
			.cn = "Old Root", .ca = true, .from_days = -4000, .to_days = 4000};
		struct cert_spec spec = {.cn = "svc",
			.sans = SANS,
			.from_days = clocks[i / 2].from_days,
			.to_days = clocks[i / 2].to_days,
			.issuer = &root};
		cert_make(&root, &root_spec);
		cert_make(&dated.leaf, &spec);
		cleanup(free_ptr) char *pem = cert_pem(&root);
		server_start(&server, serve_dated, &dated);
		walk_to(&server, protocol, 0, pem, &walk);
		print_message("%s: %s\n", clocks[i / 2].what, cause_info(walk.failure.cause)->id);
		assert_int_equal(walk.failure.cause, clocks[i / 2].cause);
		if (walk.failure.cause) {
			assert_int_equal(walk.failure.confidence, clocks[i / 2].confidence);
			assert_non_null(evidence_get(&walk.failure.evidence, "not-after"));
		}
		if (clocks[i / 2].skew) {
			assert_string_equal(evidence_get(&walk.failure.evidence, "skew"), clocks[i / 2].skew);
			assert_non_null(evidence_get(&walk.failure.evidence, "peer-time"));
		}
		walk_free(&walk);
		server_stop(&server);
		cert_free(&root);
		cert_free(&dated.leaf);
	}
}

/* What stands leaves its evidence, and an exporter value for the proof. */
static void test_good_walk(void **state)
{
	(void)state;
	struct server server;
	struct walk walk;
	struct dated dated = {.date_days = 0};
	struct cert root;
	struct cert_spec root_spec = {.cn = "Corp Root", .org = "Example Corp", .ca = true};
	struct cert_spec spec = {.cn = "svc", .sans = SANS, .issuer = &root};
	cert_make(&root, &root_spec);
	cleanup(free_ptr) char *pem = cert_pem(&root);
	cert_make(&dated.leaf, &spec);
	server_start(&server, serve_dated, &dated);
	assert_int_equal(walk_to(&server, DIAL_HTTPS, 0, pem, &walk), 0);
	const struct evidence *secure = &walk.stages[STAGE_SECURE].evidence;
	unsigned char binding[32] = {0};
	assert_string_equal(evidence_get(secure, "version"), "TLSv1.3");
	assert_string_equal(evidence_get(secure, "names"), "svc.example, 127.0.0.1");
	assert_string_equal(evidence_get(secure, "chain"), "CN=svc < CN=Corp Root, O=Example Corp");
	assert_string_equal(evidence_get(&walk.stages[STAGE_HELLO].evidence, "status"), "200");
	assert_string_equal(evidence_get(&walk.stages[STAGE_HELLO].evidence, "clock"), "agrees");
	assert_int_equal(conn_channel_binding(walk.conn, binding), 0);
	assert_false(sodium_is_zero(binding, sizeof binding));
	walk_free(&walk);
	server_stop(&server);
	cert_free(&dated.leaf);
	cert_free(&root);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshakes),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_good_walk),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
