/*
 * The happy path: folders, a copy of this program beside its place, synced, tried and renamed, and
 * the file of the service manager.
 *
 * Failure modes: no room (before and while it is written), a read-only file system, a folder from
 * which no program may run (noexec), a copy that does not run. Each leaves what was there.
 */
#include "base/file.h"
#include "os/child.h"
#include "setup/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SPARE_BYTES ((uint64_t)2 * 1024 * 1024) /* identity, journal, log */
#define FILE_MAX    65536
#define COPY_CHUNK  65536

/* --- folders ------------------------------------------------------------------------------------
 */

static int make_folders(struct setup *setup, struct err *err)
{
	const struct {
		const char *path;
		enum undo_kind kind;
		unsigned mode;
	} folders[] = {
		{SETTINGS_DIR, UNDO_FOLDER_MADE, 0755},
		{setup->paths.state_dir, UNDO_TREE_MADE, 0700},
		{setup->paths.log_dir, UNDO_TREE_MADE, 0755},
	};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		cleanup(free_ptr) char *path =
			i ? xstrdup(folders[i].path) : setup_path(setup, folders[i].path);
		bool there = file_exists(path);
		if (undo_make_folder(&setup->undo, path, folders[i].kind, folders[i].mode, err))
			return -1;
		/* Whoever starts this may have another mask. */
		if (!there && chmod(path, folders[i].mode))
			return err_set(err, "%s: %s", path, strerror(errno));
		setup->changed |= !there;
	}
	return 0;
}

/* What the package brings: a file of comments that tells what to write. */
static int place_proxy_file(struct setup *setup, struct err *err)
{
	cleanup(free_ptr) char *path = setup_path(setup, PROXY_FILE);
	const struct embedded_file *file = setup_files;
	if (file_exists(path))
		return 0;
	while (strcmp(file->name, "proxy.env") != 0)
		file++;
	setup->changed = true;
	return undo_note_file(&setup->undo, path, err) ||
				   file_replace(path, file->data, file->size, 0600, err)
			   ? -1
			   : 0;
}

int place_folders(struct setup *setup)
{
	struct err err;
	setup_say(setup, "folders");
	if (make_folders(setup, &err) || place_proxy_file(setup, &err))
		return setup_fail(setup, errno, "%s", err.text);
	return 0;
}

/* --- the program --------------------------------------------------------------------------------
 */

/* The nearest folder above that is there. Owned by the caller. */
static char *folder_that_exists(const char *path)
{
	char *folder = xstrdup(path);
	char *slash;
	while ((slash = strrchr(folder, '/')) && slash != folder) {
		*slash = '\0';
		if (file_exists(folder))
			return folder;
	}
	folder[1] = '\0';
	return folder;
}

static int check_room(struct setup *setup, int from)
{
	cleanup(free_ptr) char *folder = folder_that_exists(setup->program);
	struct statvfs room;
	struct stat st;
	if (fstat(from, &st) || statvfs(folder, &room))
		return setup_fail(setup, errno, "%s: %s", folder, strerror(errno));
	uint64_t needed = (uint64_t)st.st_size + SPARE_BYTES;
	uint64_t free = (uint64_t)room.f_bavail * room.f_frsize;
	setup->stage = INSTALL_SPACE;
	if (room.f_flag & ST_RDONLY)
		return setup_fail_by(setup, OUTCOME_ROOT_READ_ONLY, "place", "%s", folder);
	if (free < needed) {
		evidence_add(&setup->report->evidence, "free", "%.1f MB", (double)free / 1e6);
		evidence_add(&setup->report->evidence, "needed", "%.1f MB", (double)needed / 1e6);
		return setup_fail_by(setup, OUTCOME_DISK_FULL, "place", "%s", folder);
	}
	if (room.f_flag & ST_NOEXEC)
		return setup_fail_by(setup, OUTCOME_NO_EXEC, "tried", "%s", folder);
	setup->stage = INSTALL_SETUP;
	return 0;
}

/* -1 with errno. */
static int copy_bytes(int from, int to, const struct cancel *cancel)
{
	cleanup(free_ptr) char *chunk = xcalloc(1, COPY_CHUNK);
	off_t at = 0;
	ssize_t got;
	while ((got = pread(from, chunk, COPY_CHUNK, at)) > 0) {
		for (ssize_t done = 0; done < got;) {
			ssize_t put = write(to, chunk + done, (size_t)(got - done));
			if (put < 0 && errno != EINTR)
				return -1;
			done += put > 0 ? put : 0;
		}
		at += got;
		if (at > PROGRAM_MAX || cancel_fired(cancel)) {
			errno = cancel_fired(cancel) ? ECANCELED : EFBIG;
			return -1;
		}
	}
	return got < 0 || fchmod(to, 0755) || fsync(to) ? -1 : 0;
}

