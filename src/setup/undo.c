/*
 * The happy path: a line a note, appended and synced; on commit the journal goes first, then the
 * files that were kept.
 *
 * Failure modes: a note cannot be written (the disk is full or read-only: the step that wanted it
 * fails and nothing was changed), a journal whose last line is cut (that change was not made), a
 * file that cannot be brought back (told, and the rest is brought back all the same).
 */
#include "setup/undo.h"

#include "base/file.h"
#include "setup/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL_NAME "sallyport-setup.journal"
#define JOURNAL_MAX  65536

static const char *const kind_names[UNDO_KIND_COUNT] = {
	[UNDO_AGENT_STOPPED] = "agent-stopped",
	[UNDO_FOLDER_MADE] = "folder-made",
	[UNDO_TREE_MADE] = "tree-made",
	[UNDO_FILE_MADE] = "file-made",
	[UNDO_FILE_CHANGED] = "file-changed",
	[UNDO_SERVICE_CHANGED] = "service-changed",
	[UNDO_SERVICE_ENABLED] = "service-enabled",
	[UNDO_JOINED] = "joined",
	[UNDO_AGENT_STARTED] = "agent-started",
};

/* "DIR/.NAME.before", so that no manager takes it for a service. */
static char *kept_path(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	return xasprintf("%.*s.%s.before", (int)(name - path), path, name);
}

bool undo_has(const struct undo *undo, enum undo_kind kind, const char *path)
{
	for (size_t i = 0; i < undo->count; i++)
		if (undo->notes[i].kind == kind && strcmp(undo->notes[i].path, path) == 0)
			return true;
	return false;
}

static void add(struct undo *undo, enum undo_kind kind, const char *path)
{
	if (undo->count < UNDO_MAX && !undo_has(undo, kind, path))
		undo->notes[undo->count++] = (struct undo_note){kind, xstrdup(path)};
}

static void add_line(struct undo *undo, const char *line, size_t len)
{
	const char *blank = memchr(line, ' ', len);
	size_t name_len = blank ? (size_t)(blank - line) : len;
	cleanup(free_ptr) char *path = blank ? xstrndup(blank + 1, len - name_len - 1) : xstrdup("");
	for (unsigned kind = 0; kind < UNDO_KIND_COUNT; kind++)
		if (strlen(kind_names[kind]) == name_len && !strncmp(kind_names[kind], line, name_len))
			add(undo, (enum undo_kind)kind, path);
}

static void read_journal(struct undo *undo)
{
	cleanup(buf_free) struct buf text = {0};
	if (file_read(undo->journal, JOURNAL_MAX, &text, NULL))
		return;
	for (const char *at = buf_text(&text), *end; (end = strchr(at, '\n')); at = end + 1)
		add_line(undo, at, (size_t)(end - at));
}

static int write_note(struct undo *undo, const struct undo_note *note, struct err *err)
{
	cleanup(free_ptr) char *line =
		xasprintf("%s%s%s\n", kind_names[note->kind], *note->path ? " " : "", note->path);
	size_t len = strlen(line);
	off_t before = lseek(undo->fd, 0, SEEK_END);
	ssize_t put = write(undo->fd, line, len);
	if (put == (ssize_t)len && fdatasync(undo->fd) == 0)
		return 0;
	int saved = put >= 0 && put < (ssize_t)len ? ENOSPC : errno;
	if (before >= 0 && ftruncate(undo->fd, before))
		saved = errno;
	errno = saved;
	return err_set(err, "%s: %s", undo->journal, strerror(saved));
}

void undo_continue(struct undo *undo, const char *folder)
{
	undo->journal = xasprintf("%s/%s", folder, JOURNAL_NAME);
	undo->fd = -1;
	read_journal(undo);
}

