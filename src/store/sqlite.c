/*
 * The SQLite driver: one connection, one writer, WAL.
 *
 * Happy path: open, check that the file is sound, run the migrations that it has not seen, prepare
 * statements as they are needed. What goes wrong: the file is no database or damaged (refused at
 * start, with the remedy), it is from a newer release (refused), the disk fills up (the call
 * changes nothing and says so; the next one may work again), another program holds the write lock
 * (waited for, the first time longest). A kill at any point loses nothing that was committed: the
 * WAL is synced at each commit.
 */
#include "store/sqlite.h"

#include "base/clock.h"
#include "base/embed.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long another program's lock is waited for: a command of an administrator takes milliseconds.
 * Who holds it longer than that may hold it for good, and the hub must not stand still at every
 * write until then. */
#define BUSY_US       INT64_C(2000000)
#define BUSY_AGAIN_US INT64_C(250000)
#define BUSY_LATER_US INT64_C(60000000) /* after so long the first patience is back */
#define BUSY_STEP_US  5000

extern const struct embedded_file store_schema[];

static const struct store_driver driver;

static int say_damaged(const struct sqlite_store *sqlite, const char *words, struct err *err)
{
	return err_set(err,
		"%s: the database is damaged (%s). Stop the hub and put the newest backup in its place "
		"(sallyport-hub restore FILE), or save what can be saved with `sqlite3 %s .recover`",
		sqlite->path, words, sqlite->path);
}

static enum store_status sql_failed(struct sqlite_store *sqlite, struct err *err)
{
	int code = sqlite3_errcode(sqlite->db);
	int full = code == SQLITE_FULL ||
			   (code == SQLITE_IOERR && (sqlite3_system_errno(sqlite->db) == ENOSPC ||
											sqlite3_system_errno(sqlite->db) == EDQUOT));
	if (full) {
		err_set(
			err, "%s: the disk is full; nothing was stored. Free some space on it", sqlite->path);
		return STORE_FULL;
	}
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
		sqlite->damaged = true;
		say_damaged(sqlite, sqlite3_errmsg(sqlite->db), err);
	} else if (code == SQLITE_BUSY)
		err_set(err, "%s: another program holds the database; try again", sqlite->path);
	else
		err_set(err, "%s: %s", sqlite->path, sqlite3_errmsg(sqlite->db));
	return STORE_ERROR;
}

static enum store_status sql_exec(struct sqlite_store *sqlite, const char *sql, struct err *err)
{
	return sqlite3_exec(sqlite->db, sql, NULL, NULL, NULL) == SQLITE_OK ? STORE_OK
																		: sql_failed(sqlite, err);
}

