/*
 * The same walk once more with one factor changed: what an experiment on TLS is made of. Private to
 * dial/.
 *
 * Fill the tries, again_run(), look at `end`. They run side by side, each on a connection of its
 * own to the very address that the walk went to (through the same proxy), no further than the walk
 * came: up to the end of the handshake, and after a request without an answer up to an answer's
 * head. Nothing is kept and no chain is judged, so a try says that the way passes, not that the
 * peer is the right one.
 */
#ifndef DIAL_AGAIN_H
#define DIAL_AGAIN_H

#include "dial/stage.h"

#define AGAIN_MAX 10

/* Segments that any path of today carries, and that IPv4 has to (RFC 791). */
#define AGAIN_MSS_SAFE  1200
#define AGAIN_MSS_LEAST 536
#define AGAIN_HEADERS   40 /* bytes of IPv4 and TCP around them */

enum again_end {
	AGAIN_UNKNOWN,  /* it did not get as far as the walk, or was cancelled */
	AGAIN_FAILED,   /* nothing came back, as on the walk */
	AGAIN_ANSWERED, /* TLS answered, with an alert or the beginning of a handshake */
	AGAIN_PASSED,
};

struct again {
	const char *name; /* of its evidence, a literal; NULL: not to be tried */
	struct dial_variation changed;
	enum again_end end;
	enum cause cause; /* how it failed */
};

/* At most `ms` in all, and never past the walk's deadline. */
void again_run(const struct walker *walker, struct again *tries, size_t count, int ms);
/* "passes", "the endpoint answers", "not known", or the cause. Adds it under the try's name. */
void again_evidence(const struct again *try, struct evidence *evidence);
/* A name that no filter lists: of the same length as `host` where that is long enough, so that the
 * ClientHello keeps its size. */
void again_neutral_name(const char *host, char name[TOKEN_MAX_HOST + 1]);

#endif
