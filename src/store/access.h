/*
 * What the hub remembers of who may do what: API keys, the audit trail, and answers that a program
 * may ask for again (Idempotency-Key).
 *
 * Of a key the store has the hash of its text alone. The rules of store.h hold: statuses, who frees
 * what, times in seconds since 1970.
 */
#ifndef STORE_ACCESS_H
#define STORE_ACCESS_H

#include "base/err.h"
#include "store/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_KEY_ID_SIZE  17       /* 16 hexadecimal digits and NUL */
#define STORE_KEY_HASH     32       /* bytes */
#define STORE_MAX_KEYS     1000     /* that are valid at a time */
#define STORE_AUDIT_S      34560000 /* 400 days */
#define STORE_MAX_AUDIT    1000000  /* rows; the oldest go */
#define STORE_MAX_REFUSED  20000    /* of these rows, those that strangers can cause; likewise */
#define STORE_REPLAY_S     86400
#define STORE_MAX_REPLAYS  20000    /* the oldest go */
#define STORE_REPLAY_BYTES 67108864 /* of all answers together; likewise */

struct store;

/* Texts are never NULL. */
struct store_key {
	char id[STORE_KEY_ID_SIZE];
	unsigned char hash[STORE_KEY_HASH]; /* SHA-256 of the text */
	char *name;
	char *permissions;              /* names between commas */
	char *location;                 /* "": all */
	char *maker;                    /* the user; "": the command line. Removing him revokes it */
	char *created_by;               /* the same for people */
	char parent[STORE_KEY_ID_SIZE]; /* the key that made it; "": none. Revoking that revokes it */
	int64_t created, expires, last_used; /* last_used 0: never */
	bool revoked;
};

/* Texts are never NULL. */
struct store_audit {
	int64_t id; /* grows */
	int64_t at;
	char *actor, *actor_kind, *action, *target, *detail, *peer;
	bool refused; /* caused by somebody who was not let in */
};

struct store_audit_query {
	const char *actor, *action, *target; /* NULL: any */
	int limit;
	int64_t before; /* rows with a smaller id; 0: from the newest on */
};

/* The newest first. */
struct store_audit_page {
	struct store_audit *rows;
	size_t count;
	int64_t next; /* `before` of the next page; 0 on the last one */
};

/* An answer under the key that a program gave for it. */
struct store_replay {
	unsigned char id[STORE_KEY_HASH];   /* of actor, route and the program's key */
	unsigned char body[STORE_KEY_HASH]; /* of the request; keyed */
	int64_t created;
	int status;   /* 0: the request has begun and nothing is known of its end */
	void *answer; /* sealed; owned; NULL: it was too long to keep */
	size_t len;
};

struct store_access_ops {
	/* Role and password, each when not NULL. STORE_LAST: the last one of `keep_one`, a role, would
	 * lose it. A new password ends the user's web sessions. */
	enum store_status (*user_change)(struct store *store, const char *name, const char *role,
		const char *password, const char *keep_one, struct err *err);
	enum store_status (*user_signed_in)(
		struct store *store, const char *name, int64_t now, struct err *err);

	/* STORE_FULL with a sentence when there are too many. */
	enum store_status (*key_add)(struct store *store, const struct store_key *key, struct err *err);
	enum store_status (*key_find)(struct store *store, const unsigned char hash[STORE_KEY_HASH],
		struct store_key *key, struct err *err);
	/* The newest first; the callback borrows the key. */
	enum store_status (*key_list)(struct store *store,
		void (*each)(void *data, const struct store_key *key), void *data, struct err *err);
	/* With all that were made by it. */
	enum store_status (*key_revoke)(struct store *store, const char *id, struct err *err);
	/* Not durable at once: it tells people when a key was last used, roughly. */
	enum store_status (*key_used)(
		struct store *store, const char *id, int64_t now, struct err *err);

	/* Drops what is too old or too much. */
	enum store_status (*audit_add)(
		struct store *store, const struct store_audit *audit, struct err *err);
	enum store_status (*audit_list)(struct store *store, const struct store_audit_query *query,
		struct store_audit_page *page, struct err *err);

	/* Begins; STORE_EXISTS, with *replay filled, when there is one that is not too old. */
	enum store_status (*replay_begin)(
		struct store *store, struct store_replay *replay, struct err *err);
	enum store_status (*replay_end)(
		struct store *store, const struct store_replay *replay, struct err *err);
	/* The request changed nothing: it may come again. */
	enum store_status (*replay_drop)(
		struct store *store, const unsigned char id[STORE_KEY_HASH], struct err *err);
};

void store_key_free(struct store_key *key);
void store_audit_page_free(struct store_audit_page *page);

#endif
