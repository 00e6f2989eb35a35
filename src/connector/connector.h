/*
 * Putting the agent on neighbours, and taking it off (rows R11, R12, S3, S4).
 *
 * A plan and credentials go in, events come out. Every target is walked in two phases: `look`
 * leaves nothing behind and ends `ready`, where a person may confirm its host key; `go` copies the
 * agent, lets it check the target's own way to the hub, and sets it up there. Targets are walked
 * side by side in threads of the engine, as many as the plan allows; everything here is called by
 * one thread, the owner, and nothing here waits.
 *
 * Order of calls: connector_new(), then whenever connector_fd() is readable connector_next() until
 * it has nothing; connector_go() for targets that are ready; connector_free() at last, which ends
 * what is under way (the targets take it back) and wipes the credentials.
 *
 * The engine knows no hub: tokens, confirmed keys and files come from its owner. An event of state
 * `joined` is the last that the engine has to say of a target; only the hub knows whether it is
 * online.
 *
 * Nothing secret is in a plan, an event or an error.
 */
#ifndef CONNECTOR_CONNECTOR_H
#define CONNECTOR_CONNECTOR_H

#include "base/err.h"
#include "connector/logins.h"

#include <jansson.h>
#include <stdbool.h>

#define CONNECTOR_MAX_TARGETS 1024
#define CONNECTOR_PARALLEL    16
#define CONNECTOR_MAX_AT_ONCE 64

struct connector;

/* What the engine asks of its owner, on threads of its own. */
struct connector_hooks {
	/* The file of the agent for an architecture, by the plan's row of `portable`: its path on this
	 * machine, owned by the caller, or NULL with err. May block; asked once an architecture, when
	 * the first target needs it. */
	char *(*fetch)(void *data, const char *arch, const json_t *row, struct err *err);
	void *data;
	const char *root; /* --root, for resolv.conf and hosts; borrowed; may be NULL */
};

/*
 * The plan is the params of install.start (wire/messages.def): install, action, targets, portable,
 * hub, parallel. Takes the logins, also when it fails; copies the hooks. NULL with err when the
 * plan is none.
 */
struct connector *connector_new(const json_t *plan, struct logins *logins,
	const struct connector_hooks *hooks, struct err *err);
int connector_fd(const struct connector *connector);
/* The next event: {install, target, event}, the params of install.event. One reference, owned by
 * the caller; NULL when there is none now. */
json_t *connector_next(struct connector *connector);
/* Goes on with a target that is ready. The key's fingerprint must be one of the plan's or the one
 * that its event showed. The token is copied, and wiped when it was used. -1 with err when there is
 * no such target or it is not ready. */
int connector_go(struct connector *connector, const char *target, const char *host_key,
	const char *token, struct err *err);
/* Ends one target, or all (NULL); each that was not final says `cancelled`. */
void connector_cancel(struct connector *connector, const char *target);
/* True when no thread works, no event waits and no target is to be looked at: all are ready, joined
 * or final. `ready` (may be NULL): how many of them wait for connector_go(). */
bool connector_settled(const struct connector *connector, size_t *ready);
void connector_free(struct connector *connector); /* NULL is allowed */

#endif
