/*
 * One connection of a simulated client: TCP, then TLS, on a socket that never blocks.
 *
 *     line_start(), then line_step() whenever the socket is ready until the state is LINE_OPEN,
 * then line_read() and line_write(); line_watch() after each of them; line_end().
 *
 * The struct is the caller's. `problem` says why a line is LINE_DEAD.
 */
#ifndef BENCH_LINE_H
#define BENCH_LINE_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LINE_AGAIN (-2) /* as WS_AGAIN */

enum line_state { LINE_DEAD, LINE_CONNECTING, LINE_SECURING, LINE_OPEN };

struct line {
	enum line_state state;
	int fd; /* -1: none */
	SSL *ssl;
	bool wants_write;  /* what is to be sent waits for the socket */
	uint32_t watched;  /* what epoll was last told */
	int error;         /* errno of the transport; 0: none */
	char problem[128]; /* "connect: Connection refused" */
};

/* One for all lines of a process, which trust any certificate. `suites` are the cipher suites that
 * TLS 1.3 offers; NULL: OpenSSL's own. */
SSL_CTX *line_context(const char *suites);
/* IPV4:PORT; -1 when it is none. */
int line_address(const char *text, struct sockaddr_in *address);
/* As many open files as the system allows. */
void line_raise_file_limit(void);

/* host is for SNI; NULL: none. All borrowed. */
void line_start(
	struct line *line, const struct sockaddr_in *address, SSL_CTX *tls, const char *host);
enum line_state line_step(struct line *line);
/* Bytes, 0 at the end (read only), LINE_AGAIN, or -1. */
ssize_t line_read(struct line *line, void *bytes, size_t len);
ssize_t line_write(struct line *line, const void *bytes, size_t len);
/* Tells epoll what the line waits for; `data` comes back with the event. */
void line_watch(struct line *line, int epoll, void *data);
void line_end(struct line *line);

#endif
