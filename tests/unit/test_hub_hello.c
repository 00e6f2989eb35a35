/*
 * hello with a hub: the mutual proof and everything that it tells apart (rows R24, B4, S13),
 * against a hub and an inspecting box of this test.
 */
#include "dial/dial.h"
#include "lib/fake_hub.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static struct world {
	struct cert root, leaf;    /* the endpoint's own */
	struct cert box, box_leaf; /* an inspecting proxy's, for the same name */
	char *root_pem, *box_pem;
	struct identity agent;
	struct join_token token;
} world;

static int make_world(void **state)
{
	(void)state;
	struct cert_spec root = {.cn = "Hub CA", .ca = true, .from_days = -4000, .to_days = 4000};
	struct cert_spec box = {.cn = "Lab SSL Inspection CA", .ca = true};
	struct cert_spec leaf = {.cn = "hub", .sans = "IP:127.0.0.1", .issuer = &world.root};
	struct cert_spec box_leaf = {.cn = "hub", .sans = "IP:127.0.0.1", .issuer = &world.box};
	cert_make(&world.root, &root);
	cert_make(&world.box, &box);
	cert_make(&world.leaf, &leaf);
	cert_make(&world.box_leaf, &box_leaf);
	world.root_pem = cert_pem(&world.root);
	world.box_pem = cert_pem(&world.box);
	identity_make(&world.agent);
	randombytes_buf(world.token.secret, sizeof world.token.secret);
	return 0;
}

