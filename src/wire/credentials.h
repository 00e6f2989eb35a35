/*
 * Credentials for the targets of an install, sealed so that only one connector can open them (row
 * B8): whoever carries them, the hub above all, learns nothing but their length.
 *
 * A box is libsodium's crypto_box_seal() to the X25519 form of the connector's Ed25519 identity key
 * (crypto_sign_ed25519_pk_to_curve25519()): a fresh X25519 key and XSalsa20-Poly1305. It travels as
 * base64url without padding. What is in it is JSON: see connector/. A box holds for one key alone
 * and says nothing of who sealed it: that the hub sent it has been proven by the session.
 *
 * The console seals as well, in JavaScript; tests/unit/credentials.json holds for both.
 */
#ifndef WIRE_CREDENTIALS_H
#define WIRE_CREDENTIALS_H

#include "base/err.h"
#include "wire/identity.h"

#include <stddef.h>

#define CREDENTIALS_MAX_BYTES 98304  /* of what is sealed */
#define CREDENTIALS_MAX_TEXT  131136 /* bytes of the box as text */

/* The box as text, owned by the caller; NULL with err when the key is none or there is too much. */
char *credentials_seal(const unsigned char public_key[IDENTITY_KEY_BYTES], const void *plain,
	size_t len, struct err *err);
/* What was sealed, with a NUL behind it that *len does not count, in memory that is never swapped
 * out nor part of a core dump: credentials_free() wipes it. NULL with err when it is not for this
 * key, damaged or too long. */
char *credentials_open(
	const struct identity *identity, const char *box, size_t *len, struct err *err);
void credentials_free(char *plain); /* NULL is allowed */

#endif
