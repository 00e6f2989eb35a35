/*
 * The pieces of hello: plain requests, foreign pages, and the hub. Private to dial/.
 *
 * hello.c picks by protocol: an HTTPS endpoint is asked for its marker there, a hub in hub.c.
 */
#ifndef DIAL_HELLO_H
#define DIAL_HELLO_H

#include "dial/stage.h"
#include "wire/http.h"

#define HELLO_MAX_BODY 65536 /* bytes of a page or document that are read */

/* exchange.c: one request on the walk's connection, as request_run() does it; the peer closes it
 * afterwards, unless it shall stay. WAIT_READY with the
 * response, whose status is 0 when nothing came and -1 when it was no HTTP; WAIT_ERROR with errno
 * when the connection failed before the head was whole. The response was initialised by the caller,
 * who frees it. */
enum wait_result exchange(struct walker *walker, const char *method, const char *path,
	struct deadline deadline, struct http_response *response);
/* "host" or "host:port", for the Host header. */
const char *exchange_host(const struct dial_target *target, char text[TOKEN_MAX_HOST + 8]);

/* page.c: whose page is this? CAUSE_CAPTIVE_PORTAL or CAUSE_BLOCK_PAGE with what identifies its
 * sender as evidence, or CAUSE_NONE. `plainly` asks for signs that no ordinary service shows. */
enum cause page_judge(const struct http_response *response, const char *host, bool plainly,
	struct evidence *evidence, enum confidence *confidence);
/* Status, type, server and title of any response. */
void page_describe(const struct http_response *response, struct evidence *evidence);

/* hub.c: the session with a hub. */
int hub_run(struct walker *walker);

/* hub_proof.c */
/* Fails for something that the hub's proof does not vouch for; where the chain has shown that TLS
 * is decrypted on the way, that is the cause. */
int hub_fail(struct walker *walker, enum cause cause, enum confidence confidence);
/* Who answers by this key? 0 when the proof fits and the key is the expected one, which is kept in
 * walk->hub_key; else fails. */
int hub_check_proof(struct walker *walker, const struct proof_transcript *transcript,
	const unsigned char signature[IDENTITY_SIGNATURE_BYTES]);
int hub_fail_busy(struct walker *walker, const char *retry_after, enum confidence confidence);

/* hub_plain.c: the hub's proof over a plain request. */
int hub_plain_run(struct walker *walker);
/* There is no session, for the reason in words: asks over a plain request, on a connection of its
 * own, why; fails with what it finds. `if_filtered` is how sure upgrade-filtered is then: an HTTP
 * answer leaves no look-alike, a connection that broke may have been the hub's own trouble. */
int hub_explain(struct walker *walker, const char *difference, enum confidence if_filtered);

#endif
