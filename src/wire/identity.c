#include "wire/identity.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

int identity_make(struct identity *identity)
{
	return crypto_sign_keypair(identity->public_key, identity->secret_key);
}

int identity_from_seed(struct identity *identity, const unsigned char seed[IDENTITY_SEED_BYTES])
{
	return crypto_sign_seed_keypair(identity->public_key, identity->secret_key, seed);
}

void identity_seed(const struct identity *identity, unsigned char seed[IDENTITY_SEED_BYTES])
{
	crypto_sign_ed25519_sk_to_seed(seed, identity->secret_key);
}

void identity_wipe(struct identity *identity)
{
	sodium_memzero(identity, sizeof *identity);
}

void identity_machine(const char *machine_id, unsigned char hash[IDENTITY_MACHINE_BYTES])
{
	static const unsigned char purpose[] = "sallyport machine";
	memset(hash, 0, IDENTITY_MACHINE_BYTES);
	if (*machine_id)
		crypto_generichash(hash, IDENTITY_MACHINE_BYTES, (const unsigned char *)machine_id,
			strlen(machine_id), purpose, sizeof purpose - 1);
}

void identity_id(const unsigned char public_key[IDENTITY_KEY_BYTES], char id[IDENTITY_ID_SIZE])
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256(hash, public_key, IDENTITY_KEY_BYTES);
	sodium_bin2hex(id, IDENTITY_ID_SIZE, hash, (IDENTITY_ID_SIZE - 1) / 2);
}

void identity_fingerprint(
	const unsigned char public_key[IDENTITY_KEY_BYTES], char text[IDENTITY_PRINT_SIZE])
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char base64[sodium_base64_ENCODED_LEN(
		crypto_hash_sha256_BYTES, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];
	crypto_hash_sha256(hash, public_key, IDENTITY_KEY_BYTES);
	sodium_bin2base64(
		base64, sizeof base64, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	snprintf(text, IDENTITY_PRINT_SIZE, "SHA256:%s", base64);
}
