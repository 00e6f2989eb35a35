/*
 * What the hub remembers: users and their web sessions, join tokens, servers, their checks.
 *
 * A driver is one table of functions; sqlite_open() gives the real one, the tests a fake. Every
 * function takes the store and, last, where to put the sentence for a person; it returns a status,
 * and the sentence is written for STORE_FULL and STORE_ERROR alone. A call that changes something
 * is durable when it returns STORE_OK, except between begin and commit, where all that was changed
 * becomes durable, or none of it does, at commit.
 *
 * The caller owns every struct and frees what a call filled with the function named beside it.
 * Times are seconds since 1970. A store is used by one thread; several programs may open one
 * database.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "store/access.h"
#include "store/installs.h"
#include "store/jobs.h"
#include "store/locations.h"
#include "store/uploads.h"
#include "wire/identity.h"

#include <stdbool.h>
#include <stdint.h>

#define STORE_HASH_BYTES    32
#define STORE_TOKEN_ID_SIZE 17 /* 16 hexadecimal digits and NUL */
#define STORE_MAX_LIST      500
#define STORE_NO_FILTER     (-1)
#define STORE_CHECK_ID_SIZE 17     /* 16 hexadecimal digits and NUL */
#define STORE_MAX_CHECKS    50     /* that are kept of a server; the oldest go */
#define STORE_MAX_REPORT    262144 /* bytes of a report once it is compressed */

struct store_user {
	char *name;
	char *password;              /* crypto_pwhash_str */
	char *role;                  /* a name of hub/api/access.def */
	int64_t created, last_login; /* 0: never */
};

struct store_token {
	char id[STORE_TOKEN_ID_SIZE];
	unsigned char secret_hash[STORE_HASH_BYTES];
	char *label;
	char *created_by;
	int64_t created;
	int64_t expires;
	int64_t uses, used;
	bool revoked;
	char *location; /* of the key that made it, or of the target; "": any */
	int64_t target; /* of an install, that it was made for; 0: none */
};

/* One row of the list; texts are never NULL, empty when unknown. */
struct store_server {
	char id[IDENTITY_ID_SIZE];
	unsigned char key[IDENTITY_KEY_BYTES];
	char *name, *platform, *os_name, *address, *mac, *location, *version;
	bool online;
	char *cause, *reason; /* why it is offline */
	char *addressing;     /* of the address: "dhcp", "static", or "" */
	bool connector;       /* of its location */
	int64_t since, last_seen, created;
};

/* JSON texts, NULL when there is none. */
struct store_details {
	char *inventory;
	char *path;
	char *check; /* the newest report */
	int64_t path_at, check_at;
};

/* What changes of a server while it lives; NULL and 0 leave what is stored. */
struct store_change {
	bool presence; /* the four members below count */
	bool online;
	const char *cause, *reason; /* NULL means none */
	int64_t since;
	int64_t last_seen;
	const char *inventory;
	const char *path;
	int64_t now; /* becomes path_at */
};

/* The numbers stand in the database. */
enum store_check_state {
	CHECK_QUEUED = 0,
	CHECK_RUNNING = 1,
	CHECK_DONE = 2,
	CHECK_FAILED = 3, /* the machine could not run it, and said why */
	CHECK_LOST = 4,   /* nothing was heard of it again */
};

/* One run of `sallyport check` on a machine; texts are never NULL but for the report. */
struct store_check {
	char id[STORE_CHECK_ID_SIZE];
	char server[IDENTITY_ID_SIZE];
	enum store_check_state state;
	char *requested_by; /* a user; "": the machine checked by itself */
	char *profile;      /* its id; "": the way to the hub */
	char *title;        /* of the profile, as the report says it */
	bool deep;
	int64_t requested, started, finished; /* 0: not yet */
	int64_t repeats; /* how often in a row it came out the same; see checks.add */
	char *verdict;
	char *causes;  /* JSON: [{"id", "severity", "sentence"}] */
	char *outcome; /* the same for two checks that found the same */
	char *reason;  /* why it failed or was lost */
	char *report;  /* JSON; NULL: there is none, or it was not asked for */
};

