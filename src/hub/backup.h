/*
 * A hub's state in one file, and back: the database, the identity key that every machine has
 * pinned, the private CA and the certificate. Files of support bundles stay out of it.
 *
 * hub_backup() works beside a running hub. hub_restore() refuses one; what was there before is kept
 * in a folder of its own inside the state folder.
 */
#ifndef HUB_BACKUP_H
#define HUB_BACKUP_H

#include "base/err.h"

#include <stdint.h>

int hub_backup(const char *root, const char *to, struct err *err);
/* `kept` gets the folder with what was there before, or NULL when nothing was; owned by the caller.
 * `made` is when the backup was made. */
int hub_restore(const char *root, const char *from, char **kept, int64_t *made, struct err *err);

#endif
