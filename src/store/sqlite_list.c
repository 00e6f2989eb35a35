/*
 * The list of servers: filters, search, order and pages, all in SQL.
 *
 * A page starts behind the last row of the one before (keyset paging), so that it costs the same
 * at the end of 10,000 rows as at their start, and rows that change in between neither repeat nor
 * hide others. The cursor holds that row's place in the order, as base64url of JSON.
 */
#include "store/sqlite.h"

#include "base/buf.h"
#include "base/json.h"
#include "store/summary.h"

#include <sodium.h>
#include <string.h>

#define BASE64     sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define MAX_CURSOR 2048
#define MAX_WORDS  8

/* Sort keys are a column each; `number` says how the cursor keeps its value. */
static const struct {
	const char *column;
	bool number;
} orders[] = {
	[STORE_BY_STATUS] = {"online", true},
	[STORE_BY_NAME] = {"name", false},
	[STORE_BY_ADDRESS] = {"address_key", false},
	[STORE_BY_OS] = {"os_name", false},
	[STORE_BY_VERSION] = {"version", false},
	[STORE_BY_LAST_SEEN] = {"last_seen", true},
};

void sql_select_bind(struct sql_select *select, json_t *value)
{
	json_array_append_new(select->bindings, value);
}

static void add_word(struct sql_select *select, const char *word, size_t len)
{
	struct buf pattern = {0};
	buf_puts(&pattern, "%");
	for (size_t i = 0; i < len; i++) {
		if (strchr("%_\\", word[i]))
			buf_puts(&pattern, "\\");
		buf_append(&pattern, &word[i], 1);
	}
	buf_puts(&pattern, "%");
	summary_fold(pattern.data);
	buf_puts(&select->sql, " AND search LIKE ? ESCAPE '\\'");
	sql_select_bind(select, json_string(pattern.data));
	buf_free(&pattern);
}

void sql_select_filters(struct sql_select *select, const struct store_query *query)
{
	buf_puts(&select->sql, " WHERE 1");
	if (query->platform) {
		buf_puts(&select->sql, " AND platform = ?");
		sql_select_bind(select, json_string(query->platform));
	}
	if (query->online != STORE_NO_FILTER) {
		buf_puts(&select->sql, " AND online = ?");
		sql_select_bind(select, json_integer(query->online));
	}
	if (query->location) {
		buf_puts(&select->sql, " AND location = ?");
		sql_select_bind(select, json_string(query->location));
	}
	if (query->connectors)
		buf_puts(&select->sql, " AND EXISTS (SELECT 1 FROM connectors WHERE server = id)");
	if (query->addressing && strcmp(query->addressing, "broken") == 0) {
		buf_puts(&select->sql, " AND addressing = 'static' AND location IN (SELECT name FROM "
							   "locations WHERE addressing = 'dhcp')");
	} else if (query->addressing) {
		buf_puts(&select->sql, " AND addressing = ?");
		sql_select_bind(select, json_string(query->addressing));
	}
	const char *at = query->text ? query->text : "";
	for (int words = 0; words < MAX_WORDS; words++) {
		at += strspn(at, " \t");
		size_t len = strcspn(at, " \t");
		if (!len)
			break;
		add_word(select, at, len);
		at += len;
	}
}

static json_t *cursor_read(const char *text)
{
	char raw[MAX_CURSOR];
	size_t len = 0;
	if (sodium_base642bin(
			(unsigned char *)raw, sizeof raw, text, strlen(text), NULL, &len, NULL, BASE64))
		return NULL;
	return json_parse(raw, len, NULL);
}

/* [sort, descending, value, name, id] */
static char *cursor_write(
	const struct store_query *query, sqlite3_stmt *statement, const struct store_server *last)
{
	json_t *value =
		orders[query->sort].number
			? json_integer(sqlite3_column_int64(statement, SERVER_COLUMN_COUNT))
			: json_string((const char *)sqlite3_column_text(statement, SERVER_COLUMN_COUNT));
	cleanup(json_drop) json_t *cursor =
		json_pack("[i,b,o,s,s]", query->sort, query->descending, value, last->name, last->id);
	if (!cursor)
		return NULL;
	cleanup(free_ptr) char *plain = json_text(cursor);
	size_t size = sodium_base64_encoded_len(strlen(plain), BASE64);
	char *text = xcalloc(size, 1);
	return sodium_bin2base64(text, size, (const unsigned char *)plain, strlen(plain), BASE64);
}

