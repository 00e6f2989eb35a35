/*
 * The parts of `sallyport profiles`, a file each; private to cmd_profiles.c.
 */
#ifndef CLI_PROFILES_H
#define CLI_PROFILES_H

#include "profile/profile.h"
#include "cli/cli.h"

/* Rows of the command's options. */
enum profiles_option { PROFILES_FORMAT, PROFILES_SET };

/* profiles_lint.c: the mistakes and doubts of the files or ids that are named, or of every profile
 * there is. 0 none, 1 doubts only, 2 mistakes. */
int profiles_lint(const struct cli_args *args, const struct profile_places *places);
/* profiles_show.c: what a check by this profile would look at. */
int profiles_show(const struct cli_args *args, const struct profile_places *places);
/* profiles_hub.c: the profile of a hub, from its discovery document. */
int profiles_hub(const struct cli_args *args, const struct profile_places *places);
/* True when --format asks for JSON. */
bool profiles_as_json(const struct cli_args *args);

#endif
