/*
 * The formats of leases: KEY=VALUE files, dhclient's blocks, and the server's packet itself.
 */
#include "os/dhcp.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS            " \t\r"
#define GREATEST_LIFETIME 0xffffffffLL /* RFC 2131 section 3.3: it stands for ever */

/* --- KEY=VALUE ------------------------------------------------------------------------------ */

static char *trim(char *text)
{
	text += strspn(text, BLANKS);
	size_t len = strlen(text);
	while (len && strchr(BLANKS, text[len - 1]))
		text[--len] = '\0';
	return text;
}

bool ini_next(char **rest, struct ini_line *line)
{
	if (!line->section)
		line->section = "";
	for (char *text; (text = strsep(rest, "\n"));) {
		text = trim(text);
		char *equals = strchr(text, '='), *end = strchr(text, ']');
		if (*text == '[' && end) {
			*end = '\0';
			line->section = text + 1;
		} else if (*text != '#' && *text != ';' && equals) {
			*equals = '\0';
			line->key = trim(text);
			line->value = trim(equals + 1);
			return true;
		}
	}
	return false;
}

size_t ini_addresses(const char *text, struct in_addr *addresses, size_t max)
{
	size_t count = 0;
	while (*text && count < max) {
		char word[64];
		size_t len = strcspn(text, " \t,;");
		if (len && len < sizeof word) {
			snprintf(word, sizeof word, "%.*s", (int)len, text);
			word[strcspn(word, "/#%:")] = '\0';
			count += inet_pton(AF_INET, word, &addresses[count]) == 1;
		}
		text += len;
		text += strspn(text, " \t,;");
	}
	return count;
}

static int64_t lease_end(time_t written, long long seconds)
{
	if (seconds < 0)
		return 0;
	return seconds >= GREATEST_LIFETIME ? LEASE_NEVER : (int64_t)written + seconds;
}

enum lease_field {
	FIELD_ADDRESS,
	FIELD_SERVER,
	FIELD_DNS,
	FIELD_LIFETIME, /* seconds from when it was written */
	FIELD_EXPIRY,   /* seconds since 1970 */
};

struct lease_key {
	const char *key;
	enum lease_field field;
};

static void set_field(
	struct lease *lease, enum lease_field field, const char *value, time_t written)
{
	long long number = strtoll(value, NULL, 10);
	switch (field) {
	case FIELD_ADDRESS:
		ini_addresses(value, &lease->address, 1);
		break;
	case FIELD_SERVER:
		ini_addresses(value, &lease->server, 1);
		break;
	case FIELD_DNS:
		lease->dns_count = ini_addresses(value, lease->dns, LEASE_MAX_DNS);
		lease->dns_told = true;
		break;
	case FIELD_LIFETIME:
		if (!lease->expires_at)
			lease->expires_at = lease_end(written, number);
		break;
	case FIELD_EXPIRY:
		if (number > 0)
			lease->expires_at = number;
		break;
	}
}

static bool parse_keys(char *text, const char *section, const struct lease_key *keys, size_t count,
	time_t written, struct lease *lease)
{
	struct ini_line line = {.section = NULL};
	*lease = (struct lease){.dns_count = 0};
	while (ini_next(&text, &line))
		for (size_t i = 0; i < count; i++)
			if (strcmp(line.section, section) == 0 && strcmp(line.key, keys[i].key) == 0)
				set_field(lease, keys[i].field, line.value, written);
	/* Whoever tells how long it lasts has written all of it. */
	lease->dns_told |= lease->expires_at != 0;
	if (!lease->address.s_addr)
		*lease = (struct lease){.dns_count = 0};
	return lease->address.s_addr != 0;
}

bool lease_parse_networkd(char *text, time_t written, struct lease *lease)
{
	static const struct lease_key keys[] = {
		{"ADDRESS", FIELD_ADDRESS},
		{"SERVER_ADDRESS", FIELD_SERVER},
		{"DNS", FIELD_DNS},
		{"LIFETIME", FIELD_LIFETIME},
	};
	return parse_keys(text, "", keys, ARRAY_LEN(keys), written, lease);
}

