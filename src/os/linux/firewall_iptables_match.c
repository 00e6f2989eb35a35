/*
 * Conditions of iptables' rules: one table of options, with the number of their words.
 */
#include "os/linux/firewall_iptables.h"

#include <stdio.h>
#include <string.h>

static struct fw_match *add_match(struct fw_reader *reader, enum fw_field field)
{
	struct fw_match *match = fw_match_add(reader->rule, field);
	match->negated = reader->negated;
	return match;
}

static bool read_number(const char *text, uint64_t *number)
{
	char *end;
	*number = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end;
}

/* "22", "80:90", ":1024", "ssh" (unknown) */
static void read_port(struct fw_value *value, const char *text)
{
	char low[16], high[16];
	const char *colon = strchr(text, ':');
	snprintf(low, sizeof low, "%.*s", (int)(colon ? colon - text : 15), text);
	snprintf(high, sizeof high, "%.15s", colon ? colon + 1 : low);
	bool readable = read_number(*low ? low : "0", &value->low) &&
					read_number(*high ? high : "65535", &value->high);
	value->unknown = !readable;
}

/* Each word of a list that is joined by commas. */
static void read_list(struct fw_reader *reader, struct fw_match *match, const char *text,
	void (*read)(struct fw_value *value, enum fw_field field, const char *word))
{
	char word[128];
	while (*text) {
		size_t len = strcspn(text, ",");
		struct fw_value *value = fw_row_add(reader->firewall, &match->list);
		if (!value)
			return;
		if (len < sizeof word) {
			snprintf(word, sizeof word, "%.*s", (int)len, text);
			read(value, match->fields[0], word);
		} else {
			value->unknown = true;
		}
		text += len + (text[len] == ',');
	}
}

static void list_port(struct fw_value *value, enum fw_field field, const char *word)
{
	(void)field;
	read_port(value, word);
}

static void list_word(struct fw_value *value, enum fw_field field, const char *word)
{
	value->unknown = fw_word(field, word, &value->low) != 0 && !read_number(word, &value->low);
	value->high = value->low;
}

static void option_protocol(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	if (strcmp(words[0], "all") != 0)
		read_list(reader, add_match(reader, field), words[0], list_word);
}

static void option_address(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	struct fw_value *value = fw_row_add(reader->firewall, &add_match(reader, field)->list);
	if (value)
		fw_value_address(value, words[0]);
}

static void option_name(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	struct fw_value *value = fw_row_add(reader->firewall, &add_match(reader, field)->list);
	if (!value)
		return;
	value->text = xstrdup(words[0]);
	size_t len = strlen(value->text);
	if (len && value->text[len - 1] == '+')
		value->text[len - 1] = '*';
}

static void option_ports(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	read_list(reader, add_match(reader, field), words[0], list_port);
}

static void option_words(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	struct fw_match *match = add_match(reader, field);
	read_list(reader, match, words[0], list_word);
	match->any_bit = field == FW_STATE;
}

static void option_nothing(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	(void)reader, (void)field, (void)words;
}

static void option_module(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	(void)field;
	reader->module = words[0];
}

static void option_within(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	(void)field, (void)words;
	reader->negated ? (void)(reader->rule->over_limit = true)
					: (void)(reader->rule->within_limit = true);
}

static void option_over(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	(void)field, (void)words;
	reader->negated ? (void)(reader->rule->within_limit = true)
					: (void)(reader->rule->over_limit = true);
}

static void option_tcp_flags(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	uint64_t bits[2] = {0, 0};
	for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
		char one[16];
		for (const char *at = words[i]; *at;) {
			size_t len = strcspn(at, ",");
			uint64_t bit = 0;
			snprintf(one, sizeof one, "%.*s", (int)(len < sizeof one ? len : sizeof one - 1), at);
			if (strcmp(one, "ALL") == 0)
				bit = 63;
			else if (strcmp(one, "NONE") != 0 && fw_word(field, one, &bit))
				reader->rule->unknown = true;
			bits[i] |= bit;
			at += len + (at[len] == ',');
		}
	}
	if (!bits[0])
		return;
	struct fw_match *match = add_match(reader, field);
	match->mask = bits[0];
	struct fw_value *value = fw_row_add(reader->firewall, &match->list);
	if (value)
		value->low = value->high = bits[1];
}

static void option_syn(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	(void)words;
	char *const flags[] = {(char[]){"FIN,SYN,RST,ACK"}, (char[]){"SYN"}};
	option_tcp_flags(reader, field, flags);
}

static void option_mark(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	char number[32];
	const char *slash = strchr(words[0], '/');
	uint64_t value = 0, mask = 0;
	snprintf(number, sizeof number, "%.*s", (int)(slash ? slash - words[0] : 31), words[0]);
	bool connection = reader->module && strcmp(reader->module, "connmark") == 0;
	bool readable = read_number(number, &value) && (!slash || read_number(slash + 1, &mask));
	struct fw_match *match = add_match(reader, connection ? FW_CT_MARK : field);
	match->mask = slash ? mask : 0;
	struct fw_value *row = fw_row_add(reader->firewall, &match->list);
	if (row)
		*row = (struct fw_value){.low = value, .high = value, .unknown = !readable};
}

