/*
 * `sallyport connector-worker [--root=DIR]`: one install of a connector, in a process of its own.
 *
 * Started by the agent (agent/installs/installs.h), never by a person. It speaks the messages of
 * wire/messages.def as JSON-RPC notifications, one a line: install.start, install.go and
 * install.end on its input; install.event and, as its last word, install.over on its output.
 * Credentials come sealed and are opened here, in a process that leaves no core and that nobody may
 * trace.
 */
#ifndef CLI_CONNECTOR_WORKER_H
#define CLI_CONNECTOR_WORKER_H

#include <stdbool.h>

/* argv as main() got it. True when it asked for a worker, which has then ended, and *code is what
 * main() returns. */
bool connector_worker_main(int argc, char **argv, int *code);

#endif
