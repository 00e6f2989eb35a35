/*
 * What the programs that set addresses say about one interface: their leases and their state.
 *
 * Each source is a row of a table and reads its own files below root. Happy path: one of them has a
 * lease or a configuration for the interface and it becomes a witness. Most files are not there on
 * most machines, which says nothing. A file that only root can read matters where its owner does
 * manage the interface: then the silence is told as `hidden`, so that nobody takes it for absence.
 */
#include "os/addressing.h"

#include "base/file.h"
#include "os/linux/parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FILE  1048576 /* bytes; dhclient appends for years before it starts anew */
#define MAX_FILES 256     /* of a folder that are looked at */

struct witness *witness_add(
	struct witnesses *witnesses, enum witness_word word, const char *who, const char *where)
{
	if (witnesses->count == ADDRESSING_MAX_WITNESSES)
		return NULL;
	struct witness *witness = &witnesses->list[witnesses->count++];
	*witness = (struct witness){.word = word, .who = who};
	snprintf(witness->where, sizeof witness->where, "%s", where);
	return witness;
}

const struct witness *witness_find(const struct witnesses *witnesses, enum witness_word word)
{
	for (size_t i = 0; i < witnesses->count; i++)
		if (witnesses->list[i].word == word)
			return &witnesses->list[i];
	return NULL;
}

/* The text and the time it was written at; false where it cannot be read, with errno. */
static bool read_text(const char *root, const char *path, struct buf *text, time_t *written)
{
	cleanup(free_ptr) char *place = file_under(root, path);
	struct stat info;
	if (stat(place, &info))
		return false;
	/* Whatever else has that name must not hold this program up. */
	if (!S_ISREG(info.st_mode)) {
		errno = ENOENT;
		return false;
	}
	*written = info.st_mtime;
	if (file_read(place, MAX_FILE, text, NULL))
		return false;
	return buf_puts(text, "") == 0 && text->data;
}

static void add_lease(struct witnesses *witnesses, const char *who, const char *where, bool found,
	const struct lease *lease)
{
	struct witness *witness = found ? witness_add(witnesses, WITNESS_LEASE, who, where) : NULL;
	if (witness)
		witness->lease = *lease;
}

static void add_addresses(struct witnesses *witnesses, enum witness_word word, const char *who,
	const char *where, const char *text)
{
	struct lease said = {.dns_told = word == WITNESS_STATIC_DNS};
	if (word == WITNESS_STATIC)
		ini_addresses(text, &said.address, 1);
	else
		said.dns_count = ini_addresses(text, said.dns, LEASE_MAX_DNS);
	if (!said.address.s_addr && !said.dns_count)
		return;
	struct witness *witness = witness_add(witnesses, word, who, where);
	if (witness)
		witness->lease = said;
}

/* --- systemd-networkd ------------------------------------------------------------------------ */

static const char networkd[] = "systemd-networkd";

/* A .network file that networkd has applied to the interface. */
static void read_network_file(const char *root, const char *path, struct witnesses *witnesses)
{
	cleanup(buf_free) struct buf text = {0};
	time_t written;
	struct ini_line line = {.section = NULL};
	if (path[0] != '/' || !read_text(root, path, &text, &written))
		return;
	char *rest = text.data;
	while (ini_next(&rest, &line)) {
		bool network = strcmp(line.section, "Network") == 0;
		bool address = network || strcmp(line.section, "Address") == 0;
		if (address && strcmp(line.key, "Address") == 0)
			add_addresses(witnesses, WITNESS_STATIC, networkd, path, line.value);
		else if (network && strcmp(line.key, "DNS") == 0)
			add_addresses(witnesses, WITNESS_STATIC_DNS, networkd, path, line.value);
		else if (network && strcmp(line.key, "DHCP") == 0 && strchr("yYtT1oOiIbB", line.value[0]) &&
				 strcmp(line.value, "ipv6") != 0 && strcasecmp(line.value, "off") != 0)
			witness_add(witnesses, WITNESS_DHCP, networkd, path);
	}
}

/* "FILE:FILE" or "FILE FILE", by version. */
static void read_dropins(const char *root, const char *value, struct witnesses *witnesses)
{
	cleanup(free_ptr) char *list = xstrdup(value);
	char *rest = list;
	for (const char *one; (one = strsep(&rest, ": \""));)
		read_network_file(root, one, witnesses);
}

static void read_networkd(
	const char *root, const struct addressing_link *link, struct witnesses *witnesses)
{
	cleanup(buf_free) struct buf text = {0}, state = {0};
	struct ini_line line = {.section = NULL};
	struct lease lease;
	time_t written;
	char path[64];
	snprintf(path, sizeof path, "/run/systemd/netif/leases/%d", link->index);
	if (read_text(root, path, &text, &written))
		add_lease(
			witnesses, networkd, path, lease_parse_networkd(text.data, written, &lease), &lease);
	snprintf(path, sizeof path, "/run/systemd/netif/links/%d", link->index);
	if (!read_text(root, path, &state, &written))
		return;
	char *rest = state.data;
	while (ini_next(&rest, &line)) {
		if (strcmp(line.key, "ADMIN_STATE") == 0 && strcmp(line.value, "unmanaged") == 0)
			return;
		if (strcmp(line.key, "NETWORK_FILE") == 0)
			read_network_file(root, line.value, witnesses);
		if (strcmp(line.key, "NETWORK_FILE_DROPINS") == 0)
			read_dropins(root, line.value, witnesses);
	}
}

