/*
 * Where each key of a YAML file stands.
 *
 * libcyaml turns YAML into structs by a schema, but its messages place a missing or unknown key at
 * the line of the key before it. So a file is read twice: yaml_map_read() first, which reports what
 * is no YAML at all with its line and refuses what our files have no use for (aliases, tags, a
 * second document, control characters, deep nesting), then the schema; whoever finds something
 * wrong afterwards looks its line up here. Bounded in nodes and depth; values are kept whole. The
 * nodes stand in the order of the file, so a node's children follow it.
 */
#ifndef BASE_YAML_MAP_H
#define BASE_YAML_MAP_H

#include "base/err.h"

#include <stddef.h>

#define YAML_MAP_MAX_NODES 16384
#define YAML_MAP_MAX_DEPTH 12

enum yaml_kind { YAML_KIND_SCALAR, YAML_KIND_LIST, YAML_KIND_MAPPING };

struct yaml_node {
	enum yaml_kind kind;
	size_t parent; /* index; the root is its own parent */
	char *key;     /* owned; NULL below a list and for the root */
	size_t index;  /* among its parent's children, from 0 */
	char *value;   /* owned; of a scalar, else NULL */
	size_t line;   /* from 1; of the key where there is one */
};

struct yaml_map {
	const char *file; /* borrowed, for messages */
	struct yaml_node *nodes;
	size_t count, cap;
};

#define YAML_NONE ((size_t)-1)
#define YAML_ROOT ((size_t)0)

/* -1 with "FILE:LINE: what is wrong and how to mend it". `file` is borrowed until yaml_map_free().
 * A file without any key (comments alone) is a map without nodes. */
int yaml_map_read(
	const char *file, const char *text, size_t len, struct yaml_map *map, struct err *err);
/* The child with that key, or at that place of a list; YAML_NONE when there is none. */
size_t yaml_map_key(const struct yaml_map *map, size_t parent, const char *key);
size_t yaml_map_item(const struct yaml_map *map, size_t parent, size_t index);
/* "endpoints[0].port", "" for the root; owned by the caller. */
char *yaml_map_path(const struct yaml_map *map, size_t node);
/* From 1; 1 for YAML_NONE. */
size_t yaml_map_line(const struct yaml_map *map, size_t node);
/* The first node behind everything that stands below this one. */
size_t yaml_map_after(const struct yaml_map *map, size_t node);
void yaml_map_free(struct yaml_map *map);

#endif
