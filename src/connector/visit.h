/*
 * One walk to one target, in one thread. Private to connector/.
 *
 * visit_walk() runs the steps of a table, in the order of enum install_stage; a step says what it
 * found in the visit, and passes or fills the ending, which ends the walk. `look` leaves nothing
 * behind. In `go` a held script on the target keeps the staging folder: it removes it when it is
 * told to, when it is killed, or when this connector has been gone for a while; a visit of the same
 * install that comes in time goes on where the last one broke off.
 */
#ifndef CONNECTOR_VISIT_H
#define CONNECTOR_VISIT_H

#include "connector/facts.h"
#include "connector/payload.h"
#include "connector/plan.h"

#define EVENT_MAX_TEXT 900 /* bytes of a sentence */

enum visit_phase { VISIT_LOOK, VISIT_GO };

enum visit_state {
	VISIT_WAITING,
	VISIT_LOOKING,
	VISIT_READY,
	VISIT_WORKING,
	VISIT_JOINED, /* with it the engine is done; what follows is final */
	VISIT_KEPT,
	VISIT_REMOVED,
	VISIT_ABSENT,
	VISIT_FAILED,
	VISIT_CANCELLED,
};

enum visit_key { VISIT_KEY_UNSEEN, VISIT_KEY_NEW, VISIT_KEY_KNOWN, VISIT_KEY_CHANGED };

/* What is known of a target; kept from one walk to the next. */
struct visit {
	const struct plan *plan; /* borrowed, as all of these */
	const struct plan_target *target;
	const struct logins *logins;
	struct payload *payloads; /* by the plan's rows */
	const char *root;
	const struct cancel *cancel;
	/* Told when something a person would see has changed; on the walking thread. */
	void (*on_change)(void *data, const struct visit *visit);
	void *data;

	enum visit_phase phase;
	char confirmed[PLAN_MAX_KEY + 1]; /* the key that a person confirmed; "": none */
	char *token;                      /* owned; wiped when it was used; NULL: none */

	enum visit_state state;
	enum install_stage stage;
	struct channel_key key;
	enum visit_key key_state;
	struct facts facts;
	const struct plan_portable *portable;
	struct payload *payload;
	int64_t sent, total; /* bytes of the file; total 0: not yet */
	char server[33];     /* as the agent there says it; "": unknown */
	struct ending ending;

	/* While it walks. */
	struct login login;
	struct shell shell;
	char folder[128]; /* where the agent is staged; "": nowhere */
	int64_t have;     /* bytes that an earlier visit left there */
	bool packed;      /* it goes compressed */
	bool placed;      /* the agent is in the folder, verified */
	int64_t told_us;  /* when progress was told last */
	char result[16];  /* what setup said at last */
	bool gone;        /* after a removal: no program is left */
};

void visit_walk(struct visit *visit);
/* The event of where it stands, whole; new reference. Never holds what a login holds. */
json_t *visit_event(const struct visit *visit);
const char *visit_state_name(enum visit_state state);
void visit_free(struct visit *visit);

/* Steps, each in a file of its own: 0, or -1 with visit->ending. */
int visit_reach(struct visit *visit);       /* resolve, connect, ssh, host-key, authenticate */
int visit_see_system(struct visit *visit);  /* system */
int visit_become_root(struct visit *visit); /* privilege */
int visit_see_space(struct visit *visit);   /* space; existing */
int visit_stage_file(struct visit *visit);  /* copy */
int visit_check_way(struct visit *visit);   /* way */
int visit_set_up(struct visit *visit);      /* setup */
void visit_leave(struct visit *visit);      /* removes the staging folder, closes the channel */

/* What a target says: of its folder, of its own check, of setup (a buffer of lines, which are
 * consumed). */
int visit_take_folder(struct visit *visit, const char *output);
int visit_judge_check(struct visit *visit, const struct channel_run *run);
void visit_take_setup(void *visit, struct buf *output);

/* The next stage has begun. */
void visit_at(struct visit *visit, enum install_stage stage);

#endif
