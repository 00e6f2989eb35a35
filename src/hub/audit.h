/*
 * The audit trail: who did what, from where, and whether he was let in.
 *
 * audit_note() after the change has been stored and before it is answered; the row is durable when
 * it returns. It never gets a secret: no password, token, key, script or value of a variable.
 */
#ifndef HUB_AUDIT_H
#define HUB_AUDIT_H

#include "base/err.h"
#include "hub/api/access.h"

#include <stdbool.h>

#define AUDIT_MAX_TEXT 400 /* bytes of target and detail; longer ones are cut */

enum audit_action {
#define AUDIT(symbol, name, refused, about) AUDIT_##symbol,
#include "hub/audit.def"
#undef AUDIT
	AUDIT_ACTIONS
};

struct hub;
struct store;

/* `detail` may be NULL. A store that fails is told as for every other call: the log, /readyz. */
void audit_note(struct hub *hub, const struct actor *actor, enum audit_action action,
	const char *target, const char *detail);
/* The same for the commands beside a running hub; 0 or -1. */
int audit_store(struct store *store, const struct actor *actor, enum audit_action action,
	const char *target, const char *detail, struct err *err);
const char *audit_name(enum audit_action action);

#endif
