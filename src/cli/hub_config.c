/* sallyport-hub config: what the hub is told, and whether the file is right. */
#include "cli/hub_commands.h"

#include "base/file.h"

#include <stdio.h>

enum { OPTION_CHECK, OPTION_TEMPLATE, OPTION_CONFIG };

static const struct cli_option options[] = {
	[OPTION_CHECK] = {"check", NULL, "only tell whether the file is right"},
	[OPTION_TEMPLATE] = {"template", NULL, "print a file that sets nothing and explains every key"},
	[OPTION_CONFIG] = {"config", "FILE", "look at this file instead of " SETTINGS_FILE},
	{0},
};

int hub_config_read(struct settings *settings, const char *root, const char *file)
{
	struct problems problems = {.items = NULL};
	cleanup(free_ptr) char *usual = file_under(root, SETTINGS_FILE);
	settings_read_file(settings, file ? file : usual, file != NULL, &problems);
	for (size_t i = 0; i < problems.count; i++)
		fprintf(stderr, "sallyport-hub: %s\n", problems.items[i].text);
	int bad = problems.errors ? -1 : 0;
	problems_free(&problems);
	return bad;
}

static int show(const struct cli_args *args, struct settings *settings)
{
	const char *file = args->values[OPTION_CONFIG];
	struct err err;
	settings_default(settings);
	if (hub_config_read(settings, args->root, file))
		return CLI_USAGE;
	if (settings_finish(settings, &err)) {
		fprintf(stderr, "sallyport-hub: %s\n", err.text);
		return CLI_USAGE;
	}
	if (!args->values[OPTION_CHECK])
		settings_print(settings, stdout);
	return 0;
}

static int run(const struct cli_args *args)
{
	struct settings settings;
	if (args->values[OPTION_TEMPLATE]) {
		settings_print_template(stdout);
		return 0;
	}
	int code = show(args, &settings);
	settings_free(&settings);
	return code;
}

const struct cli_command hub_config_command = {
	.name = "config",
	.operands = "",
	.summary = "Show and check the hub's settings",
	.details = "Reads " SETTINGS_FILE " as `serve` does and prints every setting that has a\n"
			   "value, with the line that it comes from; what is printed is itself such a file. A "
			   "mistake\n"
			   "is told with file, line, key and how to mend it, and the exit code is 2.",
	.example = "  sallyport-hub config --check && systemctl restart sallyport-hub\n"
			   "  sallyport-hub config --template > hub.yaml",
	.options = options,
	.run = run,
};
