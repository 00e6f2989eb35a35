/*
 * The connection: a socket, perhaps libcurl with the proxy's TLS over it, perhaps our TLS on top.
 *
 * TLS reaches what is below through one small BIO, whether that is the socket or libcurl: so a
 * write to a closed socket never raises SIGPIPE, and the BIO notes what has to be waited for.
 * libcurl may have decrypted more than was asked for, which poll() cannot see: `drained` is false
 * from a read that got bytes until one that would block.
 */
#include "dial/stage.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
	int fd;             /* owned; -1 before */
	void *multi, *easy; /* owned; NULL unless an https:// proxy's TLS is between */
	SSL *ssl;           /* owned; NULL before */
	short events;       /* what the last CONN_AGAIN waits for */
	bool eof;           /* below TLS */
	bool broken;        /* TLS failed for good: no goodbye */
	bool drained;       /* libcurl holds nothing */
	size_t split_at;    /* where the first write is cut; 0: nowhere, or no longer */
};

struct conn *conn_new(void)
{
	struct conn *conn = xcalloc(1, sizeof *conn);
	conn->fd = -1;
	conn->events = POLLIN;
	conn->drained = true;
	return conn;
}

void conn_take_fd(struct conn *conn, int fd)
{
	conn->fd = fd;
}

void conn_take_curl(struct conn *conn, void *curl_multi, void *curl_easy, int fd)
{
	conn->fd = fd;
	conn->multi = curl_multi;
	conn->easy = curl_easy;
}

static ssize_t again(struct conn *conn, short events)
{
	conn->events = events;
	return CONN_AGAIN;
}

static ssize_t curl_result(struct conn *conn, CURLcode code, size_t count, short events)
{
	if (code == CURLE_AGAIN) {
		conn->drained = conn->drained || events == POLLIN;
		return again(conn, events);
	}
	if (code != CURLE_OK) {
		errno = code == CURLE_SEND_ERROR ? EPIPE : ECONNRESET;
		return -1;
	}
	conn->drained = conn->drained && events != POLLIN;
	return (ssize_t)count;
}

static ssize_t below_read(struct conn *conn, void *data, size_t len)
{
	if (conn->easy) {
		size_t count = 0;
		CURLcode code = curl_easy_recv(conn->easy, data, len, &count);
		return curl_result(conn, code, count, POLLIN);
	}
	ssize_t count;
	do
		count = recv(conn->fd, data, len, MSG_DONTWAIT);
	while (count < 0 && errno == EINTR);
	return count < 0 && errno == EAGAIN ? again(conn, POLLIN) : count;
}

SSL *conn_ssl(const struct conn *conn)
{
	return conn->ssl;
}

void conn_split_first(struct conn *conn, size_t at)
{
	conn->split_at = at;
}

static ssize_t below_write(struct conn *conn, const void *data, size_t len)
{
	/* TCP_NODELAY is set, so each piece leaves as a segment of its own. */
	if (conn->split_at && len > conn->split_at) {
		len = conn->split_at;
		conn->split_at = 0;
	}
	if (conn->easy) {
		size_t count = 0;
		CURLcode code = curl_easy_send(conn->easy, data, len, &count);
		return curl_result(conn, code, count, POLLOUT);
	}
	ssize_t count;
	do
		count = send(conn->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (count < 0 && errno == EINTR);
	return count < 0 && errno == EAGAIN ? again(conn, POLLOUT) : count;
}

/* --- the BIO between TLS and what is below ---------------------------------------------------- */

static int bio_read(BIO *bio, char *data, int len)
{
	struct conn *conn = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	ssize_t count = below_read(conn, data, (size_t)len);
	if (count == CONN_AGAIN)
		BIO_set_retry_read(bio);
	conn->eof = count == 0;
	return count < 0 ? -1 : (int)count;
}

static int bio_write(BIO *bio, const char *data, int len)
{
	BIO_clear_retry_flags(bio);
	ssize_t count = below_write(BIO_get_data(bio), data, (size_t)len);
	if (count == CONN_AGAIN)
		BIO_set_retry_write(bio);
	return count < 0 ? -1 : (int)count;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	const struct conn *conn = BIO_get_data(bio);
	(void)number;
	(void)pointer;
	if (command == BIO_CTRL_EOF)
		return conn->eof;
	return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static BIO_METHOD *bio_method;

static void bio_method_make(void)
{
	bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "conn");
	if (!bio_method)
		abort();
	BIO_meth_set_read(bio_method, bio_read);
	BIO_meth_set_write(bio_method, bio_write);
	BIO_meth_set_ctrl(bio_method, bio_ctrl);
}

int conn_take_ssl(struct conn *conn, SSL *ssl)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, bio_method_make);
	conn->ssl = ssl;
	BIO *bio = BIO_new(bio_method);
	if (!bio)
		return -1;
	BIO_set_data(bio, conn);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
						  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return 0;
}

