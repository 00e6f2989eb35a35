/* DIR/identity.key: a line that says what it is, and the seed in base64. */
#include "hub/keys.h"

#include "base/file.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define HEAD   "sallyport-hub-identity-1 "
#define BASE64 sodium_base64_VARIANT_ORIGINAL

static int read_seed(const char *path, struct identity *identity, struct err *err)
{
	struct buf text = {0};
	unsigned char seed[IDENTITY_SEED_BYTES];
	size_t len = 0;
	int bad = file_read(path, 4096, &text, err);
	int saved = errno;
	if (!bad && (strncmp(buf_text(&text), HEAD, strlen(HEAD)) != 0 ||
					sodium_base642bin(seed, sizeof seed, text.data + strlen(HEAD),
						text.len - strlen(HEAD), "\n", &len, NULL, BASE64) ||
					len != sizeof seed)) {
		saved = EINVAL;
		bad = err_set(err,
			"%s: this is no identity key of a hub; restore it from a backup (a new one would make "
			"every machine join again)",
			path);
	}
	if (!bad)
		identity_from_seed(identity, seed);
	sodium_memzero(seed, sizeof seed);
	if (text.data)
		sodium_memzero(text.data, text.cap);
	buf_free(&text);
	errno = saved;
	return bad;
}

static int write_seed(const char *path, const struct identity *identity, struct err *err)
{
	unsigned char seed[IDENTITY_SEED_BYTES];
	char base64[sodium_base64_ENCODED_LEN(IDENTITY_SEED_BYTES, BASE64)];
	char line[sizeof base64 + sizeof HEAD + 1];
	identity_seed(identity, seed);
	sodium_bin2base64(base64, sizeof base64, seed, sizeof seed, BASE64);
	int len = snprintf(line, sizeof line, HEAD "%s\n", base64);
	int bad = file_replace(path, line, (size_t)len, 0600, err);
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(base64, sizeof base64);
	sodium_memzero(line, sizeof line);
	return bad;
}

int keys_identity(const char *dir, bool make, struct identity *identity, struct err *err)
{
	cleanup(free_ptr) char *path = xasprintf("%s/identity.key", dir);
	int bad = read_seed(path, identity, err);
	if (!bad || errno != ENOENT)
		return bad;
	if (!make)
		return err_set(err, "%s is missing; start the hub once first: sallyport-hub serve", path);
	identity_make(identity);
	return write_seed(path, identity, err);
}
