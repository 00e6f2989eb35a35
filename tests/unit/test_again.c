/*
 * Second looks at a handshake that fails: which single change passes, and what must not be taken
 * for what (row B5). The servers here are of this test: what drops packets stands in the lab.
 */
#include "dial/again.h"
#include "lib/server.h"
#include "temporary_root.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#define HOST        "svc.example"
#define RECORD_HEAD 5
#define STALL_MS    250

static struct world {
	char root[ROOT_SIZE];
	struct cert ca, leaf;
	char *ca_pem;
} world;

static int make_world(void **state)
{
	(void)state;
	char path[ROOT_SIZE + 16];
	assert_int_equal(root_make(world.root), 0);
	snprintf(path, sizeof path, "%s/etc", world.root);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/etc/hosts", world.root);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fputs("127.0.0.1 " HOST "\n", file);
	fclose(file);
	struct cert_spec ca = {.cn = "Corp Root", .ca = true};
	struct cert_spec leaf = {.cn = "svc", .sans = "DNS:" HOST ",IP:127.0.0.1", .issuer = &world.ca};
	cert_make(&world.ca, &ca);
	cert_make(&world.leaf, &leaf);
	world.ca_pem = cert_pem(&world.ca);
	return 0;
}

static int end_world(void **state)
{
	(void)state;
	cert_free(&world.ca);
	cert_free(&world.leaf);
	free(world.ca_pem);
	return root_remove(world.root);
}

/* --- servers ---------------------------------------------------------------------------------- */

/* What the server dislikes, and what it then does. */
struct dislikes {
	const char *name; /* in the ClientHello */
	int mss_over;     /* of the connection; 0: any is right */
	bool split;       /* a ClientHello in more than one segment */
	size_t record_over;
	unsigned first; /* only so many connections, whatever they bring */
	bool answers;   /* only the request is left without an answer */
	enum { SILENT, RESET, CLOSE, ALERT } then;
	unsigned count; /* connections so far */
};

static void be_silent(int fd)
{
	char bytes[4096];
	while (recv(fd, bytes, sizeof bytes, 0) > 0)
		continue;
}

/* Waits for the whole record and leaves it in the socket. */
static size_t peek_record(int fd, unsigned char *bytes, size_t size)
{
	size_t len = 0, wanted = RECORD_HEAD;
	while (len < wanted && wanted <= size) {
		ssize_t got = recv(fd, bytes, wanted, MSG_PEEK | MSG_WAITALL);
		if (got <= 0)
			return 0;
		len = (size_t)got;
		if (len >= RECORD_HEAD)
			wanted = RECORD_HEAD + ((size_t)bytes[3] << 8 | bytes[4]);
	}
	return len;
}

static bool dislikes(const struct dislikes *what, int fd, unsigned number)
{
	unsigned char hello[4096];
	struct tcp_info info = {0};
	socklen_t len = sizeof info;
	size_t size = peek_record(fd, hello, sizeof hello);
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return (what->name && memmem(hello, size, what->name, strlen(what->name))) ||
		   (what->mss_over && info.tcpi_snd_mss > (unsigned)what->mss_over) ||
		   (what->split && info.tcpi_data_segs_in > 1) ||
		   (what->record_over && size > what->record_over) || number < what->first;
}

static void refuse(const struct dislikes *what, int fd)
{
	static const unsigned char alert[] = {0x15, 3, 3, 0, 2, 2, 112};
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	if (what->then == RESET)
		(void)connect(fd, &nowhere, sizeof nowhere); /* to nowhere: a RST */
	else if (what->then == ALERT)
		send(fd, alert, sizeof alert, 0);
	if (what->then == SILENT)
		be_silent(fd);
}

