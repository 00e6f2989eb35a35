/*
 * Happy path: headers -> body within its bound -> a letter to the core, which answers -> the
 * answer, written in pieces as the socket takes them -> the connection is free for the next
 * request. What goes wrong: no length or too great a one (411, 413; the connection closes after the
 * answer), more great bodies than there is memory for (closed), a peer that goes while the answer
 * is in the making (the answer is thrown away).
 */
#include "hub/net/http.h"

#include "hub/api/job_request.h"
#include "hub/api/route.h"
#include "hub/net/listener_parts.h"
#include "hub/state.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define PIECE_BYTES 16384
#define COOKIE_NAME "__Host-sallyport"
#define MAX_KEPT    256 /* bytes of a header that handlers may ask for */

/* --- reading the request ------------------------------------------------------------------- */

static void copy_header(
	const struct exchange *exchange, enum lws_token_indexes token, char *to, size_t size)
{
	if (lws_hdr_copy(exchange->connection->wsi, to, (int)size, token) < 0)
		to[0] = '\0';
}

static enum exchange_method method_of(struct lws *wsi)
{
	static const struct {
		enum lws_token_indexes token;
		enum exchange_method method;
	} methods[] = {
		{WSI_TOKEN_GET_URI, METHOD_GET},
		{WSI_TOKEN_POST_URI, METHOD_POST},
		{WSI_TOKEN_DELETE_URI, METHOD_DELETE},
		{WSI_TOKEN_PATCH_URI, METHOD_PATCH},
		{WSI_TOKEN_HEAD_URI, METHOD_HEAD},
	};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (lws_hdr_total_length(wsi, methods[i].token))
			return methods[i].method;
	return METHOD_OTHER;
}

/* The value of our cookie among "a=b; c=d". */
static void read_cookie(struct exchange *exchange)
{
	char all[2048];
	copy_header(exchange, WSI_TOKEN_HTTP_COOKIE, all, sizeof all);
	char *rest = all;
	for (char *part; (part = strsep(&rest, ";"));) {
		part += strspn(part, " ");
		size_t len = strlen(COOKIE_NAME);
		if (strncmp(part, COOKIE_NAME, len) == 0 && part[len] == '=')
			snprintf(exchange->cookie, sizeof exchange->cookie, "%s", part + len + 1);
	}
}

/* What cannot be a key is kept as one that nobody has, so that it is refused rather than
 * overlooked. */
static void read_credentials(struct exchange *exchange)
{
	static const char scheme[] = "Bearer ";
	static const char replay[] = "idempotency-key:";
	struct lws *wsi = exchange->connection->wsi;
	char text[sizeof scheme - 1 + sizeof exchange->bearer];
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_AUTHORIZATION)) {
		copy_header(exchange, WSI_TOKEN_HTTP_AUTHORIZATION, text, sizeof text);
		bool fits = strncasecmp(text, scheme, sizeof scheme - 1) == 0 && text[sizeof scheme - 1];
		snprintf(
			exchange->bearer, sizeof exchange->bearer, "%s", fits ? text + sizeof scheme - 1 : "?");
	}
	explicit_bzero(text, sizeof text);
	if (lws_hdr_custom_length(wsi, replay, sizeof replay - 1) > 0 &&
		lws_hdr_custom_copy(
			wsi, exchange->replay_key, sizeof exchange->replay_key, replay, sizeof replay - 1) < 0)
		snprintf(exchange->replay_key, sizeof exchange->replay_key, " ");
}

static void read_args(struct exchange *exchange)
{
	char text[512];
	for (int i = 0; i < EXCHANGE_MAX_ARGS; i++) {
		if (lws_hdr_copy_fragment(
				exchange->connection->wsi, text, sizeof text, WSI_TOKEN_HTTP_URI_ARGS, i) <= 0)
			return;
		exchange->args[i] = xstrdup(text);
	}
}

