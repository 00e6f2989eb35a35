/*
 * What a joined machine has to remember: its key, and the hub that it belongs to.
 *
 * One file, identity.json, mode 0600 in a folder of mode 0700, replaced in one step. It is written
 * by `join` and removed by `leave`; the service only reads it. A file that cannot be read, is cut
 * short or holds something else is an error that names file and remedy. Nothing here ever writes
 * over such a file: the key in it may be all that proves this machine to its hub.
 *
 * state_wipe() every struct that was filled: it holds the secret key.
 */
#ifndef AGENT_STATE_H
#define AGENT_STATE_H

#include "agent/paths.h"
#include "base/err.h"
#include "wire/endpoints.h"
#include "wire/identity.h"
#include "wire/token.h"

#include <stdbool.h>

#define STATE_VERSION      1
#define STATE_MAX_LOCATION 64 /* bytes */

struct agent_state {
	struct identity identity;
	char server_id[IDENTITY_ID_SIZE];
	char *name;     /* owned; the host name at the time of joining */
	char *location; /* owned; where it stands, as `join --location` said; NULL: nowhere said */
	char hub_host[TOKEN_MAX_HOST + 1];
	uint16_t hub_port;
	unsigned char hub_key[IDENTITY_KEY_BYTES]; /* pinned */
	struct endpoints endpoints; /* where the hub's roles are; what state_follow() was last told */
	char *private_ca;           /* owned; PEM, NULL where the hub's certificate is a public one */
};

enum state_result {
	STATE_LOADED,
	STATE_ABSENT, /* this machine has not joined; err says so and how to join */
	STATE_BROKEN, /* err says what, where, and how to mend it */
};

enum state_result state_load(
	const struct agent_paths *paths, struct agent_state *state, struct err *err);
int state_save(const struct agent_paths *paths, const struct agent_state *state, struct err *err);
/* Makes the folder (0700) and proves that a file of that kind can be written there, so that a full
 * disk or a missing right shows before a token is spent. */
int state_prepare(const struct agent_paths *paths, struct err *err);
/* Forgets the hub: identity, endpoints, status, check and rhythm, and all runs of its jobs but
 * those that a supervisor holds. */
int state_remove(const struct agent_paths *paths, struct err *err);
/*
 * Takes what the hub says of its endpoint roles, in a welcome or a discovery document that it has
 * proved, and keeps it in endpoints.json, beside the identity: the service may write this one, and
 * a damaged one costs nothing but what the token said. `object` may be NULL. 1 when it is news, 0
 * when not, -1 with err when it cannot be kept or is none; in memory it holds all the same.
 */
int state_follow(const struct agent_paths *paths, struct agent_state *state, const json_t *object,
	struct err *err);
/* "HOST:PORT" of the session. Owned by the caller. */
char *state_hub(const struct agent_state *state);
void state_wipe(struct agent_state *state);

#endif
