/*
 * One plain request and its answer on the walk's connection.
 *
 * Happy path: the request goes out, the answer comes in until it is done or its bound is reached.
 * The connection may end, fail or fall silent at any point: what has come by then is kept.
 */
#include "dial/hello.h"

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

static enum wait_result send_all(
	struct walker *walker, const struct buf *request, struct deadline deadline)
{
	struct conn *conn = walker->walk->conn;
	for (size_t sent = 0; sent < request->len;) {
		ssize_t put = conn_write(conn, request->data + sent, request->len - sent);
		if (put >= 0) {
			sent += (size_t)put;
			continue;
		}
		if (put != CONN_AGAIN)
			return WAIT_ERROR;
		enum wait_result result = conn_wait(conn, deadline, walker->options->cancel);
		if (result != WAIT_READY)
			return result;
	}
	return WAIT_READY;
}

static enum wait_result receive(
	struct walker *walker, struct deadline deadline, struct http_response *response)
{
	struct conn *conn = walker->walk->conn;
	char chunk[READ_SIZE];
	while (!response->done) {
		ssize_t got = conn_read(conn, chunk, sizeof chunk);
		if (got > 0) {
			http_response_feed(response, chunk, (size_t)got);
			continue;
		}
		if (got == CONN_AGAIN) {
			enum wait_result result = conn_wait(conn, deadline, walker->options->cancel);
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

enum wait_result exchange(struct walker *walker, const char *method, const char *path,
	struct deadline deadline, struct http_response *response)
{
	char host[TOKEN_MAX_HOST + 8];
	struct buf request = {0};
	buf_printf(&request,
		"%s %s HTTP/1.1\r\n"
		"Host: %s\r\n"
		"User-Agent: sallyport/" SALLYPORT_VERSION "\r\n"
		"Accept: */*\r\n"
		"Connection: close\r\n"
		"\r\n",
		method, path, exchange_host(walker->target, host));
	enum wait_result result = send_all(walker, &request, deadline);
	buf_free(&request);
	if (result == WAIT_READY)
		result = receive(walker, deadline, response);
	/* A head is an answer, even when its body then takes for ever. */
	if ((result == WAIT_TIMEOUT || result == WAIT_ERROR) && response->status > 0) {
		http_response_end(response);
		result = WAIT_READY;
	}
	return result;
}

const char *exchange_problem(
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
