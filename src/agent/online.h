/*
 * Being online: keeps one session open until it ends, and sends what the hub wants to know.
 *
 * It sleeps in poll(2) until the next heartbeat, its answer or a message: at rest two wake-ups a
 * heartbeat. Chores (inventory, a status that could not be written) are done when a heartbeat was
 * answered, so that they cost no wake-up of their own.
 */
#ifndef AGENT_ONLINE_H
#define AGENT_ONLINE_H

#include "agent/support/follow.h"
#include "agent/installs/installs.h"
#include "agent/inventory.h"
#include "agent/link.h"
#include "agent/log.h"
#include "agent/rhythm.h"
#include "agent/runner.h"
#include "agent/runs/runs.h"
#include "agent/support/sender.h"
#include "agent/session.h"
#include "agent/status.h"

struct online {
	/* filled by the caller, borrowed */
	const struct agent_paths *paths;
	struct agent_log *log;
	struct status *status;
	const struct cancel *interrupt;
	struct inventory_source inventory;
	struct runner *runner;              /* of the checks; outlives this */
	struct runs *runs;                  /* of jobs; outlives this */
	struct sender *sender;              /* of the support bundle; outlives this */
	struct installs *installs;          /* of a connector; outlives this */
	struct rhythm *rhythm;              /* what the way has taught; outlives this */
	const struct session_params *asked; /* what the hub asks for; the rhythm may shorten it */

	/* its own */
	struct session session;
	struct link link;
	struct follow follow;
	unsigned char digest[INVENTORY_DIGEST_BYTES]; /* of the inventory that the hub has */
	int64_t inventory_us;                         /* when it was last read */
	struct {
		json_t *report; /* owned; NULL: none is held */
		struct runner_job job;
		struct deadline deadline;
	} held;      /* a report that waits for the hub's outside view */
	bool direct; /* no proxy is between */
};

enum online_end {
	ONLINE_LOST,        /* session.over says why */
	ONLINE_INTERRUPTED, /* by `interrupt`; the hub was told goodbye */
};

/* Takes connection and frames out of the walk. `previous` is sent with the path; a new reference
 * that it takes, NULL for none. */
void online_begin(struct online *online, struct walk *walk, const json_t *inventory,
	json_t *previous, int64_t agent_started_us);
enum online_end online_run(struct online *online);
/* How a session that was lost ended, for the rhythm. */
void online_facts(const struct online *online, struct rhythm_end *end);
void online_free(struct online *online);

#endif
