/*
 * Members stand in a hash table by id, those with a session also in a list by when they were heard
 * last, those with something to write also in a list of dirty ones. A member without session and
 * without anything to write is dropped.
 */
#include "hub/roster.h"

#include <string.h>

#define FIRST_BUCKETS 64
#define MAX_NOTES     (32u << 20) /* bytes kept for a store that does not take them */

struct link {
	struct link *before, *after;
};

/* What waits to be written. */
struct pending {
	bool presence; /* online or offline since */
	bool visible;  /* a row that people look at changes */
	enum cause cause;
	char *reason;
	char *notes[ROSTER_NOTES];
};

struct member {
	struct link heard; /* first: see member_of() */
	struct member *next_in_bucket;
	struct member *next_dirty;
	struct session *session;
	struct pending *pending;
	int64_t heard_ms;
	int64_t since, last_seen, stored_seen;
	char id[IDENTITY_ID_SIZE];
	char *contest; /* owned; see roster_contest() */
	bool dirty;
};

struct roster {
	struct store *store;
	struct roster_hooks hooks;
	struct member **buckets;
	size_t bucket_count; /* a power of two */
	size_t member_count;
	size_t online;
	struct link heard; /* ring; the oldest is heard.after */
	struct member *dirty;
	size_t note_bytes;
};

static struct member *member_of(struct link *link)
{
	return (struct member *)link;
}

static void link_remove(struct link *link)
{
	link->before->after = link->after;
	link->after->before = link->before;
	link->before = link->after = link;
}

static void link_append(struct link *ring, struct link *link)
{
	link->before = ring->before;
	link->after = ring;
	ring->before->after = link;
	ring->before = link;
}

/* --- the table ----------------------------------------------------------------------------- */

/* An id is the hash of a key already: its digits are as good as any hash. */
static size_t bucket_of(const struct roster *roster, const char *id)
{
	uint64_t hash = 0;
	memcpy(&hash, id, strnlen(id, sizeof hash));
	hash *= 0x9e3779b97f4a7c15u;
	return (size_t)(hash >> 32) & (roster->bucket_count - 1);
}

static struct member *find(const struct roster *roster, const char *id)
{
	struct member *member = roster->buckets[bucket_of(roster, id)];
	while (member && strcmp(member->id, id) != 0)
		member = member->next_in_bucket;
	return member;
}

static void grow(struct roster *roster)
{
	struct member **old = roster->buckets;
	size_t old_count = roster->bucket_count;
	roster->bucket_count *= 2;
	roster->buckets = xcalloc(roster->bucket_count, sizeof(struct member *));
	for (size_t i = 0; i < old_count; i++) {
		for (struct member *member = old[i], *next; member; member = next) {
			struct member **bucket = &roster->buckets[bucket_of(roster, member->id)];
			next = member->next_in_bucket;
			member->next_in_bucket = *bucket;
			*bucket = member;
		}
	}
	free(old);
}

static struct member *add(struct roster *roster, const char *id)
{
	if (roster->member_count >= roster->bucket_count)
		grow(roster);
	struct member *member = xcalloc(1, sizeof *member);
	struct member **bucket = &roster->buckets[bucket_of(roster, id)];
	strncpy(member->id, id, sizeof member->id - 1);
	member->heard.before = member->heard.after = &member->heard;
	member->next_in_bucket = *bucket;
	*bucket = member;
	roster->member_count++;
	return member;
}

static void pending_free(struct roster *roster, struct member *member)
{
	struct pending *pending = member->pending;
	member->pending = NULL;
	if (!pending)
		return;
	for (int i = 0; i < ROSTER_NOTES; i++) {
		roster->note_bytes -= pending->notes[i] ? strlen(pending->notes[i]) : 0;
		free(pending->notes[i]);
	}
	free(pending->reason);
	free(pending);
}

static void drop(struct roster *roster, struct member *member)
{
	struct member **at = &roster->buckets[bucket_of(roster, member->id)];
	while (*at != member)
		at = &(*at)->next_in_bucket;
	*at = member->next_in_bucket;
	roster->member_count--;
	link_remove(&member->heard);
	pending_free(roster, member);
	free(member->contest);
	free(member);
}

static void drop_if_idle(struct roster *roster, struct member *member)
{
	if (!member->session && !member->dirty)
		drop(roster, member);
}

