/* A folder for one test to keep its files in, as --root; removed with all that is in it. */
#ifndef TEMPORARY_ROOT_H
#define TEMPORARY_ROOT_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT_SIZE 32

static inline int root_make(char path[ROOT_SIZE])
{
	snprintf(path, ROOT_SIZE, "/tmp/sallyport-test-XXXXXX");
	return mkdtemp(path) ? 0 : -1;
}

static inline int root_remove_entry(
	const char *path, const struct stat *st, int kind, struct FTW *place)
{
	(void)st;
	(void)kind;
	(void)place;
	return remove(path);
}

static inline int root_remove(const char *path)
{
	return nftw(path, root_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
