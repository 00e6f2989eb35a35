/* `sallyport explain`: the catalogue of causes, or one of them. */
#include "base/suggest.h"
#include "cli/commands.h"
#include "diagnosis/distinction.h"

#include <stdio.h>
#include <string.h>

#define INDENT  17
#define COLUMNS 96

static void list_causes(void)
{
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
		printf("%s%s\n", stage ? "\n" : "", stage_name((enum stage)stage));
		for (unsigned i = CAUSE_NONE + 1; i < CAUSE_COUNT; i++) {
			const struct cause_info *info = cause_info((enum cause)i);
			if (info->stage != (enum stage)stage)
				continue;
			cleanup(free_ptr) char *sentence = cause_sentence((enum cause)i);
			printf("  %-26s %s\n", info->id, sentence);
		}
	}
	printf("\n`sallyport explain CAUSE` tells what to do about one.\n");
}

/* Words, broken into lines that begin where the first one does. */
static void print_row(const char *name, const char *text)
{
	int column = INDENT;
	printf("  %-*s", INDENT - 2, name);
	while (*text) {
		int len = (int)strcspn(text, " ");
		if (column > INDENT && column + len > COLUMNS) {
			printf("\n%*s", INDENT, "");
			column = INDENT;
		}
		column += printf("%s%.*s", column > INDENT ? " " : "", len, text);
		text += len;
		text += *text == ' ';
	}
	putchar('\n');
}

static void print_cause(enum cause cause)
{
	const struct cause_info *info = cause_info(cause);
	const struct cause_distinction *distinction = cause_distinction(cause);
	cleanup(free_ptr) char *sentence = cause_sentence(cause);
	cleanup(free_ptr) char *remedy = cause_remedy(cause);
	cleanup(buf_free) struct buf look_alikes = {0};
	printf("%s\n  %s\n\n", info->id, sentence);
	print_row("stage", stage_name(info->stage));
	print_row("severity", info->severity == SEVERITY_FAIL ? "failure" : "warning");
	print_row("who mends it", info->who);
	print_row("what to do", remedy);
	if (!distinction->text)
		return;
	for (size_t i = 0; i < CAUSE_MAX_LOOK_ALIKES && distinction->look_alikes[i]; i++)
		buf_printf(&look_alikes, "%s%s", i ? ", " : "",
			cause_info((enum cause)distinction->look_alikes[i])->id);
	print_row("told apart by", distinction->text);
	print_row("looks like", buf_text(&look_alikes));
}

static int say_unknown(const char *id)
{
	const char *ids[CAUSE_COUNT];
	size_t best[SUGGEST_MAX], count = 0;
	struct buf words = {0};
	for (unsigned i = CAUSE_NONE + 1; i < CAUSE_COUNT; i++)
		ids[count++] = cause_info((enum cause)i)->id;
	size_t near = suggest_nearest(id, ids, count, best);
	for (size_t i = 0; i < near; i++)
		buf_printf(&words, "%s%s", i ? " or " : "; did you mean ", ids[best[i]]);
	int rc = cli_usage_error("there is no cause \"%s\"%s%s", id, buf_text(&words),
		near ? "?" : "; without one, all are listed");
	buf_free(&words);
	return rc;
}

static int run(const struct cli_args *args)
{
	if (!args->operand_count) {
		list_causes();
		return 0;
	}
	enum cause cause = cause_by_id(args->operands[0]);
	if (cause == CAUSE_NONE)
		return say_unknown(args->operands[0]);
	print_cause(cause);
	return 0;
}

const struct cli_command command_explain = {
	.name = "explain",
	.operands = "[CAUSE]",
	.operands_max = 1,
	.summary = "tell what a cause means and what to do about it",
	.details =
		"The ids are those of `sallyport check`, of `sallyport status` and of connector.log.\n"
		"Without one, all are listed by the stage at which they are met.",
	.example = "  sallyport explain proxy-auth-unsupported",
	.run = run,
};
