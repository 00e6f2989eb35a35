/*
 * What waited for too long: connectors that are away, commands that say nothing, machines that do
 * not appear, credentials that were kept long enough.
 */
#include "hub/installs/parts.h"

#include <stdio.h>
#include <string.h>

#define PRUNE_MS 3600000

static void look_at_connector(
	struct installs *installs, struct installs_one *one, int64_t now, int64_t now_ms)
{
	bool ready;
	uint64_t instance;
	bool here =
		installs->hooks.session(installs->hooks.data, one->row.connector, &ready, &instance) != 0;
	if (here) {
		one->away_ms = 0;
		if (one->ask_at_ms && now_ms >= one->ask_at_ms)
			installs_ask_again(installs, one);
		return;
	}
	if (!one->away_ms)
		one->away_ms = now_ms;
	else if (now_ms - one->away_ms >= INSTALLS_AWAY_MS)
		installs_hand_over(installs, one, "The connector is offline.", now);
}

static void look_at_target(struct installs *installs, struct installs_target *target, int64_t now)
{
	int64_t joined = target->joined;
	installs_look_online(installs, target, now);
	if (target->row.state == TARGET_JOINED && now - joined >= INSTALLS_APPEAR_S) {
		installs_fail(installs, target, OUTCOME_NEVER_APPEARED, NULL, now);
		target->late_until = now + INSTALLS_LATE_S;
	} else if (target->late_until && now >= target->late_until) {
		target->late_until = 0;
		installs_touch_one(installs, target->install);
	}
}

static void look_at_targets(struct installs *installs, struct installs_one *one, int64_t now)
{
	for (size_t i = 0; i < one->count; i++)
		if (one->targets[i].row.state == TARGET_JOINED || one->targets[i].late_until)
			look_at_target(installs, &one->targets[i], now);
}

static bool has_work(const struct installs_one *one, bool waiting_only)
{
	for (size_t i = 0; i < one->count; i++) {
		enum store_target_state state = one->targets[i].row.state;
		if (state != TARGET_JOINED && installs_target_is_live(state) &&
			(!waiting_only || state == TARGET_WORKING))
			return true;
	}
	return false;
}

static void sweep_one(
	struct installs *installs, struct installs_one *one, int64_t now, int64_t now_ms)
{
	if (!one->boxes_ms)
		one->boxes_ms = one->heard_ms = now_ms;
	look_at_targets(installs, one, now);
	if (one->cancel && !one->cancel_ms)
		one->cancel_ms = now_ms;
	if (!has_work(one, false))
		return;
	if (one->cancel && now_ms - one->cancel_ms >= INSTALLS_END_MS)
		installs_fail_rest(installs, one, OUTCOME_CANCELLED, NULL, now);
	else if (one->row.by_command && now_ms - one->heard_ms >= INSTALLS_SILENT_MS)
		installs_hand_over(installs, one, "The command says nothing any more.", now);
	else if (!one->row.by_command)
		look_at_connector(installs, one, now, now_ms);
	if (one->box_count && now_ms - one->boxes_ms >= INSTALLS_BOX_MS)
		installs_drop_boxes(one);
	if (!one->row.by_command && now_ms - one->boxes_ms >= INSTALLS_BOX_MS && !has_work(one, true) &&
		has_work(one, false)) {
		installs_send_end(installs, one);
		installs_fail_rest(
			installs, one, OUTCOME_CREDENTIALS_GONE, "nobody started it within an hour", now);
	}
}

void installs_sweep(struct installs *installs, int64_t now, int64_t now_ms)
{
	struct installs_one *one, *next;
	for (one = TAILQ_FIRST(&installs->all); one; one = next) {
		next = TAILQ_NEXT(one, of_all);
		sweep_one(installs, one, now, now_ms);
	}
	if (installs->prune_ms && now_ms < installs->prune_ms)
		return;
	installs->prune_ms = now_ms + PRUNE_MS;
	installs->store->driver->installs.prune(
		installs->store, now - INSTALLS_KEEP_S, INSTALLS_KEEP_COUNT, NULL);
}
