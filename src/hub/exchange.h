/*
 * One HTTP request and its answer.
 *
 * The listener begins it when the headers are there, adds the body, and writes the answer when the
 * socket takes it; in between one handler of the API runs and answers with one of the exchange_
 * functions, at once or, after exchange_defer(), later. A deferred exchange outlives its
 * connection: exchange_resume() gives NULL when that is gone.
 *
 * Every answer is complete before its first byte leaves, but for event streams.
 */
#ifndef HUB_EXCHANGE_H
#define HUB_EXCHANGE_H

#include "base/buf.h"
#include "hub/listener.h"

#include <jansson.h>

#define EXCHANGE_MAX_BODY    65536 /* bytes of a request */
#define EXCHANGE_MAX_HEADERS 6
#define EXCHANGE_MAX_ARGS    12

#define EXCHANGE_MAX_OPERANDS 2
#define EXCHANGE_OPERAND_SIZE 129

struct route;

enum exchange_method { METHOD_GET, METHOD_POST, METHOD_DELETE, METHOD_OTHER };

struct exchange {
	struct hub *hub;
	struct connection *connection; /* NULL once it is gone */

	/* the request */
	enum exchange_method method;
	char path[256];
	char operands[EXCHANGE_MAX_OPERANDS][EXCHANGE_OPERAND_SIZE]; /* for {}s in the route's path */
	char *args[EXCHANGE_MAX_ARGS];                               /* "name=value", decoded; owned */
	char host[256], origin[256], if_none_match[64];
	char cookie[64]; /* the value of the session's cookie */
	bool marked;     /* has X-Sallyport */
	char peer[46];
	struct buf body;
	int64_t content_length; /* -1: not given */
	const struct route *route;
	char *user;   /* who is signed in; owned */
	json_t *json; /* the body parsed, for handlers that want one; owned */

	/* the answer */
	int status; /* 0 until it is there */
	const char *type;
	struct {
		const char *name; /* "etag:" */
		char *value;      /* owned */
	} headers[EXCHANGE_MAX_HEADERS];
	struct buf answer;
	const unsigned char *fixed; /* in the place of answer: lives for ever */
	size_t fixed_len;
	size_t sent;
	bool headers_sent;
	bool streaming; /* an event stream: what is in `answer` goes out, and more may come */
	bool deferred;
	bool unwanted; /* the body is not read to its end: close afterwards */
};

/* For the listener; non-zero closes the connection. */
int exchange_begin(struct connection *connection, const char *path);
int exchange_body(struct exchange *exchange, const void *data, size_t len);
int exchange_body_ended(struct exchange *exchange);
int exchange_writable(struct exchange *exchange);
void exchange_gone(struct exchange *exchange);

/* For handlers. The json reference is taken. */
void exchange_json(struct exchange *exchange, int status, json_t *json);
void exchange_text(struct exchange *exchange, const char *type, struct buf *text); /* takes it */
void exchange_fixed(
	struct exchange *exchange, const char *type, const unsigned char *data, size_t len);
void exchange_empty(struct exchange *exchange, int status);
/* RFC 9457. */
void exchange_problem(struct exchange *exchange, int status, const char *format, ...)
	PRINTF_LIKE(3, 4);
void exchange_header(struct exchange *exchange, const char *name, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* The value of an argument of the query, or NULL. */
const char *exchange_arg(const struct exchange *exchange, const char *name);

void exchange_defer(struct exchange *exchange);
/* The exchange, or NULL after freeing it when nobody waits any more. */
struct exchange *exchange_resume(struct exchange *exchange);
/* After a resume: the answer is there. */
void exchange_deliver(struct exchange *exchange);

/* Turns the answer into a stream of events; headers go out at once. */
void exchange_stream(struct exchange *exchange);

#endif
