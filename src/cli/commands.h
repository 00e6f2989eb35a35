/* The commands of `sallyport`, one a file: cmd_NAME.c. main.c puts them into its table. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct cli_command command_check;
extern const struct cli_command command_explain;
extern const struct cli_command command_profiles;
extern const struct cli_command command_join;
extern const struct cli_command command_agent;
extern const struct cli_command command_status;
extern const struct cli_command command_leave;
extern const struct cli_command command_logs;
extern const struct cli_command command_setup;
extern const struct cli_command command_install;

#endif
