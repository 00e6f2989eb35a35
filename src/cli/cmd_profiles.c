/* `sallyport profiles`: what can stand after `check --profile`, and what helps to write one. */
#include "base/json.h"
#include "cli/commands.h"
#include "cli/profiles.h"
#include "os/os.h"

#include <stdio.h>
#include <string.h>

static const struct cli_option options[] = {
	[PROFILES_FORMAT] = {"format", "FORMAT", "text (the default) or json, of the list and of lint"},
	[PROFILES_SET] = {"set", "NAME=VALUE...", "give a variable of the profile a value (show)"},
	{0}};

bool profiles_as_json(const struct cli_args *args)
{
	const char *format = args->values[PROFILES_FORMAT];
	return format && strcmp(format, "json") == 0;
}

static void print_entry(const struct profile_entry *entry)
{
	const struct profile *profile = entry->profile;
	printf("%-24s %s\n", entry->id, profile ? profile->title : "(cannot be used)");
	if (profile && profile->source.title)
		printf("%-24s from: %s%s%s%s\n", "", profile->source.title,
			profile->source.read ? " (read " : "", profile->source.read ? profile->source.read : "",
			profile->source.read ? ")" : "");
	if (profile)
		printf("%-24s %u endpoint%s", "", profile->endpoints_count,
			profile->endpoints_count == 1 ? "" : "s");
	for (unsigned i = 0; profile && i < profile->variables_count; i++)
		printf("%s%s=%s", i ? ", " : "; --set ", profile->variables[i].name,
			profile->variables[i].value ? profile->variables[i].value : "...");
	printf("%s%-24s %s%s\n", profile ? "\n" : "", "", entry->file,
		entry->shadowed ? " (not used: one with this id comes first)" : "");
	if (!profile)
		printf("%-24s %s\n", "", entry->err.text);
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *variables_json(const struct profile *profile)
{
	json_t *list = json_array();
	for (unsigned i = 0; profile && i < profile->variables_count; i++)
		json_array_append_new(list, json_pack("{s:s,s:o,s:o}", "name", profile->variables[i].name,
										"value", text_or_null(profile->variables[i].value),
										"purpose", text_or_null(profile->variables[i].purpose)));
	return list;
}

static json_t *entry_json(const struct profile_entry *entry)
{
	const struct profile *profile = entry->profile;
	json_t *source = json_null();
	if (profile && profile->source.title)
		source = json_pack("{s:s,s:o,s:o,s:o}", "title", profile->source.title, "section",
			text_or_null(profile->source.section), "url", text_or_null(profile->source.url), "read",
			text_or_null(profile->source.read));
	return json_pack("{s:s,s:o,s:o,s:i,s:o,s:s,s:b,s:o}", "id", entry->id, "title",
		text_or_null(profile ? profile->title : NULL), "source", source, "endpoints",
		profile ? (int)profile->endpoints_count : 0, "variables", variables_json(profile), "file",
		entry->file, "used", !entry->shadowed && profile, "error",
		text_or_null(profile ? NULL : entry->err.text));
}

static void print_json(const struct profile_entry *entries, size_t count)
{
	cleanup(json_drop) json_t *list =
		json_pack("{s:s,s:[]}", "schema", "sallyport.profiles/1", "profiles");
	for (size_t i = 0; i < count; i++)
		json_array_append_new(json_object_get(list, "profiles"), entry_json(&entries[i]));
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int list(const struct cli_args *args, const struct profile_places *places)
{
	size_t count = 0;
	int rc = 0;
	struct profile_entry *entries = profile_list(places, &count);
	bool json = profiles_as_json(args);
	if (json)
		print_json(entries, count);
	for (size_t i = 0; i < count; i++) {
		if (!json)
			print_entry(&entries[i]);
		if (!entries[i].profile)
			rc = CLI_USAGE;
	}
	if (!count && !json)
		printf("There are none in %s/etc/sallyport/profiles or %s/usr/share/sallyport/profiles.\n",
			args->root ? args->root : "", args->root ? args->root : "");
	profile_list_free(entries, count);
	return rc;
}

static const struct {
	const char *word;
	int least, most; /* operands behind the word */
	const char *operands;
	int (*run)(const struct cli_args *args, const struct profile_places *places);
} verbs[] = {
	{"list", 0, 0, "nothing", list},
	{"lint", 0, 1000, "the files or ids to look at", profiles_lint},
	{"show", 1, 1, "one id or file", profiles_show},
	{"hub", 0, 1, "the hub's URL", profiles_hub},
};

static int run(const struct cli_args *args)
{
	const char *word = args->operand_count ? args->operands[0] : "list";
	const char *format = args->values[PROFILES_FORMAT];
	cleanup(free_ptr) char *own_path = os_own_path();
	const struct profile_places places = {args->root, own_path};
	if (format && strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
		return cli_usage_error("--format: text or json was expected, not \"%s\"", format);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		int count = args->operand_count - 1;
		if (strcmp(verbs[i].word, word) != 0)
			continue;
		if (args->operand_count && (count < verbs[i].least || count > verbs[i].most))
			return cli_usage_error("%s: %s was expected", word, verbs[i].operands);
		return verbs[i].run(args, &places);
	}
	return cli_usage_error("list, lint, show or hub was expected, not \"%s\"", word);
}

const struct cli_command command_profiles = {
	.name = "profiles",
	.operands = "[lint FILE...|show ID|hub [URL]]",
	.operands_max = 1001,
	.summary = "list the profiles that `check` knows by id; lint, show or make one",
	.details =
		"They are looked up in /etc/sallyport/profiles, then in /usr/share/sallyport/profiles.\n"
		"A file elsewhere is checked with `sallyport check --profile ./FILE.yaml`.\n"
		"\n"
		"lint tells every mistake of a profile (file, line, key, how to mend it) and what is\n"
		"doubtful in it; without a file, of every profile there is. Exit status: 0 nothing to\n"
		"tell, 1 doubts only, 2 mistakes.\n"
		"\n"
		"show prints what a check by a profile looks at, for whoever opens the firewall.\n"
		"\n"
		"hub prints the profile of a hub, from its discovery document; without a URL, of the hub\n"
		"that this machine has joined, which then has to prove that it is the one. Save it as\n"
		"sallyport-hub.yaml.",
	.example = "  sallyport profiles\n"
			   "  sallyport profiles lint ./our-service.yaml\n"
			   "  sallyport profiles show aws-systems-manager --set region=eu-central-1\n"
			   "  sallyport profiles hub https://hub.example.com/ >sallyport-hub.yaml",
	.options = options,
	.run = run,
};
