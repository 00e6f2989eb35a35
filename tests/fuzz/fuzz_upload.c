/* What a machine says in the headers of an upload, and where a hub says that its endpoints are.
 * What is accepted says the same when it is written again. */
#include "fuzz.h"

#include "base/json.h"
#include "wire/endpoints.h"
#include "wire/upload.h"

static void try_headers(const char *text)
{
	unsigned char hash[UPLOAD_HASH_BYTES];
	char digest[UPLOAD_DIGEST_SIZE];
	struct proof_transcript transcript = {.binding = {0}};
	if (upload_digest_read(text, hash) == 0) {
		upload_digest_write(hash, digest);
		assert(strcmp(digest, text) == 0);
	}
	int64_t number = upload_number_read(text);
	assert(number >= -1 && number <= UPLOAD_MAX_BYTES);
	assert(upload_flag_read(text) >= -1);
	/* Nobody signs by chance: an input that verifies would be a hole. */
	assert(upload_proof_read(text, &transcript) == -1);
	upload_is_id(text);
}

static void try_endpoints(const char *text, size_t len)
{
	struct endpoints read, again;
	struct err err;
	json_t *object = json_parse(text, len, NULL);
	if (object && endpoints_read(object, &read, &err) == 0) {
		json_t *written = endpoints_write(&read);
		assert(endpoints_read(written, &again, &err) == 0 && endpoints_same(&read, &again));
		json_decref(written);
	}
	json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	try_headers(text);
	try_endpoints(text, strlen(text));
	free(text);
	return 0;
}
