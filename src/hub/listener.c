/*
 * Happy path: the gate lets a connection in, TLS handshake, HTTP headers, then an exchange
 * (exchange.c) or, after the upgrade, a channel (channel.c). What goes wrong on the way: too many
 * young connections (closed here), a handshake or headers that do not come (timeouts of
 * libwebsockets), a WebSocket without proof (the sweep).
 */
#include "hub/listener_parts.h"
#include "hub/log.h"
#include "hub/state.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define RESERVED_FILES 128u  /* for the database, its journal and the log */
#define HANDSHAKE_S    15    /* for TLS, and again for the headers */
#define KEEPALIVE_S    30    /* an idle HTTP connection */
#define YOUNG_MAX      4096  /* and never more than half of all */
#define PROVE_MS       15000 /* for a WebSocket to prove itself */
#define BUFFER_BYTES   4096  /* per thread, for reading */
#define MESSAGE_BYTES  256   /* per connection, for pieces of messages */
#define SEND_BYTES     16384 /* one TLS record */
#define CLOSE_STEPS    4
#define CLOSE_TURNS    64

/* --- who comes in ------------------------------------------------------------------------ */

static void on_enter(void *data, int fd)
{
	struct listener *listener = data;
	if (listener_has_room(listener))
		lws_adopt_socket_vhost(listener->vhost, fd);
	else
		close(fd);
}

static int64_t room(void *data)
{
	const struct listener *listener = data;
	return (int64_t)listener->open_max - (int64_t)listener->open -
		   (int64_t)gate_waiting(listener->gate);
}

static void on_refused(void *data)
{
	struct listener *listener = data;
	metric_add(&listener->hub->metrics, METRIC_REFUSED, 1);
}

/* --- TLS ----------------------------------------------------------------------------------- */

/* Sessions last for days: what is kept for a resumption would cost more than it saves. */
static void set_up_tls(SSL_CTX *ssl)
{
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ssl, 0);
	SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set1_groups_list(ssl, "X25519:P-256:P-384");
	SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20");
}

int listener_reload(
	struct listener *listener, const struct keys_certificate *certificate, struct err *err)
{
	if (SSL_CTX_use_certificate_chain_file(listener->ssl, certificate->chain_file) != 1 ||
		SSL_CTX_use_PrivateKey_file(listener->ssl, certificate->key_file, SSL_FILETYPE_PEM) != 1)
		return err_set(err, "%s and %s could not be read again; the old certificate stays in use",
			certificate->chain_file, certificate->key_file);
	return 0;
}

/* --- opening and closing ------------------------------------------------------------------- */

static void on_lws_log(int level, const char *line)
{
	size_t len = strcspn(line, "\n");
	log_line(level & LLL_ERR ? LOG_WARNING : LOG_DETAIL, "libwebsockets: %.*s", (int)len, line);
}

static const struct lws_protocols protocols[] = {
	{.name = "sallyport",
		.callback = listener_callback,
		.rx_buffer_size = MESSAGE_BYTES,
		.tx_packet_size = SEND_BYTES},
	{0},
};

#define CONTENT_POLICY                                                                             \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
	"connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "                   \
	"frame-ancestors 'none'"

/* On every answer, those of libwebsockets itself included. */
static const struct lws_protocol_vhost_options headers[] = {
	{&headers[1], NULL, "sallyport:", "1"},
	{&headers[2], NULL, "content-security-policy:", CONTENT_POLICY},
	{&headers[3], NULL, "x-content-type-options:", "nosniff"},
	{NULL, NULL, "referrer-policy:", "no-referrer"},
};

/* Pings of libwebsockets would double the heartbeats. */
static const lws_retry_bo_t no_pings = {0};

static void raise_file_limit(struct listener *listener)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	listener->open_max = limit.rlim_cur > 2 * (rlim_t)RESERVED_FILES
							 ? (size_t)limit.rlim_cur - RESERVED_FILES
							 : RESERVED_FILES;
	listener->young_max = listener->open_max / 2 < YOUNG_MAX ? listener->open_max / 2 : YOUNG_MAX;
}

