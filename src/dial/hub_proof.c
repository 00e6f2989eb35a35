/* What a hub's answers mean, whichever way they came: its proof, and the verdicts that rest on it.
 */
#include "dial/hello.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RETRY_AFTER 3600000 /* ms */

int hub_fail(struct walker *walker, enum cause cause, enum confidence confidence)
{
	const struct chain_seen *chain = &walker->chain;
	const struct evidence *secure = &walker->walk->stages[STAGE_SECURE].evidence;
	const char *issuer = evidence_get(secure, "issuer");
	if (chain->cause == CAUSE_TLS_INTERCEPTED && cause != CAUSE_TLS_INTERCEPTED) {
		cause = chain->cause;
		confidence = chain->confidence;
	}
	if (cause == CAUSE_TLS_INTERCEPTED && issuer)
		evidence_add(walker->evidence, "issuer", "%s", issuer);
	return walker_fail(walker, cause, confidence);
}

int hub_fail_busy(struct walker *walker, const char *retry_after, enum confidence confidence)
{
	time_t when, now = time(NULL);
	int64_t ms = 0;
	if (retry_after && strspn(retry_after, "0123456789") == strlen(retry_after))
		ms = strlen(retry_after) > 6 ? MAX_RETRY_AFTER : atoll(retry_after) * 1000;
	else if (retry_after && !clock_parse_http(retry_after, &when) && when > now)
		ms = (int64_t)(when - now) * 1000;
	walker->walk->retry_after_ms = ms < MAX_RETRY_AFTER ? ms : MAX_RETRY_AFTER;
	if (ms)
		evidence_add(walker->evidence, "retry-after", "in %lld s",
			(long long)(walker->walk->retry_after_ms + 999) / 1000);
	return walker_fail(walker, CAUSE_HUB_BUSY, confidence);
}

/* The pin: the key itself once the machine has joined, its hash while it joins by a token. */
static bool is_expected_key(const struct dial_hub *hub, const unsigned char key[IDENTITY_KEY_BYTES])
{
	unsigned char hash[TOKEN_KEY_HASH_BYTES];
	if (hub->hub_key)
		return memcmp(hub->hub_key, key, IDENTITY_KEY_BYTES) == 0;
	if (!hub->token)
		return true;
	crypto_hash_sha256(hash, key, IDENTITY_KEY_BYTES);
	return memcmp(hub->token->hub_key_hash, hash, sizeof hash) == 0;
}

int hub_check_proof(struct walker *walker, const struct proof_transcript *transcript,
	const unsigned char signature[IDENTITY_SIGNATURE_BYTES])
{
	char print[IDENTITY_PRINT_SIZE];
	identity_fingerprint(transcript->hub_key, print);
	evidence_add(walker->evidence, "hub-key", "%s", print);
	if (!proof_verify(PROOF_OF_HUB, transcript, signature)) {
		evidence_add(walker->evidence, "proof", "does not fit this TLS connection");
		return hub_fail(walker, CAUSE_TLS_INTERCEPTED, CONFIDENCE_CERTAIN);
	}
	evidence_add(walker->evidence, "proof", "verified");
	if (!is_expected_key(&walker->target->hub, transcript->hub_key)) {
		if (walker->target->hub.hub_key) {
			identity_fingerprint(walker->target->hub.hub_key, print);
			evidence_add(walker->evidence, "expected-key", "%s", print);
		}
		return walker_fail(walker, CAUSE_HUB_KEY_CHANGED, CONFIDENCE_CERTAIN);
	}
	memcpy(walker->walk->hub_key, transcript->hub_key, IDENTITY_KEY_BYTES);
	walker->chain.cause = CAUSE_NONE; /* whatever the chain looked like, nobody is in between */
	return 0;
}
