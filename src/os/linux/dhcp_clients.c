/*
 * DHCP clients that run for an interface, found in /proc by their command lines.
 *
 * udhcpc keeps no lease and sets a permanent address, so its process is all there is to see; for
 * the others it says that somebody wants an address by DHCP. Machines with containers show the
 * processes of all their network namespaces, with an eth0 in each: /proc/PID/net tells them apart,
 * to an ordinary user as well, for its files are numbered by namespace. Where /proc hides the
 * processes of others (hidepid), that is told.
 */
#include "os/linux/parts.h"

#include "base/file.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_COMMAND 4096
#define MAX_WORDS   64

struct words {
	char text[MAX_COMMAND + 1];
	const char *list[MAX_WORDS];
	size_t count;
};

static void split(struct words *words, const char *command, size_t len)
{
	len = len < MAX_COMMAND ? len : MAX_COMMAND;
	memcpy(words->text, command, len);
	words->text[len] = '\0';
	words->count = 0;
	for (size_t i = 0; i < len; i++)
		if (words->text[i] == ' ')
			words->text[i] = '\0';
	for (size_t i = 0; i < len && words->count < MAX_WORDS; i++)
		if (words->text[i] && (i == 0 || !words->text[i - 1]))
			words->list[words->count++] = &words->text[i];
}

/* udhcpc: -i NAME, -iNAME, --interface NAME, --interface=NAME, or eth0. */
static bool option_names(
	const struct words *words, const struct addressing *addressing, const char *name)
{
	static const char *const options[] = {"-i", "--interface"};
	const char *value = "eth0";
	(void)addressing;
	for (size_t i = 1; i < words->count; i++) {
		for (size_t n = 0; n < ARRAY_LEN(options); n++) {
			size_t len = strlen(options[n]);
			if (strncmp(words->list[i], options[n], len) != 0)
				continue;
			const char *rest = words->list[i] + len;
			if (*rest == '=' || (*rest && n == 0))
				value = rest + (*rest == '=');
			else if (!*rest && i + 1 < words->count)
				value = words->list[i + 1];
		}
	}
	return strcmp(value, name) == 0;
}

/* dhclient, dhcpcd: the name is a word of its own; without any interface's name, all are meant. */
static bool word_names(
	const struct words *words, const struct addressing *addressing, const char *name)
{
	bool others = false;
	for (size_t i = 1; i < words->count; i++) {
		if (strcmp(words->list[i], name) == 0)
			return true;
		for (size_t n = 0; n < addressing->link_count; n++)
			others |= strcmp(words->list[i], addressing->links[n].name) == 0;
	}
	return !others;
}

static const struct {
	const char *name;
	bool (*names)(const struct words *words, const struct addressing *addressing, const char *name);
} clients[] = {
	{"dhclient", word_names},
	{"dhcpcd", word_names},
	{"udhcpc", option_names},
};

const char *dhcp_client_match(const char *command, size_t len, const struct addressing *addressing,
	const struct addressing_link *link)
{
	struct words words;
	split(&words, command, len);
	size_t first = words.count > 1 && strstr(words.list[0], "busybox") ? 1 : 0;
	if (!words.count)
		return NULL;
	const char *slash = strrchr(words.list[first], '/');
	const char *program = slash ? slash + 1 : words.list[first];
	size_t program_len = strcspn(program, ":"); /* "dhcpcd: eth0 [ip4]" */
	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		if (strlen(clients[i].name) == program_len &&
			strncmp(program, clients[i].name, program_len) == 0 &&
			clients[i].names(&words, addressing, link->name))
			return clients[i].name;
	return NULL;
}

static ino_t namespace_of(const char *process)
{
	char path[64];
	struct stat info;
	snprintf(path, sizeof path, "/proc/%.20s/net/dev", process);
	return stat(path, &info) ? 0 : info.st_ino;
}

static bool already_told(const struct witnesses *witnesses, const char *who)
{
	for (size_t i = 0; i < witnesses->count; i++)
		if (witnesses->list[i].word == WITNESS_CLIENT && witnesses->list[i].who == who)
			return true;
	return false;
}

static void look_at(const char *process, ino_t here, const struct addressing *addressing,
	const struct addressing_link *link, struct witnesses *witnesses)
{
	char path[64];
	cleanup(buf_free) struct buf command = {0};
	snprintf(path, sizeof path, "/proc/%.10s/cmdline", process);
	if (file_read(path, MAX_COMMAND, &command, NULL) || !command.len)
		return;
	const char *who = dhcp_client_match(command.data, command.len, addressing, link);
	if (!who || already_told(witnesses, who) || namespace_of(process) != here)
		return;
	snprintf(path, sizeof path, "process %.10s", process);
	witness_add(witnesses, WITNESS_CLIENT, who, path);
}

void dhcp_clients_read(const struct addressing *addressing, const struct addressing_link *link,
	struct witnesses *witnesses)
{
	ino_t here = namespace_of("thread-self");
	DIR *dir = opendir("/proc");
	if (!dir)
		return;
	for (const struct dirent *entry; (entry = readdir(dir));)
		if (isdigit((unsigned char)entry->d_name[0]))
			look_at(entry->d_name, here, addressing, link, witnesses);
	closedir(dir);
	if (!file_exists("/proc/1/cmdline"))
		witness_add(witnesses, WITNESS_HIDDEN, "a DHCP client", "/proc");
}
