/*
 * The happy path of a run's folder: made beside its place, filled, synced, renamed, its parent
 * synced; at the end an empty RUN.end beside it, the parent synced, the folder removed.
 *
 * Failure modes: the disk is full or read-only (nothing is left behind, the hub asks again), power
 * fails between any two steps (a folder that was not renamed is cleared at the next start; RUN.end
 * beside a folder means that only the removal is missing), a lock cannot be had because the file
 * system has none (said as an error, nothing runs).
 */
#include "agent/runs/journal.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_ENDING "new" /* RUN.new: not whole yet */
#define END_ENDING "end"
#define RAW_ENDING "raw" /* an END whose time is not set yet */
#define ROOM_BYTES 16384

/* "RUN" and its ending; the ending is "" for a run's folder. False for what is none of ours. */
static bool split_name(const char *name, char run[JOB_ID_SIZE], const char **ending)
{
	snprintf(run, JOB_ID_SIZE, "%.*s", JOB_ID_SIZE - 1, name);
	*ending = name + strlen(run);
	if (!job_is_id(run))
		return false;
	if (**ending == '.')
		(*ending)++;
	return true;
}

static char *beside(const struct agent_paths *paths, const char *run, const char *ending)
{
	return xasprintf("%s/%s.%s", paths->runs, run, ending);
}

char *journal_file(const struct agent_paths *paths, const char *run, const char *name)
{
	return xasprintf("%s/%s/%s", paths->runs, run, name);
}

/* A flat folder and all in it. */
static void remove_folder(const char *path)
{
	struct dirent *entry;
	DIR *folder = opendir(path);
	while (folder && (entry = readdir(folder)))
		unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
	rmdir(path);
}

/* --- all of them ------------------------------------------------------------------------------ */

/* Calls `each` for every entry with this ending. */
static bool walk(const struct agent_paths *paths, const char *wanted,
	void (*each)(void *data, const char *run), void *data)
{
	struct dirent *entry;
	char run[JOB_ID_SIZE];
	const char *ending;
	DIR *folder = opendir(paths->runs);
	if (!folder)
		return false;
	while ((entry = readdir(folder)))
		if (split_name(entry->d_name, run, &ending) && strcmp(ending, wanted) == 0)
			each(data, run);
	closedir(folder);
	return true;
}

bool journal_list(
	const struct agent_paths *paths, void (*each)(void *data, const char *run), void *data)
{
	return walk(paths, "", each, data);
}

static void clear_new(void *data, const char *run)
{
	cleanup(free_ptr) char *path = beside(data, run, NEW_ENDING);
	remove_folder(path);
}

/* Its end was confirmed; the folder was not removed any more. */
static void finish_burial(void *data, const char *run)
{
	cleanup(free_ptr) char *path = journal_file(data, run, "");
	remove_folder(path);
}

static void clear_raw(void *data, const char *run)
{
	cleanup(free_ptr) char *path = beside(data, run, RAW_ENDING);
	unlink(path);
}

int journal_open(const struct agent_paths *paths, struct err *err)
{
	if (file_make_dirs(paths->runs, 0700, err))
		return -1;
	walk(paths, NEW_ENDING, clear_new, (void *)paths);
	walk(paths, RAW_ENDING, clear_raw, (void *)paths);
	walk(paths, END_ENDING, finish_burial, (void *)paths);
	return 0;
}

bool journal_has(const struct agent_paths *paths, const char *run)
{
	cleanup(free_ptr) char *path = journal_file(paths, run, "");
	return file_exists(path);
}

/* --- a new one -------------------------------------------------------------------------------- */

