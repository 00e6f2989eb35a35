/*
 * Happy path: a letter of the loop -> route and its rules (api/route.c) -> handler -> the answer,
 * as a letter back. What goes wrong: a peer that goes while the answer is in the making (the
 * exchange stays until it is resumed), a reader of a stream that does not follow (closed).
 */
#include "hub/net/exchange.h"

#include "base/json.h"
#include "hub/api/replay.h"
#include "hub/api/route.h"
#include "hub/net/http.h"
#include "hub/net/listener_parts.h"
#include "hub/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const exchange_kept_names[EXCHANGE_KEPT_COUNT] = {"content-type", "upload-offset",
	"upload-complete", "upload-length", "repr-digest", "sallyport-proof", "range"};

const char *exchange_arg(const struct exchange *exchange, const char *name)
{
	size_t len = strlen(name);
	for (int i = 0; i < EXCHANGE_MAX_ARGS && exchange->args[i]; i++)
		if (strncmp(exchange->args[i], name, len) == 0 && exchange->args[i][len] == '=')
			return exchange->args[i] + len + 1;
	return NULL;
}

const char *exchange_request_header(const struct exchange *exchange, const char *name)
{
	for (int i = 0; i < EXCHANGE_KEPT_COUNT; i++)
		if (strcmp(exchange_kept_names[i], name) == 0)
			return exchange->kept[i];
	abort(); /* a handler was written that wants another one: see the table */
}

/* --- life ---------------------------------------------------------------------------------- */

static void free_request(struct exchange *exchange)
{
	for (int i = 0; i < EXCHANGE_MAX_ARGS; i++)
		free(exchange->args[i]);
	for (int i = 0; i < EXCHANGE_KEPT_COUNT; i++)
		free(exchange->kept[i]);
	/* A body may hold a password. */
	if (exchange->body.data)
		explicit_bzero(exchange->body.data, exchange->body.cap);
	buf_free(&exchange->body);
	if (exchange->reserved)
		atomic_fetch_sub(exchange->reserved_from, exchange->reserved);
	json_drop(&exchange->json);
	access_forget(&exchange->actor);
	explicit_bzero(exchange->bearer, sizeof exchange->bearer);
	explicit_bzero(exchange->cookie, sizeof exchange->cookie);
}

void exchange_free(struct exchange *exchange)
{
	free_request(exchange);
	for (int i = 0; i < EXCHANGE_MAX_HEADERS; i++)
		free(exchange->headers[i].value);
	buf_free(&exchange->answer);
	if (exchange->from_file)
		close(exchange->file);
	free(exchange);
}

/* On the core, where nobody will answer it any more. */
static void drop(struct exchange *exchange)
{
	replay_forget(exchange);
	exchange_free(exchange);
}

void exchange_gone(struct exchange *exchange)
{
	exchange->connection->asked = NULL;
	exchange->connection = NULL;
	if (exchange->on_gone)
		exchange->on_gone(exchange);
	if (!exchange->deferred)
		drop(exchange);
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
	drop(exchange);
	return NULL;
}

static void post_answer(struct connection *connection, struct exchange *answer)
{
	answer->letter.open = http_answered;
	mailbox_post(&connection->loop->mailbox, LANE_PROMPT, &answer->letter);
}

/* The head of a stream goes out in an exchange of its own; this one stays. */
static void begin_stream(struct exchange *exchange)
{
	struct exchange *head = xcalloc(1, sizeof *head);
	exchange->streamed = true;
	head->hub = exchange->hub;
	head->connection = exchange->connection;
	head->status = exchange->status;
	head->type = exchange->type;
	head->streaming = true;
	memcpy(head->headers, exchange->headers, sizeof head->headers);
	memset(exchange->headers, 0, sizeof exchange->headers);
	post_answer(exchange->connection, head);
}

void exchange_deliver(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;
	if (!exchange->streaming) {
		connection->asked = NULL;
		replay_forget(exchange);
		post_answer(connection, exchange);
	} else if (!exchange->streamed) {
		begin_stream(exchange);
	}
}

