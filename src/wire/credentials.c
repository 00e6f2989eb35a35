#include "wire/credentials.h"

#include <sodium.h>
#include <string.h>

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

char *credentials_seal(const unsigned char public_key[IDENTITY_KEY_BYTES], const void *plain,
	size_t len, struct err *err)
{
	unsigned char key[crypto_box_PUBLICKEYBYTES];
	if (len > CREDENTIALS_MAX_BYTES) {
		err_set(err, "the credentials are too long: %zu bytes, and %d can be sealed", len,
			CREDENTIALS_MAX_BYTES);
		return NULL;
	}
	if (crypto_sign_ed25519_pk_to_curve25519(key, public_key)) {
		err_set(err, "the connector's key is no Ed25519 key");
		return NULL;
	}
	size_t box_len = len + crypto_box_SEALBYTES;
	cleanup(free_ptr) unsigned char *box = xcalloc(box_len, 1);
	if (crypto_box_seal(box, plain, len, key)) {
		err_set(err, "the credentials could not be sealed");
		return NULL;
	}
	size_t size = sodium_base64_encoded_len(box_len, BASE64);
	return sodium_bin2base64(xcalloc(size, 1), size, box, box_len, BASE64);
}

static char *open_box(const struct identity *identity, const unsigned char *box, size_t box_len,
	size_t *len, struct err *err)
{
	unsigned char public_key[crypto_box_PUBLICKEYBYTES], secret_key[crypto_box_SECRETKEYBYTES];
	if (crypto_sign_ed25519_pk_to_curve25519(public_key, identity->public_key) ||
		crypto_sign_ed25519_sk_to_curve25519(secret_key, identity->secret_key)) {
		err_set(err, "this machine's identity key is none");
		return NULL;
	}
	*len = box_len - crypto_box_SEALBYTES;
	char *plain = sodium_malloc(*len + 1);
	int bad =
		plain ? crypto_box_seal_open((unsigned char *)plain, box, box_len, public_key, secret_key)
			  : -1;
	sodium_memzero(secret_key, sizeof secret_key);
	if (!bad) {
		plain[*len] = '\0';
		return plain;
	}
	err_set(err, plain ? "the credentials were not sealed to this connector's key, or are damaged"
					   : "no memory for the credentials");
	sodium_free(plain);
	return NULL;
}

char *credentials_open(
	const struct identity *identity, const char *box, size_t *len, struct err *err)
{
	size_t max = CREDENTIALS_MAX_BYTES + crypto_box_SEALBYTES, box_len = 0;
	cleanup(free_ptr) unsigned char *bytes = xcalloc(max, 1);
	if (sodium_base642bin(bytes, max, box, strlen(box), NULL, &box_len, NULL, BASE64) ||
		box_len < crypto_box_SEALBYTES) {
		err_set(err, "the sealed credentials are cut short, too long or not base64url");
		return NULL;
	}
	return open_box(identity, bytes, box_len, len, err);
}

void credentials_free(char *plain)
{
	sodium_free(plain);
}