static int end_world(void **state)
{
	(void)state;
	cert_free(&world.root);
	cert_free(&world.leaf);
	cert_free(&world.box);
	cert_free(&world.box_leaf);
	free(world.root_pem);
	free(world.box_pem);
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

/* --- the hub ---------------------------------------------------------------------------------- */

struct knobs {
	struct fake_hub hub;
	bool joined;    /* knows the hub's CA and key, comes back */
	bool enrols;    /* by the token */
	bool anonymous; /* a check without identity */
	bool check_only;
	bool other_pin;     /* expects another hub's key */
	const char *ca_pem; /* NULL: world.root_pem for a joined agent, none otherwise */
	int stage_ms;
	uint16_t port; /* 0: the hub's own */
};

static int walk_hub(struct knobs *knobs, struct walk *walk)
{
	static const unsigned char other_key[IDENTITY_KEY_BYTES] = {1};
	struct fake_hub *hub = &knobs->hub;
	struct join_token token = world.token;
	const unsigned char *pin = knobs->other_pin ? other_key : hub->identity.public_key;
	crypto_hash_sha256(token.hub_key_hash, pin, IDENTITY_KEY_BYTES);
	struct dial_target target = {
		.host = "127.0.0.1",
		.port = knobs->port ? knobs->port : hub->server.port,
		.protocol = DIAL_HUB,
		.ca_pem = knobs->ca_pem   ? knobs->ca_pem
				  : knobs->joined ? world.root_pem
								  : NULL,
		.hub = {.hub_key = knobs->joined ? pin : NULL,
			.identity = knobs->anonymous ? NULL : &world.agent,
			.token = knobs->enrols ? &token : NULL,
			.check_only = knobs->check_only},
	};
	struct dial_options options = {.overall = deadline_in_ms(10000), .stage_ms = knobs->stage_ms};
	return dial_walk(&target, &options, walk);
}

static int hub_walk(struct knobs *knobs, struct walk *walk)
{
	if (!knobs->hub.leaf.x509)
		knobs->hub.leaf = world.leaf;
	fake_hub_start(&knobs->hub);
	int rc = walk_hub(knobs, walk);
	return rc;
}

static void hub_end(struct knobs *knobs, struct walk *walk)
{
	walk_free(walk);
	fake_hub_stop(&knobs->hub);
}

static void test_enrol(void **state)
{
	(void)state;
	struct knobs knobs = {.enrols = true, .hub.private_ca = "PEM"};
	struct walk walk;
	assert_int_equal(hub_walk(&knobs, &walk), 0);
	assert_non_null(walk.ws);
	assert_int_equal(ws_state(walk.ws), WS_OPEN);
	assert_true(knobs.hub.agent_proof_fits);
	assert_memory_equal(knobs.hub.secret, world.token.secret, sizeof knobs.hub.secret);
	assert_memory_equal(walk.hub_key, knobs.hub.identity.public_key, IDENTITY_KEY_BYTES);
	assert_string_equal(json_get_text(walk.welcome, "private_ca"), "PEM");
	assert_string_equal(walk.private_ca, "PEM");
	assert_int_equal(json_get_int(walk.welcome, "heartbeat_ms", 0), 60000);
	assert_non_null(json_get_text(walk.welcome, "hub_key"));
	char host[32];
	snprintf(host, sizeof host, "127.0.0.1:%u", knobs.hub.server.port);
	assert_string_equal(knobs.hub.host, host);
	hub_end(&knobs, &walk);
}

static void test_resume(void **state)
{
	(void)state;
	struct knobs knobs = {.joined = true, .hub.notifications = 16};
	struct walk walk;
	assert_int_equal(hub_walk(&knobs, &walk), 0);
	assert_non_null(walk.ws);
	assert_string_equal(knobs.hub.method, "resume");
	assert_true(knobs.hub.agent_proof_fits);
	assert_false(knobs.hub.check_only);
	hub_end(&knobs, &walk);
}

static void test_check_only(void **state)
{
	(void)state;
	struct knobs knobs = {.joined = true, .check_only = true};
	struct walk walk;
	assert_int_equal(hub_walk(&knobs, &walk), 0);
	assert_null(walk.ws);
	assert_true(knobs.hub.check_only);
	hub_end(&knobs, &walk);
}

/* An anonymous check ends at the proof: a private CA that nobody declared is no obstacle then. */
static void test_anonymous(void **state)
{
	(void)state;
	struct knobs knobs = {.anonymous = true};
	struct walk walk;
	assert_int_equal(hub_walk(&knobs, &walk), 0);
	assert_null(walk.ws);
	assert_string_equal(knobs.hub.method, "hello");
	const struct evidence *secure = &walk.stages[STAGE_SECURE].evidence;
	assert_string_equal(evidence_get(secure, "chain-verdict"), "cert-untrusted");
	assert_string_equal(evidence_get(&walk.stages[STAGE_HELLO].evidence, "proof"), "verified");
	hub_end(&knobs, &walk);
}

#define HTML "Content-Type: text/html\r\n\r\n"

static const char block_page[] =
	"HTTP/1.1 403 Forbidden\r\nServer: FilterBox\r\n" HTML "<html><title>Blocked</title>";

static const struct {
	const char *what;
	struct knobs knobs;
	enum cause cause;
	const char *evidence, *value;
} hubs[] = {
	{"unknown token", {.enrols = true, .hub.at_enter = REFUSAL_TOKEN_UNKNOWN}, CAUSE_TOKEN_UNKNOWN,
		"answer", "not known"},
	{"expired token", {.enrols = true, .hub.at_enter = REFUSAL_TOKEN_EXPIRED}, CAUSE_TOKEN_EXPIRED,
		"expired-at", "2026-01-02T03:04:05Z"},
	{"used up token", {.enrols = true, .hub.at_enter = REFUSAL_TOKEN_USED_UP}, CAUSE_TOKEN_USED_UP,
		"answer", "as often"},
	{"revoked", {.joined = true, .hub.at_enter = REFUSAL_AGENT_REVOKED}, CAUSE_AGENT_REVOKED,
		"answer", "removed"},
	{"unknown agent", {.joined = true, .hub.at_enter = REFUSAL_AGENT_UNKNOWN}, CAUSE_AGENT_REVOKED,
		"answer", "not known"},
	{"busy at hello", {.joined = true, .hub.at_hello = REFUSAL_BUSY}, CAUSE_HUB_BUSY, "retry-after",
		"in 5 s"},
	{"busy at the upgrade",
		{.joined = true,
			.hub.upgrade = HUB_REFUSES,
			.hub.refusal = "HTTP/1.1 503 Busy\r\nSallyport: 1\r\nRetry-After: 7\r\n"
						   "Content-Length: 0\r\n\r\n"},
		CAUSE_HUB_BUSY, "retry-after", "in 7 s"},
	{"no common version, it says", {.joined = true, .hub.at_hello = REFUSAL_VERSION_UNSUPPORTED},
		CAUSE_VERSION_UNSUPPORTED, "hub-versions", "7 to 9"},
	{"no common version, it takes one", {.joined = true, .hub.version = 3},
		CAUSE_VERSION_UNSUPPORTED, "agent-versions", "1"},
	{"another hub's key: joined", {.joined = true, .other_pin = true}, CAUSE_HUB_KEY_CHANGED,
		"expected-key", "SHA256:"},
	{"another hub's key: enrolling", {.enrols = true, .other_pin = true}, CAUSE_HUB_KEY_CHANGED,
		"hub-key", "SHA256:"},
	{"another hub, rebuilt with another CA",
		{.joined = true, .other_pin = true, .ca_pem = "", .hub.version = 0}, CAUSE_HUB_KEY_CHANGED,
		"hub-key", "SHA256:"},
	{"the proof does not fit: B4", {.joined = true, .hub.wrong_proof = true}, CAUSE_TLS_INTERCEPTED,
		"issuer", "CN=Hub CA"},
	{"garbage", {.joined = true, .hub.raw = "garbage"}, CAUSE_MARKER_ABSENT, "difference",
		"no JSON-RPC"},
	{"an empty result", {.joined = true, .hub.raw = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"},
		CAUSE_MARKER_ABSENT, "difference", "version is missing"},
	{"an answer to another question",
		{.joined = true, .hub.raw = "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}"},
		CAUSE_MARKER_ABSENT, "difference", "not asked"},
	{"notifications without end", {.joined = true, .hub.notifications = 17}, CAUSE_MARKER_ABSENT,
		"difference", "tells and tells"},
	{"upgrade refused, the hub is there",
		{.joined = true,
			.hub.upgrade = HUB_REFUSES,
			.hub.refusal = "HTTP/1.1 400 Bad Request\r\nServer: gate\r\n\r\n"},
		CAUSE_UPGRADE_FILTERED, "upgrade", "HTTP 400"},
	{"upgrade unanswered, the hub is there",
		{.joined = true, .hub.upgrade = HUB_SILENT, .stage_ms = 300}, CAUSE_UPGRADE_FILTERED,
		"upgrade", "not answered"},
	{"upgrade cut off, the hub is there", {.joined = true, .hub.upgrade = HUB_CLOSES},
		CAUSE_UPGRADE_FILTERED, "upgrade", "closed"},
	{"frames held back, the hub is there",
		{.joined = true, .hub.upgrade = HUB_DEAF, .stage_ms = 300}, CAUSE_UPGRADE_FILTERED,
		"upgrade", "no message"},
	{"upgrade refused, the proof does not fit: B4",
		{.joined = true,
			.hub.upgrade = HUB_REFUSES,
			.hub.wrong_proof = true,
			.hub.refusal = "HTTP/1.1 400 Bad Request\r\n\r\n"},
		CAUSE_TLS_INTERCEPTED, "proof", "does not fit"},
	{"upgrade refused, another hub",
		{.joined = true,
			.hub.upgrade = HUB_REFUSES,
			.other_pin = true,
			.hub.refusal = "HTTP/1.1 400 Bad Request\r\n\r\n"},
		CAUSE_HUB_KEY_CHANGED, "hub-key", "SHA256:"},
	{"a block page",
		{.joined = true,
			.hub.upgrade = HUB_REFUSES,
			.hub.refusal = block_page,
			.hub.page = block_page},
		CAUSE_BLOCK_PAGE, "sender", "FilterBox"},
	{"a portal",
		{.joined = true,
			.hub.upgrade = HUB_REFUSES,
			.hub.refusal = "HTTP/1.1 302 Found\r\nLocation: http://portal.invalid/\r\n\r\n",
			.hub.page = "HTTP/1.1 302 Found\r\nLocation: http://portal.invalid/\r\n\r\n"},
		CAUSE_CAPTIVE_PORTAL, "location", "http://portal.invalid/"},
	{"another service",
		{.joined = true,
			.hub.upgrade = HUB_REFUSES,
			.hub.refusal = "HTTP/1.1 404 No\r\n\r\n",
			.hub.page = "HTTP/1.1 404 No\r\n\r\n{}"},
		CAUSE_MARKER_ABSENT, "difference", "no discovery document"},
};

static void test_hub_causes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hubs); i++) {
		struct knobs knobs = hubs[i].knobs;
		struct walk walk;
		if (knobs.ca_pem)
			knobs.ca_pem = world.box_pem;
		assert_int_equal(hub_walk(&knobs, &walk), -1);
		assert_cause(&walk, hubs[i].what, hubs[i].cause);
		assert_says(&walk, hubs[i].evidence, hubs[i].value);
		assert_int_equal(walk.failure.stage, STAGE_HELLO);
		assert_null(walk.ws);
		if (hubs[i].cause == CAUSE_UPGRADE_FILTERED)
			assert_int_equal(walk.failure.confidence,
				knobs.hub.upgrade == HUB_REFUSES ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
		if (hubs[i].cause == CAUSE_HUB_BUSY)
			assert_true(walk.retry_after_ms >= 5000);
		hub_end(&knobs, &walk);
	}
}

