/* Users and their web sessions. */
#include "store/sqlite.h"

#include <string.h>

static void read_user(sqlite3_stmt *statement, struct store_user *user)
{
	*user = (struct store_user){
		.name = sql_text(statement, 0),
		.password = sql_text(statement, 1),
		.role = sql_text(statement, 2),
		.created = sqlite3_column_int64(statement, 3),
		.last_login = sqlite3_column_int64(statement, 4),
	};
}

enum store_status users_add(
	struct store *store, const struct store_user *user, bool first, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_run(sqlite,
		sql_start(sqlite,
			"INSERT INTO users(name, password, role, created) SELECT ?, ?, ?, ? "
			"WHERE NOT ?5 OR NOT EXISTS (SELECT 1 FROM users)",
			"tttii", user->name, user->password, user->role, user->created, (int64_t)first),
		err);
	return status == STORE_OK && !sql_changes(sqlite) ? STORE_EXISTS : status;
}

enum store_status users_find(
	struct store *store, const char *name, struct store_user *user, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT name, password, role, created, last_login FROM users WHERE name = ?", "t", name);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		read_user(statement, user);
	sql_done(statement);
	return status;
}

enum store_status users_list(struct store *store,
	void (*each)(void *data, const struct store_user *user), void *data, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sql_start(
		sqlite, "SELECT name, password, role, created, last_login FROM users ORDER BY name", "");
	enum store_status status;
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK) {
		struct store_user user;
		read_user(statement, &user);
		each(data, &user);
		store_user_free(&user);
	}
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status users_count(struct store *store, int64_t *count, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sql_start(sqlite, "SELECT count(*) FROM users", "");
	enum store_status status = sql_step(sqlite, statement, err);
	*count = status == STORE_OK ? sqlite3_column_int64(statement, 0) : 0;
	sql_done(statement);
	return status;
}

/* STORE_LAST when nobody else has the role that somebody has to have. */
static enum store_status check_last(
	struct sqlite_store *sqlite, const char *name, const char *keep_one, struct err *err)
{
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT role = ?2 AND NOT EXISTS (SELECT 1 FROM users WHERE role = ?2 AND name != ?1) "
		"FROM users WHERE name = ?1",
		"tt", name, keep_one);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK && sqlite3_column_int(statement, 0))
		status = STORE_LAST;
	sql_done(statement);
	return status;
}

enum store_status users_remove(
	struct store *store, const char *name, const char *keep_one, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	status = check_last(sqlite, name, keep_one, err);
	if (status == STORE_OK)
		status = sql_run(sqlite,
			sql_start(sqlite, "UPDATE keys SET revoked = 1 WHERE maker = ?", "t", name), err);
	if (status == STORE_OK)
		status =
			sql_run(sqlite, sql_start(sqlite, "DELETE FROM users WHERE name = ?", "t", name), err);
	return sql_end(sqlite, status, err);
}

enum store_status users_change(struct store *store, const char *name, const char *role,
	const char *password, const char *keep_one, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	status = check_last(sqlite, name, keep_one, err);
	if (status == STORE_LAST && (!role || strcmp(role, keep_one) == 0))
		status = STORE_OK;
	if (status == STORE_OK && role)
		status = sql_run(sqlite,
			sql_start(sqlite, "UPDATE users SET role = ? WHERE name = ?", "tt", role, name), err);
	if (status == STORE_OK && password)
		status = sql_run(sqlite,
			sql_start(sqlite, "UPDATE users SET password = ? WHERE name = ?", "tt", password, name),
			err);
	if (status == STORE_OK && password)
		status = sql_run(
			sqlite, sql_start(sqlite, "DELETE FROM web_sessions WHERE user = ?", "t", name), err);
	return sql_end(sqlite, status, err);
}

enum store_status users_signed_in(
	struct store *store, const char *name, int64_t now, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return sql_run(sqlite,
		sql_start(sqlite, "UPDATE users SET last_login = ? WHERE name = ?", "it", now, name), err);
}

enum store_status web_sessions_add(struct store *store,
	const unsigned char cookie_hash[STORE_HASH_BYTES], const char *user, int64_t now,
	int64_t expires, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status = sql_begin(sqlite, err);
	if (status != STORE_OK)
		return status;
	status = sql_run(
		sqlite, sql_start(sqlite, "DELETE FROM web_sessions WHERE expires <= ?", "i", now), err);
	if (status == STORE_OK)
		status = sql_run(sqlite,
			sql_start(sqlite,
				"INSERT INTO web_sessions(cookie_hash, user, expires) VALUES(?, ?, ?)", "bti",
				cookie_hash, user, expires),
			err);
	return sql_end(sqlite, status, err);
}

enum store_status web_sessions_find(struct store *store,
	const unsigned char cookie_hash[STORE_HASH_BYTES], int64_t now, struct store_user *user,
	struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sql_start(sqlite,
		"SELECT name, '', role, created, last_login FROM web_sessions JOIN users ON name = user "
		"WHERE cookie_hash = ? AND expires > ?",
		"bi", cookie_hash, now);
	enum store_status status = sql_step(sqlite, statement, err);
	if (status == STORE_OK)
		read_user(statement, user);
	sql_done(statement);
	return status;
}

enum store_status web_sessions_remove(
	struct store *store, const unsigned char cookie_hash[STORE_HASH_BYTES], struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return sql_run(sqlite,
		sql_start(sqlite, "DELETE FROM web_sessions WHERE cookie_hash = ?", "b", cookie_hash), err);
}
