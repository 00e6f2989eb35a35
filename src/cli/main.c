/* `sallyport`: the program on every machine. */
#include "cli/commands.h"

#include <stddef.h>
#include <sys/resource.h>

static const struct cli_command *const commands[] = {&command_check, &command_explain,
	&command_profiles, &command_join, &command_agent, &command_status, &command_logs,
	&command_leave, NULL};

static const struct cli_option files[] = {
	{"/etc/sallyport/proxy.env", NULL,
		"proxy settings of this machine, lines of NAME=value; read before every attempt"},
	{"/var/lib/sallyport/", NULL,
		"identity.json (the key of this machine and its hub), status.json, check.json; for root "
		"alone"},
	{"/var/log/sallyport/connector.log", NULL,
		"what the service did and met; rotated at 1 MiB, five old ones kept; may be copied at any "
		"time "
		"and holds no secret"},
	{0},
};

static const struct cli_option environment[] = {
	{"HTTPS_PROXY", NULL,
		"the proxy, as HOST:PORT, http://HOST:PORT or https://HOST:PORT; the letter case of these "
		"names "
		"does not matter"},
	{"HTTPS_PROXY_USERNAME, HTTPS_PROXY_PASSWORD", NULL, "credentials for the proxy (Basic)"},
	{"NO_PROXY", NULL, "names, suffixes, addresses and networks that are reached directly"},
	{"NO_COLOR", NULL, "no colour, also on a terminal"},
	{0},
};

static const struct cli_section sections[] = {
	{"FILES", files},
	{"ENVIRONMENT", environment},
	{0},
};

static const struct cli_program program = {
	.name = "sallyport",
	.summary = "the way out of a closed network, and its diagnosis",
	.description =
		"Keeps this machine in touch with its hub through whatever the network allows, "
		"outbound on port 443 and through a proxy, and tells what is in the way when it cannot.",
	.sections = sections,
	.commands = commands,
};

int main(int argc, char **argv)
{
	/* A core file would hold the machine's key and the proxy's password. */
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	return cli_main(&program, argc, argv);
}
