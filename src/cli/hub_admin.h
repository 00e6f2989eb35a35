/*
 * What the commands that work on the hub's database have in common: an action by its name, who sits
 * at the command line, times as 30m, 24h or 7d.
 */
#ifndef CLI_HUB_ADMIN_H
#define CLI_HUB_ADMIN_H

#include "cli/cli.h"
#include "hub/audit.h"
#include "store/store.h"

struct hub_action {
	const char *name;
	int operands; /* with the name itself */
	bool make;    /* the database, when it is not there yet */
	int (*run)(struct store *store, const struct cli_args *args);
};

/* Runs the action that the first operand names, on the open database; the exit code. `missing` says
 * what is when there are too few operands, `names` which actions there are. */
int hub_admin_run(const struct cli_args *args, const struct hub_action *actions, size_t count,
	const char *missing, const char *names);
/* Prints the sentence and returns 1. */
int hub_admin_failed(const struct err *err);
/* The account of whoever typed the command, with every permission. Borrowed by nobody: the caller
 * calls access_forget(). */
struct actor hub_admin_actor(void);
/* Notes in the audit trail what was done; says so when that fails. */
void hub_admin_note(struct store *store, const struct actor *actor, enum audit_action action,
	const char *target, const char *detail);
/* Seconds of "90s", "30m", "24h" or "7d", at most `most`; -1 when it is none of them. */
int64_t hub_admin_duration(const char *text, int64_t most);

#endif
