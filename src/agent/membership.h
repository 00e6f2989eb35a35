/*
 * Belonging to a hub: joining it with a token, and leaving it.
 *
 * For programs that do one thing and go; a running service is nudged and follows. The walk is the
 * caller's to free, also after a failure: where its failure has a cause, that is why, else err
 * says so, with errno where that is a file's (walk->cancelled: it was called off).
 */
#ifndef AGENT_MEMBERSHIP_H
#define AGENT_MEMBERSHIP_H

#include "agent/inventory.h"
#include "agent/state.h"
#include "dial/dial.h"

struct joining {
	const char *root; /* borrowed, as all of these; may be NULL */
	const struct agent_paths *paths;
	const struct join_token *token;
	const char *location;                           /* may be NULL */
	inventory_profiles *profiles;                   /* may be NULL */
	const struct cancel *cancel;                    /* may be NULL */
	void (*on_stage)(void *data, enum stage stage); /* may be NULL */
	void *on_stage_data;
};

/* Makes a key, proves beforehand that the disk can keep it, enrols and keeps it; an identity that
 * is there is replaced. The state is filled also after a failure: state_wipe() it. A hub that has
 * enrolled a machine which cannot keep its key is told to forget it again. */
int membership_join(
	const struct joining *joining, struct agent_state *state, struct walk *walk, struct err *err);

/* Tells the hub; what is kept here stays, for state_remove(). 0 also when the hub had removed this
 * machine already: walk->failure.cause is CAUSE_AGENT_REVOKED then. */
int membership_leave(const char *root, const struct agent_state *state, const struct cancel *cancel,
	struct walk *walk, struct err *err);

#endif