/* Nothing secret goes to a hub whose proof does not fit. */
static void test_token_kept_back(void **state)
{
	(void)state;
	struct knobs knobs = {.enrols = true, .hub.wrong_proof = true};
	struct walk walk;
	assert_int_equal(hub_walk(&knobs, &walk), -1);
	assert_cause(&walk, "enrolling through a box", CAUSE_TLS_INTERCEPTED);
	assert_string_equal(knobs.hub.method, "hello");
	assert_true(sodium_is_zero(knobs.hub.secret, sizeof knobs.hub.secret));
	hub_end(&knobs, &walk);
}

/* A hub that sends a message of 1 GB, and one that is no WebSocket behind its 101. */
static void serve_flood(struct server *server, int fd)
{
	static const char head[] = "\x81\x7f\x00\x00\x00\x00\x40\x00\x00\x00"; /* 1 GiB */
	static char zeros[64 * 1024];
	(void)server;
	char request[4096], accept[64], joined[128];
	unsigned char hash[64];
	unsigned len = 0;
	SSL *ssl = server_tls(fd, &world.leaf, NULL);
	if (!ssl || !server_request(ssl, request, sizeof request))
		return;
	const char *key = strstr(request, "Sec-WebSocket-Key: ");
	snprintf(joined, sizeof joined, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
		key + strlen("Sec-WebSocket-Key: "));
	EVP_Digest(joined, strlen(joined), hash, &len, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)accept, hash, (int)len);
	snprintf(request, sizeof request,
		"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\n\r\n",
		accept);
	server_say(ssl, request);
	SSL_write(ssl, head, sizeof head - 1);
	for (size_t sent = 0; sent < 1UL << 30; sent += sizeof zeros)
		if (SSL_write(ssl, zeros, sizeof zeros) <= 0)
			break;
	SSL_free(ssl);
}

