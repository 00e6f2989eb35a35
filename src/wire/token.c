#include "wire/token.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

#define PREFIX  "spj1."
#define VERSION 1
#define FIXED   (1 + TOKEN_KEY_HASH_BYTES + TOKEN_SECRET_BYTES + 2)
#define CHECK   4
#define BASE64  sodium_base64_VARIANT_URLSAFE_NO_PADDING

static void check_bytes(const unsigned char *data, size_t len, unsigned char check[CHECK])
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256(hash, data, len);
	memcpy(check, hash, CHECK);
}

char *token_encode(const struct join_token *token)
{
	unsigned char raw[FIXED + TOKEN_MAX_HOST + CHECK];
	unsigned char *at = raw;
	size_t host_len = strlen(token->host);
	*at++ = VERSION;
	memcpy(at, token->hub_key_hash, TOKEN_KEY_HASH_BYTES);
	at += TOKEN_KEY_HASH_BYTES;
	memcpy(at, token->secret, TOKEN_SECRET_BYTES);
	at += TOKEN_SECRET_BYTES;
	*at++ = (unsigned char)(token->port >> 8);
	*at++ = (unsigned char)(token->port & 0xff);
	memcpy(at, token->host, host_len);
	at += host_len;
	check_bytes(raw, (size_t)(at - raw), at);
	size_t raw_len = (size_t)(at - raw) + CHECK;
	size_t text_size = sodium_base64_encoded_len(raw_len, BASE64);
	char *text = xcalloc(strlen(PREFIX) + text_size, 1);
	memcpy(text, PREFIX, strlen(PREFIX));
	sodium_bin2base64(text + strlen(PREFIX), text_size, raw, raw_len, BASE64);
	sodium_memzero(raw, sizeof raw);
	return text;
}

static int read_host(const unsigned char *raw, size_t len, char host[TOKEN_MAX_HOST + 1])
{
	if (!len || len > TOKEN_MAX_HOST)
		return -1;
	for (size_t i = 0; i < len; i++)
		if (!isalnum(raw[i]) && !strchr(".-_", raw[i]))
			return -1;
	memcpy(host, raw, len);
	host[len] = '\0';
	return 0;
}

int token_decode(const char *text, struct join_token *token, struct err *err)
{
	unsigned char raw[FIXED + TOKEN_MAX_HOST + CHECK];
	unsigned char check[CHECK];
	size_t len = 0;
	const char *start = strchr(text, '#');
	start = start ? start + 1 : text;
	if (strncmp(start, PREFIX, strlen(PREFIX)) != 0)
		return err_set(err, "this is no join token: it must begin with \"" PREFIX "\"; copy the "
							"whole line that the console shows under \"Add server\"");
	start += strlen(PREFIX);
	size_t text_len = strcspn(start, " \t\r\n");
	if (sodium_base642bin(raw, sizeof raw, start, text_len, NULL, &len, NULL, BASE64) ||
		len < FIXED + CHECK + 1)
		return err_set(err, "the join token is cut short or mistyped; copy it again");
	check_bytes(raw, len - CHECK, check);
	if (memcmp(check, raw + len - CHECK, CHECK) != 0)
		return err_set(err, "the join token is mistyped: its check does not fit; copy it again");
	if (raw[0] != VERSION || read_host(raw + FIXED, len - FIXED - CHECK, token->host))
		return err_set(err, "the join token is of a kind that this version does not know; upgrade "
							"this program");
	memcpy(token->hub_key_hash, raw + 1, TOKEN_KEY_HASH_BYTES);
	memcpy(token->secret, raw + 1 + TOKEN_KEY_HASH_BYTES, TOKEN_SECRET_BYTES);
	token->port = (uint16_t)(raw[FIXED - 2] << 8 | raw[FIXED - 1]);
	sodium_memzero(raw, sizeof raw);
	return token->port ? 0 : err_set(err, "the join token names port 0; make a new one");
}

void token_secret_hash(const unsigned char secret[TOKEN_SECRET_BYTES], unsigned char hash[32])
{
	static const unsigned char label[] = "sallyport join token 1";
	crypto_hash_sha256_state state;
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, label, sizeof label);
	crypto_hash_sha256_update(&state, secret, TOKEN_SECRET_BYTES);
	crypto_hash_sha256_final(&state, hash);
}

void token_wipe(struct join_token *token)
{
	sodium_memzero(token, sizeof *token);
}
