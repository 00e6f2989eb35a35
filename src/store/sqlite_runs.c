/* The runs of jobs: what becomes of them, their output, and a server's share of them. */
#include "store/sqlite.h"

#include "base/json.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define BASE64     sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define MAX_CURSOR 2048

/* In the order of read_run(). */
#define RUN_COLUMNS                                                                                \
	"r.seq, r.job, r.id, j.id, r.server, r.server_name, r.state, r.sent, r.cancel, r.attempt, "    \
	"r.exit_code, r.signal, r.reason, r.output, r.output_total, r.dropped, r.queued, "             \
	"r.delivered, r.started, r.finished, r.rank"
#define COLUMN_RANK 20
#define FROM_RUNS   " FROM job_runs r JOIN jobs j ON j.seq = r.job"

int64_t store_run_seq(const char *id)
{
	size_t len = strspn(id, "0123456789abcdef");
	if (len != JOB_ID_SIZE - 1 || id[len])
		return 0;
	return strtoll(id + len - STORE_RUN_SEQ_DIGITS, NULL, 16);
}

static void copy_text(sqlite3_stmt *statement, int column, char *to, size_t size)
{
	snprintf(to, size, "%s", (const char *)sqlite3_column_text(statement, column));
}

static void read_run(sqlite3_stmt *statement, struct store_run *run)
{
	*run = (struct store_run){
		.seq = sqlite3_column_int64(statement, 0),
		.job_seq = sqlite3_column_int64(statement, 1),
		.server_name = sql_text(statement, 5),
		.state = (enum store_run_state)sqlite3_column_int(statement, 6),
		.sent = sqlite3_column_int(statement, 7) != 0,
		.cancel = sqlite3_column_int(statement, 8) != 0,
		.attempt = sqlite3_column_int(statement, 9),
		.exit_code = sqlite3_column_int(statement, 10),
		.signal = sqlite3_column_int(statement, 11),
		.reason = sql_text(statement, 12),
		.output = sqlite3_column_int64(statement, 13),
		.output_total = sqlite3_column_int64(statement, 14),
		.dropped = sqlite3_column_int64(statement, 15),
		.queued = sqlite3_column_int64(statement, 16),
		.delivered = sqlite3_column_int64(statement, 17),
		.started = sqlite3_column_int64(statement, 18),
		.finished = sqlite3_column_int64(statement, 19),
	};
	copy_text(statement, 2, run->id, sizeof run->id);
	copy_text(statement, 3, run->job, sizeof run->job);
	copy_text(statement, 4, run->server, sizeof run->server);
}

enum store_status sql_runs_live(struct store *store, int64_t job,
	void (*each)(void *data, const struct store_run *run), void *data, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status;
	sqlite3_stmt *statement = sql_start(
		sqlite, "SELECT " RUN_COLUMNS FROM_RUNS " WHERE r.job = ? AND r.rank = 4", "i", job);
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		struct store_run run;
		read_run(statement, &run);
		each(data, &run);
		store_run_free(&run);
	}
	sql_done(statement);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status sql_runs_change(struct store *store, const struct store_run *run, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite,
			"UPDATE job_runs SET state = ?2, sent = ?3, cancel = ?4, attempt = ?5, exit_code = ?6, "
			"signal = ?7, reason = ?8, output = ?9, output_total = ?10, dropped = ?11, "
			"delivered = ?12, started = ?13, finished = ?14 WHERE seq = ?1",
			"iiiiiiitiiiiii", run->seq, (int64_t)run->state, (int64_t)run->sent,
			(int64_t)run->cancel, (int64_t)run->attempt, (int64_t)run->exit_code,
			(int64_t)run->signal, run->reason, run->output, run->output_total, run->dropped,
			run->delivered, run->started, run->finished),
		err);
	return status == STORE_OK && !sql_changes(sqlite) ? STORE_NOT_FOUND : status;
}

static enum store_status take_one(
	struct sqlite_store *sqlite, sqlite3_stmt *statement, struct store_run *run, struct err *err)
{
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		read_run(statement, run);
	sql_done(statement);
	return status;
}

enum store_status sql_runs_find(
	struct store *store, int64_t seq, struct store_run *run, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return take_one(sqlite,
		sql_start(sqlite, "SELECT " RUN_COLUMNS FROM_RUNS " WHERE r.seq = ?", "i", seq), run, err);
}

