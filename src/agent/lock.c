#include "agent/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int lock_take(const struct agent_paths *paths, struct err *err)
{
	int fd = open(paths->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, "%s: %s", paths->lock, strerror(errno));
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(fd, F_SETLK, &lock) == 0)
		return fd;
	int saved = errno;
	close(fd);
	if (saved != EACCES && saved != EAGAIN)
		return err_set(err, "%s: %s", paths->lock, strerror(saved));
	return err_set(err,
		"the agent runs already, as process %ld (it holds %s). `sallyport status` tells how it is",
		(long)lock_holder(paths), paths->lock);
}

pid_t lock_holder(const struct agent_paths *paths)
{
	int fd = open(paths->lock, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int rc = fcntl(fd, F_GETLK, &lock);
	close(fd);
	if (rc)
		return -1;
	return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

void lock_nudge(const struct agent_paths *paths)
{
	pid_t holder = lock_holder(paths);
	if (holder > 0)
		kill(holder, SIGHUP);
}