bool lease_parse_network_manager(char *text, time_t written, struct lease *lease)
{
	static const struct lease_key keys[] = {
		{"dhcp4.ip_address", FIELD_ADDRESS},
		{"dhcp4.dhcp_server_identifier", FIELD_SERVER},
		{"dhcp4.domain_name_servers", FIELD_DNS},
		{"dhcp4.expiry", FIELD_EXPIRY},
		{"dhcp4.dhcp_lease_time", FIELD_LIFETIME},
	};
	return parse_keys(text, "dhcp4", keys, ARRAY_LEN(keys), written, lease);
}

/* --- dhclient ------------------------------------------------------------------------------- */

/* "4 2026/11/22 14:33:00" in UTC, "epoch 1795358000" or "never". */
static int64_t parse_end(const char *text)
{
	struct tm when = {.tm_isdst = 0};
	long long epoch;
	int day;
	if (strncmp(text, "never", 5) == 0)
		return LEASE_NEVER;
	if (sscanf(text, "epoch %18lld", &epoch) == 1)
		return epoch > 0 ? epoch : 0;
	if (sscanf(text, "%1d %4d/%2d/%2d %2d:%2d:%2d", &day, &when.tm_year, &when.tm_mon,
			&when.tm_mday, &when.tm_hour, &when.tm_min, &when.tm_sec) != 7)
		return 0;
	when.tm_year -= 1900;
	when.tm_mon -= 1;
	time_t end = timegm(&when);
	return end > 0 ? end : 0;
}

struct dhclient_block {
	struct lease lease;
	bool ours; /* of the interface that is asked for */
};

/* One statement of a lease, without its semicolon. */
static void read_statement(struct dhclient_block *block, char *text, const char *interface)
{
	static const struct {
		const char *words;
		enum lease_field field;
	} statements[] = {
		{"fixed-address ", FIELD_ADDRESS},
		{"option dhcp-server-identifier ", FIELD_SERVER},
		{"option domain-name-servers ", FIELD_DNS},
	};
	size_t len = strlen(interface);
	if (strncmp(text, "interface \"", 11) == 0)
		block->ours = strncmp(text + 11, interface, len) == 0 && text[11 + len] == '"';
	if (strncmp(text, "expire ", 7) == 0)
		block->lease.expires_at = parse_end(text + 7);
	for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
		size_t words = strlen(statements[i].words);
		if (strncmp(text, statements[i].words, words) == 0)
			set_field(&block->lease, statements[i].field, text + words, 0);
	}
}

bool lease_parse_dhclient(char *text, const char *interface, struct lease *lease)
{
	struct dhclient_block block = {.ours = false};
	bool inside = false;
	*lease = (struct lease){.dns_count = 0};
	for (char *line; (line = strsep(&text, "\n"));) {
		line = trim(line);
		line[strcspn(line, ";")] = '\0';
		if (strncmp(line, "lease", 5) == 0 && strchr(line, '{')) {
			block = (struct dhclient_block){.ours = false};
			inside = true;
		} else if (inside && *line == '}') {
			block.lease.dns_told = true;
			if (block.ours && block.lease.address.s_addr)
				*lease = block.lease;
			inside = false;
		} else if (inside) {
			read_statement(&block, line, interface);
		}
	}
	return lease->address.s_addr != 0;
}

/* --- the packet itself ---------------------------------------------------------------------- */

bool lease_parse_packet(const void *packet, size_t len, time_t written, struct lease *lease)
{
	struct dhcp_message message;
	*lease = (struct lease){.dns_count = 0};
	if (!dhcp_message_read(packet, len, &message) || !message.address.s_addr)
		return false;
	lease->address = message.address;
	lease->server = message.server;
	lease->dns_count = message.dns_count;
	memcpy(lease->dns, message.dns, sizeof lease->dns);
	lease->dns_told = true;
	if (message.has_lifetime)
		lease->expires_at = lease_end(written, message.lifetime_s);
	return true;
}
