/*
 * The join token: all that a new machine needs to find the hub and to know it again.
 *
 *     spj1.BASE64URL( version 1 | hub key hash 32 | secret 16 | port 2 | host ... | check 4 )
 *
 * The check catches a mistyped or cut token before anything is sent. The hub stores a hash of the
 * secret only. A URL form, https://HOST:PORT/join#spj1..., carries the same token.
 */
#ifndef WIRE_TOKEN_H
#define WIRE_TOKEN_H

#include "base/err.h"

#include <stdint.h>

#define TOKEN_SECRET_BYTES   16
#define TOKEN_KEY_HASH_BYTES 32
#define TOKEN_MAX_HOST       253
#define TOKEN_MAX_TEXT       512

struct join_token {
	unsigned char hub_key_hash[TOKEN_KEY_HASH_BYTES]; /* SHA-256 of the hub's identity key */
	unsigned char secret[TOKEN_SECRET_BYTES];
	char host[TOKEN_MAX_HOST + 1];
	uint16_t port;
};

/* Text owned by the caller. */
char *token_encode(const struct join_token *token);
/* Takes the bare token or the URL; says what is wrong with a bad one, never repeating it. */
int token_decode(const char *text, struct join_token *token, struct err *err);
/* What the hub keeps: SHA-256 over a label and the secret. */
void token_secret_hash(const unsigned char secret[TOKEN_SECRET_BYTES], unsigned char hash[32]);
void token_wipe(struct join_token *token);

#endif
