#include "cli/hub_commands.h"

#include <sodium.h>
#include <stdio.h>
#include <sys/resource.h>

static const struct cli_command *const commands[] = {&hub_serve_command, &hub_token_command,
	&hub_user_command, &hub_key_command, &hub_config_command, &hub_backup_command,
	&hub_restore_command, NULL};

static const struct cli_option files[] = {
	{SETTINGS_FILE, NULL, "the settings: every option of `serve` as a key; see `config`"},
	{"/var/lib/sallyport-hub/hub.db", NULL,
		"the database (SQLite): administrators, tokens and cookies as hashes, the servers"},
	{"/var/lib/sallyport-hub/identity.key", NULL,
		"the identity key that every machine has pinned: back it up"},
	{"/var/lib/sallyport-hub/ca.pem, ca.key, server.pem, server.key", NULL,
		"the hub's own CA and its certificate, unless --cert and --key are given"},
	{0},
};

static const struct cli_option exit_status[] = {
	{"0", NULL, "it worked; `serve`: it was asked to end"},
	{"1", NULL, "it failed; the message says why and how to mend it"},
	{"2", NULL, "the command line or the settings file is wrong"},
	{0},
};

static const struct cli_section sections[] = {
	{"FILES", files},
	{"EXIT STATUS", exit_status},
	{0},
};

static const struct cli_program program = {
	.name = "sallyport-hub",
	.summary = "the control plane: console, API and the machines' sessions on one TLS port",
	.description =
		"Machines in closed networks reach it outbound on one port; administrators see them "
		"in its console. It needs no other program and keeps everything in one folder.",
	.sections = sections,
	.commands = commands,
};

int main(int argc, char **argv)
{
	/* A core file would hold the hub's keys. */
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	if (sodium_init() < 0) {
		fputs("sallyport-hub: no randomness to be had from this system\n", stderr);
		return 1;
	}
	return cli_main(&program, argc, argv);
}
