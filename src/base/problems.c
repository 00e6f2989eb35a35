#include "base/problems.h"

#include <stdarg.h>
#include <stdlib.h>

static void add_text(struct problems *problems, enum problem_weight weight, size_t line, char *text)
{
	if (problems->count == PROBLEMS_MAX) {
		free(text);
		return;
	}
	problems->items = xrealloc(problems->items, problems->count + 1, sizeof *problems->items);
	problems->items[problems->count++] =
		(struct problem){.weight = weight, .line = line, .text = text};
	problems->errors += weight == PROBLEM_ERROR;
}

void problems_add(struct problems *problems, const struct yaml_map *map, size_t node,
	enum problem_weight weight, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	cleanup(free_ptr) char *words = xvasprintf(format, args);
	va_end(args);
	cleanup(free_ptr) char *path = yaml_map_path(map, node);
	size_t line = yaml_map_line(map, node);
	add_text(problems, weight, line,
		xasprintf("%s:%zu: %s%s%s", map->file, line, path, *path ? ": " : "", words));
}

void problems_add_err(struct problems *problems, const struct err *err)
{
	add_text(problems, PROBLEM_ERROR, 0, xstrdup(err->text));
}

int problems_first_error(const struct problems *problems, struct err *err)
{
	for (size_t i = 0; i < problems->count; i++)
		if (problems->items[i].weight == PROBLEM_ERROR)
			return err_set(err, "%s", problems->items[i].text);
	return 0;
}

static int by_line(const void *a, const void *b)
{
	const struct problem *left = a, *right = b;
	return (left->line > right->line) - (left->line < right->line);
}

void problems_sort(struct problems *problems)
{
	/* glibc's qsort is a merge sort: what stands in one line keeps its order. */
	if (problems->count)
		qsort(problems->items, problems->count, sizeof *problems->items, by_line);
}

void problems_free(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		free(problems->items[i].text);
	free(problems->items);
	*problems = (struct problems){.items = NULL};
}
