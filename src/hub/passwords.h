/*
 * Passwords: argon2id by libsodium, one at a time on a thread of libuv's pool.
 *
 * Each takes 64 MiB and some tenths of a second, so the loop never computes one and never two are
 * computed side by side. The callback comes once, on the loop's thread, never from inside the start
 * function.
 */
#ifndef HUB_PASSWORDS_H
#define HUB_PASSWORDS_H

#include <stdbool.h>
#include <uv.h>

#define PASSWORD_MIN         12   /* characters */
#define PASSWORD_MAX         1024 /* bytes */
#define PASSWORDS_MAX_QUEUED 16

struct passwords;

/* `hash` is NULL when hashing failed for lack of memory; after a verification `good` tells. */
typedef void passwords_done(void *data, bool good, const char *hash);

struct passwords *passwords_new(uv_loop_t *loop);
/* Nothing calls back any more; what runs is waited for. */
void passwords_free(struct passwords *passwords);
/* -1 when too many wait. The password is copied and wiped after use. */
int passwords_hash(
	struct passwords *passwords, const char *password, passwords_done *done, void *data);
/* Without a hash (no such user) it takes as long and fails. */
int passwords_verify(struct passwords *passwords, const char *hash, const char *password,
	passwords_done *done, void *data);

/* The same at once, for the command line. The text is crypto_pwhash_STRBYTES long; -1: no memory.
 */
int password_hash_now(const char *password, char *hash);
/* NULL when it will do, else why not. */
const char *password_problem(const char *password);

#endif
