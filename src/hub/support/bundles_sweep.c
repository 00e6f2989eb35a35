/* What has to go: bundles that are overdue or old, and files that nobody knows. */
#include "hub/support/bundles_parts.h"

#include <stdio.h>
#include <string.h>

#define COMPARE_EVERY_S 3600
#define AT_ONCE         64 /* rows of one kind in one sweep */

/* Rows that have to go, gathered first: nothing is changed while the store is read. */
struct overdue {
	struct bundles *bundles;
	int64_t now;
	bool (*is)(const struct overdue *overdue, const struct store_bundle *bundle);
	char ids[AT_ONCE][UPLOAD_ID_SIZE];
	size_t count;
};

static bool has_not_begun(const struct overdue *overdue, const struct store_bundle *bundle)
{
	return overdue->now - bundle->requested > BUNDLES_ANSWER_S;
}

static bool has_stalled(const struct overdue *overdue, const struct store_bundle *bundle)
{
	int64_t last = bundle_file_time(overdue->bundles, bundle->id);
	if (last < bundle->requested)
		last = bundle->requested;
	return overdue->now - last > BUNDLES_STALL_S;
}

static bool is_old(const struct overdue *overdue, const struct store_bundle *bundle)
{
	return overdue->now - bundle->requested > BUNDLES_AGE_S;
}

static void gather(void *data, const struct store_bundle *bundle)
{
	struct overdue *overdue = data;
	if (overdue->count < AT_ONCE && overdue->is(overdue, bundle) &&
		!bundle_is_verified(overdue->bundles, bundle->id))
		memcpy(overdue->ids[overdue->count++], bundle->id, UPLOAD_ID_SIZE);
}

/* `reason` NULL: they are dropped. */
static void end_overdue(struct overdue *overdue, enum store_bundle_state state, const char *reason)
{
	struct bundles *bundles = overdue->bundles;
	overdue->count = 0;
	if (DRIVER(bundles).each(bundles->store, state, gather, overdue, NULL) != STORE_OK)
		return;
	for (size_t i = 0; i < overdue->count; i++) {
		struct store_bundle bundle;
		if (DRIVER(bundles).find(bundles->store, overdue->ids[i], &bundle, NULL) != STORE_OK)
			continue;
		if (reason)
			bundle_fail(bundles, &bundle, reason, overdue->now, NULL);
		else
			bundle_drop(bundles, &bundle);
		store_bundle_free(&bundle);
	}
}

static bool has_file(void *data, const char *id)
{
	struct bundles *bundles = data;
	struct store_bundle bundle;
	enum store_status status = DRIVER(bundles).find(bundles->store, id, &bundle, NULL);
	if (status != STORE_OK)
		return status != STORE_NOT_FOUND; /* in doubt it stays */
	bool has = bundle.state == BUNDLE_UPLOADING || bundle.state == BUNDLE_READY;
	store_bundle_free(&bundle);
	return has;
}

static void count_up(void *data, const struct store_bundle *bundle)
{
	int64_t *total = data;
	*total += bundle->size;
}

void bundles_compare(struct bundles *bundles)
{
	int64_t total = 0;
	bundle_files_purge(bundles, has_file, bundles);
	if (DRIVER(bundles).each(bundles->store, BUNDLE_STATES, count_up, &total, NULL) == STORE_OK)
		bundles->total = total;
}

void bundles_sweep(struct bundles *bundles, int64_t now)
{
	struct overdue overdue = {.bundles = bundles, .now = now, .is = has_not_begun};
	end_overdue(&overdue, BUNDLE_ASKED, "The machine did not begin to send it within 10 minutes.");
	overdue.is = has_stalled;
	end_overdue(&overdue, BUNDLE_UPLOADING, "The upload stood still for a day.");
	if (now - bundles->swept_at < COMPARE_EVERY_S)
		return;
	bundles->swept_at = now;
	overdue.is = is_old;
	end_overdue(&overdue, BUNDLE_READY, NULL);
	end_overdue(&overdue, BUNDLE_FAILED, NULL);
	bundles_compare(bundles);
}
