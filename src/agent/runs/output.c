/*
 * The happy path: append, until the bound; then a ring of the last bytes; at the end the ring.
 *
 * Failure mode: the disk is full. What it does not take is counted as left out, and the next bytes
 * are tried again.
 */
#include "agent/runs/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE        "\n[%lld bytes were left out here]\n"
#define LINE_ROOM   64
#define LEAST_LIMIT 1024 /* below this the end is not kept: the line alone would fill it */

int output_open(struct output *output, const char *path, int64_t limit, struct err *err)
{
	struct stat st;
	*output = (struct output){.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
	if (output->fd < 0 || fstat(output->fd, &st)) {
		err_set(err, "%s: %s", path, strerror(errno));
		if (output->fd >= 0)
			close(output->fd);
		return -1;
	}
	output->room = limit > st.st_size ? limit - st.st_size : 0;
	if (output->room < LEAST_LIMIT)
		return 0;
	output->tail_max =
		output->room / 4 < OUTPUT_TAIL ? (size_t)(output->room / 4) : (size_t)OUTPUT_TAIL;
	output->room -= (int64_t)output->tail_max + LINE_ROOM;
	return 0;
}

static void put(struct output *output, const char *data, size_t len)
{
	while (len) {
		ssize_t written = write(output->fd, data, len);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			output->dropped += (int64_t)len;
			output->unkept += (int64_t)len;
			return;
		}
		data += written;
		len -= (size_t)written;
	}
}

static void hold(struct output *output, const char *data, size_t len)
{
	if (!output->tail && output->tail_max)
		output->tail = xcalloc(output->tail_max, 1);
	for (size_t i = 0; i < len; i++) {
		if (!output->tail_max) {
			output->dropped++;
			continue;
		}
		output->tail[output->tail_at] = data[i];
		output->tail_at = (output->tail_at + 1) % output->tail_max;
		if (output->tail_len < output->tail_max)
			output->tail_len++;
		else
			output->dropped++;
	}
}

void output_write(struct output *output, const char *data, size_t len)
{
	size_t now = (int64_t)len < output->room ? len : (size_t)output->room;
	put(output, data, now);
	output->room -= (int64_t)now;
	hold(output, data + now, len - now);
}

void output_close(struct output *output)
{
	if (output->fd < 0)
		return;
	if (output->tail_len) {
		size_t first = (output->tail_at + output->tail_max - output->tail_len) % output->tail_max;
		size_t to_end = output->tail_max - first;
		size_t part = output->tail_len < to_end ? output->tail_len : to_end;
		if (output->dropped > output->unkept) {
			cleanup(free_ptr) char *line =
				xasprintf(LINE, (long long)(output->dropped - output->unkept));
			put(output, line, strlen(line));
		}
		put(output, output->tail + first, part);
		put(output, output->tail, output->tail_len - part);
	}
	fsync(output->fd);
	close(output->fd);
	free(output->tail);
	output->tail = NULL;
	output->fd = -1;
}
