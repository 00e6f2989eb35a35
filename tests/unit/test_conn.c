/*
 * The connection over a plain socket and over an https:// proxy: bytes, ends, waiting, and the
 * channel binding of RFC 9266 (rows R18, B4).
 */
#include "dial/stage.h"
#include "os/os.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define BULK ((size_t)300 * 1024) /* bytes: many TLS records */

static char own_bundle[] = "/tmp/sallyport-conn-XXXXXX";   /* the test's own CA */
static char other_bundle[] = "/tmp/sallyport-conn-XXXXXX"; /* another one */
static const char *bundle = own_bundle;
static SSL_CTX *server_ctx;

/* Instead of os/: the proxy's certificate is checked against the test's own CA. */
const char *os_ca_bundle(void)
{
	return bundle;
}

const char *os_public_roots(void)
{
	return NULL;
}

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME *name = X509_get_subject_name(certificate);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)"proxy.test", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	X509_EXTENSION *names =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1,DNS:proxy.test");
	X509_add_ext(certificate, names, -1);
	X509_EXTENSION_free(names);
	X509_sign(certificate, key, EVP_sha256());
	return certificate;
}

static void write_bundle(char *path, X509 *certificate)
{
	FILE *file = fdopen(mkstemp(path), "w");
	PEM_write_X509(file, certificate);
	fclose(file);
}

static int set_up(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_PKEY *other_key = EVP_EC_gen("P-256");
	X509 *certificate = make_certificate(key);
	X509 *other = make_certificate(other_key);
	write_bundle(own_bundle, certificate);
	write_bundle(other_bundle, other);
	server_ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(server_ctx, certificate);
	SSL_CTX_use_PrivateKey(server_ctx, key);
	X509_free(certificate);
	X509_free(other);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	SSL_CTX_free(server_ctx);
	return unlink(own_bundle) | unlink(other_bundle);
}

/* --- a TLS server at the other end of a socket, in a thread; it owns the socket -----------------
 */

struct peer {
	int fd;
	int max_version;
	bool no_ems;
	size_t sends; /* bytes, once the handshake is done */
	bool goodbye; /* close_notify before it closes */
	bool echoes;  /* sends back what it gets until the end */
	unsigned char binding[32];
	pthread_t thread;
};

