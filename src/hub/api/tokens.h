/*
 * Making join tokens, for the API and the command line.
 */
#ifndef HUB_API_TOKENS_H
#define HUB_API_TOKENS_H

#include "store/store.h"
#include "wire/token.h"

#define TOKEN_MIN_S     60
#define TOKEN_MAX_S     31536000
#define TOKEN_DEFAULT_S 86400
#define TOKEN_MAX_USES  10000
#define TOKEN_MAX_LABEL 100 /* bytes */

struct token_wish {
	const char *label, *created_by, *host;
	uint16_t port;
	const unsigned char *hub_key; /* IDENTITY_KEY_BYTES */
	int64_t now, expires_in_s, uses;
	const char *location; /* of the key that makes it, or of the target; NULL: any */
	int64_t target;       /* of an install, that it is for; 0: none */
};

/* *text is the token, owned by the caller, who wipes it after use. */
enum store_status token_make(struct store *store, const struct token_wish *wish,
	char id[STORE_TOKEN_ID_SIZE], char **text, struct err *err);
/* "valid", "expired", "used-up" or "revoked". */
const char *token_state(const struct store_token *token, int64_t now);

#endif
