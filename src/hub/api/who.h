/*
 * Who sends a request: the session cookie, and what answers have in common.
 *
 * The cookie holds 32 random bytes in base64url; the store has their hash only, so that a copy of
 * the database signs nobody in.
 */
#ifndef HUB_API_WHO_H
#define HUB_API_WHO_H

#include "hub/exchange.h"
#include "store/store.h"

#define WHO_SESSION_S 43200 /* a sign-in lasts 12 hours */

/* The user of a cookie's value, owned by the caller; NULL when it is none or has expired. */
char *who_is(struct hub *hub, const char *cookie);
/* Makes a session and adds its cookie to the answer; -1 after a problem was answered. */
int who_sign_in(struct exchange *exchange, const char *user);
void who_sign_out(struct exchange *exchange);

/* Answers with the problem for a status of the store that is not STORE_OK. */
void answer_store_problem(
	struct exchange *exchange, enum store_status status, const struct err *err);
/* A text of the body within its bounds (bytes), or NULL after a problem was answered. */
const char *body_text(struct exchange *exchange, const char *name, size_t least, size_t most);
/* A number of the body; `otherwise` when absent; -1 after a problem was answered. */
int64_t body_number(
	struct exchange *exchange, const char *name, int64_t least, int64_t most, int64_t otherwise);
json_t *time_json(int64_t when); /* RFC 3339, or null for 0 */

#endif
