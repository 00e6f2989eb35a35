/*
 * One loop: a thread, libuv, libwebsockets and the connections that the door has given it.
 *
 * Happy path: a socket comes by letter, TLS, HTTP headers, then a request (http.c) or, after the
 * upgrade, a WebSocket (websocket.c). What goes wrong on the way: too many young connections
 * (closed), a handshake or headers that do not come (timeouts of libwebsockets), a WebSocket
 * without proof (the sweep).
 *
 * Contexts are made and destroyed on the core's thread, while the loop's does not run: what
 * libwebsockets keeps for the whole process has no lock.
 */
#include "base/clock.h"
#include "hub/net/listener_parts.h"
#include "hub/log.h"
#include "hub/state.h"
#include "hub/net/thread.h"
#include "wire/tls.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define HANDSHAKE_S 15    /* for TLS, and again for the headers */
#define KEEPALIVE_S 30    /* an idle HTTP connection */
#define PROVE_MS    15000 /* for a WebSocket to prove itself */
/* A whole TLS record and LWS_PRE: of what OpenSSL has decrypted nothing may stay behind, for
 * libwebsockets on libuv looks only once more at what no longer waits in the socket, and the rest
 * of a body would wait for ever. */
#define BUFFER_BYTES  (16384 + LWS_PRE)
#define MESSAGE_BYTES 64    /* per connection, for pieces of messages */
#define SEND_BYTES    16384 /* one TLS record */
#define SWEEP_MS      500
#define ENTER_SLICE   4 /* handshakes in a turn, so that nobody else waits long */
#define CLOSE_STEPS   4
#define MACHINES_NICE 5
#define CLOSE_TURNS   64

/* --- who comes in ------------------------------------------------------------------------ */

struct enter_letter {
	struct letter letter;
	struct loop *loop;
	int fd;
};

static void on_enter(struct letter *letter)
{
	struct enter_letter *enter = (struct enter_letter *)letter;
	struct loop *loop = enter->loop;
	loop->instantiated = false;
	if (loop->closing || !connection_has_room(loop))
		close(enter->fd);
	else
		lws_adopt_socket_vhost(loop->vhost, enter->fd);
	if (!loop->instantiated)
		atomic_fetch_sub(&loop->open, 1);
	atomic_fetch_sub(&loop->entering, 1);
	if (!loop->closing)
		door_look(loop->listener->door);
	free(enter);
}

void loop_enter(struct loop *loop, int fd)
{
	struct enter_letter *enter = xcalloc(1, sizeof *enter);
	enter->letter.open = on_enter;
	enter->loop = loop;
	enter->fd = fd;
	atomic_fetch_add(&loop->open, 1);
	atomic_fetch_add(&loop->entering, 1);
	mailbox_post(&loop->mailbox, LANE_PATIENT, &enter->letter);
}

/* In the order of opening: the first that is too young ends the search. */
static void on_sweep(uv_timer_t *timer)
{
	struct loop *loop = timer->data;
	int64_t now_ms = clock_mono_us() / 1000;
	struct connection *connection = loop->young.after, *next;
	for (; connection != &loop->young && now_ms - connection->opened_ms >= PROVE_MS;
		 connection = next) {
		next = connection->after;
		if (connection->websocket)
			connection_end(connection);
	}
	atomic_store_explicit(&loop->lag_us, mailbox_take_lag_us(&loop->mailbox), memory_order_relaxed);
}

/* --- TLS ----------------------------------------------------------------------------------- */

/* Sessions last for days: what is kept for a resumption would cost more than it saves. */
static void set_up_tls(SSL_CTX *ssl)
{
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ssl, 0);
	SSL_CTX_set_options(
		ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set1_groups_list(ssl, "X25519:P-256:P-384");
	SSL_CTX_set_ciphersuites(ssl, WIRE_TLS_PREFERRED);
	SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20");
}

struct use_letter {
	struct letter letter;
	struct loop *loop;
	X509 *leaf;
	EVP_PKEY *key;
	STACK_OF(X509) * chain;
};

static void on_use(struct letter *letter)
{
	struct use_letter *use = (struct use_letter *)letter;
	if (SSL_CTX_use_cert_and_key(use->loop->ssl, use->leaf, use->key, use->chain, 1) != 1)
		log_line(LOG_ERROR, "a loop could not take the new certificate");
	X509_free(use->leaf);
	EVP_PKEY_free(use->key);
	sk_X509_pop_free(use->chain, X509_free);
	free(use);
}

void loop_use(struct loop *loop, X509 *leaf, EVP_PKEY *key, STACK_OF(X509) * chain)
{
	struct use_letter *use = xcalloc(1, sizeof *use);
	use->letter.open = on_use;
	use->loop = loop;
	X509_up_ref(use->leaf = leaf);
	EVP_PKEY_up_ref(use->key = key);
	use->chain = chain ? X509_chain_up_ref(chain) : NULL;
	mailbox_post(&loop->mailbox, LANE_PROMPT, &use->letter);
}

/* --- libwebsockets ------------------------------------------------------------------------- */

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