/* --- reading and writing -----------------------------------------------------------------------
 */

/* An end of the stream without close_notify counts as its end: whoever reads knows from HTTP or
 * WebSocket whether something is missing. */
static ssize_t tls_result(struct conn *conn, int rc)
{
	int system = errno;
	switch (SSL_get_error(conn->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return again(conn, POLLIN);
	case SSL_ERROR_WANT_WRITE:
		return again(conn, POLLOUT);
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		conn->broken = true;
		errno = system ? system : ECONNRESET;
		return -1;
	default:
		conn->broken = true;
		if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
			return 0;
		errno = EPROTO;
		return -1;
	}
}

ssize_t conn_read(struct conn *conn, void *data, size_t len)
{
	if (!conn->ssl)
		return below_read(conn, data, len);
	size_t count = 0;
	ERR_clear_error();
	errno = 0;
	int rc = SSL_read_ex(conn->ssl, data, len, &count);
	return rc > 0 ? (ssize_t)count : tls_result(conn, rc);
}

ssize_t conn_write(struct conn *conn, const void *data, size_t len)
{
	if (!conn->ssl)
		return below_write(conn, data, len);
	size_t count = 0;
	ERR_clear_error();
	errno = 0;
	int rc = SSL_write_ex(conn->ssl, data, len, &count);
	if (rc > 0)
		return (ssize_t)count;
	ssize_t result = tls_result(conn, rc);
	if (result == 0) {
		errno = EPIPE;
		result = -1;
	}
	return result;
}

short conn_events(const struct conn *conn)
{
	return conn->events;
}

enum wait_result conn_wait(struct conn *conn, struct deadline deadline, const struct cancel *cancel)
{
	/* A read that would block has emptied what is above the socket, so `drained` holds then. */
	if (!conn->drained && (conn->events & POLLIN))
		return cancel_fired(cancel) ? WAIT_CANCELLED : WAIT_READY;
	return wait_fd(conn->fd, conn->events, deadline, cancel);
}

bool conn_pending(const struct conn *conn)
{
	return !conn->drained || (conn->ssl && SSL_pending(conn->ssl) > 0);
}

int conn_fd(const struct conn *conn)
{
	return conn->fd;
}

bool conn_acknowledged(const struct conn *conn)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;
	return getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && !info.tcpi_unacked;
}

int conn_channel_binding(const struct conn *conn, unsigned char out[32])
{
	static const char label[] = "EXPORTER-Channel-Binding";
	if (!conn->ssl || !SSL_is_init_finished(conn->ssl))
		return -1;
	/* RFC 9266 section 4: before TLS 1.3 the exporter is unique only with RFC 7627. */
	if (SSL_version(conn->ssl) < TLS1_3_VERSION && SSL_get_extms_support(conn->ssl) != 1)
		return -1;
	int rc = SSL_export_keying_material(conn->ssl, out, 32, label, sizeof label - 1, NULL, 0, 0);
	return rc == 1 ? 0 : -1;
}

void conn_close(struct conn *conn)
{
	if (!conn)
		return;
	if (conn->ssl) {
		if (!conn->broken && SSL_is_init_finished(conn->ssl))
			SSL_shutdown(conn->ssl);
		SSL_free(conn->ssl);
	}
	if (conn->easy) {
		curl_multi_remove_handle(conn->multi, conn->easy);
		curl_easy_cleanup(conn->easy);
		curl_multi_cleanup(conn->multi);
	}
	if (conn->fd >= 0)
		close(conn->fd);
	free(conn);
}
