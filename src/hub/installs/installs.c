/*
 * The installs in memory, and how their targets move.
 *
 * Happy path of a target: waiting -> looking -> ready -> working -> joined -> online. What goes
 * wrong ends as failed, cancelled or absent; where there was nothing to do it is kept. Handed over
 * to another connector, a target that is not final waits again. A late session makes even one that
 * never appeared online. An install leaves memory once all its targets are final and the store has
 * them.
 */
#include "hub/installs/parts.h"

#include "base/json.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define BIT(state) (1u << (state))
#define ENDED                                                                                      \
	(BIT(TARGET_FAILED) | BIT(TARGET_CANCELLED) | BIT(TARGET_KEPT) | BIT(TARGET_REMOVED) |         \
		BIT(TARGET_ABSENT))

/* Where a target may go from where it is. A connector's events are whole: those in between may be
 * left out. Back to waiting it comes by a hand-over alone, see said.c for who may say what. */
static const unsigned allowed[TARGET_STATES] = {
	[TARGET_WAITING] = BIT(TARGET_LOOKING) | BIT(TARGET_READY) | ENDED,
	[TARGET_LOOKING] = BIT(TARGET_WAITING) | BIT(TARGET_READY) | ENDED,
	[TARGET_READY] = BIT(TARGET_WAITING) | BIT(TARGET_WORKING) | BIT(TARGET_JOINED) | ENDED,
	[TARGET_WORKING] = BIT(TARGET_WAITING) | BIT(TARGET_JOINED) | ENDED,
	[TARGET_JOINED] = BIT(TARGET_ONLINE) | BIT(TARGET_FAILED),
	[TARGET_FAILED] = BIT(TARGET_ONLINE),
};

bool installs_target_is_live(enum store_target_state state)
{
	return (unsigned)state < TARGET_STATES && STORE_TARGETS_LIVE & BIT(state);
}

/* --- finding ------------------------------------------------------------------------------- */

struct installs_one *installs_find(const struct installs *installs, const char *id)
{
	struct installs_one *one;
	TAILQ_FOREACH (one, &installs->all, of_all)
		if (strcmp(one->row.id, id) == 0)
			return one;
	return NULL;
}

static int by_seq(const void *a, const void *b)
{
	const struct installs_target *left = a, *right = b;
	return left->row.seq < right->row.seq ? -1 : left->row.seq > right->row.seq;
}

struct installs_target *installs_find_target(const struct installs_one *one, int64_t seq)
{
	const struct installs_target wanted = {.row = {.seq = seq}};
	return one->count ? bsearch(&wanted, one->targets, one->count, sizeof wanted, by_seq) : NULL;
}

int64_t installs_target_number(const char *id)
{
	size_t len = strlen(id);
	bool number = len && len < 19 && strspn(id, "0123456789") == len && *id != '0';
	return number ? strtoll(id, NULL, 10) : 0;
}

bool installs_is_live(const struct installs *installs, const char *id)
{
	return installs_find(installs, id) != NULL;
}

/* --- the lists ------------------------------------------------------------------------------ */

void installs_set_text(char **text, const char *value)
{
	char *copy = xstrdup(value);
	free(*text);
	*text = copy;
}

static struct installs_one *add_one(
	struct installs *installs, const struct store_install *row, size_t count)
{
	struct installs_one *one = xcalloc(1, sizeof *one);
	one->row = *row;
	one->row.location = xstrdup(row->location);
	one->row.action = xstrdup(row->action);
	one->row.created_by = xstrdup(row->created_by);
	one->row.reason = xstrdup(row->reason ? row->reason : "");
	one->row.hosts = one->row.user = one->row.connector_name = NULL;
	one->targets = xcalloc(count ? count : 1, sizeof *one->targets);
	TAILQ_INSERT_TAIL(&installs->all, one, of_all);
	return one;
}

