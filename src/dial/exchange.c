/*
 * A plain request and its answer on a connection, the walk's own and those that follow it.
 *
 * Happy path: the request goes out, the answer comes in until it is done or its bound is reached.
 * The connection may end, fail or fall silent at any point: what has come by then is kept.
 */
#include "dial/hello.h"
#include "dial/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define READ_SIZE 4096

const char *exchange_host(const struct dial_target *target, char text[TOKEN_MAX_HOST + 8])
{
	if (target->port == (target->protocol == DIAL_HTTP ? 80 : 443))
		snprintf(text, TOKEN_MAX_HOST + 8, "%s", target->host);
	else
		snprintf(text, TOKEN_MAX_HOST + 8, "%s:%u", target->host, target->port);
	return text;
}

static enum wait_result send_all(struct conn *conn, const void *data, size_t len,
	struct deadline deadline, const struct cancel *cancel)
{
	for (size_t sent = 0; sent < len;) {
		ssize_t put = conn_write(conn, (const char *)data + sent, len - sent);
		if (put >= 0) {
			sent += (size_t)put;
			continue;
		}
		if (put != CONN_AGAIN)
			return WAIT_ERROR;
		enum wait_result result = conn_wait(conn, deadline, cancel);
		if (result != WAIT_READY)
			return result;
	}
	return WAIT_READY;
}

static enum wait_result receive(struct conn *conn, struct deadline deadline,
	const struct cancel *cancel, struct http_response *response)
{
	char chunk[READ_SIZE];
	while (!response->done) {
		ssize_t got = conn_read(conn, chunk, sizeof chunk);
		if (got > 0) {
			http_response_feed(response, chunk, (size_t)got);
			continue;
		}
		if (got == CONN_AGAIN) {
			enum wait_result result = conn_wait(conn, deadline, cancel);
			if (result != WAIT_READY)
				return result;
			continue;
		}
		if (got < 0 && response->status == 0)
			return WAIT_ERROR;
		http_response_end(response);
	}
	return WAIT_READY;
}

static void write_head(
	const struct dial_target *target, const struct request *request, struct buf *head)
{
	char host[TOKEN_MAX_HOST + 8];
	buf_printf(head,
		"%s %s HTTP/1.1\r\n"
		"Host: %s\r\n"
		"User-Agent: sallyport/" SALLYPORT_VERSION "\r\n"
		"Accept: */*\r\n",
		request->method, request->path, exchange_host(target, host));
	if (request->body)
		buf_printf(head, "Content-Length: %zu\r\n", request->body_len);
	if (request->last)
		buf_puts(head, "Connection: close\r\n");
	buf_printf(head, "%s\r\n", request->headers ? request->headers : "");
}

enum wait_result request_run(struct conn *conn, const struct dial_target *target,
	const struct request *request, struct deadline deadline, const struct cancel *cancel,
	struct http_response *response)
{
	struct buf head = {0};
	write_head(target, request, &head);
	enum wait_result result = send_all(conn, head.data, head.len, deadline, cancel);
	buf_free(&head);
	if (result == WAIT_READY && request->body)
		result = send_all(conn, request->body, request->body_len, deadline, cancel);
	if (result == WAIT_READY)
		result = receive(conn, deadline, cancel, response);
	/* A head is an answer, even when its body then takes for ever. */
	if ((result == WAIT_TIMEOUT || result == WAIT_ERROR) && response->status > 0) {
		http_response_end(response);
		result = WAIT_READY;
	}
	return result;
}

enum wait_result exchange(struct walker *walker, const char *method, const char *path,
	struct deadline deadline, struct http_response *response)
{
	const struct request request = {
		.method = method,
		.path = path,
		.last = !(walker->target->protocol == DIAL_HUB && walker->target->hub.stay),
	};
	return request_run(
		walker->walk->conn, walker->target, &request, deadline, walker->options->cancel, response);
}

const char *request_problem(
	enum wait_result result, const struct http_response *response, char text[160])
{
	if (result == WAIT_TIMEOUT)
		return "the request is not answered";
	if (result == WAIT_ERROR)
		snprintf(text, 160, "the connection fails after the request: %s", strerror(errno));
	else if (response->status == 0)
		return "the connection is closed without an answer";
	else if (response->status < 0)
		snprintf(text, 160, "the answer is no HTTP: %.100s", buf_text(&response->head));
	else
		return NULL;
	return text;
}
