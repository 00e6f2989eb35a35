/*
 * One HTTP request and its answer.
 *
 * The loop reads it (http.h) and posts it to the core, where one handler of the API runs and
 * answers with one of the exchange_ functions, at once or, after exchange_defer(), later; then it
 * goes back to the loop, which writes the answer. It belongs to whoever has it. A deferred exchange
 * outlives its connection: exchange_resume() gives NULL when that is gone.
 *
 * Every answer is complete before its first byte leaves, but for event streams: such an exchange
 * stays with the core until its connection has ended or exchange_close().
 */
#ifndef HUB_EXCHANGE_H
#define HUB_EXCHANGE_H

#include "base/buf.h"
#include "hub/api/access.h"
#include "hub/net/listener.h"
#include "hub/net/mailbox.h"

#include <jansson.h>

#define EXCHANGE_MAX_BODY    65536 /* bytes of a request */
#define EXCHANGE_MAX_HEADERS 6
#define EXCHANGE_MAX_ARGS    12
#define EXCHANGE_MAX_BACKLOG                                                                       \
	524288 /* bytes of a stream that wait to be sent; then it is closed                            \
			*/

#define EXCHANGE_MAX_OPERANDS 2
#define EXCHANGE_OPERAND_SIZE 129

struct route;

enum exchange_method {
	METHOD_GET,
	METHOD_POST,
	METHOD_DELETE,
	METHOD_PATCH,
	METHOD_HEAD,
	METHOD_OTHER
};

/* Headers of a request that handlers may ask for; see exchange_kept_names. */
#define EXCHANGE_KEPT_COUNT 7
extern const char *const exchange_kept_names[EXCHANGE_KEPT_COUNT];

struct exchange {
	struct letter letter; /* first: it travels as one */
	struct hub *hub;
	struct connection *connection; /* NULL once it is gone */

	/* the request */
	enum exchange_method method;
	char path[256];
	char operands[EXCHANGE_MAX_OPERANDS][EXCHANGE_OPERAND_SIZE]; /* for {}s in the route's path */
	char *args[EXCHANGE_MAX_ARGS];                               /* "name=value", decoded; owned */
	char host[256], origin[256], if_none_match[64];
	char cookie[64];      /* the value of the session's cookie */
	bool marked;          /* has X-Sallyport */
	char bearer[64];      /* of Authorization; "?" when it is there and cannot be a key */
	char replay_key[130]; /* Idempotency-Key; " " when it is there and too long */
	char peer[46];
	char *kept[EXCHANGE_KEPT_COUNT]; /* owned; NULL where absent */
	struct buf body;
	int64_t content_length; /* -1: not given */
	int64_t reserved;       /* bytes of the body that were added here and have to be taken off */
	_Atomic int64_t *reserved_from;
	const struct route *route;
	struct actor actor;    /* who asks; owned */
	struct replay *replay; /* the answer is to be kept (api/replay.h); owned */
	json_t *json;          /* the body parsed, for handlers that want one; owned */

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
	bool from_file; /* likewise: the file, or a part of it */
	int file;       /* owned */
	size_t file_at, file_len;
	bool streaming; /* an event stream: more may come */
	bool streamed;  /* its head has gone to the loop */
	bool deferred;
	bool unwanted; /* the body is not read to its end: close afterwards */
	/* For streams: called on the core, once, when the connection has ended, before the exchange is
	 * freed. */
	void (*on_gone)(struct exchange *exchange);
	void *stream_data; /* whoever set on_gone has it */

	/* the loop's, while it writes */
	size_t sent;
	bool headers_sent, ending;
};

/* A piece of a stream on its way to the loop. */
struct exchange_piece {
	struct letter letter;
	struct connection *connection;
	size_t len;
	char text[];
};

/* A letter of the loop, opened on the core: runs the handler. */
void exchange_asked(struct letter *letter);
/* On the core: the connection of the exchange in hand has ended. */
void exchange_gone(struct exchange *exchange);
void exchange_free(struct exchange *exchange);

/* For handlers. The json reference is taken. */
void exchange_json(struct exchange *exchange, int status, json_t *json);
void exchange_text(struct exchange *exchange, const char *type, struct buf *text); /* takes it */
void exchange_fixed(
	struct exchange *exchange, const char *type, const unsigned char *data, size_t len);
/* Takes the descriptor of a plain file, which is sent as long as it is now. */
void exchange_file(struct exchange *exchange, const char *type, int fd);
/* The same of `len` bytes from `at` on, as 206. */
void exchange_file_part(struct exchange *exchange, const char *type, int fd, size_t at, size_t len);
void exchange_empty(struct exchange *exchange, int status);
/* RFC 9457. */
void exchange_problem(struct exchange *exchange, int status, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* One of a type of its own: "urn:sallyport:problem:" and `kind`. The reference to `errors`, a list
 * of {"pointer" or "parameter", "detail"}, is taken; NULL for none. */
void exchange_problem_of(struct exchange *exchange, int status, const char *kind, json_t *errors,
	const char *format, ...) PRINTF_LIKE(5, 6);
void exchange_header(struct exchange *exchange, const char *name, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* The value of an argument of the query, or NULL. */
const char *exchange_arg(const struct exchange *exchange, const char *name);

/* The value of a header that is kept ("upload-offset"), or NULL. */
const char *exchange_request_header(const struct exchange *exchange, const char *name);

void exchange_defer(struct exchange *exchange);
/* The exchange, or NULL after freeing it when nobody waits any more. */
struct exchange *exchange_resume(struct exchange *exchange);
/* After a resume: the answer is there. */
void exchange_deliver(struct exchange *exchange);

/* Turns the answer into a stream of events; headers go out at once. */
void exchange_stream(struct exchange *exchange);
/* Appends to a stream; -1 when it was closed because its reader does not follow. */
int exchange_push(struct exchange *exchange, const char *text, size_t len);
/* Ends a stream once what was pushed has gone out; on_gone follows. */
void exchange_close(struct exchange *exchange);

#endif
