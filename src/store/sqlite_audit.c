/* The audit trail: it only grows at one end and is cut off at the other. */
#include "store/sqlite.h"

#define CUT_EVERY 64 /* rows; cutting costs more than adding */

/* What is too old, and what is too much: of all rows, and of those that strangers cause, so that
 * nobody can push out what he did by failing to sign in a million times. */
static enum store_status cut(struct sqlite_store *sqlite, int64_t now, struct err *err)
{
	enum store_status status = sql_run(
		sqlite, sql_start(sqlite, "DELETE FROM audit WHERE at < ?", "i", now - STORE_AUDIT_S), err);
	if (status == STORE_OK)
		status = sql_run(sqlite,
			sql_start(sqlite, "DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?", "i",
				(int64_t)STORE_MAX_AUDIT),
			err);
	if (status == STORE_OK)
		status = sql_run(sqlite,
			sql_start(sqlite,
				"DELETE FROM audit WHERE refused AND id <= (SELECT id FROM audit WHERE refused "
				"ORDER BY id DESC LIMIT 1 OFFSET ?)",
				"i", (int64_t)STORE_MAX_REFUSED),
			err);
	return status;
}

enum store_status audit_insert(
	struct sqlite_store *sqlite, const struct store_audit *audit, struct err *err)
{
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite,
			"INSERT INTO audit(at, actor, actor_kind, action, target, detail, peer, refused) "
			"VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
			"itttttti", audit->at, audit->actor, audit->actor_kind, audit->action, audit->target,
			audit->detail, audit->peer, (int64_t)audit->refused),
		err);
	if (status == STORE_OK && sqlite3_last_insert_rowid(sqlite->db) % CUT_EVERY == 0)
		status = cut(sqlite, audit->at, err);
	return status;
}

enum store_status audit_add(struct store *store, const struct store_audit *audit, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	return status == STORE_OK ? sql_end(sqlite, audit_insert(sqlite, audit, err), err) : status;
}

static void read_row(sqlite3_stmt *statement, struct store_audit *audit)
{
	*audit = (struct store_audit){
		.id = sqlite3_column_int64(statement, 0),
		.at = sqlite3_column_int64(statement, 1),
		.actor = sql_text(statement, 2),
		.actor_kind = sql_text(statement, 3),
		.action = sql_text(statement, 4),
		.target = sql_text(statement, 5),
		.detail = sql_text(statement, 6),
		.peer = sql_text(statement, 7),
		.refused = sqlite3_column_int(statement, 8) != 0,
	};
}

static sqlite3_stmt *start(struct sqlite_store *sqlite, const struct store_audit_query *query)
{
	const struct {
		const char *column, *value;
	} filters[] = {{"actor", query->actor}, {"action", query->action}, {"target", query->target}};
	struct sql_select select = {.bindings = json_array()};
	buf_puts(&select.sql,
		"SELECT id, at, actor, actor_kind, action, target, detail, peer, refused FROM audit "
		"WHERE 1");
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		if (!filters[i].value)
			continue;
		buf_printf(&select.sql, " AND %s = ?", filters[i].column);
		sql_select_bind(&select, json_string(filters[i].value));
	}
	if (query->before) {
		buf_puts(&select.sql, " AND id < ?");
		sql_select_bind(&select, json_integer(query->before));
	}
	buf_puts(&select.sql, " ORDER BY id DESC LIMIT ?");
	sql_select_bind(&select, json_integer(query->limit + 1));
	sqlite3_stmt *statement = sql_select_start(sqlite, &select);
	sql_select_free(&select);
	return statement;
}

enum store_status audit_list(struct store *store, const struct store_audit_query *query,
	struct store_audit_page *page, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = start(sqlite, query);
	enum store_status status;
	*page = (struct store_audit_page){
		.rows = xcalloc((size_t)query->limit, sizeof *page->rows),
	};
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		if (page->count == (size_t)query->limit) {
			page->next = page->rows[page->count - 1].id;
			break;
		}
		read_row(statement, &page->rows[page->count++]);
	}
	sqlite3_finalize(statement);
	if (status == STORE_OK || status == STORE_NOT_FOUND)
		return STORE_OK;
	store_audit_page_free(page);
	return status;
}
