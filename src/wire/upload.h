/*
 * Uploads of support bundles: resumable requests over HTTPS, on connections apart from the session,
 * so that they never delay a command (rows R28, S2, S6).
 *
 * The terms are those of "Resumable Uploads for HTTP" (draft-ietf-httpbis-resumable-upload):
 *
 *     POST  /v1/uploads        creates it, by its id; Upload-Length, Repr-Digest; the body is JSON
 *     PATCH /v1/uploads/ID     the next piece, application/partial-upload, at Upload-Offset; with
 *                              Upload-Complete: ?1 it is the last one, and the digest is verified
 *     HEAD  /v1/uploads/ID     Upload-Offset: what is there
 *
 * with three differences: the id is the agent's or, for a bundle that was asked for, the hub's, so
 * that a POST may be repeated; the body of the POST is not yet part of the content; there are no
 * interim answers.
 *
 * Nobody signs in. On each connection the agent first has the hub prove itself (the discovery
 * document with ?nonce=) and then sends with every request `Sallyport-Proof`: its key, both nonces
 * and its signature of the same transcript, which holds the TLS exporter value of this very
 * connection (row B4). So the header is worth nothing on any other connection.
 */
#ifndef WIRE_UPLOAD_H
#define WIRE_UPLOAD_H

#include "wire/identity.h"

#include <stddef.h>

#define UPLOAD_MAX_BYTES    67108864 /* of a bundle */
#define UPLOAD_CHUNK_BYTES  262144   /* of one PATCH, at most */
#define UPLOAD_MAX_MANIFEST 32768    /* bytes of its JSON */
#define UPLOAD_ID_SIZE      33       /* 32 hexadecimal digits and NUL */
#define UPLOAD_HASH_BYTES   32       /* SHA-256 */
#define UPLOAD_DIGEST_SIZE  55       /* of the text of a Repr-Digest, and NUL */
#define UPLOAD_PROOF_SIZE   219      /* of the text of a Sallyport-Proof, and NUL */

#define UPLOAD_PROOF_HEADER  "Sallyport-Proof"
#define UPLOAD_CONTENT_TYPE  "application/partial-upload"
#define UPLOAD_MANIFEST_TYPE "application/json"

bool upload_is_id(const char *text);
/* "sha-256=:BASE64:" (RFC 9530). */
void upload_digest_write(
	const unsigned char hash[UPLOAD_HASH_BYTES], char text[UPLOAD_DIGEST_SIZE]);
int upload_digest_read(const char *text, unsigned char hash[UPLOAD_HASH_BYTES]);
/* A number of bytes from 0 to UPLOAD_MAX_BYTES; -1 when it is none. */
int64_t upload_number_read(const char *text);
/* "?1" or "?0" (RFC 9651 section 3.3.6): 1, 0, or -1. */
int upload_flag_read(const char *text);

/* Signs the transcript of a plain proof; the agent's key and `binding` must be in it. */
void upload_proof_write(const struct identity *agent, const struct proof_transcript *transcript,
	char text[UPLOAD_PROOF_SIZE]);
/* Fills the agent's key and both nonces of the transcript, whose other members the reader has
 * filled. 0 when the signature is the agent's for just that, so that a replay, or another
 * connection, is none. */
int upload_proof_read(const char *text, struct proof_transcript *transcript);

#endif
