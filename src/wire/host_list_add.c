#include "wire/host_list_parts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MAX_LABEL    63
#define WORD_SHOWN   60
#define LEAST_PREFIX 22

int host_list_fail(const struct host_adder *adder, const char *word, const char *why)
{
	char shown[WORD_SHOWN + 1];
	snprintf(shown, sizeof shown, "%s", word);
	for (char *at = shown; *at; at++)
		if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f || *at == '"')
			*at = '?';
	return err_set(adder->err, "line %zu: \"%s%s\": %s", adder->line, shown,
		strlen(word) > WORD_SHOWN ? "..." : "", why);
}

/* --- the list ------------------------------------------------------------------------------ */

static size_t place_hash(const char *host, uint16_t port)
{
	uint32_t hash = 2166136261u ^ port;
	for (; *host; host++)
		hash = (hash ^ (unsigned char)*host) * 16777619u;
	return hash % HOST_LIST_INDEX_SIZE;
}

static uint32_t *find_place(const struct host_adder *adder, const char *host, uint16_t port)
{
	size_t at = place_hash(host, port);
	for (;; at = (at + 1) % HOST_LIST_INDEX_SIZE) {
		uint32_t *place = &adder->index[at];
		if (!*place)
			return place;
		const struct host_entry *entry = &adder->list->hosts[*place - 1];
		if (entry->port == port && strcmp(entry->host, host) == 0)
			return place;
	}
}

/* It stands there already: told and of a range is told; two users are a mistake. */
static int merge(const struct host_adder *adder, struct host_entry *there,
	const struct host_word *word, bool from_range)
{
	if (from_range)
		return 0;
	bool was_range = there->from_range;
	if (!was_range && strcmp(there->user, word->user) != 0)
		return host_list_fail(
			adder, word->host, "it stands in the list twice, with different users");
	there->from_range = false;
	if (was_range) {
		free(there->user);
		there->user = xstrdup(word->user);
		there->line = adder->line;
	}
	if (*word->name && !*there->name) {
		free(there->name);
		there->name = xstrdup(word->name);
	}
	return 0;
}

static int add(
	const struct host_adder *adder, const char *host, const struct host_word *word, bool from_range)
{
	struct host_list *list = adder->list;
	uint32_t *place = find_place(adder, host, word->port);
	if (*place)
		return merge(adder, &list->hosts[*place - 1], word, from_range);
	if (list->count == HOST_LIST_MAX_HOSTS)
		return host_list_fail(
			adder, word->host, "with it the list has more than 1024 hosts; make two of it");
	struct host_entry *entry = &list->hosts[list->count];
	*entry = (struct host_entry){
		.port = word->port,
		.user = xstrdup(word->user),
		.name = xstrdup(word->name),
		.from_range = from_range,
		.line = adder->line,
	};
	snprintf(entry->host, sizeof entry->host, "%s", host);
	*place = (uint32_t)++list->count;
	return 0;
}

/* --- hosts and ranges ---------------------------------------------------------------------- */

static int add_range(
	const struct host_adder *adder, const struct host_word *word, uint32_t first, uint32_t last)
{
	if (last < first)
		return host_list_fail(adder, word->host, "the range ends before it begins");
	if (last - first >= HOST_LIST_MAX_HOSTS)
		return host_list_fail(adder, word->host,
			"a range has at most 1024 addresses (/22); write smaller ones, one after the other");
	for (uint32_t i = 0; i <= last - first; i++) {
		char text[INET_ADDRSTRLEN];
		struct in_addr address = {htonl(first + i)};
		inet_ntop(AF_INET, &address, text, sizeof text);
		if (add(adder, text, word, true))
			return -1;
	}
	return 0;
}

static bool read_address(const char *text, uint32_t *address)
{
	struct in_addr in;
	if (inet_pton(AF_INET, text, &in) != 1)
		return false;
	*address = ntohl(in.s_addr);
	return true;
}

