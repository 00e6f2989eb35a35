/* Join tokens. Expired and used-up ones stay listed for a month, so that their fate can be seen. */
#include "store/sqlite.h"

#include <stdio.h>

#define KEEP_S 2592000

enum store_status tokens_add(struct store *store, const struct store_token *token, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	status = sql_run(sqlite,
		sql_start(sqlite, "DELETE FROM tokens WHERE expires < ?", "i", token->created - KEEP_S),
		err);
	if (status == STORE_OK)
		status = sql_run(sqlite,
			sql_start(sqlite,
				"INSERT INTO tokens(id, secret_hash, label, created, created_by, expires, uses, "
				"location, target) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
				"tbtitiiti", token->id, token->secret_hash, token->label, token->created,
				token->created_by, token->expires, token->uses,
				token->location ? token->location : "", token->target),
			err);
	return sql_end(sqlite, status, err);
}

enum store_status tokens_list(struct store *store,
	void (*each)(void *data, const struct store_token *token), void *data, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT id, secret_hash, label, created_by, created, expires, uses, used, revoked, "
		"location "
		"FROM tokens WHERE target = 0 ORDER BY created DESC, id LIMIT 1000",
		"");
	enum store_status status;
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		struct store_token token = {
			.label = sql_text(statement, 2),
			.created_by = sql_text(statement, 3),
			.created = sqlite3_column_int64(statement, 4),
			.expires = sqlite3_column_int64(statement, 5),
			.uses = sqlite3_column_int64(statement, 6),
			.used = sqlite3_column_int64(statement, 7),
			.revoked = sqlite3_column_int(statement, 8) != 0,
			.location = sql_text(statement, 9),
		};
		snprintf(token.id, sizeof token.id, "%s", sqlite3_column_text(statement, 0));
		sql_blob(statement, 1, token.secret_hash, sizeof token.secret_hash);
		each(data, &token);
		free(token.label);
		free(token.created_by);
		free(token.location);
	}
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status tokens_revoke(struct store *store, const char *id, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_run(
		sqlite, sql_start(sqlite, "UPDATE tokens SET revoked = 1 WHERE id = ?", "t", id), err);
	return status == STORE_OK && !sql_changes(sqlite) ? STORE_NOT_FOUND : status;
}