/* "10.0.0.1-10.0.0.9" */
static void option_range(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	char low[20];
	struct fw_value first = {.low = 0}, last = {.low = 0};
	const char *dash = strchr(words[0], '-');
	snprintf(low, sizeof low, "%.*s", (int)(dash ? dash - words[0] : 19), words[0]);
	fw_value_address(&first, low);
	fw_value_address(&last, dash ? dash + 1 : low);
	struct fw_value *row = fw_row_add(reader->firewall, &add_match(reader, field)->list);
	if (row)
		*row = (struct fw_value){
			.low = first.low, .high = last.high, .unknown = first.unknown || last.unknown};
}

/* "1000" or "1000-1999" */
static void option_owner(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	struct fw_value *row = fw_row_add(reader->firewall, &add_match(reader, field)->list);
	char low[16];
	const char *dash = strchr(words[0], '-');
	if (!row)
		return;
	snprintf(low, sizeof low, "%.*s", (int)(dash ? dash - words[0] : 15), words[0]);
	row->unknown = !read_number(low, &row->low) || !read_number(dash ? dash + 1 : low, &row->high);
}

static void option_fragment(struct fw_reader *reader, enum fw_field field, char *const *words)
{
	(void)words;
	struct fw_match *match = add_match(reader, field);
	struct fw_value *row = fw_row_add(reader->firewall, &match->list);
	if (row)
		*row = (struct fw_value){.low = 1, .high = 0x1fff};
}

static const struct fw_option options[] = {
	{"-m", 1, option_module, FW_UNKNOWN},
	{"-p", 1, option_protocol, FW_PROTOCOL},
	{"-s", 1, option_address, FW_FROM},
	{"-d", 1, option_address, FW_TO},
	{"-i", 1, option_name, FW_IN_NAME},
	{"-o", 1, option_name, FW_OUT_NAME},
	{"-f", 0, option_fragment, FW_FRAGMENT},
	{"--sport", 1, option_ports, FW_FROM_PORT},
	{"--dport", 1, option_ports, FW_TO_PORT},
	{"--sports", 1, option_ports, FW_FROM_PORT},
	{"--dports", 1, option_ports, FW_TO_PORT},
	{"--tcp-flags", 2, option_tcp_flags, FW_TCP_FLAGS},
	{"--syn", 0, option_syn, FW_TCP_FLAGS},
	{"--ctstate", 1, option_words, FW_STATE},
	{"--state", 1, option_words, FW_STATE},
	{"--mark", 1, option_mark, FW_MARK},
	{"--uid-owner", 1, option_owner, FW_OWNER},
	{"--src-type", 1, option_words, FW_FROM_TYPE},
	{"--dst-type", 1, option_words, FW_TO_TYPE},
	{"--pkt-type", 1, option_words, FW_PACKET_TYPE},
	{"--src-range", 1, option_range, FW_FROM},
	{"--dst-range", 1, option_range, FW_TO},
	{"--limit", 1, option_within, FW_UNKNOWN},
	{"--limit-burst", 1, option_nothing, FW_UNKNOWN},
	{"--hashlimit-upto", 1, option_within, FW_UNKNOWN},
	{"--hashlimit-above", 1, option_over, FW_UNKNOWN},
	{"--hashlimit-burst", 1, option_nothing, FW_UNKNOWN},
	{"--hashlimit-mode", 1, option_nothing, FW_UNKNOWN},
	{"--hashlimit-name", 1, option_nothing, FW_UNKNOWN},
	{"--hashlimit-htable-expire", 1, option_nothing, FW_UNKNOWN},
	{"--connlimit-above", 1, option_over, FW_UNKNOWN},
	{"--connlimit-upto", 1, option_within, FW_UNKNOWN},
	{"--connlimit-mask", 1, option_nothing, FW_UNKNOWN},
	{"--connlimit-saddr", 0, option_nothing, FW_UNKNOWN},
	{"--set", 0, option_nothing, FW_UNKNOWN},
	{"--rcheck", 0, option_over, FW_UNKNOWN},
	{"--update", 0, option_over, FW_UNKNOWN},
	{"--seconds", 1, option_nothing, FW_UNKNOWN},
	{"--hitcount", 1, option_nothing, FW_UNKNOWN},
	{"--name", 1, option_nothing, FW_UNKNOWN},
	{"--mask", 1, option_nothing, FW_UNKNOWN},
	{"--rsource", 0, option_nothing, FW_UNKNOWN},
	{"--icmp-type", 1, option_nothing, FW_UNKNOWN}, /* -p icmp stands with it */
	{"--comment", 1, option_nothing, FW_UNKNOWN},
};

const struct fw_option *fw_option_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strcmp(name, options[i].name) == 0)
			return &options[i];
	return NULL;
}
