/*
 * secure: the verdict on every kind of certificate chain, made here, and on every way in which a
 * handshake can fail, against a server of this test (rows R17, R24, B5).
 */
#include "base/file.h"
#include "dial/chain.h"
#include "lib/server.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define HOST "svc.example"
#define SANS "DNS:" HOST ",IP:127.0.0.1"

/* --- a small world of CAs ------------------------------------------------------------------- */

enum who {
	NOBODY, /* self-signed */
	PUBLIC_ROOT,
	PUBLIC_CA,  /* an intermediate of it */
	LOCAL_ROOT, /* trusted on this machine, but no public one */
	CORP_ROOT,  /* the private CA that profiles declare */
	CORP_CA,
	CORP_TWIN, /* the same name as CORP_ROOT, another key */
	STRANGER,  /* nobody trusts it */
	BOX,       /* nobody trusts it, and its name is an inspecting product's */
	WHO_COUNT,
};

static struct world {
	struct cert certs[WHO_COUNT];
	char folder[64], roots[96], bundle[96];
	char *corp_pem;
} world;

static const struct {
	const char *cn, *org;
	enum who issuer;
} authorities[WHO_COUNT] = {
	[PUBLIC_ROOT] = {"Public Root R1", "Public Trust", NOBODY},
	[PUBLIC_CA] = {"Public CA 1", "Public Trust", PUBLIC_ROOT},
	[LOCAL_ROOT] = {"Gateway CA", "Example Networks", NOBODY},
	[CORP_ROOT] = {"Corp Root", "Example Corp", NOBODY},
	[CORP_CA] = {"Corp Issuing CA", "Example Corp", CORP_ROOT},
	[CORP_TWIN] = {"Corp Root", "Example Corp", NOBODY},
	[STRANGER] = {"Some CA", NULL, NOBODY},
	[BOX] = {"Zscaler Intermediate Root CA", "Zscaler Inc.", NOBODY},
};

static int make_world(void **state)
{
	(void)state;
	for (int i = PUBLIC_ROOT; i < WHO_COUNT; i++) {
		struct cert_spec spec = {.cn = authorities[i].cn, .org = authorities[i].org, .ca = true};
		if (authorities[i].issuer)
			spec.issuer = &world.certs[authorities[i].issuer];
		cert_make(&world.certs[i], &spec);
	}
	strcpy(world.folder, "/tmp/sallyport-secure-XXXXXX");
	assert_non_null(mkdtemp(world.folder));
	snprintf(world.roots, sizeof world.roots, "%s/roots", world.folder);
	snprintf(world.bundle, sizeof world.bundle, "%s/bundle.pem", world.folder);
	assert_int_equal(mkdir(world.roots, 0700), 0);
	cleanup(free_ptr) char *public = cert_pem(&world.certs[PUBLIC_ROOT]);
	cleanup(free_ptr) char *local = cert_pem(&world.certs[LOCAL_ROOT]);
	cleanup(free_ptr) char *both = xasprintf("%s%s", public, local);
	cleanup(free_ptr) char *root = xasprintf("%s/public.crt", world.roots);
	assert_int_equal(file_replace(root, public, strlen(public), 0600, NULL), 0);
	assert_int_equal(file_replace(world.bundle, both, strlen(both), 0600, NULL), 0);
	world.corp_pem = cert_pem(&world.certs[CORP_ROOT]);
	return 0;
}

static int end_world(void **state)
{
	(void)state;
	cleanup(free_ptr) char *root = xasprintf("%s/public.crt", world.roots);
	unlink(root);
	unlink(world.bundle);
	rmdir(world.roots);
	rmdir(world.folder);
	for (int i = PUBLIC_ROOT; i < WHO_COUNT; i++)
		cert_free(&world.certs[i]);
	free(world.corp_pem);
	return 0;
}

/* --- chains ----------------------------------------------------------------------------------- */

enum pin { NO_PIN, LEAF_PIN, ROOT_PIN, OTHER_PIN };