/* The newest first. */
struct store_check_page {
	struct store_check *rows;
	size_t count;
	int64_t next_cursor; /* 0 on the last page */
};

enum store_sort {
	STORE_BY_STATUS,
	STORE_BY_NAME,
	STORE_BY_ADDRESS,
	STORE_BY_OS,
	STORE_BY_VERSION,
	STORE_BY_LAST_SEEN,
};

struct store_query {
	const char *platform; /* NULL: any */
	int online;           /* 1, 0 or STORE_NO_FILTER */
	const char *text;     /* words that all occur in name, address, MAC, OS or location; or NULL */
	const char *location; /* NULL: any */
	const char
		*addressing; /* "dhcp", "static"; "broken": not what its location demands; NULL: any */
	bool connectors; /* these alone */
	enum store_sort sort;
	bool descending;
	int limit;          /* 1 to STORE_MAX_LIST */
	const char *cursor; /* next_cursor of the page before; NULL: the first page */
};

struct store_page {
	struct store_server *rows;
	size_t count;
	int64_t total;     /* rows that match, on all pages */
	char *next_cursor; /* NULL on the last page */
};

struct store_counts {
	int64_t all, online;
};

enum enrol_result {
	ENROL_OK,
	ENROL_TOKEN_UNKNOWN, /* or revoked */
	ENROL_TOKEN_EXPIRED,
	ENROL_TOKEN_USED_UP,
	ENROL_KEY_REVOKED,
};

struct store_enrolment {
	unsigned char secret_hash[STORE_HASH_BYTES];
	unsigned char key[IDENTITY_KEY_BYTES];
	const char *inventory; /* JSON */
	int64_t now;
	int64_t token_expires; /* filled with ENROL_TOKEN_EXPIRED */
	int64_t target;        /* filled with ENROL_OK: that the token was made for; 0: none */
	/* For the audit trail, in the same step, unless the server came again for its answer; its
	 * detail becomes the token's id. NULL: nothing. */
	const struct store_audit *note;
};

enum server_standing { SERVER_UNKNOWN, SERVER_KNOWN, SERVER_REVOKED };

struct store;

struct store_driver {
	void (*close)(struct store *store);
	/* Writes a little, to learn whether writing works. */
	enum store_status (*probe)(struct store *store, struct err *err);
	/* Several changes at once. `lasting` false lets a power cut (not a crash) undo the last ones.
	 */
	enum store_status (*begin)(struct store *store, bool lasting, struct err *err);
	enum store_status (*commit)(struct store *store, struct err *err);
	void (*rollback)(struct store *store);

	struct {
		enum store_status (*set)(
			struct store *store, const char *key, const char *value, struct err *err);
		/* *value is owned by the caller; NULL when there is none, which is STORE_OK. */
		enum store_status (*get)(
			struct store *store, const char *key, char **value, struct err *err);
	} meta;

	struct {
		/* With `first`, STORE_EXISTS when there is any user already. */
		enum store_status (*add)(
			struct store *store, const struct store_user *user, bool first, struct err *err);
		enum store_status (*find)(
			struct store *store, const char *name, struct store_user *user, struct err *err);
		/* In the order of names; the callback borrows the user. */
		enum store_status (*list)(struct store *store,
			void (*each)(void *data, const struct store_user *user), void *data, struct err *err);
		enum store_status (*count)(struct store *store, int64_t *count, struct err *err);
		/* Ends the user's web sessions and revokes the keys that he made. STORE_LAST: he is the
		 * last one with the role `keep_one`. */
		enum store_status (*remove)(
			struct store *store, const char *name, const char *keep_one, struct err *err);
	} users;

