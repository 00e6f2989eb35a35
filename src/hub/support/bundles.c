/*
 * Happy path: asked (or not) -> created -> pieces at the file's end -> verified -> ready.
 *
 * What goes wrong: the machine does not begin, or says that it cannot; a piece at the wrong place
 * (it is told the right one); a content that is not what was announced; a full disk; a store that
 * does not take the row. Nothing here trusts the machine further than its bounds.
 */
#include "base/clock.h"
#include "base/file.h"
#include "hub/support/bundles_parts.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define TELL_EVERY_MS 500

/* --- the row -------------------------------------------------------------------------------- */

static void tell(struct bundles *bundles, const struct store_bundle *bundle)
{
	bundles->told_ms = clock_mono_us() / 1000;
	bundles->hooks.changed(bundles->hooks.data, bundle, bundles_received(bundles, bundle));
}

int64_t bundles_received(const struct bundles *bundles, const struct store_bundle *bundle)
{
	if (bundle->state == BUNDLE_READY)
		return bundle->size;
	return bundle->state == BUNDLE_UPLOADING ? bundle_file_size(bundles, bundle->id) : 0;
}

enum store_status bundle_put(
	struct bundles *bundles, const struct store_bundle *bundle, struct err *err)
{
	enum store_status status = DRIVER(bundles).change(bundles->store, bundle, err);
	if (status == STORE_OK)
		tell(bundles, bundle);
	return status;
}

enum store_status bundle_fail(struct bundles *bundles, struct store_bundle *bundle,
	const char *reason, int64_t now, struct err *err)
{
	bundle_file_remove(bundles, bundle->id);
	bundles->total -= bundle->size;
	bundle->size = 0;
	bundle->state = BUNDLE_FAILED;
	bundle->finished = now;
	free(bundle->reason);
	bundle->reason = xstrdup(reason);
	return bundle_put(bundles, bundle, err);
}

void bundle_drop(struct bundles *bundles, const struct store_bundle *bundle)
{
	bundle_file_remove(bundles, bundle->id);
	if (DRIVER(bundles).remove(bundles->store, bundle->id, NULL) == STORE_OK)
		bundles->total -= bundle->size;
}

/* The machine's bundle of that id, into the result; false when there is none of its own. */
static bool find(
	struct bundles *bundles, const char *server, const char *id, struct bundles_result *result)
{
	*result = (struct bundles_result){.said = BUNDLES_UNKNOWN};
	result->status = DRIVER(bundles).find(bundles->store, id, &result->bundle, &result->err);
	if (result->status == STORE_NOT_FOUND)
		return false;
	if (result->status != STORE_OK) {
		result->said = BUNDLES_STORE;
		return false;
	}
	if (strcmp(result->bundle.server, server) == 0)
		return true;
	store_bundle_free(&result->bundle);
	return false;
}

/* Ends a call in which nothing is handed out. */
static void refuse(struct bundles_result *result, enum bundles_said said)
{
	store_bundle_free(&result->bundle);
	result->said = said;
}

static void finish(struct bundles_result *result, enum store_status status, enum bundles_said said)
{
	result->status = status;
	if (status == STORE_OK)
		result->said = said;
	else
		refuse(result, status == STORE_FULL ? BUNDLES_FULL : BUNDLES_STORE);
}

/* --- one more ------------------------------------------------------------------------------- */

/* Makes room among the machine's own: those that ended go, the oldest first. False when one of its
 * own has not ended and is of the same kind: asked for, or not. */
static bool make_room(struct bundles *bundles, const char *server, bool asked, int64_t now,
	struct bundles_result *result)
{
	struct store_bundle_query query = {.server = server, .limit = 2 * BUNDLES_PER_SERVER};
	struct store_bundle_page page;
	bool room = true;
	result->status = DRIVER(bundles).list(bundles->store, &query, &page, &result->err);
	if (result->status != STORE_OK) {
		result->said = BUNDLES_STORE;
		return false;
	}
	for (size_t i = 0; room && i < page.count; i++) {
		struct store_bundle *row = &page.rows[i];
		bool open = row->state == BUNDLE_ASKED || row->state == BUNDLE_UPLOADING;
		bool own = !*row->requested_by;
		if (open && asked && !own) {
			result->said = BUNDLES_BUSY;
			room = false;
		} else if (!asked && own && now - row->requested < BUNDLES_PACE_S) {
			result->said = BUNDLES_SOON;
			room = false;
		} else if (open && !asked && own) {
			bundle_fail(bundles, row, "The machine began another one.", now, &result->err);
		} else if (i + 1 >= BUNDLES_PER_SERVER && !open) {
			bundle_drop(bundles, row);
		}
	}
	store_bundle_page_free(&page);
	return room;
}

