/* API keys. Those that are no longer good stay listed for a month, so that their fate can be seen.
 */
#include "store/sqlite.h"

#include <stdio.h>

#define KEEP_S 2592000
#define COLUMNS                                                                                    \
	"id, hash, name, permissions, location, maker, created_by, parent, created, expires, "         \
	"last_used, revoked"

static void read_key(sqlite3_stmt *statement, struct store_key *key)
{
	*key = (struct store_key){
		.name = sql_text(statement, 2),
		.permissions = sql_text(statement, 3),
		.location = sql_text(statement, 4),
		.maker = sql_text(statement, 5),
		.created_by = sql_text(statement, 6),
		.created = sqlite3_column_int64(statement, 8),
		.expires = sqlite3_column_int64(statement, 9),
		.last_used = sqlite3_column_int64(statement, 10),
		.revoked = sqlite3_column_int(statement, 11) != 0,
	};
	snprintf(key->id, sizeof key->id, "%s", sqlite3_column_text(statement, 0));
	snprintf(key->parent, sizeof key->parent, "%s", sqlite3_column_text(statement, 7));
	sql_blob(statement, 1, key->hash, sizeof key->hash);
}

static enum store_status count_valid(
	struct sqlite_store *sqlite, int64_t now, int64_t *count, struct err *err)
{
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT count(*) FROM keys WHERE NOT revoked AND expires > ?", "i", now);
	enum store_status status = sql_step(sqlite, statement, err);
	*count = status == STORE_OK ? sqlite3_column_int64(statement, 0) : 0;
	sql_done(statement);
	return status;
}

static enum store_status add(
	struct sqlite_store *sqlite, const struct store_key *key, struct err *err)
{
	int64_t count = 0;
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite, "DELETE FROM keys WHERE expires < ? OR (revoked AND created < ?)", "ii",
			key->created - KEEP_S, key->created - KEEP_S),
		err);
	if (status == STORE_OK)
		status = count_valid(sqlite, key->created, &count, err);
	if (status == STORE_OK && count >= STORE_MAX_KEYS) {
		err_set(err, "there are %d API keys already; revoke some first", STORE_MAX_KEYS);
		return STORE_FULL;
	}
	return status == STORE_OK
			   ? sql_run(sqlite,
					 sql_start(sqlite,
						 "INSERT INTO keys(id, hash, name, permissions, location, maker, "
						 "created_by, parent, created, expires) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, "
						 "?)",
						 "tbttttttii", key->id, key->hash, key->name, key->permissions,
						 key->location, key->maker, key->created_by, key->parent, key->created,
						 key->expires),
					 err)
			   : status;
}

enum store_status keys_add(struct store *store, const struct store_key *key, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	return status == STORE_OK ? sql_end(sqlite, add(sqlite, key, err), err) : status;
}

enum store_status keys_find(struct store *store, const unsigned char hash[STORE_KEY_HASH],
	struct store_key *key, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT " COLUMNS " FROM keys WHERE hash = ?", "b", hash);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		read_key(statement, key);
	sql_done(statement);
	return status;
}

enum store_status keys_list(struct store *store,
	void (*each)(void *data, const struct store_key *key), void *data, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement =
		sql_start(sqlite, "SELECT " COLUMNS " FROM keys ORDER BY created DESC, id LIMIT 4000", "");
	enum store_status status;
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		struct store_key key;
		read_key(statement, &key);
		each(data, &key);
		store_key_free(&key);
	}
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status keys_revoke(struct store *store, const char *id, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite,
			"WITH RECURSIVE gone(id) AS (VALUES(?) UNION SELECT keys.id FROM keys JOIN gone ON "
			"parent = gone.id) UPDATE keys SET revoked = 1 WHERE id IN gone",
			"t", id),
		err);
	return status == STORE_OK && !sql_changes(sqlite) ? STORE_NOT_FOUND : status;
}

enum store_status keys_used(struct store *store, const char *id, int64_t now, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	if (sqlite->batch)
		return sql_run(sqlite,
			sql_start(sqlite, "UPDATE keys SET last_used = ? WHERE id = ?", "it", now, id), err);
	enum store_status status = store->driver->begin(store, false, err);
	if (status != STORE_OK)
		return status;
	status = sql_run(sqlite,
		sql_start(sqlite, "UPDATE keys SET last_used = ?1 WHERE id = ?2", "it", now, id), err);
	if (status == STORE_OK)
		return store->driver->commit(store, err);
	store->driver->rollback(store);
	return status;
}
