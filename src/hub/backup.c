/*
 * Restoring, happy path: the lock is taken; the backup is unpacked into restore.new, where its
 * database is opened (and so brought to this release's schema) and its identity read; then a mark
 * says that files are being exchanged, the old ones move into before-restore-TIME, the new ones
 * take their places, and the mark goes. Whatever fails before the mark leaves the hub as it was; a
 * kill behind it leaves the mark, with which no hub starts until the restore has been run again.
 */
#include "hub/backup.h"

#include "base/file.h"
#include "hub/hub.h"
#include "hub/keys.h"
#include "hub/state_dir.h"
#include "store/backup.h"
#include "store/store.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DATABASE "hub.db"
#define IDENTITY "identity.key"

/* Beside the database. With an administrator's own certificate only the identity is there. */
static const char *const small_files[] = {IDENTITY, "ca.pem", "ca.key", "server.pem", "server.key"};
/* The database with its companions. */
static const char *const database_files[] = {DATABASE, DATABASE "-wal", DATABASE "-shm"};

static void wipe(struct buf *text)
{
	if (text->data)
		sodium_memzero(text->data, text->cap);
	buf_free(text);
}

static int gather(const char *dir, struct backup *backup, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(small_files); i++) {
		cleanup(free_ptr) char *path = xasprintf("%s/%s", dir, small_files[i]);
		cleanup(wipe) struct buf text = {0};
		if (file_read(path, BACKUP_MAX_ITEM, &text, err) == 0)
			backup_add(backup, small_files[i], buf_text(&text), text.len);
		else if (errno != ENOENT)
			return -1;
	}
	if (backup_item(backup, IDENTITY))
		return 0;
	return err_set(
		err, "%s/%s is missing; start the hub once first: sallyport-hub serve", dir, IDENTITY);
}

int hub_backup(const char *root, const char *to, struct err *err)
{
	cleanup(free_ptr) char *dir = hub_state_dir(root);
	cleanup(free_ptr) char *database = xasprintf("%s/%s", dir, DATABASE);
	cleanup(backup_free) struct backup backup = {.made = time(NULL)};
	if (state_dir_check(dir, err) || gather(dir, &backup, err))
		return -1;
	return backup_write(database, &backup, to, err);
}

/* --- restoring ----------------------------------------------------------------------------- */

struct restore {
	char *dir;   /* of the hub's state */
	char *fresh; /* dir/restore.new */
	char *old;   /* dir/before-restore-TIME; made when there is something to keep */
	struct backup backup;
	int lock; /* -1 before it is taken */
};

static void restore_end(struct restore *restore)
{
	backup_free(&restore->backup);
	if (restore->lock >= 0)
		close(restore->lock);
	free(restore->dir);
	free(restore->fresh);
	free(restore->old);
}

/* Removes what an earlier try left in the folder for the new files. */
static void clear_fresh(const struct restore *restore)
{
	for (size_t i = 0; i < ARRAY_LEN(small_files); i++) {
		cleanup(free_ptr) char *path = xasprintf("%s/%s", restore->fresh, small_files[i]);
		unlink(path);
	}
	for (size_t i = 0; i < ARRAY_LEN(database_files); i++) {
		cleanup(free_ptr) char *path = xasprintf("%s/%s", restore->fresh, database_files[i]);
		unlink(path);
	}
	rmdir(restore->fresh);
}

/* The service may run as a user of its own, the restore as root. */
static int give_to_owner(const struct restore *restore, const char *path, struct err *err)
{
	struct stat info;
	if (geteuid() != 0)
		return 0;
	if (stat(restore->dir, &info) || chown(path, info.st_uid, info.st_gid))
		return err_set(err, "%s: %s", path, strerror(errno));
	return 0;
}

static int unpack(const struct restore *restore, const char *from, struct err *err)
{
	cleanup(free_ptr) char *database = xasprintf("%s/%s", restore->fresh, DATABASE);
	if (file_make_dirs(restore->fresh, 0700, err) || backup_extract(from, database, err))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(small_files); i++) {
		cleanup(free_ptr) char *path = xasprintf("%s/%s", restore->fresh, small_files[i]);
		const struct backup_item *item = backup_item(&restore->backup, small_files[i]);
		if (item && (file_replace(path, item->data, item->len, 0600, err) ||
						give_to_owner(restore, path, err)))
			return -1;
	}
	return 0;
}

