/* Messages, JSON-RPC, identity, the mutual proof (row B4) and the join token. */
#include "wire/identity.h"
#include "wire/messages.h"
#include "wire/token.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

static void test_message_round_trip(void **state)
{
	(void)state;
	struct msg_hello_result sent = {
		.version = 1, .time = xstrdup("2026-01-02T03:04:05Z"), .private_ca = xstrdup("PEM")};
	randombytes_buf(sent.nonce, sizeof sent.nonce);
	randombytes_buf(sent.key, sizeof sent.key);
	randombytes_buf(sent.proof, sizeof sent.proof);
	json_t *body = message_write(MSG_hello_result, &sent);
	struct msg_hello_result got = {0};
	struct err err = {0};
	assert_int_equal(message_read(MSG_hello_result, body, &got, &err), 0);
	assert_memory_equal(got.proof, sent.proof, sizeof sent.proof);
	assert_string_equal(got.private_ca, "PEM");
	message_free(MSG_hello_result, &got);

	json_object_set_new(body, "nonce", json_string("AAAA"));
	got = (struct msg_hello_result){0};
	assert_int_equal(message_read(MSG_hello_result, body, &got, &err), -1);
	assert_non_null(strstr(err.text, "nonce"));
	assert_null(got.time); /* a failed read leaves nothing behind */
	json_decref(body);
	message_free(MSG_hello_result, &sent);
}

static void test_optional_member_left_out(void **state)
{
	(void)state;
	struct msg_hello hello = {.version_min = 1, .version_max = 1, .agent_version = xstrdup("t")};
	randombytes_buf(hello.nonce, sizeof hello.nonce);
	json_t *body = message_write(MSG_hello, &hello); /* anonymous: no key */
	assert_null(json_object_get(body, "key"));
	struct msg_hello got = {0};
	assert_int_equal(message_read(MSG_hello, body, &got, NULL), 0);
	assert_true(sodium_is_zero(got.key, sizeof got.key));
	message_free(MSG_hello, &got);
	message_free(MSG_hello, &hello);
	json_decref(body);
}

static void test_rpc_kinds(void **state)
{
	(void)state;
	struct {
		char *text;
		enum rpc_kind kind;
		int64_t id;
	} rows[] = {
		{rpc_request(7, "heartbeat", json_object()), RPC_REQUEST, 7},
		{rpc_notification("path", json_object()), RPC_NOTIFICATION, -1},
		{rpc_result(7, json_object()), RPC_RESULT, 7},
		{rpc_error(7, REFUSAL_TOKEN_EXPIRED, NULL), RPC_ERROR, 7},
		{rpc_error(-1, REFUSAL_BAD_MESSAGE, NULL), RPC_ERROR, -1},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rpc rpc;
		assert_int_equal(rpc_parse(rows[i].text, strlen(rows[i].text), &rpc, NULL), 0);
		assert_int_equal(rpc.kind, rows[i].kind);
		assert_int_equal(rpc.id, rows[i].id);
		assert_non_null(rpc.body);
		rpc_free(&rpc);
		free(rows[i].text);
	}
}

static void test_refusals(void **state)
{
	(void)state;
	for (unsigned i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++) {
		char *text = rpc_error(1, (enum refusal)i, json_pack("{s:i}", "x", 1));
		struct rpc rpc;
		assert_int_equal(rpc_parse(text, strlen(text), &rpc, NULL), 0);
		assert_int_equal(rpc.refusal, i);
		assert_string_equal(rpc.message, refusal_text((enum refusal)i));
		assert_int_equal(json_get_int(rpc.body, "x", 0), 1);
		rpc_free(&rpc);
		free(text);
	}
	assert_int_equal(refusal_cause(REFUSAL_TOKEN_EXPIRED), CAUSE_TOKEN_EXPIRED);
	assert_int_equal(refusal_cause(REFUSAL_PROOF_REJECTED), CAUSE_TLS_INTERCEPTED);
	assert_int_equal(refusal_cause(REFUSAL_INTERNAL), CAUSE_NONE);
}

