#include "dial/proxy.h"
#include "dial/proxy_parts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define SEPARATORS ", \t\r\n;"

/* An entry taken apart. */
struct entry {
	char text[256]; /* without port, star, slash */
	uint16_t port;  /* 0: any */
	bool below_only;
	bool is_network;
	struct in_addr network;
	unsigned bits;
};

const char *proxy_next_entry(const char *list, char entry[256])
{
	for (;;) {
		list += strspn(list, SEPARATORS);
		size_t len = strcspn(list, SEPARATORS);
		if (!len)
			return NULL;
		if (len < 256) {
			memcpy(entry, list, len);
			entry[len] = '\0';
			return list + len;
		}
		list += len; /* longer than any name or address */
	}
}

/* The number that fills the text, or -1. */
static long whole_number(const char *text, long most)
{
	char *end;
	if (*text < '0' || *text > '9' || strlen(text) > 5)
		return -1;
	long value = strtol(text, &end, 10);
	return *end || value > most ? -1 : value;
}

/* "10.0.0.0/8" or "10.0.0.1"; false when it is a name. *bad for what is neither. */
static bool parse_network(struct entry *entry, bool *bad)
{
	char *slash = strchr(entry->text, '/');
	long bits = 32;
	if (slash) {
		*slash = '\0';
		bits = whole_number(slash + 1, 32);
	}
	entry->is_network = inet_pton(AF_INET, entry->text, &entry->network) == 1 && bits >= 0;
	entry->bits = (unsigned)(bits < 0 ? 0 : bits);
	*bad = slash && !entry->is_network;
	return entry->is_network;
}

static int parse_entry(const char *text, struct entry *entry)
{
	*entry = (struct entry){.port = 0};
	if (strcmp(text, "*") == 0) {
		snprintf(entry->text, sizeof entry->text, "*");
		return 0;
	}
	if (strncmp(text, "*.", 2) == 0)
		text++;
	if (*text == '.') {
		entry->below_only = true;
		text++;
	}
	snprintf(entry->text, sizeof entry->text, "%s", text);
	char *colon = strchr(entry->text, ':');
	if (colon) {
		long port = whole_number(colon + 1, 65535);
		if (port < 1)
			return -1;
		entry->port = (uint16_t)port;
		*colon = '\0';
	}
	bool bad;
	if (parse_network(entry, &bad))
		return entry->below_only ? -1 : 0;
	return bad || !*entry->text || strpbrk(entry->text, "*/[]@") ? -1 : 0;
}

static bool network_matches(const struct entry *entry, const char *host)
{
	struct in_addr address;
	if (inet_pton(AF_INET, host, &address) != 1)
		return false;
	uint32_t mask = entry->bits ? ~(uint32_t)0 << (32 - entry->bits) : 0;
	return ((ntohl(address.s_addr) ^ ntohl(entry->network.s_addr)) & mask) == 0;
}

static size_t length_without_dot(const char *name)
{
	size_t len = strlen(name);
	return len && name[len - 1] == '.' ? len - 1 : len;
}

static bool name_matches(const struct entry *entry, const char *host)
{
	size_t want = length_without_dot(entry->text);
	size_t have = length_without_dot(host);
	struct in_addr address;
	if (have < want || strncasecmp(host + have - want, entry->text, want) != 0)
		return false;
	if (have == want)
		return !entry->below_only;
	return host[have - want - 1] == '.' && inet_pton(AF_INET, host, &address) != 1;
}

bool proxy_entry_valid(const char *text)
{
	struct entry entry;
	/* IPv6 entries are right and can never match here. */
	const char *colon = strchr(text, ':');
	if (*text == '[' || (colon && strchr(colon + 1, ':')))
		return true;
	return parse_entry(text, &entry) == 0;
}

bool proxy_entry_matches(const char *text, const char *host, uint16_t port)
{
	struct entry entry;
	if (parse_entry(text, &entry) || (entry.port && entry.port != port))
		return false;
	if (strcmp(entry.text, "*") == 0)
		return true;
	return entry.is_network ? network_matches(&entry, host) : name_matches(&entry, host);
}

const char *proxy_bypass(
	const struct proxy_settings *settings, const char *host, uint16_t port, char entry[256])
{
	if (!settings->set || !settings->no_proxy)
		return NULL;
	for (const char *rest = settings->no_proxy; (rest = proxy_next_entry(rest, entry));)
		if (proxy_entry_matches(entry, host, port))
			return entry;
	entry[0] = '\0';
	return NULL;
}