/* What handlers may ask for by name; one that is too long is as good as absent. */
static void read_kept(struct exchange *exchange)
{
	struct lws *wsi = exchange->connection->wsi;
	char value[MAX_KEPT], name[64];
	for (int i = 0; i < EXCHANGE_KEPT_COUNT; i++) {
		int len = snprintf(name, sizeof name, "%s:", exchange_kept_names[i]);
		if (strcmp(exchange_kept_names[i], "content-type") == 0)
			len = lws_hdr_copy(wsi, value, sizeof value, WSI_TOKEN_HTTP_CONTENT_TYPE);
		else if (strcmp(exchange_kept_names[i], "range") == 0)
			len = lws_hdr_copy(wsi, value, sizeof value, WSI_TOKEN_HTTP_RANGE);
		else if (lws_hdr_custom_length(wsi, name, len) > 0)
			len = lws_hdr_custom_copy(wsi, value, sizeof value, name, len);
		else
			len = -1;
		if (len > 0)
			exchange->kept[i] = xstrndup(value, (size_t)len);
	}
}

static void read_headers(struct exchange *exchange)
{
	struct lws *wsi = exchange->connection->wsi;
	char length[32];
	exchange->method = method_of(wsi);
	copy_header(exchange, WSI_TOKEN_HOST, exchange->host, sizeof exchange->host);
	copy_header(exchange, WSI_TOKEN_ORIGIN, exchange->origin, sizeof exchange->origin);
	copy_header(exchange, WSI_TOKEN_HTTP_IF_NONE_MATCH, exchange->if_none_match,
		sizeof exchange->if_none_match);
	copy_header(exchange, WSI_TOKEN_HTTP_CONTENT_LENGTH, length, sizeof length);
	exchange->content_length = length[0] ? strtoll(length, NULL, 10) : -1;
	exchange->marked = lws_hdr_custom_length(wsi, "x-sallyport:", 12) > 0;
	snprintf(exchange->peer, sizeof exchange->peer, "%s", exchange->connection->peer);
	read_cookie(exchange);
	read_credentials(exchange);
	read_args(exchange);
	read_kept(exchange);
}

/* --- asking the core ------------------------------------------------------------------------ */

static void ask(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;
	connection->exchange = NULL;
	connection->answering = true;
	exchange->letter.open = exchange_asked;
	mailbox_post(&connection->loop->listener->core, LANE_PROMPT, &exchange->letter);
}

/* Bytes that a request may have, where that is more than EXCHANGE_MAX_BODY. */
static const struct {
	enum exchange_method method;
	const char *path; /* of the route */
	size_t most;
} wide[] = {
	{METHOD_PATCH, "/v1/uploads/{id}", 1048576},
	{METHOD_POST, "/v1/jobs", JOBS_API_MAX_BODY},
	{METHOD_POST, "/v1/installs", JOBS_API_MAX_BODY},
	{METHOD_POST, "/v1/installs/{id}/retry", JOBS_API_MAX_BODY},
	{METHOD_POST, "/v1/installs/{id}/start", JOBS_API_MAX_BODY},
	{METHOD_POST, "/v1/connector/installs", JOBS_API_MAX_BODY},
	{METHOD_POST, "/v1/connector/installs/{id}/events", JOBS_API_MAX_BODY},
	{METHOD_POST, "/v1/jobs/{id}/cancel", JOBS_API_MAX_BODY},
};

static size_t body_bound(const struct exchange *exchange)
{
	char operands[EXCHANGE_MAX_OPERANDS][EXCHANGE_OPERAND_SIZE];
	bool other;
	const struct route *route = route_find(exchange->method, exchange->path, operands, &other);
	for (size_t i = 0; route && i < ARRAY_LEN(wide); i++)
		if (wide[i].method == route->method && strcmp(wide[i].path, route->path) == 0)
			return wide[i].most;
	return EXCHANGE_MAX_BODY;
}

/* What is more than any request may have comes out of one bound for all connections, as it comes:
 * whoever only announces a great body takes nothing from the others. */
