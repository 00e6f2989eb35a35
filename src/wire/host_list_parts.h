/*
 * Inside of the reader of host lists: host_list.c cuts the text, host_list_add.c knows what a host
 * is and keeps the list free of doubles. See host_list.h.
 */
#ifndef WIRE_HOST_LIST_PARTS_H
#define WIRE_HOST_LIST_PARTS_H

#include "wire/host_list.h"

#include <stddef.h>

#define HOST_LIST_WORD_SIZE 512

/* The list as it grows. All borrowed. */
struct host_adder {
	struct host_list *list; /* with room for HOST_LIST_MAX_HOSTS */
	uint32_t *index;        /* HOST_LIST_INDEX_SIZE, zeroed: places in the list by hash, from 1 */
	size_t line;            /* that is being read, from 1 */
	struct err *err;
};

#define HOST_LIST_INDEX_SIZE ((size_t)4 * HOST_LIST_MAX_HOSTS)

/* What a word says, once it has been cut. Texts are borrowed. */
struct host_word {
	char host[HOST_LIST_WORD_SIZE]; /* or a range */
	const char *user, *name;
	uint16_t port;
};

/* Adds the host, or each of the range; -1 with err. The host of the word may be changed. */
int host_list_add(const struct host_adder *adder, struct host_word *word);
/* "line 3: "WORD": why"; -1. */
int host_list_fail(const struct host_adder *adder, const char *word, const char *why);
/* Decimal, without sign or spaces; -1 when it is none or above `max`. */
long host_list_number(const char *text, long max);

#endif
