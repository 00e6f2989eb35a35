/*
 * What the list shows of a server, taken from its inventory.
 *
 * An inventory comes from a machine, so every text is cut to a bound and control characters become
 * spaces. Missing members give empty texts.
 */
#ifndef STORE_SUMMARY_H
#define STORE_SUMMARY_H

#include "store/locations.h"

#include <jansson.h>

#define SUMMARY_MAX_TEXT 255

struct summary {
	char name[SUMMARY_MAX_TEXT + 1];
	char platform[32];
	char os_name[SUMMARY_MAX_TEXT + 1];
	char address[64];     /* of the first interface that is up and has one */
	char address_key[64]; /* the same so that texts sort as addresses: "010.000.000.009" */
	char mac[24];
	char location[STORE_MAX_LOCATION + 1];
	char addressing[8]; /* of the address: "dhcp", "static" or "" */
	char version[64];
	char search[4 * SUMMARY_MAX_TEXT]; /* lower case */
};

void summary_of(const json_t *inventory, struct summary *summary);
/* The server is there instead. */
void summary_place(struct summary *summary, const char *location);
/* A text of a machine, cut to size - 1 bytes on a character's first byte, control characters made
 * spaces. NULL gives an empty text. */
void summary_take_text(char *to, size_t size, const char *text);
/* The text in lower case, as `search` has it: ASCII letters alone change. */
void summary_fold(char *text);

#endif