/* --- NetworkManager -------------------------------------------------------------------------- */

static const char network_manager[] = "NetworkManager";

struct nm_connection {
	char uuid[64];
	char method[16];
	char dns[256];
	char addresses[ADDRESSING_MAX_ADDRESSES][64];
	size_t address_count;
	bool external; /* NetworkManager only describes what somebody else has set */
};

static void read_connection_line(struct nm_connection *connection, const struct ini_line *line)
{
	bool ipv4 = strcmp(line->section, "ipv4") == 0, meta = strcmp(line->section, ".nmmeta") == 0;
	if (strcmp(line->section, "connection") == 0 && strcmp(line->key, "uuid") == 0)
		snprintf(connection->uuid, sizeof connection->uuid, "%s", line->value);
	else if (ipv4 && strcmp(line->key, "method") == 0)
		snprintf(connection->method, sizeof connection->method, "%s", line->value);
	else if (ipv4 && strcmp(line->key, "dns") == 0)
		snprintf(connection->dns, sizeof connection->dns, "%s", line->value);
	else if (ipv4 && strncmp(line->key, "address", 7) == 0 &&
			 connection->address_count < ADDRESSING_MAX_ADDRESSES)
		snprintf(connection->addresses[connection->address_count++],
			sizeof connection->addresses[0], "%s", line->value);
	else if (meta && strcmp(line->key, "external") == 0)
		connection->external = strcmp(line->value, "true") == 0;
}

static void tell_connection(
	struct witnesses *witnesses, const char *path, const struct nm_connection *connection)
{
	if (connection->external)
		return;
	add_addresses(witnesses, WITNESS_STATIC_DNS, network_manager, path, connection->dns);
	if (strcmp(connection->method, "auto") == 0)
		witness_add(witnesses, WITNESS_DHCP, network_manager, path);
	for (size_t i = 0; i < connection->address_count; i++)
		add_addresses(witnesses, WITNESS_STATIC, network_manager, path, connection->addresses[i]);
}

struct nm_search {
	const char *uuid;
	struct witnesses *witnesses;
	bool found;
	bool hidden;
};

static void look_at_connection(const char *root, const char *path, void *data)
{
	struct nm_search *search = data;
	cleanup(buf_free) struct buf text = {0};
	struct ini_line line = {.section = NULL};
	struct nm_connection connection = {.external = false};
	time_t written;
	if (search->found)
		return;
	if (!read_text(root, path, &text, &written)) {
		search->hidden |= errno == EACCES || errno == EPERM;
		return;
	}
	char *rest = text.data;
	while (ini_next(&rest, &line))
		read_connection_line(&connection, &line);
	if (strcmp(connection.uuid, search->uuid) != 0)
		return;
	search->found = true;
	tell_connection(search->witnesses, path, &connection);
}

