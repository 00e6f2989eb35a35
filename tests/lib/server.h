/*
 * A server on 127.0.0.1 for the length of a test: a thread that accepts, and one for each
 * connection, which calls `serve` and closes the socket after it.
 */
#ifndef LIB_SERVER_H
#define LIB_SERVER_H

#include "lib/certs.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_MAX_CONNECTIONS 16

struct server {
	uint16_t port;
	void (*serve)(struct server *server, int fd);
	void *data; /* the test's */

	int listener;
	pthread_t thread;
	pthread_t workers[SERVER_MAX_CONNECTIONS];
	int fds[SERVER_MAX_CONNECTIONS];
	size_t count; /* connections so far */
};

void server_start(struct server *server, void (*serve)(struct server *server, int fd), void *data);
/* Ends every connection and waits for the threads. */
void server_stop(struct server *server);

/* TLS on an accepted socket: the leaf, and behind it what else is sent (NULL-terminated, may be
 * NULL). NULL when the handshake fails; the caller frees it. */
SSL *server_tls(int fd, const struct cert *leaf, const struct cert *const *sent);
/* Reads a request up to the empty line; its length, 0 at the end of the stream. */
size_t server_request(SSL *ssl, char *text, size_t size);
void server_say(SSL *ssl, const char *text);

#endif