static void test_one_gigabyte(void **state)
{
	(void)state;
	struct server server;
	struct walk walk;
	struct knobs knobs = {.joined = true};
	server_start(&server, serve_flood, NULL);
	knobs.port = server.port;
	assert_int_equal(walk_hub(&knobs, &walk), -1);
	assert_cause(&walk, "1 GB", CAUSE_MARKER_ABSENT);
	assert_says(&walk, "difference", "1009");
	walk_free(&walk);
	server_stop(&server);
}

/* --- the clock -------------------------------------------------------------------------------- */

static void test_clock(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		int from_days, to_days, time_days;
		bool joined;
		enum cause cause;
	} rows[] = {
		{"two years behind, joined", 700, 1000, 731, true, CAUSE_CLOCK_BEHIND},
		{"two years ahead, joined", -1000, -700, -731, true, CAUSE_CLOCK_AHEAD},
		{"two years behind, anonymous", 700, 1000, 731, false, CAUSE_CLOCK_BEHIND},
		{"expired, joined", -60, -30, 0, true, CAUSE_CERT_EXPIRED},
		{"expired, anonymous", -60, -30, 0, false, CAUSE_CERT_EXPIRED},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct knobs knobs = {.joined = rows[i].joined,
			.anonymous = !rows[i].joined,
			.hub.time_days = rows[i].time_days};
		struct cert_spec spec = {.cn = "hub",
			.sans = "IP:127.0.0.1",
			.from_days = rows[i].from_days,
			.to_days = rows[i].to_days,
			.issuer = &world.root};
		struct walk walk;
		cert_make(&knobs.hub.leaf, &spec);
		assert_int_equal(hub_walk(&knobs, &walk), -1);
		assert_cause(&walk, rows[i].what, rows[i].cause);
		assert_says(&walk, "peer-time", "T");
		if (rows[i].time_days)
			assert_says(&walk, "skew", "2 years");
		hub_end(&knobs, &walk);
		cert_free(&knobs.hub.leaf);
	}
}

