/*
 * The way to the hub from this machine: proxy settings and target of a walk, the same for the
 * service, `join`, `leave` and uploads.
 */
#ifndef AGENT_WAY_H
#define AGENT_WAY_H

#include "agent/state.h"
#include "dial/dial.h"

struct way {
	const char *root; /* borrowed; may be NULL */
	const struct agent_state
		*state; /* borrowed: who comes back; its key only when `token` is set */
	/* Borrowed: random for the life of the service; NULL for a program that only passes by. */
	const unsigned char *instance;
	const struct join_token *token;                 /* borrowed: to enrol; NULL: come back */
	json_t *inventory;                              /* borrowed; may be NULL */
	const struct cancel *cancel;                    /* borrowed; may be NULL */
	void (*on_stage)(void *data, enum stage stage); /* may be NULL */
	void *on_stage_data;
	struct proxy_settings proxy; /* owned: filled by way_walk() */
};

/* Opens a session, or joins. As dial_walk(); a proxy setting that cannot be used is the walk's
 * failure as well. Where a hub proves itself but has its sessions elsewhere, it goes on to there.
 */
int way_walk(struct way *way, struct walk *walk);
/* The hub's own proof at one of its endpoints, over a plain request; with `stay` the connection
 * stays open for more of them (dial/request.h). *target says where it went; it borrows the state.
 */
int way_prove(
	struct way *way, enum endpoint role, bool stay, struct dial_target *target, struct walk *walk);
void way_free(struct way *way);

#endif
