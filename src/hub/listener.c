/*
 * Happy path: the gate lets a connection in, TLS handshake, HTTP headers, then an exchange
 * (exchange.c) or, after the upgrade, a channel (channel.c). What goes wrong on the way: too many
 * young connections (closed here), a handshake or headers that do not come (timeouts of
 * libwebsockets), a WebSocket without proof (the sweep).
 *
 * libwebsockets calls back with a reason; the table at the end says who takes it.
 */
#include "hub/listener.h"

#include "base/clock.h"
#include "hub/channel.h"
#include "hub/exchange.h"
#include "hub/gate.h"
#include "hub/log.h"
#include "hub/state.h"
#include "wire/messages.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define RESERVED_FILES 128   /* for the database, its journal and the log */
#define HANDSHAKE_S    15    /* for TLS, and again for the headers */
#define KEEPALIVE_S    30    /* an idle HTTP connection */
#define YOUNG_MAX      4096  /* and never more than half of all */
#define IDLE_MS        2000  /* a young connection older than this may make room */
#define PROVE_MS       15000 /* for a WebSocket to prove itself */
#define RETRY_AFTER_S  2     /* with 503 */
#define BUFFER_BYTES   4096  /* per thread, for reading */
#define MESSAGE_BYTES  256   /* per connection, for pieces of messages */
#define SEND_BYTES     16384 /* one TLS record */
#define EXPORTER_LABEL "EXPORTER-Channel-Binding"
#define CLOSE_STEPS    4
#define CLOSE_TURNS    64
#define LAST_REASON    LWS_CALLBACK_USER

struct listener {
	struct hub *hub;
	uv_loop_t *loop;
	struct gate *gate;
	struct lws_context *lws;
	struct lws_vhost *vhost;
	SSL_CTX *ssl;            /* borrowed from the vhost */
	struct connection young; /* head of the ring */
	size_t open, open_max;
	size_t young_count, young_max;
	uv_timer_t kill_timer;
	struct lws **to_kill; /* grown as needed */
	size_t kill_count, kill_room;
	bool draining, closing;
};

static struct listener *listener_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

/* --- counting ------------------------------------------------------------------------------ */

static bool is_young(const struct connection *connection)
{
	return connection->after != NULL;
}

void connection_proven(struct connection *connection)
{
	if (!is_young(connection))
		return;
	connection->before->after = connection->after;
	connection->after->before = connection->before;
	connection->before = connection->after = NULL;
	connection->hub->listener->young_count--;
}