static void add_target(struct installs_one *one, const struct store_target *row)
{
	struct installs_target *target = &one->targets[one->count++];
	target->install = one;
	target->row = *row;
	target->row.host = xstrdup(row->host);
	target->row.user = xstrdup(row->user);
	target->row.location = target->row.action = target->row.name = NULL;
	target->row.stage = target->row.outcome = target->row.sentence = target->row.remedy = NULL;
	target->row.evidence = target->row.host_key = target->row.facts = NULL;
}

void installs_drop_boxes(struct installs_one *one)
{
	for (size_t i = 0; i < one->box_count; i++) {
		sodium_memzero(one->boxes[i].text, strlen(one->boxes[i].text));
		free(one->boxes[i].text);
	}
	free(one->boxes);
	one->boxes = NULL;
	one->box_count = 0;
}

size_t installs_box_bytes(const struct installs *installs)
{
	const struct installs_one *one;
	size_t bytes = 0;
	TAILQ_FOREACH (one, &installs->all, of_all)
		for (size_t i = 0; i < one->box_count; i++)
			bytes += strlen(one->boxes[i].text);
	return bytes;
}

static void drop_owed(struct installs_owed **owed)
{
	for (struct installs_owed *next; *owed; *owed = next) {
		next = (*owed)->next;
		free(*owed);
	}
}

void installs_drop_one(struct installs *installs, struct installs_one *one)
{
	for (size_t i = 0; i < one->count; i++) {
		struct installs_target *target = &one->targets[i];
		if (target->dirty)
			TAILQ_REMOVE(&installs->dirty, target, of_dirty);
		drop_owed(&target->owed);
		store_target_free(&target->row);
	}
	drop_owed(&one->owed);
	installs_drop_boxes(one);
	TAILQ_REMOVE(&installs->all, one, of_all);
	free(one->targets);
	store_install_free(&one->row);
	free(one);
}

void installs_touch_one(struct installs *installs, struct installs_one *one)
{
	one->dirty = true;
	installs->hooks.wake(installs->hooks.data, INSTALLS_FLUSH_MS);
}

void installs_touch(struct installs *installs, struct installs_target *target, int64_t now)
{
	target->row.updated = now;
	if (!target->dirty) {
		target->dirty = true;
		TAILQ_INSERT_TAIL(&installs->dirty, target, of_dirty);
	}
	installs_touch_one(installs, target->install);
}

/* --- moving --------------------------------------------------------------------------------- */

bool installs_move(struct installs *installs, struct installs_target *target,
	enum store_target_state state, int64_t now)
{
	enum store_target_state before = target->row.state;
	if (!(allowed[before] & BIT(state)))
		return false;
	target->row.state = state;
	target->install->joined += state == TARGET_JOINED;
	target->install->joined -= before == TARGET_JOINED;
	target->joined = state == TARGET_JOINED ? now : 0;
	installs_touch(installs, target, now);
	return true;
}

void installs_fail(struct installs *installs, struct installs_target *target, enum outcome outcome,
	const char *why, int64_t now)
{
	const struct outcome_info *info = outcome_info(outcome);
	struct evidence evidence = {0};
	bool cancelled = outcome == OUTCOME_CANCELLED;
	if (!installs_move(installs, target, cancelled ? TARGET_CANCELLED : TARGET_FAILED, now))
		return;
	if (why)
		evidence_add(&evidence, "reason", "%s", why);
	cleanup(free_ptr) char *sentence = outcome_sentence(outcome, &evidence);
	cleanup(free_ptr) char *remedy = outcome_remedy(outcome, &evidence);
	cleanup(json_drop) json_t *list =
		why ? json_pack("[{s:s,s:s}]", "name", "reason", "value", evidence_get(&evidence, "reason"))
			: json_array();
	free(target->row.evidence);
	target->row.evidence = json_text(list);
	installs_set_text(&target->row.outcome, info->id);
	installs_set_text(&target->row.sentence, sentence);
	installs_set_text(&target->row.remedy, remedy);
	if (outcome == OUTCOME_NEVER_APPEARED)
		installs_set_text(&target->row.stage, install_stage_name(info->stage));
	evidence_free(&evidence);
}