static void serve(struct server *server, int fd)
{
	struct dislikes *what = server->data;
	char request[2048];
	unsigned number = __atomic_fetch_add(&what->count, 1, __ATOMIC_RELAXED);
	bool bad = dislikes(what, fd, number);
	if (bad && !what->answers) {
		refuse(what, fd);
		return;
	}
	SSL *ssl = server_tls(fd, &world.leaf, NULL);
	if (!ssl)
		return;
	if (server_request(ssl, request, sizeof request)) {
		if (bad)
			be_silent(fd);
		else
			server_say(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	}
	SSL_free(ssl);
}

/* --- walks ------------------------------------------------------------------------------------ */

static const struct row {
	const char *what;
	struct dislikes server;
	enum dial_protocol protocol;
	const char *host; /* NULL: HOST */
	bool deep, comes_back, no_time;
	enum cause cause;
	enum confidence confidence;
	enum cause warning;
	unsigned connections; /* 0: not counted */
	const char *evidence, *value;
} rows[] = {
	{"one name is met with silence", {.name = HOST}, DIAL_TLS, .cause = CAUSE_SNI_FILTERED,
		.confidence = CONFIDENCE_LIKELY, .evidence = "passes-with",
		.value = "another name in TLS (SNI)"},
	{"one name is reset", {.name = HOST, .then = RESET}, DIAL_TLS, .cause = CAUSE_SNI_FILTERED,
		.confidence = CONFIDENCE_LIKELY, .evidence = "met-as", .value = "tls-reset"},
	{"one name is closed", {.name = HOST, .then = CLOSE}, DIAL_HTTPS, .cause = CAUSE_SNI_FILTERED,
		.confidence = CONFIDENCE_LIKELY, .evidence = "met-as", .value = "tls-closed"},
	{"one name is refused in TLS", {.name = HOST, .then = ALERT}, DIAL_TLS,
		.cause = CAUSE_TLS_ALERT, .connections = 1},
	{"names and no name are met with silence", {.name = "example"}, DIAL_TLS,
		.cause = CAUSE_SNI_FILTERED, .confidence = CONFIDENCE_LIKELY, .evidence = "passes-with",
		.value = "no name in TLS (SNI)"},
	{"silence for whoever comes", {.first = 99}, DIAL_TLS, .cause = CAUSE_TLS_STALLED,
		.confidence = CONFIDENCE_CERTAIN, .connections = 7, .evidence = "mss-536",
		.value = "tls-stalled"},
	{"a reset for whoever comes", {.first = 99, .then = RESET}, DIAL_TLS, .cause = CAUSE_TLS_RESET,
		.confidence = CONFIDENCE_CERTAIN, .connections = 5, .evidence = "no-name",
		.value = "tls-reset"},
	{"an end for whoever comes", {.first = 99, .then = CLOSE}, DIAL_TLS, .cause = CAUSE_TLS_CLOSED,
		.confidence = CONFIDENCE_CERTAIN, .evidence = "another-name", .value = "tls-closed"},
	{"silence, by address", {.first = 99}, DIAL_TLS, .host = "127.0.0.1",
		.cause = CAUSE_TLS_STALLED, .connections = 5},
	{"silence once", {.first = 1}, DIAL_TLS, .cause = CAUSE_TLS_STALLED,
		.confidence = CONFIDENCE_LIKELY, .evidence = "tried-again", .value = "2 of 2 tries pass"},
	{"a reset once", {.first = 1, .then = RESET}, DIAL_TLS, .cause = CAUSE_TLS_RESET,
		.confidence = CONFIDENCE_LIKELY, .evidence = "tried-again", .value = "2 of 2 tries pass"},
	{"silence, and no time to look", {.name = HOST}, DIAL_TLS, .no_time = true,
		.cause = CAUSE_TLS_STALLED, .confidence = CONFIDENCE_LIKELY, .connections = 1,
		.evidence = "tried-again", .value = "no: the deadline left no time for it"},
	{"large segments are lost", {.mss_over = 1300}, DIAL_TLS, .cause = CAUSE_MTU_BLACK_HOLE,
		.evidence = "direction", .value = "from the endpoint"},
	{"all but the smallest are lost", {.mss_over = 600}, DIAL_TLS, .cause = CAUSE_MTU_BLACK_HOLE,
		.evidence = "passing-mss", .value = "536"},
	{"large segments are reset: nobody loses them", {.mss_over = 1300, .then = RESET}, DIAL_TLS,
		.cause = CAUSE_TLS_RESET},
	{"a large answer is lost", {.mss_over = 1300, .answers = true}, DIAL_HTTPS,
		.cause = CAUSE_MTU_BLACK_HOLE, .evidence = "met-as", .value = "marker-absent"},
	{"no answer to whoever asks", {.first = 99, .answers = true}, DIAL_HTTPS,
		.cause = CAUSE_MARKER_ABSENT, .connections = 5, .evidence = "mss-536",
		.value = "marker-absent"},
	{"an agent comes back to a busy hub", {.first = 99}, DIAL_HUB, .comes_back = true,
		.cause = CAUSE_TLS_STALLED, .connections = 1},
	{"a check of a hub", {.name = HOST}, DIAL_HUB, .cause = CAUSE_SNI_FILTERED,
		.confidence = CONFIDENCE_LIKELY},
	/* deep */
	{"nothing is wrong, looked at deeply", {0}, DIAL_TLS, .deep = true, .connections = 6},
	{"a ClientHello in two is closed", {.split = true, .then = CLOSE}, DIAL_TLS, .deep = true,
		.warning = CAUSE_CLIENTHELLO_SPLIT_INTOLERANT, .connections = 6, .evidence = "passes-with",
		.value = "a ClientHello in one segment"},
	{"a ClientHello in two is closed, not looked at", {.split = true, .then = CLOSE}, DIAL_TLS,
		.connections = 1},
	{"a large ClientHello is not liked at all", {.record_over = 1400, .then = CLOSE}, DIAL_TLS,
		.deep = true, .connections = 8},
};

static int walk_row(const struct row *row, const struct server *server, struct walk *walk)
{
	struct identity identity;
	identity_make(&identity);
	struct dial_target target = {.host = row->host ? row->host : HOST,
		.port = server->port,
		.protocol = row->protocol,
		.ca_pem = world.ca_pem,
		.hub = {.identity = &identity, .check_only = !row->comes_back}};
	struct dial_options options = {.root = world.root,
		.overall = deadline_in_ms(row->no_time ? STALL_MS : 8000),
		.stage_ms = STALL_MS,
		.deep = row->deep};
	return dial_walk(&target, &options, walk);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct dislikes what = row->server;
		struct server server;
		struct walk walk;
		server_start(&server, serve, &what);
		int rc = walk_row(row, &server, &walk);
		const struct finding *found = row->warning ? &walk.warnings[0] : &walk.failure;
		print_message("%s: %s\n", row->what, cause_info(found->cause)->id);
		assert_int_equal(rc, row->cause ? -1 : 0);
		assert_int_equal(walk.failure.cause, row->cause);
		assert_int_equal(walk.warning_count, row->warning ? 1 : 0);
		assert_int_equal(found->cause, row->warning ? row->warning : row->cause);
		if (row->cause)
			assert_int_equal(found->confidence, row->confidence);
		if (row->evidence) {
			const char *value = evidence_get(&found->evidence, row->evidence);
			assert_non_null(value);
			assert_string_equal(value, row->value);
		}
		walk_free(&walk);
		server_stop(&server);
		if (row->connections)
			assert_int_equal(what.count, row->connections);
	}
}

