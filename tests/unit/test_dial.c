/* The walk against small servers on loopback: connect and tunnel, time and cancel (R4, R18 to R23).
 */
#include "base/json.h"
#include "dial/transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* A server that takes one connection, reads one request head, says its words and, unless it
 * `holds`, closes. */
struct fake {
	const char *words;          /* NULL: says nothing */
	bool holds, greets;         /* greets: speaks before it was asked */
	const struct cancel *fires; /* once the request was read */
	int listener;
	uint16_t port;
	pthread_t thread;
	bool joined;
	struct cancel release;
	struct buf request;
};

/* *port 0: any. */
static int listen_on(const char *address, int backlog, uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t len = sizeof at;
	inet_pton(AF_INET, address, &at.sin_addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, backlog), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	*port = ntohs(at.sin_port);
	return fd;
}

static void read_request(struct fake *fake, int fd)
{
	char part[512];
	while (!strstr(buf_text(&fake->request), "\r\n\r\n") &&
		   wait_fd(fd, POLLIN, deadline_never(), &fake->release) == WAIT_READY) {
		ssize_t got = recv(fd, part, sizeof part, 0);
		if (got <= 0)
			return;
		buf_append(&fake->request, part, (size_t)got);
	}
}

static void *fake_main(void *data)
{
	struct fake *fake = data;
	if (wait_fd(fake->listener, POLLIN, deadline_never(), &fake->release) != WAIT_READY)
		return NULL;
	int fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
	if (!fake->greets)
		read_request(fake, fd);
	if (fake->fires)
		cancel_fire(fake->fires);
	if (fake->words)
		(void)!send(fd, fake->words, strlen(fake->words), MSG_NOSIGNAL);
	if (fake->holds)
		wait_fd(-1, 0, deadline_never(), &fake->release);
	/* What is unread would turn the close into a reset that overtakes the words. */
	shutdown(fd, SHUT_WR);
	char rest[512];
	while (wait_fd(fd, POLLIN, deadline_never(), &fake->release) == WAIT_READY &&
		   recv(fd, rest, sizeof rest, 0) > 0)
		continue;
	close(fd);
	return NULL;
}

static void fake_start(struct fake *fake)
{
	cancel_init(&fake->release);
	fake->port = 0;
	fake->listener = listen_on("127.0.0.1", 8, &fake->port);
	pthread_create(&fake->thread, NULL, fake_main, fake);
}

/* Waits until the connection has ended; `request` may be looked at then. */
static void fake_join(struct fake *fake)
{
	if (!fake->joined)
		pthread_join(fake->thread, NULL);
	fake->joined = true;
}

static void fake_stop(struct fake *fake)
{
	cancel_fire(&fake->release);
	fake_join(fake);
	close(fake->listener);
	cancel_fini(&fake->release);
	buf_free(&fake->request);
}

static struct proxy_settings proxy_at(uint16_t port, enum proxy_scheme scheme)
{
	return (struct proxy_settings){.set = true,
		.scheme = scheme,
		.host = (char *)"127.0.0.1",
		.port = port,
		.origin = (char *)"HTTPS_PROXY (environment)"};
}

static int walk_to(const char *host, uint16_t port, const struct proxy_settings *proxy,
	const struct cancel *cancel, int stage_ms, struct walk *walk)
{
	const struct dial_target target = {.host = host, .port = port, .protocol = DIAL_TCP};
	const struct dial_options options = {.proxy = proxy,
		.root = "/nonexistent",
		.overall = deadline_in_ms(10000),
		.stage_ms = stage_ms,
		.cancel = cancel};
	return dial_walk(&target, &options, walk);
}

static void assert_failed(const struct walk *walk, enum cause cause, enum stage stage)
{
	assert_string_equal(cause_info(walk->failure.cause)->id, cause_info(cause)->id);
	assert_string_equal(stage_name(walk->failure.stage), stage_name(stage));
	assert_null(walk->conn);
}

