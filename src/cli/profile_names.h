/*
 * The profiles of this machine, as the inventory tells the hub which of them can be asked for.
 *
 * The agent itself does not read profiles; the check that it starts does.
 */
#ifndef CLI_PROFILE_NAMES_H
#define CLI_PROFILE_NAMES_H

#include <jansson.h>

#define PROFILE_NAMES_MAX 64

/* [{"id", "title"}], those that `check --profile` would take; a new reference. */
json_t *profile_names(const char *root);

#endif
