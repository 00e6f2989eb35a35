/*
 * What this machine is, from uname(2), os-release(5), machine-id(5) and /proc.
 *
 * A value that cannot be read stays empty or zero: a container may hide any of them, and an
 * inventory with a gap is better than none. Only a system without uname(2) fails.
 */
#include "os/os.h"

#include "base/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define MAX_FILE 262144 /* bytes; /proc/cpuinfo of a large machine is cut, not refused */

/* Copies what fits; a cut never leaves half of a UTF-8 character. */
static void copy_text(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size) {
		len = size - 1;
		while (len && ((unsigned char)from[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(to, from, len);
	to[len] = '\0';
}

/* The first MAX_FILE bytes; files below /proc have no size to ask for. */
static void read_start(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return;
	char chunk[4096];
	size_t got;
	while (out->len < MAX_FILE && (got = fread(chunk, 1, sizeof chunk, file)) > 0)
		buf_append(out, chunk, got);
	fclose(file);
}

/* The value after "KEY" and the separator on a line of its own, unquoted and trimmed. */
static void find_value(
	const char *text, const char *key, char separator, char *value, size_t value_size)
{
	size_t key_len = strlen(key);
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		const char *at = line + key_len;
		if (len > key_len && strncmp(line, key, key_len) == 0) {
			at += strspn(at, " \t");
			if (*at == separator) {
				at += 1 + strspn(at + 1, " \t\"'");
				size_t used = at < line + len ? (size_t)(line + len - at) : 0;
				while (used && strchr(" \t\"'", at[used - 1]))
					used--;
				copy_text(value, value_size, at, used);
				return;
			}
		}
		line += len + (line[len] == '\n');
	}
}

static void read_release(struct os_host *host)
{
	cleanup(buf_free) struct buf text = {0};
	read_start("/etc/os-release", &text);
	if (!text.len)
		read_start("/usr/lib/os-release", &text);
	find_value(buf_text(&text), "ID", '=', host->os_id, sizeof host->os_id);
	find_value(buf_text(&text), "PRETTY_NAME", '=', host->os_name, sizeof host->os_name);
	find_value(buf_text(&text), "VERSION_ID", '=', host->os_version, sizeof host->os_version);
}

static void read_machine_id(struct os_host *host)
{
	cleanup(buf_free) struct buf text = {0};
	read_start("/etc/machine-id", &text);
	copy_text(host->machine_id, sizeof host->machine_id, buf_text(&text),
		strspn(buf_text(&text), "0123456789abcdef"));
}

static void read_cpu(struct os_host *host)
{
	static const char *const keys[] = {"model name", "Model", "cpu", "Processor"};
	cleanup(buf_free) struct buf text = {0};
	read_start("/proc/cpuinfo", &text);
	for (size_t i = 0; i < ARRAY_LEN(keys) && !*host->cpu_model; i++)
		find_value(buf_text(&text), keys[i], ':', host->cpu_model, sizeof host->cpu_model);
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	host->cpu_count = count > 0 && count < INT_MAX ? (int)count : 1;
}

/* "MemTotal:   2021316 kB" in bytes. */
static uint64_t memory_value(const char *text, const char *key)
{
	char value[32] = "";
	find_value(text, key, ':', value, sizeof value);
	return strtoull(value, NULL, 10) * 1024;
}

static void read_memory(struct os_host *host)
{
	cleanup(buf_free) struct buf text = {0};
	read_start("/proc/meminfo", &text);
	host->memory_total = memory_value(buf_text(&text), "MemTotal");
	host->memory_free = memory_value(buf_text(&text), "MemAvailable");
}

int os_host_read(struct os_host *host, struct err *err)
{
	*host = (struct os_host){.platform = "linux"};
	struct utsname names;
	if (uname(&names))
		return err_set(err, "uname: %s", strerror(errno));
	copy_text(host->name, sizeof host->name, names.nodename, strlen(names.nodename));
	copy_text(host->kernel, sizeof host->kernel, names.release, strlen(names.release));
	copy_text(host->arch, sizeof host->arch, names.machine, strlen(names.machine));
	read_release(host);
	read_machine_id(host);
	read_cpu(host);
	read_memory(host);
	struct timespec up;
	if (clock_gettime(CLOCK_BOOTTIME, &up) == 0)
		host->uptime_s = (uint64_t)up.tv_sec;
	return 0;
}

char *os_own_path(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
	if (len <= 0)
		return NULL;
	/* An upgrade has put another file in its place, which is the one to start from now on. */
	path[len] = '\0';
	char *gone = strstr(path, " (deleted)");
	if (gone && !gone[strlen(" (deleted)")])
		*gone = '\0';
	return xstrdup(path);
}