#define GREETING "220 mail.test ESMTP\r\n"

/* Each answer of a proxy ends in its one cause, and no byte goes anywhere but to the proxy. */
static void test_proxy_answers(void **state)
{
	(void)state;
	static const struct {
		const char *words;
		bool greets;
		enum proxy_scheme scheme;
		const char *user;
		enum cause cause;
		const char *name, *value; /* evidence */
	} rows[] = {
		{"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"a\"\r\nContent-Length: "
		 "5\r\n\r\nhello",
			false, PROXY_HTTP, NULL, CAUSE_PROXY_AUTH_REQUIRED, "schemes", "Basic"},
		{"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"a\"\r\n\r\n", false, PROXY_HTTP,
			"bob", CAUSE_PROXY_AUTH_REJECTED, "user", "bob"},
		{"HTTP/1.0 401 Unauthorized\r\n\r\n", false, PROXY_HTTP, "bob", CAUSE_PROXY_AUTH_REJECTED,
			"auth", "basic"},
		{"HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n\r\n",
			false, PROXY_HTTP, "bob", CAUSE_PROXY_AUTH_UNSUPPORTED, "proxy-authenticate",
			"NTLM, Negotiate"},
		{"HTTP/1.1 403 Forbidden\r\nServer: gate/1\r\n\r\n", false, PROXY_HTTP, NULL,
			CAUSE_PROXY_DENIED, "server", "gate/1"},
		{"HTTP/1.1 502 Bad Gateway\r\n\r\n<p>getaddrinfo failed</p>", false, PROXY_HTTP, NULL,
			CAUSE_PROXY_UPSTREAM_DNS, "proxy-says", "getaddrinfo failed"},
		{"HTTP/1.1 503 x\r\nX-Squid-Error: ERR_CONNECT_FAIL 111\r\n\r\n", false, PROXY_HTTP, NULL,
			CAUSE_PROXY_UPSTREAM_CONNECT, "proxy-error", "ERR_CONNECT_FAIL 111"},
		{GREETING, true, PROXY_HTTP, NULL, CAUSE_PROXY_NOT_A_PROXY, NULL, NULL},
		{"\x01\x02 no line", false, PROXY_HTTP, NULL, CAUSE_PROXY_NOT_A_PROXY, NULL, NULL},
		{"\x15\x03\x03", false, PROXY_HTTP, NULL, CAUSE_PROXY_NOT_A_PROXY, NULL, NULL},
		{GREETING, true, PROXY_HTTPS, NULL, CAUSE_PROXY_NOT_A_PROXY, NULL, NULL},
		{NULL, false, PROXY_HTTP, NULL, CAUSE_PROXY_NOT_A_PROXY, NULL, NULL},
		{"HTTP/1.1 200 OK\r\nX: ", false, PROXY_HTTP, NULL, CAUSE_PROXY_NOT_A_PROXY, NULL, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fake fake = {.words = rows[i].words, .greets = rows[i].greets};
		fake_start(&fake);
		struct proxy_settings proxy = proxy_at(fake.port, rows[i].scheme);
		proxy.user = (char *)rows[i].user;
		proxy.password = rows[i].user ? (char *)"pw-SECRET" : NULL;
		struct walk walk;
		assert_int_equal(walk_to("endpoint.test", 443, &proxy, NULL, 3000, &walk), -1);
		if (walk.failure.cause != rows[i].cause)
			print_message("row %zu\n", i);
		assert_failed(&walk, rows[i].cause, STAGE_TUNNEL);
		const struct evidence *evidence = &walk.failure.evidence;
		assert_string_equal(evidence_get(evidence, "endpoint"), "endpoint.test:443");
		assert_non_null(strstr(evidence_get(evidence, "proxy"), "://127.0.0.1:"));
		if (rows[i].name)
			assert_string_equal(evidence_get(evidence, rows[i].name), rows[i].value);
		json_t *json = walk_to_json(&walk);
		char *text = json_dumps(json, 0);
		assert_null(strstr(text, "SECRET"));
		assert_null(strstr(text, "Ym9iOnB3"));
		assert_null(strstr(text, "\"secure\""));
		free(text);
		json_decref(json);
		walk_free(&walk);
		fake_stop(&fake);
	}
}

/* The first bytes are looked at before libcurl takes them: what is no HTTP is told word for word.
 */
static void test_first_bytes(void **state)
{
	(void)state;
	static const struct {
		const char *words;
		enum proxy_scheme scheme;
		const char *told;
	} rows[] = {
		{GREETING, PROXY_HTTP, GREETING},
		{"\x01\x02 no line", PROXY_HTTP, "\x01\x02 no line"},
		{"\x15\x03\x03", PROXY_HTTP, "TLS, so its scheme is https://"},
		{"HTTP/1.1 400 x\r\n\r\n", PROXY_HTTPS, "HTTP without TLS, so its scheme is http://"},
		{GREETING, PROXY_HTTPS, GREETING},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint16_t port = 0;
		int listener = listen_on("127.0.0.1", 8, &port);
		const struct proxy_settings proxy = proxy_at(port, rows[i].scheme);
		const struct dial_target target = {.host = "endpoint.test", .port = 443};
		const struct dial_options options = {.proxy = &proxy};
		const struct walker walker = {.target = &target,
			.options = &options,
			.endpoint = "endpoint.test:443",
			.via_proxy = true,
			.next_host = "127.0.0.1",
			.next_port = port};
		int error;
		struct transfer *transfer =
			transfer_start(&walker, (struct in_addr){htonl(INADDR_LOOPBACK)}, &error);
		assert_int_equal(
			transfer_connected(transfer, deadline_in_ms(5000), NULL, &error), WAIT_READY);
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		size_t len = strlen(rows[i].words);
		assert_int_equal(send(fd, rows[i].words, len, MSG_NOSIGNAL), len);
		assert_int_equal(wait_fd(transfer->fd, POLLIN, deadline_in_ms(5000), NULL), WAIT_READY);
		assert_int_equal(transfer_tunnel(transfer, deadline_in_ms(5000), NULL), TRANSFER_REFUSED);
		assert_string_equal(buf_text(&transfer->answer.not_http), rows[i].told);
		transfer_free(transfer);
		close(fd);
		close(listener);
	}
}

/* The tunnel is the endpoint's from the first byte after the answer's head, and the proxy gets the
 * credentials (R22) or none (R21). */
static void test_tunnel(void **state)
{
	(void)state;
	static const struct {
		const char *user, *password, *header;
	} rows[] = {
		{NULL, NULL, NULL},
		{"al", "s3:cr@t", "Proxy-Authorization: Basic YWw6czM6Y3JAdA==\r\n"},
		{"al", "", "Proxy-Authorization: Basic YWw6\r\n"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fake fake = {
			.words = "HTTP/1.1 200 Connection established\r\nVia: 1.1 p\r\n\r\nfirst"};
		fake_start(&fake);
		struct proxy_settings proxy = proxy_at(fake.port, PROXY_HTTP);
		proxy.user = (char *)rows[i].user;
		proxy.password = (char *)rows[i].password;
		struct walk walk;
		assert_int_equal(walk_to("endpoint.test", 8443, &proxy, NULL, 0, &walk), 0);
		assert_int_equal(walk.stages[STAGE_TUNNEL].status, STAGE_PASSED);
		const struct evidence *evidence = &walk.stages[STAGE_TUNNEL].evidence;
		assert_string_equal(evidence_get(evidence, "status"), "200");
		assert_string_equal(evidence_get(evidence, "auth"), rows[i].user ? "basic" : "none");
		char data[16] = "";
		assert_int_equal(conn_wait(walk.conn, deadline_in_ms(5000), NULL), WAIT_READY);
		assert_int_equal(conn_read(walk.conn, data, sizeof data), 5);
		assert_string_equal(data, "first");
		walk_free(&walk);
		fake_join(&fake);
		const char *request = buf_text(&fake.request);
		assert_ptr_equal(strstr(request, "CONNECT endpoint.test:8443 HTTP/1.1\r\n"), request);
		if (rows[i].header)
			assert_non_null(strstr(request, rows[i].header));
		else
			assert_null(strstr(request, "Authorization"));
		fake_stop(&fake);
	}
}

/* A proxy that says nothing costs the stage's deadline, not more. */
static void test_stalled(void **state)
{
	(void)state;
	struct fake fake = {.words = NULL, .holds = true};
	fake_start(&fake);
	struct proxy_settings proxy = proxy_at(fake.port, PROXY_HTTP);
	struct walk walk;
	assert_int_equal(walk_to("endpoint.test", 443, &proxy, NULL, 200, &walk), -1);
	assert_failed(&walk, CAUSE_PROXY_STALLED, STAGE_TUNNEL);
	assert_in_range((unsigned)walk.elapsed_ms, 200, 1500);
	walk_free(&walk);
	fake_stop(&fake);
}

/* A cancel while the proxy thinks ends the walk at once and blames nobody; nor does an answer that
 * comes after it. */
static void test_cancelled(void **state)
{
	(void)state;
	static const char *const words[] = {NULL, "HTTP/1.1 403 Forbidden\r\n\r\n"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct cancel cancel;
		cancel_init(&cancel);
		struct fake fake = {.words = words[i], .holds = true, .fires = &cancel};
		fake_start(&fake);
		struct proxy_settings proxy = proxy_at(fake.port, PROXY_HTTP);
		struct walk walk;
		assert_int_equal(walk_to("endpoint.test", 443, &proxy, &cancel, 8000, &walk), -1);
		assert_true(walk.cancelled);
		json_t *stages = walk_to_json(&walk);
		const json_t *last = json_array_get(stages, json_array_size(stages) - 1);
		assert_string_equal(json_get_text(last, "status"), "unknown");
		json_decref(stages);
		assert_int_equal(walk.failure.cause, CAUSE_NONE);
		assert_int_equal(walk.failure.evidence.count, 0);
		assert_null(walk.conn);
		assert_in_range((unsigned)walk.elapsed_ms, 0, 4000);
		walk_free(&walk);
		fake_stop(&fake);
		cancel_fini(&cancel);
	}
}

/* A refusal is told at the end of its head; its page is not waited for. */
static void test_endless_page(void **state)
{
	(void)state;
	static const char *const words[] = {"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic "
										"realm=x\r\nContent-Length: 1000000000\r\n\r\n<p>",
		"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=x\r\nTransfer-Encoding: "
		"chunked\r\n\r\n5"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct fake fake = {.words = words[i], .holds = true};
		fake_start(&fake);
		struct proxy_settings proxy = proxy_at(fake.port, PROXY_HTTP);
		struct walk walk;
		assert_int_equal(walk_to("endpoint.test", 443, &proxy, NULL, 6000, &walk), -1);
		assert_failed(&walk, CAUSE_PROXY_AUTH_REQUIRED, STAGE_TUNNEL);
		assert_in_range((unsigned)walk.elapsed_ms, 0, 3000);
		walk_free(&walk);
		fake_stop(&fake);
	}
}

/* A port that nobody listens on: bound, so that nobody else gets it, but not listening. */
static int closed_port(uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	*port = ntohs(at.sin_port);
	return fd;
}

/* The same RST has another cause at the proxy than at the endpoint; a dead proxy is never walked
 * around (R23): the endpoint listens and must see no connection. */
static void test_refused(void **state)
{
	(void)state;
	uint16_t port, open_port = 0;
	int closed = closed_port(&port);
	int endpoint = listen_on("127.0.0.1", 8, &open_port);
	struct walk walk;
	assert_int_equal(walk_to("127.0.0.1", port, NULL, NULL, 0, &walk), -1);
	assert_failed(&walk, CAUSE_CONNECT_REFUSED, STAGE_CONNECT);
	assert_string_equal(evidence_get(&walk.failure.evidence, "address"), "127.0.0.1");
	assert_null(evidence_get(&walk.failure.evidence, "proxy"));
	walk_free(&walk);
	struct proxy_settings proxy = proxy_at(port, PROXY_HTTP);
	assert_int_equal(walk_to("127.0.0.1", open_port, &proxy, NULL, 0, &walk), -1);
	assert_failed(&walk, CAUSE_PROXY_REFUSED, STAGE_CONNECT);
	assert_int_equal(wait_fd(endpoint, POLLIN, deadline_in_ms(0), NULL), WAIT_TIMEOUT);
	walk_free(&walk);
	close(closed);
	close(endpoint);
}

/* A listener whose queue is full drops every further SYN: an address that never answers. */
struct silent {
	int fds[16];
	size_t count;
	uint16_t port;
};

static void silent_start(struct silent *silent, const char *address, uint16_t port)
{
	silent->port = port;
	silent->fds[0] = listen_on(address, 0, &silent->port);
	silent->count = 1;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(silent->port)};
	inet_pton(AF_INET, address, &to.sin_addr);
	enum wait_result result = WAIT_READY;
	while (result == WAIT_READY && silent->count < ARRAY_LEN(silent->fds)) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		silent->fds[silent->count++] = fd;
		(void)!connect(fd, (struct sockaddr *)&to, sizeof to);
		result = wait_fd(fd, POLLOUT, deadline_in_ms(200), NULL);
	}
	assert_int_equal(result, WAIT_TIMEOUT);
}

