/*
 * One attempt of a run, watched by a process of its own that outlives the agent.
 *
 * The agent starts it again from this program (`sallyport supervise RUN`, which no help mentions).
 * It takes the run's lock, writes "running" into the journal, starts the script, keeps its output,
 * ends it when its time is over or the hub wants it, and writes how it ended. It says "look" to the
 * agent through the FIFO `news`, and looks itself when it hears something in `call`.
 *
 * Any number of supervisors may be started for a run at any time: only the one that finds the lock
 * free and the state "delivered" does anything.
 */
#ifndef AGENT_SUPERVISOR_H
#define AGENT_SUPERVISOR_H

#include "agent/paths.h"

#include <stdbool.h>
#include <stdint.h>

#define SUPERVISE_COMMAND "supervise"

/* Between SIGTERM and SIGKILL, 10000; tests compress time. */
extern int64_t supervise_grace_ms;

/* argv as main() got it. True when it asked for a supervisor, which has then done its work or was
 * let go into a session of its own, and *code is what main() returns. */
bool supervise_main(int argc, char **argv, int *code);

#endif
