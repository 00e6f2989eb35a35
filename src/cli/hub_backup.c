/* sallyport-hub backup and restore. */
#include "cli/hub_commands.h"

#include "base/clock.h"
#include "hub/backup.h"

#include <stdio.h>

static int failed(const struct err *err)
{
	fprintf(stderr, "sallyport-hub: %s\n", err->text);
	return 1;
}

static int run_backup(const struct cli_args *args)
{
	struct err err;
	return hub_backup(args->root, args->operands[0], &err) ? failed(&err) : 0;
}

static int run_restore(const struct cli_args *args)
{
	struct err err;
	char when[CLOCK_TEXT_SIZE];
	cleanup(free_ptr) char *kept = NULL;
	int64_t made = 0;
	if (hub_restore(args->root, args->operands[0], &kept, &made, &err))
		return failed(&err);
	printf("restored as of %s\n", clock_rfc3339((time_t)made, when));
	if (kept)
		printf("what was there before: %s\n", kept);
	return 0;
}

const struct cli_command hub_backup_command = {
	.name = "backup",
	.operands = "FILE",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "Write the hub's state into one file",
	.details =
		"The database as it is at one moment, the identity key, the private CA and the\n"
		"certificate; also while the hub runs. Whoever has the file can pretend to be the hub: it\n"
		"has mode 0600, keep it so. Files of support bundles and /etc/sallyport are not in it.",
	.example = "  sallyport-hub backup /var/backups/hub-$(date +%F).backup",
	.run = run_backup,
};

const struct cli_command hub_restore_command = {
	.name = "restore",
	.operands = "FILE",
	.operands_min = 1,
	.operands_max = 1,
	.summary = "Put the state of a backup in the place of the hub's",
	.details =
		"The hub must not run (systemctl stop sallyport-hub). The backup is tried out first; what\n"
		"was there before is kept in the state folder, as before-restore-TIME. A backup of an "
		"older\n"
		"release is brought up to this one. Machines that joined after it was made join again.",
	.example = "  sallyport-hub restore /var/backups/hub-2026-11-22.backup",
	.run = run_restore,
};
