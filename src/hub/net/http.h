/*
 * HTTP on the loop: reads a request, hands it to the core when it is whole, writes the answer.
 *
 * A request that breaks a bound is answered here; every other one is answered by the core. The
 * calls mirror the callbacks of libwebsockets, and those that return int return what it expects:
 * non-zero closes.
 */
#ifndef HUB_HTTP_H
#define HUB_HTTP_H

#include "hub/net/exchange.h"

/* Bytes of bodies beyond EXCHANGE_MAX_BODY each that may be in memory at once. */
#define HTTP_MAX_BODIES (INT64_C(64) * 1048576)

int http_begin(struct connection *connection, const char *path);
int http_body(struct connection *connection, const void *data, size_t len);
int http_body_ended(struct connection *connection);
int http_writable(struct connection *connection);

/* The letters of the core, opened on the loop. */
void http_answered(struct letter *letter);    /* an exchange with its answer */
void http_piece(struct letter *letter);       /* an exchange_piece */
void http_stream_ends(struct letter *letter); /* a connection_letter */

#endif
