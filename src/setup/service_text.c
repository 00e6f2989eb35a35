/*
 * The file that a service manager reads, from those that stand in packaging/.
 *
 * An older systemd takes unknown words of a unit with a warning, but two of them make an agent that
 * can do nothing: a group of system calls that it does not know is an empty list of those that are
 * allowed, and a read-only root without a state folder of the unit's own leaves nowhere to write.
 */
#include "base/buf.h"
#include "setup/parts.h"

#include <string.h>

static const struct {
	const char *manager, *file;
} files[] = {
	{"systemd", "sallyport.service"},
	{"openrc", "sallyport.openrc"},
	{"sysv", "sallyport.sysv"},
};

/* Before that version the line is another one, or none. Releases as systemd's NEWS tells them. */
static const struct {
	const char *line; /* how it begins */
	int since;
	const char *instead; /* NULL: nothing */
} later[] = {
	{"SystemCallFilter=@system-service", 239, NULL},
	{"SystemCallErrorNumber=", 239, NULL},
	{"ProtectSystem=strict", 235, "ProtectSystem=full\n"}, /* StateDirectory= came with 235 */
	{"Type=exec", 240, "Type=simple\n"},
};

static const char *replaced(const char *line, int version)
{
	for (size_t i = 0; i < ARRAY_LEN(later); i++)
		if (version < later[i].since && strncmp(line, later[i].line, strlen(later[i].line)) == 0)
			return later[i].instead ? later[i].instead : "";
	return NULL;
}

static void add_line(struct buf *text, const char *line, size_t len, const char *folder)
{
	static const char mark[] = "@bindir@";
	const char *at = memmem(line, len, mark, strlen(mark));
	if (!at) {
		buf_append(text, line, len);
		return;
	}
	buf_append(text, line, (size_t)(at - line));
	buf_puts(text, folder);
	at += strlen(mark);
	buf_append(text, at, len - (size_t)(at - line));
}

char *service_text(const char *manager, int version, const char *program)
{
	const char *name = NULL;
	struct buf text = {0};
	cleanup(free_ptr) char *folder = xstrndup(program, (size_t)(strrchr(program, '/') - program));
	bool dated = version > 0 && strcmp(manager, "systemd") == 0;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (strcmp(files[i].manager, manager) == 0)
			name = files[i].file;
	for (const struct embedded_file *file = setup_files; name && file->name; file++) {
		if (strcmp(file->name, name) != 0)
			continue;
		for (const char *line = (const char *)file->data; *line;) {
			size_t len = strcspn(line, "\n") + 1;
			const char *other = dated ? replaced(line, version) : NULL;
			if (other)
				buf_puts(&text, other);
			else
				add_line(&text, line, len, folder);
			line += len;
		}
	}
	return text.data;
}
