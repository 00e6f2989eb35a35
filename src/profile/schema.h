/*
 * What a profile file may hold: the schema that libcyaml reads it by, and its messages in words for
 * whoever wrote the file. Private to profile/; see profile.h for the order of calls.
 */
#ifndef PROFILE_SCHEMA_H
#define PROFILE_SCHEMA_H

#include "profile/problems.h"
#include "profile/profile.h"

#include <cyaml/cyaml.h>

#define PROFILE_MAX_TEXT 300   /* bytes of any text in a profile, */
#define PROFILE_MAX_CA   16384 /* but of a certificate in it */

extern const cyaml_schema_value_t profile_schema; /* the tables */

/* profile_read.c: the struct, to be freed with profile_schema_free(), or NULL with what is wrong
 * added to the problems. */
struct profile *profile_schema_read(
	const struct yaml_map *map, const char *text, size_t len, struct problems *problems);
void profile_schema_free(struct profile *profile);

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
