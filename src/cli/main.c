/* `sallyport`: the program on every machine. */
#include "agent/runs/supervisor.h"
#include "cli/commands.h"
#include "cli/connector_worker.h"

#include <stddef.h>
#include <sys/resource.h>

static const struct cli_command *const commands[] = {&command_check, &command_explain,
	&command_profiles, &command_join, &command_agent, &command_status, &command_logs,
	&command_leave, &command_setup, &command_install, NULL};

static const struct cli_option files[] = {
	{"/etc/sallyport/proxy.env", NULL,
		"proxy settings of this machine, lines of NAME=value; read before every attempt"},
	{"/var/lib/sallyport/", NULL,
		"identity.json (the key of this machine and its hub), endpoints.json, status.json, "
		"check.json, runs/ (jobs that the hub has not confirmed the end of); for root "
		"alone"},
	{"/var/log/sallyport/connector.log", NULL,
		"what the service did and met; rotated at 1 MiB, five old ones kept; may be copied at any "
		"time "
		"and holds no secret"},
	{0},
};

static const struct cli_option environment[] = {
	{"HTTPS_PROXY", NULL,
		"the proxy, as HOST:PORT, http://HOST:PORT or https://HOST:PORT. These names match in any "
		"letter case; where spellings differ in value, all-lowercase wins, then all-uppercase. The "
		"environment wins over proxy.env, and HTTPS_PROXY over ALL_PROXY; `check` tells which "
		"value "
		"won"},
	{"HTTPS_PROXY_USERNAME, HTTPS_PROXY_PASSWORD", NULL,
		"credentials for the proxy (Basic), as they are; they win over those in the URL, which are "
		"percent-decoded"},
	{"NO_PROXY", NULL,
		"what is reached directly, separated by commas: example.com (the name and all below it), "
		".example.com (all below it), an address, a network as 10.0.0.0/8, or *; each may end in "
		":PORT"},
	{"NO_COLOR", NULL, "no colour, also on a terminal"},
	{0},
};

static const struct cli_option exit_status[] = {
	{"0", NULL, "it worked; `check`: everything passed; `status`: online"},
	{"1", NULL, "it failed, and the cause was named; `status`: not online"},
	{"2", NULL, "the command line or the profile is wrong; the message says where"},
	{"3", NULL, "`check`: nothing failed, but something could not be determined"},
	{"4", NULL, "`check`: warnings only"},
	{0},
};

static const struct cli_section sections[] = {
	{"FILES", files},
	{"ENVIRONMENT", environment},
	{"EXIT STATUS", exit_status},
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
	int code;
	if (supervise_main(argc, argv, &code) || connector_worker_main(argc, argv, &code))
		return code;
	return cli_main(&program, argc, argv);
}
