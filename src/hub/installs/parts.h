/*
 * What the files about installs share. Private to hub/installs.
 *
 * installs.c keeps them and moves their targets; work.c has connectors work and hands over from one
 * to another; go.c is about what a person confirms; said.c takes what connectors say; flush.c
 * writes, confirms and tells; time.c ends what waited for too long.
 */
#ifndef HUB_INSTALLS_PARTS_H
#define HUB_INSTALLS_PARTS_H

#include "diagnosis/outcomes.h"
#include "hub/installs/installs.h"
#include "wire/messages.h"

#include <sys/queue.h>

#define PRINT_SIZE 101 /* of a fingerprint, and NUL */

/* What is confirmed once the target is in the store like this. */
struct installs_owed {
	struct installs_owed *next;
	struct jobs_receipt receipt;
};

struct installs_target {
	struct store_target row; /* owned; host, user, name, location always, other texts until they
							  * are written */
	struct installs_one *install;
	char print[PRINT_SIZE]; /* of the host key that it showed; "": none yet */
	bool known;             /* somebody confirmed that one */
	bool gone;              /* install.go went out to this worker */
	int64_t late_until;     /* it never appeared in time, and still may; 0: no longer */
	int64_t joined;         /* when */
	unsigned stage;         /* the furthest one */
	struct installs_owed *owed;
	bool dirty;
	TAILQ_ENTRY(installs_target) of_dirty;
};

/* Sealed credentials for one connector. */
struct installs_box {
	char server[IDENTITY_ID_SIZE];
	char *text; /* owned; wiped when it goes */
	bool spent; /* its worker ended before its time */
};

struct installs_one {
	struct store_install row;        /* owned */
	struct installs_target *targets; /* owned; in the order of seq */
	size_t count;
	size_t joined;              /* targets that wait to be seen */
	struct installs_box *boxes; /* owned */
	size_t box_count;
	uint64_t session, instance; /* of the connector, when it was last asked */
	int64_t ask, go_ask;        /* ids of requests on their way; 0: none */
	int64_t ask_at_ms;          /* asked again then; 0: no need */
	int64_t away_ms;            /* since when the connector is; 0: it is not */
	int64_t heard_ms;           /* of a command */
	int64_t boxes_ms;           /* since when there are boxes */
	int64_t cancel_ms;          /* when it was asked for; 0: it was not */
	int moves;
	struct installs_owed *owed; /* of install.over */
	int64_t told_ms;
	int64_t changed[INSTALLS_EVENT_ROWS];
	size_t changed_count;
	bool changed_more;
	bool cancel, dirty, event;
	bool go_due; /* something confirmed became ready */
	TAILQ_ENTRY(installs_one) of_all;
};

struct installs {
	struct store *store;
	struct installs_hooks hooks;
	TAILQ_HEAD(, installs_one) all;
	TAILQ_HEAD(, installs_target) dirty;
	int64_t prune_ms;
};

/* installs.c */
bool installs_target_is_live(enum store_target_state state);
struct installs_one *installs_find(const struct installs *installs, const char *id);
struct installs_target *installs_find_target(const struct installs_one *one, int64_t seq);
/* False when the table does not allow it: nothing has changed then. */
bool installs_move(struct installs *installs, struct installs_target *target,
	enum store_target_state state, int64_t now);
/* Ends it for a reason of the hub's own; `why` becomes evidence, NULL: none. */
void installs_fail(struct installs *installs, struct installs_target *target, enum outcome outcome,
	const char *why, int64_t now);
/* All targets that are not final and that nobody has yet joined. */
void installs_fail_rest(struct installs *installs, struct installs_one *one, enum outcome outcome,
	const char *why, int64_t now);
/* The rows are to be written. */
void installs_touch(struct installs *installs, struct installs_target *target, int64_t now);
void installs_touch_one(struct installs *installs, struct installs_one *one);
void installs_set_text(char **text, const char *value);
void installs_drop_boxes(struct installs_one *one);
void installs_drop_one(struct installs *installs, struct installs_one *one);
/* The state that follows from its targets' states. */
enum store_install_state installs_state(const struct installs_one *one);
/* The session of the server that the target became is up, or was just now. */
void installs_look_online(struct installs *installs, struct installs_target *target, int64_t now);

/* work.c */
struct installs_box *installs_choose(
	struct installs *installs, struct installs_one *one, uint64_t *session, uint64_t *instance);
/* Has its connector look at all that is not final. */
void installs_begin(struct installs *installs, struct installs_one *one, int64_t now);
/* Sends install.go for what may go. */
void installs_send_go(struct installs *installs, struct installs_one *one);
/* [{id, host_key, token}] for what may go and has not, or for those of `only`; NULL when the store
 * does not take the tokens. */
json_t *installs_make_tokens(
	struct installs *installs, struct installs_one *one, const json_t *only, struct err *err);
void installs_wipe_tokens(json_t *tokens); /* takes the reference */
void installs_ask_again(struct installs *installs, struct installs_one *one);
void installs_send_end(struct installs *installs, struct installs_one *one);
/* Its connector does no more: another one begins anew, or it ends. */
void installs_hand_over(
	struct installs *installs, struct installs_one *one, const char *why, int64_t now);

#endif
