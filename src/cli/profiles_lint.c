/* `sallyport profiles lint`: what is wrong or doubtful in profiles. */
#include "base/json.h"
#include "base/problems.h"
#include "cli/profiles.h"

#include <stdio.h>
#include <string.h>

struct tally {
	size_t files, errors, warnings;
	json_t *list; /* owned; NULL for text */
};

static void tell(struct tally *tally, const char *file, const struct problem *problem)
{
	bool error = problem->weight == PROBLEM_ERROR;
	if (tally->list)
		json_array_append_new(
			tally->list, json_pack("{s:s,s:i,s:s,s:s}", "file", file, "line", (int)problem->line,
							 "severity", error ? "error" : "warning", "text", problem->text));
	else
		printf("%s%s\n", problem->text, error ? "" : " (warning)");
	tally->errors += error;
	tally->warnings += !error;
}

static void lint_file(struct tally *tally, const char *file)
{
	struct problems problems = {.items = NULL};
	profile_lint(file, &problems);
	tally->files++;
	for (size_t i = 0; i < problems.count; i++)
		tell(tally, file, &problems.items[i]);
	problems_free(&problems);
}

/* What is named by id is looked up as `check` does; anything else is a file. */
static const char *file_of(const struct profile_entry *entries, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(entries[i].id, name) == 0)
			return entries[i].file;
	return name;
}

static int finish(struct tally *tally)
{
	int rc = tally->errors ? 2 : tally->warnings ? 1 : 0;
	if (!tally->list) {
		if (rc)
			printf("%zu error%s, %zu warning%s in %zu profile%s\n", tally->errors,
				tally->errors == 1 ? "" : "s", tally->warnings, tally->warnings == 1 ? "" : "s",
				tally->files, tally->files == 1 ? "" : "s");
		else
			printf("%zu profile%s, nothing to complain about\n", tally->files,
				tally->files == 1 ? "" : "s");
		return rc;
	}
	cleanup(json_drop) json_t *report = json_pack("{s:s,s:i,s:o}", "schema", "sallyport.lint/1",
		"profiles", (int)tally->files, "problems", tally->list);
	json_dumpf(report, stdout, JSON_INDENT(2));
	putchar('\n');
	return rc;
}

int profiles_lint(const struct cli_args *args, const struct profile_places *places)
{
	struct tally tally = {.list = profiles_as_json(args) ? json_array() : NULL};
	size_t count = 0;
	struct profile_entry *entries = profile_list(places, &count);
	for (int i = 1; i < args->operand_count; i++)
		lint_file(&tally, file_of(entries, count, args->operands[i]));
	for (size_t i = 0; args->operand_count == 1 && i < count; i++)
		lint_file(&tally, entries[i].file);
	profile_list_free(entries, count);
	return finish(&tally);
}