static struct store_bundle new_row(const char *server, const char *by, int64_t now)
{
	struct store_bundle bundle = {
		.state = BUNDLE_ASKED,
		.reason = xstrdup(""),
		.requested_by = xstrdup(by),
		.manifest = xstrdup(""),
		.requested = now,
	};
	snprintf(bundle.server, sizeof bundle.server, "%s", server);
	return bundle;
}

/* Adds the row and reads it again, for the server's name. */
static void add(struct bundles *bundles, const struct store_bundle *row,
	struct bundles_result *result, enum bundles_said said)
{
	enum store_status status = DRIVER(bundles).add(bundles->store, row, &result->err);
	if (status == STORE_OK)
		status = DRIVER(bundles).find(bundles->store, row->id, &result->bundle, &result->err);
	if (status == STORE_OK) {
		bundles->total += row->size;
		tell(bundles, &result->bundle);
	}
	if (status == STORE_NOT_FOUND || status == STORE_EXISTS)
		refuse(result, BUNDLES_UNKNOWN);
	else
		finish(result, status, said);
}

void bundles_ask(struct bundles *bundles, const char *server, const char *by, int64_t now,
	struct bundles_result *result)
{
	unsigned char random[UPLOAD_ID_SIZE / 2];
	*result = (struct bundles_result){.said = BUNDLES_OK};
	if (!make_room(bundles, server, true, now, result))
		return;
	struct store_bundle row = new_row(server, by, now);
	randombytes_buf(random, sizeof random);
	sodium_bin2hex(row.id, sizeof row.id, random, sizeof random);
	add(bundles, &row, result, BUNDLES_CREATED);
	store_bundle_free(&row);
}

int bundles_failed(
	struct bundles *bundles, const char *server, const char *id, const char *reason, int64_t now)
{
	struct bundles_result result;
	if (!find(bundles, server, id, &result))
		return result.said == BUNDLES_UNKNOWN ? -1 : 0;
	bool open = result.bundle.state == BUNDLE_ASKED || result.bundle.state == BUNDLE_UPLOADING;
	if (open && !bundle_is_verified(bundles, id))
		bundle_fail(bundles, &result.bundle, reason, now, &result.err);
	store_bundle_free(&result.bundle);
	return 0;
}

/* --- the upload ----------------------------------------------------------------------------- */

static void fill(struct store_bundle *bundle, const struct bundles_wish *wish)
{
	bundle->state = BUNDLE_UPLOADING;
	bundle->size = wish->size;
	bundle->finished = 0;
	memcpy(bundle->hash, wish->hash, sizeof bundle->hash);
	free(bundle->manifest);
	bundle->manifest = xstrdup(wish->manifest);
	free(bundle->reason);
	bundle->reason = xstrdup("");
}

static void create_new(
	struct bundles *bundles, const struct bundles_wish *wish, struct bundles_result *result)
{
	if (!make_room(bundles, wish->server, false, wish->now, result))
		return;
	struct store_bundle row = new_row(wish->server, "", wish->now);
	memcpy(row.id, wish->id, sizeof row.id);
	fill(&row, wish);
	add(bundles, &row, result, BUNDLES_CREATED);
	store_bundle_free(&row);
}

/* It knows this one: what was asked for, what it said before, or another content than before. */
static void create_again(
	struct bundles *bundles, const struct bundles_wish *wish, struct bundles_result *result)
{
	struct store_bundle *bundle = &result->bundle;
	bool same =
		bundle->size == wish->size && memcmp(bundle->hash, wish->hash, sizeof bundle->hash) == 0;
	if (bundle->state == BUNDLE_READY || (bundle->state == BUNDLE_UPLOADING && same)) {
		result->offset = bundles_received(bundles, bundle);
		if (same)
			finish(result, STORE_OK, BUNDLES_OK);
		else
			refuse(result, BUNDLES_ENDED);
		return;
	}
	bundle_file_remove(bundles, bundle->id);
	bundles->total += wish->size - bundle->size;
	fill(bundle, wish);
	finish(result, bundle_put(bundles, bundle, &result->err), BUNDLES_CREATED);
}

