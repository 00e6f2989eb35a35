/*
 * One HTTP/1.1 response, read from bytes that a peer sends (RFC 9112), with a bound on everything.
 *
 * For the answers that no HTTP library can be asked for, because the connection is ours already:
 * the WebSocket upgrade and the plain requests of the walk. Zero-initialise with
 * http_response_init(), feed what arrives until `done`, http_response_end() when the stream ends
 * before that, look, free. It never reads, writes or blocks. Interim answers (1xx other than 101)
 * are skipped.
 */
#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HTTP_MAX_HEAD 16384 /* bytes of status line and headers, interim ones included */

struct http_response {
	int status; /* 0 until the head is whole; -1: what came is no HTTP/1, or its head too long */
	bool done;  /* everything that is wanted is there */
	bool truncated;  /* the body was longer than what is kept, or ended too early */
	struct buf head; /* owned; the raw text once it is no HTTP: for evidence */
	struct buf body; /* owned; at most body_max bytes */

	/* Private: where the reader stands. */
	int state;
	bool bodiless;
	int64_t left;     /* bytes of the body, or of the running chunk */
	size_t head_seen; /* bytes, over all interim answers */
	struct buf line;  /* a chunk's size, or a trailer */
};

/* bodiless: the answer to HEAD, which has the headers of a body but none. */
void http_response_init(struct http_response *response, size_t body_max, bool bodiless);
/* Takes bytes; returns how many belong to this response: the rest, after `done`, is what follows
 * it, such as WebSocket frames. -1 when this is no HTTP/1; `done` is set then as well. */
ssize_t http_response_feed(struct http_response *response, const void *data, size_t len);
/* The stream has ended: completes a body that has no length, cuts one that has. */
void http_response_end(struct http_response *response);
/* The first header of that name, in any letter case; NULL when absent. Borrowed. */
const char *http_response_header(const struct http_response *response, const char *name);
/* True when a list header ("Connection: a, b") has the token, in any letter case. */
bool http_response_has_token(
	const struct http_response *response, const char *name, const char *token);
void http_response_free(struct http_response *response);

#endif
