#include "wire/upload.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE64     sodium_base64_VARIANT_ORIGINAL
#define BASE64_URL sodium_base64_VARIANT_URLSAFE_NO_PADDING

static const char digest_name[] = "sha-256=:";

bool upload_is_id(const char *text)
{
	return strlen(text) == UPLOAD_ID_SIZE - 1 &&
		   strspn(text, "0123456789abcdef") == UPLOAD_ID_SIZE - 1;
}

void upload_digest_write(const unsigned char hash[UPLOAD_HASH_BYTES], char text[UPLOAD_DIGEST_SIZE])
{
	char base64[sodium_base64_ENCODED_LEN(UPLOAD_HASH_BYTES, BASE64)];
	sodium_bin2base64(base64, sizeof base64, hash, UPLOAD_HASH_BYTES, BASE64);
	snprintf(text, UPLOAD_DIGEST_SIZE, "%s%s:", digest_name, base64);
}

int upload_digest_read(const char *text, unsigned char hash[UPLOAD_HASH_BYTES])
{
	size_t len = 0;
	const char *end = NULL;
	char again[UPLOAD_DIGEST_SIZE];
	if (strncmp(text, digest_name, sizeof digest_name - 1) != 0)
		return -1;
	const char *base64 = text + sizeof digest_name - 1;
	if (sodium_base642bin(
			hash, UPLOAD_HASH_BYTES, base64, strlen(base64), NULL, &len, &end, BASE64) ||
		len != UPLOAD_HASH_BYTES)
		return -1;
	/* libsodium takes some bytes that are no base64 for some that are. */
	upload_digest_write(hash, again);
	return strcmp(again, text) == 0 ? 0 : -1;
}

int64_t upload_number_read(const char *text)
{
	size_t len = strlen(text);
	if (!len || len > 9 || strspn(text, "0123456789") != len)
		return -1;
	long number = strtol(text, NULL, 10);
	return number <= UPLOAD_MAX_BYTES ? number : -1;
}

int upload_flag_read(const char *text)
{
	return strcmp(text, "?1") == 0 ? 1 : strcmp(text, "?0") == 0 ? 0 : -1;
}

/* --- the agent's proof ------------------------------------------------------------------------ */

static char *put(char *at, const unsigned char *data, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, BASE64_URL);
	sodium_bin2base64(at, size, data, len, BASE64_URL);
	return at + size - 1;
}

void upload_proof_write(const struct identity *agent, const struct proof_transcript *transcript,
	char text[UPLOAD_PROOF_SIZE])
{
	unsigned char signature[IDENTITY_SIGNATURE_BYTES];
	proof_sign(agent, PROOF_OF_AGENT, transcript, signature);
	char *at = put(text, transcript->agent_key, IDENTITY_KEY_BYTES);
	*at++ = '.';
	at = put(at, transcript->agent_nonce, PROOF_NONCE_BYTES);
	*at++ = '.';
	at = put(at, transcript->hub_nonce, PROOF_NONCE_BYTES);
	*at++ = '.';
	put(at, signature, sizeof signature);
}

/* Takes one part and the dot behind it; NULL when it is not of that size. */
static const char *take(const char *at, unsigned char *data, size_t size)
{
	size_t text = strcspn(at, "."), len = 0;
	if (sodium_base642bin(data, size, at, text, NULL, &len, NULL, BASE64_URL) || len != size)
		return NULL;
	return at[text] ? at + text + 1 : at + text;
}

int upload_proof_read(const char *text, struct proof_transcript *transcript)
{
	unsigned char signature[IDENTITY_SIGNATURE_BYTES];
	const char *at = take(text, transcript->agent_key, IDENTITY_KEY_BYTES);
	at = at ? take(at, transcript->agent_nonce, PROOF_NONCE_BYTES) : NULL;
	at = at ? take(at, transcript->hub_nonce, PROOF_NONCE_BYTES) : NULL;
	at = at ? take(at, signature, sizeof signature) : NULL;
	return at && !*at && proof_verify(PROOF_OF_AGENT, transcript, signature) ? 0 : -1;
}
