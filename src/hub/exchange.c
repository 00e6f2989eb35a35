/*
 * Happy path: headers -> route and its rules (api/route.c) -> body within its bound -> handler ->
 * the answer, written in pieces as the socket takes them -> the connection is free for the next
 * one. What goes wrong: no length or too great a one (411, 413; the connection closes after the
 * answer), a peer that goes while the answer is in the making (the exchange stays until it is
 * resumed).
 */
#include "hub/exchange.h"

#include "base/json.h"
#include "hub/api/route.h"
#include "hub/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PIECE_BYTES 16384
#define COOKIE_NAME "__Host-sallyport"

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
	connection_peer(exchange->connection, exchange->peer, sizeof exchange->peer);
	read_cookie(exchange);
	read_args(exchange);
}

const char *exchange_arg(const struct exchange *exchange, const char *name)
{
	size_t len = strlen(name);
	for (int i = 0; i < EXCHANGE_MAX_ARGS && exchange->args[i]; i++)
		if (strncmp(exchange->args[i], name, len) == 0 && exchange->args[i][len] == '=')
			return exchange->args[i] + len + 1;
	return NULL;
}

/* --- life ---------------------------------------------------------------------------------- */

static void exchange_free(struct exchange *exchange)
{
	for (int i = 0; i < EXCHANGE_MAX_ARGS; i++)
		free(exchange->args[i]);
	for (int i = 0; i < EXCHANGE_MAX_HEADERS; i++)
		free(exchange->headers[i].value);
	/* A body may hold a password. */
	if (exchange->body.data)
		explicit_bzero(exchange->body.data, exchange->body.cap);
	buf_free(&exchange->body);
	buf_free(&exchange->answer);
	json_drop(&exchange->json);
	free(exchange->user);
	free(exchange);
}

void exchange_gone(struct exchange *exchange)
{
	if (exchange->streaming)
		events_unwatch(exchange->hub->events, exchange);
	exchange->connection->exchange = NULL;
	exchange->connection = NULL;
	if (!exchange->deferred)
		exchange_free(exchange);
}

void exchange_defer(struct exchange *exchange)
{
	exchange->deferred = true;
}

struct exchange *exchange_resume(struct exchange *exchange)
{
	exchange->deferred = false;
	if (exchange->connection)
		return exchange;
	exchange_free(exchange);
	return NULL;
}

void exchange_deliver(struct exchange *exchange)
{
	lws_callback_on_writable(exchange->connection->wsi);
}

/* Runs the handler; what it answered is written when the socket is writable. */
static int run(struct exchange *exchange)
{
	route_run(exchange);
	if (exchange->status)
		exchange_deliver(exchange);
	return 0;
}

int exchange_begin(struct connection *connection, const char *path)
{
	struct exchange *exchange = xcalloc(1, sizeof *exchange);
	if (connection->exchange)
		exchange_gone(connection->exchange);
	connection->exchange = exchange;
	exchange->hub = connection->hub;
	exchange->connection = connection;
	exchange->body.max = EXCHANGE_MAX_BODY;
	metric_add(&connection->hub->metrics, METRIC_REQUESTS, 1);
	snprintf(exchange->path, sizeof exchange->path, "%s", path);
	read_headers(exchange);
	if (exchange->method == METHOD_POST && exchange->content_length < 0) {
		exchange->unwanted = true;
		exchange_problem(exchange, 411, "A request with a body needs a Content-Length.");
	} else if (exchange->content_length > EXCHANGE_MAX_BODY) {
		exchange->unwanted = true;
		exchange_problem(exchange, 413, "A request may have %d bytes at most.", EXCHANGE_MAX_BODY);
	} else if (exchange->content_length > 0 || exchange->method == METHOD_POST) {
		return 0; /* exchange_body() and exchange_body_ended() follow */
	} else {
		return run(exchange);
	}
	exchange_deliver(exchange);
	return 0;
}

int exchange_body(struct exchange *exchange, const void *data, size_t len)
{
	return !exchange->unwanted && len && buf_append(&exchange->body, data, len) ? -1 : 0;
}

int exchange_body_ended(struct exchange *exchange)
{
	return exchange->status || exchange->deferred ? 0 : run(exchange);
}

/* --- the answer ---------------------------------------------------------------------------- */

void exchange_header(struct exchange *exchange, const char *name, const char *format, ...)
{
	int at = 0;
	while (at < EXCHANGE_MAX_HEADERS && exchange->headers[at].name)
		at++;
	if (at == EXCHANGE_MAX_HEADERS)
		abort(); /* a handler was written with more */
	va_list args;
	va_start(args, format);
	if (vasprintf(&exchange->headers[at].value, format, args) < 0)
		abort();
	va_end(args);
	exchange->headers[at].name = name;
}

