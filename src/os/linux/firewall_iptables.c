/*
 * The listing of iptables-save(8): "*table", ":CHAIN POLICY", "-A CHAIN conditions -j TARGET".
 *
 * Each option that is a condition stands in one table with the number of its words. One that is not
 * there makes its rule undetermined; its words are then passed over up to the next option. A chain
 * of its own or a target of an extension decides by the tables below; an extension that is not
 * there may do anything.
 */
#include "os/linux/firewall_iptables.h"

#include <stdio.h>
#include <string.h>

#define MAX_LINE  4096
#define MAX_WORDS 256

/* One rule's words. Quotes are taken off; a quoted word is never an option. */
struct line {
	char text[MAX_LINE];
	char *words[MAX_WORDS];
	bool quoted[MAX_WORDS];
	size_t count;
};

static int split(const char *from, size_t len, struct line *line)
{
	char *to = line->text, *end = line->text + sizeof line->text - 1;
	line->count = 0;
	for (size_t i = 0; i < len;) {
		while (i < len && from[i] == ' ')
			i++;
		if (i == len)
			break;
		if (line->count == MAX_WORDS)
			return -1;
		bool quoted = from[i] == '"';
		i += quoted;
		line->quoted[line->count] = quoted;
		line->words[line->count++] = to;
		for (; i < len && (quoted ? from[i] != '"' : from[i] != ' '); i++) {
			if (quoted && from[i] == '\\' && i + 1 < len)
				i++;
			if (to == end)
				return -1;
			*to++ = from[i];
		}
		i += quoted && i < len;
		if (to == end)
			return -1;
		*to++ = '\0';
	}
	return 0;
}

/* --- targets ------------------------------------------------------------------------------ */

static bool has_word(const struct line *line, size_t from, const char *word)
{
	for (size_t i = from; i < line->count; i++)
		if (strcmp(line->words[i], word) == 0)
			return true;
	return false;
}

static void read_target(struct fw_reader *reader, bool go, const struct line *line, size_t at)
{
	static const struct {
		const char *name;
		enum fw_action action;
	} targets[] = {
		{"ACCEPT", FW_ACCEPT},
		{"DROP", FW_DROP},
		{"REJECT", FW_REJECT},
		{"RETURN", FW_RETURN},
		{"LOG", FW_NONE},
		{"NFLOG", FW_NONE},
		{"ULOG", FW_NONE},
		{"TRACE", FW_NONE},
		{"AUDIT", FW_NONE},
		{"TCPMSS", FW_NONE},
		{"TTL", FW_NONE},
		{"DSCP", FW_NONE},
		{"TOS", FW_NONE},
		{"CLASSIFY", FW_NONE},
		{"CHECKSUM", FW_NONE},
		{"SET", FW_NONE},
		{"SECMARK", FW_NONE},
		{"CONNSECMARK", FW_NONE},
		{"MARK", FW_SET_MARK},
		{"CONNMARK", FW_SET_MARK},
		{"CT", FW_NO_TRACKING},
		{"NOTRACK", FW_NO_TRACKING},
		{"SNAT", FW_ACCEPT},
		{"MASQUERADE", FW_ACCEPT},
		{"DNAT", FW_SOMEWHERE},
		{"REDIRECT", FW_SOMEWHERE},
		{"NETMAP", FW_SOMEWHERE},
		{"TPROXY", FW_SOMEWHERE},
		{"QUEUE", FW_SOMEWHERE},
		{"NFQUEUE", FW_SOMEWHERE},
		{"TARPIT", FW_DROP},
	};
	struct fw_target *target = &reader->rule->target;
	const char *name = line->words[at];
	if (fw_chain_find(reader->table, name)) {
		fw_target_set(target, go ? FW_GOTO : FW_JUMP, name);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		if (strcmp(name, targets[i].name) != 0)
			continue;
		bool other_ct = strcmp(name, "CT") == 0 && !has_word(line, at, "--notrack");
		fw_target_set(target, other_ct ? FW_NONE : targets[i].action, NULL);
		return;
	}
	fw_target_set(target, FW_ANYTHING, NULL);
}

/* --- lines -------------------------------------------------------------------------------- */

