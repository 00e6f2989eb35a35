/*
 * The hub's proof over a plain request, for where WebSocket does not get through.
 *
 * Happy path: GET /.well-known/sallyport?nonce=... on a connection of its own brings the discovery
 * document with a proof over our nonce and this connection's TLS exporter value. It verifies: then
 * nobody decrypts on the way, the hub is there, and what refuses the upgrade is a filter.
 *
 * Failure modes: the proof does not fit (TLS is decrypted on the way), or fits under another key; a
 * portal's or a filter's page; something that is no hub; a connection that fails now although it
 * stood a moment ago, which is then the better answer.
 */
#include "dial/chain.h"
#include "dial/hello.h"
#include "dial/request.h"

#include "wire/messages.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define BASE64         sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define EXPLAIN_MIN_MS 500 /* with less time left a second walk tells nothing */

static int read_bytes(const json_t *object, const char *key, unsigned char *out, size_t size)
{
	const char *text = json_get_text(object, key);
	size_t len = 0;
	return text && !sodium_base642bin(out, size, text, strlen(text), NULL, &len, NULL, BASE64) &&
				   len == size
			   ? 0
			   : -1;
}

/* -1 when it is no discovery document with a proof. */
static int read_document(const struct http_response *response, struct proof_transcript *transcript,
	unsigned char signature[IDENTITY_SIGNATURE_BYTES], json_t **document)
{
	json_t *root = json_parse(buf_text(&response->body), response->body.len, NULL);
	const json_t *identity = json_object_get(root, "identity");
	const json_t *proof = json_object_get(root, "proof");
	int rc = response->status == 200 && json_get_int(root, "sallyport", 0) == 1 &&
					 !read_bytes(identity, "key", transcript->hub_key, IDENTITY_KEY_BYTES) &&
					 !read_bytes(proof, "nonce", transcript->hub_nonce, PROOF_NONCE_BYTES) &&
					 !read_bytes(proof, "signature", signature, IDENTITY_SIGNATURE_BYTES)
				 ? 0
				 : -1;
	if (rc == 0)
		*document = json_incref(root);
	json_decref(root);
	return rc;
}

static int fail_no_document(struct walker *walker, const struct http_response *response)
{
	enum confidence confidence = CONFIDENCE_CERTAIN;
	const char *retry_after = http_response_header(response, "retry-after");
	if (response->status == 503 && retry_after && walker->chain.cause != CAUSE_TLS_INTERCEPTED)
		return hub_fail_busy(walker, retry_after, CONFIDENCE_LIKELY);
	enum cause cause =
		page_judge(response, walker->target->host, false, walker->evidence, &confidence);
	if (cause)
		return hub_fail(walker, cause, confidence);
	evidence_add(
		walker->evidence, "difference", "no discovery document, HTTP %d", response->status);
	return hub_fail(walker, CAUSE_MARKER_ABSENT, CONFIDENCE_CERTAIN);
}

static int judge(struct walker *walker, const struct http_response *response,
	struct proof_transcript *transcript)
{
	unsigned char signature[IDENTITY_SIGNATURE_BYTES];
	const char *date = http_response_header(response, "date");
	time_t peer_now;
	page_describe(response, walker->evidence);
	if (read_document(response, transcript, signature, &walker->walk->discovery))
		return fail_no_document(walker, response);
	if (conn_channel_binding(walker->walk->conn, transcript->binding)) {
		evidence_add(walker->evidence, "proof", "this TLS connection has no exporter value");
		return hub_fail(walker, CAUSE_TLS_INTERCEPTED, CONFIDENCE_LIKELY);
	}
	if (hub_check_proof(walker, transcript, signature))
		return -1;
	walker->walk->proven = *transcript;
	if (walker->chain.date_cause)
		return chain_fail_dates(
			walker, date && !clock_parse_http(date, &peer_now) ? &peer_now : NULL);
	return 0;
}

int hub_plain_run(struct walker *walker)
{
	struct proof_transcript transcript = {.agent_key = {0}};
	struct http_response response;
	char nonce[sodium_base64_ENCODED_LEN(PROOF_NONCE_BYTES, BASE64)], path[128], text[160];
	proof_nonce(transcript.agent_nonce);
	sodium_bin2base64(
		nonce, sizeof nonce, transcript.agent_nonce, sizeof transcript.agent_nonce, BASE64);
	snprintf(path, sizeof path, PROTOCOL_DISCOVERY_PATH "?nonce=%s", nonce);
	http_response_init(&response, HELLO_MAX_BODY, false);
	enum wait_result result = exchange(walker, "GET", path, walker->deadline, &response);
	const char *problem = request_problem(result, &response, text);
	int rc;
	if (result == WAIT_CANCELLED) {
		rc = walker_wait_failed(walker, result, CAUSE_NONE);
	} else if (problem) {
		evidence_add(walker->evidence, "difference", "%s", problem);
		rc = hub_fail(walker, CAUSE_MARKER_ABSENT, CONFIDENCE_CERTAIN);
	} else {
		rc = judge(walker, &response, &transcript);
	}
	http_response_free(&response);
	return rc;
}

/* --- why there is no session ------------------------------------------------------------------ */

static int fail_unexplained(struct walker *walker, const char *difference)
{
	evidence_add(walker->evidence, "difference", "%s", difference);
	return hub_fail(walker, CAUSE_MARKER_ABSENT, CONFIDENCE_LIKELY);
}

int hub_explain(struct walker *walker, const char *difference, enum confidence if_filtered)
{
	struct dial_target target = *walker->target;
	struct dial_options options = *walker->options;
	struct walk walk;
	evidence_add(walker->evidence, "upgrade", "%s", difference);
	int left = deadline_left_ms(options.overall);
	if (left >= 0 && left < EXPLAIN_MIN_MS)
		return fail_unexplained(walker, difference);
	target.hub.plain_proof = true;
	options.on_stage = NULL;
	int rc = dial_walk(&target, &options, &walk);
	if (walk.cancelled) {
		walker->walk->cancelled = true;
	} else if (rc == 0) {
		evidence_copy(walker->evidence, &walk.stages[STAGE_HELLO].evidence);
		walker_fail(walker, CAUSE_UPGRADE_FILTERED, if_filtered);
		memcpy(walker->walk->hub_key, walk.hub_key, IDENTITY_KEY_BYTES);
		walker->walk->discovery = json_incref(walk.discovery);
	} else if (deadline_left_ms(options.overall) == 0) {
		fail_unexplained(walker, difference); /* it ran out of time, and that tells nothing */
	} else {
		evidence_copy(&walk.failure.evidence, walker->evidence);
		finding_copy(&walker->walk->failure, &walk.failure);
		walker->walk->retry_after_ms = walk.retry_after_ms;
	}
	walk_free(&walk);
	return -1;
}
