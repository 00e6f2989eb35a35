#include "cli/hub_commands.h"

#include "hub/settings.h"

#include <stdio.h>

enum { OPTION_CONFIG = SETTING_COUNT }; /* behind the settings' own rows */

#define HELP_ADDRESS(help, preset) help " (" preset ")"
#define HELP_NUMBER(help, preset)  help " (" preset ")"
#define HELP_HOSTS(help, preset)   help
#define HELP_PATH(help, preset)    help
#define HELP_PLACE(help, preset)   help
#define HELP_SWITCH(help, preset)  help

static const struct cli_option options[] = {
#define SETTING(name, kind, form, member, least, most, preset, help)                               \
	{name, form, HELP_##kind(help, preset)},
#include "hub/settings.def"
#undef SETTING
	[OPTION_CONFIG] = {"config", "FILE", "settings, instead of " SETTINGS_FILE},
	{0},
};
_Static_assert(ARRAY_LEN(options) <= CLI_MAX_OPTIONS + 1, "make CLI_MAX_OPTIONS larger");

/* The file first, so that the command line wins. */
static int read_settings(const struct cli_args *args, struct settings *settings)
{
	struct err err;
	settings_default(settings);
	if (hub_config_read(settings, args->root, args->values[OPTION_CONFIG]))
		return CLI_USAGE;
	for (size_t row = 0; row < SETTING_COUNT; row++) {
		const char *text = args->values[row];
		if (text && !options[row].value)
			text = "true"; /* a flag */
		if (text && settings_take(settings, row, text, "command line", &err))
			return cli_usage_error("--%s: %s", options[row].name, err.text);
	}
	return settings_finish(settings, &err) ? cli_usage_error("%s", err.text) : 0;
}

static int run(const struct cli_args *args)
{
	struct settings settings;
	int code = read_settings(args, &settings);
	settings.options.root = args->root;
	if (!code)
		code = hub_serve(&settings.options);
	settings_free(&settings);
	return code;
}

const struct cli_command hub_serve_command = {
	.name = "serve",
	.operands = "",
	.summary = "Run the hub",
	.details =
		"At its first start it makes its identity, a private CA and a certificate below\n"
		"/var/lib/sallyport-hub, and prints a link that makes the first administrator. SIGTERM\n"
		"tells every machine that the hub restarts; SIGHUP reads the certificate again. Every\n"
		"option here is also a key of " SETTINGS_FILE "; the command line wins.",
	.example = "  sallyport-hub serve --name hub.example.com\n"
			   "  sallyport-hub serve --listen 10.0.0.5:8443 --name 10.0.0.5\n"
			   "  sallyport-hub serve --name hub.example.com --cert /etc/ssl/hub.pem --key "
			   "/etc/ssl/hub.key",
	.options = options,
	.run = run,
};
