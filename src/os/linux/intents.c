/*
 * Files that say how an interface shall be configured at start: ifupdown, netplan, cloud-init.
 *
 * They prove nothing about the live address (another program may have set it since), so what is
 * looked for is only whether they name the interface: the place where a person would mend it.
 */
#include "os/linux/parts.h"

#include "base/file.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FILE  262144
#define MAX_FILES 64

static const struct {
	const char *who, *path; /* a file, or a folder with all that is in it */
} places[] = {
	{"ifupdown", "/etc/network/interfaces"},
	{"ifupdown", "/etc/network/interfaces.d"},
	{"netplan", "/etc/netplan"},
	{"netplan", "/run/netplan"},
	{"cloud-init", "/etc/cloud/cloud.cfg.d"},
	{"cloud-init", "/run/cloud-init/network-config.json"},
	{"ifcfg", "/etc/sysconfig/network-scripts"},
};

static bool is_part_of_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

/* The name as a word of its own on a line that is no comment. */
static bool names_link(const char *text, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = text; len && (at = strstr(at, name)); at += len) {
		const char *line = at;
		while (line > text && line[-1] != '\n')
			line--;
		line += strspn(line, " \t");
		/* "eth0.nmconnection" is another word, "eth0:" is not. */
		if (*line != '#' && (at == text || !is_part_of_name(at[-1])) && !is_part_of_name(at[len]))
			return true;
	}
	return false;
}

static void look_at(const char *root, const char *who, const char *path,
	const struct addressing_link *link, struct witnesses *witnesses)
{
	cleanup(free_ptr) char *place = file_under(root, path);
	cleanup(buf_free) struct buf text = {0};
	struct stat info;
	if (stat(place, &info) || !S_ISREG(info.st_mode) || file_read(place, MAX_FILE, &text, NULL))
		return;
	if (names_link(buf_text(&text), link->name))
		witness_add(witnesses, WITNESS_INTENT, who, path);
}

void intents_read(const char *root, const struct addressing_link *link, struct witnesses *witnesses)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		cleanup(free_ptr) char *place = file_under(root, places[i].path);
		DIR *dir = opendir(place);
		look_at(root, places[i].who, places[i].path, link, witnesses);
		size_t seen = 0;
		for (const struct dirent *entry; dir && seen < MAX_FILES && (entry = readdir(dir));
			 seen++) {
			cleanup(free_ptr) char *path = xasprintf("%s/%s", places[i].path, entry->d_name);
			look_at(root, places[i].who, path, link, witnesses);
		}
		if (dir)
			closedir(dir);
	}
}
