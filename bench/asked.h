/*
 * What is asked of a benchmark's program on its standard input: a line each, from a table.
 */
#ifndef BENCH_ASKED_H
#define BENCH_ASKED_H

#include <stdbool.h>
#include <stddef.h>

struct asked_row {
	const char *name; /* the whole line */
	void (*run)(void *data);
};

/* A line as far as it has come; zeroed at first. */
struct asked {
	char line[64];
	size_t len;
};

/* Reads what is there and runs the rows that are asked for; false at the end of the input. A line
 * that is in no row is answered with {"error": ...}. */
bool asked_read(struct asked *asked, const struct asked_row *rows, size_t count, void *data);
/* The standard input reports to this epoll, with NULL as its data; false for a file or /dev/null,
 * where nobody will ever say when to end. */
bool asked_watch(int epoll);

#endif
