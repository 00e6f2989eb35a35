/* What the files of `sallyport logs` share: one a verb. */
#ifndef CLI_LOGS_H
#define CLI_LOGS_H

#include "agent/paths.h"
#include "cli/cli.h"

enum { LOGS_FOLLOW, LOGS_ID };

/* logs_bundle.c: makes a support bundle, and saves it or sends it. */
int logs_bundle(const struct cli_args *args, const struct agent_paths *paths);
int logs_send(const struct cli_args *args, const struct agent_paths *paths);

#endif
