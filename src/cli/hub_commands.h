/*
 * The commands of sallyport-hub, a file each.
 */
#ifndef CLI_HUB_COMMANDS_H
#define CLI_HUB_COMMANDS_H

#include "cli/cli.h"
#include "hub/settings.h"

extern const struct cli_command hub_serve_command, hub_token_command, hub_user_command;
extern const struct cli_command hub_key_command;
extern const struct cli_command hub_config_command, hub_backup_command, hub_restore_command;

/* Reads hub.yaml, or the file that was named; every mistake is printed. -1 after any. */
int hub_config_read(struct settings *settings, const char *root, const char *file);

#endif