enum store_status sql_runs_of_server(
	struct store *store, int64_t job, const char *server, struct store_run *run, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return take_one(sqlite,
		sql_start(sqlite, "SELECT " RUN_COLUMNS FROM_RUNS " WHERE r.job = ? AND r.server = ?", "it",
			job, server),
		run, err);
}

/* --- cursors: the place of the last row in the order, as base64url of JSON ------------------- */

static char *cursor_write(json_t *place)
{
	cleanup(json_drop) json_t *json = place;
	if (!json)
		return NULL;
	cleanup(free_ptr) char *plain = json_text(json);
	size_t size = sodium_base64_encoded_len(strlen(plain), BASE64);
	char *text = xcalloc(size, 1);
	return sodium_bin2base64(text, size, (const unsigned char *)plain, strlen(plain), BASE64);
}

/* [number, text, text]; NULL when it is none. */
static json_t *cursor_read(const char *text)
{
	char raw[MAX_CURSOR];
	size_t len = 0;
	if (sodium_base642bin(
			(unsigned char *)raw, sizeof raw, text, strlen(text), NULL, &len, NULL, BASE64))
		return NULL;
	json_t *place = json_parse(raw, len, NULL);
	if (json_array_size(place) == 3 && json_is_integer(json_array_get(place, 0)) &&
		json_is_string(json_array_get(place, 1)) && json_is_string(json_array_get(place, 2)))
		return place;
	json_decref(place);
	return NULL;
}

/* --- a job's runs ----------------------------------------------------------------------------- */

static void add_state(struct sql_select *select, int state)
{
	if (state == STORE_RUNS_LIVE || state == STORE_RUNS_SILENT)
		buf_puts(&select->sql, " AND r.rank = 4");
	else if (state >= 0)
		buf_printf(&select->sql, " AND r.state = %d", state);
	if (state == STORE_RUNS_SILENT)
		buf_puts(&select->sql,
			" AND NOT EXISTS (SELECT 1 FROM servers s WHERE s.id = r.server AND s.online = 1)");
}

static sqlite3_stmt *start_list(struct sqlite_store *sqlite, const struct store_run_query *query,
	struct sql_select *select, const json_t *cursor)
{
	buf_puts(&select->sql, "SELECT " RUN_COLUMNS FROM_RUNS " WHERE r.job = ?");
	sql_select_bind(select, json_integer(query->job));
	add_state(select, query->state);
	if (cursor) {
		buf_puts(&select->sql, " AND (r.rank, r.server_name, r.server) > (?, ?, ?)");
		for (size_t i = 0; i < 3; i++)
			sql_select_bind(select, json_incref(json_array_get(cursor, i)));
	}
	buf_puts(&select->sql, " ORDER BY r.rank, r.server_name, r.server LIMIT ?");
	sql_select_bind(select, json_integer(query->limit + 1));
	return sql_select_start(sqlite, select);
}

enum store_status sql_runs_list(struct store *store, const struct store_run_query *query,
	struct store_run_page *page, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	struct sql_select select = {.bindings = json_array()};
	cleanup(json_drop) json_t *cursor = query->cursor ? cursor_read(query->cursor) : NULL;
	enum store_status status = STORE_NOT_FOUND;
	*page = (struct store_run_page){.rows = xcalloc((size_t)query->limit, sizeof *page->rows)};
	int64_t rank = 0;
	sqlite3_stmt *statement =
		query->cursor && !cursor ? NULL : start_list(sqlite, query, &select, cursor);
	while (statement && (status = sql_step(sqlite, statement, err)) == STORE_OK) {
		if (page->count == (size_t)query->limit) {
			const struct store_run *last = &page->rows[page->count - 1];
			page->next_cursor =
				cursor_write(json_pack("[I,s,s]", rank, last->server_name, last->server));
			break;
		}
		rank = sqlite3_column_int64(statement, COLUMN_RANK);
		read_run(statement, &page->rows[page->count++]);
	}
	sqlite3_finalize(statement);
	sql_select_free(&select);
	if (status == STORE_OK || (status == STORE_NOT_FOUND && statement))
		return STORE_OK;
	store_run_page_free(page);
	return status;
}

/* --- output ---------------------------------------------------------------------------------- */

