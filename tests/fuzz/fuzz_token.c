/* A join token as somebody pasted it; one that is accepted says the same when it is written again.
 */
#include "fuzz.h"
#include "wire/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct join_token token, again;
	struct err err;
	char *text = fuzz_text(data, size);
	if (token_decode(text, &token, &err) == 0) {
		char *written = token_encode(&token);
		assert(token_decode(written, &again, &err) == 0);
		assert(again.port == token.port && strcmp(again.host, token.host) == 0);
		free(written);
	}
	free(text);
	return 0;
}