static int copy_program(struct setup *setup, int from, const char *beside)
{
	unlink(beside); /* of a setup that was killed */
	int to = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0700);
	int rc = to < 0 ? -1 : copy_bytes(from, to, setup->options->cancel);
	int saved = errno;
	if (to >= 0 && close(to) && !rc) {
		saved = errno;
		rc = -1;
	}
	return rc ? setup_fail(setup, saved, "%s: %s", beside, strerror(saved)) : 0;
}

static int try_copy(struct setup *setup, const char *beside)
{
	char version[32];
	if (program_version(beside, version)) {
		memcpy(setup->report->version, version, sizeof version);
		return 0;
	}
	if (errno == EACCES)
		return setup_fail_by(setup, OUTCOME_NO_EXEC, "tried", "%s", beside);
	return setup_fail(setup, 0, "%s: the copy of this program does not run there", beside);
}

static int exchange(struct setup *setup, const char *beside)
{
	struct err err;
	if (undo_note_file(&setup->undo, setup->program, &err))
		return setup_fail(setup, errno, "%s", err.text);
	if (rename(beside, setup->program))
		return setup_fail(setup, errno, "%s: %s", setup->program, strerror(errno));
	setup->placed = setup->changed = setup->restart = true;
	cleanup(free_ptr) char *folder = folder_that_exists(setup->program);
	file_sync(folder, NULL);
	return 0;
}

char *program_beside(const struct setup *setup)
{
	const char *name = strrchr(setup->program, '/') + 1;
	return xasprintf("%.*s.%s.new", (int)(name - setup->program), setup->program, name);
}

static int put_beside(struct setup *setup, int from)
{
	struct err err;
	cleanup(free_ptr) char *beside = program_beside(setup);
	cleanup(free_ptr) char *folder = xstrdup(setup->program);
	*strrchr(folder, '/') = '\0';
	if (undo_make_folder(&setup->undo, folder, UNDO_FOLDER_MADE, 0755, &err) ||
		undo_note(&setup->undo, UNDO_FILE_MADE, beside, &err))
		return setup_fail(setup, errno, "%s", err.text);
	return copy_program(setup, from, beside) || try_copy(setup, beside) || exchange(setup, beside)
			   ? -1
			   : 0;
}

int place_program(struct setup *setup)
{
	if (setup->packaged || setup->newer || setup->same)
		return 0;
	setup_say(setup, "program");
	cleanup(free_ptr) char *own = own_file();
	int from = own ? open(own, O_RDONLY | O_CLOEXEC) : -1;
	if (from < 0)
		return setup_fail(setup, errno, "this program's own file cannot be read");
	int rc = check_room(setup, from) || put_beside(setup, from) ? -1 : 0;
	close(from);
	return rc;
}

/* --- the service --------------------------------------------------------------------------------
 */

static bool holds(const char *path, const char *text)
{
	cleanup(buf_free) struct buf kept = {0};
	return file_read(path, FILE_MAX, &kept, NULL) == 0 && strcmp(buf_text(&kept), text) == 0;
}

int place_service(struct setup *setup)
{
	struct err err;
	const struct service_manager *manager = setup->manager;
	cleanup(free_ptr) char *path = service_file(manager, SERVICE_NAME, setup->options->root);
	if (!path || setup->packaged || (setup->newer && file_exists(path)))
		return 0;
	cleanup(free_ptr) char *text =
		service_text(manager->id, service_manager_version(manager), PROGRAM_PATH);
	if (holds(path, text))
		return 0;
	setup_say(setup, "service");
	if (undo_note(&setup->undo, UNDO_SERVICE_CHANGED, NULL, &err) ||
		undo_note_file(&setup->undo, path, &err) ||
		file_replace(path, text, strlen(text), manager->mode, &err))
		return setup_fail(setup, errno, "%s", err.text);
	setup->changed = setup->restart = true;
	if (service_do(manager, SERVICE_RELOAD, SERVICE_NAME, setup->options->cancel, &err))
		return setup_fail(setup, 0, "%s", err.text);
	return 0;
}

/* --- away ---------------------------------------------------------------------------------------
 */

int tree_remove(const char *path, struct err *err)
{
	char *const paths[] = {(char *)path, NULL};
	int rc = 0;
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;
	while (tree && (entry = fts_read(tree))) {
		bool folder = entry->fts_info == FTS_DP;
		if (entry->fts_info == FTS_D || entry->fts_info == FTS_DC)
			continue;
		if ((folder ? rmdir(entry->fts_accpath) : unlink(entry->fts_accpath)) && errno != ENOENT)
			rc = err_set(err, "%s: %s", entry->fts_path, strerror(errno));
	}
	if (tree)
		fts_close(tree);
	return rc;
}