static void silent_stop(struct silent *silent)
{
	for (size_t i = 0; i < silent->count; i++)
		close(silent->fds[i]);
}

static void test_timeout(void **state)
{
	(void)state;
	struct silent silent;
	silent_start(&silent, "127.0.0.1", 0);
	struct walk walk;
	assert_int_equal(walk_to("127.0.0.1", silent.port, NULL, NULL, 150, &walk), -1);
	assert_failed(&walk, CAUSE_CONNECT_TIMEOUT, STAGE_CONNECT);
	assert_in_range((unsigned)walk.elapsed_ms, 150, 1500);
	walk_free(&walk);
	struct proxy_settings proxy = proxy_at(silent.port, PROXY_HTTP);
	assert_int_equal(walk_to("endpoint.test", 443, &proxy, NULL, 150, &walk), -1);
	assert_failed(&walk, CAUSE_PROXY_TIMEOUT, STAGE_CONNECT);
	walk_free(&walk);
	silent_stop(&silent);
}

/* The walk's own deadline is the sooner one. */
static void test_overall_deadline(void **state)
{
	(void)state;
	struct fake fake = {.words = NULL, .holds = true};
	fake_start(&fake);
	const struct proxy_settings proxy = proxy_at(fake.port, PROXY_HTTP);
	const struct dial_target target = {.host = "endpoint.test", .port = 443, .protocol = DIAL_TCP};
	const struct dial_options options = {.proxy = &proxy, .overall = deadline_in_ms(150)};
	struct walk walk;
	assert_int_equal(dial_walk(&target, &options, &walk), -1);
	assert_failed(&walk, CAUSE_PROXY_STALLED, STAGE_TUNNEL);
	assert_in_range((unsigned)walk.elapsed_ms, 100, 1500);
	walk_free(&walk);
	fake_stop(&fake);
}

