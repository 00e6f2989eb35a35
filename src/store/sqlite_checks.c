/* The checks of servers: a bounded history of each, their reports compressed. */
#include "store/sqlite.h"

#include "store/report_blob.h"

#include <stdio.h>
#include <string.h>

/* What the caller may know of a check without its report, in the order of read_check(). */
#define CHECK_COLUMNS                                                                              \
	"seq, id, server, state, requested_by, profile, title, deep, requested, started, finished, "   \
	"repeats, verdict, causes, outcome, reason"
#define CHECK_COLUMN_COUNT 16

static void read_check(sqlite3_stmt *statement, struct store_check *check)
{
	*check = (struct store_check){
		.state = (enum store_check_state)sqlite3_column_int(statement, 3),
		.requested_by = sql_text(statement, 4),
		.profile = sql_text(statement, 5),
		.title = sql_text(statement, 6),
		.deep = sqlite3_column_int(statement, 7) != 0,
		.requested = sqlite3_column_int64(statement, 8),
		.started = sqlite3_column_int64(statement, 9),
		.finished = sqlite3_column_int64(statement, 10),
		.repeats = sqlite3_column_int64(statement, 11),
		.verdict = sql_text(statement, 12),
		.causes = sql_text(statement, 13),
		.outcome = sql_text(statement, 14),
		.reason = sql_text(statement, 15),
	};
	snprintf(check->id, sizeof check->id, "%s", sqlite3_column_text(statement, 1));
	snprintf(check->server, sizeof check->server, "%s", sqlite3_column_text(statement, 2));
}

static char *read_report(sqlite3_stmt *statement, int column)
{
	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_TEXT: /* from a release that did not compress */
		return sql_text(statement, column);
	case SQLITE_BLOB:
		return report_unpack(sqlite3_column_blob(statement, column),
			(size_t)sqlite3_column_bytes(statement, column));
	default:
		return NULL;
	}
}

/* The report as it will stand in the database; its data is owned by the caller. */
static enum store_status pack(const struct store_check *check, struct sql_blob *blob)
{
	*blob = (struct sql_blob){0};
	if (!check->report)
		return STORE_OK;
	blob->data = report_pack(check->report, &blob->len);
	if (blob->len <= STORE_MAX_REPORT)
		return STORE_OK;
	free((void *)blob->data);
	blob->data = NULL;
	return STORE_TOO_BIG;
}

/* STORE_NOT_FOUND when the newest check is another kind or found something else. */
static enum store_status renew(struct sqlite_store *sqlite, struct store_check *check,
	const struct sql_blob *report, struct err *err)
{
	if (*check->requested_by || check->state != CHECK_DONE)
		return STORE_NOT_FOUND;
	sqlite3_stmt *statement = sql_start(sqlite,
		"UPDATE checks SET finished = ?2, causes = ?3, report = ?4, repeats = repeats + 1 "
		"WHERE seq = (SELECT max(seq) FROM checks WHERE server = ?1) AND requested_by = '' "
		"AND profile = ?5 AND outcome = ?6 AND outcome <> '' "
		"RETURNING id, requested, started, repeats",
		"titztt", check->server, check->finished, check->causes, report, check->profile,
		check->outcome);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status != STORE_OK)
		return status;
	snprintf(check->id, sizeof check->id, "%s", sqlite3_column_text(statement, 0));
	check->requested = sqlite3_column_int64(statement, 1);
	check->started = sqlite3_column_int64(statement, 2);
	check->repeats = sqlite3_column_int64(statement, 3);
	return sql_run(sqlite, statement, err);
}