int undo_open(struct undo *undo, const char *folder, struct err *err)
{
	undo_continue(undo, folder);
	size_t read = undo->count;
	if (undo_make_folder(undo, folder, UNDO_FOLDER_MADE, 0755, err))
		return -1;
	undo->fd = open(undo->journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (undo->fd < 0)
		return err_set(err, "%s: %s", undo->journal, strerror(errno));
	for (size_t i = read; i < undo->count; i++)
		if (write_note(undo, &undo->notes[i], err))
			return -1;
	return 0;
}

int undo_note(struct undo *undo, enum undo_kind kind, const char *path, struct err *err)
{
	path = path ? path : "";
	if (undo_has(undo, kind, path))
		return 0;
	if (undo->count == UNDO_MAX) {
		errno = E2BIG;
		return err_set(err, "%s: too many notes", undo->journal);
	}
	struct undo_note note = {kind, (char *)path};
	if (undo->fd >= 0 && write_note(undo, &note, err))
		return -1;
	add(undo, kind, path);
	return 0;
}

int undo_note_file(struct undo *undo, const char *path, struct err *err)
{
	cleanup(free_ptr) char *kept = kept_path(path);
	bool noted = undo_has(undo, UNDO_FILE_CHANGED, path);
	if (undo_has(undo, UNDO_FILE_MADE, path))
		return 0;
	if (!noted && !file_exists(path))
		return undo_note(undo, UNDO_FILE_MADE, path, err);
	if (noted && file_exists(kept))
		return 0;
	/* Left over from a setup that has ended: of no use to anybody. */
	unlink(kept);
	if (undo_note(undo, UNDO_FILE_CHANGED, path, err))
		return -1;
	if (link(path, kept))
		return err_set(err, "%s: %s", kept, strerror(errno));
	return 0;
}

int undo_make_folder(
	struct undo *undo, const char *path, enum undo_kind kind, unsigned mode, struct err *err)
{
	cleanup(free_ptr) char *partial = xstrdup(path);
	for (char *slash = partial + 1; slash; slash++) {
		slash = strchr(slash, '/');
		if (slash)
			*slash = '\0';
		if (!file_exists(partial) &&
			(undo_note(undo, slash ? UNDO_FOLDER_MADE : kind, partial, err) ||
				(mkdir(partial, slash ? 0755 : mode) && errno != EEXIST)))
			return err_set(err, "%s: %s", partial, strerror(errno));
		if (!slash)
			break;
		*slash = '/';
	}
	return 0;
}

static int restore(const char *path)
{
	cleanup(free_ptr) char *kept = kept_path(path);
	return rename(kept, path);
}

static int undo_file(const struct undo_note *note, struct err *err)
{
	int rc = 0;
	if (note->kind == UNDO_TREE_MADE)
		return tree_remove(note->path, err);
	if (note->kind == UNDO_FILE_CHANGED)
		rc = restore(note->path);
	else if (note->kind == UNDO_FILE_MADE)
		rc = unlink(note->path);
	/* It was never made, or not changed yet. */
	return rc && errno != ENOENT ? err_set(err, "%s: %s", note->path, strerror(errno)) : 0;
}

int undo_roll_back(struct undo *undo, const struct undo_acts *acts, struct err *err)
{
	int left = 0;
	for (size_t i = undo->count; i-- > 0;) {
		const struct undo_note *note = &undo->notes[i];
		acts->act(acts->data, note->kind, note->path);
		left |= undo_file(note, err) != 0;
	}
	unlink(undo->journal);
	/* The journal may have stood in one of them. One that others have put something into stays. */
	for (size_t i = undo->count; i-- > 0;)
		if (undo->notes[i].kind == UNDO_FOLDER_MADE)
			rmdir(undo->notes[i].path);
	return left;
}

void undo_commit(struct undo *undo)
{
	unlink(undo->journal);
	for (size_t i = 0; i < undo->count; i++)
		if (undo->notes[i].kind == UNDO_FILE_CHANGED) {
			cleanup(free_ptr) char *kept = kept_path(undo->notes[i].path);
			unlink(kept);
		}
}

void undo_free(struct undo *undo)
{
	if (undo->fd >= 0)
		close(undo->fd);
	for (size_t i = 0; i < undo->count; i++)
		free(undo->notes[i].path);
	free(undo->journal);
	*undo = (struct undo){.fd = -1};
}