/* Of several addresses a dead one costs its share of the time, and the next one is tried. */
static void test_second_address(void **state)
{
	(void)state;
	static const char *const dead[] = {"127.0.0.2", "127.0.0.3"};
	uint16_t port = 0;
	int listener = listen_on("127.0.0.1", 8, &port);
	struct silent silent;
	silent_start(&silent, dead[1], port);

	const struct dial_target target = {.host = "two.test", .port = silent.port};
	const struct dial_options options = {.overall = deadline_never()};
	struct walk walk = {.conn = NULL};
	struct walker walker = {.target = &target,
		.options = &options,
		.walk = &walk,
		.stage = STAGE_CONNECT,
		.evidence = &walk.stages[STAGE_CONNECT].evidence,
		.deadline = deadline_in_ms(1600),
		.next_host = target.host,
		.next_port = target.port,
		.address_count = 3};
	inet_pton(AF_INET, dead[0], &walker.addresses[0]);
	inet_pton(AF_INET, dead[1], &walker.addresses[1]);
	inet_pton(AF_INET, "127.0.0.1", &walker.addresses[2]);
	int64_t start = clock_mono_us();
	if (connect_run(&walker))
		fail_msg("%s: %s", evidence_get(walker.evidence, "tried"),
			evidence_get(walker.evidence, "error"));
	assert_in_range((unsigned)clock_ms_since(start), 700, 1500);
	assert_non_null(walk.conn);
	assert_string_equal(evidence_get(walker.evidence, "address"), "127.0.0.1");
	assert_string_equal(
		evidence_get(walker.evidence, "tried"), "127.0.0.2: refused; 127.0.0.3: no answer");
	walk_free(&walk);
	close(listener);
	silent_stop(&silent);
}