static int add_cursor(struct sql_select *select, const struct store_query *query)
{
	if (!query->cursor)
		return 0;
	cleanup(json_drop) json_t *cursor = cursor_read(query->cursor);
	json_t *value = json_array_get(cursor, 2);
	if (json_array_size(cursor) != 5 ||
		json_integer_value(json_array_get(cursor, 0)) != (json_int_t)query->sort ||
		json_is_true(json_array_get(cursor, 1)) != query->descending ||
		!(orders[query->sort].number ? json_is_integer(value) : json_is_string(value)) ||
		!json_is_string(json_array_get(cursor, 3)) || !json_is_string(json_array_get(cursor, 4)))
		return -1;
	buf_printf(&select->sql, " AND (%s, name, id) %s (?, ?, ?)", orders[query->sort].column,
		query->descending ? "<" : ">");
	for (size_t i = 2; i < 5; i++)
		sql_select_bind(select, json_incref(json_array_get(cursor, i)));
	return 0;
}

sqlite3_stmt *sql_select_start(struct sqlite_store *sqlite, const struct sql_select *select)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(sqlite->db, buf_text(&select->sql), -1, &statement, NULL) != SQLITE_OK)
		return NULL;
	for (size_t i = 0; i < json_array_size(select->bindings); i++) {
		const json_t *value = json_array_get(select->bindings, i);
		if (json_is_string(value))
			sqlite3_bind_text(
				statement, (int)i + 1, json_string_value(value), -1, SQLITE_TRANSIENT);
		else
			sqlite3_bind_int64(statement, (int)i + 1, json_integer_value(value));
	}
	return statement;
}

void sql_select_free(struct sql_select *select)
{
	buf_free(&select->sql);
	json_drop(&select->bindings);
}

static enum store_status read_total(
	struct sqlite_store *sqlite, const struct store_query *query, int64_t *total, struct err *err)
{
	struct sql_select select = {.bindings = json_array()};
	buf_puts(&select.sql, "SELECT count(*) FROM servers");
	sql_select_filters(&select, query);
	sqlite3_stmt *statement = sql_select_start(sqlite, &select);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		*total = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sql_select_free(&select);
	return status;
}

/* One row more than asked for tells whether there is a next page. */
static enum store_status read_rows(struct sqlite_store *sqlite, const struct store_query *query,
	sqlite3_stmt *statement, struct store_page *page, struct err *err)
{
	size_t limit = (size_t)query->limit;
	enum store_status status;
	page->rows = xcalloc(limit, sizeof *page->rows);
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		if (page->count == limit)
			return STORE_OK;
		sql_read_server(statement, &page->rows[page->count++]);
		if (page->count == limit)
			page->next_cursor = cursor_write(query, statement, &page->rows[limit - 1]);
	}
	free(page->next_cursor);
	page->next_cursor = NULL;
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status servers_list(
	struct store *store, const struct store_query *query, struct store_page *page, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	struct sql_select select = {.bindings = json_array()};
	const char *way = query->descending ? " DESC" : "";
	const char *column = orders[query->sort].column;
	*page = (struct store_page){0};
	buf_printf(&select.sql, "SELECT " SERVER_COLUMNS ", %s FROM servers", column);
	sql_select_filters(&select, query);
	enum store_status status = add_cursor(&select, query) ? STORE_NOT_FOUND : STORE_OK;
	if (status == STORE_OK)
		status = read_total(sqlite, query, &page->total, err);
	if (status == STORE_OK) {
		buf_printf(&select.sql, " ORDER BY %s%s, name%s, id%s LIMIT ?", column, way, way, way);
		sql_select_bind(&select, json_integer(query->limit + 1));
		sqlite3_stmt *statement = sql_select_start(sqlite, &select);
		status = read_rows(sqlite, query, statement, page, err);
		sqlite3_finalize(statement);
	}
	sql_select_free(&select);
	if (status != STORE_OK)
		store_page_free(page);
	return status;
}

enum store_status servers_counts(
	struct store *store, const char *location, struct store_counts *counts, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement =
		location ? sql_start(sqlite,
					   "SELECT count(*), coalesce(sum(online), 0) FROM servers WHERE location = ?",
					   "t", location)
				 : sql_start(sqlite, "SELECT count(*), coalesce(sum(online), 0) FROM servers", "");
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK) {
		counts->all = sqlite3_column_int64(statement, 0);
		counts->online = sqlite3_column_int64(statement, 1);
	}
	sql_done(statement);
	return status;
}
