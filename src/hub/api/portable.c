/* /v1/portable: the agent as one file for any Linux, which connectors fetch for their neighbours,
 * and go on with where they were cut off. */
#include "hub/portable.h"

#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/state.h"

#include <string.h>
#include <unistd.h>

#define ETAG_DIGITS 32

/* One range of bytes (RFC 9110 section 14.1.2). 1 and the range, 0 when the header asks for the
 * whole or for what is not understood here, -1 when there is no such part. */
static int read_range(const char *text, int64_t size, int64_t *from, int64_t *to)
{
	static const char unit[] = "bytes=";
	char *end = NULL;
	if (!text || strncmp(text, unit, sizeof unit - 1) != 0 || strchr(text, ','))
		return 0;
	text += sizeof unit - 1;
	bool tail = *text == '-';
	if (strlen(text) > 40 || strspn(text + tail, "0123456789-") != strlen(text + tail) ||
		text[tail] == '\0' || text[tail] == '-')
		return 0;
	long long first = strtoll(text + tail, &end, 10);
	if (tail) {
		*from = first < size ? size - first : 0;
		*to = size - 1;
		return *end ? 0 : first ? 1 : -1;
	}
	if (*end != '-')
		return 0;
	long long last = end[1] ? strtoll(end + 1, &end, 10) : size - 1;
	if (*end == '-')
		end++;
	if (*end || last < first)
		return *end ? 0 : first >= size ? -1 : 0;
	*from = first;
	*to = last < size ? last : size - 1;
	return first < size ? 1 : -1;
}

void portable_get(struct exchange *exchange)
{
	char hash[PORTABLE_HASH_SIZE];
	int64_t size = 0, from = 0, to = 0;
	int fd = portable_open(exchange->hub->portable, exchange->operands[0], &size, hash);
	if (fd < 0) {
		exchange_problem(exchange, 404, "This hub has no portable agent for that architecture.");
		return;
	}
	int part = read_range(exchange_request_header(exchange, "range"), size, &from, &to);
	exchange_header(exchange, "etag:", "\"%.*s\"", ETAG_DIGITS, hash);
	exchange_header(exchange, "accept-ranges:", "bytes");
	exchange_header(exchange, "cache-control:", "no-cache");
	hash[ETAG_DIGITS] = '\0';
	if (strstr(exchange->if_none_match, hash)) {
		close(fd);
		exchange_empty(exchange, 304);
	} else if (part < 0) {
		close(fd);
		exchange_header(exchange, "content-range:", "bytes */%lld", (long long)size);
		exchange_problem(exchange, 416, "The file has %lld bytes.", (long long)size);
	} else if (part) {
		exchange_header(exchange, "content-range:", "bytes %lld-%lld/%lld", (long long)from,
			(long long)to, (long long)size);
		exchange_file_part(
			exchange, "application/octet-stream", fd, (size_t)from, (size_t)(to - from + 1));
	} else {
		exchange_file(exchange, "application/octet-stream", fd);
	}
}
