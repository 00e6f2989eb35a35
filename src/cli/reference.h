/*
 * What is generated from a program's table of commands: shell completion and the manual page. The
 * commands `completion SHELL` and `manual` of both programs print them.
 */
#ifndef CLI_REFERENCE_H
#define CLI_REFERENCE_H

#include "cli/cli.h"

extern const struct cli_option cli_root_option; /* --root, which every command has */

int cli_print_completion(const struct cli_program *program, const char *shell);
int cli_print_manual(const struct cli_program *program);

#endif
