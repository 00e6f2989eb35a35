/*
 * The commands of sallyport-hub, a file each.
 */
#ifndef CLI_HUB_COMMANDS_H
#define CLI_HUB_COMMANDS_H

#include "cli/cli.h"

extern const struct cli_command hub_serve_command, hub_token_command, hub_user_command;

#endif