/* The fakes write through OpenSSL's own BIO, which raises SIGPIPE; the walk's thread must not. */
static void block_sigpipe(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *peer_main(void *data)
{
	struct peer *peer = data;
	block_sigpipe();
	SSL *ssl = SSL_new(server_ctx);
	SSL_set_fd(ssl, peer->fd);
	SSL_set_max_proto_version(ssl, peer->max_version);
	if (peer->no_ems)
		SSL_set_options(ssl, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	if (SSL_accept(ssl) == 1) {
		static const char label[] = "EXPORTER-Channel-Binding";
		SSL_export_keying_material(
			ssl, peer->binding, sizeof peer->binding, label, sizeof label - 1, NULL, 0, 0);
		char block[4096];
		memset(block, 'x', sizeof block);
		for (size_t sent = 0; sent < peer->sends;) {
			size_t left = peer->sends - sent;
			int rc = SSL_write(ssl, block, (int)(left < sizeof block ? left : sizeof block));
			if (rc <= 0)
				break;
			sent += (size_t)rc;
		}
		int got;
		while (peer->echoes && (got = SSL_read(ssl, block, sizeof block)) > 0)
			if (SSL_write(ssl, block, got) <= 0)
				break;
		if (peer->goodbye)
			SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	close(peer->fd);
	return NULL;
}

/* Hands TLS with no questions about the certificate to the connection and shakes hands. */
static void secure(struct conn *conn)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	assert_int_equal(conn_take_ssl(conn, ssl), 0);
	SSL_set_connect_state(ssl);
	for (int rc; (rc = SSL_do_handshake(ssl)) != 1;) {
		int error = SSL_get_error(ssl, rc);
		assert_true(error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE);
		assert_int_equal(conn_wait(conn, deadline_in_ms(5000), NULL), WAIT_READY);
	}
}

static struct conn *connect_to(struct peer *peer)
{
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	peer->fd = fds[1];
	pthread_create(&peer->thread, NULL, peer_main, peer);
	struct conn *conn = conn_new();
	conn_take_fd(conn, fds[0]);
	secure(conn);
	return conn;
}

static ssize_t read_some(struct conn *conn, void *data, size_t len)
{
	ssize_t count;
	while ((count = conn_read(conn, data, len)) == CONN_AGAIN)
		assert_int_equal(conn_wait(conn, deadline_in_ms(5000), NULL), WAIT_READY);
	return count;
}

static void write_all(struct conn *conn, const char *data, size_t len)
{
	while (len) {
		ssize_t count = conn_write(conn, data, len);
		if (count == CONN_AGAIN) {
			assert_int_equal(conn_wait(conn, deadline_in_ms(5000), NULL), WAIT_READY);
			continue;
		}
		assert_true(count > 0);
		data += count;
		len -= (size_t)count;
	}
}

/* Both ends export the same value, or there is none to be had. */
static void test_binding(void **state)
{
	(void)state;
	static const struct {
		int version;
		bool no_ems;
		int expected;
	} rows[] = {
		{TLS1_3_VERSION, false, 0},
		{TLS1_2_VERSION, false, 0},
		{TLS1_2_VERSION, true, -1},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct peer peer = {
			.max_version = rows[i].version, .no_ems = rows[i].no_ems, .goodbye = true};
		struct conn *conn = connect_to(&peer);
		unsigned char binding[32];
		assert_int_equal(conn_channel_binding(conn, binding), rows[i].expected);
		char data[8];
		assert_int_equal(read_some(conn, data, sizeof data), 0);
		pthread_join(peer.thread, NULL);
		if (rows[i].expected == 0)
			assert_memory_equal(binding, peer.binding, sizeof binding);
		conn_close(conn);
	}
	struct conn *plain = conn_new();
	unsigned char binding[32];
	assert_int_equal(conn_channel_binding(plain, binding), -1);
	conn_close(plain);
	conn_close(NULL);
}

/* The end of the stream is 0, with close_notify and without. */
static void test_ends(void **state)
{
	(void)state;
	for (int goodbye = 0; goodbye < 2; goodbye++) {
		struct peer peer = {.sends = 3, .goodbye = goodbye};
		struct conn *conn = connect_to(&peer);
		char data[8];
		assert_int_equal(read_some(conn, data, sizeof data), 3);
		assert_int_equal(read_some(conn, data, sizeof data), 0);
		pthread_join(peer.thread, NULL);
		conn_close(conn);
	}
}

/* A write to a connection that is gone fails; SIGPIPE would end this program. */
static void test_no_sigpipe(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	struct conn *plain = conn_new();
	conn_take_fd(plain, fds[0]);
	close(fds[1]);
	assert_int_equal(conn_write(plain, "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	conn_close(plain);

	struct peer peer = {.sends = 0};
	struct conn *conn = connect_to(&peer);
	pthread_join(peer.thread, NULL);
	assert_int_equal(conn_write(conn, "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	conn_close(conn);
}

/* What TLS holds already is pending, since poll() does not see it. */
static void test_pending(void **state)
{
	(void)state;
	struct peer peer = {.sends = 100, .goodbye = true};
	struct conn *conn = connect_to(&peer);
	char data[100];
	assert_false(conn_pending(conn));
	assert_int_equal(read_some(conn, data, 10), 10);
	assert_true(conn_pending(conn));
	assert_int_equal(read_some(conn, data, sizeof data), 90);
	assert_false(conn_pending(conn));
	pthread_join(peer.thread, NULL);
	conn_close(conn);
}

static void test_wait(void **state)
{
	(void)state;
	int fds[2];
	struct cancel cancel;
	cancel_init(&cancel);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	struct conn *conn = conn_new();
	conn_take_fd(conn, fds[0]);
	char data[4];
	assert_int_equal(conn_read(conn, data, sizeof data), CONN_AGAIN);
	assert_int_equal(conn_events(conn), POLLIN);
	assert_int_equal(conn_wait(conn, deadline_in_ms(20), &cancel), WAIT_TIMEOUT);
	cancel_fire(&cancel);
	assert_int_equal(conn_wait(conn, deadline_never(), &cancel), WAIT_CANCELLED);
	conn_close(conn);
	close(fds[1]);
	cancel_fini(&cancel);
}

/* --- an https:// proxy -------------------------------------------------------------------------
 */

/* Takes one CONNECT over TLS, answers `answer`, and with `relays` carries bytes between its TLS and
 * `inner`, a socket whose other end is a struct peer; without, it sends back what it gets. */
struct proxy {
	const char *answer;
	bool relays;
	int listener, inner;
	uint16_t port;
	char request[1024];
	pthread_t thread;
};

static void relay(struct proxy *proxy, SSL *ssl, int fd)
{
	struct cancel none = {-1};
	char block[4096];
	for (;;) {
		struct pollfd fds[3] = {
			{.fd = fd, .events = POLLIN}, {.fd = proxy->inner, .events = POLLIN}};
		if (!SSL_pending(ssl) && wait_fds(fds, 2, deadline_in_ms(5000), &none) != WAIT_READY)
			return;
		if (SSL_pending(ssl) || fds[0].revents) {
			int got = SSL_read(ssl, block, sizeof block);
			if (got <= 0 || send(proxy->inner, block, (size_t)got, MSG_NOSIGNAL) != got)
				return;
		}
		if (fds[1].revents) {
			ssize_t got = recv(proxy->inner, block, sizeof block, 0);
			if (got <= 0 || SSL_write(ssl, block, (int)got) <= 0)
				return;
		}
	}
}

static void *proxy_main(void *data)
{
	struct proxy *proxy = data;
	block_sigpipe();
	int fd = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
	SSL *ssl = SSL_new(server_ctx);
	SSL_set_fd(ssl, fd);
	size_t used = 0;
	if (SSL_accept(ssl) == 1) {
		while (!strstr(proxy->request, "\r\n\r\n") && used < sizeof proxy->request - 1) {
			int got = SSL_read(ssl, proxy->request + used, (int)(sizeof proxy->request - 1 - used));
			if (got <= 0)
				break;
			used += (size_t)got;
		}
		SSL_write(ssl, proxy->answer, (int)strlen(proxy->answer));
		char block[4096];
		int got;
		if (proxy->relays)
			relay(proxy, ssl, fd);
		else
			while ((got = SSL_read(ssl, block, sizeof block)) > 0 && SSL_write(ssl, block, got) > 0)
				continue;
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	close(fd);
	if (proxy->relays)
		close(proxy->inner);
	return NULL;
}

static void proxy_start(struct proxy *proxy)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof at;
	proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(proxy->listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(proxy->listener, 4), 0);
	getsockname(proxy->listener, (struct sockaddr *)&at, &len);
	proxy->port = ntohs(at.sin_port);
	pthread_create(&proxy->thread, NULL, proxy_main, proxy);
}

static int walk_through(const struct proxy *proxy, struct walk *walk)
{
	const struct proxy_settings settings = {.set = true,
		.scheme = PROXY_HTTPS,
		.host = (char *)"127.0.0.1",
		.port = proxy->port,
		.user = (char *)"al",
		.password = (char *)"pw"};
	const struct dial_target target = {.host = "endpoint.test", .port = 443, .protocol = DIAL_TCP};
	const struct dial_options options = {
		.proxy = &settings, .root = "/nonexistent", .overall = deadline_in_ms(10000)};
	return dial_walk(&target, &options, walk);
}

/* Bytes through libcurl, more than one record, and a reader who stops in the middle of one. */
static void test_https_proxy(void **state)
{
	(void)state;
	struct proxy proxy = {.answer = "HTTP/1.1 200 Connection established\r\n\r\n"};
	proxy_start(&proxy);
	struct walk walk;
	assert_int_equal(walk_through(&proxy, &walk), 0);
	assert_non_null(strstr(proxy.request, "CONNECT endpoint.test:443 HTTP/1.1\r\n"));
	assert_non_null(strstr(proxy.request, "Proxy-Authorization: Basic YWw6cHc=\r\n"));
	char data[4096], back[4096];
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)i;
	assert_int_equal(conn_read(walk.conn, back, 1), CONN_AGAIN);
	write_all(walk.conn, data, sizeof data);
	for (size_t got = 0; got < sizeof back;) {
		size_t left = sizeof back - got;
		ssize_t count = read_some(walk.conn, back + got, left < 7 ? left : 7);
		assert_true(count > 0);
		/* The rest may be in libcurl, where poll() does not see it. */
		assert_true(conn_pending(walk.conn));
		assert_int_equal(conn_wait(walk.conn, deadline_in_ms(0), NULL), WAIT_READY);
		got += (size_t)count;
	}
	assert_memory_equal(data, back, sizeof back);
	assert_int_equal(conn_read(walk.conn, back, 1), CONN_AGAIN);
	assert_false(conn_pending(walk.conn));
	walk_free(&walk);
	pthread_join(proxy.thread, NULL);
	close(proxy.listener);
}

/* The endpoint's TLS inside the proxy's: the binding is the endpoint's (B4). */
static void test_tls_in_tls(void **state)
{
	(void)state;
	int inner[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, inner), 0);
	struct peer peer = {.fd = inner[1], .sends = BULK, .goodbye = true};
	pthread_create(&peer.thread, NULL, peer_main, &peer);
	struct proxy proxy = {.answer = "HTTP/1.1 200 OK\r\n\r\n", .relays = true, .inner = inner[0]};
	proxy_start(&proxy);
	struct walk walk;
	assert_int_equal(walk_through(&proxy, &walk), 0);
	secure(walk.conn);
	unsigned char binding[32];
	assert_int_equal(conn_channel_binding(walk.conn, binding), 0);
	char data[1000];
	size_t total = 0;
	for (ssize_t count; (count = read_some(walk.conn, data, sizeof data)) > 0;)
		total += (size_t)count;
	assert_int_equal(total, BULK);
	pthread_join(peer.thread, NULL);
	assert_memory_equal(binding, peer.binding, sizeof binding);
	walk_free(&walk);
	pthread_join(proxy.thread, NULL);
	close(proxy.listener);
}

static void test_https_proxy_refuses(void **state)
{
	(void)state;
	struct proxy proxy = {.answer = "HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"};
	proxy_start(&proxy);
	struct walk walk;
	assert_int_equal(walk_through(&proxy, &walk), -1);
	assert_int_equal(walk.failure.cause, CAUSE_PROXY_AUTH_REJECTED);
	assert_null(walk.conn);
	walk_free(&walk);
	pthread_join(proxy.thread, NULL);
	close(proxy.listener);
}

/* A proxy whose certificate is not trusted is told from one that speaks no TLS, and from a machine
 * that trusts nobody. */
static void test_https_proxy_untrusted(void **state)
{
	(void)state;
	const struct {
		const char *bundle;
		enum cause cause;
		const char *evidence;
	} rows[] = {
		{other_bundle, CAUSE_PROXY_CERT_UNTRUSTED, "problem"},
		{"/dev/null", CAUSE_CA_BUNDLE_MISSING, "bundle-problem"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct proxy proxy = {.answer = "HTTP/1.1 200 OK\r\n\r\n"};
		struct walk walk;
		proxy_start(&proxy);
		bundle = rows[i].bundle;
		assert_int_equal(walk_through(&proxy, &walk), -1);
		bundle = own_bundle;
		assert_int_equal(walk.failure.cause, rows[i].cause);
		assert_non_null(evidence_get(&walk.failure.evidence, rows[i].evidence));
		assert_string_equal(proxy.request, "");
		walk_free(&walk);
		pthread_join(proxy.thread, NULL);
		close(proxy.listener);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binding),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_no_sigpipe),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_https_proxy),
		cmocka_unit_test(test_tls_in_tls),
		cmocka_unit_test(test_https_proxy_refuses),
		cmocka_unit_test(test_https_proxy_untrusted),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