static sqlite3_stmt *prepared(struct sqlite_store *sqlite, const char *sql)
{
	size_t at = 0;
	while (at < SQL_MAX_STATEMENTS && sqlite->prepared[at].sql && sqlite->prepared[at].sql != sql)
		at++;
	if (at == SQL_MAX_STATEMENTS)
		abort(); /* a statement was added without room for it */
	if (!sqlite->prepared[at].sql) {
		sqlite3_stmt *statement = NULL;
		if (sqlite3_prepare_v3(sqlite->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
			SQLITE_OK)
			return NULL;
		sqlite->prepared[at].sql = sql;
		sqlite->prepared[at].statement = statement;
	}
	return sqlite->prepared[at].statement;
}

static void bind_blob(sqlite3_stmt *statement, int at, const struct sql_blob *blob)
{
	if (blob->data)
		sqlite3_bind_blob(statement, at, blob->data, (int)blob->len, SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(statement, at);
}

sqlite3_stmt *sql_start(struct sqlite_store *sqlite, const char *sql, const char *types, ...)
{
	sqlite3_stmt *statement = prepared(sqlite, sql);
	if (!statement)
		return NULL;
	sqlite3_reset(statement);
	va_list args;
	va_start(args, types);
	for (int i = 0; types[i]; i++) {
		if (types[i] == 't')
			sqlite3_bind_text(statement, i + 1, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
		else if (types[i] == 'i')
			sqlite3_bind_int64(statement, i + 1, va_arg(args, int64_t));
		else if (types[i] == 'z')
			bind_blob(statement, i + 1, va_arg(args, const struct sql_blob *));
		else
			sqlite3_bind_blob(
				statement, i + 1, va_arg(args, const void *), STORE_HASH_BYTES, SQLITE_TRANSIENT);
	}
	va_end(args);
	return statement;
}

enum store_status sql_step(struct sqlite_store *sqlite, sqlite3_stmt *statement, struct err *err)
{
	int code = statement ? sqlite3_step(statement) : SQLITE_ERROR;
	if (code == SQLITE_ROW)
		return STORE_OK;
	if (code == SQLITE_DONE) {
		sqlite3_reset(statement);
		return STORE_NOT_FOUND;
	}
	enum store_status status =
		sqlite3_errcode(sqlite->db) == SQLITE_CONSTRAINT ? STORE_EXISTS : sql_failed(sqlite, err);
	if (statement)
		sqlite3_reset(statement);
	return status;
}

enum store_status sql_run(struct sqlite_store *sqlite, sqlite3_stmt *statement, struct err *err)
{
	enum store_status status;
	while ((status = sql_step(sqlite, statement, err)) == STORE_OK)
		continue;
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

void sql_done(sqlite3_stmt *statement)
{
	if (statement) {
		sqlite3_reset(statement);
		sqlite3_clear_bindings(statement);
	}
}

char *sql_text(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);
	return xstrdup(text ? (const char *)text : "");
}

void sql_blob(sqlite3_stmt *statement, int column, unsigned char *to, size_t len)
{
	const void *blob = sqlite3_column_blob(statement, column);
	memset(to, 0, len);
	if (blob && sqlite3_column_bytes(statement, column) == (int)len)
		memcpy(to, blob, len);
}

int sql_changes(const struct sqlite_store *sqlite)
{
	return sqlite3_changes(sqlite->db);
}

enum store_status sql_begin(struct sqlite_store *sqlite, struct err *err)
{
	return sqlite->batch ? STORE_OK : sql_exec(sqlite, "BEGIN IMMEDIATE", err);
}

enum store_status sql_end(struct sqlite_store *sqlite, enum store_status status, struct err *err)
{
	if (sqlite->batch)
		return status;
	if (status == STORE_OK)
		status = sql_exec(sqlite, "COMMIT", err);
	if (status != STORE_OK && !sqlite3_get_autocommit(sqlite->db))
		sqlite3_exec(sqlite->db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

/* --- batches ------------------------------------------------------------------------------- */

static enum store_status store_begin(struct store *store, bool lasting, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	/* NORMAL leaves the sync to the next lasting commit or checkpoint: safe against a crash of this
	 * program, and against a power cut but for the last transactions. */
	if (!lasting)
		sql_exec(sqlite, "PRAGMA synchronous=NORMAL", NULL);
	enum store_status status = sql_exec(sqlite, "BEGIN IMMEDIATE", err);
	sqlite->batch = status == STORE_OK;
	if (status != STORE_OK)
		sql_exec(sqlite, "PRAGMA synchronous=FULL", NULL);
	return status;
}

static void store_rollback(struct store *store)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite->batch = false;
	if (!sqlite3_get_autocommit(sqlite->db))
		sqlite3_exec(sqlite->db, "ROLLBACK", NULL, NULL, NULL);
	sql_exec(sqlite, "PRAGMA synchronous=FULL", NULL);
}

static enum store_status store_commit(struct store *store, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	enum store_status status =
		sqlite3_get_autocommit(sqlite->db)
			? STORE_ERROR /* a full disk has ended the transaction on its own */
			: sql_exec(sqlite, "COMMIT", err);
	store_rollback(store);
	return status;
}

/* --- meta ---------------------------------------------------------------------------------- */

static enum store_status meta_set(
	struct store *store, const char *key, const char *value, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	return sql_run(sqlite,
		sql_start(sqlite,
			"INSERT INTO meta(key, value) VALUES(?, ?) "
			"ON CONFLICT(key) DO UPDATE SET value = excluded.value",
			"tt", key, value),
		err);
}

static enum store_status meta_get(
	struct store *store, const char *key, char **value, struct err *err)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	sqlite3_stmt *statement = sql_start(sqlite, "SELECT value FROM meta WHERE key = ?", "t", key);
	enum store_status status = sql_step(sqlite, statement, err);
	*value = status == STORE_OK ? sql_text(statement, 0) : NULL;
	sql_done(statement);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

static enum store_status store_probe(struct store *store, struct err *err)
{
	/* Writing may go on for long beside pages that cannot be read. */
	if (sqlite_of(store)->damaged) {
		say_damaged(sqlite_of(store), "seen since the start", err);
		return STORE_ERROR;
	}
	/* A page's worth: a few bytes may still fit where nothing else does. */
	char filler[4097];
	static unsigned turn;
	memset(filler, 'a' + (int)(turn++ % 26), sizeof filler - 1);
	filler[sizeof filler - 1] = '\0';
	return meta_set(store, "probe", filler, err);
}

/* --- opening ------------------------------------------------------------------------------- */

static void store_close(struct store *store)
{
	struct sqlite_store *sqlite = sqlite_of(store);
	for (size_t i = 0; i < SQL_MAX_STATEMENTS; i++)
		sqlite3_finalize(sqlite->prepared[i].statement);
	sqlite3_close(sqlite->db);
	free(sqlite->path);
	free(sqlite);
}

static int take_first_column(void *data, int count, char **values, char **names)
{
	(void)names;
	snprintf(data, 256, "%s", count && values[0] ? values[0] : "");
	return 0;
}

static int pragma(struct sqlite_store *sqlite, const char *sql, char answer[256], struct err *err)
{
	answer[0] = '\0';
	if (sqlite3_exec(sqlite->db, sql, take_first_column, answer, NULL) == SQLITE_OK)
		return 0;
	sql_failed(sqlite, err);
	return -1;
}

static int check_soundness(struct sqlite_store *sqlite, struct err *err)
{
	char answer[256];
	if (pragma(sqlite, "PRAGMA quick_check(1)", answer, err))
		return -1;
	if (strcmp(answer, "ok") == 0)
		return 0;
	return say_damaged(sqlite, answer, err);
}

static int migrate_one(struct sqlite_store *sqlite, long number, struct err *err)
{
	char version[64];
	snprintf(version, sizeof version, "PRAGMA user_version = %ld", number);
	const char *const steps[] = {
		"BEGIN IMMEDIATE", (const char *)store_schema[number - 1].data, version, "COMMIT"};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (sql_exec(sqlite, steps[i], err) != STORE_OK) {
			if (!sqlite3_get_autocommit(sqlite->db))
				sqlite3_exec(sqlite->db, "ROLLBACK", NULL, NULL, NULL);
			return err_prefix(err, "schema %s", store_schema[number - 1].name);
		}
	}
	return 0;
}

static int migrate(struct sqlite_store *sqlite, struct err *err)
{
	char answer[256];
	long known = 0;
	while (store_schema[known].name)
		known++;
	if (pragma(sqlite, "PRAGMA user_version", answer, err))
		return -1;
	long have = strtol(answer, NULL, 10);
	if (have > known)
		return err_set(err,
			"%s: the database is of a newer release (schema %ld, this program knows %ld); start "
			"that "
			"release instead",
			sqlite->path, have, known);
	while (have < known)
		if (migrate_one(sqlite, ++have, err))
			return -1;
	return 0;
}

/* Called while somebody else holds the lock; 0 gives up. */
static int on_busy(void *data, int turn)
{
	struct sqlite_store *sqlite = data;
	int64_t now = clock_mono_us();
	if (turn == 0)
		sqlite->busy_since_us = now;
	bool again = sqlite->gave_up_us && now - sqlite->gave_up_us < BUSY_LATER_US;
	if (now - sqlite->busy_since_us < (again ? BUSY_AGAIN_US : BUSY_US)) {
		usleep(BUSY_STEP_US);
		return 1;
	}
	sqlite->gave_up_us = now;
	return 0;
}

static int set_up(struct sqlite_store *sqlite, struct err *err)
{
	static const char *const settings[] = {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
		"PRAGMA foreign_keys=ON",
		/* What is deleted is overwritten: it may have been a secret. */
		"PRAGMA secure_delete=ON", "PRAGMA temp_store=MEMORY", "PRAGMA cache_size=-2048",
		"PRAGMA journal_size_limit=16777216"};
	char answer[256];
	sqlite3_busy_handler(sqlite->db, on_busy, sqlite);
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (pragma(sqlite, settings[i], answer, err))
			return -1;
	return 0;
}

struct store *sqlite_open(const char *path, struct err *err)
{
	struct sqlite_store *sqlite = xcalloc(1, sizeof *sqlite);
	sqlite->store.driver = &driver;
	sqlite->path = xstrdup(path);
	/* SQLite makes the file and its companions with the mode of the database file. */
	mode_t before = umask(077);
	int bad =
		sqlite3_open_v2(path, &sqlite->db,
			SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK
			? (sql_failed(sqlite, err), -1)
			: 0;
	if (!bad)
		bad = set_up(sqlite, err) || check_soundness(sqlite, err) || migrate(sqlite, err);
	umask(before);
	if (!bad)
		return &sqlite->store;
	store_close(&sqlite->store);
	return NULL;
}

static const struct store_driver driver = {
	.close = store_close,
	.probe = store_probe,
	.begin = store_begin,
	.commit = store_commit,
	.rollback = store_rollback,
	.meta = {meta_set, meta_get},
	.users = {users_add, users_find, users_list, users_count, users_remove},
	.web_sessions = {web_sessions_add, web_sessions_find, web_sessions_remove},
	.tokens = {tokens_add, tokens_list, tokens_revoke},
	.servers = {servers_enrol, servers_standing, servers_change, servers_find, servers_list,
		servers_counts, servers_remove, servers_all_offline},
	.checks = {checks_add, checks_change, checks_find, checks_list, checks_unfinished},
	.jobs = {sql_jobs_add, sql_jobs_find, sql_jobs_load, sql_jobs_list, sql_jobs_active,
		sql_jobs_change, sql_jobs_wipe_secrets, sql_jobs_prune},
	.runs = {sql_runs_live, sql_runs_change, sql_runs_find, sql_runs_of_server, sql_runs_list,
		sql_runs_add_output, sql_runs_output, sql_runs_activity},
	.access = {users_change, users_signed_in, keys_add, keys_find, keys_list, keys_revoke,
		keys_used, audit_add, audit_list, replays_begin, replays_end, replays_drop},
	.locations = {locations_add, locations_find, locations_list, locations_change, locations_remove,
		locations_place, locations_promote, locations_demote, locations_connectors, locations_pin,
		locations_pinned, locations_host_keys, locations_unpin},
	.installs = {installs_store_add, installs_store_find, installs_store_list,
		installs_store_change, installs_store_prune, installs_store_targets, installs_store_target,
		installs_store_target_change, installs_store_forget, installs_store_drop_tokens},
	.uploads = {uploads_add, uploads_change, uploads_find, uploads_list, uploads_each,
		uploads_remove},
};
