/*
 * Reads /proc: the parents of all processes in one pass, or the environment of each. A process that
 * is gone before it is read is no error; one that may not be read fits nothing.
 */
#include "os/processes.h"

#include "base/buf.h"
#include "base/file.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_STAT_BYTES    4096
#define MAX_ENVIRON_BYTES 1048576
#define MAX_PROCESSES     65536

struct process {
	pid_t pid, parent;
	bool below;
};

static struct buf read_of(pid_t pid, const char *file, size_t max)
{
	struct buf text = {0};
	char path[64];
	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, file);
	if (file_read(path, max, &text, NULL))
		buf_free(&text);
	return text;
}

static pid_t parent_of(pid_t pid)
{
	cleanup(buf_free) struct buf stat = read_of(pid, "stat", MAX_STAT_BYTES);
	const char *at = strrchr(buf_text(&stat), ')'); /* behind the name, which may hold anything */
	long parent = 0;
	char state;
	return at && sscanf(at + 1, " %c %ld", &state, &parent) == 2 ? (pid_t)parent : 0;
}

/* The list is owned by the caller. */
static struct process *list_all(size_t *count)
{
	struct process *list = NULL;
	size_t room = 0;
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	*count = 0;
	while (proc && (entry = readdir(proc)) && *count < MAX_PROCESSES) {
		long pid = strtol(entry->d_name, NULL, 10);
		if (pid <= 0)
			continue;
		if (*count == room)
			list = xrealloc(list, room = room ? room * 2 : 256, sizeof *list);
		list[(*count)++] = (struct process){.pid = (pid_t)pid};
	}
	if (proc)
		closedir(proc);
	return list;
}

static bool mark_children(struct process *list, size_t count, pid_t parent)
{
	bool found = false;
	for (size_t i = 0; i < count; i++) {
		if (list[i].parent == parent && !list[i].below) {
			list[i].below = true;
			found = true;
		}
	}
	return found;
}

static void mark_below(struct process *list, size_t count, pid_t ancestor)
{
	bool more = mark_children(list, count, ancestor);
	while (more) {
		more = false;
		for (size_t i = 0; i < count; i++)
			if (list[i].below && mark_children(list, count, list[i].pid))
				more = true;
	}
}

static size_t end_marked(const struct process *list, size_t count)
{
	size_t ended = 0;
	for (size_t i = 0; i < count; i++)
		if (list[i].below && kill(list[i].pid, SIGKILL) == 0)
			ended++;
	return ended;
}

size_t processes_end_below(pid_t ancestor)
{
	size_t count;
	cleanup(free_ptr) struct process *list = list_all(&count);
	for (size_t i = 0; i < count; i++)
		list[i].parent = parent_of(list[i].pid);
	mark_below(list, count, ancestor);
	return end_marked(list, count);
}

static bool has_line(const struct buf *environment, const char *line)
{
	const char *at = buf_text(environment), *end = at + environment->len;
	for (; at < end; at += strlen(at) + 1)
		if (strcmp(at, line) == 0)
			return true;
	return false;
}

size_t processes_end_marked(const char *line)
{
	size_t count;
	cleanup(free_ptr) struct process *list = list_all(&count);
	for (size_t i = 0; i < count; i++) {
		cleanup(buf_free) struct buf environment =
			read_of(list[i].pid, "environ", MAX_ENVIRON_BYTES);
		list[i].below = list[i].pid != getpid() && has_line(&environment, line);
	}
	return end_marked(list, count);
}
