/*
 * A backup: one file that holds a database as it was at one moment, and small files beside it.
 *
 * The file is itself an SQLite database, the copy with one more table, so that nothing here parses
 * a form of its own and `PRAGMA integrity_check` tells whether it is whole. backup_write() may run
 * beside programs that write to the database: it reads one snapshot of it. What it makes has mode
 * 0600, and is there complete or not at all. backup_read() and backup_extract() refuse what is
 * damaged and what is no backup.
 *
 * Source: https://www.sqlite.org/backup.html
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define BACKUP_MAX_ITEMS 16
#define BACKUP_MAX_ITEM  65536 /* bytes */

struct backup_item {
	char *name; /* owned; a file's name without folders */
	char *data; /* owned; may be a secret */
	size_t len;
};

struct backup {
	struct backup_item items[BACKUP_MAX_ITEMS];
	size_t count;
	int64_t made; /* seconds since 1970 */
};

void backup_add(struct backup *backup, const char *name, const char *data, size_t len);
/* What an item holds, or NULL. */
const struct backup_item *backup_item(const struct backup *backup, const char *name);
int backup_write(
	const char *database, const struct backup *backup, const char *to, struct err *err);
int backup_read(const char *file, struct backup *backup, struct err *err);
/* Writes the backup's database to a new file, without the table of items. */
int backup_extract(const char *file, const char *database, struct err *err);
void backup_free(struct backup *backup); /* overwrites what the items held */

#endif