enum store_status sql_runs_add_output(
	struct store *store, int64_t run, int64_t at, const void *data, size_t len, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	const struct sql_blob blob = {data, len};
	return sql_run(sqlite,
		sql_start(
			sqlite, "INSERT INTO job_output(run, at, data) VALUES(?, ?, ?)", "iiz", run, at, &blob),
		err);
}

enum store_status sql_runs_output(
	struct store *store, int64_t run, int64_t from, size_t most, struct buf *data, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = STORE_OK;
	/* The first piece is the one that holds `from`. */
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT at, data FROM job_output WHERE run = ?1 AND at >= coalesce("
		"(SELECT max(at) FROM job_output WHERE run = ?1 AND at <= ?2), 0) ORDER BY at",
		"ii", run, from);
	while (data->len < most && (status = sql_step(sqlite, statement, err)) == STORE_OK) {
		int64_t at = sqlite3_column_int64(statement, 0);
		const char *piece = sqlite3_column_blob(statement, 1);
		int64_t len = sqlite3_column_bytes(statement, 1);
		int64_t skip = from > at ? from - at : 0;
		if (skip >= len)
			continue;
		size_t take = (size_t)(len - skip);
		buf_append(data, piece + skip, take < most - data->len ? take : most - data->len);
	}
	sql_done(statement);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* --- activity -------------------------------------------------------------------------------- */

/* Each branch of the union: kind, id, job, title, by, state, at, finished, live. */
#define ACTIVITIES                                                                                 \
	"SELECT 'run' AS kind, r.id AS id, j.id AS job, j.title AS title, j.created_by AS by, "        \
	"r.state AS state, r.queued AS at, r.finished AS finished, r.rank = 4 AS live" FROM_RUNS       \
	" WHERE r.server = ?1 UNION ALL "                                                              \
	"SELECT 'check', id, NULL, title, requested_by, state, requested, finished, state < 2 "        \
	"FROM checks WHERE server = ?1 UNION ALL "                                                     \
	"SELECT 'bundle', id, NULL, 'Support bundle', requested_by, state, requested, finished, "      \
	"state < 2 FROM bundles WHERE server = ?1"

static const char *kind_of(const unsigned char *name)
{
	static const char *const kinds[] = {"run", "check", "bundle"};
	size_t at = 0;
	while (at < ARRAY_LEN(kinds) - 1 && strcmp(kinds[at], (const char *)name) != 0)
		at++;
	return kinds[at];
}

static void read_activity(sqlite3_stmt *statement, struct store_activity *activity)
{
	bool is_run = sqlite3_column_type(statement, 2) != SQLITE_NULL;
	*activity = (struct store_activity){
		.kind = kind_of(sqlite3_column_text(statement, 0)),
		.id = sql_text(statement, 1),
		.job = is_run ? sql_text(statement, 2) : NULL,
		.title = sql_text(statement, 3),
		.by = sql_text(statement, 4),
		.state = sqlite3_column_int(statement, 5),
		.at = sqlite3_column_int64(statement, 6),
		.finished = sqlite3_column_int64(statement, 7),
	};
}

enum store_status sql_runs_activity(struct store *store, const char *server, bool live, int limit,
	const char *cursor, struct store_activity_page *page, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	cleanup(json_drop) json_t *place = cursor ? cursor_read(cursor) : NULL;
	enum store_status status;
	if (cursor && !place)
		return STORE_NOT_FOUND;
	*page = (struct store_activity_page){.rows = xcalloc((size_t)limit, sizeof *page->rows)};
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT kind, id, job, title, by, state, at, finished FROM (" ACTIVITIES
		") WHERE live = ?2 AND (?3 = '' OR (at, kind, id) < (?4, ?5, ?3)) "
		"ORDER BY at DESC, kind DESC, id DESC LIMIT ?6",
		"tititi", server, (int64_t)live, place ? json_string_value(json_array_get(place, 2)) : "",
		(int64_t)json_integer_value(json_array_get(place, 0)),
		place ? json_string_value(json_array_get(place, 1)) : "", (int64_t)limit + 1);
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		if (page->count == (size_t)limit) {
			const struct store_activity *last = &page->rows[page->count - 1];
			page->next_cursor = cursor_write(json_pack("[I,s,s]", last->at, last->kind, last->id));
			break;
		}
		read_activity(statement, &page->rows[page->count++]);
	}
	sql_done(statement);
	if (status == STORE_OK || status == STORE_NOT_FOUND)
		return STORE_OK;
	store_activity_page_free(page);
	return status;
}
