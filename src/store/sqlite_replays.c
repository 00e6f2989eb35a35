/*
 * Answers that a program may ask for again: a row is there from before the request runs, so that a
 * crash in between cannot make it run a second time.
 */
#include "store/sqlite.h"

#include <string.h>

/* What is too old, then the oldest while they are too many or too big. */
static enum store_status cut(struct sqlite_store *sqlite, int64_t now, struct err *err)
{
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite, "DELETE FROM replays WHERE created <= ?", "i", now - STORE_REPLAY_S),
		err);
	if (status != STORE_OK)
		return status;
	return sql_run(sqlite,
		sql_start(sqlite,
			"DELETE FROM replays WHERE rowid IN (SELECT rowid FROM (SELECT rowid, "
			"sum(len) OVER newest AS bytes, count(*) OVER newest AS rows FROM replays "
			"WINDOW newest AS (ORDER BY created DESC, rowid DESC)) WHERE bytes > ? OR rows >= ?)",
			"ii", (int64_t)STORE_REPLAY_BYTES, (int64_t)STORE_MAX_REPLAYS),
		err);
}

static enum store_status find(
	struct sqlite_store *sqlite, struct store_replay *replay, struct err *err)
{
	sqlite3_stmt *statement = sql_start(
		sqlite, "SELECT body, created, status, answer FROM replays WHERE id = ?", "b", replay->id);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK) {
		sql_blob(statement, 0, replay->body, sizeof replay->body);
		replay->created = sqlite3_column_int64(statement, 1);
		replay->status = sqlite3_column_int(statement, 2);
		const void *answer = sqlite3_column_blob(statement, 3);
		replay->len = (size_t)sqlite3_column_bytes(statement, 3);
		replay->answer = answer ? memcpy(xcalloc(1, replay->len), answer, replay->len) : NULL;
	}
	sql_done(statement);
	return status;
}

static enum store_status begin(
	struct sqlite_store *sqlite, struct store_replay *replay, struct err *err)
{
	enum store_status status = cut(sqlite, replay->created, err);
	if (status == STORE_OK)
		status = find(sqlite, replay, err);
	if (status == STORE_OK)
		return STORE_EXISTS;
	if (status != STORE_NOT_FOUND)
		return status;
	return sql_run(sqlite,
		sql_start(sqlite,
			"INSERT INTO replays(id, body, created, status, len) VALUES(?, ?, ?, 0, 0)", "bbi",
			replay->id, replay->body, replay->created),
		err);
}

enum store_status replays_begin(struct store *store, struct store_replay *replay, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	status = begin(sqlite, replay, err);
	/* What is there already changes nothing, but what was cut off before it does. */
	enum store_status ended = sql_end(sqlite, status == STORE_EXISTS ? STORE_OK : status, err);
	return ended == STORE_OK ? status : ended;
}

enum store_status replays_end(
	struct store *store, const struct store_replay *replay, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	struct sql_blob answer = {replay->answer, replay->len};
	return sql_run(sqlite,
		sql_start(sqlite, "UPDATE replays SET status = ?, len = ?, answer = ? WHERE id = ?", "iizb",
			(int64_t)replay->status, (int64_t)replay->len, &answer, replay->id),
		err);
}

enum store_status replays_drop(
	struct store *store, const unsigned char id[STORE_KEY_HASH], struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return sql_run(sqlite, sql_start(sqlite, "DELETE FROM replays WHERE id = ?", "b", id), err);
}
