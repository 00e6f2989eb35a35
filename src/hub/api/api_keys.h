/*
 * Making API keys, for the API and the command line.
 */
#ifndef HUB_API_API_KEYS_H
#define HUB_API_API_KEYS_H

#include "hub/api/who.h"

#define API_KEY_MIN_S 60
#define API_KEY_MAX_S 63072000 /* two years */

struct api_key_wish {
	const char *name;
	unsigned permissions;
	const char *location; /* NULL: all */
	const struct actor *actor;
	int64_t now, expires_in_s;
};

/* Fills `key` and its text, which the caller wipes; store_key_free() frees the key, whatever was
 * returned. */
enum store_status api_key_make(struct store *store, const struct api_key_wish *wish,
	struct store_key *key, char text[WHO_KEY_SIZE], struct err *err);
/* NULL when permissions and location go together, else why not. */
const char *api_key_problem(unsigned permissions, const char *location);
/* "valid", "expired" or "revoked". */
const char *api_key_state(const struct store_key *key, int64_t now);

#endif