static int reserve(struct exchange *exchange)
{
	_Atomic int64_t *all = &exchange->connection->loop->listener->body_bytes;
	int64_t needed = (int64_t)exchange->body.cap - EXCHANGE_MAX_BODY, more;
	if (needed <= exchange->reserved)
		return 0;
	more = needed - exchange->reserved;
	if (atomic_fetch_add(all, more) + more > HTTP_MAX_BODIES) {
		atomic_fetch_sub(all, more);
		return -1;
	}
	exchange->reserved = needed;
	exchange->reserved_from = all;
	return 0;
}

/* True when a body follows; else the request is answered or whole. */
static bool wants_body(struct exchange *exchange)
{
	bool expected = exchange->method == METHOD_POST || exchange->method == METHOD_PATCH;
	exchange->body.max = body_bound(exchange);
	if (!expected && exchange->content_length <= 0)
		return false;
	if (exchange->method == METHOD_PATCH && exchange->content_length == 0)
		return false; /* libwebsockets tells of the end of an empty body with a POST alone */
	if (expected && exchange->content_length < 0) {
		exchange_problem(exchange, 411, "A request with a body needs a Content-Length.");
	} else if (exchange->content_length > (int64_t)exchange->body.max) {
		exchange_problem(
			exchange, 413, "A request may have %zu bytes at most.", exchange->body.max);
	} else {
		return true; /* http_body() and http_body_ended() follow */
	}
	exchange->unwanted = true;
	return false;
}

int http_begin(struct connection *connection, const char *path)
{
	if (connection->answering)
		return -1; /* one request at a time */
	if (connection->exchange)
		exchange_free(connection->exchange);
	struct exchange *exchange = xcalloc(1, sizeof *exchange);
	connection_learn(connection);
	connection->exchange = exchange;
	exchange->hub = connection->hub;
	exchange->connection = connection;
	metric_add(&connection->hub->metrics, METRIC_REQUESTS, 1);
	snprintf(exchange->path, sizeof exchange->path, "%s", path);
	read_headers(exchange);
	if (wants_body(exchange))
		return 0;
	if (exchange->status)
		lws_callback_on_writable(connection->wsi);
	else
		ask(exchange);
	return 0;
}

int http_body(struct connection *connection, const void *data, size_t len)
{
	struct exchange *exchange = connection->exchange;
	if (!exchange)
		return -1;
	if (exchange->unwanted || !len)
		return 0;
	return buf_append(&exchange->body, data, len) || reserve(exchange) ? -1 : 0;
}

int http_body_ended(struct connection *connection)
{
	struct exchange *exchange = connection->exchange;
	if (exchange && !exchange->status)
		ask(exchange);
	return 0;
}

/* --- the core's letters ---------------------------------------------------------------------- */

void http_answered(struct letter *letter)
{
	struct exchange *exchange = (struct exchange *)letter;
	struct connection *connection = exchange->connection;
	connection->answering = exchange->streaming;
	if (!connection->wsi) {
		exchange_free(exchange);
		return;
	}
	connection->exchange = exchange;
	lws_callback_on_writable(connection->wsi);
}

void http_piece(struct letter *letter)
{
	struct exchange_piece *piece = (struct exchange_piece *)letter;
	struct connection *connection = piece->connection;
	if (connection->wsi && connection->exchange) {
		buf_append(&connection->exchange->answer, piece->text, piece->len);
		lws_callback_on_writable(connection->wsi);
	}
	free(piece);
}

void http_stream_ends(struct letter *letter)
{
	struct connection *connection = ((struct connection_letter *)letter)->connection;
	if (connection->wsi && connection->exchange) {
		connection->exchange->ending = true;
		lws_callback_on_writable(connection->wsi);
	}
	free(letter);
}

/* --- writing ------------------------------------------------------------------------------- */

static size_t answer_len(const struct exchange *exchange)
{
	if (exchange->from_file)
		return exchange->file_len;
	return exchange->fixed ? exchange->fixed_len : exchange->answer.len;
}

