/*
 * What is wrong with a file: every mistake and every doubt with its line, as "FILE:LINE: KEY: what,
 * and how to mend it".
 *
 * The readers of a file add to a list as they go and do not stop at the first mistake; a loader
 * takes the first one from it, a linter tells them all. Zero-initialise, problems_add(),
 * problems_free(). At most PROBLEMS_MAX are kept.
 */
#ifndef BASE_PROBLEMS_H
#define BASE_PROBLEMS_H

#include "base/yaml_map.h"

#include <stdbool.h>

#define PROBLEMS_MAX 100

enum problem_weight { PROBLEM_ERROR, PROBLEM_WARNING };

struct problem {
	enum problem_weight weight;
	size_t line; /* from 1; 0 when it is about the file as a whole */
	char *text;  /* owned; "FILE:LINE: KEY: sentence" */
};

struct problems {
	struct problem *items; /* owned */
	size_t count, errors;
};

/* Places it at a node of the map; YAML_NONE is the file's first line. */
void problems_add(struct problems *problems, const struct yaml_map *map, size_t node,
	enum problem_weight weight, const char *format, ...) PRINTF_LIKE(5, 6);
/* An error that has its place in its sentence already. */
void problems_add_err(struct problems *problems, const struct err *err);
/* 0, or -1 with the first error filled in. */
int problems_first_error(const struct problems *problems, struct err *err);
void problems_sort(struct problems *problems); /* by line */
void problems_free(struct problems *problems);

#endif