void bundles_create(
	struct bundles *bundles, const struct bundles_wish *wish, struct bundles_result *result)
{
	bool known = find(bundles, wish->server, wish->id, result);
	if (!known && result->said != BUNDLES_UNKNOWN)
		return;
	if (bundle_is_verified(bundles, wish->id))
		refuse(result, BUNDLES_BUSY);
	else if (bundles->total + wish->size > BUNDLES_MAX_TOTAL)
		refuse(result, BUNDLES_FULL);
	else if (known)
		create_again(bundles, wish, result);
	else
		create_new(bundles, wish, result);
}

void bundles_look(
	struct bundles *bundles, const char *server, const char *id, struct bundles_result *result)
{
	if (!find(bundles, server, id, result))
		return;
	result->offset = bundles_received(bundles, &result->bundle);
	if (result->bundle.state == BUNDLE_UPLOADING || result->bundle.state == BUNDLE_READY)
		finish(result, STORE_OK, BUNDLES_OK);
	else
		refuse(result, BUNDLES_UNKNOWN);
}

static enum bundles_said judge_piece(
	const struct store_bundle *bundle, const struct bundles_piece *piece, int64_t offset)
{
	if (bundle->state == BUNDLE_READY)
		return piece->len == 0 && piece->offset == bundle->size ? BUNDLES_OK : BUNDLES_ENDED;
	if (bundle->state != BUNDLE_UPLOADING)
		return BUNDLES_UNKNOWN;
	if (piece->offset != offset)
		return BUNDLES_OFFSET;
	int64_t end = offset + (int64_t)piece->len;
	if (end > bundle->size || (piece->last && end != bundle->size))
		return BUNDLES_LENGTH;
	return piece->last ? BUNDLES_LAST : BUNDLES_CREATED;
}

static void write_piece(
	struct bundles *bundles, const struct bundles_piece *piece, struct bundles_result *result)
{
	if (piece->len &&
		bundle_file_append(bundles, piece->id, piece->offset, piece->data, piece->len)) {
		err_set(&result->err, "%s: %s", bundles->dir, strerror(errno));
		result->status = errno == ENOSPC ? STORE_FULL : STORE_ERROR;
		refuse(result, errno == ENOSPC || errno == EDQUOT ? BUNDLES_FULL : BUNDLES_STORE);
		return;
	}
	result->offset = piece->offset + (int64_t)piece->len;
	if (clock_mono_us() / 1000 - bundles->told_ms >= TELL_EVERY_MS)
		tell(bundles, &result->bundle);
}

void bundles_append(
	struct bundles *bundles, const struct bundles_piece *piece, struct bundles_result *result)
{
	if (!find(bundles, piece->server, piece->id, result))
		return;
	if (bundle_is_verified(bundles, piece->id)) {
		refuse(result, BUNDLES_BUSY);
		return;
	}
	result->offset = bundles_received(bundles, &result->bundle);
	enum bundles_said said = judge_piece(&result->bundle, piece, result->offset);
	result->said = said == BUNDLES_CREATED ? BUNDLES_OK : said;
	if (said == BUNDLES_CREATED || said == BUNDLES_LAST)
		write_piece(bundles, piece, result);
	else if (said != BUNDLES_OK)
		refuse(result, said);
}

/* --- life ----------------------------------------------------------------------------------- */

struct bundles *bundles_new(struct store *store, uv_loop_t *loop, const char *dir,
	const struct bundles_hooks *hooks, struct err *err)
{
	struct bundles *bundles = xcalloc(1, sizeof *bundles);
	bundles->store = store;
	bundles->loop = loop;
	bundles->hooks = *hooks;
	bundles->dir = xasprintf("%s/bundles", dir);
	if (file_make_dirs(bundles->dir, 0700, err)) {
		free(bundles->dir);
		free(bundles);
		return NULL;
	}
	bundles_compare(bundles);
	return bundles;
}

enum store_status bundles_remove(struct bundles *bundles, const char *id, struct err *err)
{
	struct store_bundle bundle;
	enum store_status status = DRIVER(bundles).find(bundles->store, id, &bundle, err);
	if (status != STORE_OK)
		return status;
	status = DRIVER(bundles).remove(bundles->store, id, err);
	if (status == STORE_OK) {
		bundles->total -= bundle.size;
		bundle_file_remove(bundles, id);
	}
	store_bundle_free(&bundle);
	return status;
}
