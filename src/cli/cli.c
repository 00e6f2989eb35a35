#include "cli/cli.h"
#include "cli/reference.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *current_program = "sallyport";
static const char *current_command;

const struct cli_option cli_root_option = {"root", "DIR", "keep every path (/etc, /var) below DIR"};

int cli_usage_error(const char *format, ...)
{
	va_list args;
	fprintf(stderr, "%s%s%s: ", current_program, current_command ? " " : "",
		current_command ? current_command : "");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry `%s%s%s --help`.\n", current_program, current_command ? " " : "",
		current_command ? current_command : "");
	return CLI_USAGE;
}

long cli_number(const char *option, const char *text, long least, long most)
{
	char *end = NULL;
	errno = 0;
	long number = strtol(text, &end, 10);
	if (errno || end == text || *end || number < least || number > most) {
		cli_usage_error(
			"--%s: a number from %ld to %ld was expected, not \"%s\"", option, least, most, text);
		return -1;
	}
	return number;
}

bool cli_colour(int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	return isatty(fd) && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

static void print_option(const struct cli_option *option)
{
	char left[64];
	snprintf(left, sizeof left, "--%s%s%s", option->name, option->value ? " " : "",
		option->value ? option->value : "");
	printf("  %-24s %s\n", left, option->help);
}

static void print_program_help(FILE *out, const struct cli_program *program)
{
	fprintf(out, "%s: %s\n\nUsage: %s COMMAND [OPTION...]\n\nCommands:\n", program->name,
		program->summary, program->name);
	for (const struct cli_command *const *command = program->commands; *command; command++)
		fprintf(out, "  %-12s %s\n", (*command)->name, (*command)->summary);
	fprintf(out, "  %-12s %s\n", "completion", "print completion for bash, zsh or fish");
	fprintf(out, "  %-12s %s\n", "manual", "print the manual page, for man -l -");
	fprintf(out, "\n`%s COMMAND --help` tells more, with an example.\n", program->name);
}

static int print_command_help(const struct cli_program *program, const struct cli_command *command)
{
	printf("Usage: %s %s%s%s [OPTION...]\n\n%s.\n", program->name, command->name,
		*command->operands ? " " : "", command->operands, command->summary);
	if (command->details)
		printf("\n%s\n", command->details);
	printf("\nOptions:\n");
	for (const struct cli_option *option = command->options; option && option->name; option++)
		print_option(option);
	print_option(&cli_root_option);
	print_option(&(struct cli_option){"help", NULL, "print this"});
	printf("\nExample:\n%s\n", command->example);
	return 0;
}

static int print_version(const struct cli_program *program)
{
	printf("%s %s\n", program->name, SALLYPORT_VERSION);
	return 0;
}

/* The row of --NAME or --NAME=VALUE, or -1. */
static int option_row(const struct cli_command *command, const char *word, const char **value)
{
	size_t len = strcspn(word, "=");
	*value = word[len] ? word + len + 1 : NULL;
	for (int row = 0; command->options && command->options[row].name; row++)
		if (strlen(command->options[row].name) == len &&
			strncmp(command->options[row].name, word, len) == 0)
			return row;
	return -1;
}

/* An option whose value is written "HOST..." may come again: its values are joined by commas. The
 * text lives as long as the program. */
static const char *add_value(
	const struct cli_command *command, const struct cli_args *args, int row, const char *value)
{
	const char *form = command->options[row].value;
	const char *before = args->values[row];
	size_t len = strlen(form);
	char *joined = NULL;
	if (!before || len < 3 || strcmp(form + len - 3, "...") != 0)
		return value;
	return asprintf(&joined, "%s,%s", before, value) < 0 ? value : joined;
}

static int parse_option(
	const struct cli_command *command, struct cli_args *args, int *at, int argc, char **argv)
{
	const char *word = argv[*at] + 2;
	const char *value = NULL;
	int row = option_row(command, word, &value);
	bool is_root = strcmp(word, "root") == 0 || strncmp(word, "root=", 5) == 0;
	if (row < 0 && !is_root)
		return cli_usage_error("unknown option --%.*s", (int)strcspn(word, "="), word);
	bool wants_value = is_root || command->options[row].value;
	if (!wants_value && value)
		return cli_usage_error("--%s takes no value", command->options[row].name);
	bool may_lack = !is_root && wants_value && *command->options[row].value == '[';
	if (may_lack && !value) {
		bool follows = *at + 1 < argc && *argv[*at + 1] != '-';
		value = follows ? argv[++*at] : "";
	} else if (wants_value && !value) {
		if (*at + 1 >= argc)
			return cli_usage_error("--%s needs a value", word);
		value = argv[++*at];
	}
	if (is_root)
		args->root = value;
	else
		args->values[row] = wants_value ? add_value(command, args, row, value) : "";
	return 0;
}

static int run_command(
	const struct cli_program *program, const struct cli_command *command, int argc, char **argv)
{
	struct cli_args args = {.operands = argv};
	bool options_end = false;
	current_command = command->name;
	for (int at = 0; at < argc; at++) {
		if (!options_end && strcmp(argv[at], "--") == 0) {
			options_end = true;
		} else if (!options_end &&
				   (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)) {
			return print_command_help(program, command);
		} else if (!options_end && strcmp(argv[at], "--version") == 0) {
			return print_version(program);
		} else if (!options_end && strncmp(argv[at], "--", 2) == 0) {
			int usage = parse_option(command, &args, &at, argc, argv);
			if (usage)
				return usage;
		} else {
			/* Operands are gathered at the front; `at` is never behind their count. */
			argv[args.operand_count++] = argv[at];
		}
	}
	if (args.operand_count < command->operands_min)
		return cli_usage_error("%s is missing", command->operands);
	if (args.operand_count > command->operands_max)
		return cli_usage_error("unexpected \"%s\"", args.operands[command->operands_max]);
	return command->run(&args);
}

int cli_main(const struct cli_program *program, int argc, char **argv)
{
	current_program = program->name;
	if (argc < 2) {
		print_program_help(stderr, program);
		return CLI_USAGE;
	}
	const char *word = argv[1];
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
		print_program_help(stdout, program);
		return 0;
	}
	if (strcmp(word, "--version") == 0)
		return print_version(program);
	if (strcmp(word, "completion") == 0)
		return cli_print_completion(program, argc > 2 ? argv[2] : NULL);
	if (strcmp(word, "manual") == 0)
		return cli_print_manual(program);
	for (const struct cli_command *const *command = program->commands; *command; command++)
		if (strcmp(word, (*command)->name) == 0)
			return run_command(program, *command, argc - 2, argv + 2);
	return cli_usage_error("unknown command \"%s\"", word);
}