static const char *const bad_rpc[] = {
	"",
	"{",
	"[]",
	"null",
	"\"x\"",
	"{}",
	"{\"jsonrpc\":\"1.0\",\"method\":\"x\"}",
	"{\"jsonrpc\":2.0,\"method\":\"x\"}",
	"{\"jsonrpc\":\"2.0\"}",
	"{\"jsonrpc\":\"2.0\",\"id\":1}",
	"{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"x\"}",
	"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"x\"}",
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":[]}",
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"result\":{}}",
	"{\"jsonrpc\":\"2.0\",\"result\":{}}",
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}",
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{}}",
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":\"x\"}",
	"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"result\":{}}",
	"{\"jsonrpc\":\"2.0\",\"jsonrpc\":\"2.0\",\"method\":\"x\"}",
	"{\"jsonrpc\":\"2.0\",\"method\":\"x\"} trailing",
	"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}",
};

static void test_rpc_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_rpc); i++) {
		struct rpc rpc;
		struct err err = {0};
		print_message("%s\n", bad_rpc[i]);
		assert_int_equal(rpc_parse(bad_rpc[i], strlen(bad_rpc[i]), &rpc, &err), -1);
		assert_true(err.text[0] != '\0');
		assert_null(rpc.root);
	}
	/* A hundred thousand brackets are refused, not followed. */
	struct buf deep = {0};
	for (int i = 0; i < 100000; i++)
		buf_puts(&deep, "[");
	struct rpc rpc;
	assert_int_equal(rpc_parse(deep.data, deep.len, &rpc, NULL), -1);
	buf_free(&deep);
}

static void test_rpc_mutations(void **state)
{
	(void)state;
	char *text = rpc_error(1, REFUSAL_BUSY, json_pack("{s:i}", "retry_after_ms", 5));
	size_t len = strlen(text);
	for (size_t i = 0; i < len * 4; i++) {
		char *copy = xstrdup(text);
		copy[i / 4] = "\"{0\xc3"[i % 4];
		struct rpc rpc;
		if (rpc_parse(copy, len, &rpc, NULL) == 0) {
			assert_true(json_is_object(rpc.body));
			rpc_free(&rpc);
		}
		/* And cut short at the same place. */
		assert_int_equal(rpc_parse(copy, i / 4, &rpc, NULL), -1);
		free(copy);
	}
	free(text);
}

static void make_transcript(
	struct proof_transcript *transcript, const struct identity *agent, const struct identity *hub)
{
	proof_nonce(transcript->agent_nonce);
	proof_nonce(transcript->hub_nonce);
	memcpy(transcript->agent_key, agent->public_key, IDENTITY_KEY_BYTES);
	memcpy(transcript->hub_key, hub->public_key, IDENTITY_KEY_BYTES);
	randombytes_buf(transcript->binding, PROOF_BINDING_BYTES);
}

/* Row B4: a signature holds for this transcript and this side alone; every bit of it counts. */
static void test_proof(void **state)
{
	(void)state;
	struct identity agent, hub;
	struct proof_transcript transcript;
	unsigned char signature[IDENTITY_SIGNATURE_BYTES];
	identity_make(&agent);
	identity_make(&hub);
	make_transcript(&transcript, &agent, &hub);
	proof_sign(&hub, PROOF_OF_HUB, &transcript, signature);
	assert_true(proof_verify(PROOF_OF_HUB, &transcript, signature));
	assert_false(proof_verify(PROOF_OF_AGENT, &transcript, signature));
	for (size_t i = 0; i < sizeof transcript; i++) {
		((unsigned char *)&transcript)[i] ^= 1;
		assert_false(proof_verify(PROOF_OF_HUB, &transcript, signature));
		((unsigned char *)&transcript)[i] ^= 1;
	}
	signature[3] ^= 1;
	assert_false(proof_verify(PROOF_OF_HUB, &transcript, signature));
	proof_sign(&agent, PROOF_OF_AGENT, &transcript, signature);
	assert_true(proof_verify(PROOF_OF_AGENT, &transcript, signature));
}