static void on_kill(uv_timer_t *timer)
{
	struct listener *listener = timer->data;
	/* Closing one may ask for others: they are appended. */
	for (size_t i = 0; i < listener->kill_count; i++)
		if (listener->to_kill[i])
			lws_set_timeout(
				listener->to_kill[i], PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
	listener->kill_count = 0;
}

/* Not from inside a callback of libwebsockets, which may be at work on the connection. */
void connection_kill(struct connection *connection)
{
	struct listener *listener = connection->hub->listener;
	connection_proven(connection); /* it counts no longer */
	if (listener->closing)
		return;
	if (listener->kill_count == listener->kill_room) {
		listener->kill_room = listener->kill_room ? 2 * listener->kill_room : 64;
		listener->to_kill =
			xrealloc(listener->to_kill, listener->kill_room, sizeof *listener->to_kill);
	}
	listener->to_kill[listener->kill_count++] = connection->wsi;
	uv_timer_start(&listener->kill_timer, on_kill, 0, 0);
}

static void forget_kill(struct listener *listener, const struct lws *wsi)
{
	for (size_t i = 0; i < listener->kill_count; i++)
		if (listener->to_kill[i] == wsi)
			listener->to_kill[i] = NULL;
}

/* Room for a handshake. In a rush of honest machines no young connection is idle, and it is the
 * newcomer who comes back. */
static bool has_room(struct listener *listener)
{
	const struct connection *oldest = listener->young.after;
	if (listener->young_count < listener->young_max)
		return true;
	metric_add(&listener->hub->metrics, METRIC_REFUSED, 1);
	if (clock_mono_us() / 1000 - oldest->opened_ms < IDLE_MS)
		return false;
	connection_kill(listener->young.after);
	return true;
}

static void on_enter(void *data, int fd)
{
	struct listener *listener = data;
	if (has_room(listener))
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

static int on_accepted(struct lws *wsi, struct connection *none, void *in, size_t len)
{
	struct listener *listener = listener_of(wsi);
	struct connection *connection = xcalloc(1, sizeof *connection);
	(void)none;
	(void)in;
	(void)len;
	connection->hub = listener->hub;
	connection->wsi = wsi;
	connection->opened_ms = clock_mono_us() / 1000;
	connection->before = listener->young.before;
	connection->after = &listener->young;
	connection->before->after = connection;
	listener->young.before = connection;
	listener->open++;
	listener->young_count++;
	lws_set_opaque_user_data(wsi, connection);
	return 0;
}

static int on_destroyed(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	struct listener *listener = listener_of(wsi);
	(void)in;
	(void)len;
	if (!connection)
		return 0;
	forget_kill(listener, wsi);
	lws_set_opaque_user_data(wsi, NULL);
	if (connection->exchange)
		exchange_gone(connection->exchange);
	if (connection->channel)
		channel_closed(connection->channel);
	connection_proven(connection);
	listener->open--;
	free(connection);
	return 0;
}

void connection_peer(const struct connection *connection, char *text, size_t size)
{
	text[0] = '\0';
	lws_get_peer_simple(connection->wsi, text, size);
}

int connection_binding(const struct connection *connection, unsigned char binding[32])
{
	SSL *ssl = lws_get_ssl(connection->wsi);
	if (!ssl || (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1))
		return -1;
	return SSL_export_keying_material(
			   ssl, binding, 32, EXPORTER_LABEL, strlen(EXPORTER_LABEL), NULL, 0, 0) == 1
			   ? 0
			   : -1;
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

/* --- HTTP ---------------------------------------------------------------------------------- */

static int on_http(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	(void)len;
	return connection ? exchange_begin(connection, in) : -1;
}

static int on_body(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	return connection->exchange ? exchange_body(connection->exchange, in, len) : -1;
}

static int on_body_end(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	(void)in;
	(void)len;
	return connection->exchange ? exchange_body_ended(connection->exchange) : -1;
}

static int on_http_writable(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	(void)in;
	(void)len;
	return connection->exchange ? exchange_writable(connection->exchange) : 0;
}

/* --- WebSocket ----------------------------------------------------------------------------- */

/* Answers an upgrade with a status of its own; 1 tells libwebsockets that this was done. */
static int refuse_upgrade(struct lws *wsi, unsigned status, bool retry)
{
	unsigned char buffer[LWS_PRE + 1024];
	unsigned char *start = buffer + LWS_PRE, *at = start, *end = buffer + sizeof buffer;
	char seconds[16];
	int len = snprintf(seconds, sizeof seconds, "%d", RETRY_AFTER_S);
	if (lws_add_http_common_headers(wsi, status, "text/plain", 0, &at, end) ||
		(retry && lws_add_http_header_by_name(wsi, (const unsigned char *)"retry-after:",
					  (const unsigned char *)seconds, len, &at, end)) ||
		lws_finalize_write_http_header(wsi, start, &at, end))
		return -1;
	return 1;
}

static int on_upgrade(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	char path[64];
	(void)len;
	if (!connection || strcasecmp(in, "websocket") != 0)
		return refuse_upgrade(wsi, 400, false);
	if (lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) <= 0 ||
		strcmp(path, PROTOCOL_SESSION_PATH) != 0)
		return refuse_upgrade(wsi, 404, false);
	if (listener_busy(connection->hub->listener))
		return refuse_upgrade(wsi, 503, true);
	return 0;
}

static int on_add_headers(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	struct lws_process_html_args *args = in;
	unsigned char *at = (unsigned char *)args->p;
	(void)connection;
	(void)len;
	if (lws_add_http_header_by_name(wsi, (const unsigned char *)"sallyport:",
			(const unsigned char *)"1", 1, &at, at + args->max_len))
		return -1;
	args->p = (char *)at;
	return 0;
}

static int on_established(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	(void)in;
	(void)len;
	if (!connection)
		return -1;
	connection->channel = channel_open(connection);
	return 0;
}

static int on_received(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	return connection->channel ? channel_receive(connection->channel, in, len) : -1;
}

static int on_writable(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	(void)in;
	(void)len;
	return connection->channel ? channel_writable(connection->channel) : 0;
}

static int on_peer_close(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	if (connection->channel)
		channel_peer_closes(connection->channel, in, len);
	return 0; /* libwebsockets echoes the frame */
}

/* While the socket still tells how it ended. */
static int on_closed(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	(void)in;
	(void)len;
	if (connection && connection->channel) {
		channel_closed(connection->channel);
		connection->channel = NULL;
	}
	return 0;
}

typedef int callback_part(struct lws *wsi, struct connection *connection, void *in, size_t len);

static callback_part *const parts[LAST_REASON] = {
	[LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED] = on_accepted,
	[LWS_CALLBACK_WSI_DESTROY] = on_destroyed,
	[LWS_CALLBACK_HTTP] = on_http,
	[LWS_CALLBACK_HTTP_BODY] = on_body,
	[LWS_CALLBACK_HTTP_BODY_COMPLETION] = on_body_end,
	[LWS_CALLBACK_HTTP_WRITEABLE] = on_http_writable,
	[LWS_CALLBACK_HTTP_CONFIRM_UPGRADE] = on_upgrade,
	[LWS_CALLBACK_ADD_HEADERS] = on_add_headers,
	[LWS_CALLBACK_ESTABLISHED] = on_established,
	[LWS_CALLBACK_RECEIVE] = on_received,
	[LWS_CALLBACK_SERVER_WRITEABLE] = on_writable,
	[LWS_CALLBACK_WS_PEER_INITIATED_CLOSE] = on_peer_close,
	[LWS_CALLBACK_CLOSED] = on_closed,
};

static int on_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
		listener_of(wsi)->ssl = user; /* the one reason that brings something here */
		return 0;
	}
	if ((unsigned)reason >= LAST_REASON || !parts[reason])
		return 0;
	return parts[reason](wsi, lws_get_opaque_user_data(wsi), in, len);
}

/* --- opening and closing ------------------------------------------------------------------- */

static void on_lws_log(int level, const char *line)
{
	size_t len = strcspn(line, "\n");
	log_line(level & LLL_ERR ? LOG_WARNING : LOG_DETAIL, "libwebsockets: %.*s", (int)len, line);
}

static const struct lws_protocols protocols[] = {
	{.name = "sallyport",
		.callback = on_event,
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
	listener->open_max = limit.rlim_cur > 2 * RESERVED_FILES
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
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
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
	free(listener->to_kill);
	free(listener);
}