static int put(const char *folder, const char *name, const void *data, size_t len, struct err *err)
{
	cleanup(free_ptr) char *path = xasprintf("%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	ssize_t written = write(fd, data, len);
	int rc = 0;
	if (written != (ssize_t)len)
		rc = err_set(err, "%s: %s", path, written < 0 ? strerror(errno) : "the disk is full");
	else if (fsync(fd))
		rc = err_set(err, "%s: %s", path, strerror(errno));
	close(fd);
	return rc;
}

/* Random, so that no file system stores it in less. */
static int put_room(const char *folder, struct err *err)
{
	cleanup(free_ptr) unsigned char *bytes = xcalloc(ROOM_BYTES, 1);
	randombytes_buf(bytes, ROOM_BYTES);
	return put(folder, "room", bytes, ROOM_BYTES, err);
}

static int put_fifo(const char *folder, const char *name, struct err *err)
{
	cleanup(free_ptr) char *path = xasprintf("%s/%s", folder, name);
	return mkfifo(path, 0600) ? err_set(err, "%s: %s", path, strerror(errno)) : 0;
}

static int fill(const struct agent_paths *paths, const char *run, const char *folder,
	const char *spec, const unsigned char signature[JOB_SIGNATURE_BYTES],
	const struct run_state *state, struct err *err)
{
	cleanup(free_ptr) char *name = xasprintf("%s.%s", run, NEW_ENDING);
	if (put(folder, "spec", spec, strlen(spec), err) ||
		put(folder, "signature", signature, JOB_SIGNATURE_BYTES, err) ||
		put(folder, "lock", "", 0, err) || put_room(folder, err) || put_fifo(folder, "news", err) ||
		put_fifo(folder, "call", err))
		return -1;
	return journal_state_save(paths, name, state, err); /* which syncs the folder, too */
}

int journal_add(const struct agent_paths *paths, const char *run, const char *spec,
	const unsigned char signature[JOB_SIGNATURE_BYTES], const struct run_state *state,
	struct err *err)
{
	cleanup(free_ptr) char *folder = beside(paths, run, NEW_ENDING);
	cleanup(free_ptr) char *place = xasprintf("%s/%s", paths->runs, run);
	remove_folder(folder);
	if (mkdir(folder, 0700))
		return err_set(err, "%s: %s", folder, strerror(errno));
	if (fill(paths, run, folder, spec, signature, state, err)) {
		remove_folder(folder);
		return -1;
	}
	if (rename(folder, place)) {
		err_set(err, "%s: %s", place, strerror(errno));
		remove_folder(folder);
		return -1;
	}
	return file_sync(paths->runs, err);
}

void journal_free_room(const struct agent_paths *paths, const char *run)
{
	cleanup(free_ptr) char *path = journal_file(paths, run, "room");
	unlink(path);
}

/* --- lock and cancel -------------------------------------------------------------------------- */

int journal_lock(const struct agent_paths *paths, const char *run, struct err *err)
{
	cleanup(free_ptr) char *path = journal_file(paths, run, "lock");
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	if (fcntl(fd, F_SETLK, &lock) == 0)
		return fd;
	int saved = errno == EACCES ? EAGAIN : errno;
	close(fd);
	err_set(err, "%s: %s", path, saved == EAGAIN ? "another process holds it" : strerror(saved));
	errno = saved;
	return -1;
}

bool journal_locked(const struct agent_paths *paths, const char *run)
{
	cleanup(free_ptr) char *path = journal_file(paths, run, "lock");
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	close(fd);
	return held;
}

int journal_cancel(const struct agent_paths *paths, const char *run, struct err *err)
{
	cleanup(free_ptr) char *folder = xasprintf("%s/%s", paths->runs, run);
	if (journal_cancelled(paths, run))
		return 0;
	return put(folder, "cancel", "", 0, err) ? -1 : file_sync(folder, err);
}

bool journal_cancelled(const struct agent_paths *paths, const char *run)
{
	cleanup(free_ptr) char *path = journal_file(paths, run, "cancel");
	return file_exists(path);
}

/* --- the end ---------------------------------------------------------------------------------- */

int journal_bury(const struct agent_paths *paths, const char *run, int64_t expires, struct err *err)
{
	cleanup(free_ptr) char *raw = beside(paths, run, RAW_ENDING);
	cleanup(free_ptr) char *stone = beside(paths, run, END_ENDING);
	cleanup(free_ptr) char *folder = journal_file(paths, run, "");
	const struct timespec when = {.tv_sec = (time_t)expires};
	int fd = open(raw, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, "%s: %s", raw, strerror(errno));
	int bad =
		futimens(fd, (const struct timespec[]){when, when}) || fsync(fd) || rename(raw, stone);
	int saved = errno;
	close(fd);
	if (bad)
		return err_set(err, "%s: %s", stone, strerror(saved));
	if (file_sync(paths->runs, err))
		return -1;
	remove_folder(folder);
	return 0;
}

bool journal_buried(const struct agent_paths *paths, const char *run)
{
	cleanup(free_ptr) char *stone = beside(paths, run, END_ENDING);
	return file_exists(stone);
}

void journal_forget(const struct agent_paths *paths, const char *run)
{
	cleanup(free_ptr) char *folder = journal_file(paths, run, "");
	remove_folder(folder);
}

struct purge {
	const struct agent_paths *paths;
	int64_t before;
	size_t left;
};

static void purge_one(void *data, const char *run)
{
	struct purge *purge = data;
	cleanup(free_ptr) char *stone = beside(purge->paths, run, END_ENDING);
	struct stat st;
	if (stat(stone, &st) == 0 && st.st_mtime < (time_t)purge->before && unlink(stone) == 0)
		return;
	purge->left++;
}

size_t journal_purge(const struct agent_paths *paths, int64_t before)
{
	struct purge purge = {paths, before, 0};
	walk(paths, END_ENDING, purge_one, &purge);
	return purge.left;
}

static void clear_one(void *data, const char *run)
{
	if (!journal_locked(data, run))
		journal_forget(data, run);
}

static void clear_end(void *data, const char *run)
{
	cleanup(free_ptr) char *stone = beside(data, run, END_ENDING);
	unlink(stone);
}

void journal_clear(const struct agent_paths *paths)
{
	walk(paths, NEW_ENDING, clear_new, (void *)paths);
	walk(paths, "", clear_one, (void *)paths);
	walk(paths, END_ENDING, clear_end, (void *)paths);
	rmdir(paths->runs);
}