void installs_fail_rest(struct installs *installs, struct installs_one *one, enum outcome outcome,
	const char *why, int64_t now)
{
	for (size_t i = 0; i < one->count; i++)
		if (one->targets[i].row.state != TARGET_JOINED &&
			installs_target_is_live(one->targets[i].row.state))
			installs_fail(installs, &one->targets[i], outcome, why, now);
	installs_touch_one(installs, one);
}

enum store_install_state installs_state(const struct installs_one *one)
{
	size_t counts[TARGET_STATES] = {0}, going = 0;
	for (size_t i = 0; i < one->count; i++) {
		const struct store_target *row = &one->targets[i].row;
		counts[row->state]++;
		going += row->state == TARGET_READY && row->confirmed;
	}
	if (counts[TARGET_WORKING] || counts[TARGET_JOINED] || going)
		return STORE_INSTALL_WORKING;
	if (counts[TARGET_WAITING] || counts[TARGET_LOOKING])
		return STORE_INSTALL_LOOKING;
	if (counts[TARGET_READY])
		return STORE_INSTALL_WAITING;
	return one->cancel ? STORE_INSTALL_CANCELLED : STORE_INSTALL_DONE;
}

void installs_look_online(struct installs *installs, struct installs_target *target, int64_t now)
{
	bool ready = false;
	uint64_t instance;
	if ((target->row.state != TARGET_JOINED && !target->late_until) || !*target->row.server ||
		!installs->hooks.session(installs->hooks.data, target->row.server, &ready, &instance) ||
		!ready || !installs_move(installs, target, TARGET_ONLINE, now))
		return;
	target->late_until = 0;
	installs_set_text(&target->row.stage, install_stage_name(INSTALL_ONLINE));
	installs_set_text(&target->row.outcome, "");
	installs_set_text(&target->row.sentence, "");
	installs_set_text(&target->row.remedy, "");
	installs_set_text(&target->row.evidence, "[]");
}

/* --- making --------------------------------------------------------------------------------- */

static void take_boxes(struct installs_one *one, const json_t *boxes)
{
	const char *server;
	json_t *text;
	one->boxes = xcalloc(json_object_size(boxes) + 1, sizeof *one->boxes);
	json_object_foreach((json_t *)boxes, server, text)
	{
		struct installs_box *box = &one->boxes[one->box_count++];
		snprintf(box->server, sizeof box->server, "%s", server);
		box->text = xstrdup(json_string_value(text));
	}
}

static size_t count_live(const struct installs *installs)
{
	const struct installs_one *one;
	size_t count = 0;
	TAILQ_FOREACH (one, &installs->all, of_all)
		count += !one->row.finished;
	return count;
}

static void fill_id(const struct installs_wish *wish, struct store_install *row)
{
	unsigned char raw[(STORE_INSTALL_ID_SIZE - 1) / 2];
	randombytes_buf(raw, sizeof raw);
	sodium_bin2hex(row->id, sizeof row->id, raw, sizeof raw);
	if (wish->id)
		snprintf(row->id, sizeof row->id, "%s", wish->id);
}

enum installs_said installs_ask(
	struct installs *installs, struct installs_wish *wish, char id[STORE_INSTALL_ID_SIZE])
{
	struct store_install *row = &wish->row;
	if (count_live(installs) >= INSTALLS_MAX_LIVE)
		return INSTALLS_FULL;
	fill_id(wish, row);
	row->state = STORE_INSTALL_LOOKING;
	row->by_command = wish->command != NULL;
	row->finished = 0;
	row->reason = NULL;
	struct installs_one *one = add_one(installs, row, wish->count);
	if (wish->boxes)
		take_boxes(one, wish->boxes);
	const struct installs_box *box =
		wish->command ? NULL : installs_choose(installs, one, &one->session, &one->instance);
	if (!wish->command && !box) {
		installs_drop_one(installs, one);
		return INSTALLS_NOBODY;
	}
	snprintf(
		row->connector, sizeof row->connector, "%s", wish->command ? wish->command : box->server);
	for (size_t i = 0; i < wish->count; i++)
		wish->targets[i].state = TARGET_WAITING;
	wish->status = installs->store->driver->installs.add(
		installs->store, row, wish->targets, wish->count, &wish->err);
	if (wish->status != STORE_OK) {
		installs_drop_one(installs, one);
		return INSTALLS_LATER;
	}
	one->row.seq = row->seq;
	memcpy(one->row.connector, row->connector, sizeof one->row.connector);
	for (size_t i = 0; i < wish->count; i++) {
		wish->targets[i].updated = row->created;
		wish->targets[i].sent = wish->targets[i].total = -1;
		add_target(one, &wish->targets[i]);
	}
	memcpy(id, row->id, sizeof row->id);
	if (!wish->command)
		installs_begin(installs, one, row->created);
	return INSTALLS_NEW;
}

