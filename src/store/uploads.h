/*
 * Support bundles, as the store knows them: who asked for which, of what machine, and what became
 * of it. The bundles themselves are files of the hub (hub/support/bundles.h).
 *
 * The rules of store.h hold: statuses, who frees what, times in seconds since 1970. A bundle goes
 * with its server.
 */
#ifndef STORE_UPLOADS_H
#define STORE_UPLOADS_H

#include "base/err.h"
#include "store/status.h"
#include "wire/upload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* The numbers stand in the database. */
enum store_bundle_state {
	BUNDLE_ASKED = 0,
	BUNDLE_UPLOADING = 1,
	BUNDLE_READY = 2,
	BUNDLE_FAILED = 3,
	BUNDLE_STATES
};

/* Texts are never NULL. */
struct store_bundle {
	char id[UPLOAD_ID_SIZE];
	char server[IDENTITY_ID_SIZE];
	char *server_name, *location; /* of the server, as its row says; not written */
	enum store_bundle_state state;
	char *reason;                /* why it failed */
	char *requested_by;          /* a user or a key; "": the machine sent it by itself */
	int64_t requested, finished; /* 0: not yet */
	int64_t size;                /* as the machine said; 0: not yet */
	unsigned char hash[UPLOAD_HASH_BYTES];
	char *manifest; /* JSON; "": none yet */
};

struct store_bundle_query {
	const char *server;   /* NULL: of all */
	const char *location; /* NULL: at all */
	int limit;
	int64_t before; /* rows before that one; 0: from the newest on */
};

/* The newest first. */
struct store_bundle_page {
	struct store_bundle *rows;
	size_t count;
	int64_t next; /* `before` of the next page; 0 on the last one */
};

struct store_uploads_ops {
	/* STORE_EXISTS: that id was used; STORE_NOT_FOUND: no such server. */
	enum store_status (*add)(
		struct store *store, const struct store_bundle *bundle, struct err *err);
	/* State, reason, finished, size, hash and manifest. */
	enum store_status (*change)(
		struct store *store, const struct store_bundle *bundle, struct err *err);
	enum store_status (*find)(
		struct store *store, const char *id, struct store_bundle *bundle, struct err *err);
	enum store_status (*list)(struct store *store, const struct store_bundle_query *query,
		struct store_bundle_page *page, struct err *err);
	/* Every bundle of that state, or of any state with BUNDLE_STATES, the oldest first; the
	 * callback borrows it. */
	enum store_status (*each)(struct store *store, enum store_bundle_state state,
		void (*each)(void *data, const struct store_bundle *bundle), void *data, struct err *err);
	enum store_status (*remove)(struct store *store, const char *id, struct err *err);
};

void store_bundle_free(struct store_bundle *bundle);
void store_bundle_page_free(struct store_bundle_page *page);

#endif
