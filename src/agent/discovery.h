/*
 * The discovery endpoint, asked by a service that cannot have its session (rows S6, S13).
 *
 * Where the hub's roles are comes with every welcome; only when the session's endpoint fails does
 * the service ask for it again: at the first failure, and then ever so often. Nothing is asked
 * where discovery is at the same place as the session, for that has failed already.
 */
#ifndef AGENT_DISCOVERY_H
#define AGENT_DISCOVERY_H

#include "agent/log.h"
#include "agent/way.h"

#define DISCOVERY_EVERY 8 /* failures */

struct discovery {
	unsigned failures; /* of the session's endpoint, in a row */
	char *told;        /* owned; what the log says of it, NULL while it answers */
};

/* A walk to the session has failed for this cause. Tells the log what discovery says, or why it
 * cannot be asked. True when the session is elsewhere now, which the state then says. */
bool discovery_ask(struct discovery *discovery, const struct agent_paths *paths,
	struct agent_state *state, struct way *way, enum cause cause, struct agent_log *log);
/* What a welcome said of the endpoints; NULL: nothing. */
void discovery_follow(struct discovery *discovery, const struct agent_paths *paths,
	struct agent_state *state, const json_t *endpoints, struct agent_log *log);
void discovery_free(struct discovery *discovery);

#endif
