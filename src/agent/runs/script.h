/*
 * The script of a run as a process: its user, its environment, its interpreter.
 *
 *     script_prepare() script_start() ... script_remove()
 *
 * The script is written to a file of its own below /run/sallyport, readable for its user alone, and
 * given to the interpreter by name: that works for every interpreter and on a file system mounted
 * noexec. The environment is made from nothing: PATH, HOME, USER, LOGNAME, LANG, what the job says,
 * and SALLYPORT_RUN, SALLYPORT_ATTEMPT, SALLYPORT_REBOOTS. Values never reach an argument list.
 */
#ifndef AGENT_SCRIPT_H
#define AGENT_SCRIPT_H

#include "agent/runs/journal.h"

#include <sys/types.h>

struct script {
	uid_t uid;
	gid_t gid;
	char *user, *home; /* owned, as all texts here */
	char *folder, *file;
	char *interpreter;
	const char *cwd; /* borrowed from the job; NULL: home, or / */
	char **argv, **envp;
};

/* -1 when it can never be started here: err says why, for people. */
int script_prepare(struct script *script, const struct agent_paths *paths, const struct job *job,
	const struct run_state *state, struct err *err);
/* Starts it as the leader of a session of its own, /dev/null as its input and `output` as both of
 * its outputs; it dies with the process that calls this. -1 when it did not start. */
pid_t script_start(const struct script *script, int output, struct err *err);
void script_remove(struct script *script); /* its file, and frees */
/* The line that every process of a run has in its environment; owned by the caller. */
char *script_mark(const char *run);

#endif