/* Calls for each file of a folder; false where the folder itself is closed to this user. */
static bool each_file(const char *root, const char *folder,
	void (*look)(const char *root, const char *path, void *data), void *data)
{
	cleanup(free_ptr) char *place = file_under(root, folder);
	DIR *dir = opendir(place);
	if (!dir)
		return errno != EACCES && errno != EPERM;
	size_t seen = 0;
	for (const struct dirent *entry; seen < MAX_FILES && (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		cleanup(free_ptr) char *path = xasprintf("%s/%s", folder, entry->d_name);
		look(root, path, data);
		seen++;
	}
	closedir(dir);
	return true;
}

static void find_connection(const char *root, const char *uuid, struct witnesses *witnesses)
{
	static const char *const folders[] = {"/run/NetworkManager/system-connections",
		"/etc/NetworkManager/system-connections", "/usr/lib/NetworkManager/system-connections"};
	struct nm_search search = {.uuid = uuid, .witnesses = witnesses};
	for (size_t i = 0; i < ARRAY_LEN(folders) && !search.found; i++)
		search.hidden |= !each_file(root, folders[i], look_at_connection, &search);
	if (!search.found && search.hidden)
		witness_add(witnesses, WITNESS_HIDDEN, network_manager, folders[1]);
}

static void read_network_manager(
	const char *root, const struct addressing_link *link, struct witnesses *witnesses)
{
	cleanup(buf_free) struct buf text = {0};
	struct ini_line line = {.section = NULL};
	struct lease lease;
	time_t written;
	bool managed = false;
	char path[64], uuid[64] = "";
	snprintf(path, sizeof path, "/run/NetworkManager/devices/%d", link->index);
	if (!read_text(root, path, &text, &written))
		return;
	cleanup(free_ptr) char *copy = xstrdup(text.data);
	bool found = lease_parse_network_manager(copy, written, &lease);
	add_lease(witnesses, network_manager, path, found, &lease);
	char *rest = text.data;
	while (ini_next(&rest, &line)) {
		if (strcmp(line.key, "managed") == 0)
			managed = strcmp(line.value, "true") == 0 || strcmp(line.value, "1") == 0;
		if (strcmp(line.key, "connection-uuid") == 0)
			snprintf(uuid, sizeof uuid, "%s", line.value);
	}
	if (managed && uuid[0])
		find_connection(root, uuid, witnesses);
}

/* --- lease files named after the interface, or holding those of all -----------------------------
 */

struct lease_search {
	const struct addressing_link *link;
	struct witnesses *witnesses;
};

typedef bool parse_lease(
	struct buf *text, time_t written, const struct addressing_link *link, struct lease *lease);

static bool parse_dhclient(
	struct buf *text, time_t written, const struct addressing_link *link, struct lease *lease)
{
	(void)written;
	return lease_parse_dhclient(text->data, link->name, lease);
}

static bool parse_internal(
	struct buf *text, time_t written, const struct addressing_link *link, struct lease *lease)
{
	(void)link;
	return lease_parse_networkd(text->data, written, lease);
}

static bool parse_dhcpcd(
	struct buf *text, time_t written, const struct addressing_link *link, struct lease *lease)
{
	(void)link;
	return lease_parse_packet(text->data, text->len, written, lease);
}

/* FOLDER/BEGIN*END; with `named` the interface's name follows BEGIN or stands before END. */
static const struct lease_place {
	const char *folder, *begin, *end;
	enum { NAMED_NOT, NAMED_FIRST, NAMED_LAST } named;
	const char *who;
	parse_lease *parse;
} places[] = {
	{"/var/lib/dhcp", "dhclient", ".leases", NAMED_NOT, "dhclient", parse_dhclient},
	{"/var/lib/dhclient", "dhclient", "", NAMED_NOT, "dhclient", parse_dhclient},
	{"/var/lib/NetworkManager", "dhclient-", ".lease", NAMED_LAST, "NetworkManager",
		parse_dhclient},
	{"/var/lib/NetworkManager", "internal-", ".lease", NAMED_LAST, "NetworkManager",
		parse_internal},
	{"/var/lib/dhcpcd", "", ".lease", NAMED_FIRST, "dhcpcd", parse_dhcpcd},
};

static bool ends_with(const char *text, size_t len, const char *end, size_t end_len)
{
	return len >= end_len && memcmp(text + len - end_len, end, end_len) == 0;
}

/* Whether a file's name says that it may hold a lease of the interface. */
static bool is_named(const struct lease_place *place, const char *file, const char *interface)
{
	size_t len = strlen(file), begin = strlen(place->begin), end = strlen(place->end);
	size_t name = strlen(interface);
	if (len < begin + end || strncmp(file, place->begin, begin) != 0 ||
		!ends_with(file, len, place->end, end))
		return false;
	file += begin;
	len -= begin + end;
	if (place->named == NAMED_FIRST) /* or "wlan0-NETWORK" */
		return len >= name && strncmp(file, interface, name) == 0 &&
			   (len == name || file[name] == '-');
	if (place->named == NAMED_LAST)
		return len > name && ends_with(file, len, interface, name) && file[len - name - 1] == '-';
	return true;
}

static void look_at_lease(const char *root, const char *path, void *data)
{
	const struct lease_search *search = data;
	const char *file = strrchr(path, '/') + 1;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		cleanup(buf_free) struct buf text = {0};
		struct lease lease;
		time_t written;
		size_t folder = strlen(places[i].folder);
		if (strncmp(path, places[i].folder, folder) != 0 || path + folder + 1 != file ||
			!is_named(&places[i], file, search->link->name) ||
			!read_text(root, path, &text, &written))
			continue;
		add_lease(search->witnesses, places[i].who, path,
			places[i].parse(&text, written, search->link, &lease), &lease);
	}
}

static void read_lease_files(
	const char *root, const struct addressing_link *link, struct witnesses *witnesses)
{
	struct lease_search search = {link, witnesses};
	const char *last = "";
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (strcmp(places[i].folder, last) != 0)
			each_file(root, places[i].folder, look_at_lease, &search);
		last = places[i].folder;
	}
}

/* --------------------------------------------------------------------------------------------- */

void witnesses_read(const char *root, const struct addressing *addressing,
	const struct addressing_link *link, struct witnesses *witnesses)
{
	*witnesses = (struct witnesses){.count = 0};
	read_networkd(root, link, witnesses);
	read_network_manager(root, link, witnesses);
	read_lease_files(root, link, witnesses);
	dhcp_clients_read(addressing, link, witnesses);
	intents_read(root, link, witnesses);
}
