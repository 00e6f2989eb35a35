#include "wire/http.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_LINE     1024 /* a chunk's size with its extensions, or a trailer */
#define MAX_TRAILERS 64
#define PREFIX       "HTTP/1."

enum state {
	IN_HEAD,
	IN_BODY,       /* `left` bytes of it */
	UNTIL_END,     /* a body that ends with the stream */
	IN_CHUNK_SIZE, /* the line before a chunk */
	IN_CHUNK,
	IN_CHUNK_END, /* the line end after it */
	IN_TRAILERS,
	COMPLETE,
	BROKEN,
};

void http_response_init(struct http_response *response, size_t body_max, bool bodiless)
{
	*response = (struct http_response){
		.head.max = HTTP_MAX_HEAD,
		.body.max = body_max,
		.line.max = MAX_LINE,
		.bodiless = bodiless,
	};
}

void http_response_free(struct http_response *response)
{
	buf_free(&response->head);
	buf_free(&response->body);
	buf_free(&response->line);
}

static void finish(struct http_response *response, enum state state)
{
	response->state = state;
	response->done = true;
	buf_free(&response->line);
}

static int broken(struct http_response *response)
{
	response->status = -1;
	finish(response, BROKEN);
	return -1;
}

/* Lines of a finished head end in NUL; an empty one is the last. */
static const char *next_line(const char *line)
{
	return line + strlen(line) + 1;
}

const char *http_response_header(const struct http_response *response, const char *name)
{
	size_t len = strlen(name);
	if (response->status <= 0)
		return NULL;
	for (const char *line = next_line(response->head.data); *line; line = next_line(line))
		if (strncasecmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " \t");
	return NULL;
}

bool http_response_has_token(
	const struct http_response *response, const char *name, const char *token)
{
	const char *at = http_response_header(response, name);
	size_t len = strlen(token);
	while (at && *at) {
		at += strspn(at, ", \t");
		size_t word = strcspn(at, ", \t");
		if (word == len && strncasecmp(at, token, len) == 0)
			return true;
		at += word;
	}
	return false;
}

static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("!#$%&'*+-.^_`|~", text[i]))
			return false;
	return len > 0;
}

/* Cuts the head into lines and checks their form; -1 when it is not that of a response. */
static int split_head(struct http_response *response)
{
	char *head = response->head.data;
	if (memchr(head, '\0', response->head.len))
		return -1;
	for (char *line = head, *end; (end = strchr(line, '\n')); line = end + 1) {
		char *last = end;
		while (last > line && strchr("\r \t", last[-1]))
			last--;
		/* The line end shrinks to one NUL; what follows moves down to it. */
		memmove(last + 1, end + 1, strlen(end + 1) + 1);
		*last = '\0';
		end = last;
		const char *colon = strchr(line, ':');
		bool is_end = !*line && !end[1];
		if (line != head && !is_end && (!colon || !is_name(line, (size_t)(colon - line))))
			return -1;
	}
	if (!isdigit((unsigned char)head[strlen(PREFIX)]) || head[strlen(PREFIX) + 1] != ' ')
		return -1;
	const char *code = head + strlen(PREFIX) + 2;
	if (strspn(code, "0123456789") != 3 || (code[3] && code[3] != ' ') || code[0] == '0')
		return -1;
	response->status = atoi(code);
	return 0;
}

/* The value of Content-Length, -1 for none, -2 when it is none that can be believed. */
static int64_t content_length(const struct http_response *response)
{
	const char *text = http_response_header(response, "content-length");
	if (!text)
		return -1;
	size_t digits = strspn(text, "0123456789");
	return digits && digits < 16 && !text[digits] ? (int64_t)strtoll(text, NULL, 10) : -2;
}

static int begin_body(struct http_response *response)
{
	bool none = response->bodiless || response->status < 200 || response->status == 204 ||
				response->status == 304;
	if (none) {
		finish(response, COMPLETE);
		return 0;
	}
	if (http_response_header(response, "transfer-encoding")) {
		bool chunked = http_response_has_token(response, "transfer-encoding", "chunked");
		response->state = chunked ? IN_CHUNK_SIZE : UNTIL_END;
		return 0;
	}
	response->left = content_length(response);
	if (response->left == -2)
		return -1;
	response->state = response->left < 0 ? UNTIL_END : IN_BODY;
	if (!response->left)
		finish(response, COMPLETE);
	return 0;
}

static bool head_is_whole(const struct buf *head)
{
	const char *end = head->data + head->len;
	return (head->len >= 3 && memcmp(end - 3, "\n\r\n", 3) == 0) ||
		   (head->len >= 2 && memcmp(end - 2, "\n\n", 2) == 0);
}

