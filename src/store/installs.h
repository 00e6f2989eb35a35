/*
 * Installs and their targets as the store knows them: what was asked for and what became of each
 * host. Credentials are never among it.
 *
 * The rules of store.h hold: statuses, who frees what, times in seconds since 1970. The tokens that
 * were made for a target go with it.
 */
#ifndef STORE_INSTALLS_H
#define STORE_INSTALLS_H

#include "base/err.h"
#include "store/status.h"
#include "wire/identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_INSTALL_ID_SIZE 33 /* 32 hexadecimal digits and NUL */

struct store;

/* The numbers stand in the database; the last two are final. */
enum store_install_state {
	STORE_INSTALL_LOOKING = 0,
	STORE_INSTALL_WAITING = 1, /* for a person who starts what is ready */
	STORE_INSTALL_WORKING = 2,
	STORE_INSTALL_DONE = 3,
	STORE_INSTALL_CANCELLED = 4,
	STORE_INSTALL_STATES
};

/* Likewise, and lists go in this order. */
enum store_target_state {
	TARGET_FAILED = 0,
	TARGET_READY = 1,
	TARGET_WORKING = 2,
	TARGET_LOOKING = 3,
	TARGET_JOINED = 4, /* the hub has not seen its agent yet */
	TARGET_WAITING = 5,
	TARGET_CANCELLED = 6,
	TARGET_ONLINE = 7,
	TARGET_KEPT = 8, /* there was nothing to do */
	TARGET_REMOVED = 9,
	TARGET_ABSENT = 10, /* a host of a range that does not answer */
	TARGET_STATES
};

#define STORE_TARGETS_LIVE                                                                         \
	(1u << TARGET_READY | 1u << TARGET_WORKING | 1u << TARGET_LOOKING | 1u << TARGET_JOINED |      \
		1u << TARGET_WAITING)
#define STORE_TARGETS_ALL ((1u << TARGET_STATES) - 1)

/* Texts are never NULL once they were read. */
struct store_install {
	int64_t seq;
	char id[STORE_INSTALL_ID_SIZE];
	char *location, *action, *hosts, *user;
	int64_t port, parallel;
	enum store_install_state state;
	bool by_command;
	char connector[IDENTITY_ID_SIZE]; /* "": none */
	char *connector_name;             /* as its row says; not written */
	char *reason, *created_by;
	int64_t created, finished;
	int64_t counts[TARGET_STATES]; /* of its rows; not written */
};

/* Texts are never NULL once they were read; writing, NULL keeps what is stored. */
struct store_target {
	int64_t seq, install_seq;
	char install[STORE_INSTALL_ID_SIZE];
	char *location, *action;  /* of the install */
	char *host, *user, *name; /* never changed */
	int64_t port;             /* likewise */
	bool from_range;          /* likewise */
	enum store_target_state state;
	bool confirmed;
	char *stage, *outcome, *sentence, *remedy, *evidence, *host_key, *facts;
	char server[IDENTITY_ID_SIZE]; /* "": none */
	int64_t sent, total;           /* -1: not yet */
	int64_t updated;
};

struct store_install_query {
	const char *location; /* NULL: any */
	unsigned states;      /* bits: 1u << enum store_install_state */
	int limit;
	int64_t before; /* rows with a smaller seq; 0: from the newest on */
};

/* The newest first. */
struct store_install_page {
	struct store_install *rows;
	size_t count;
	int64_t next; /* `before` of the next page; 0 on the last one */
};

struct store_target_query {
	int64_t install;      /* seq of it, in the order of states; 0: those that are missing */
	const char *location; /* of those that are missing; NULL: any */
	unsigned states;      /* of an install's: bits 1u << enum store_target_state */
	int limit;
	int64_t after; /* next of the page before; 0: the first page */
};

struct store_target_page {
	struct store_target *rows;
	size_t count;
	int64_t next; /* 0 on the last page */
};

struct store_installs_ops {
	/* The targets are borrowed; all get their seq. */
	enum store_status (*add)(struct store *store, struct store_install *install,
		struct store_target *targets, size_t count, struct err *err);
	enum store_status (*find)(
		struct store *store, const char *id, struct store_install *install, struct err *err);
	enum store_status (*list)(struct store *store, const struct store_install_query *query,
		struct store_install_page *page, struct err *err);
	/* State, connector, reason and finished; with a final state the tokens go that were made for
	 * its targets and were not used. */
	enum store_status (*change)(
		struct store *store, const struct store_install *install, struct err *err);
	/* Removes what ended before that time, and the oldest beyond `keep`. */
	enum store_status (*prune)(struct store *store, int64_t before, int64_t keep, struct err *err);

	enum store_status (*targets)(struct store *store, const struct store_target_query *query,
		struct store_target_page *page, struct err *err);
	enum store_status (*target)(
		struct store *store, int64_t seq, struct store_target *target, struct err *err);
	enum store_status (*target_change)(
		struct store *store, const struct store_target *target, struct err *err);
	/* It is no longer expected. */
	enum store_status (*forget)(struct store *store, int64_t seq, struct err *err);
	/* The tokens that were made for the target and not used are good for nothing any more. */
	enum store_status (*drop_tokens)(struct store *store, int64_t target, struct err *err);
};

void store_install_free(struct store_install *install);
void store_install_page_free(struct store_install_page *page);
void store_target_free(struct store_target *target);
void store_target_page_free(struct store_target_page *page);

#endif
