/*
 * What the files of the bundles share. Private to hub/bundles*.c.
 *
 * bundles.c is about asking and sending, bundles_file.c about the files, bundles_verify.c about the
 * digest, bundles_sweep.c about what has to go.
 */
#ifndef HUB_BUNDLES_PARTS_H
#define HUB_BUNDLES_PARTS_H

#include "hub/support/bundles.h"

struct verify;

struct bundles {
	struct store *store;
	uv_loop_t *loop;
	char *dir; /* owned */
	struct bundles_hooks hooks;
	struct verify *verifies; /* those that run */
	bool ending;
	int64_t total;    /* bytes that the rows stand for */
	int64_t swept_at; /* when the files were last compared with the rows */
	int64_t told_ms;  /* when progress was last told */
};

#define DRIVER(bundles) ((bundles)->store->driver->uploads)

/* 0 where there is none. */
int64_t bundle_file_size(const struct bundles *bundles, const char *id);
/* Of the last change of the file; 0 where there is none. */
int64_t bundle_file_time(const struct bundles *bundles, const char *id);
/* 0, or -1 with errno; nothing of the piece stays then. */
int bundle_file_append(
	const struct bundles *bundles, const char *id, int64_t offset, const void *data, size_t len);
void bundle_file_remove(const struct bundles *bundles, const char *id);
/* Removes every file for which `known` is false; it is given the name. */
void bundle_files_purge(
	const struct bundles *bundles, bool (*known)(void *data, const char *id), void *data);

bool bundle_is_verified(const struct bundles *bundles, const char *id); /* at this moment */
/* Writes the row and tells those who watch. */
enum store_status bundle_put(
	struct bundles *bundles, const struct store_bundle *bundle, struct err *err);
/* Becomes failed for this reason; its file goes. */
enum store_status bundle_fail(struct bundles *bundles, struct store_bundle *bundle,
	const char *reason, int64_t now, struct err *err);
void bundle_drop(struct bundles *bundles, const struct store_bundle *bundle);
/* Compares files and rows, and counts the total. */
void bundles_compare(struct bundles *bundles);

#endif