static int end_of_head(struct http_response *response)
{
	if (split_head(response))
		return broken(response);
	if (response->status < 200 && response->status != 101) {
		buf_free(&response->head);
		response->head.max = HTTP_MAX_HEAD;
		response->status = 0;
		return 0;
	}
	return begin_body(response) ? broken(response) : 0;
}

static ssize_t feed_head(struct http_response *response, const char *data, size_t len)
{
	struct buf *head = &response->head;
	for (size_t i = 0; i < len; i++) {
		if (++response->head_seen > HTTP_MAX_HEAD || buf_append(head, data + i, 1))
			return broken(response);
		if (head->len <= strlen(PREFIX) && data[i] != PREFIX[head->len - 1]) {
			size_t rest = len - i - 1; /* kept: it shows what speaks there */
			buf_append(head, data + i + 1, rest < 256 ? rest : 256);
			return broken(response);
		}
		if (data[i] == '\n' && head_is_whole(head))
			return end_of_head(response) ? -1 : (ssize_t)i + 1;
	}
	return (ssize_t)len;
}

/* Keeps what the bound allows; past it the response is as done as it will be. */
static void keep(struct http_response *response, const char *data, size_t len)
{
	size_t room = response->body.max - response->body.len;
	buf_append(&response->body, data, len < room ? len : room);
	if (len > room) {
		response->truncated = true;
		finish(response, COMPLETE);
	}
}

static ssize_t feed_counted(struct http_response *response, const char *data, size_t len)
{
	size_t take = (int64_t)len < response->left ? len : (size_t)response->left;
	response->left -= (int64_t)take;
	keep(response, data, take);
	if (response->left || response->done)
		return (ssize_t)take;
	if (response->state == IN_CHUNK)
		response->state = IN_CHUNK_END;
	else
		finish(response, COMPLETE);
	return (ssize_t)take;
}

static int chunk_size(struct http_response *response)
{
	const char *text = buf_text(&response->line);
	size_t digits = strspn(text, "0123456789abcdefABCDEF");
	if (!digits || digits > 12 || !strchr(";\r \t", text[digits]))
		return -1;
	response->left = strtoll(text, NULL, 16);
	response->state = response->left ? IN_CHUNK : IN_TRAILERS;
	response->head_seen = 0; /* from here on it counts trailers */
	return 0;
}

/* One whole line of the chunked coding; its line feed is not part of it. */
static int chunk_line(struct http_response *response)
{
	const char *text = buf_text(&response->line);
	bool empty = !*text || strcmp(text, "\r") == 0;
	int rc = 0;
	if (response->state == IN_CHUNK_SIZE) {
		rc = chunk_size(response);
	} else if (response->state == IN_CHUNK_END) {
		rc = empty ? 0 : -1;
		response->state = IN_CHUNK_SIZE;
	} else if (empty) {
		finish(response, COMPLETE);
	} else if (++response->head_seen > MAX_TRAILERS) {
		rc = -1;
	}
	buf_consume(&response->line, response->line.len);
	return rc;
}

static ssize_t feed_line(struct http_response *response, const char *data, size_t len)
{
	const char *feed = memchr(data, '\n', len);
	size_t part = feed ? (size_t)(feed - data) : len;
	if (buf_append(&response->line, data, part) || memchr(data, '\0', part))
		return broken(response);
	if (!feed)
		return (ssize_t)len;
	return chunk_line(response) ? broken(response) : (ssize_t)part + 1;
}

static ssize_t feed_rest(struct http_response *response, const char *data, size_t len)
{
	keep(response, data, len);
	return (ssize_t)len;
}

ssize_t http_response_feed(struct http_response *response, const void *data, size_t len)
{
	static ssize_t (*const feeders[])(struct http_response *, const char *, size_t) = {
		[IN_HEAD] = feed_head,
		[IN_BODY] = feed_counted,
		[UNTIL_END] = feed_rest,
		[IN_CHUNK_SIZE] = feed_line,
		[IN_CHUNK] = feed_counted,
		[IN_CHUNK_END] = feed_line,
		[IN_TRAILERS] = feed_line,
	};
	size_t used = 0;
	while (used < len && !response->done) {
		ssize_t took = feeders[response->state](response, (const char *)data + used, len - used);
		if (took < 0)
			return -1;
		used += (size_t)took;
	}
	return response->state == BROKEN ? -1 : (ssize_t)used;
}

void http_response_end(struct http_response *response)
{
	if (response->done)
		return;
	if (response->state == IN_HEAD) {
		if (response->head.len)
			response->status = -1;
	} else if (response->state != UNTIL_END) {
		response->truncated = true;
	}
	finish(response, response->state == IN_HEAD ? BROKEN : COMPLETE);
}
