/*
 * A program as one table of commands, and a command as one table of options.
 *
 * Help texts, `--version`, shell completion and the synopses of the man pages come from these
 * tables. cli_main() parses, answers --help and --version itself, and calls the command, whose
 * return value is the exit code.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

#define CLI_MAX_OPTIONS 24
#define CLI_USAGE       2 /* exit code of a usage error */

struct cli_option {
	const char *name;  /* "profile", given as --profile */
	const char *value; /* "FILE"; NULL for a flag; "HOST..." may come again, joined by commas;
						* "[SECONDS]" may be left out: then it is "" */
	const char *help;  /* one line */
};

struct cli_args {
	const char
		*values[CLI_MAX_OPTIONS]; /* by the option's row; NULL when not given, "" for a flag */
	char **operands;              /* borrowed from argv */
	int operand_count;
	const char *root; /* --root, every command has it; NULL when not given */
};

struct cli_command {
	const char *name;
	const char *operands; /* "[CAUSE]", "" for none */
	int operands_min, operands_max;
	const char *summary;              /* one line, no full stop */
	const char *details;              /* paragraphs for --help and the man page; may be NULL */
	const char *example;              /* lines of "sallyport ..." */
	const struct cli_option *options; /* ends in an empty row; NULL for none */
	int (*run)(const struct cli_args *args);
};

/* A part of the manual page: FILES, ENVIRONMENT, EXIT STATUS. Entries use name and help. */
struct cli_section {
	const char *title;
	const struct cli_option *entries; /* ends in an empty row */
};

struct cli_program {
	const char *name;
	const char *summary;
	const char *description;            /* a paragraph for the manual page; may be NULL */
	const struct cli_section *sections; /* of the manual page; ends in an empty row; may be NULL */
	const struct cli_command *const *commands; /* NULL-terminated */
};

int cli_main(const struct cli_program *program, int argc, char **argv);
/* Prints "PROGRAM COMMAND: message" and where help is, on stderr; returns CLI_USAGE. */
int cli_usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The value of an option as a whole number within bounds; -1 after a usage error was printed. */
long cli_number(const char *option, const char *text, long least, long most);
/* True when a person watches this descriptor and has not set NO_COLOR. */
bool cli_colour(int fd);

#endif
