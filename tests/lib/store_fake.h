/*
 * A store in memory that fails on command, for what stands on store/store.h.
 *
 * It knows servers, their presence and their checks, which is what the roster, the sessions and the
 * checks ask for; every other call is an error. Owned by the caller, closed with
 * store->driver->close().
 */
#ifndef STORE_FAKE_H
#define STORE_FAKE_H

#include "store/store.h"

#define FAKE_MAX_SERVERS 64
#define FAKE_MAX_CHECKS  2048

struct fake_server {
	char id[IDENTITY_ID_SIZE];
	unsigned char key[IDENTITY_KEY_BYTES];
	bool known, revoked, online;
	char cause[64], reason[256];
	int64_t since, last_seen;
	char *inventory, *path; /* owned */
};

struct store_fake {
	struct store store;
	struct fake_server servers[FAKE_MAX_SERVERS];
	size_t count;
	struct store_check checks[FAKE_MAX_CHECKS];
	size_t check_count;
	unsigned char secret_hash[STORE_HASH_BYTES]; /* of the one token */
	enum enrol_result enrol_result;              /* for that token */
	enum store_status fail_with;         /* every write fails so, while it is not STORE_OK */
	enum store_status report_fails_with; /* likewise each write of a report */
	unsigned commits;
	bool batch;
};

struct store_fake *store_fake_new(void);
/* The check that was added last but `back`. */
struct store_check *store_fake_check(struct store_fake *fake, size_t back);
struct fake_server *store_fake_find(struct store_fake *fake, const char *id);
struct fake_server *store_fake_add(
	struct store_fake *fake, const unsigned char key[IDENTITY_KEY_BYTES]);

#endif
