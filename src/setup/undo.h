/*
 * The way back of a setup: what was there before, noted before it is changed.
 *
 * undo_open(), undo_note() before each change, then undo_commit() or undo_roll_back(). The notes
 * stand in a journal on the disk: where a process was killed, undo_open() of the next finds them
 * and goes on as if it had made them, so that a failure of the second brings back what stood before
 * the first. A note that is there already is not made again.
 *
 * A file that is changed is kept beside itself (undo_keep_path()), by a second link, until commit.
 */
#ifndef SETUP_UNDO_H
#define SETUP_UNDO_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum undo_kind {
	UNDO_AGENT_STOPPED, /* it ran before: start it; noted first, so undone last */
	UNDO_FOLDER_MADE,   /* removed when nothing is left in it */
	UNDO_TREE_MADE,     /* a folder that is ours alone, removed with what is in it */
	UNDO_FILE_MADE,
	UNDO_FILE_CHANGED,
	UNDO_SERVICE_CHANGED, /* the manager has to read its files again; before its file's note */
	UNDO_SERVICE_ENABLED,
	UNDO_JOINED, /* leave the hub, forget it here */
	UNDO_AGENT_STARTED,
	UNDO_KIND_COUNT,
};

#define UNDO_MAX 64

struct undo_note {
	enum undo_kind kind;
	char *path; /* owned; "" where the kind needs none */
};

struct undo {
	char *journal; /* owned; its path */
	int fd;        /* -1: not open */
	struct undo_note notes[UNDO_MAX];
	size_t count;
};

/* What takes a note back that is no matter of files: may be NULL for those. Told in order. */
struct undo_acts {
	void (*act)(void *data, enum undo_kind kind, const char *path);
	void *data;
};

/* Reads the notes of a setup that was killed; for one that only clears away. */
void undo_continue(struct undo *undo, const char *folder);
/* The same, and opens the journal; `folder` is made where it is missing. -1 with errno. */
int undo_open(struct undo *undo, const char *folder, struct err *err);
/* -1 with errno: then nothing may be changed. */
int undo_note(struct undo *undo, enum undo_kind kind, const char *path, struct err *err);
/* Notes that a file is about to be made or changed, and keeps the old one. */
int undo_note_file(struct undo *undo, const char *path, struct err *err);
/* Makes a folder and its parents, each noted. */
int undo_make_folder(
	struct undo *undo, const char *path, enum undo_kind kind, unsigned mode, struct err *err);
bool undo_has(const struct undo *undo, enum undo_kind kind, const char *path);
/* Brings back what was, the latest first. What cannot be brought back is told in err (1 then). */
int undo_roll_back(struct undo *undo, const struct undo_acts *acts, struct err *err);
void undo_commit(struct undo *undo);
void undo_free(struct undo *undo);

#endif