/* --- a box that decrypts ---------------------------------------------------------------------- */

struct box {
	const struct fake_hub *behind;
	bool mends_upgrade; /* false: it refuses WebSocket, as squid does */
};

static SSL *box_connect(uint16_t port, int *fd)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	SSL_CTX_free(context);
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(*fd, (struct sockaddr *)&address, sizeof address))
		abort();
	SSL_set_fd(ssl, *fd);
	SSL_connect(ssl);
	return ssl;
}

static bool pass_on(SSL *from, SSL *to)
{
	char bytes[16384];
	do {
		int got = SSL_read(from, bytes, sizeof bytes);
		if (got <= 0 || SSL_write(to, bytes, got) <= 0)
			return false;
	} while (SSL_pending(from));
	return true;
}

static void serve_box(struct server *server, int fd)
{
	const struct box *box = server->data;
	const struct cert *const chain[] = {&world.box, NULL};
	SSL *agent = server_tls(fd, &world.box_leaf, chain);
	char request[4096];
	int hub_fd;
	if (!agent)
		return;
	size_t len = server_request(agent, request, sizeof request);
	if (!box->mends_upgrade && strstr(request, "Upgrade: websocket")) {
		server_say(agent, "HTTP/1.1 400 Bad Request\r\nServer: box\r\nContent-Length: 0\r\n\r\n");
		SSL_shutdown(agent);
		SSL_free(agent);
		return;
	}
	SSL *hub = box_connect(box->behind->server.port, &hub_fd);
	SSL_write(hub, request, (int)len);
	struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = hub_fd, .events = POLLIN}};
	bool alive = len > 0;
	while (alive && poll(fds, 2, 10000) > 0)
		alive = fds[0].revents ? pass_on(agent, hub) : pass_on(hub, agent);
	SSL_shutdown(agent);
	SSL_free(agent);
	SSL_free(hub);
	close(hub_fd);
}

/* Row B4: something relays every byte between two TLS connections. Its CA may be unknown to the
 * agent, or be the very one that it requires: the exporter differs all the same. */
static void test_relay(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		struct knobs knobs = {.joined = i % 2, .enrols = !(i % 2), .hub.leaf = world.leaf};
		struct box box = {&knobs.hub, i / 2 % 2};
		struct server server;
		struct walk walk;
		knobs.ca_pem = i / 4 ? world.box_pem : NULL; /* the box's CA is what the agent trusts */
		fake_hub_start(&knobs.hub);
		server_start(&server, serve_box, &box);
		knobs.port = server.port;
		assert_int_equal(walk_hub(&knobs, &walk), -1);
		assert_cause(
			&walk, box.mends_upgrade ? "relay" : "relay without WebSocket", CAUSE_TLS_INTERCEPTED);
		assert_int_equal(walk.failure.confidence, CONFIDENCE_CERTAIN);
		assert_says(&walk, "issuer", "Lab SSL Inspection CA");
		assert_says(&walk, "proof", "does not fit");
		assert_true(sodium_is_zero(knobs.hub.secret, sizeof knobs.hub.secret));
		assert_int_equal(knobs.hub.sessions, 0);
		walk_free(&walk);
		server_stop(&server);
		fake_hub_stop(&knobs.hub);
	}
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enrol),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_check_only),
		cmocka_unit_test(test_anonymous),
		cmocka_unit_test(test_hub_causes),
		cmocka_unit_test(test_token_kept_back),
		cmocka_unit_test(test_one_gigabyte),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_relay),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, make_world, end_world);
}
