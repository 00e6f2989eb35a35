#include "wire/identity.h"

#include <sodium.h>

/* One label a side, so that a signature of one end can never be replayed as the other's. */
static const char labels[][24] = {
	[PROOF_OF_HUB] = "sallyport hub proof 1",
	[PROOF_OF_AGENT] = "sallyport agent proof 1",
};

void proof_nonce(unsigned char nonce[PROOF_NONCE_BYTES])
{
	randombytes_buf(nonce, PROOF_NONCE_BYTES);
}

/* Every part has a fixed length, so the concatenation can be read in one way only. */
static void absorb(crypto_sign_state *state, enum proof_side side, const struct proof_transcript *t)
{
	crypto_sign_init(state);
	crypto_sign_update(state, (const unsigned char *)labels[side], sizeof labels[side]);
	crypto_sign_update(state, t->agent_nonce, sizeof t->agent_nonce);
	crypto_sign_update(state, t->hub_nonce, sizeof t->hub_nonce);
	crypto_sign_update(state, t->agent_key, sizeof t->agent_key);
	crypto_sign_update(state, t->hub_key, sizeof t->hub_key);
	crypto_sign_update(state, t->binding, sizeof t->binding);
}

void proof_sign(const struct identity *identity, enum proof_side side,
	const struct proof_transcript *transcript, unsigned char signature[IDENTITY_SIGNATURE_BYTES])
{
	crypto_sign_state state;
	absorb(&state, side, transcript);
	crypto_sign_final_create(&state, signature, NULL, identity->secret_key);
}

bool proof_verify(enum proof_side side, const struct proof_transcript *transcript,
	const unsigned char signature[IDENTITY_SIGNATURE_BYTES])
{
	crypto_sign_state state;
	const unsigned char *key = side == PROOF_OF_HUB ? transcript->hub_key : transcript->agent_key;
	absorb(&state, side, transcript);
	return crypto_sign_final_verify(&state, signature, key) == 0;
}
