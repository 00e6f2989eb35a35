/* The headers of an upload and the places of a hub's endpoints, as they come from a peer (S6, R28).
 */
#include "base/json.h"
#include "wire/endpoints.h"
#include "wire/upload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *text;
	int64_t number;
} numbers[] = {{"0", 0}, {"67108864", 67108864}, {"67108865", -1}, {"", -1}, {"-1", -1}, {"+1", -1},
	{"1 ", -1}, {" 1", -1}, {"0x10", -1}, {"1.0", -1}, {"99999999999999999999", -1}};

static void numbers_are_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (upload_number_read(numbers[i].text) != numbers[i].number)
			fail_msg("\"%s\"", numbers[i].text);
	assert_int_equal(upload_flag_read("?1"), 1);
	assert_int_equal(upload_flag_read("?0"), 0);
	assert_int_equal(upload_flag_read("1"), -1);
	assert_int_equal(upload_flag_read("?10"), -1);
}

static const char *const no_digests[] = {"", "sha-256=:", "sha-256=::", "sha-256=:AAAA:",
	"sha-512=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
	"sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
	"sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:,",
	"sha-256=:LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"};

static void digests_are_exact(void **state)
{
	unsigned char hash[UPLOAD_HASH_BYTES], again[UPLOAD_HASH_BYTES];
	char text[UPLOAD_DIGEST_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof hash; i++)
		hash[i] = (unsigned char)(i * 7);
	upload_digest_write(hash, text);
	assert_true(strlen(text) < UPLOAD_DIGEST_SIZE && text[strlen(text) - 1] == ':');
	assert_int_equal(upload_digest_read(text, again), 0);
	assert_memory_equal(hash, again, sizeof hash);
	for (size_t i = 0; i < ARRAY_LEN(no_digests); i++)
		if (upload_digest_read(no_digests[i], again) == 0)
			fail_msg("\"%s\"", no_digests[i]);
}

static void ids_are_hexadecimal(void **state)
{
	(void)state;
	assert_true(upload_is_id("0123456789abcdef0123456789abcdef"));
	assert_false(upload_is_id("0123456789abcdef0123456789abcde"));
	assert_false(upload_is_id("0123456789ABCDEF0123456789abcdef"));
	assert_false(upload_is_id("../../../../../../../../../../ab"));
	assert_false(upload_is_id(""));
}

/* Row B4: good on its connection for its hub, and nowhere else. */
static void a_proof_is_good_for_one_connection(void **state)
{
	struct identity agent;
	struct proof_transcript said = {.binding = {1}}, heard = {.binding = {1}};
	char text[UPLOAD_PROOF_SIZE];
	(void)state;
	identity_make(&agent);
	memcpy(said.agent_key, agent.public_key, sizeof said.agent_key);
	proof_nonce(said.agent_nonce);
	proof_nonce(said.hub_nonce);
	upload_proof_write(&agent, &said, text);
	assert_int_equal(strlen(text), UPLOAD_PROOF_SIZE - 1);
	assert_int_equal(upload_proof_read(text, &heard), 0);
	assert_memory_equal(heard.agent_key, agent.public_key, sizeof heard.agent_key);
	heard.binding[0] = 2;
	assert_int_equal(upload_proof_read(text, &heard), -1);
	heard.binding[0] = 1;
	heard.hub_key[0] = 1;
	assert_int_equal(upload_proof_read(text, &heard), -1);
	heard.hub_key[0] = 0;
	for (size_t at = 0; at < UPLOAD_PROOF_SIZE - 1; at += 9) {
		char other[UPLOAD_PROOF_SIZE];
		memcpy(other, text, sizeof other);
		other[at] = other[at] == 'A' ? 'B' : 'A';
		if (upload_proof_read(other, &heard) == 0)
			fail_msg("changed at %zu", at);
		other[at] = '\0';
		assert_int_equal(upload_proof_read(other, &heard), -1);
	}
	identity_wipe(&agent);
}

static const struct {
	const char *url, *host;
	unsigned port; /* 0: it is none */
} urls[] = {{"https://Hub.Example/", "hub.example", 443}, {"wss://a:8443/x", "a", 8443},
	{"https://10.0.0.1:1", "10.0.0.1", 1}, {"http://a/", "", 0}, {"https://", "", 0},
	{"https://a:0/", "", 0}, {"https://a:65536/", "", 0}, {"https://u@a/", "", 0},
	{"https://a/\r\nHost: b", "a", 443}, {"https://a b/", "", 0}, {"https://a:443x", "", 0}};

static void places_are_hosts_and_ports(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct place place = {.port = 0};
		int rc = place_read(urls[i].url, &place);
		if ((rc == 0) != (urls[i].port != 0) ||
			(rc == 0 && (place.port != urls[i].port || strcmp(place.host, urls[i].host) != 0)))
			fail_msg("%s: %d %s %u", urls[i].url, rc, place.host, place.port);
	}
}

static void endpoints_say_the_same_again(void **state)
{
	struct endpoints one, other;
	struct err err;
	(void)state;
	endpoints_at(&one, "hub.example", 443);
	snprintf(one.places[ENDPOINT_UPLOAD].host, sizeof one.places[0].host, "up.example");
	json_t *object = endpoints_write(&one);
	assert_int_equal(endpoints_read(object, &other, &err), 0);
	assert_true(endpoints_same(&one, &other));
	assert_true(endpoints_has(&other, "UP.example", 443));
	assert_false(endpoints_has(&other, "up.example", 444));
	json_object_del(object, "session");
	assert_int_equal(endpoints_read(object, &other, &err), -1);
	assert_non_null(strstr(err.text, "\"session\""));
	json_decref(object);
	assert_int_equal(endpoints_read(NULL, &other, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_bounded),
		cmocka_unit_test(digests_are_exact),
		cmocka_unit_test(ids_are_hexadecimal),
		cmocka_unit_test(a_proof_is_good_for_one_connection),
		cmocka_unit_test(places_are_hosts_and_ports),
		cmocka_unit_test(endpoints_say_the_same_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