long host_list_number(const char *text, long max)
{
	long value = 0;
	if (!*text || strlen(text) > 6)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (*text - '0');
	}
	return value <= max ? value : -1;
}

/* `slash` is where the prefix stands in the host of the word. */
static int add_network(const struct host_adder *adder, const struct host_word *word, size_t slash)
{
	char network[HOST_LIST_WORD_SIZE];
	uint32_t address;
	snprintf(network, sizeof network, "%.*s", (int)slash, word->host);
	long prefix = host_list_number(word->host + slash + 1, 32);
	if (!read_address(network, &address) || prefix < 0)
		return host_list_fail(
			adder, word->host, "a range is written like 10.0.0.0/28 or 10.0.0.5-20");
	if (prefix < LEAST_PREFIX)
		return host_list_fail(adder, word->host,
			"a range has at most 1024 addresses (/22); write smaller ones, one after the other");
	uint32_t size = (uint32_t)1 << (32 - prefix);
	uint32_t first = address & ~(size - 1), last = first + (size - 1);
	/* The network's own and the broadcast address are no hosts, but for RFC 3021. */
	return size > 2 ? add_range(adder, word, first + 1, last - 1)
					: add_range(adder, word, first, last);
}

/* -1 when it fails, 0 when it was a range from one address to another, 1 when it is none. */
static int add_from_to(const struct host_adder *adder, const struct host_word *word)
{
	char from[HOST_LIST_WORD_SIZE];
	const char *dash = strchr(word->host, '-');
	uint32_t first, last;
	if (!dash)
		return 1;
	snprintf(from, sizeof from, "%.*s", (int)(dash - word->host), word->host);
	if (!read_address(from, &first))
		return 1;
	long octet = host_list_number(dash + 1, 255);
	if (octet >= 0)
		return add_range(adder, word, first, (first & ~0xffu) | (uint32_t)octet);
	if (read_address(dash + 1, &last))
		return add_range(adder, word, first, last);
	return host_list_fail(
		adder, word->host, "a range is written like 10.0.0.5-20 or 10.0.0.5-10.0.1.9");
}

/* RFC 1123 section 2.1, and the underscores that people use all the same. */
static const char *name_problem(const char *name)
{
	size_t label = 0;
	bool digits = true; /* of the last label */
	if (strlen(name) > HOST_LIST_MAX_HOST)
		return "a host's name has at most 253 bytes";
	for (const char *at = name;; at++) {
		if (*at == '.' || !*at) {
			if (!label || label > MAX_LABEL || at[-1] == '-')
				return "that is no name of a host";
			if (!*at)
				return digits ? "that is no IPv4 address" : NULL;
			label = 0;
			digits = true;
			continue;
		}
		if (!isascii((unsigned char)*at) || !(isalnum((unsigned char)*at) || strchr("-_", *at)) ||
			(*at == '-' && !label))
			return "that is no name of a host; a list with commas needs a first line that names "
				   "its columns: host,port,user,name";
		digits = digits && isdigit((unsigned char)*at);
		label++;
	}
}

static int add_single(const struct host_adder *adder, struct host_word *word)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;
	uint32_t four;
	if (inet_pton(AF_INET6, word->host, &six) == 1)
		return add(adder, inet_ntop(AF_INET6, &six, text, sizeof text), word, false);
	if (read_address(word->host, &four))
		return add(adder, word->host, word, false);
	/* A name may end in the dot of the root. */
	size_t len = strlen(word->host);
	if (len > 1 && word->host[len - 1] == '.')
		word->host[len - 1] = '\0';
	for (char *at = word->host; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	const char *problem = name_problem(word->host);
	return problem ? host_list_fail(adder, word->host, problem)
				   : add(adder, word->host, word, false);
}

int host_list_add(const struct host_adder *adder, struct host_word *word)
{
	size_t slash = strcspn(word->host, "/");
	if (word->host[slash])
		return add_network(adder, word, slash);
	int range = add_from_to(adder, word);
	return range > 0 ? add_single(adder, word) : range;
}
