/*
 * Who sends a request: the cookie of a sign-in, or an API key.
 *
 * The cookie holds 32 random bytes in base64url, the key "spk_" and as many; the store has their
 * hashes only, so that a copy of the database lets nobody in. A key may do what it was given and
 * its maker may still do; a request with a key needs no cookie, and its cookie counts for nothing.
 */
#ifndef HUB_API_WHO_H
#define HUB_API_WHO_H

#include "hub/api/access.h"
#include "hub/net/exchange.h"
#include "store/store.h"

#define WHO_SESSION_S  43200 /* a sign-in lasts 12 hours */
#define WHO_KEY_PREFIX "spk_"
#define WHO_KEY_SIZE   48 /* the prefix, 43 characters and NUL */
#define WHO_KEY_USED_S 60 /* when a key was last used is written this often */

/* Fills exchange->actor; -1 after a problem was answered. */
int who_acts(struct exchange *exchange);
/* For answers that go on for long: whether who asked may still have it. Renews exchange->actor. */
bool who_still(struct exchange *exchange);
/* Whether the server is there for this actor; false also when there is none. A full pass without
 * asking the store when the actor sees every location. */
bool who_sees_server(struct hub *hub, const struct actor *actor, const char *server);

/* Makes a session and adds its cookie to the answer; -1 after a problem was answered. */
int who_sign_in(struct exchange *exchange, const char *user);
void who_sign_out(struct exchange *exchange);

/* A key's text, which the caller wipes, and its hash. */
void who_new_key(char text[WHO_KEY_SIZE], unsigned char hash[STORE_KEY_HASH]);

#endif
