/*
 * How `sallyport install` tells of its hosts: on the way on standard error, at the end on standard
 * output.
 */
#ifndef CLI_INSTALL_SHOW_H
#define CLI_INSTALL_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* One host of the install. */
struct install_row {
	const json_t *target; /* borrowed: id, host, port, user */
	json_t *event;        /* owned; the last one; NULL: none yet */
	bool unsaid;          /* the hub has not heard it */
};

const char *row_state(const struct install_row *row);
bool row_is_final(const struct install_row *row);
/* It ended as it was meant to, or nothing had to be done. */
bool row_is_fine(const struct install_row *row);
/* A line that is written over on a terminal; what is final gets a line of its own. */
void show_progress(const struct install_row *rows, size_t count, const struct install_row *news);
/* The hosts whose keys nobody has confirmed yet, with their fingerprints; how many. */
size_t show_new_keys(FILE *to, const struct install_row *rows, size_t count);
/* What became of all: a table for people, or a JSON object a line. */
void show_results(FILE *to, const struct install_row *rows, size_t count, bool json);

#endif