	struct {
		enum store_status (*add)(struct store *store,
			const unsigned char cookie_hash[STORE_HASH_BYTES], const char *user, int64_t now,
			int64_t expires, struct err *err);
		/* The user of a session that has not expired; his password is left out. */
		enum store_status (*find)(struct store *store,
			const unsigned char cookie_hash[STORE_HASH_BYTES], int64_t now, struct store_user *user,
			struct err *err);
		enum store_status (*remove)(struct store *store,
			const unsigned char cookie_hash[STORE_HASH_BYTES], struct err *err);
	} web_sessions;

	struct {
		enum store_status (*add)(
			struct store *store, const struct store_token *token, struct err *err);
		/* The newest first, without those of targets; the callback borrows the token. */
		enum store_status (*list)(struct store *store,
			void (*each)(void *data, const struct store_token *token), void *data, struct err *err);
		enum store_status (*revoke)(struct store *store, const char *id, struct err *err);
	} tokens;

	struct {
		/* Uses the token up by one and makes or renews the server, in one step. A server that
		 * comes again with the token it joined with costs no further use: its answer was lost. */
		enum store_status (*enrol)(struct store *store, struct store_enrolment *enrolment,
			enum enrol_result *result, struct err *err);
		enum store_status (*standing)(struct store *store,
			const unsigned char key[IDENTITY_KEY_BYTES], enum server_standing *standing,
			struct err *err);
		enum store_status (*change)(struct store *store, const char *id,
			const struct store_change *change, struct err *err);
		/* `details` may be NULL. */
		enum store_status (*find)(struct store *store, const char *id, struct store_server *server,
			struct store_details *details, struct err *err);
		/* A cursor that is none of ours is STORE_NOT_FOUND. */
		enum store_status (*list)(struct store *store, const struct store_query *query,
			struct store_page *page, struct err *err);
		/* `location` NULL: all. */
		enum store_status (*counts)(struct store *store, const char *location,
			struct store_counts *counts, struct err *err);
		/* With `revoke`, its key is never let in again. */
		enum store_status (*remove)(
			struct store *store, const char *id, bool revoke, int64_t now, struct err *err);
		/* At start: whatever was online is offline now, for this cause. */
		enum store_status (*all_offline)(struct store *store, const char *cause, const char *reason,
			int64_t now, struct err *err);
	} servers;

	struct {
		/* A check that the machine made by itself, and that found what the newest one did, which
		 * was of the same kind, renews that one: `repeats` counts on, the report is the new one;
		 * its id, times and repeats are put into *check.
		 * STORE_NOT_FOUND: no such server. */
		enum store_status (*add)(struct store *store, struct store_check *check, struct err *err);
		/* All but who asked for what and when; without a report the stored one stays. */
		enum store_status (*change)(
			struct store *store, const struct store_check *check, struct err *err);
		/* With the report. */
		enum store_status (*find)(struct store *store, const char *server, const char *id,
			struct store_check *check, struct err *err);
		/* Without reports; `before` is the next_cursor of the page before, 0 for the first. */
		enum store_status (*list)(struct store *store, const char *server, int limit,
			int64_t before, struct store_check_page *page, struct err *err);
		/* Those that are queued or running; the callback borrows the check. */
		enum store_status (*unfinished)(struct store *store,
			void (*each)(void *data, const struct store_check *check), void *data, struct err *err);
	} checks;

	struct store_access_ops access;
	struct store_jobs_ops jobs;
	struct store_runs_ops runs;
	struct store_uploads_ops uploads;
	struct store_locations_ops locations;
	struct store_installs_ops installs;
};

struct store {
	const struct store_driver *driver;
};

/* Opens the database, makes it when missing and brings its schema up to date. The folder must be
 * there. Owned by the caller, closed with store->driver->close(). */
struct store *sqlite_open(const char *path, struct err *err);

void store_user_free(struct store_user *user);
void store_server_free(struct store_server *server);
void store_details_free(struct store_details *details);
void store_page_free(struct store_page *page);
void store_check_free(struct store_check *check);
void store_check_page_free(struct store_check_page *page);

#endif
