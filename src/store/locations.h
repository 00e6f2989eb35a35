/*
 * Resource locations as the store knows them: what they demand, which servers are their connectors,
 * and the SSH host keys that people confirmed there.
 *
 * A location is there once somebody made it or a machine said that it is there; servers, keys,
 * tokens, jobs and installs carry its name, and follow it when it changes. Names are the same
 * whatever the case of their letters. The rules of store.h hold: statuses, who frees what, times in
 * seconds since 1970.
 */
#ifndef STORE_LOCATIONS_H
#define STORE_LOCATIONS_H

#include "base/err.h"
#include "store/status.h"
#include "wire/identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_MAX_LOCATION   64    /* bytes of a name */
#define STORE_MAX_LOCATIONS  10000 /* that are listed */
#define STORE_MAX_CONNECTORS 64    /* of one location */

struct store;

struct store_location {
	char *name;
	bool dhcp; /* its machines have to have their addresses by DHCP */
	int64_t created, servers, online;
	int64_t breaking; /* servers that do not */
};

struct store_connector {
	char *location, *name;
	char id[IDENTITY_ID_SIZE];
	unsigned char key[IDENTITY_KEY_BYTES];
	int64_t since;
};

/* What keeps a location from being deleted. */
struct store_holds {
	int64_t servers, keys, tokens, installs;
};

/* Texts are never NULL. */
struct store_host_key {
	int64_t seq; /* grows */
	char *host, *fingerprint, *confirmed_by;
	int64_t port, confirmed;
};

/* The newest first. */
struct store_host_key_page {
	struct store_host_key *rows;
	size_t count;
	int64_t next; /* `before` of the next page; 0 on the last one */
};

struct store_locations_ops {
	/* STORE_EXISTS: there is one of that name. */
	enum store_status (*add)(
		struct store *store, const char *name, bool dhcp, int64_t now, struct err *err);
	enum store_status (*find)(
		struct store *store, const char *name, struct store_location *location, struct err *err);
	/* In the order of names; the callback borrows it. */
	enum store_status (*list)(struct store *store,
		void (*each)(void *data, const struct store_location *location), void *data,
		struct err *err);
	/* `to` may be the same name. STORE_EXISTS: another one has it. */
	enum store_status (*change)(
		struct store *store, const char *name, const char *to, bool dhcp, struct err *err);
	/* STORE_LAST: it is not empty; *holds says of what. */
	enum store_status (*remove)(struct store *store, const char *name, int64_t now,
		struct store_holds *holds, struct err *err);
	/* Where the server is, whatever it says itself; NULL: what it says. STORE_NOT_FOUND: no such
	 * server or location; STORE_LAST: it is a connector. */
	enum store_status (*place)(
		struct store *store, const char *server, const char *location, struct err *err);

	/* Of the location where the server is now, which stays. STORE_OK too when it was one before;
	 * STORE_LAST: it is nowhere; STORE_EXISTS: there are STORE_MAX_CONNECTORS. */
	enum store_status (*promote)(
		struct store *store, const char *server, int64_t now, struct err *err);
	/* STORE_OK too when it was none. */
	enum store_status (*demote)(struct store *store, const char *server, struct err *err);
	/* By location and name, of one location or, with NULL, of all; the callback borrows it. */
	enum store_status (*connectors)(struct store *store, const char *location,
		void (*each)(void *data, const struct store_connector *connector), void *data,
		struct err *err);

	/* Pins a key in the place of an older one. */
	enum store_status (*pin)(struct store *store, const char *location,
		const struct store_host_key *key, struct err *err);
	/* The key of that host; NULL when there is none, which is STORE_OK. Owned by the caller. */
	enum store_status (*pinned)(struct store *store, const char *location, const char *host,
		int64_t port, char **fingerprint, struct err *err);
	enum store_status (*host_keys)(struct store *store, const char *location, int limit,
		int64_t before, struct store_host_key_page *page, struct err *err);
	enum store_status (*unpin)(
		struct store *store, const char *location, int64_t seq, struct err *err);
};

void store_location_free(struct store_location *location);
void store_host_key_page_free(struct store_host_key_page *page);

#endif
