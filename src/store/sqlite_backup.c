/*
 * Happy path of writing: FILE.part is made with mode 0600, SQLite's backup copies every page of one
 * snapshot into it, the items go into a table of their own, the copy is checked, synced and
 * renamed. It fails when the database is damaged or held, or the disk is full; then FILE is what it
 * was.
 */
#include "store/backup.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS        5000
#define APPLICATION_ID "1397768258" /* "SPLB"; tells a backup from a database in use */
#define MAX_NAME       64

static void close_database(sqlite3 **db)
{
	sqlite3_close(*db);
}

static void finalize(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

static int failed(sqlite3 *db, const char *file, struct err *err)
{
	int code = sqlite3_errcode(db);
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return err_set(err, "%s: damaged, or no database (%s); an earlier backup may be whole",
			file, sqlite3_errmsg(db));
	if (code == SQLITE_BUSY)
		return err_set(err, "%s: another program holds the database; try again", file);
	if (code == SQLITE_FULL)
		return err_set(err, "%s: the disk is full; free some space on it", file);
	return err_set(err, "%s: %s", file, sqlite3_errmsg(db));
}

static int open_database(const char *file, int flags, sqlite3 **db, struct err *err)
{
	if (sqlite3_open_v2(file, db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return failed(*db, file, err);
	sqlite3_busy_timeout(*db, BUSY_MS);
	return 0;
}

static int run_sql(sqlite3 *db, const char *file, const char *sql, struct err *err)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(db, file, err);
}

/* The first column of the first row; "" when there is none. */
static int ask(sqlite3 *db, const char *file, const char *sql, char answer[256], struct err *err)
{
	cleanup(finalize) sqlite3_stmt *statement = NULL;
	answer[0] = '\0';
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		return failed(db, file, err);
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		snprintf(answer, 256, "%s", (const char *)sqlite3_column_text(statement, 0));
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : failed(db, file, err);
}

static int check_soundness(sqlite3 *db, const char *file, struct err *err)
{
	char answer[256];
	if (ask(db, file, "PRAGMA integrity_check(1)", answer, err))
		return -1;
	return strcmp(answer, "ok") == 0
			   ? 0
			   : err_set(err, "%s: the database is damaged (%s); an earlier backup may be whole",
					 file, answer);
}

/* Every page of one snapshot: nobody who writes meanwhile is held up. */
static int copy_pages(
	sqlite3 *from, sqlite3 *to, const char *from_file, const char *to_file, struct err *err)
{
	sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
	if (!copy)
		return failed(to, to_file, err);
	int code = sqlite3_backup_step(copy, -1);
	if (sqlite3_backup_finish(copy) != SQLITE_OK || code != SQLITE_DONE)
		return sqlite3_errcode(from) != SQLITE_OK && sqlite3_errcode(from) != SQLITE_DONE
				   ? failed(from, from_file, err)
				   : failed(to, to_file, err);
	return 0;
}

static int add_items(sqlite3 *db, const struct backup *backup, const char *file, struct err *err)
{
	for (size_t i = 0; i < backup->count; i++) {
		cleanup(finalize) sqlite3_stmt *statement = NULL;
		const struct backup_item *item = &backup->items[i];
		if (sqlite3_prepare_v2(db, "INSERT INTO backup_items(name, data, made) VALUES(?, ?, ?)", -1,
				&statement, NULL) != SQLITE_OK)
			return failed(db, file, err);
		sqlite3_bind_text(statement, 1, item->name, -1, SQLITE_STATIC);
		sqlite3_bind_blob(statement, 2, item->data, (int)item->len, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 3, backup->made);
		if (sqlite3_step(statement) != SQLITE_DONE)
			return failed(db, file, err);
	}
	return 0;
}

static int make_part(
	const char *database, const struct backup *backup, const char *part, struct err *err)
{
	cleanup(close_database) sqlite3 *from = NULL;
	cleanup(close_database) sqlite3 *to = NULL;
	if (open_database(database, SQLITE_OPEN_READWRITE, &from, err) ||
		open_database(part, SQLITE_OPEN_READWRITE, &to, err))
		return -1;
	/* The copy is in WAL mode like its source; a file that travels must be whole by itself. */
	return copy_pages(from, to, database, part, err) ||
				   run_sql(to, part, "PRAGMA journal_mode=DELETE", err) ||
				   check_soundness(to, database, err) ||
				   run_sql(to, part,
					   "BEGIN; CREATE TABLE backup_items(name TEXT PRIMARY KEY, data BLOB NOT "
					   "NULL, "
					   "made INTEGER NOT NULL); PRAGMA application_id=" APPLICATION_ID,
					   err) ||
				   add_items(to, backup, part, err) || run_sql(to, part, "COMMIT", err)
			   ? -1
			   : 0;
}

static int make_file(const char *path, struct err *err)
{
	if (unlink(path) && errno != ENOENT)
		return err_set(err, "%s: %s", path, strerror(errno));
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	close(fd);
	return 0;
}

int backup_write(const char *database, const struct backup *backup, const char *to, struct err *err)
{
	struct stat info;
	cleanup(free_ptr) char *part = xasprintf("%s.part", to);
	if (stat(to, &info) == 0 && !S_ISREG(info.st_mode))
		return err_set(err, "%s: no ordinary file; name one", to);
	if (make_file(part, err))
		return -1;
	int bad = make_part(database, backup, part, err) || file_sync(part, err);
	if (!bad && rename(part, to))
		bad = err_set(err, "%s: %s", to, strerror(errno));
	if (bad)
		unlink(part);
	return bad ? -1 : 0;
}

/* --- reading ------------------------------------------------------------------------------- */

static int open_backup(const char *file, sqlite3 **db, struct err *err)
{
	char answer[256];
	if (!file_exists(file))
		return err_set(err, "%s: %s", file, strerror(errno));
	if (open_database(file, SQLITE_OPEN_READONLY, db, err) ||
		ask(*db, file, "PRAGMA application_id", answer, err))
		return -1;
	if (strcmp(answer, APPLICATION_ID) != 0)
		return err_set(
			err, "%s: no backup of a hub; make one with `sallyport-hub backup FILE`", file);
	return check_soundness(*db, file, err);
}

static bool is_plain_name(const char *name)
{
	return name && *name && *name != '.' && strlen(name) < MAX_NAME && !strchr(name, '/');
}

int backup_read(const char *file, struct backup *backup, struct err *err)
{
	cleanup(close_database) sqlite3 *db = NULL;
	cleanup(finalize) sqlite3_stmt *statement = NULL;
	int code;
	*backup = (struct backup){.count = 0};
	if (open_backup(file, &db, err))
		return -1;
	if (sqlite3_prepare_v2(db, "SELECT name, data, made FROM backup_items", -1, &statement, NULL) !=
		SQLITE_OK)
		return failed(db, file, err);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(statement, 0);
		int len = sqlite3_column_bytes(statement, 1);
		if (!is_plain_name(name) || len > BACKUP_MAX_ITEM || backup->count == BACKUP_MAX_ITEMS) {
			backup_free(backup);
			return err_set(err, "%s: holds what no backup of a hub does", file);
		}
		backup_add(backup, name, sqlite3_column_blob(statement, 1), (size_t)len);
		backup->made = sqlite3_column_int64(statement, 2);
	}
	if (code == SQLITE_DONE)
		return 0;
	backup_free(backup);
	return failed(db, file, err);
}

int backup_extract(const char *file, const char *database, struct err *err)
{
	cleanup(close_database) sqlite3 *from = NULL;
	cleanup(close_database) sqlite3 *to = NULL;
	return open_backup(file, &from, err) || make_file(database, err) ||
				   open_database(database, SQLITE_OPEN_READWRITE, &to, err) ||
				   copy_pages(from, to, file, database, err) ||
				   run_sql(to, database, "DROP TABLE backup_items; PRAGMA application_id=0; VACUUM",
					   err)
			   ? -1
			   : 0;
}

/* --- items --------------------------------------------------------------------------------- */

void backup_add(struct backup *backup, const char *name, const char *data, size_t len)
{
	if (backup->count == BACKUP_MAX_ITEMS)
		abort(); /* whoever adds more makes more room */
	struct backup_item *item = &backup->items[backup->count++];
	item->name = xstrdup(name);
	item->data = xcalloc(len + 1, 1);
	if (len)
		memcpy(item->data, data, len);
	item->len = len;
}

const struct backup_item *backup_item(const struct backup *backup, const char *name)
{
	for (size_t i = 0; i < backup->count; i++)
		if (strcmp(backup->items[i].name, name) == 0)
			return &backup->items[i];
	return NULL;
}

void backup_free(struct backup *backup)
{
	for (size_t i = 0; i < backup->count; i++) {
		sodium_memzero(backup->items[i].data, backup->items[i].len);
		free(backup->items[i].data);
		free(backup->items[i].name);
	}
	*backup = (struct backup){.count = 0};
}
