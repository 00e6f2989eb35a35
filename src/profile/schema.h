/*
 * What a profile file may hold: the schema (base/yaml_schema.h) that it is read by, the rules that
 * a schema cannot say, and the doubts. Private to profile/; see profile.h for the order of calls.
 */
#ifndef PROFILE_SCHEMA_H
#define PROFILE_SCHEMA_H

#include "base/yaml_schema.h"
#include "profile/profile.h"

#define PROFILE_MAX_TEXT YAML_SCHEMA_LINE /* bytes of any text in a profile, */
#define PROFILE_MAX_CA   16384            /* but of a certificate in it */

extern const cyaml_schema_value_t profile_schema; /* the tables */

/* profile_rules.c: what the schema cannot say (ranges, forms, duplicates), and the files that the
 * profile names. Fills ca_pem. */
void profile_rules_check(
	struct profile *profile, const struct yaml_map *map, struct problems *problems);

/* profile_vars.c */
/* The host with each {name} replaced by its value, or by "x" where it has none yet; owned by the
 * caller. NULL with the error filled for a name that is no variable. */
char *profile_host_sample(const struct profile *profile, const char *host, struct err *err);
/* May this be put into a host? */
int profile_value_check(const char *value, struct err *err);
/* Fills host, wildcard and untested of every endpoint from the variables' values. */
void profile_fill_hosts(struct profile *profile);

/* profile_doubts.c: what is allowed and yet probably not meant, as warnings. */
void profile_doubts(
	const struct profile *profile, const struct yaml_map *map, struct problems *problems);

#endif