static int add_header(
	struct lws *wsi, const char *name, const char *value, unsigned char **at, unsigned char *end)
{
	return lws_add_http_header_by_name(wsi, (const unsigned char *)name,
		(const unsigned char *)value, (int)strlen(value), at, end);
}

static int write_headers(struct exchange *exchange)
{
	struct lws *wsi = exchange->connection->wsi;
	unsigned char buffer[LWS_PRE + 4096];
	unsigned char *start = buffer + LWS_PRE, *at = start, *end = buffer + sizeof buffer;
	if (exchange->status == 204 || exchange->status == 304) {
		if (lws_add_http_header_status(wsi, (unsigned)exchange->status, &at, end))
			return -1;
	} else if (lws_add_http_common_headers(wsi, (unsigned)exchange->status, exchange->type,
				   exchange->streaming ? LWS_ILLEGAL_HTTP_CONTENT_LEN : answer_len(exchange), &at,
				   end)) {
		return -1;
	}
	for (int i = 0; i < EXCHANGE_MAX_HEADERS && exchange->headers[i].name; i++)
		if (add_header(wsi, exchange->headers[i].name, exchange->headers[i].value, &at, end))
			return -1;
	if (exchange->unwanted && add_header(wsi, "connection:", "close", &at, end))
		return -1;
	exchange->headers_sent = true;
	return lws_finalize_write_http_header(wsi, start, &at, end) ? -1 : 0;
}

static int read_piece(struct exchange *exchange, unsigned char *piece, size_t len)
{
	const char *from = exchange->fixed ? (const char *)exchange->fixed : exchange->answer.data;
	if (exchange->from_file)
		return pread(exchange->file, piece, len, (off_t)(exchange->file_at + exchange->sent)) ==
					   (ssize_t)len
				   ? 0
				   : -1;
	memcpy(piece, from + exchange->sent, len);
	return 0;
}

static int write_piece(struct exchange *exchange)
{
	unsigned char piece[LWS_PRE + PIECE_BYTES];
	size_t left = answer_len(exchange) - exchange->sent;
	size_t len = left < PIECE_BYTES ? left : PIECE_BYTES;
	bool last = len == left && !exchange->streaming;
	/* A file that has become shorter: the peer sees that the answer is cut off. */
	if (read_piece(exchange, piece + LWS_PRE, len) ||
		lws_write(exchange->connection->wsi, piece + LWS_PRE, len,
			last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
		return -1;
	exchange->sent += len;
	return 0;
}

static int write_stream(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;
	if (exchange->answer.len && write_piece(exchange))
		return -1;
	atomic_fetch_sub(&connection->unsent, exchange->sent);
	buf_consume(&exchange->answer, exchange->sent);
	exchange->sent = 0;
	if (exchange->answer.len || lws_partial_buffered(connection->wsi))
		lws_callback_on_writable(connection->wsi);
	else if (exchange->ending)
		return -1;
	return 0;
}

static int finish(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;
	bool close = exchange->unwanted;
	connection->exchange = NULL;
	exchange_free(exchange);
	return close || lws_http_transaction_completed(connection->wsi) ? -1 : 0;
}

int http_writable(struct connection *connection)
{
	struct exchange *exchange = connection->exchange;
	if (!exchange->status)
		return 0;
	if (!exchange->headers_sent) {
		if (write_headers(exchange))
			return -1;
		if (exchange->streaming)
			lws_set_timeout(connection->wsi, NO_PENDING_TIMEOUT, 0);
		else if (!answer_len(exchange) || exchange->method == METHOD_HEAD)
			return finish(exchange);
	} else if (exchange->streaming) {
		return write_stream(exchange);
	} else if (write_piece(exchange)) {
		return -1;
	} else if (exchange->sent == answer_len(exchange)) {
		return finish(exchange);
	}
	lws_callback_on_writable(connection->wsi);
	return 0;
}