/* --- what waits ---------------------------------------------------------------------------- */

static struct pending *touch(struct roster *roster, struct member *member, bool visible)
{
	if (!member->pending)
		member->pending = xcalloc(1, sizeof *member->pending);
	if (!member->dirty) {
		member->dirty = true;
		member->next_dirty = roster->dirty;
		roster->dirty = member;
	}
	member->pending->visible |= visible;
	roster->hooks.wake(roster->hooks.data, visible ? ROSTER_FLUSH_MS : ROSTER_SEEN_MS);
	return member->pending;
}

static void touch_presence(
	struct roster *roster, struct member *member, enum cause cause, const char *reason)
{
	struct pending *pending = touch(roster, member, true);
	pending->presence = true;
	pending->cause = cause;
	free(pending->reason);
	pending->reason = xstrdup(reason);
}

void roster_note(struct roster *roster, struct member *member, enum roster_note note, char *json)
{
	struct pending *pending = touch(roster, member, true);
	if (pending->notes[note])
		roster->note_bytes -= strlen(pending->notes[note]);
	free(pending->notes[note]);
	pending->notes[note] = NULL;
	/* The store has not taken anything for long: the machine will tell it again. */
	if (roster->note_bytes + strlen(json) > MAX_NOTES) {
		free(json);
		return;
	}
	pending->notes[note] = json;
	roster->note_bytes += strlen(json);
}

/* --- coming and going ---------------------------------------------------------------------- */

struct roster *roster_new(struct store *store, const struct roster_hooks *hooks)
{
	struct roster *roster = xcalloc(1, sizeof *roster);
	roster->store = store;
	roster->hooks = *hooks;
	roster->bucket_count = FIRST_BUCKETS;
	roster->buckets = xcalloc(roster->bucket_count, sizeof(struct member *));
	roster->heard.before = roster->heard.after = &roster->heard;
	return roster;
}

void roster_free(struct roster *roster)
{
	if (!roster)
		return;
	for (size_t i = 0; i < roster->bucket_count; i++)
		while (roster->buckets[i])
			drop(roster, roster->buckets[i]);
	free(roster->buckets);
	free(roster);
}

struct member *roster_join(struct roster *roster, const char *id, struct session *session,
	int64_t now, int64_t now_ms, struct session **replaced)
{
	struct member *member = find(roster, id);
	if (!member)
		member = add(roster, id);
	*replaced = member->session;
	free(member->contest);
	member->contest = NULL;
	if (!member->session) {
		member->since = now;
		roster->online++;
	}
	member->session = session;
	member->heard_ms = now_ms;
	member->last_seen = member->stored_seen = now;
	link_remove(&member->heard);
	link_append(&roster->heard, &member->heard);
	touch_presence(roster, member, CAUSE_NONE, NULL);
	return member;
}

void roster_leave(struct roster *roster, struct member *member, const struct session *session,
	enum cause cause, const char *reason, int64_t now)
{
	if (member->session != session)
		return;
	member->session = NULL;
	free(member->contest);
	member->contest = NULL;
	member->since = now;
	roster->online--;
	link_remove(&member->heard);
	touch_presence(roster, member, cause, reason);
}

void roster_contest(struct roster *roster, struct member *member, const char *reason)
{
	bool same = reason && member->contest ? strcmp(reason, member->contest) == 0
										  : !reason && !member->contest;
	if (same)
		return;
	free(member->contest);
	member->contest = xstrdup(reason);
	touch_presence(roster, member, CAUSE_NONE, NULL);
}

/* Why it is offline, or what an online one is to be told of. */
static enum cause cause_of(const struct member *member, const char **reason)
{
	const struct pending *pending = member->pending;
	*reason = member->contest ? member->contest : pending->reason;
	return member->contest ? CAUSE_AGENT_DUPLICATE : pending->cause;
}

void roster_heard(struct roster *roster, struct member *member, int64_t now, int64_t now_ms)
{
	member->heard_ms = now_ms;
	member->last_seen = now;
	link_remove(&member->heard);
	link_append(&roster->heard, &member->heard);
	if (now - member->stored_seen >= ROSTER_SEEN_S) {
		member->stored_seen = now;
		touch(roster, member, false);
	}
}