/* An entry of NO_PROXY chose a way that is closed; the proxy leads there. It is named, and it is
 * not used. When the proxy says that the endpoint is not reachable either, the endpoint is to
 * blame. */
static void test_wrongly_bypassed(void **state)
{
	(void)state;
	static const struct {
		const char *words;
		enum cause cause;
		const char *other_way;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\n\r\n", CAUSE_PROXY_WRONGLY_BYPASSED, "passes"},
		{"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=x\r\n\r\n",
			CAUSE_PROXY_WRONGLY_BYPASSED, "proxy-auth-required"},
		{"HTTP/1.1 502 x\r\n\r\n", CAUSE_CONNECT_REFUSED, "proxy-upstream-connect"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint16_t port;
		int closed = closed_port(&port);
		struct fake fake = {.words = rows[i].words};
		fake_start(&fake);
		struct proxy_settings proxy = proxy_at(fake.port, PROXY_HTTP);
		proxy.no_proxy = (char *)"127.0.0.0/8";
		proxy.no_proxy_origin = (char *)"no_proxy (environment)";
		struct walk walk;
		assert_int_equal(walk_to("127.0.0.1", port, &proxy, NULL, 0, &walk), -1);
		assert_failed(&walk, rows[i].cause, STAGE_CONNECT);
		const struct evidence *evidence = &walk.failure.evidence;
		assert_string_equal(evidence_get(evidence, "other-way"), rows[i].other_way);
		assert_int_equal(!evidence_get(evidence, "passes-with"), i > 0);
		assert_string_equal(evidence_get(evidence, "no-proxy-entry"), "127.0.0.0/8");
		assert_string_equal(evidence_get(evidence, "no-proxy-origin"), "no_proxy (environment)");
		walk_free(&walk);
		fake_stop(&fake);
		close(closed);
	}
}

/* What stands in the report: the stages that were reached, in their order. */
/* Of the other proxies that the machine names the first that leads there is told; the walk fails
 * all the same, and nothing is sent through it but CONNECT (R23). */
static void test_other_proxy(void **state)
{
	(void)state;
	uint16_t port;
	int closed = closed_port(&port);
	struct fake refuses = {.words = "HTTP/1.1 403 x\r\n\r\n"};
	struct fake leads = {.words = "HTTP/1.1 200 OK\r\n\r\n"};
	struct walk walk;
	fake_start(&refuses);
	fake_start(&leads);
	struct proxy_settings others[] = {proxy_at(leads.port, PROXY_HTTP),
		proxy_at(refuses.port, PROXY_HTTP), proxy_at(leads.port, PROXY_HTTP)};
	others[0].no_proxy = (char *)"*"; /* it would not be used for this endpoint */
	others[2].origin = (char *)"HTTP_PROXY (environment)";
	const struct dial_target target = {.host = "127.0.0.1", .port = port, .protocol = DIAL_TCP};
	const struct dial_options options = {.root = "/nonexistent",
		.overall = deadline_in_ms(10000),
		.others = others,
		.other_count = ARRAY_LEN(others)};
	assert_int_equal(dial_walk(&target, &options, &walk), -1);
	assert_failed(&walk, CAUSE_CONNECT_REFUSED, STAGE_CONNECT);
	cleanup(free_ptr) char *wanted =
		xasprintf("the proxy http://127.0.0.1:%u of HTTP_PROXY (environment)", leads.port);
	assert_string_equal(evidence_get(&walk.failure.evidence, "passes-with"), wanted);
	walk_free(&walk);
	fake_join(&leads);
	assert_non_null(strstr(buf_text(&leads.request), "CONNECT 127.0.0.1:"));
	assert_string_equal(strstr(buf_text(&leads.request), "\r\n\r\n"), "\r\n\r\n");
	fake_stop(&refuses);
	fake_stop(&leads);
	close(closed);
}

/* Behind a proxy the direct way is looked at on demand alone, and then not a byte goes there. */
static void test_direct_way(void **state)
{
	(void)state;
	for (int deep = 0; deep < 2; deep++) {
		struct fake denies = {.words = "HTTP/1.1 403 x\r\n\r\n"}, endpoint = {.words = NULL};
		struct walk walk;
		fake_start(&denies);
		fake_start(&endpoint);
		const struct proxy_settings proxy = proxy_at(denies.port, PROXY_HTTP);
		const struct dial_target target = {
			.host = "127.0.0.1", .port = endpoint.port, .protocol = DIAL_TCP};
		const struct dial_options options = {.proxy = &proxy,
			.root = "/nonexistent",
			.overall = deadline_in_ms(10000),
			.deep = deep};
		assert_int_equal(dial_walk(&target, &options, &walk), -1);
		assert_failed(&walk, CAUSE_PROXY_DENIED, STAGE_TUNNEL);
		const char *way = evidence_get(&walk.failure.evidence, "direct-way");
		const char *passes = evidence_get(&walk.failure.evidence, "passes-with");
		if (deep) {
			fake_join(&endpoint); /* it had a connection, and its end */
			assert_string_equal(way, "connects (TCP alone was tried)");
			assert_non_null(strstr(passes, "no proxy"));
		} else {
			assert_null(way);
			assert_null(passes);
			assert_int_equal(
				wait_fd(endpoint.listener, POLLIN, deadline_in_ms(0), NULL), WAIT_TIMEOUT);
		}
		assert_int_equal(endpoint.request.len, 0);
		walk_free(&walk);
		fake_stop(&denies);
		fake_stop(&endpoint);
	}
}

/* DIAL_HTTP: hello over plain TCP, without `secure`; the page may be the marker. */
static void test_plain_http(void **state)
{
	(void)state;
	static const struct {
		const char *words;
		enum cause cause;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nis online", CAUSE_NONE},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nthe hotel", CAUSE_MARKER_ABSENT},
		{"HTTP/1.1 302 Found\r\nLocation: http://login.hotel.example/\r\n\r\n",
			CAUSE_CAPTIVE_PORTAL},
	};
	static const struct dial_marker marker = {.path = "/nm", .status = 200, .body_begins = "is on"};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fake fake = {.words = rows[i].words};
		struct walk walk;
		fake_start(&fake);
		const struct dial_target target = {
			.host = "127.0.0.1", .port = fake.port, .protocol = DIAL_HTTP, .marker = &marker};
		const struct dial_options options = {
			.root = "/nonexistent", .overall = deadline_in_ms(10000)};
		dial_walk(&target, &options, &walk);
		assert_string_equal(cause_info(walk.failure.cause)->id, cause_info(rows[i].cause)->id);
		assert_int_equal(walk.stages[STAGE_SECURE].status, STAGE_SKIPPED);
		assert_int_equal(
			walk.stages[STAGE_HELLO].status, rows[i].cause ? STAGE_FAILED : STAGE_PASSED);
		walk_free(&walk);
		fake_join(&fake);
		assert_non_null(strstr(buf_text(&fake.request), "GET /nm HTTP/1.1\r\nHost: 127.0.0.1:"));
		fake_stop(&fake);
	}
}