static struct lws_context *make_context(struct loop *loop)
{
	void *loops[] = {&loop->uv};
	struct lws_context_creation_info info = {
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
				   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_DISABLE_IPV6,
		.foreign_loops = loops,
		.user = loop,
		.pcontext = &loop->lws, /* becomes NULL when it is gone */
		.gid = -1,
		.uid = -1,
		.timeout_secs = HANDSHAKE_S,
		.pt_serv_buf_size = BUFFER_BYTES,
		.retry_and_idle_policy = &no_pings,
		.server_string = "sallyport",
	};
	return lws_create_context(&info);
}

static struct lws_vhost *make_vhost(struct loop *loop, const struct keys_certificate *certificate)
{
	struct lws_context_creation_info info = {
		.options = LWS_SERVER_OPTION_DISABLE_IPV6 | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
				   LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
		.port = CONTEXT_PORT_NO_LISTEN_SERVER, /* connections come through the door */
		.protocols = protocols,
		.headers = headers,
		.ssl_cert_filepath = certificate->chain_file,
		.ssl_private_key_filepath = certificate->key_file,
		.provided_client_ssl_ctx = loop->no_client,
		.alpn = "http/1.1",
		.keepalive_timeout = KEEPALIVE_S,
		.timeout_secs_ah_idle = HANDSHAKE_S,
		.retry_and_idle_policy = &no_pings,
		.vhost_name = "hub",
	};
	return lws_create_vhost(loop->lws, &info);
}

/* --- opening and closing ------------------------------------------------------------------- */

static void set_up_timer(struct loop *loop, uv_timer_t *timer)
{
	uv_timer_init(&loop->uv, timer);
	timer->data = loop;
}

struct loop *loop_open(struct listener *listener, enum gate_row row, const char *name,
	const struct keys_certificate *certificate, struct err *err)
{
	struct loop *loop = xcalloc(1, sizeof *loop);
	loop->listener = listener;
	loop->row = row;
	snprintf(loop->name, sizeof loop->name, "%s", name);
	loop->young.before = loop->young.after = &loop->young;
	uv_loop_init(&loop->uv);
	mailbox_open(&loop->mailbox, &loop->uv, ENTER_SLICE);
	set_up_timer(loop, &loop->kill_timer);
	set_up_timer(loop, &loop->sweep_timer);
	uv_timer_start(&loop->sweep_timer, on_sweep, SWEEP_MS, SWEEP_MS);
	loop->no_client = SSL_CTX_new(TLS_client_method());
	loop->lws = make_context(loop);
	if (loop->lws)
		loop->vhost = make_vhost(loop, certificate);
	if (loop->vhost && loop->ssl) {
		set_up_tls(loop->ssl);
		return loop;
	}
	err_set(err, "the certificate in %s cannot be used", certificate->chain_file);
	loop_close(loop);
	loop_free(loop);
	return NULL;
}

static void *run(void *data)
{
	struct loop *loop = data;
	/* On Linux for this thread alone: a rush of handshakes leaves the processors to the core and to
	 * people's requests first. */
	if (loop->row == GATE_MACHINES)
		setpriority(PRIO_PROCESS, 0, MACHINES_NICE);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	return NULL;
}

int loop_start(struct loop *loop, struct err *err)
{
	loop->running = thread_start(&loop->thread, loop->name, run, loop) == 0;
	return loop->running ? 0 : err_set(err, "a thread could not be started");
}

struct stop_letter {
	struct letter letter;
	struct loop *loop;
};

static void on_stop(struct letter *letter)
{
	struct loop *loop = ((struct stop_letter *)letter)->loop;
	loop->closing = true;
	uv_stop(&loop->uv);
	free(letter);
}

void loop_stop(struct loop *loop)
{
	struct stop_letter *stop = xcalloc(1, sizeof *stop);
	if (!loop->running) {
		loop->closing = true;
		free(stop);
		return;
	}
	stop->letter.open = on_stop;
	stop->loop = loop;
	mailbox_post(&loop->mailbox, LANE_PROMPT, &stop->letter);
	pthread_join(loop->thread, NULL);
	loop->running = false;
}

static void close_handle(uv_handle_t *handle, void *data)
{
	(void)data;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* libwebsockets on a loop that is not its own goes down in steps, with turns of the loop between.
 */
void loop_close(struct loop *loop)
{
	loop->closing = true;
	mailbox_drain(&loop->mailbox);
	for (int step = 0; loop->lws && step < CLOSE_STEPS; step++) {
		lws_context_destroy(loop->lws);
		for (int turn = 0; turn < CLOSE_TURNS && uv_run(&loop->uv, UV_RUN_NOWAIT); turn++)
			continue;
	}
}

void loop_free(struct loop *loop)
{
	mailbox_drain(&loop->mailbox); /* the core has let go of what it knew */
	mailbox_close(&loop->mailbox);
	uv_walk(&loop->uv, close_handle, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	uv_loop_close(&loop->uv);
	SSL_CTX_free(loop->no_client);
	free(loop->to_kill.all);
	free(loop);
}
