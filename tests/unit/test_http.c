/* The response reader: what it accepts, what it refuses, and that no byte of a peer upsets it. */
#include "wire/http.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#define BODY_MAX 16

struct row {
	const char *what;
	const char *bytes;
	bool bodiless;
	bool ends; /* the stream ends after the bytes */
	int status;
	bool done;
	bool truncated;
	const char *body;
	const char *rest; /* what does not belong to the response */
};

static const struct row rows[] = {
	{"length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcXYZ", .status = 200, .done = true,
		.body = "abc", .rest = "XYZ"},
	{"no length, to the end", "HTTP/1.0 404 Not Found\r\nA: b\r\n\r\nabc", .ends = true,
		.status = 404, .done = true, .body = "abc", .rest = ""},
	{"no length, still open", "HTTP/1.0 404 Not Found\r\nA: b\r\n\r\nabc", .status = 404,
		.body = "abc", .rest = ""},
	{"chunks and a trailer",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3;x=y\r\nabc\r\n02\r\nde\r\n0\r\nT: u\r\n\r\nrest",
		.status = 200, .done = true, .body = "abcde", .rest = "rest"},
	{"chunks win over a length",
		"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		.status = 200, .done = true, .body = "", .rest = ""},
	{"interim answers", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
		.status = 204, .done = true, .body = "", .rest = ""},
	{"an upgrade", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n\x81\x01z", .status = 101,
		.done = true, .body = "", .rest = "\x81\x01z"},
	{"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", .status = 200, .done = true,
		.body = "x", .rest = ""},
	{"no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", .status = 200, .done = true,
		.body = "", .rest = ""},
	{"answer to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", .bodiless = true,
		.status = 200, .done = true, .body = "", .rest = ""},
	{"longer than is kept", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789abcdefghij",
		.status = 200, .done = true, .truncated = true, .body = "0123456789abcdef"},
	{"exactly what is kept", "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n0123456789abcdef",
		.status = 200, .done = true, .body = "0123456789abcdef", .rest = ""},
	{"ends too early", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", .ends = true,
		.status = 200, .done = true, .truncated = true, .body = "abc", .rest = ""},
	{"nothing at all", "", .ends = true, .status = 0, .done = true, .body = "", .rest = ""},
	{"half a head", "HTTP/1.1 200 OK\r\nConte", .ends = true, .status = -1, .done = true,
		.body = "", .rest = ""},
	{"an SSH banner", "SSH-2.0-OpenSSH_9.2\r\n", .status = -1, .done = true, .body = ""},
	{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n", .status = -1, .done = true, .body = ""},
	{"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", .status = -1, .done = true, .body = ""},
	{"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", .status = -1, .done = true, .body = ""},
	{"folded header", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", .status = -1, .done = true,
		.body = ""},
	{"a line of blanks", "HTTP/1.1 200 OK\r\n \r\nA: b\r\n\r\n", .status = -1, .done = true,
		.body = ""},
	{"blank before the colon", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", .status = -1, .done = true,
		.body = ""},
	{"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", .status = -1, .done = true,
		.body = ""},
	{"length of twenty digits", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
		.status = -1, .done = true, .body = ""},
	{"chunk that is no number", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		.status = -1, .done = true, .body = ""},
	{"chunk of a huge size",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", .status = -1,
		.done = true, .body = ""},
	{"chunk that runs on", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
		.status = -1, .done = true},
};

/* Feeds `step` bytes at a time; returns how many were taken. */
static size_t feed(struct http_response *response, const char *bytes, size_t len, size_t step)
{
	size_t used = 0;
	while (used < len && !response->done) {
		size_t part = len - used < step ? len - used : step;
		ssize_t took = http_response_feed(response, bytes + used, part);
		if (took < 0)
			break;
		used += (size_t)took;
	}
	return used;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
		const struct row *row = &rows[i / 2];
		size_t len = strlen(row->bytes);
		struct http_response response;
		http_response_init(&response, BODY_MAX, row->bodiless);
		size_t used = feed(&response, row->bytes, len, i % 2 ? 1 : 4096);
		if (row->ends)
			http_response_end(&response);
		print_message("%s, %s\n", row->what, i % 2 ? "byte by byte" : "at once");
		assert_int_equal(response.status, row->status);
		assert_int_equal(response.done, row->done);
		assert_int_equal(response.truncated, row->truncated);
		if (row->body)
			assert_string_equal(buf_text(&response.body), row->body);
		if (row->rest)
			assert_string_equal(row->bytes + used, row->rest);
		http_response_free(&response);
	}
}

static void test_headers(void **state)
{
	(void)state;
	static const char bytes[] = "HTTP/1.1 302 Found\r\nLocation:   /x \r\nX-A: 1\r\nx-a: 2\r\n"
								"Connection: keep-alive, Upgrade\r\nEmpty:\r\n\r\n";
	struct http_response response;
	http_response_init(&response, BODY_MAX, true);
	assert_int_equal(feed(&response, bytes, strlen(bytes), 7), strlen(bytes));
	assert_string_equal(http_response_header(&response, "location"), "/x");
	assert_string_equal(http_response_header(&response, "X-a"), "1");
	assert_string_equal(http_response_header(&response, "EMPTY"), "");
	assert_null(http_response_header(&response, "Loc"));
	assert_null(http_response_header(&response, "HTTP/1.1 302 Found"));
	assert_true(http_response_has_token(&response, "connection", "upgrade"));
	assert_false(http_response_has_token(&response, "connection", "keep"));
	assert_false(http_response_has_token(&response, "absent", "keep"));
	http_response_free(&response);

	static const char zero[] = "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n";
	http_response_init(&response, BODY_MAX, true);
	assert_int_equal(http_response_feed(&response, zero, sizeof zero - 1), -1);
	assert_int_equal(response.status, -1);
	http_response_free(&response);
}

static void test_head_is_bounded(void **state)
{
	(void)state;
	struct http_response response;
	http_response_init(&response, BODY_MAX, false);
	static const char start[] = "HTTP/1.1 200 OK\r\nA: ";
	char filler[1024];
	size_t fed = 0;
	memset(filler, 'x', sizeof filler);
	http_response_feed(&response, start, strlen(start));
	while (!response.done && fed++ < 100)
		http_response_feed(&response, filler, sizeof filler);
	assert_int_equal(response.status, -1);
	assert_true(fed <= HTTP_MAX_HEAD / sizeof filler + 1);
	http_response_free(&response);

	/* Interim answers without end are bounded by the same figure. */
	static const char interim[] = "HTTP/1.1 102 Processing\r\n\r\n";
	http_response_init(&response, BODY_MAX, false);
	for (fed = 0; !response.done && fed < 10000; fed++)
		http_response_feed(&response, interim, strlen(interim));
	assert_int_equal(response.status, -1);
	http_response_free(&response);
}

/* Every row with every byte replaced by something else: the reader may say what it likes, within
 * its bounds and (under the sanitizers) within its memory. */
static void test_mutations(void **state)
{
	(void)state;
	static const char others[] = {'\0', '\n', '\r', ':', ' ', '9', 'f', '\xff'};
	size_t tried = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].bytes);
		for (size_t at = 0; at < len * sizeof others; at++) {
			char copy[256];
			assert_true(len < sizeof copy);
			memcpy(copy, rows[i].bytes, len + 1);
			copy[at / sizeof others] = others[at % sizeof others];
			struct http_response response;
			http_response_init(&response, BODY_MAX, rows[i].bodiless);
			assert_true(feed(&response, copy, len, 1 + at % 5) <= len);
			http_response_end(&response);
			assert_true(response.done);
			assert_true(response.body.len <= BODY_MAX);
			http_response_header(&response, "content-length");
			http_response_free(&response);
			tried++;
		}
	}
	assert_true(tried > 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_head_is_bounded),
		cmocka_unit_test(test_mutations),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
