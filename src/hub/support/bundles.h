/*
 * Support bundles of machines: who asked for which, their files, and how long they stay.
 *
 * Somebody asks (bundles_ask()) or a machine comes by itself; it creates the upload, sends it piece
 * by piece, and after the last one the whole is read again on a thread of its own and compared with
 * the digest (bundles_verify()). Only here a bundle changes its state: asked, uploading, ready or
 * failed; a machine that comes after all with one that was given up is still let in. The
 * files stand below the hub's state folder, DIR/bundles/ID, mode 0600; what is there of an upload
 * is the file's length, so it can go on after a restart.
 *
 * Everything is bounded: a bundle (UPLOAD_MAX_BYTES), those of a machine, all together, and their
 * age. A machine can displace its own bundles only. A file that no row knows goes with the next
 * sweep, so that a removed server leaves nothing behind.
 *
 * The store is borrowed. Times are seconds since 1970.
 */
#ifndef HUB_BUNDLES_H
#define HUB_BUNDLES_H

#include "store/store.h"

#include <uv.h>

#define BUNDLES_PER_SERVER 10
#define BUNDLES_MAX_TOTAL  INT64_C(4294967296) /* bytes of all files */
#define BUNDLES_AGE_S      2592000             /* 30 days */
#define BUNDLES_ANSWER_S   600   /* for a machine that was asked to begin the upload */
#define BUNDLES_STALL_S    86400 /* without a byte, an upload is given up */
#define BUNDLES_PACE_S     5     /* a machine may begin one by itself this often */

struct bundles;

struct bundles_hooks {
	/* The row is in the store like this, and so much of the file is there. */
	void (*changed)(void *data, const struct store_bundle *bundle, int64_t received);
	void *data;
};

enum bundles_said {
	BUNDLES_OK,
	BUNDLES_CREATED,
	BUNDLES_LAST, /* that was the last piece: bundles_verify() */
	BUNDLES_UNKNOWN,
	BUNDLES_BUSY,   /* another one of this machine is not ready yet, or this one is verified */
	BUNDLES_SOON,   /* the machine comes too often */
	BUNDLES_OFFSET, /* the piece does not belong there: `offset` says where it goes on */
	BUNDLES_LENGTH, /* longer than was said, or the last piece too early */
	BUNDLES_ENDED,  /* it is ready, with another content */
	BUNDLES_FULL,   /* no room, on the disk or within the bounds */
	BUNDLES_STORE,  /* the store, or the file: `err` */
};

/* What was done; `bundle` is filled with BUNDLES_OK, _CREATED and _LAST, and owned by the caller.
 */
struct bundles_result {
	enum bundles_said said;
	struct store_bundle bundle;
	int64_t offset;
	enum store_status status; /* with BUNDLES_STORE */
	struct err err;
};

/* NULL with err when its folder cannot be made. Files that no row knows are removed. */
struct bundles *bundles_new(struct store *store, uv_loop_t *loop, const char *dir,
	const struct bundles_hooks *hooks, struct err *err);
/* Waits for what is being verified. */
void bundles_free(struct bundles *bundles);

/* The caller then asks the machine. */
void bundles_ask(struct bundles *bundles, const char *server, const char *by, int64_t now,
	struct bundles_result *result);
/* The machine cannot or will not; -1 when it is none that it was asked for. */
int bundles_failed(
	struct bundles *bundles, const char *server, const char *id, const char *reason, int64_t now);

struct bundles_wish {
	const char *server, *id;
	int64_t size;
	const unsigned char *hash; /* UPLOAD_HASH_BYTES */
	const char *manifest;      /* JSON */
	int64_t now;
};

void bundles_create(
	struct bundles *bundles, const struct bundles_wish *wish, struct bundles_result *result);
void bundles_look(
	struct bundles *bundles, const char *server, const char *id, struct bundles_result *result);

struct bundles_piece {
	const char *server, *id;
	int64_t offset;
	const void *data;
	size_t len;
	bool last;
	int64_t now;
};

void bundles_append(
	struct bundles *bundles, const struct bundles_piece *piece, struct bundles_result *result);
/* Tells `done` once, later, how it came out: BUNDLES_OK, or BUNDLES_LENGTH when the content is not
 * what was announced. The bundle is copied. */
typedef void bundles_done(void *data, const struct bundles_result *result);
void bundles_verify(
	struct bundles *bundles, const struct store_bundle *bundle, bundles_done *done, void *data);

/* How much of it is there. */
int64_t bundles_received(const struct bundles *bundles, const struct store_bundle *bundle);
/* The file of one that is ready; -1 with errno. */
int bundles_open(const struct bundles *bundles, const char *id);
enum store_status bundles_remove(struct bundles *bundles, const char *id, struct err *err);
/* Gives up what is overdue and drops what is old; about every quarter of a minute. */
void bundles_sweep(struct bundles *bundles, int64_t now);

#endif