struct session *roster_overdue(const struct roster *roster, int64_t before_ms)
{
	const struct member *oldest =
		roster->heard.after == &roster->heard ? NULL : member_of(roster->heard.after);
	return oldest && oldest->heard_ms < before_ms ? oldest->session : NULL;
}

struct session *roster_session(const struct roster *roster, const char *id)
{
	const struct member *member = find(roster, id);
	return member ? member->session : NULL;
}

size_t roster_online(const struct roster *roster)
{
	return roster->online;
}

void roster_each(
	const struct roster *roster, void (*each)(void *data, struct session *session), void *data)
{
	for (struct link *link = roster->heard.after, *next; link != &roster->heard; link = next) {
		next = link->after;
		each(data, member_of(link)->session);
	}
}

void roster_overlay(const struct roster *roster, struct store_server *server)
{
	const struct member *member = find(roster, server->id);
	if (!member)
		return;
	const struct pending *pending = member->pending;
	server->last_seen = member->last_seen;
	server->online = member->session != NULL;
	if (!pending || !pending->presence)
		return;
	server->since = member->since;
	free(server->cause);
	free(server->reason);
	const char *reason;
	enum cause cause = cause_of(member, &reason);
	server->cause = xstrdup(cause ? cause_info(cause)->id : "");
	server->reason = xstrdup(reason ? reason : "");
}

static void undirty(struct roster *roster, struct member *member)
{
	struct member **at = &roster->dirty;
	while (*at && *at != member)
		at = &(*at)->next_dirty;
	if (*at)
		*at = member->next_dirty;
	member->dirty = false;
}

void roster_forget(struct roster *roster, const char *id)
{
	struct member *member = find(roster, id);
	if (!member)
		return;
	undirty(roster, member);
	pending_free(roster, member);
	if (member->session) {
		member->session = NULL;
		roster->online--;
	}
	drop(roster, member);
}

/* --- to the store -------------------------------------------------------------------------- */

static enum store_status write_member(
	struct roster *roster, const struct member *member, int64_t now, struct err *err)
{
	const struct pending *pending = member->pending;
	const char *reason;
	enum cause cause = cause_of(member, &reason);
	const char *id = cause ? cause_info(cause)->id : NULL;
	struct store_change change = {
		.presence = pending->presence || member->session, /* last_seen of those that are there */
		.online = member->session != NULL,
		.cause = id,
		.reason = reason,
		.since = member->since,
		.last_seen = member->last_seen,
		.inventory = pending->notes[ROSTER_INVENTORY],
		.path = pending->notes[ROSTER_PATH],
		.now = now,
	};
	return roster->store->driver->servers.change(roster->store, member->id, &change, err);
}

static enum store_status write_some(struct roster *roster, int64_t now, struct err *err)
{
	const struct store_driver *driver = roster->store->driver;
	enum store_status status = driver->begin(roster->store, false, err);
	if (status != STORE_OK)
		return status;
	size_t written = 0;
	for (struct member *m = roster->dirty; m && status == STORE_OK && written < ROSTER_FLUSH_ROWS;
		 m = m->next_dirty, written++)
		status = write_member(roster, m, now, err);
	if (status == STORE_OK)
		return driver->commit(roster->store, err);
	driver->rollback(roster->store);
	return status;
}

enum store_status roster_flush(struct roster *roster, int64_t now, struct err *err)
{
	if (!roster->dirty)
		return STORE_OK;
	enum store_status status = write_some(roster, now, err);
	if (status != STORE_OK)
		return status;
	struct member *next = NULL;
	size_t written = 0;
	for (struct member *member = roster->dirty; member && written < ROSTER_FLUSH_ROWS;
		 member = next, written++) {
		char id[IDENTITY_ID_SIZE];
		bool visible = member->pending->visible;
		next = member->next_dirty;
		memcpy(id, member->id, sizeof id);
		roster->dirty = next;
		member->dirty = false;
		pending_free(roster, member);
		drop_if_idle(roster, member);
		if (visible)
			roster->hooks.changed(roster->hooks.data, id);
	}
	if (roster->dirty)
		roster->hooks.wake(roster->hooks.data, ROSTER_MORE_MS);
	return STORE_OK;
}

bool roster_is_flushed(const struct roster *roster)
{
	return !roster->dirty;
}
