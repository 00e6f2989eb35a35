#include "cli/hub_commands.h"

#include <sodium.h>
#include <stdio.h>

static const struct cli_command *const commands[] = {
	&hub_serve_command, &hub_token_command, &hub_user_command, NULL};

static const struct cli_program program = {
	.name = "sallyport-hub",
	.summary = "the control plane: console, API and the machines' sessions on one TLS port",
	.commands = commands,
};

int main(int argc, char **argv)
{
	if (sodium_init() < 0) {
		fputs("sallyport-hub: no randomness to be had from this system\n", stderr);
		return 1;
	}
	return cli_main(&program, argc, argv);
}
