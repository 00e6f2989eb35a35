#include "store/summary.h"

#include "base/json.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void summary_take_text(char *to, size_t size, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	if (len >= size)
		len = size - 1;
	while (len && text[len] && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	for (size_t i = 0; i < len; i++) {
		to[i] = text[i];
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			to[i] = ' ';
	}
	to[len] = '\0';
}

static void take_address(struct summary *summary, const json_t *interface)
{
	summary_take_text(summary->address, sizeof summary->address, json_get_text(interface, "ipv4"));
	summary->address[strcspn(summary->address, "/")] = '\0';
	summary_take_text(summary->mac, sizeof summary->mac, json_get_text(interface, "mac"));
	const char *origin = json_get_text(interface, "origin");
	if (origin && (strcmp(origin, "dhcp") == 0 || strcmp(origin, "static") == 0))
		snprintf(summary->addressing, sizeof summary->addressing, "%s", origin);
}

static bool is_loopback(const json_t *interface)
{
	const char *ipv4 = json_get_text(interface, "ipv4");
	const char *name = json_get_text(interface, "name");
	return (ipv4 && strncmp(ipv4, "127.", 4) == 0) || (name && strcmp(name, "lo") == 0);
}

static void take_interface(struct summary *summary, const json_t *interfaces)
{
	const json_t *best = NULL;
	for (size_t i = 0; i < json_array_size(interfaces); i++) {
		const json_t *interface = json_array_get(interfaces, i);
		const char *ipv4 = json_get_text(interface, "ipv4");
		if (!ipv4 || !*ipv4 || is_loopback(interface))
			continue;
		if (json_is_true(json_object_get(interface, "up"))) {
			best = interface;
			break;
		}
		if (!best)
			best = interface;
	}
	if (best)
		take_address(summary, best);
}

static void make_address_key(struct summary *summary)
{
	struct in_addr address;
	if (inet_pton(AF_INET, summary->address, &address) != 1) {
		snprintf(summary->address_key, sizeof summary->address_key, "%s", summary->address);
		return;
	}
	const unsigned char *part = (const unsigned char *)&address;
	snprintf(summary->address_key, sizeof summary->address_key, "%03u.%03u.%03u.%03u", part[0],
		part[1], part[2], part[3]);
}

void summary_fold(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

static void make_search(struct summary *summary)
{
	snprintf(summary->search, sizeof summary->search, "%s\n%s\n%s\n%s\n%s", summary->name,
		summary->address, summary->mac, summary->os_name, summary->location);
	summary_fold(summary->search);
}

void summary_of(const json_t *inventory, struct summary *summary)
{
	*summary = (struct summary){0};
	summary_take_text(summary->name, sizeof summary->name, json_get_text(inventory, "name"));
	summary_take_text(
		summary->platform, sizeof summary->platform, json_get_text(inventory, "platform"));
	summary_take_text(
		summary->os_name, sizeof summary->os_name, json_get_text(inventory, "os_name"));
	summary_take_text(
		summary->location, sizeof summary->location, json_get_text(inventory, "location"));
	summary_take_text(
		summary->version, sizeof summary->version, json_get_text(inventory, "agent_version"));
	take_interface(summary, json_object_get(inventory, "interfaces"));
	make_address_key(summary);
	make_search(summary);
}

void summary_place(struct summary *summary, const char *location)
{
	snprintf(summary->location, sizeof summary->location, "%s", location);
	make_search(summary);
}
