/*
 * status.json: what the service last said of itself, for `sallyport status` and for scripts.
 *
 * Written in one step, and only when something in it changed. A status that cannot be written (a
 * full disk) is removed instead, so that an old one does not lie, and written later by
 * status_retry().
 */
#ifndef AGENT_STATUS_H
#define AGENT_STATUS_H

#include "agent/paths.h"
#include "agent/session.h"
#include "agent/state.h"
#include "diagnosis/finding.h"
#include "dial/dial.h"

#include <time.h>

#define STATUS_SCHEMA "sallyport.status/1"

enum status_kind {
	STATUS_STARTING,
	STATUS_ONLINE,
	STATUS_OFFLINE,
	STATUS_REVOKED,
	STATUS_STOPPED,
};

struct status {
	const struct agent_paths *paths; /* borrowed */
	enum status_kind kind;
	time_t since;    /* when the kind changed */
	char *unwritten; /* owned; the text that could not be written, NULL when all is on the disk */
};

void status_init(struct status *status, const struct agent_paths *paths);
/* finding: why, NULL for none; walk: the last one, NULL for none. -1 when it cannot be written. */
int status_set(struct status *status, enum status_kind kind, const struct agent_state *state,
	const struct session_params *params, const struct finding *finding, const struct walk *walk,
	struct err *err);
/* Writes what could not be written; 1 when it now was. */
int status_retry(struct status *status);
void status_free(struct status *status);

/* The object of status.json, a new reference, or NULL with err. errno is ENOENT when there is none.
 */
json_t *status_load(const struct agent_paths *paths, struct err *err);
/* The parameters of the last welcome as the last status kept them; -1 when there are none. */
int status_load_params(const struct agent_paths *paths, struct session_params *params);

#endif
