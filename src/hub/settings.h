/*
 * What a hub was told: the file hub.yaml and the command line, by one table (settings.def).
 *
 * settings_default(); settings_read_file(), which adds what is wrong with the file to a list, each
 * with line, key and remedy; settings_take() for each option of the command line, which so wins
 * over the file; settings_finish(). Then `options` is complete, and valid until settings_free(). A
 * value is read by the same function wherever it stands.
 */
#ifndef HUB_SETTINGS_H
#define HUB_SETTINGS_H

#include "base/problems.h"
#include "hub/hub.h"

#include <stdio.h>

#define SETTINGS_FILE "/etc/sallyport/hub.yaml" /* below --root */

/* Where a row stands in the table: from 0. */
enum {
#define SETTING(name, kind, form, member, least, most, preset, help) +1
	SETTING_COUNT = 0
#include "hub/settings.def"
#undef SETTING
};

struct settings {
	struct hub_options options;
	char *texts[SETTING_COUNT];   /* what each was set to, as it would be written; NULL: nothing */
	char *origins[SETTING_COUNT]; /* "FILE:LINE" or "command line"; NULL: the default */
	char *values[SETTING_COUNT];  /* what the options point into */
};

void settings_default(struct settings *settings);
/* `must_exist` false: a file that is not there is an empty one. */
void settings_read_file(
	struct settings *settings, const char *file, bool must_exist, struct problems *problems);
/* -1 with what was expected, without the option's name. */
int settings_take(
	struct settings *settings, size_t row, const char *text, const char *origin, struct err *err);
/* What one setting cannot say: what belongs together, and what follows from others. */
int settings_finish(struct settings *settings, struct err *err);
/* In the form of the file: every setting that has a value, with its origin; or a file that sets
 * nothing, each key with its help and its default as a comment. */
void settings_print(const struct settings *settings, FILE *to);
void settings_print_template(FILE *to);
void settings_free(struct settings *settings);

#endif