static void test_identity(void **state)
{
	(void)state;
	unsigned char seed[IDENTITY_SEED_BYTES] = {7}, back[IDENTITY_SEED_BYTES];
	struct identity one, two;
	char id[IDENTITY_ID_SIZE], print[IDENTITY_PRINT_SIZE];
	identity_from_seed(&one, seed);
	identity_from_seed(&two, seed);
	assert_memory_equal(&one, &two, sizeof one);
	identity_seed(&one, back);
	assert_memory_equal(back, seed, sizeof seed);
	identity_id(one.public_key, id);
	assert_int_equal(strlen(id), IDENTITY_ID_SIZE - 1);
	identity_fingerprint(one.public_key, print);
	assert_int_equal(strlen(print), 7 + 43);
	assert_memory_equal(print, "SHA256:", 7);
	identity_wipe(&one);
	assert_true(sodium_is_zero((unsigned char *)&one, sizeof one));
}

static struct join_token sample_token(void)
{
	struct join_token token = {.host = "hub.example.com", .port = 8443};
	randombytes_buf(token.hub_key_hash, sizeof token.hub_key_hash);
	randombytes_buf(token.secret, sizeof token.secret);
	return token;
}

static void test_token_round_trip(void **state)
{
	(void)state;
	struct join_token token = sample_token(), got = {0};
	cleanup(free_ptr) char *text = token_encode(&token);
	assert_int_equal(token_decode(text, &got, NULL), 0);
	assert_memory_equal(&got, &token, sizeof token);
	cleanup(free_ptr) char *url = xasprintf("https://hub.example.com:8443/join#%s\n", text);
	got = (struct join_token){0};
	assert_int_equal(token_decode(url, &got, NULL), 0);
	assert_string_equal(got.host, "hub.example.com");

	memset(token.host, 'h', TOKEN_MAX_HOST);
	cleanup(free_ptr) char *longest = token_encode(&token);
	assert_true(strlen(longest) < TOKEN_MAX_TEXT);
	got = (struct join_token){0};
	assert_int_equal(token_decode(longest, &got, NULL), 0);
}

/* Any one letter mistyped, any cut: refused with a sentence that does not repeat the token. */
static void test_token_mistyped(void **state)
{
	(void)state;
	struct join_token token = sample_token(), got = {0};
	cleanup(free_ptr) char *text = token_encode(&token);
	size_t len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		cleanup(free_ptr) char *copy = xstrdup(text);
		struct err err = {0};
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		assert_int_equal(token_decode(copy, &got, &err), -1);
		assert_null(strstr(err.text, copy + 5));
		copy[i] = '\0';
		assert_int_equal(token_decode(copy, &got, &err), -1);
		assert_true(err.text[0] != '\0');
	}
	struct buf huge = {0};
	buf_puts(&huge, "spj1.");
	for (int i = 0; i < 100000; i++)
		buf_puts(&huge, "A");
	assert_int_equal(token_decode(huge.data, &got, NULL), -1);
	buf_free(&huge);
}

static void test_token_secret_hash(void **state)
{
	(void)state;
	struct join_token token = sample_token();
	unsigned char one[32], two[32];
	token_secret_hash(token.secret, one);
	token_secret_hash(token.secret, two);
	assert_memory_equal(one, two, sizeof one);
	token.secret[0] ^= 1;
	token_secret_hash(token.secret, two);
	assert_memory_not_equal(one, two, sizeof one);
	token_wipe(&token);
	assert_true(sodium_is_zero((unsigned char *)&token, sizeof token));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_round_trip),
		cmocka_unit_test(test_optional_member_left_out),
		cmocka_unit_test(test_rpc_kinds),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_rpc_refuses),
		cmocka_unit_test(test_rpc_mutations),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_token_round_trip),
		cmocka_unit_test(test_token_mistyped),
		cmocka_unit_test(test_token_secret_hash),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
