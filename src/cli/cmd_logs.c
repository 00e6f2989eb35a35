/*
 * `sallyport logs`: prints connector.log with its rotated parts, the oldest first; with --follow
 * the last lines, and then what is written.
 *
 * The happy path of --follow sleeps in inotify on the log's folder. Rotation shows as another file
 * at the path: the old one is read to its end first. Failure modes: no right to read (use sudo), no
 * log yet (said; --follow waits for it), no folder.
 */
#include "agent/paths.h"
#include "base/mem.h"
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLDEST     5
#define TAIL_LINES 10
#define TAIL_BYTES 16384

enum { OPTION_FOLLOW };

static const struct cli_option options[] = {
	[OPTION_FOLLOW] = {"follow", NULL, "print the last lines, then what is written, until Ctrl-C"},
	{0}};

static int complain(const char *path, int error)
{
	const char *hint = error == EACCES   ? " (use sudo)"
					   : error == ENOENT ? ": the service has not run here yet"
										 : "";
	fprintf(stderr, "sallyport logs: %s: %s%s\n", path, strerror(error), hint);
	return 1;
}

static int copy_out(int fd)
{
	char chunk[8192];
	ssize_t got;
	while ((got = read(fd, chunk, sizeof chunk)) > 0)
		if (fwrite(chunk, 1, (size_t)got, stdout) != (size_t)got)
			return -1;
	return fflush(stdout) ? -1 : 0;
}

static int print_all(const struct agent_paths *paths)
{
	for (int n = OLDEST; n >= 0; n--) {
		cleanup(free_ptr) char *path = n ? xasprintf("%s.%d", paths->log, n) : xstrdup(paths->log);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && (n == 0 || errno != ENOENT))
			return complain(path, errno);
		if (fd < 0)
			continue;
		int bad = copy_out(fd);
		close(fd);
		if (bad)
			return complain("standard output", errno);
	}
	return 0;
}

/* Moves to the beginning of the last lines. */
static void seek_tail(int fd)
{
	static char tail[TAIL_BYTES];
	off_t size = lseek(fd, 0, SEEK_END);
	off_t from = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
	ssize_t got = pread(fd, tail, sizeof tail, from);
	ssize_t at = got;
	for (int lines = 0; at > 0; at--)
		if (tail[at - 1] == '\n' && lines++ == TAIL_LINES)
			break;
	lseek(fd, from + (at > 0 ? at : 0), SEEK_SET);
}

static bool replaced(int fd, const char *path)
{
	struct stat mine, there;
	return stat(path, &there) == 0 &&
		   (fstat(fd, &mine) || mine.st_ino != there.st_ino || mine.st_dev != there.st_dev);
}

/* Prints what is new; opens the file at the path when there is none open or it is another now. */
static int catch_up(int *fd, const char *path)
{
	if (*fd >= 0 && copy_out(*fd))
		return -1;
	if (*fd >= 0 && !replaced(*fd, path))
		return 0;
	if (*fd >= 0) {
		/* What was written between the read above and the rename. */
		copy_out(*fd);
		close(*fd);
	}
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	return *fd >= 0 ? copy_out(*fd) : errno == ENOENT ? 0 : -1;
}

static int follow(const struct agent_paths *paths)
{
	char events[4096];
	int watch = inotify_init1(IN_CLOEXEC);
	if (watch < 0)
		return complain("inotify", errno);
	if (inotify_add_watch(watch, paths->log_dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
		int error = errno;
		close(watch);
		return complain(paths->log_dir, error);
	}
	int fd = open(paths->log, O_RDONLY | O_CLOEXEC);
	int bad = fd < 0 && errno != ENOENT;
	if (fd >= 0)
		seek_tail(fd);
	while (!bad && (bad = catch_up(&fd, paths->log)) == 0)
		if (read(watch, events, sizeof events) < 0 && errno != EINTR)
			bad = 1;
	int error = errno;
	if (fd >= 0)
		close(fd);
	close(watch);
	return complain(paths->log, error);
}

static int run(const struct cli_args *args)
{
	struct agent_paths paths;
	paths_init(&paths, args->root);
	int rc = args->values[OPTION_FOLLOW] ? follow(&paths) : print_all(&paths);
	paths_free(&paths);
	return rc;
}

const struct cli_command command_logs = {
	.name = "logs",
	.operands = "",
	.summary = "print the agent's log, connector.log",
	.details = "The rotated parts come first, so that the whole is in order. It holds no secret.",
	.example = "  sudo sallyport logs | tail -20\n"
			   "  sudo sallyport logs --follow",
	.options = options,
	.run = run,
};