static enum store_status insert(struct sqlite_store *sqlite, const struct store_check *check,
	const struct sql_blob *report, struct err *err)
{
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite,
			"INSERT INTO checks(id, server, state, requested_by, profile, title, deep, requested, "
			"started, finished, repeats, verdict, causes, outcome, reason, report) "
			"SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?11, ?12, ?13, ?14, ?15 "
			"WHERE EXISTS (SELECT 1 FROM servers WHERE id = ?2)",
			"ttitttiiiittttz", check->id, check->server, (int64_t)check->state, check->requested_by,
			check->profile, check->title, (int64_t)check->deep, check->requested, check->started,
			check->finished, check->verdict, check->causes, check->outcome, check->reason, report),
		err);
	if (status != STORE_OK)
		return status;
	if (!sql_changes(sqlite))
		return STORE_NOT_FOUND;
	return sql_run(sqlite,
		sql_start(sqlite,
			"DELETE FROM checks WHERE server = ?1 AND seq <= (SELECT seq FROM checks "
			"WHERE server = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
			"ti", check->server, (int64_t)STORE_MAX_CHECKS),
		err);
}

enum store_status checks_add(struct store *store, struct store_check *check, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	struct sql_blob report;
	enum store_status status = pack(check, &report);
	if (status != STORE_OK)
		return status;
	status = sql_begin(sqlite, err);
	if (status == STORE_OK) {
		status = renew(sqlite, check, &report, err);
		if (status == STORE_NOT_FOUND)
			status = insert(sqlite, check, &report, err);
		status = sql_end(sqlite, status, err);
	}
	free((void *)report.data);
	return status;
}

enum store_status checks_change(
	struct store *store, const struct store_check *check, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	struct sql_blob report;
	enum store_status status = pack(check, &report);
	if (status != STORE_OK)
		return status;
	status = sql_run(sqlite,
		sql_start(sqlite,
			"UPDATE checks SET state = ?2, title = ?3, started = ?4, finished = ?5, verdict = ?6, "
			"causes = ?7, outcome = ?8, reason = ?9, report = coalesce(?10, report) WHERE id = ?1",
			"titiittttz", check->id, (int64_t)check->state, check->title, check->started,
			check->finished, check->verdict, check->causes, check->outcome, check->reason, &report),
		err);
	free((void *)report.data);
	return status == STORE_OK && !sql_changes(sqlite) ? STORE_NOT_FOUND : status;
}

enum store_status checks_find(struct store *store, const char *server, const char *id,
	struct store_check *check, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT " CHECK_COLUMNS ", report FROM checks WHERE server = ? AND id = ?", "tt", server,
		id);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK) {
		read_check(statement, check);
		check->report = read_report(statement, CHECK_COLUMN_COUNT);
	}
	sql_done(statement);
	return status;
}

/* One row more than asked for tells whether there is a next page. */
enum store_status checks_list(struct store *store, const char *server, int limit, int64_t before,
	struct store_check_page *page, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	int64_t last = 0;
	enum store_status status;
	*page = (struct store_check_page){.rows = xcalloc((size_t)limit, sizeof *page->rows)};
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT " CHECK_COLUMNS " FROM checks WHERE server = ?1 AND (?2 = 0 OR seq < ?2) "
		"ORDER BY seq DESC LIMIT ?3",
		"tii", server, before, (int64_t)limit + 1);
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		if (page->count == (size_t)limit) {
			page->next_cursor = last;
			break;
		}
		last = sqlite3_column_int64(statement, 0);
		read_check(statement, &page->rows[page->count++]);
	}
	sql_done(statement);
	if (status == STORE_OK || status == STORE_NOT_FOUND)
		return STORE_OK;
	store_check_page_free(page);
	return status;
}

enum store_status checks_unfinished(struct store *store,
	void (*each)(void *data, const struct store_check *check), void *data, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status;
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT " CHECK_COLUMNS " FROM checks WHERE state < 2", "");
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		struct store_check check;
		read_check(statement, &check);
		each(data, &check);
		store_check_free(&check);
	}
	sql_done(statement);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status checks_latest(
	struct sqlite_store *sqlite, const char *server, char **report, int64_t *at, struct err *err)
{
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT report, finished FROM checks WHERE server = ? AND state = 2 "
		"ORDER BY finished DESC, seq DESC LIMIT 1",
		"t", server);
	enum store_status status = sql_step(sqlite, statement, err);
	*report = status == STORE_OK ? read_report(statement, 0) : NULL;
	*at = status == STORE_OK ? sqlite3_column_int64(statement, 1) : 0;
	sql_done(statement);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}