/* --- from the outside ----------------------------------------------------------------------- */

void installs_enrolled(struct installs *installs, int64_t seq, const char *server, int64_t now)
{
	struct installs_one *one;
	TAILQ_FOREACH (one, &installs->all, of_all) {
		struct installs_target *target = installs_find_target(one, seq);
		if (!target)
			continue;
		snprintf(target->row.server, sizeof target->row.server, "%s", server);
		installs_touch(installs, target, now);
	}
}

void installs_renamed(struct installs *installs, const char *from, const char *to)
{
	struct installs_one *one;
	TAILQ_FOREACH (one, &installs->all, of_all)
		if (strcasecmp(one->row.location, from) == 0)
			installs_set_text(&one->row.location, to);
}

struct installs *installs_new(struct store *store, const struct installs_hooks *hooks)
{
	struct installs *installs = xcalloc(1, sizeof *installs);
	installs->store = store;
	installs->hooks = *hooks;
	TAILQ_INIT(&installs->all);
	TAILQ_INIT(&installs->dirty);
	return installs;
}

void installs_free(struct installs *installs)
{
	struct installs_one *one, *next;
	if (!installs)
		return;
	for (one = TAILQ_FIRST(&installs->all); one; one = next) {
		next = TAILQ_NEXT(one, of_all);
		installs_drop_one(installs, one);
	}
	free(installs);
}

static enum store_status load_targets(
	struct installs *installs, struct installs_one *one, struct err *err)
{
	struct store_target_query query = {
		.install = one->row.seq, .states = STORE_TARGETS_ALL, .limit = STORE_MAX_LIST};
	do {
		struct store_target_page page;
		enum store_status status =
			installs->store->driver->installs.targets(installs->store, &query, &page, err);
		if (status != STORE_OK)
			return status;
		for (size_t i = 0; i < page.count && one->count < INSTALLS_MAX_TARGETS; i++) {
			add_target(one, &page.rows[i]);
			one->joined += page.rows[i].state == TARGET_JOINED;
			one->targets[one->count - 1].joined =
				page.rows[i].state == TARGET_JOINED ? time(NULL) : 0;
		}
		query.after = page.next;
		store_target_page_free(&page);
	} while (query.after);
	qsort(one->targets, one->count, sizeof *one->targets, by_seq);
	return STORE_OK;
}

enum store_status installs_load(struct installs *installs, int64_t now, struct err *err)
{
	const struct store_install_query query = {
		.states =
			BIT(STORE_INSTALL_LOOKING) | BIT(STORE_INSTALL_WAITING) | BIT(STORE_INSTALL_WORKING),
		.limit = STORE_MAX_LIST,
	};
	struct store_install_page page;
	enum store_status status =
		installs->store->driver->installs.list(installs->store, &query, &page, err);
	if (status != STORE_OK)
		return status;
	for (size_t i = 0; i < page.count && status == STORE_OK; i++) {
		struct installs_one *one = add_one(installs, &page.rows[i], INSTALLS_MAX_TARGETS);
		status = load_targets(installs, one, err);
		if (status == STORE_OK && !one->row.by_command)
			installs_fail_rest(
				installs, one, OUTCOME_CREDENTIALS_GONE, "the hub was restarted", now);
		installs_touch_one(installs, one);
	}
	store_install_page_free(&page);
	return status;
}
