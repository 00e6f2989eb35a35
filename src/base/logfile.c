/*
 * The happy path: the file is open for appending, is still the one at its path, has room, and takes
 * the line in one write.
 *
 * Failure modes:
 * - Somebody moved or removed the file: the line goes to a new one at the path.
 * - Rotation cannot rename: the file grows on, and the next line tries again.
 * - The disk is full, in the middle of a line too: the torn line is cut off again, the loss
 * counted, and told once there is room.
 * - The path cannot be opened: as for a full disk; opening is tried again with every line.
 */
#include "base/logfile.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

struct logfile {
	char *path; /* owned */
	size_t max_bytes;
	int keep;
	bool to_stderr;
	int fd;             /* -1 while the path cannot be opened */
	size_t size;        /* bytes in the file */
	unsigned long lost; /* lines since the last that was written */
	int lost_errno;
	char lost_since[CLOCK_TEXT_SIZE];
};

static const char *const level_names[] = {
	[LEVEL_INFO] = "INFO ", [LEVEL_WARN] = "WARN ", [LEVEL_ERROR] = "ERROR"};

static int file_open(struct logfile *log)
{
	struct stat st;
	log->fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	if (log->fd < 0)
		return -1;
	if (fstat(log->fd, &st)) {
		close(log->fd);
		log->fd = -1;
		return -1;
	}
	log->size = (size_t)st.st_size;
	return 0;
}

static void file_close(struct logfile *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

static bool still_at_path(const struct logfile *log)
{
	struct stat open_file, at_path;
	return fstat(log->fd, &open_file) == 0 && stat(log->path, &at_path) == 0 &&
		   open_file.st_ino == at_path.st_ino && open_file.st_dev == at_path.st_dev;
}

static void rotate(struct logfile *log)
{
	for (int n = log->keep; n > 0; n--) {
		cleanup(free_ptr) char *to = xasprintf("%s.%d", log->path, n);
		cleanup(free_ptr) char *from =
			n > 1 ? xasprintf("%s.%d", log->path, n - 1) : xstrdup(log->path);
		if (rename(from, to) && n == 1)
			return;
	}
	if (log->keep == 0 && unlink(log->path))
		return;
	file_close(log);
}

/* Appends the line, or leaves the file as it was and says why in errno. */
static int append(struct logfile *log, const char *line, size_t len)
{
	if (log->fd >= 0 && !still_at_path(log))
		file_close(log);
	if (log->fd >= 0 && log->size && log->size + len > log->max_bytes)
		rotate(log);
	if (log->fd < 0 && file_open(log))
		return -1;
	ssize_t put;
	do
		put = write(log->fd, line, len);
	while (put < 0 && errno == EINTR);
	if (put == (ssize_t)len) {
		log->size += len;
		return 0;
	}
	int saved = put < 0 ? errno : ENOSPC;
	if (put > 0 && ftruncate(log->fd, (off_t)log->size))
		log->size += (size_t)put;
	errno = saved;
	return -1;
}

static void count_loss(struct logfile *log, int error)
{
	if (!log->lost)
		clock_rfc3339(time(NULL), log->lost_since);
	log->lost++;
	log->lost_errno = error;
}

/* Tells of lines that were lost; -1 while that cannot be written either. */
static int tell_loss(struct logfile *log, const char *now)
{
	if (!log->lost)
		return 0;
	cleanup(free_ptr) char *line = xasprintf("%s %s %lu line%s since %s %s lost: %s\n", now,
		level_names[LEVEL_WARN], log->lost, log->lost == 1 ? "" : "s", log->lost_since,
		log->lost == 1 ? "was" : "were", strerror(log->lost_errno));
	if (append(log, line, strlen(line)))
		return -1;
	log->lost = 0;
	return 0;
}

static void put_printable(struct buf *line, const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (line->len > LINE_MAX_BYTES) {
			buf_puts(line, "...");
			return;
		}
		if (*at < 0x20 || *at == 0x7f)
			buf_printf(line, "\\x%02x", *at);
		else
			buf_append(line, at, 1);
	}
}

void logfile_line(struct logfile *log, enum logfile_level level, const char *format, ...)
{
	char now[CLOCK_TEXT_SIZE];
	cleanup(free_ptr) char *text = NULL;
	cleanup(buf_free) struct buf line = {0};
	va_list args;
	va_start(args, format);
	int formatted = vasprintf(&text, format, args);
	va_end(args);
	if (formatted < 0)
		abort();
	buf_printf(&line, "%s %s ", clock_rfc3339(time(NULL), now), level_names[level]);
	put_printable(&line, text);
	buf_puts(&line, "\n");
	if (log->to_stderr)
		fputs(buf_text(&line), stderr);
	if (tell_loss(log, now) || append(log, line.data, line.len))
		count_loss(log, errno);
}

struct logfile *logfile_open(const struct logfile_options *options)
{
	struct logfile *log = xcalloc(1, sizeof *log);
	*log = (struct logfile){
		.path = xstrdup(options->path),
		.max_bytes = options->max_bytes,
		.keep = options->keep,
		.to_stderr = options->to_stderr,
		.fd = -1,
	};
	if (file_open(log))
		fprintf(
			stderr, "%s: %s; the log goes on once it can be written\n", log->path, strerror(errno));
	return log;
}

void logfile_close(struct logfile *log)
{
	if (!log)
		return;
	file_close(log);
	free(log->path);
	free(log);
}
