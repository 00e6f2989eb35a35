#include "cli/reference.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void complete_bash(const struct cli_program *program)
{
	printf("_%.*s_complete() {\n\tlocal words\n\tcase \"${COMP_WORDS[1]}\" in\n",
		(int)strcspn(program->name, "-"), program->name);
	for (const struct cli_command *const *command = program->commands; *command; command++) {
		printf("\t%s) words=\"--help --root", (*command)->name);
		for (const struct cli_option *o = (*command)->options; o && o->name; o++)
			printf(" --%s", o->name);
		printf("\" ;;\n");
	}
	printf("\t*) words=\"--help --version completion");
	for (const struct cli_command *const *command = program->commands; *command; command++)
		printf(" %s", (*command)->name);
	printf("\" ;;\n\tesac\n\tCOMPREPLY=($(compgen -o default -W \"$words\" -- "
		   "\"${COMP_WORDS[COMP_CWORD]}\"))\n}\ncomplete -o default -F _%.*s_complete %s\n",
		(int)strcspn(program->name, "-"), program->name, program->name);
}

/* Inside single quotes of zsh, between brackets. */
static void print_zsh(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void complete_zsh(const struct cli_program *program)
{
	printf("#compdef %s\nif (( CURRENT == 2 )); then\n\t_values command", program->name);
	for (const struct cli_command *const *command = program->commands; *command; command++) {
		printf(" '%s[", (*command)->name);
		print_zsh((*command)->summary);
		printf("]'");
	}
	printf("\nelse\n\tcase $words[2] in\n");
	for (const struct cli_command *const *command = program->commands; *command; command++) {
		printf("\t%s) _arguments '--help[print help]' '--root[%s]:folder:_files'", (*command)->name,
			cli_root_option.help);
		for (const struct cli_option *o = (*command)->options; o && o->name; o++) {
			printf(" '--%s[", o->name);
			print_zsh(o->help);
			printf("]%s'", !o->value ? "" : *o->value == '[' ? "::value:" : ":value:_files");
		}
		printf(" '*:operand:_files' ;;\n");
	}
	printf("\tesac\nfi\n");
}

static void complete_fish(const struct cli_program *program)
{
	for (const struct cli_command *const *command = program->commands; *command; command++) {
		printf("complete -c %s -n __fish_use_subcommand -a %s -d \"%s\"\n", program->name,
			(*command)->name, (*command)->summary);
		for (const struct cli_option *o = (*command)->options; o && o->name; o++)
			printf("complete -c %s -n \"__fish_seen_subcommand_from %s\" -l %s%s -d \"%s\"\n",
				program->name, (*command)->name, o->name, o->value && *o->value != '[' ? " -r" : "",
				o->help);
	}
}

static const struct {
	const char *shell;
	void (*print)(const struct cli_program *program);
} completions[] = {{"bash", complete_bash}, {"zsh", complete_zsh}, {"fish", complete_fish}};

int cli_print_completion(const struct cli_program *program, const char *shell)
{
	for (size_t i = 0; i < sizeof completions / sizeof *completions; i++) {
		if (shell && strcmp(shell, completions[i].shell) == 0) {
			completions[i].print(program);
			return 0;
		}
	}
	return cli_usage_error("completion: name the shell: bash, zsh or fish");
}

/* Text for roff: backslashes, and dots and quotes at the start of a line, are its own. */
static void print_roff(const char *text)
{
	bool line_start = true;
	for (; *text; text++) {
		if (line_start && (*text == '.' || *text == '\''))
			fputs("\\&", stdout);
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
		line_start = *text == '\n';
	}
}

static void print_manual_option(const struct cli_option *option)
{
	printf(".TP\n.B \\-\\-");
	print_roff(option->name);
	if (option->value) {
		printf(" \\fI");
		print_roff(option->value);
		printf("\\fR");
	}
	putchar('\n');
	print_roff(option->help);
	printf(".\n");
}

static void print_manual_command(
	const struct cli_program *program, const struct cli_command *command)
{
	printf(".SS ");
	print_roff(program->name);
	printf(" ");
	print_roff(command->name);
	printf(" ");
	print_roff(command->operands);
	putchar('\n');
	print_roff(command->summary);
	printf(".\n");
	if (command->details) {
		printf(".PP\n");
		print_roff(command->details);
		putchar('\n');
	}
	for (const struct cli_option *option = command->options; option && option->name; option++)
		print_manual_option(option);
	printf(".PP\nExample:\n.PP\n.nf\n.RS\n");
	print_roff(command->example);
	printf("\n.RE\n.fi\n");
}

int cli_print_manual(const struct cli_program *program)
{
	printf(".TH ");
	for (const char *c = program->name; *c; c++)
		putchar(toupper((unsigned char)*c));
	printf(" 1 \"\" \"Sallyport %s\"\n.SH NAME\n", SALLYPORT_VERSION);
	print_roff(program->name);
	printf(" \\- ");
	print_roff(program->summary);
	printf("\n.SH SYNOPSIS\n.B ");
	print_roff(program->name);
	printf("\n.I COMMAND\n.RI [ OPTION ...]\n.SH DESCRIPTION\n");
	print_roff(program->description ? program->description : program->summary);
	printf("\n.SH COMMANDS\n");
	for (const struct cli_command *const *command = program->commands; *command; command++)
		print_manual_command(program, *command);
	printf(".SH COMMON OPTIONS\n");
	print_manual_option(&cli_root_option);
	print_manual_option(&(struct cli_option){"help", NULL, "print help, with an example"});
	print_manual_option(&(struct cli_option){"version", NULL, "print the release"});
	for (const struct cli_section *section = program->sections; section && section->title;
		 section++) {
		printf(".SH ");
		print_roff(section->title);
		for (const struct cli_option *entry = section->entries; entry->name; entry++) {
			printf("\n.TP\n.B ");
			print_roff(entry->name);
			putchar('\n');
			print_roff(entry->help);
		}
		putchar('\n');
	}
	return 0;
}
