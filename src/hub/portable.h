/*
 * The portable agent's files, one an architecture, which connectors fetch for their neighbours.
 *
 * They stand in one folder as sallyport-ARCH. A file is read again when it was replaced; its hash
 * is worked out on a thread of the pool, so that nobody waits for it, and until then there is none.
 * Requests read from the file itself: it is never in memory as a whole.
 */
#ifndef HUB_PORTABLE_H
#define HUB_PORTABLE_H

#include <jansson.h>
#include <stdint.h>
#include <uv.h>

#define PORTABLE_FOLDER    "/usr/share/sallyport/portable" /* below --root */
#define PORTABLE_PATH      "/v1/portable"
#define PORTABLE_HASH_SIZE 65    /* of SHA-256 in hexadecimal digits, and NUL */
#define PORTABLE_LOOK_MS   10000 /* between two looks whether a file was replaced */

struct portable;

/* `folder` is copied. */
struct portable *portable_new(uv_loop_t *loop, const char *folder);
/* Before the loop is run for the last time: what is at work ends by itself. */
void portable_free(struct portable *portable);
/* Looks whether files were replaced. */
void portable_look(struct portable *portable);
/* {ARCH: {path, sha256, size}} of those that are there; new reference. */
json_t *portable_json(const struct portable *portable);
/* A descriptor of the file, owned by the caller, with its size and hash; -1: there is none. */
int portable_open(const struct portable *portable, const char *arch, int64_t *size,
	char hash[PORTABLE_HASH_SIZE]);

#endif