static const struct row {
	const char *what;
	enum who issuer;
	enum who sent[2]; /* what the server sends behind its certificate */
	const char *sans; /* NULL: SANS */
	int from_days, to_days;
	bool client_only, tells_issuer;
	/* how it is looked at */
	bool declared, via_proxy, no_bundle;
	enum pin pin;
	const char *host; /* NULL: HOST */
	/* and what comes out */
	enum cause cause;
	enum confidence confidence;
	enum cause date_cause;
	const char *evidence, *value;
} rows[] = {
	{"right", PUBLIC_CA, {PUBLIC_CA}, .host = HOST},
	{"right, by address", PUBLIC_CA, {PUBLIC_CA}, .host = "127.0.0.1"},
	{"right, by a wildcard", PUBLIC_CA, {PUBLIC_CA}, .sans = "DNS:*.svc.example",
		.host = "a.svc.example"},
	{"right, with a dot at the end", PUBLIC_CA, {PUBLIC_CA}, .host = HOST "."},
	{"right, with its root", PUBLIC_CA, {PUBLIC_CA, PUBLIC_ROOT}, .host = HOST},
	{"right, through a proxy", PUBLIC_CA, {PUBLIC_CA}, .via_proxy = true},
	{"expired", PUBLIC_CA, {PUBLIC_CA}, .from_days = -60, .to_days = -30,
		.cause = CAUSE_CERT_EXPIRED, .confidence = CONFIDENCE_LIKELY,
		.date_cause = CAUSE_CERT_EXPIRED},
	{"not yet valid", PUBLIC_CA, {PUBLIC_CA}, .from_days = 30, .to_days = 60,
		.cause = CAUSE_CERT_NOT_YET_VALID, .confidence = CONFIDENCE_LIKELY,
		.date_cause = CAUSE_CERT_NOT_YET_VALID},
	{"other names", PUBLIC_CA, {PUBLIC_CA}, .sans = "DNS:a.example,DNS:b.example",
		.cause = CAUSE_CERT_NAME_MISMATCH, .evidence = "names", .value = "a.example, b.example"},
	{"another address", PUBLIC_CA, {PUBLIC_CA}, .host = "127.0.0.2",
		.cause = CAUSE_CERT_NAME_MISMATCH},
	{"other names and expired", PUBLIC_CA, {PUBLIC_CA}, .sans = "DNS:a.example", .from_days = -60,
		.to_days = -30, .cause = CAUSE_CERT_NAME_MISMATCH, .date_cause = CAUSE_CERT_EXPIRED},
	{"self-signed", NOBODY, .cause = CAUSE_CERT_UNTRUSTED},
	{"self-signed, through a proxy", NOBODY, .via_proxy = true, .cause = CAUSE_CERT_UNTRUSTED},
	{"unknown CA", STRANGER, .cause = CAUSE_CERT_UNTRUSTED, .confidence = CONFIDENCE_LIKELY,
		.evidence = "issuer", .value = "CN=Some CA"},
	{"unknown CA and its root", STRANGER, {STRANGER}, .cause = CAUSE_CERT_UNTRUSTED,
		.confidence = CONFIDENCE_LIKELY},
	{"unknown CA through a proxy: R24", STRANGER, {STRANGER}, .via_proxy = true,
		.cause = CAUSE_TLS_INTERCEPTED, .confidence = CONFIDENCE_LIKELY},
	{"an inspecting product: R24", BOX, {BOX}, .cause = CAUSE_TLS_INTERCEPTED,
		.confidence = CONFIDENCE_LIKELY, .evidence = "inspector", .value = "Zscaler"},
	{"trusted here, no public root: R24", LOCAL_ROOT, .cause = CAUSE_TLS_INTERCEPTED,
		.confidence = CONFIDENCE_LIKELY, .evidence = "trusted-here", .value = "yes"},
	{"trusted here, expired", LOCAL_ROOT, .from_days = -60, .to_days = -30,
		.cause = CAUSE_TLS_INTERCEPTED, .confidence = CONFIDENCE_LIKELY,
		.date_cause = CAUSE_CERT_EXPIRED},
	{"intermediate missing", PUBLIC_CA, .tells_issuer = true, .cause = CAUSE_CERT_CHAIN_INCOMPLETE,
		.confidence = CONFIDENCE_LIKELY, .evidence = "issuer", .value = "CN=Public CA 1"},
	{"intermediate missing, through a proxy", PUBLIC_CA, .tells_issuer = true, .via_proxy = true,
		.cause = CAUSE_CERT_CHAIN_INCOMPLETE, .confidence = CONFIDENCE_LIKELY},
	{"no bundle here", PUBLIC_CA, {PUBLIC_CA}, .no_bundle = true, .cause = CAUSE_CERT_UNTRUSTED},
	{"not for servers", PUBLIC_CA, {PUBLIC_CA}, .client_only = true, .cause = CAUSE_CERT_UNTRUSTED,
		.evidence = "problem"},
	{"declared CA", CORP_ROOT, .declared = true},
	{"declared CA, not declared", CORP_ROOT, .cause = CAUSE_CERT_UNTRUSTED,
		.confidence = CONFIDENCE_LIKELY},
	{"declared CA through a proxy", CORP_CA, {CORP_CA}, .declared = true, .via_proxy = true},
	{"declared CA, intermediate missing", CORP_CA, .declared = true,
		.cause = CAUSE_CERT_CHAIN_INCOMPLETE, .confidence = CONFIDENCE_LIKELY},
	{"declared CA, another root: R24", STRANGER, {STRANGER}, .declared = true,
		.cause = CAUSE_TLS_INTERCEPTED, .evidence = "issuer", .value = "CN=Some CA"},
	{"declared CA, another issuer: R24", STRANGER, .declared = true, .cause = CAUSE_TLS_INTERCEPTED,
		.confidence = CONFIDENCE_LIKELY},
	{"declared CA, one trusted here: R24", LOCAL_ROOT, {LOCAL_ROOT}, .declared = true,
		.cause = CAUSE_TLS_INTERCEPTED},
	{"declared CA, a public one", PUBLIC_CA, {PUBLIC_CA}, .declared = true,
		.cause = CAUSE_CERT_UNTRUSTED, .evidence = "problem"},
	{"declared CA, its twin", CORP_TWIN, {CORP_TWIN}, .declared = true, .via_proxy = true,
		.cause = CAUSE_CERT_UNTRUSTED, .confidence = CONFIDENCE_LIKELY},
	{"declared CA, expired", CORP_ROOT, .declared = true, .from_days = -60, .to_days = -30,
		.cause = CAUSE_CERT_EXPIRED, .confidence = CONFIDENCE_LIKELY,
		.date_cause = CAUSE_CERT_EXPIRED},
	{"pin of the leaf", PUBLIC_CA, {PUBLIC_CA}, .pin = LEAF_PIN},
	{"pin of the root", PUBLIC_CA, {PUBLIC_CA}, .pin = ROOT_PIN},
	{"pins disagree: R24", PUBLIC_CA, {PUBLIC_CA}, .pin = OTHER_PIN,
		.cause = CAUSE_TLS_INTERCEPTED},
	{"pins disagree, unknown CA: R24", STRANGER, .pin = OTHER_PIN, .cause = CAUSE_TLS_INTERCEPTED},
	{"pin of a leaf that nobody trusts", STRANGER, .via_proxy = true, .pin = LEAF_PIN,
		.cause = CAUSE_CERT_UNTRUSTED},
};

