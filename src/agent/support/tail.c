#include "agent/support/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

void tail_init(struct tail *tail)
{
	*tail = (struct tail){.watch = -1, .fd = -1};
}

/* Moves to the beginning of the last lines. */
static void seek_tail(int fd, int lines)
{
	char *end = xcalloc(TAIL_MAX_BYTES, 1);
	off_t size = lseek(fd, 0, SEEK_END);
	off_t from = size > TAIL_MAX_BYTES ? size - TAIL_MAX_BYTES : 0;
	ssize_t at = pread(fd, end, TAIL_MAX_BYTES, from);
	for (int seen = 0; at > 0; at--)
		if (end[at - 1] == '\n' && seen++ == lines)
			break;
	lseek(fd, from + (at > 0 ? at : 0), SEEK_SET);
	free(end);
}

int tail_open(struct tail *tail, const struct agent_paths *paths, int lines, struct err *err)
{
	static const uint32_t events = IN_MODIFY | IN_CREATE | IN_MOVED_TO;
	tail_init(tail);
	tail->paths = paths;
	tail->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (tail->watch < 0)
		return err_set(err, "inotify: %s", strerror(errno));
	if (inotify_add_watch(tail->watch, paths->log_dir, events) < 0) {
		err_set(err, "%s: %s", paths->log_dir, strerror(errno));
		goto failed;
	}
	tail->fd = open(paths->log, O_RDONLY | O_CLOEXEC);
	if (tail->fd < 0 && errno != ENOENT) {
		err_set(err, "%s: %s", paths->log, strerror(errno));
		goto failed;
	}
	if (tail->fd >= 0)
		seek_tail(tail->fd, lines);
	return 0;
failed:;
	int saved = errno;
	tail_close(tail);
	errno = saved;
	return -1;
}

int tail_fd(const struct tail *tail)
{
	return tail->watch;
}

static int hand_over(int fd, tail_sink *sink, void *data)
{
	char chunk[8192];
	ssize_t got;
	int rc = 0;
	while (!rc && (got = read(fd, chunk, sizeof chunk)) > 0)
		rc = sink(data, chunk, (size_t)got);
	return rc ? rc : got < 0 ? -1 : 0;
}

static bool replaced(int fd, const char *path)
{
	struct stat mine, there;
	return stat(path, &there) == 0 &&
		   (fstat(fd, &mine) || mine.st_ino != there.st_ino || mine.st_dev != there.st_dev);
}

int tail_read(struct tail *tail, tail_sink *sink, void *data)
{
	char events[4096];
	const char *path = tail->paths->log;
	while (read(tail->watch, events, sizeof events) > 0)
		continue;
	int rc = tail->fd >= 0 ? hand_over(tail->fd, sink, data) : 0;
	if (rc || (tail->fd >= 0 && !replaced(tail->fd, path)))
		return rc;
	if (tail->fd >= 0) {
		/* What was written between the read above and the rename. */
		rc = hand_over(tail->fd, sink, data);
		close(tail->fd);
	}
	tail->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (rc || (tail->fd < 0 && errno == ENOENT))
		return rc;
	return tail->fd < 0 ? -1 : hand_over(tail->fd, sink, data);
}

void tail_close(struct tail *tail)
{
	if (tail->watch >= 0)
		close(tail->watch);
	if (tail->fd >= 0)
		close(tail->fd);
	tail_init(tail);
}
