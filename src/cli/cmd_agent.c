/* `sallyport agent`: the service. */
#include "agent/agent.h"
#include "cli/address_origins.h"
#include "cli/commands.h"
#include "cli/profile_names.h"

#include <stddef.h>

enum { OPTION_VERBOSE, OPTION_REBOOT_WITH };

static const struct cli_option options[] = {
	[OPTION_VERBOSE] = {"verbose", NULL, "write the log to standard error as well"},
	[OPTION_REBOOT_WITH] = {"reboot-with", "PROGRAM",
		"restarts the machine when a job asks for it (default: systemctl reboot, or reboot)"},
	{0}};

static int run(const struct cli_args *args)
{
	return agent_run(&(struct agent_options){
		.root = args->root,
		.to_stderr = args->values[OPTION_VERBOSE],
		.profiles = profile_names,
		.origins = address_origins,
		.reboot_program = args->values[OPTION_REBOOT_WITH],
	});
}

const struct cli_command command_agent = {
	.name = "agent",
	.operands = "",
	.summary = "stay connected to the hub that this machine has joined (the service)",
	.details =
		"Walks to the hub, keeps one session open, and walks again when it ends, for ever. It\n"
		"opens no listening socket. SIGTERM ends it; SIGHUP makes it read its settings again and\n"
		"try at once. What it does is written to /var/log/sallyport/connector.log.",
	.example = "  sudo sallyport agent --verbose\n"
			   "  sudo systemctl enable --now sallyport",
	.options = options,
	.run = run,
};
