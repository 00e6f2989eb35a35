/*
 * bare_tls: the bare minimum that a hub is measured against. An OpenSSL server on epoll that shakes
 * hands and then holds each connection idle, and nothing else.
 *
 *     bare_tls PORT CERT.pem KEY.pem
 *
 * Prints "ready" and serves 127.0.0.1 until its standard input ends.
 */
#include "base/mem.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256

static int listen_on(uint16_t port)
{
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1024))
		return -1;
	return fd;
}

static void accept_all(int listener, int epoll, SSL_CTX *tls)
{
	int fd;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		SSL *ssl = SSL_new(tls);
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = ssl};
		SSL_set_fd(ssl, fd);
		SSL_set_accept_state(ssl);
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

/* Reads whatever comes: that drives the handshake, and notices the end. */
static void serve(SSL *ssl)
{
	char bytes[512];
	int got = SSL_read(ssl, bytes, sizeof bytes);
	int error = got > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, got);
	if (error == SSL_ERROR_NONE || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return;
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
}

static void run(int listener, SSL_CTX *tls)
{
	static char listener_mark, stdin_mark;
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event for_listener = {.events = EPOLLIN, .data.ptr = &listener_mark};
	struct epoll_event for_stdin = {.events = EPOLLIN, .data.ptr = &stdin_mark};
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &for_listener);
	epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &for_stdin);
	for (;;) {
		int ready = epoll_wait(epoll, events, EVENTS, -1);
		for (int i = 0; i < ready; i++) {
			if (events[i].data.ptr == &listener_mark)
				accept_all(listener, epoll, tls);
			else if (events[i].data.ptr == &stdin_mark)
				return;
			else
				serve(events[i].data.ptr);
		}
	}
}

int main(int argc, char **argv)
{
	struct rlimit files;
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	if (argc != 4 || SSL_CTX_use_certificate_chain_file(tls, argv[2]) != 1 ||
		SSL_CTX_use_PrivateKey_file(tls, argv[3], SSL_FILETYPE_PEM) != 1) {
		fprintf(stderr, "usage: bare_tls PORT CERT.pem KEY.pem\n");
		return 2;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	int listener = listen_on((uint16_t)strtoul(argv[1], NULL, 10));
	if (listener < 0) {
		perror("bare_tls");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	run(listener, tls);
	SSL_CTX_free(tls);
	return 0;
}
