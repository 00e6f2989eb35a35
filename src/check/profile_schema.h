/*
 * What a profile file may hold: the schema that libcyaml reads it by, and its messages in words for
 * whoever wrote the file. Private to check/; see profile.h for the order of calls.
 */
#ifndef CHECK_PROFILE_SCHEMA_H
#define CHECK_PROFILE_SCHEMA_H

#include "check/profile.h"
#include "check/yaml_map.h"

#include <cyaml/cyaml.h>

#define PROFILE_MAX_TEXT 300 /* bytes of any text in a profile */

extern const cyaml_schema_value_t profile_schema; /* the tables */

/* profile_read.c: the struct, to be freed with profile_schema_free(), or NULL with the error
 * filled. */
struct profile *profile_schema_read(
	const struct yaml_map *map, const char *text, size_t len, struct err *err);
void profile_schema_free(struct profile *profile);

/* profile_rules.c: what the schema cannot say (ranges, forms, duplicates), and the files that the
 * profile names. Fills ca_pem and wildcard. 0, or -1 with the error filled. */
int profile_rules_check(struct profile *profile, const struct yaml_map *map, struct err *err);

#endif
