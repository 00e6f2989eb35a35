/*
 * The connection that a walk leaves: bytes through whatever lies between.
 *
 * A stack of at most three layers: the socket, the proxy's TLS where the proxy speaks it (held by
 * libcurl), and the endpoint's TLS. Reads and writes never block; conn_wait() waits under a
 * deadline and a cancel.
 */
#ifndef DIAL_CONN_H
#define DIAL_CONN_H

#include "os/wait.h"

#include <openssl/ssl.h>
#include <stddef.h>
#include <sys/types.h>

struct conn;

#define CONN_AGAIN (-2) /* nothing now: conn_wait() */

/* Bytes read; 0 at the end of the stream; CONN_AGAIN; -1 with errno (ECONNRESET, EPROTO, ...). */
ssize_t conn_read(struct conn *conn, void *data, size_t len);
/* Bytes written; CONN_AGAIN; -1 with errno. */
ssize_t conn_write(struct conn *conn, const void *data, size_t len);
/* POLLIN or POLLOUT: what the last CONN_AGAIN waits for. TLS may want to write in order to read. */
short conn_events(const struct conn *conn);
enum wait_result conn_wait(
	struct conn *conn, struct deadline deadline, const struct cancel *cancel);
/* True when bytes are buffered above the socket, so that poll() would not report them. */
bool conn_pending(const struct conn *conn);
int conn_fd(const struct conn *conn);
/* Whether the other end of the socket, the proxy's where there is one, has acknowledged all that
 * was sent; false too where the system does not tell. */
bool conn_acknowledged(const struct conn *conn);
/* The TLS exporter of RFC 9266 ("EXPORTER-Channel-Binding", 32 bytes); -1 when the connection has
 * none (TLS 1.2 without extended master secret, or no TLS). */
int conn_channel_binding(const struct conn *conn, unsigned char out[32]);
/* Says goodbye (close_notify) without waiting, and closes. NULL is allowed. */
void conn_close(struct conn *conn);

#endif