void exchange_asked(struct letter *letter)
{
	struct exchange *exchange = (struct exchange *)letter;
	struct connection *connection = exchange->connection;
	connection->asked = exchange;
	route_run(exchange);
	/* Unless it was delivered, or waits for somebody. */
	if (connection->asked == exchange && exchange->status && !exchange->deferred)
		exchange_deliver(exchange);
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
		{411, "Length Required"}, {413, "Content Too Large"}, {415, "Unsupported Media Type"},
		{422, "Unprocessable Content"}, {426, "Upgrade Required"}, {429, "Too Many Requests"},
		{500, "Internal Server Error"}, {503, "Service Unavailable"},
		{507, "Insufficient Storage"}};
	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

/* Takes `errors`. */
static void answer_problem(
	struct exchange *exchange, int status, const char *type, json_t *errors, const char *detail)
{
	json_t *json = json_pack("{s:s,s:s,s:i,s:s}", "type", type, "title", title_of(status), "status",
		status, "detail", detail);
	if (!json) /* the detail was cut inside a character */
		json =
			json_pack("{s:s,s:s,s:i}", "type", type, "title", title_of(status), "status", status);
	if (errors)
		json_object_set_new(json, "errors", errors);
	exchange_json(exchange, status, json);
	exchange->type = "application/problem+json";
}

void exchange_problem(struct exchange *exchange, int status, const char *format, ...)
{
	char detail[1200];
	va_list args;
	va_start(args, format);
	vsnprintf(detail, sizeof detail, format, args);
	va_end(args);
	answer_problem(exchange, status, "about:blank", NULL, detail);
}

void exchange_problem_of(struct exchange *exchange, int status, const char *kind, json_t *errors,
	const char *format, ...)
{
	char detail[1200];
	char type[80];
	va_list args;
	va_start(args, format);
	vsnprintf(detail, sizeof detail, format, args);
	va_end(args);
	snprintf(type, sizeof type, "urn:sallyport:problem:%s", kind);
	answer_problem(exchange, status, type, errors, detail);
}

/* --- files and streams ----------------------------------------------------------------------- */

void exchange_file(struct exchange *exchange, const char *type, int fd)
{
	struct stat st = {0};
	fstat(fd, &st);
	exchange->status = 200;
	exchange->type = type;
	exchange->from_file = true;
	exchange->file = fd;
	exchange->file_len = (size_t)st.st_size;
}

void exchange_file_part(struct exchange *exchange, const char *type, int fd, size_t at, size_t len)
{
	exchange_file(exchange, type, fd);
	exchange->status = 206;
	exchange->file_at = at;
	exchange->file_len = len;
}

void exchange_stream(struct exchange *exchange)
{
	exchange->status = 200;
	exchange->type = "text/event-stream";
	exchange->streaming = true;
	exchange_header(exchange, "cache-control:", "no-store");
	exchange_header(exchange, "x-accel-buffering:", "no");
}

int exchange_push(struct exchange *exchange, const char *text, size_t len)
{
	struct connection *connection = exchange->connection;
	exchange_deliver(exchange); /* its head, the first time */
	if (connection->killed)
		return -1;
	if (atomic_load(&connection->unsent) + len > EXCHANGE_MAX_BACKLOG) {
		connection_kill(connection);
		return -1;
	}
	struct exchange_piece *piece = xcalloc(1, sizeof *piece + len);
	piece->letter.open = http_piece;
	piece->connection = connection;
	piece->len = len;
	memcpy(piece->text, text, len);
	atomic_fetch_add(&connection->unsent, len);
	mailbox_post(&connection->loop->mailbox, LANE_PROMPT, &piece->letter);
	return 0;
}

void exchange_close(struct exchange *exchange)
{
	exchange_deliver(exchange);
	connection_post_loop(exchange->connection, http_stream_ends);
}
