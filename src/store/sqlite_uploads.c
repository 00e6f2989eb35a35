/* Support bundles: one table, joined with its servers for their names and locations. */
#include "store/sqlite.h"

#include <stdio.h>
#include <string.h>

/* In the order of read_bundle(). */
#define BUNDLE_COLUMNS                                                                             \
	"b.seq, b.id, b.server, s.name, s.location, b.state, b.reason, b.requested_by, b.requested, "  \
	"b.finished, b.size, b.hash, b.manifest FROM bundles b JOIN servers s ON s.id = b.server"

static void read_bundle(sqlite3_stmt *statement, struct store_bundle *bundle)
{
	*bundle = (struct store_bundle){
		.server_name = sql_text(statement, 3),
		.location = sql_text(statement, 4),
		.state = (enum store_bundle_state)sqlite3_column_int(statement, 5),
		.reason = sql_text(statement, 6),
		.requested_by = sql_text(statement, 7),
		.requested = sqlite3_column_int64(statement, 8),
		.finished = sqlite3_column_int64(statement, 9),
		.size = sqlite3_column_int64(statement, 10),
		.manifest = sql_text(statement, 12),
	};
	snprintf(bundle->id, sizeof bundle->id, "%s", sqlite3_column_text(statement, 1));
	snprintf(bundle->server, sizeof bundle->server, "%s", sqlite3_column_text(statement, 2));
	sql_blob(statement, 11, bundle->hash, sizeof bundle->hash);
}

enum store_status uploads_add(
	struct store *store, const struct store_bundle *bundle, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite,
			"INSERT INTO bundles(id, server, state, reason, requested_by, requested, finished, "
			"size, hash, manifest) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 "
			"WHERE EXISTS (SELECT 1 FROM servers WHERE id = ?2)",
			"ttittiiibt", bundle->id, bundle->server, (int64_t)bundle->state, bundle->reason,
			bundle->requested_by, bundle->requested, bundle->finished, bundle->size, bundle->hash,
			bundle->manifest),
		err);
	return status == STORE_OK && !sql_changes(sqlite) ? STORE_NOT_FOUND : status;
}

enum store_status uploads_change(
	struct store *store, const struct store_bundle *bundle, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite,
			"UPDATE bundles SET state = ?2, reason = ?3, finished = ?4, size = ?5, hash = ?6, "
			"manifest = ?7 WHERE id = ?1",
			"titiibt", bundle->id, (int64_t)bundle->state, bundle->reason, bundle->finished,
			bundle->size, bundle->hash, bundle->manifest),
		err);
	return status == STORE_OK && !sql_changes(sqlite) ? STORE_NOT_FOUND : status;
}

enum store_status uploads_find(
	struct store *store, const char *id, struct store_bundle *bundle, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT " BUNDLE_COLUMNS " WHERE b.id = ?", "t", id);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		read_bundle(statement, bundle);
	sql_done(statement);
	return status;
}

/* One row more than asked for tells whether there is a next page. */
enum store_status uploads_list(struct store *store, const struct store_bundle_query *query,
	struct store_bundle_page *page, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	int64_t last = 0;
	enum store_status status;
	*page = (struct store_bundle_page){.rows = xcalloc((size_t)query->limit, sizeof *page->rows)};
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT " BUNDLE_COLUMNS " WHERE (?1 IS NULL OR b.server = ?1) "
		"AND (?2 IS NULL OR s.location = ?2) AND (?3 = 0 OR b.seq < ?3) "
		"ORDER BY b.seq DESC LIMIT ?4",
		"ttii", query->server, query->location, query->before, (int64_t)query->limit + 1);
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		if (page->count == (size_t)query->limit) {
			page->next = last;
			break;
		}
		last = sqlite3_column_int64(statement, 0);
		read_bundle(statement, &page->rows[page->count++]);
	}
	sql_done(statement);
	if (status == STORE_OK || status == STORE_NOT_FOUND)
		return STORE_OK;
	store_bundle_page_free(page);
	return status;
}

enum store_status uploads_each(struct store *store, enum store_bundle_state state,
	void (*each)(void *data, const struct store_bundle *bundle), void *data, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status;
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT " BUNDLE_COLUMNS " WHERE ?1 = ?2 OR b.state = ?1 ORDER BY b.seq",
			"ii", (int64_t)state, (int64_t)BUNDLE_STATES);
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		struct store_bundle bundle;
		read_bundle(statement, &bundle);
		each(data, &bundle);
		store_bundle_free(&bundle);
	}
	sql_done(statement);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status uploads_remove(struct store *store, const char *id, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status =
		sql_run(sqlite, sql_start(sqlite, "DELETE FROM bundles WHERE id = ?", "t", id), err);
	return status == STORE_OK && !sql_changes(sqlite) ? STORE_NOT_FOUND : status;
}

void store_bundle_free(struct store_bundle *bundle)
{
	free(bundle->server_name);
	free(bundle->location);
	free(bundle->reason);
	free(bundle->requested_by);
	free(bundle->manifest);
	*bundle = (struct store_bundle){0};
}

void store_bundle_page_free(struct store_bundle_page *page)
{
	for (size_t i = 0; i < page->count; i++)
		store_bundle_free(&page->rows[i]);
	free(page->rows);
	*page = (struct store_bundle_page){0};
}