/* R8: the first stage alone, past any proxy. */
static void test_resolve_alone(void **state)
{
	(void)state;
	const struct proxy_settings proxy = proxy_at(9, PROXY_HTTP);
	const struct dial_target target = {.host = "127.0.0.1", .protocol = DIAL_TCP};
	const struct dial_options options = {
		.proxy = &proxy, .root = "/nonexistent", .overall = deadline_in_ms(10000)};
	struct walk walk;
	assert_int_equal(dial_resolve(&target, &options, &walk), 0);
	assert_int_equal(walk.stages[STAGE_RESOLVE].status, STAGE_PASSED);
	assert_int_equal(walk.stages[STAGE_CONNECT].status, STAGE_NOT_REACHED);
	assert_string_equal(evidence_get(&walk.stages[STAGE_RESOLVE].evidence, "source"), "address");
	assert_null(walk.proxy);
	walk_free(&walk);
}

static void test_json(void **state)
{
	(void)state;
	uint16_t port = 0;
	int listener = listen_on("127.0.0.1", 8, &port);
	struct walk walk;
	assert_int_equal(walk_to("127.0.0.1", port, NULL, NULL, 0, &walk), 0);
	json_t *json = walk_to_json(&walk);
	static const char *const expected[][2] = {
		{"resolve", "pass"}, {"connect", "pass"}, {"tunnel", "skipped"}};
	assert_int_equal(json_array_size(json), ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		json_t *stage = json_array_get(json, i);
		assert_string_equal(json_string_value(json_object_get(stage, "stage")), expected[i][0]);
		assert_string_equal(json_string_value(json_object_get(stage, "status")), expected[i][1]);
		assert_true(json_is_real(json_object_get(stage, "ms")));
		assert_true(json_is_object(json_object_get(stage, "evidence")));
	}
	json_decref(json);
	walk_free(&walk);
	close(listener);
}

/* A name that is none never gets into a request. */
static void test_bad_names(void **state)
{
	(void)state;
	static const char *const names[] = {
		"", "a b", "a@b", "a/b", "a\r\nX: y", "\xc3\xa4.test", "a:1"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct fake fake = {.words = "HTTP/1.1 200 OK\r\n\r\n"};
		fake_start(&fake);
		struct proxy_settings proxy = proxy_at(fake.port, PROXY_HTTP);
		struct walk walk;
		assert_int_equal(walk_to(names[i], 443, &proxy, NULL, 500, &walk), -1);
		assert_failed(&walk, CAUSE_DNS_NXDOMAIN, STAGE_RESOLVE);
		walk_free(&walk);
		fake_stop(&fake);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proxy_answers),
		cmocka_unit_test(test_first_bytes),
		cmocka_unit_test(test_tunnel),
		cmocka_unit_test(test_stalled),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_endless_page),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_overall_deadline),
		cmocka_unit_test(test_second_address),
		cmocka_unit_test(test_wrongly_bypassed),
		cmocka_unit_test(test_other_proxy),
		cmocka_unit_test(test_direct_way),
		cmocka_unit_test(test_plain_http),
		cmocka_unit_test(test_resolve_alone),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_bad_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
