/* The files of bundles. A piece that does not fit on the disk leaves the file as it was. */
#include "hub/support/bundles_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char *bundle_path(const struct bundles *bundles, const char *id)
{
	return xasprintf("%s/%s", bundles->dir, id);
}

static bool look(const struct bundles *bundles, const char *id, struct stat *st)
{
	cleanup(free_ptr) char *path = bundle_path(bundles, id);
	return lstat(path, st) == 0 && S_ISREG(st->st_mode);
}

int64_t bundle_file_size(const struct bundles *bundles, const char *id)
{
	struct stat st;
	return look(bundles, id, &st) ? st.st_size : 0;
}

int64_t bundle_file_time(const struct bundles *bundles, const char *id)
{
	struct stat st;
	return look(bundles, id, &st) ? st.st_mtime : 0;
}

static int write_all(int fd, const char *data, size_t len, int64_t offset)
{
	while (len) {
		ssize_t put = pwrite(fd, data, len, (off_t)offset);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		data += put;
		len -= (size_t)put;
		offset += put;
	}
	return 0;
}

int bundle_file_append(
	const struct bundles *bundles, const char *id, int64_t offset, const void *data, size_t len)
{
	cleanup(free_ptr) char *path = bundle_path(bundles, id);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	int rc = write_all(fd, data, len, offset);
	int saved = errno;
	if (rc && ftruncate(fd, (off_t)offset))
		saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

void bundle_file_remove(const struct bundles *bundles, const char *id)
{
	cleanup(free_ptr) char *path = bundle_path(bundles, id);
	unlink(path);
}

int bundles_open(const struct bundles *bundles, const char *id)
{
	cleanup(free_ptr) char *path = bundle_path(bundles, id);
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

void bundle_files_purge(
	const struct bundles *bundles, bool (*known)(void *data, const char *id), void *data)
{
	DIR *dir = opendir(bundles->dir);
	for (const struct dirent *entry; dir && (entry = readdir(dir));)
		if (upload_is_id(entry->d_name) && !known(data, entry->d_name))
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
}
