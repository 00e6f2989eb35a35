#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	char chunk[4096];
	ssize_t got;
	int rc = 0;
	size_t total = 0;
	while (!rc && (got = read(fd, chunk, sizeof chunk)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			rc = err_set(err, "%s: %s", path, strerror(errno));
		else if ((total += (size_t)got) > max)
			rc = (errno = EFBIG,
				err_set(err, "%s: larger than %zu bytes, the most that is read here", path, max));
		else
			buf_append(out, chunk, (size_t)got);
	}
	int saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t put = write(fd, data, len);
		if (put < 0 && errno != EINTR)
			return -1;
		if (put > 0) {
			data += put;
			len -= (size_t)put;
		}
	}
	return 0;
}

/* The rename is durable only once the folder is synced. */
static void sync_folder_of(const char *path)
{
	cleanup(free_ptr) char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');
	if (!slash)
		return;
	*slash = '\0';
	int fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

int file_replace(const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
	cleanup(free_ptr) char *beside = xasprintf("%s.new.%ld", path, (long)getpid());
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return err_set(err, "%s: %s", beside, strerror(errno));
	int bad = fchmod(fd, mode) || write_all(fd, data, len) || fsync(fd);
	int saved = errno;
	if (close(fd) && !bad) {
		bad = 1;
		saved = errno;
	}
	if (!bad && rename(beside, path)) {
		bad = 1;
		saved = errno;
	}
	if (bad) {
		unlink(beside);
		errno = saved;
		return err_set(err, "%s: %s; the old content was kept", path, strerror(saved));
	}
	sync_folder_of(path);
	return 0;
}

int file_make_dirs(const char *path, mode_t mode, struct err *err)
{
	cleanup(free_ptr) char *partial = xstrdup(path);
	for (char *slash = partial + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(partial, 0755) && errno != EEXIST)
			return err_set(err, "%s: %s", partial, strerror(errno));
		*slash = '/';
	}
	if (mkdir(partial, mode) && errno != EEXIST)
		return err_set(err, "%s: %s", partial, strerror(errno));
	return 0;
}

int file_sync(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	int rc = fsync(fd) ? err_set(err, "%s: %s", path, strerror(errno)) : 0;
	close(fd);
	return rc;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

char *file_under(const char *root, const char *path)
{
	return root && *root ? xasprintf("%s%s", root, path) : xstrdup(path);
}
