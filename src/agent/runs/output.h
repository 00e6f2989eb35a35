/*
 * What a script writes, kept within a bound: its beginning as it comes, and its end.
 *
 *     output_open() output_write()* output_close()
 *
 * The file grows over all attempts of a run and never shrinks, so that what a hub has is always the
 * beginning of it. Of what one attempt writes past the bound the last bytes are held in memory and
 * follow at its end, after a line that says how many were left out.
 */
#ifndef AGENT_OUTPUT_H
#define AGENT_OUTPUT_H

#include "base/err.h"

#include <stdint.h>

#define OUTPUT_TAIL 16384 /* bytes of the end that are kept */

struct output {
	int fd;
	int64_t room;    /* bytes that may still be written as they come */
	char *tail;      /* owned; a ring */
	size_t tail_max; /* bytes; 0: the bound is too small for one */
	size_t tail_at, tail_len;
	int64_t dropped; /* bytes, the disk's fault included */
	int64_t unkept;  /* of these: bytes that the disk did not take */
};

/* limit: of the whole file, in bytes. */
int output_open(struct output *output, const char *path, int64_t limit, struct err *err);
void output_write(struct output *output, const char *data, size_t len);
/* Writes the end and brings all to the disk. */
void output_close(struct output *output);

#endif