/* The neutral name keeps the ClientHello's size and is a name. */
static void test_neutral_names(void **state)
{
	(void)state;
	char host[TOKEN_MAX_HOST + 1], name[TOKEN_MAX_HOST + 1];
	for (size_t len = 1; len <= TOKEN_MAX_HOST; len++) {
		memset(host, 'h', len);
		host[len] = '\0';
		again_neutral_name(host, name);
		assert_int_equal(strlen(name), len > 9 ? len : 9);
		assert_string_equal(name + strlen(name) - 8, ".example");
		size_t label = 0;
		for (const char *at = name; *at; at++) {
			label = *at == '.' ? 0 : label + 1;
			assert_true(label <= 63);
			assert_false(*at == '.' && (at == name || at[1] == '.' || !at[1]));
		}
	}
}

static void test_cancel(void **state)
{
	(void)state;
	struct dislikes what = {.first = 99, .then = RESET};
	struct server server;
	struct walk walk;
	struct cancel cancel;
	server_start(&server, serve, &what);
	struct dial_target target = {.host = HOST, .port = server.port, .protocol = DIAL_TLS};
	struct dial_options options = {
		.root = world.root, .overall = deadline_in_ms(8000), .cancel = &cancel};
	assert_int_equal(cancel_init(&cancel), 0);
	cancel_fire(&cancel);
	assert_int_equal(dial_walk(&target, &options, &walk), -1);
	assert_true(walk.cancelled);
	assert_int_equal(walk.failure.cause, CAUSE_NONE);
	walk_free(&walk);
	cancel_fini(&cancel);
	server_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_neutral_names),
		cmocka_unit_test(test_cancel),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, make_world, end_world);
}
