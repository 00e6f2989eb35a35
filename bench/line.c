/*
 * Happy path: a connect under way, the socket writable, the handshake, bytes. Whatever goes wrong
 * (no socket left, refused, reset, a handshake that fails) leaves the line dead with the reason.
 */
#include "line.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const unsigned char http_1_1[] = "\x08http/1.1"; /* ALPN, RFC 7301 */

static enum line_state die(struct line *line, const char *what, const char *why)
{
	snprintf(line->problem, sizeof line->problem, "%s: %s", what, why);
	return line->state = LINE_DEAD;
}

SSL_CTX *line_context(const char *suites)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	/* Trust comes from the hub's proof, as for an agent that enrols. */
	SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
							  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	if (suites)
		SSL_CTX_set_ciphersuites(tls, suites);
	SSL_CTX_set_alpn_protos(tls, http_1_1, sizeof http_1_1 - 1);
	return tls;
}

int line_address(const char *text, struct sockaddr_in *address)
{
	cleanup(free_ptr) char *host = xstrdup(text);
	char *colon = strchr(host, ':');
	if (!colon)
		return -1;
	*colon = '\0';
	*address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10))};
	return inet_pton(AF_INET, host, &address->sin_addr) == 1 && address->sin_port ? 0 : -1;
}

void line_raise_file_limit(void)
{
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

void line_start(
	struct line *line, const struct sockaddr_in *address, SSL_CTX *tls, const char *host)
{
	*line = (struct line){.state = LINE_CONNECTING, .wants_write = true};
	line->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (line->fd < 0) {
		die(line, "socket", strerror(errno));
		return;
	}
	line->ssl = SSL_new(tls);
	SSL_set_fd(line->ssl, line->fd);
	if (host)
		SSL_set_tlsext_host_name(line->ssl, host);
	if (connect(line->fd, (const struct sockaddr *)address, sizeof *address) &&
		errno != EINPROGRESS)
		die(line, "connect", strerror(errno));
}

/* What OpenSSL says of a call that moved nothing. */
static ssize_t stopped(struct line *line, int result)
{
	int error = SSL_get_error(line->ssl, result);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
		line->wants_write |= error == SSL_ERROR_WANT_WRITE;
		return LINE_AGAIN;
	}
	line->error = error == SSL_ERROR_SYSCALL ? errno : 0;
	ERR_clear_error(); /* of this thread, so of the next line too */
	return error == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static void step_connecting(struct line *line)
{
	socklen_t len = sizeof line->error;
	getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &line->error, &len);
	if (line->error)
		die(line, "connect", strerror(line->error));
	else
		line->state = LINE_SECURING;
}

static void step_securing(struct line *line)
{
	int done = SSL_connect(line->ssl);
	if (done == 1)
		line->state = LINE_OPEN;
	else if (stopped(line, done) != LINE_AGAIN)
		die(line, "TLS", line->error ? strerror(line->error) : "the handshake failed");
}

enum line_state line_step(struct line *line)
{
	line->wants_write = false;
	if (line->state == LINE_CONNECTING)
		step_connecting(line);
	if (line->state == LINE_SECURING)
		step_securing(line);
	return line->state;
}

ssize_t line_read(struct line *line, void *bytes, size_t len)
{
	int got = SSL_read(line->ssl, bytes, (int)len);
	return got > 0 ? got : stopped(line, got);
}

ssize_t line_write(struct line *line, const void *bytes, size_t len)
{
	int put = SSL_write(line->ssl, bytes, (int)len);
	return put > 0 ? put : stopped(line, put);
}

void line_watch(struct line *line, int epoll, void *data)
{
	uint32_t wanted = EPOLLIN | (line->wants_write ? (uint32_t)EPOLLOUT : 0);
	struct epoll_event event = {.data.ptr = data, .events = wanted};
	if (line->fd < 0 || line->watched == wanted)
		return;
	epoll_ctl(epoll, line->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, line->fd, &event);
	line->watched = wanted;
}

void line_end(struct line *line)
{
	SSL_free(line->ssl);
	if (line->fd >= 0)
		close(line->fd);
	*line = (struct line){.fd = -1};
}
