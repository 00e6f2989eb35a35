/*
 * The folder that holds all a hub keeps: who may work in it, and whether it is whole.
 *
 * A hub and a restore hold its lock while they run, so that there is one of them at a time. While a
 * restore exchanges the files, a mark stands in the folder: nobody opens a database, or makes a new
 * identity, among half-exchanged files.
 */
#ifndef HUB_STATE_DIR_H
#define HUB_STATE_DIR_H

#include "base/err.h"

#define STATE_DIR_RESTORING "restoring" /* the mark: a file in the folder */

/* Makes the folder where it is missing. A descriptor to be kept open, or -1 when another program
 * has the lock. */
int state_dir_lock(const char *dir, struct err *err);
/* -1 when a restore was cut short in it. */
int state_dir_check(const char *dir, struct err *err);

#endif
