/*
 * Sends a support bundle to the hub's upload endpoint, in pieces, and goes on where it was when the
 * connection breaks (wire/upload.h).
 *
 * Each connection is a walk of its own, through the proxy where there is one, on which the hub
 * proves itself before anything is sent. Where the endpoint cannot be had at all, discovery is
 * asked whether it has moved. The call blocks; a cancel ends it.
 */
#ifndef AGENT_UPLOAD_H
#define AGENT_UPLOAD_H

#include "agent/state.h"
#include "dial/dial.h"
#include "wire/upload.h"

#include <jansson.h>

#define UPLOAD_TRIES 6 /* in a row without a byte of progress, once it has begun */

struct upload {
	const char *root;                /* may be NULL */
	const struct agent_paths *paths; /* borrowed */
	struct agent_state *state;       /* borrowed; it learns where the endpoint is */
	const struct cancel *cancel;     /* may be NULL */
	char id[UPLOAD_ID_SIZE];
	int fd; /* the archive, open for reading; borrowed */
	int64_t size;
	unsigned char hash[UPLOAD_HASH_BYTES];
	const json_t *manifest; /* borrowed */
	/* Told after each piece; `note` is why it waits, NULL while it goes on. May be NULL. */
	void (*on_progress)(void *data, int64_t sent, const char *note);
	void *data;
	int64_t retry_ms; /* first wait after a lost connection; 0: a second */
};

enum upload_result {
	UPLOAD_DONE,
	UPLOAD_NO_WAY,  /* `failure` says why the endpoint cannot be had */
	UPLOAD_REFUSED, /* `err` says what the hub said, or what else is wrong */
};

enum upload_result upload_send(struct upload *upload, struct finding *failure, struct err *err);

#endif