static void answer_text(
	struct exchange *exchange, int status, const char *type, const char *text, size_t len)
{
	exchange->status = status;
	exchange->type = type;
	buf_append(&exchange->answer, text, len);
}

void exchange_json(struct exchange *exchange, int status, json_t *json)
{
	cleanup(free_ptr) char *text = json_text(json);
	json_decref(json);
	answer_text(exchange, status, "application/json", text, strlen(text));
	exchange_header(exchange, "cache-control:", "no-store");
}

void exchange_text(struct exchange *exchange, const char *type, struct buf *text)
{
	exchange->status = 200;
	exchange->type = type;
	exchange->answer = *text;
	*text = (struct buf){0};
	exchange_header(exchange, "cache-control:", "no-store");
}

void exchange_fixed(
	struct exchange *exchange, const char *type, const unsigned char *data, size_t len)
{
	exchange->status = 200;
	exchange->type = type;
	exchange->fixed = data;
	exchange->fixed_len = len;
}

void exchange_empty(struct exchange *exchange, int status)
{
	exchange->status = status;
	exchange->type = NULL;
}

static const char *title_of(int status)
{
	static const struct {
		int status;
		const char *title;
	} titles[] = {{400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
		{404, "Not Found"}, {405, "Method Not Allowed"}, {409, "Conflict"}, {410, "Gone"},
		{411, "Length Required"}, {413, "Content Too Large"}, {422, "Unprocessable Content"},
		{426, "Upgrade Required"}, {429, "Too Many Requests"}, {500, "Internal Server Error"},
		{503, "Service Unavailable"}, {507, "Insufficient Storage"}};
	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

void exchange_problem(struct exchange *exchange, int status, const char *format, ...)
{
	char detail[1200];
	va_list args;
	va_start(args, format);
	vsnprintf(detail, sizeof detail, format, args);
	va_end(args);
	json_t *json = json_pack("{s:s,s:s,s:i,s:s}", "type", "about:blank", "title", title_of(status),
		"status", status, "detail", detail);
	if (!json) /* the detail was cut inside a character */
		json = json_pack(
			"{s:s,s:s,s:i}", "type", "about:blank", "title", title_of(status), "status", status);
	exchange_json(exchange, status, json);
	exchange->type = "application/problem+json";
}

void exchange_stream(struct exchange *exchange)
{
	exchange->status = 200;
	exchange->type = "text/event-stream";
	exchange->streaming = true;
	exchange_header(exchange, "cache-control:", "no-store");
	exchange_header(exchange, "x-accel-buffering:", "no");
}

/* --- writing ------------------------------------------------------------------------------- */

static size_t answer_len(const struct exchange *exchange)
{
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

static int write_piece(struct exchange *exchange)
{
	unsigned char piece[LWS_PRE + PIECE_BYTES];
	size_t left = answer_len(exchange) - exchange->sent;
	size_t len = left < PIECE_BYTES ? left : PIECE_BYTES;
	const char *from = exchange->fixed ? (const char *)exchange->fixed : exchange->answer.data;
	bool last = len == left && !exchange->streaming;
	memcpy(piece + LWS_PRE, from + exchange->sent, len);
	if (lws_write(exchange->connection->wsi, piece + LWS_PRE, len,
			last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
		return -1;
	exchange->sent += len;
	return 0;
}

static int write_stream(struct exchange *exchange)
{
	if (exchange->answer.len && write_piece(exchange))
		return -1;
	buf_consume(&exchange->answer, exchange->sent);
	exchange->sent = 0;
	if (exchange->answer.len)
		exchange_deliver(exchange);
	return 0;
}

static int finish(struct exchange *exchange)
{
	struct lws *wsi = exchange->connection->wsi;
	bool close = exchange->unwanted;
	exchange_gone(exchange);
	return close || lws_http_transaction_completed(wsi) ? -1 : 0;
}

int exchange_writable(struct exchange *exchange)
{
	if (!exchange->status)
		return 0;
	if (!exchange->headers_sent) {
		if (write_headers(exchange))
			return -1;
		if (exchange->streaming)
			lws_set_timeout(exchange->connection->wsi, NO_PENDING_TIMEOUT, 0);
		else if (!answer_len(exchange))
			return finish(exchange);
		exchange_deliver(exchange);
		return 0;
	}
	if (exchange->streaming)
		return write_stream(exchange);
	if (write_piece(exchange))
		return -1;
	if (exchange->sent == answer_len(exchange))
		return finish(exchange);
	exchange_deliver(exchange);
	return 0;
}
