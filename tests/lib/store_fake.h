/*
 * A store in memory that fails on command, for what stands on store/store.h.
 *
 * It knows servers and their presence, which is what the roster and the sessions ask for; every
 * other call is an error. Owned by the caller, closed with store->driver->close().
 */
#ifndef STORE_FAKE_H
#define STORE_FAKE_H

#include "store/store.h"

#define FAKE_MAX_SERVERS 64

struct fake_server {
	char id[IDENTITY_ID_SIZE];
	unsigned char key[IDENTITY_KEY_BYTES];
	bool known, revoked, online;
	char cause[64], reason[256];
	int64_t since, last_seen;
	char *inventory, *path, *check; /* owned */
};

struct store_fake {
	struct store store;
	struct fake_server servers[FAKE_MAX_SERVERS];
	size_t count;
	unsigned char secret_hash[STORE_HASH_BYTES]; /* of the one token */
	enum enrol_result enrol_result;              /* for that token */
	enum store_status fail_with; /* every write fails so, while it is not STORE_OK */
	unsigned commits;
	bool batch;
};

struct store_fake *store_fake_new(void);
struct fake_server *store_fake_find(struct store_fake *fake, const char *id);
struct fake_server *store_fake_add(
	struct store_fake *fake, const unsigned char key[IDENTITY_KEY_BYTES]);

#endif
