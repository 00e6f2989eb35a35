/*
 * Permissions, roles and who acts.
 *
 * The tables stand in access.def. An actor is found once for a request (who.h) and tells what that
 * request may do: handlers ask for its name and its location, the permission has been looked at
 * before they run.
 */
#ifndef HUB_API_ACCESS_H
#define HUB_API_ACCESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum permission {
#define PERMISSION(symbol, name, wide, about) PERMIT_##symbol,
#include "hub/api/access.def"
#undef PERMISSION
	PERMISSION_COUNT,
	PERMIT_SIGNED_IN, /* on a route: whoever is somebody */
	PERMIT_ANYONE,    /* on a route: nobody is asked who he is */
};

enum role {
#define ROLE(symbol, name, permissions, about) ROLE_##symbol,
#include "hub/api/access.def"
#undef ROLE
	ROLE_COUNT
};

#define MAY(symbol)         (1u << PERMIT_##symbol)
#define ACCESS_NAMES_SIZE   96 /* of access_names() */
#define ACCESS_MAX_NAME     64 /* bytes of a user's or a key's name */
#define ACCESS_MAX_LOCATION 64
#define ACCESS_KEY_NAME_PREFIX                                                                     \
	"key:" /* before a key's name, where a user's could stand as well                              \
			*/

enum actor_kind { ACTOR_NOBODY, ACTOR_USER, ACTOR_KEY, ACTOR_COMMAND, ACTOR_MACHINE };

/* The texts are owned; access_forget() frees them. */
struct actor {
	enum actor_kind kind;
	char *name;           /* a user's; "key:NAME"; the account at the command line; a server's id */
	char *user;           /* the user himself, or who made the key; NULL: the command line */
	char *key;            /* the key's id; NULL for others */
	enum role role;       /* of a user */
	unsigned permissions; /* bits: 1u << enum permission */
	char *location;       /* the only one it sees; NULL: all */
	char peer[46];        /* where the request comes from; "" unknown */
};

const char *permission_name(enum permission permission); /* "anyone", "signed-in" as well */
const char *permission_about(enum permission permission);
bool permission_wide(enum permission permission);
int permission_find(const char *name); /* -1: there is none */
const char *role_name(enum role role);
int role_find(const char *name); /* -1: there is none */
unsigned role_permissions(enum role role);
/* "read, operate"; the names between commas, and back: -1 when one is unknown. */
void access_names(unsigned permissions, char text[ACCESS_NAMES_SIZE]);
int access_read_names(const char *text, unsigned *permissions);
json_t *access_json(unsigned permissions); /* a list of names; new reference */

/* NULL when it will do for a user or a key, else why not. */
const char *access_name_problem(const char *name);

const char *actor_kind_name(enum actor_kind kind); /* "user", "key", "command", "machine" */
bool actor_may(const struct actor *actor, enum permission permission);
/* Whether something at this location is there for this actor. */
bool actor_sees(const struct actor *actor, const char *location);
void access_forget(struct actor *actor);

#endif