static struct lws_context *make_context(struct listener *listener, uv_loop_t *loop)
{
	void *loops[] = {loop};
	struct lws_context_creation_info info = {
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
				   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_DISABLE_IPV6,
		.foreign_loops = loops,
		.user = listener,
		.pcontext = &listener->lws, /* becomes NULL when it is gone */
		.gid = -1,
		.uid = -1,
		.timeout_secs = HANDSHAKE_S,
		.pt_serv_buf_size = BUFFER_BYTES,
		.retry_and_idle_policy = &no_pings,
		.server_string = "sallyport",
	};
	return lws_create_context(&info);
}

static struct lws_vhost *make_vhost(
	struct listener *listener, const struct keys_certificate *certificate)
{
	struct lws_context_creation_info info = {
		.options = LWS_SERVER_OPTION_DISABLE_IPV6 | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
				   LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
		.port = CONTEXT_PORT_NO_LISTEN_SERVER, /* connections come through the gate */
		.protocols = protocols,
		.headers = headers,
		.ssl_cert_filepath = certificate->chain_file,
		.ssl_private_key_filepath = certificate->key_file,
		.alpn = "http/1.1",
		.keepalive_timeout = KEEPALIVE_S,
		.timeout_secs_ah_idle = HANDSHAKE_S,
		.retry_and_idle_policy = &no_pings,
		.vhost_name = "hub",
	};
	return lws_create_vhost(listener->lws, &info);
}

struct listener *listener_open(struct hub *hub, uv_loop_t *loop, const char *host, uint16_t port,
	const struct keys_certificate *certificate, struct err *err)
{
	struct listener *listener = xcalloc(1, sizeof *listener);
	listener->hub = hub;
	listener->loop = loop;
	listener->young.before = listener->young.after = &listener->young;
	lws_set_log_level(LLL_ERR, on_lws_log);
	raise_file_limit(listener);
	uv_timer_init(loop, &listener->kill_timer);
	listener->kill_timer.data = listener;
	listener->lws = make_context(listener, loop);
	if (listener->lws)
		listener->vhost = make_vhost(listener, certificate);
	struct gate_hooks hooks = {on_enter, room, on_refused, listener};
	if (!listener->vhost || !listener->ssl)
		err_set(err, "the certificate in %s cannot be used", certificate->chain_file);
	else
		listener->gate = gate_open(loop, host, port, &hooks, err);
	if (!listener->gate) {
		listener_close(listener);
		listener_free(listener);
		return NULL;
	}
	set_up_tls(listener->ssl);
	return listener;
}

uint16_t listener_port(const struct listener *listener)
{
	return gate_port(listener->gate);
}

bool listener_busy(const struct listener *listener)
{
	return listener->draining;
}

void listener_drain(struct listener *listener)
{
	listener->draining = true;
}

void listener_sweep(struct listener *listener, int64_t now_ms)
{
	struct connection *connection = listener->young.after, *next;
	if (listener->closing) /* listener_close() turns the loop when the gate is gone already */
		return;
	gate_sweep(listener->gate, now_ms);
	for (; connection != &listener->young; connection = next) {
		next = connection->after;
		if (now_ms - connection->opened_ms < PROVE_MS)
			break; /* the ring is in the order of opening */
		if (connection->channel)
			connection_kill(connection);
	}
	metric_set(&listener->hub->metrics, METRIC_CONNECTIONS,
		(int64_t)(listener->open + gate_waiting(listener->gate)));
	metric_set(&listener->hub->metrics, METRIC_UNPROVEN, (int64_t)listener->young_count);
}

/* libwebsockets on a loop that is not its own goes down in steps, with turns of the loop between.
 */
void listener_close(struct listener *listener)
{
	listener->closing = true;
	uv_close((uv_handle_t *)&listener->kill_timer, NULL);
	if (listener->gate)
		gate_close(listener->gate);
	for (int step = 0; listener->lws && step < CLOSE_STEPS; step++) {
		lws_context_destroy(listener->lws);
		for (int turn = 0; turn < CLOSE_TURNS && uv_run(listener->loop, UV_RUN_NOWAIT); turn++)
			continue;
	}
}

void listener_free(struct listener *listener)
{
	free(listener->to_kill.all);
	free(listener);
}
