/* An HTTP answer of a proxy, a portal or a hub, in one piece and cut in two. */
#include "fuzz.h"
#include "wire/http.h"

#define BODY_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_response response;
	size_t cut = size ? data[0] % size : 0;
	http_response_init(&response, BODY_MAX, size % 2);
	ssize_t taken = http_response_feed(&response, data, cut);
	assert(taken <= (ssize_t)cut);
	if (!response.done)
		http_response_feed(&response, data + cut, size - cut);
	http_response_end(&response);
	assert(response.body.len <= BODY_MAX && response.head.len <= HTTP_MAX_HEAD);
	http_response_header(&response, "location");
	http_response_has_token(&response, "connection", "upgrade");
	http_response_free(&response);
	return 0;
}
