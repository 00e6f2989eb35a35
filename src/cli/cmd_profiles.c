/* `sallyport profiles`: what can stand after `check --profile`. */
#include "check/profile.h"
#include "cli/commands.h"
#include "os/os.h"

#include <stdio.h>

static int print_entry(const struct profile_entry *entry)
{
	if (!entry->profile) {
		fprintf(stderr, "sallyport profiles: %s\n", entry->err.text);
		return CLI_USAGE;
	}
	printf("%-24s %s\n%-24s %s%s\n", entry->id, entry->profile->title, "", entry->file,
		entry->shadowed ? " (not used: one with this id comes first)" : "");
	return 0;
}

static int run(const struct cli_args *args)
{
	cleanup(free_ptr) char *own_path = os_own_path();
	const struct profile_places places = {args->root, own_path};
	size_t count = 0;
	int rc = 0;
	struct profile_entry *entries = profile_list(&places, &count);
	for (size_t i = 0; i < count; i++)
		rc = print_entry(&entries[i]) ? CLI_USAGE : rc;
	if (!count)
		printf("There are none in %s/etc/sallyport/profiles or %s/usr/share/sallyport/profiles.\n",
			args->root ? args->root : "", args->root ? args->root : "");
	profile_list_free(entries, count);
	return rc;
}

const struct cli_command command_profiles = {
	.name = "profiles",
	.operands = "",
	.summary = "list the profiles that `check` knows by id",
	.details =
		"They are looked up in /etc/sallyport/profiles, then in /usr/share/sallyport/profiles.\n"
		"A file elsewhere is checked with `sallyport check --profile ./FILE.yaml`.",
	.example = "  sallyport profiles",
	.run = run,
};
