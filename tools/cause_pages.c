/*
 * Writes docs/causes: a page for each cause and README.md, the index by stage, into the folder that
 * is named. From the same tables as `sallyport explain`; a test compares the pages with it.
 */
#include "diagnosis/distinction.h"

#include <stdio.h>
#include <string.h>

static FILE *open_page(const char *folder, const char *name)
{
	cleanup(free_ptr) char *path = xasprintf("%s/%s.md", folder, name);
	FILE *page = fopen(path, "w");
	if (!page) {
		perror(path);
		exit(1);
	}
	return page;
}

static void close_page(FILE *page)
{
	if (fclose(page)) {
		perror("cause-pages");
		exit(1);
	}
}

static void write_page(const char *folder, enum cause cause)
{
	const struct cause_info *info = cause_info(cause);
	const struct cause_distinction *distinction = cause_distinction(cause);
	cleanup(free_ptr) char *sentence = cause_sentence(cause);
	cleanup(free_ptr) char *remedy = cause_remedy(cause);
	FILE *page = open_page(folder, info->id);
	fprintf(page, "# %s\n\n%s\n\n", info->id, sentence);
	fprintf(page, "| | |\n|---|---|\n| stage | %s |\n| severity | %s |\n| who mends it | %s |\n\n",
		stage_name(info->stage), info->severity == SEVERITY_FAIL ? "failure" : "warning",
		info->who);
	fprintf(page, "## What to do\n\n%s\n\n", remedy);
	fprintf(page, "## What tells it from its look-alikes\n\n%s\n\n", distinction->text);
	for (size_t i = 0; i < CAUSE_MAX_LOOK_ALIKES && distinction->look_alikes[i]; i++) {
		enum cause other = (enum cause)distinction->look_alikes[i];
		cleanup(free_ptr) char *words = cause_sentence(other);
		fprintf(page, "- [%s](%s.md): %s\n", cause_info(other)->id, cause_info(other)->id, words);
	}
	fprintf(page, "\n[All causes](README.md)\n");
	close_page(page);
}

static void write_index(const char *folder)
{
	FILE *page = open_page(folder, "README");
	fprintf(page,
		"# Why a machine does not get through\n\nThe causes that `sallyport check`, `sallyport "
		"status` and connector.log name, in the order in which a\nconnection walks out. `sallyport "
		"explain CAUSE` prints the same on a terminal.\n");
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
		fprintf(page, "\n## %s\n\n| cause | what it says | who mends it |\n|---|---|---|\n",
			stage_name((enum stage)stage));
		for (unsigned i = CAUSE_NONE + 1; i < CAUSE_COUNT; i++) {
			const struct cause_info *info = cause_info((enum cause)i);
			cleanup(free_ptr) char *sentence = cause_sentence((enum cause)i);
			if (info->stage == (enum stage)stage)
				fprintf(
					page, "| [%s](%s.md) | %s | %s |\n", info->id, info->id, sentence, info->who);
		}
	}
	close_page(page);
}

int main(int argc, char **argv)
{
	int rc = 0;
	if (argc != 2) {
		fprintf(stderr, "Usage: cause-pages FOLDER\n");
		return 2;
	}
	for (unsigned i = CAUSE_NONE + 1; i < CAUSE_COUNT; i++) {
		if (!cause_distinction((enum cause)i)->text) {
			fprintf(stderr, "%s has no row in src/diagnosis/distinctions.def\n",
				cause_info((enum cause)i)->id);
			rc = 1;
		}
	}
	for (unsigned i = CAUSE_NONE + 1; i < CAUSE_COUNT && !rc; i++)
		write_page(argv[1], (enum cause)i);
	if (!rc)
		write_index(argv[1]);
	return rc;
}