/* Is it what a hub of this release can start with? */
static int try_out(const struct restore *restore, struct err *err)
{
	cleanup(free_ptr) char *database = xasprintf("%s/%s", restore->fresh, DATABASE);
	struct identity identity = {0};
	struct store *store = sqlite_open(database, err);
	if (!store)
		return err_prefix(err, "this backup cannot be used");
	store->driver->close(store);
	int bad = keys_identity(restore->fresh, false, &identity, err);
	identity_wipe(&identity);
	return bad || give_to_owner(restore, database, err) || file_sync(database, err) ? -1 : 0;
}

/* A file that is not there is nothing to move. */
static int move_file(const char *from_dir, const char *name, const char *to_dir, struct err *err)
{
	cleanup(free_ptr) char *from = xasprintf("%s/%s", from_dir, name);
	cleanup(free_ptr) char *to = xasprintf("%s/%s", to_dir, name);
	if (rename(from, to) && errno != ENOENT)
		return err_set(err, "%s: %s", from, strerror(errno));
	return 0;
}

static int move_all(const char *from_dir, const char *to_dir, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(database_files); i++)
		if (move_file(from_dir, database_files[i], to_dir, err))
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(small_files); i++)
		if (move_file(from_dir, small_files[i], to_dir, err))
			return -1;
	return file_sync(to_dir, err);
}

static bool any_state(const char *dir)
{
	cleanup(free_ptr) char *database = xasprintf("%s/%s", dir, DATABASE);
	cleanup(free_ptr) char *identity = xasprintf("%s/%s", dir, IDENTITY);
	return file_exists(database) || file_exists(identity);
}

static int keep_old(struct restore *restore, struct err *err)
{
	char when[32];
	time_t now = time(NULL);
	struct tm utc;
	if (!any_state(restore->dir))
		return 0;
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	restore->old = xasprintf("%s/before-restore-%s", restore->dir, when);
	/* Two within one second: the second must not cover what the first has kept. */
	for (int turn = 2; mkdir(restore->old, 0700); turn++) {
		if (errno != EEXIST || turn > 99)
			return err_set(err, "%s: %s", restore->old, strerror(errno));
		free(restore->old);
		restore->old = xasprintf("%s/before-restore-%s-%d", restore->dir, when, turn);
	}
	return give_to_owner(restore, restore->old, err) || move_all(restore->dir, restore->old, err)
			   ? -1
			   : 0;
}

static int exchange(struct restore *restore, struct err *err)
{
	static const char words[] = "A restore exchanges the files of this folder.\n";
	cleanup(free_ptr) char *mark = xasprintf("%s/" STATE_DIR_RESTORING, restore->dir);
	if (file_replace(mark, words, sizeof words - 1, 0600, err) || keep_old(restore, err) ||
		move_all(restore->fresh, restore->dir, err))
		return -1;
	if (unlink(mark))
		return err_set(err, "%s: %s", mark, strerror(errno));
	return file_sync(restore->dir, err);
}

int hub_restore(const char *root, const char *from, char **kept, int64_t *made, struct err *err)
{
	cleanup(restore_end) struct restore restore = {.dir = hub_state_dir(root), .lock = -1};
	restore.fresh = xasprintf("%s/restore.new", restore.dir);
	*kept = NULL;
	if (backup_read(from, &restore.backup, err))
		return -1;
	restore.lock = state_dir_lock(restore.dir, err);
	if (restore.lock < 0)
		return -1;
	clear_fresh(&restore);
	int bad = unpack(&restore, from, err) || try_out(&restore, err) || exchange(&restore, err);
	clear_fresh(&restore);
	if (bad)
		return -1;
	*kept = restore.old;
	restore.old = NULL;
	*made = restore.backup.made;
	return 0;
}
