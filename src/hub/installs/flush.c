/*
 * What was gathered goes to the store in one commit; only then is it confirmed to the connectors,
 * and then those who watch are told. An install whose targets are all final leaves memory here.
 *
 * What goes wrong: the store does not take it. Nothing was changed then, nothing is confirmed, and
 * the next flush tries it all again.
 */
#include "hub/installs/parts.h"

#include <string.h>
#include <time.h>

static enum store_status write_one(
	struct installs *installs, struct installs_one *one, struct err *err)
{
	one->row.state = installs_state(one);
	if (one->row.state >= STORE_INSTALL_DONE && !one->row.finished)
		one->row.finished = time(NULL);
	else if (one->row.state < STORE_INSTALL_DONE)
		one->row.finished = 0;
	return installs->store->driver->installs.change(installs->store, &one->row, err);
}

/* *written gets the number of targets, which are the first ones of the list. */
static enum store_status write_some(struct installs *installs, size_t *written, struct err *err)
{
	const struct store_driver *driver = installs->store->driver;
	struct installs_target *target = TAILQ_FIRST(&installs->dirty);
	struct installs_one *one;
	enum store_status status = driver->begin(installs->store, true, err);
	if (status != STORE_OK)
		return status;
	for (; target && *written < INSTALLS_FLUSH_ROWS && status == STORE_OK; ++*written) {
		status = driver->installs.target_change(installs->store, &target->row, err);
		target = TAILQ_NEXT(target, of_dirty);
	}
	TAILQ_FOREACH (one, &installs->all, of_all)
		if (one->dirty && status == STORE_OK)
			status = write_one(installs, one, err);
	if (status == STORE_OK)
		return driver->commit(installs->store, err);
	driver->rollback(installs->store);
	return status;
}

/* --- afterwards ------------------------------------------------------------------------------ */

static void confirm_owed(struct installs *installs, struct installs_owed **owed)
{
	struct installs_owed *at = *owed;
	*owed = NULL;
	for (struct installs_owed *next; at; at = next) {
		next = at->next;
		installs->hooks.confirm(installs->hooks.data, &at->receipt);
		free(at);
	}
}

/* What is long stands in the store now. */
static void drop_texts(struct store_target *row)
{
	char **const texts[] = {&row->stage, &row->outcome, &row->sentence, &row->remedy,
		&row->evidence, &row->host_key, &row->facts};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		free(*texts[i]);
		*texts[i] = NULL;
	}
}

static void note_change(struct installs_one *one, int64_t seq)
{
	one->event = true;
	for (size_t i = 0; i < one->changed_count; i++)
		if (one->changed[i] == seq)
			return;
	if (one->changed_count == INSTALLS_EVENT_ROWS)
		one->changed_more = true;
	else
		one->changed[one->changed_count++] = seq;
}

static void settle(struct installs *installs, size_t written, bool watched)
{
	struct installs_one *one;
	for (; written; written--) {
		struct installs_target *target = TAILQ_FIRST(&installs->dirty);
		TAILQ_REMOVE(&installs->dirty, target, of_dirty);
		target->dirty = false;
		drop_texts(&target->row);
		confirm_owed(installs, &target->owed);
		if (watched)
			note_change(target->install, target->row.seq);
	}
	TAILQ_FOREACH (one, &installs->all, of_all) {
		one->event |= one->dirty && watched;
		one->dirty = false;
		confirm_owed(installs, &one->owed);
		if (one->go_due)
			installs_send_go(installs, one);
	}
}

static void tell(struct installs *installs, struct installs_one *one, int64_t now_ms)
{
	one->event = false;
	one->told_ms = now_ms;
	installs->hooks.changed(installs->hooks.data, one->row.id, one->row.location, one->changed,
		one->changed_count, one->changed_more);
	one->changed_count = 0;
	one->changed_more = false;
}

static bool is_over(const struct installs_one *one)
{
	for (size_t i = 0; i < one->count; i++)
		if (one->targets[i].dirty || one->targets[i].late_until ||
			installs_target_is_live(one->targets[i].row.state))
			return false;
	return one->row.finished && !one->dirty && !one->event && !one->owed;
}

/* A few events a second for each install, whatever happens in it. */
static void tell_all(struct installs *installs, int64_t now_ms)
{
	struct installs_one *one, *next;
	for (one = TAILQ_FIRST(&installs->all); one; one = next) {
		next = TAILQ_NEXT(one, of_all);
		int64_t wait_ms = one->told_ms + INSTALLS_EVENT_MS - now_ms;
		if (one->event && (!one->told_ms || wait_ms <= 0))
			tell(installs, one, now_ms);
		else if (one->event)
			installs->hooks.wake(installs->hooks.data, wait_ms);
		if (one->row.finished)
			installs_drop_boxes(one);
		if (is_over(one))
			installs_drop_one(installs, one);
	}
}

enum store_status installs_flush(struct installs *installs, int64_t now_ms, struct err *err)
{
	bool watched = installs->hooks.watched(installs->hooks.data), dirty = false;
	struct installs_one *one;
	TAILQ_FOREACH (one, &installs->all, of_all)
		dirty |= one->dirty;
	if (dirty || !TAILQ_EMPTY(&installs->dirty)) {
		size_t written = 0;
		enum store_status status = write_some(installs, &written, err);
		if (status != STORE_OK)
			return status;
		settle(installs, written, watched);
	}
	tell_all(installs, now_ms);
	if (!TAILQ_EMPTY(&installs->dirty))
		installs->hooks.wake(installs->hooks.data, 0);
	return STORE_OK;
}