static char *pin_of(enum pin pin, const struct cert *leaf)
{
	const struct cert *certs[] = {NULL, leaf, &world.certs[PUBLIC_ROOT], &world.certs[STRANGER]};
	return pin == NO_PIN ? NULL : cert_pin(certs[pin]);
}

static void judge_row(const struct row *row, struct chain_seen *seen, struct evidence *evidence)
{
	struct cert leaf;
	struct cert_spec spec = {.cn = "svc",
		.sans = row->sans ? row->sans : SANS,
		.from_days = row->from_days,
		.to_days = row->to_days,
		.client_only = row->client_only,
		.tells_issuer = row->tells_issuer,
		.issuer = row->issuer ? &world.certs[row->issuer] : NULL};
	cert_make(&leaf, &spec);
	STACK_OF(X509) *sent = sk_X509_new_null();
	sk_X509_push(sent, leaf.x509);
	for (size_t i = 0; i < ARRAY_LEN(row->sent) && row->sent[i]; i++)
		sk_X509_push(sent, world.certs[row->sent[i]].x509);
	cleanup(free_ptr) char *pin = pin_of(row->pin, &leaf);
	const char *pins[] = {pin, NULL};
	struct chain_policy policy = {
		.host = row->host ? row->host : HOST,
		.ca_pem = row->declared ? world.corp_pem : NULL,
		.pins = pin ? pins : NULL,
		.bundle = row->no_bundle ? NULL : world.bundle,
		.public_roots = world.roots,
		.via_proxy = row->via_proxy,
	};
	certificate_describe(leaf.x509, sent, evidence);
	chain_judge(leaf.x509, sent, &policy, seen, evidence);
	sk_X509_free(sent);
	cert_free(&leaf);
}