/* From the word at `at`, which may be an option; returns the next one to look at. */
static size_t read_word(struct fw_reader *reader, const struct line *line, size_t at)
{
	const char *word = line->words[at];
	if (line->quoted[at] || (*word != '-' && *word != '!'))
		return at + 1;
	if (strcmp(word, "!") == 0) {
		reader->negated = true;
		return at + 1;
	}
	bool target = strcmp(word, "-j") == 0, go = strcmp(word, "-g") == 0;
	if ((target || go) && at + 1 < line->count) {
		read_target(reader, go, line, at + 1);
		return line->count; /* what follows belongs to the target */
	}
	const struct fw_option *option = fw_option_find(word);
	size_t next = at + 1;
	if (option && at + (size_t)option->words < line->count) {
		option->read(reader, option->field, (char *const *)&line->words[at + 1]);
		next += (size_t)option->words;
	} else {
		reader->rule->unknown = true;
	}
	reader->negated = false;
	return next;
}

static void read_rule(struct fw_reader *reader, const char *text, size_t len)
{
	struct line line;
	bool readable = split(text, len, &line) == 0 && line.count >= 2;
	struct fw_chain *chain = readable ? fw_chain_find(reader->table, line.words[1]) : NULL;
	reader->rule = chain ? fw_rule_add(reader->firewall, chain) : NULL;
	if (!reader->rule) {
		reader->firewall->incomplete = true;
		return;
	}
	reader->rule->text = xstrndup(text, len);
	reader->module = NULL;
	reader->negated = false;
	for (size_t at = 2; at < line.count;)
		at = read_word(reader, &line, at);
}

static void read_chain(struct fw_reader *reader, const char *text, size_t len)
{
	static const struct {
		const char *name;
		enum fw_hook hook;
	} hooks[] = {{"PREROUTING", FW_PREROUTING}, {"INPUT", FW_INPUT}, {"OUTPUT", FW_OUTPUT},
		{"POSTROUTING", FW_POSTROUTING}, {"FORWARD", FW_OTHER_HOOK}};
	static const struct {
		const char *table;
		int64_t priority;
	} priorities[] = {{"raw", -300}, {"mangle", -150}, {"nat", -100}, {"security", 50}};
	struct line line;
	if (split(text + 1, len - 1, &line) || line.count < 2)
		return;
	struct fw_chain *chain = fw_chain_add(reader->firewall, reader->table, line.words[0]);
	if (!chain || strcmp(line.words[1], "-") == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(hooks); i++)
		if (strcmp(chain->name, hooks[i].name) == 0)
			chain->hook = hooks[i].hook;
	for (size_t i = 0; i < ARRAY_LEN(priorities); i++)
		if (strcmp(reader->table->name, priorities[i].table) == 0)
			chain->priority = priorities[i].priority;
	chain->nat = strcmp(reader->table->name, "nat") == 0;
	chain->policy = strcmp(line.words[1], "DROP") == 0 ? FW_DROP : FW_ACCEPT;
}

static void read_line(
	struct fw_reader *reader, const char *family, bool legacy, const char *text, size_t len)
{
	if (len > 1 && *text == '*') {
		cleanup(free_ptr) char *name = xstrndup(text + 1, len - 1);
		reader->table = fw_table_add(reader->firewall, family, name);
		if (reader->table)
			reader->table->legacy = legacy;
	} else if (reader->table && len > 1 && *text == ':') {
		read_chain(reader, text, len);
	} else if (reader->table && len > 3 && strncmp(text, "-A ", 3) == 0) {
		read_rule(reader, text, len);
	} else if (len && *text != '#' && !(len == 6 && strncmp(text, "COMMIT", 6) == 0)) {
		reader->firewall->incomplete = true;
	}
}

int fw_read_iptables(struct firewall *firewall, const char *family, bool legacy, const char *text,
	size_t len, struct err *err)
{
	struct fw_reader reader = {.firewall = firewall};
	const char *end = text + len;
	if (memchr(text, '\0', len))
		return err_set(err, "the output of iptables-save: it holds a NUL");
	while (text < end) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));
		if (!line_end)
			line_end = end;
		read_line(&reader, family, legacy, text, (size_t)(line_end - text));
		text = line_end + (line_end < end);
	}
	return 0;
}
