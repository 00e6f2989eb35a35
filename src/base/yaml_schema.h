/*
 * A YAML file held against a schema, with every mistake placed and told in words.
 *
 * The schema is libcyaml's own table. The check reads the map of the file (yaml_map.h), because
 * libcyaml stops at the first mistake and places a missing or unknown key at the line before it:
 * each unknown key, wrong kind, wrong word and missing key becomes a problem that says what was
 * expected. yaml_schema_load() then has libcyaml fill the struct. What a schema cannot say (ranges,
 * forms, duplicates) is its user's to check afterwards.
 *
 * A text of at most YAML_SCHEMA_LINE bytes stands on one line; a longer one may hold line breaks.
 */
#ifndef BASE_YAML_SCHEMA_H
#define BASE_YAML_SCHEMA_H

#include "base/problems.h"

#include <cyaml/cyaml.h>

#define YAML_SCHEMA_LINE 300

void yaml_schema_check(
	const struct yaml_map *map, const cyaml_schema_value_t *schema, struct problems *problems);
/* The struct that the schema describes, to be freed with yaml_schema_free(); NULL with what is
 * wrong added to the problems. `text` is what the map was made from. */
void *yaml_schema_load(const struct yaml_map *map, const char *text, size_t len,
	const cyaml_schema_value_t *schema, struct problems *problems);
void yaml_schema_free(const cyaml_schema_value_t *schema, void *data);

#endif
