/* Credentials that only one connector can open (row B8). The vector is the console's as well. */
#include "base/json.h"
#include "wire/credentials.h"

#include <jansson.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static void vector_bytes(const json_t *vector, const char *name, unsigned char bytes[32])
{
	const char *text = json_get_text(vector, name);
	size_t len;
	assert_non_null(text);
	assert_int_equal(sodium_base642bin(bytes, 32, text, strlen(text), NULL, &len, NULL, BASE64), 0);
	assert_int_equal(len, 32);
}

/* What a sealer does that draws these random bytes for its own key; what the console must do. */
static char *seal_as(const unsigned char key[32], const unsigned char once[32], const char *plain)
{
	unsigned char box[1024], nonce[crypto_box_NONCEBYTES];
	crypto_generichash_state state;
	size_t len = strlen(plain) + crypto_box_SEALBYTES,
		   size = sodium_base64_encoded_len(len, BASE64);
	assert_true(len <= sizeof box);
	crypto_scalarmult_base(box, once);
	crypto_generichash_init(&state, NULL, 0, sizeof nonce);
	crypto_generichash_update(&state, box, crypto_box_PUBLICKEYBYTES);
	crypto_generichash_update(&state, key, crypto_box_PUBLICKEYBYTES);
	crypto_generichash_final(&state, nonce, sizeof nonce);
	assert_int_equal(crypto_box_easy(box + crypto_box_PUBLICKEYBYTES, (const unsigned char *)plain,
						 strlen(plain), nonce, key, once),
		0);
	return sodium_bin2base64(xcalloc(size, 1), size, box, len, BASE64);
}

static void test_vector(void **state)
{
	(void)state;
	unsigned char seed[32], key[32], curve[32], once[32], got[32];
	struct identity identity;
	struct err err = {""};
	size_t len;
	json_t *vector = json_load_file(SOURCE_ROOT "/tests/unit/credentials.json", 0, NULL);
	assert_non_null(vector);
	vector_bytes(vector, "seed", seed);
	vector_bytes(vector, "key", key);
	vector_bytes(vector, "curve25519", curve);
	vector_bytes(vector, "once", once);
	const char *plain = json_get_text(vector, "plain"), *box = json_get_text(vector, "box");
	identity_from_seed(&identity, seed);
	assert_memory_equal(identity.public_key, key, sizeof key);
	assert_int_equal(crypto_sign_ed25519_pk_to_curve25519(got, key), 0);
	assert_memory_equal(got, curve, sizeof curve);
	cleanup(free_ptr) char *sealed = seal_as(curve, once, plain);
	assert_string_equal(sealed, box);
	char *opened = credentials_open(&identity, box, &len, &err);
	assert_non_null(opened);
	assert_string_equal(opened, plain);
	assert_int_equal(len, strlen(plain));
	credentials_free(opened);
	json_decref(vector);
}

static void test_only_the_right_key_opens(void **state)
{
	static const char plain[] = "{\"v\":1,\"password\":\"correct horse\"}";
	(void)state;
	struct identity right, wrong;
	struct err err = {""};
	size_t len;
	identity_make(&right);
	identity_make(&wrong);
	cleanup(free_ptr) char *box = credentials_seal(right.public_key, plain, strlen(plain), &err);
	cleanup(free_ptr) char *again = credentials_seal(right.public_key, plain, strlen(plain), &err);
	assert_string_not_equal(box, again);
	char *opened = credentials_open(&right, box, &len, &err);
	assert_string_equal(opened, plain);
	credentials_free(opened);
	assert_null(credentials_open(&wrong, box, &len, &err));
	assert_non_null(strstr(err.text, "not sealed to this connector's key"));
	box[strlen(box) / 2] = box[strlen(box) / 2] == 'A' ? 'B' : 'A';
	assert_null(credentials_open(&right, box, &len, &err));
	assert_null(credentials_open(&right, "", &len, &err));
	assert_null(credentials_open(&right, "no base64!", &len, &err));
	assert_null(credentials_open(&right, "AAAA", &len, &err));
	assert_non_null(strstr(err.text, "cut short"));
}

static void test_bounds(void **state)
{
	(void)state;
	struct identity identity;
	struct err err;
	size_t len;
	char *plain = xcalloc(CREDENTIALS_MAX_BYTES + 1, 1);
	identity_make(&identity);
	char *box = credentials_seal(identity.public_key, plain, CREDENTIALS_MAX_BYTES, &err);
	assert_int_equal(strlen(box), CREDENTIALS_MAX_TEXT);
	char *opened = credentials_open(&identity, box, &len, &err);
	assert_non_null(opened);
	assert_int_equal(len, CREDENTIALS_MAX_BYTES);
	credentials_free(opened);
	assert_null(credentials_seal(identity.public_key, plain, CREDENTIALS_MAX_BYTES + 1, &err));
	box = xrealloc(box, CREDENTIALS_MAX_TEXT + 5, 1);
	memcpy(box + CREDENTIALS_MAX_TEXT, "AAAA", 5);
	assert_null(credentials_open(&identity, box, &len, &err));
	unsigned char no_key[IDENTITY_KEY_BYTES] = {1}; /* of small order */
	assert_null(credentials_seal(no_key, plain, 1, &err));
	free(box);
	free(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_only_the_right_key_opens),
		cmocka_unit_test(test_bounds),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
