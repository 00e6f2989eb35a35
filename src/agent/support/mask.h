/*
 * Secrets that this machine knows, and their removal from a text, whatever form they stand in (row
 * R27).
 *
 * The last of two safeguards: what goes into a bundle is chosen so that no secret is in it; this
 * makes sure. mask_add() each, mask_apply() to each text, mask_free() wipes.
 */
#ifndef AGENT_MASK_H
#define AGENT_MASK_H

#include "base/buf.h"

#define MASK_MAX   64
#define MASK_LEAST 4 /* bytes: shorter ones stand in every text by chance */

struct mask {
	struct {
		char *text; /* owned; `len` bytes, of any value */
		size_t len;
	} forms[MASK_MAX];
	size_t count;
};

/* The secret as it is, percent-encoded, in JSON, in base64 and in hexadecimal. */
void mask_add(struct mask *mask, const void *secret, size_t len);
/* Overwrites every occurrence with asterisks; how many there were. */
size_t mask_apply(const struct mask *mask, struct buf *text);
void mask_free(struct mask *mask);

#endif
