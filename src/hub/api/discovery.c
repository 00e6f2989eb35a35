/* GET /.well-known/sallyport: the endpoint roles (row S6) and, for a nonce, the channel proof; and
 * the same as a profile (row B1), for those who open the firewall. */
#include "hub/api/route.h"
#include "hub/state.h"
#include "wire/hub_profile.h"
#include "wire/messages.h"

#include <sodium.h>
#include <string.h>

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static json_t *base64_json(const unsigned char *data, size_t len)
{
	char text[sodium_base64_ENCODED_LEN(IDENTITY_SIGNATURE_BYTES, BASE64)];
	return json_string(sodium_bin2base64(text, sizeof text, data, len, BASE64));
}

/* Nobody signs in here, so the agent's key is all zero. */
static json_t *proof_json(const struct exchange *exchange, const char *nonce)
{
	struct proof_transcript transcript = {0};
	unsigned char signature[IDENTITY_SIGNATURE_BYTES];
	size_t len = 0;
	if (sodium_base642bin(transcript.agent_nonce, sizeof transcript.agent_nonce, nonce,
			strlen(nonce), NULL, &len, NULL, BASE64) ||
		len != sizeof transcript.agent_nonce ||
		connection_binding(exchange->connection, transcript.binding))
		return NULL;
	memcpy(transcript.hub_key, exchange->hub->identity.public_key, sizeof transcript.hub_key);
	proof_nonce(transcript.hub_nonce);
	proof_sign(&exchange->hub->identity, PROOF_OF_HUB, &transcript, signature);
	return json_pack("{s:o,s:o}", "nonce",
		base64_json(transcript.hub_nonce, sizeof transcript.hub_nonce), "signature",
		base64_json(signature, sizeof signature));
}

/* Takes the proof. */
static json_t *document(const struct hub *hub, json_t *proof)
{
	char fingerprint[IDENTITY_PRINT_SIZE];
	identity_fingerprint(hub->identity.public_key, fingerprint);
	return json_pack("{s:i,s:{s:i,s:i},s:o,s:{s:o,s:s},s:s,s:s*,s:o*}", "sallyport", 1, "versions",
		"min", PROTOCOL_VERSION_MIN, "max", PROTOCOL_VERSION_MAX, "endpoints",
		endpoints_write(&hub->endpoints), "identity", "key",
		base64_json(hub->identity.public_key, IDENTITY_KEY_BYTES), "fingerprint", fingerprint,
		"release", SALLYPORT_VERSION, "private_ca", hub->certificate.ca_pem, "proof", proof);
}

void discovery_get(struct exchange *exchange)
{
	const char *nonce = exchange_arg(exchange, "nonce");
	json_t *proof = nonce ? proof_json(exchange, nonce) : NULL;
	if (nonce && !proof)
		exchange_problem(exchange, 400,
			"\"nonce\": 32 bytes in base64url were expected, on a TLS connection that can be bound "
			"to "
			"(TLS 1.3, or 1.2 with the extended master secret).");
	else
		exchange_json(exchange, 200, document(exchange->hub, proof));
}

void profile_get(struct exchange *exchange)
{
	cleanup(json_drop) json_t *discovery = document(exchange->hub, NULL);
	struct buf text = {0};
	struct err err;
	if (hub_profile_write(discovery,
			"The hub has written it itself: it is worth as much as the way on which it came.",
			time(NULL), &text, &err))
		exchange_problem(exchange, 500, "%s", err.text);
	else
		exchange_text(exchange, "application/yaml; charset=utf-8", &text);
}

void session_get(struct exchange *exchange)
{
	exchange_header(exchange, "upgrade:", "websocket");
	exchange_problem(exchange, 426, "Machines open a WebSocket here.");
}
