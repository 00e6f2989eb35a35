/*
 * Who an agent or a hub is: an Ed25519 key. Its id is the key's hash, so that no name and no
 * address has to be trusted.
 *
 * The same struct serves both ends. identity_wipe() when done; the secret part is written only by
 * whoever stores it (agent/state.c, the hub's store) and never printed.
 */
#ifndef WIRE_IDENTITY_H
#define WIRE_IDENTITY_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define IDENTITY_KEY_BYTES       32
#define IDENTITY_SEED_BYTES      32
#define IDENTITY_SIGNATURE_BYTES 64
#define IDENTITY_MACHINE_BYTES   16 /* of the hash of a machine's own id */
#define IDENTITY_INSTANCE_BYTES  16 /* that tell one process of the agent from another */
#define IDENTITY_ID_SIZE         33 /* 32 hexadecimal digits of the key's SHA-256, and NUL */
#define IDENTITY_PRINT_SIZE      52 /* "SHA256:" and base64 of the whole hash, and NUL */

struct identity {
	unsigned char public_key[IDENTITY_KEY_BYTES];
	unsigned char secret_key[64]; /* libsodium's form: seed and public key */
};

int identity_make(struct identity *identity); /* 0; aborts without randomness */
int identity_from_seed(struct identity *identity, const unsigned char seed[IDENTITY_SEED_BYTES]);
void identity_seed(const struct identity *identity, unsigned char seed[IDENTITY_SEED_BYTES]);
void identity_wipe(struct identity *identity);

/* A hash of what the system calls this machine (machine-id(5)), which is not to be shown around.
 * All zero, and then unknown, where it has no id. */
void identity_machine(const char *machine_id, unsigned char hash[IDENTITY_MACHINE_BYTES]);

void identity_id(const unsigned char public_key[IDENTITY_KEY_BYTES], char id[IDENTITY_ID_SIZE]);
/* For people to compare, as OpenSSH prints its keys. */
void identity_fingerprint(
	const unsigned char public_key[IDENTITY_KEY_BYTES], char text[IDENTITY_PRINT_SIZE]);

/*
 * The mutual proof (row B4). Both ends sign the same transcript under their own label: both nonces,
 * both public keys and the TLS exporter value of their own end. Something that decrypts in between
 * has two TLS connections with two exporter values, so the signature that it passes on does not
 * verify.
 */
#define PROOF_NONCE_BYTES   32
#define PROOF_BINDING_BYTES 32

struct proof_transcript {
	unsigned char agent_nonce[PROOF_NONCE_BYTES];
	unsigned char hub_nonce[PROOF_NONCE_BYTES];
	unsigned char agent_key[IDENTITY_KEY_BYTES]; /* all zero for an anonymous check */
	unsigned char hub_key[IDENTITY_KEY_BYTES];
	unsigned char binding[PROOF_BINDING_BYTES];
};

enum proof_side { PROOF_OF_HUB, PROOF_OF_AGENT };

void proof_nonce(unsigned char nonce[PROOF_NONCE_BYTES]);
void proof_sign(const struct identity *identity, enum proof_side side,
	const struct proof_transcript *transcript, unsigned char signature[IDENTITY_SIGNATURE_BYTES]);
/* Verifies under the key of that side in the transcript. */
bool proof_verify(enum proof_side side, const struct proof_transcript *transcript,
	const unsigned char signature[IDENTITY_SIGNATURE_BYTES]);

#endif
