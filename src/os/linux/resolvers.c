/*
 * The DNS servers and the hosts file, read as resolv.conf(5) and hosts(5) say.
 *
 * Happy path: resolv.conf names servers, and they are the answer. Where it names a local stub, the
 * file in which that stub's manager keeps the real servers is read instead; where that file is not
 * there, the stub itself is the answer. Lines that make no sense are passed over, as the system's
 * resolver does.
 */
#include "os/os.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RESOLV_CONF      "/etc/resolv.conf"
#define HOSTS            "/etc/hosts"
#define MAX_RESOLV_CONF  65536
#define MAX_HOSTS        16777216 /* bytes; ad blockers write large ones */
#define DEFAULT_TIMEOUT  5        /* seconds, of glibc */
#define GREATEST_TIMEOUT 30       /* likewise */
#define BLANKS           " \t\r\f\v"

/* Who listens where on this machine, and where it keeps the servers that it asks itself. */
static const struct {
	const char *stub;
	const char *upstreams;
} stubs[] = {
	{"127.0.0.53", "/run/systemd/resolve/resolv.conf"},
	{"127.0.0.54", "/run/systemd/resolve/resolv.conf"},
	{"127.0.0.1", "/run/NetworkManager/no-stub-resolv.conf"},
	{"127.0.1.1", "/run/NetworkManager/no-stub-resolv.conf"},
};

/* The next word of a line; NULL at its end. strtok_r with the blanks of these files. */
static char *next_word(char **rest)
{
	return strtok_r(NULL, BLANKS, rest);
}

static void read_nameserver(struct os_resolvers *resolvers, char **rest)
{
	const char *word = next_word(rest);
	struct in_addr address;
	if (!word || resolvers->count == OS_MAX_RESOLVERS)
		return;
	bool ipv4 = inet_pton(AF_INET, word, &address) == 1;
	for (size_t i = 0; ipv4 && i < resolvers->count; i++)
		if (resolvers->servers[i].s_addr == address.s_addr)
			return;
	if (ipv4)
		resolvers->servers[resolvers->count++] = address;
	else if (strchr(word, ':'))
		resolvers->ipv6_skipped++;
}

/* The last search or domain line counts. */
static void read_search(struct os_resolvers *resolvers, char **rest)
{
	resolvers->search_count = 0;
	for (const char *word; (word = next_word(rest)) && resolvers->search_count < OS_MAX_SEARCH;) {
		if (*word && strcmp(word, ".") != 0 && strlen(word) <= OS_MAX_NAME)
			snprintf(resolvers->search[resolvers->search_count++], OS_MAX_NAME + 1, "%s", word);
	}
}

static void read_options(struct os_resolvers *resolvers, char **rest)
{
	for (const char *word; (word = next_word(rest));) {
		unsigned seconds;
		if (sscanf(word, "timeout:%4u", &seconds) == 1 && seconds > 0)
			resolvers->timeout_s = seconds < GREATEST_TIMEOUT ? seconds : GREATEST_TIMEOUT;
	}
}

static const struct {
	const char *keyword;
	void (*read)(struct os_resolvers *resolvers, char **rest);
} directives[] = {
	{"nameserver", read_nameserver},
	{"search", read_search},
	{"domain", read_search},
	{"options", read_options},
};

static int read_resolv_conf(
	const char *root, const char *path, struct os_resolvers *resolvers, struct err *err)
{
	*resolvers = (struct os_resolvers){.timeout_s = DEFAULT_TIMEOUT};
	cleanup(free_ptr) char *place = file_under(root, path);
	snprintf(resolvers->origin, sizeof resolvers->origin, "%s", place);
	cleanup(buf_free) struct buf text = {0};
	if (file_read(place, MAX_RESOLV_CONF, &text, err))
		return -1;
	buf_puts(&text, ""); /* an empty file has lines too: none */
	char *lines = NULL;
	for (char *line = strtok_r(text.data, "\n", &lines); line;
		 line = strtok_r(NULL, "\n", &lines)) {
		char *rest = NULL;
		const char *keyword = strtok_r(line, BLANKS, &rest);
		for (size_t i = 0; keyword && i < ARRAY_LEN(directives); i++)
			if (strcmp(keyword, directives[i].keyword) == 0)
				directives[i].read(resolvers, &rest);
	}
	return 0;
}

static bool is_loopback(struct in_addr address)
{
	return ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool any_beyond_loopback(const struct os_resolvers *resolvers)
{
	for (size_t i = 0; i < resolvers->count; i++)
		if (!is_loopback(resolvers->servers[i]))
			return true;
	return false;
}

/* Replaces a stub's address by the servers that it asks, where they are known. */
static void look_behind_stub(const char *root, struct os_resolvers *resolvers)
{
	char stub[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &resolvers->servers[0], stub, sizeof stub);
	resolvers->loopback_stub = true;
	for (size_t i = 0; i < ARRAY_LEN(stubs); i++) {
		struct os_resolvers behind;
		if (strcmp(stub, stubs[i].stub) != 0 ||
			read_resolv_conf(root, stubs[i].upstreams, &behind, NULL) ||
			!any_beyond_loopback(&behind))
			continue;
		behind.loopback_stub = true;
		*resolvers = behind;
		return;
	}
}

int os_resolvers_read(const char *root, struct os_resolvers *resolvers, struct err *err)
{
	if (read_resolv_conf(root, RESOLV_CONF, resolvers, err) && errno != ENOENT)
		return -1;
	if (!resolvers->count && !resolvers->ipv6_skipped)
		resolvers->servers[resolvers->count++].s_addr = htonl(INADDR_LOOPBACK);
	else if (resolvers->count && !any_beyond_loopback(resolvers))
		look_behind_stub(root, resolvers);
	return 0;
}

/* Whether the line names the host; then its address. Comments end a line. */
static bool hosts_line(char *line, const char *name, size_t name_len, struct in_addr *address)
{
	line[strcspn(line, "#")] = '\0';
	char *rest = NULL;
	const char *first = strtok_r(line, BLANKS, &rest);
	if (!first || inet_pton(AF_INET, first, address) != 1)
		return false;
	for (const char *word; (word = next_word(&rest));)
		if (strlen(word) == name_len && strncasecmp(word, name, name_len) == 0)
			return true;
	return false;
}

int os_hosts_file_lookup(
	const char *root, const char *name, struct in_addr *address, struct err *err)
{
	cleanup(free_ptr) char *path = file_under(root, HOSTS);
	cleanup(buf_free) struct buf text = {0};
	if (file_read(path, MAX_HOSTS, &text, err))
		return errno == ENOENT ? 0 : -1;
	buf_puts(&text, "");
	size_t name_len = strlen(name);
	if (name_len && name[name_len - 1] == '.')
		name_len--;
	char *lines = NULL;
	for (char *line = strtok_r(text.data, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines))
		if (hosts_line(line, name, name_len, address))
			return 1;
	return 0;
}