static void test_chains(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct evidence evidence = {.count = 0};
		struct chain_seen seen;
		judge_row(row, &seen, &evidence);
		print_message("%s: %s\n", row->what, cause_info(seen.cause)->id);
		assert_int_equal(seen.cause, row->cause);
		assert_int_equal(seen.date_cause, row->date_cause);
		assert_int_equal(seen.clock_only, row->cause && row->cause == row->date_cause);
		if (row->cause)
			assert_int_equal(seen.confidence, row->confidence);
		assert_non_null(evidence_get(&evidence, "not-after"));
		assert_non_null(evidence_get(&evidence, "fingerprint"));
		if (row->evidence) {
			const char *value = evidence_get(&evidence, row->evidence);
			assert_non_null(value);
			assert_non_null(strstr(value, row->value ? row->value : ""));
		}
		evidence_free(&evidence);
	}
}

/* Without a folder of public roots there is no ground to call a trusted chain intercepted. */
static void test_public_roots_unknown(void **state)
{
	(void)state;
	strcpy(world.roots + strlen(world.folder), "/none");
	const struct row row = {.issuer = LOCAL_ROOT};
	struct evidence evidence = {.count = 0};
	struct chain_seen seen;
	judge_row(&row, &seen, &evidence);
	strcpy(world.roots + strlen(world.folder), "/roots");
	assert_int_equal(seen.cause, CAUSE_NONE);
	evidence_free(&evidence);
}

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
	struct cert_spec spec = {.cn = "svc", .sans = SANS, .issuer = &world.certs[CORP_ROOT]};
	cert_make(&dated.leaf, &spec);
	server_start(&server, serve_dated, &dated);
	assert_int_equal(walk_to(&server, DIAL_HTTPS, 0, world.corp_pem, &walk), 0);
	const struct evidence *secure = &walk.stages[STAGE_SECURE].evidence;
	unsigned char binding[32] = {0};
	assert_string_equal(evidence_get(secure, "version"), "TLSv1.3");
	assert_string_equal(evidence_get(secure, "names"), HOST ", 127.0.0.1");
	assert_string_equal(evidence_get(secure, "chain"), "CN=svc < CN=Corp Root, O=Example Corp");
	assert_string_equal(evidence_get(&walk.stages[STAGE_HELLO].evidence, "status"), "200");
	assert_int_equal(conn_channel_binding(walk.conn, binding), 0);
	assert_false(sodium_is_zero(binding, sizeof binding));
	walk_free(&walk);
	server_stop(&server);
	cert_free(&dated.leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_public_roots_unknown),
		cmocka_unit_test(test_handshakes),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_good_walk),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, make_world, end_world);
}
