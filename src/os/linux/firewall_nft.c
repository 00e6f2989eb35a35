/*
 * The ruleset as `nft -j list ruleset` tells it: tables, chains, sets and rules, in
 * libnftables-json(5).
 *
 * A rule is a list of statements. Conditions and verdict maps are read in firewall_nft_match.c;
 * here stand the verdicts and what else a statement can do to a packet. One that this table does
 * not know may do anything.
 */
#include "os/linux/firewall_model.h"

#include "base/json.h"

#include <string.h>

bool fw_read_verdict(const json_t *statement, struct fw_target *target)
{
	static const struct {
		const char *word;
		enum fw_action action;
	} words[] = {
		{"accept", FW_ACCEPT},
		{"drop", FW_DROP},
		{"continue", FW_NONE},
		{"return", FW_RETURN},
		{"jump", FW_JUMP},
		{"goto", FW_GOTO},
		{"reject", FW_REJECT},
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		json_t *value = json_object_get(statement, words[i].word);
		if (!value)
			continue;
		fw_target_set(target, words[i].action, json_get_text(value, "target"));
		return true;
	}
	return false;
}

/* --- statements --------------------------------------------------------------------------- */

typedef void read_statement(struct firewall *firewall, struct fw_rule *rule, const json_t *value);

static void read_limit(struct firewall *firewall, struct fw_rule *rule, const json_t *value)
{
	(void)firewall;
	if (json_is_true(json_object_get(value, "inv")))
		rule->over_limit = true;
	else
		rule->within_limit = true;
}

static void read_unknown_condition(
	struct firewall *firewall, struct fw_rule *rule, const json_t *value)
{
	(void)firewall, (void)value;
	rule->unknown = true;
}

/* Adding to a set does nothing to the packet, but a limit may stand with each of its elements. */
static void read_set_change(struct firewall *firewall, struct fw_rule *rule, const json_t *value)
{
	json_t *inner = json_object_get(value, "stmt");
	if (json_is_object(inner)) {
		json_t *limit = json_object_get(inner, "limit");
		limit ? read_limit(firewall, rule, limit) : read_unknown_condition(firewall, rule, inner);
	}
	size_t i;
	json_t *one;
	json_array_foreach(inner, i, one)
	{
		json_t *limit = json_object_get(one, "limit");
		if (limit)
			read_limit(firewall, rule, limit);
		else if (!json_object_get(one, "counter"))
			read_unknown_condition(firewall, rule, one);
	}
}

/* Raw payload, which has no field, may be either. */
static bool is_address_or_port(const char *field)
{
	static const char *const names[] = {"saddr", "daddr", "sport", "dport"};
	bool found = !field;
	for (size_t i = 0; !found && i < ARRAY_LEN(names); i++)
		found = strcmp(field, names[i]) == 0;
	return found;
}

static void read_change(struct firewall *firewall, struct fw_rule *rule, const json_t *value)
{
	(void)firewall;
	json_t *key = json_object_get(value, "key");
	const char *mark = json_get_text(json_object_get(key, "meta"), "key");
	json_t *payload = json_object_get(key, "payload");
	if (payload && is_address_or_port(json_get_text(payload, "field")))
		fw_target_set(&rule->target, FW_SOMEWHERE, NULL);
	else if ((mark && strcmp(mark, "mark") == 0) || json_object_get(key, "ct"))
		fw_target_set(&rule->target, FW_SET_MARK, NULL);
}

static void read_accepting(struct firewall *firewall, struct fw_rule *rule, const json_t *value)
{
	(void)firewall, (void)value;
	fw_target_set(&rule->target, FW_ACCEPT, NULL);
}

static void read_diverting(struct firewall *firewall, struct fw_rule *rule, const json_t *value)
{
	(void)firewall, (void)value;
	fw_target_set(&rule->target, FW_SOMEWHERE, NULL);
}

static void read_notrack(struct firewall *firewall, struct fw_rule *rule, const json_t *value)
{
	(void)firewall, (void)value;
	fw_target_set(&rule->target, FW_NO_TRACKING, NULL);
}

/* What iptables put there. Conditions narrow a rule, targets may do anything. */
static void read_foreign(struct firewall *firewall, struct fw_rule *rule, const json_t *value)
{
	const char *type = json_get_text(value, "type"), *name = json_get_text(value, "name");
	rule->chain->table->foreign = true;
	if (type && name && strcmp(type, "match") == 0 && strcmp(name, "comment") == 0)
		return;
	if (type && strcmp(type, "match") == 0)
		read_unknown_condition(firewall, rule, value);
	else
		fw_target_set(&rule->target, FW_ANYTHING, NULL);
}

static void read_nothing(struct firewall *firewall, struct fw_rule *rule, const json_t *value)
{
	(void)firewall, (void)rule, (void)value;
}

static const struct {
	const char *word;
	read_statement *read;
} statements[] = {
	{"match", fw_read_condition},
	{"vmap", fw_read_map},
	{"limit", read_limit},
	{"ct count", read_limit},
	{"quota", read_unknown_condition},
	{"connlimit", read_limit},
	{"set", read_set_change},
	{"map", read_set_change},
	{"meter", read_set_change},
	{"mangle", read_change},
	{"snat", read_accepting},
	{"masquerade", read_accepting},
	{"dnat", read_diverting},
	{"redirect", read_diverting},
	{"tproxy", read_diverting},
	{"queue", read_diverting},
	{"synproxy", read_diverting},
	{"fwd", read_diverting},
	{"notrack", read_notrack},
	{"xt", read_foreign},
	{"counter", read_nothing},
	{"last", read_nothing},
	{"log", read_nothing},
	{"flow", read_nothing},
	{"dup", read_nothing},
	{"ct helper", read_nothing},
	{"ct timeout", read_nothing},
	{"ct expectation", read_nothing},
};

static void read_statement_of(struct firewall *firewall, struct fw_rule *rule, json_t *statement)
{
	struct fw_target verdict = {.action = FW_NONE};
	if (fw_read_verdict(statement, &verdict)) {
		/* What may do anything, or sends it elsewhere, is not mended by a verdict behind it. */
		if (rule->target.action == FW_SOMEWHERE || rule->target.action == FW_ANYTHING) {
			free(verdict.name);
			return;
		}
		free(rule->target.name);
		rule->target = verdict;
		return;
	}
	const char *word = json_object_iter_key(json_object_iter(statement));
	for (size_t i = 0; word && i < ARRAY_LEN(statements); i++) {
		if (strcmp(word, statements[i].word) == 0) {
			statements[i].read(firewall, rule, json_object_get(statement, word));
			return;
		}
	}
	fw_target_set(&rule->target, FW_ANYTHING, NULL);
}

static void read_rule(struct firewall *firewall, struct fw_table *table, const json_t *item)
{
	const char *chain_name = json_get_text(item, "chain");
	struct fw_chain *chain = chain_name ? fw_chain_find(table, chain_name) : NULL;
	if (!chain) {
		firewall->incomplete = true;
		return;
	}
	struct fw_rule *rule = fw_rule_add(firewall, chain);
	if (!rule)
		return;
	rule->handle = json_get_int(item, "handle", 0);
	json_t *list = json_object_get(item, "expr"), *statement;
	size_t i;
	if (!json_is_array(list))
		fw_target_set(&rule->target, FW_ANYTHING, NULL);
	json_array_foreach(list, i, statement) read_statement_of(firewall, rule, statement);
}

/* --- tables, chains, sets ----------------------------------------------------------------- */

static void read_chain(struct firewall *firewall, struct fw_table *table, const json_t *item)
{
	static const struct {
		const char *word;
		enum fw_hook hook;
	} hooks[] = {
		{"ingress", FW_INGRESS},
		{"prerouting", FW_PREROUTING},
		{"input", FW_INPUT},
		{"output", FW_OUTPUT},
		{"postrouting", FW_POSTROUTING},
	};
	const char *name = json_get_text(item, "name"), *word = json_get_text(item, "hook");
	const char *type = json_get_text(item, "type"), *policy = json_get_text(item, "policy");
	struct fw_chain *chain = name ? fw_chain_add(firewall, table, name) : NULL;
	if (!chain)
		return;
	chain->hook = word ? FW_OTHER_HOOK : FW_NO_HOOK;
	for (size_t i = 0; word && i < ARRAY_LEN(hooks); i++)
		if (strcmp(word, hooks[i].word) == 0)
			chain->hook = hooks[i].hook;
	chain->priority = json_get_int(item, "prio", 0);
	chain->nat = type && strcmp(type, "nat") == 0;
	chain->device = xstrdup(json_get_text(item, "dev"));
	chain->policy = policy && strcmp(policy, "drop") == 0 ? FW_DROP : FW_ACCEPT;
}

/* The types of a set's elements: a word, or a list of them. */
static size_t read_types(const json_t *type, enum fw_field fields[FW_MAX_WIDTH])
{
	if (json_is_string(type)) {
		fields[0] = fw_field_of_type(json_string_value(type));
		return 1;
	}
	size_t width = json_array_size(type);
	for (size_t i = 0; i < width && i < FW_MAX_WIDTH; i++) {
		const char *word = json_string_value(json_array_get(type, i));
		fields[i] = word ? fw_field_of_type(word) : FW_UNKNOWN;
	}
	return width <= FW_MAX_WIDTH ? width : 0;
}

static void read_set(struct firewall *firewall, struct fw_table *table, const json_t *item)
{
	const char *name = json_get_text(item, "name"), *data = json_get_text(item, "map");
	enum fw_field fields[FW_MAX_WIDTH] = {FW_UNKNOWN};
	size_t width = read_types(json_object_get(item, "type"), fields);
	if (!name || !width || table->set_count >= FW_MAX_CHAINS)
		return;
	struct fw_list *list = fw_set_add(table, name, width);
	if (data && strcmp(data, "verdict") == 0)
		list->targets = xcalloc(1, sizeof *list->targets);
	fw_read_elements(firewall, list, json_object_get(item, "elem"), fields);
}

static void read_table(struct firewall *firewall, struct fw_table *table, const json_t *item)
{
	(void)firewall, (void)item;
	static const char *const of_ipv4[] = {"ip", "inet", "netdev"};
	table->ignored = true;
	for (size_t i = 0; i < ARRAY_LEN(of_ipv4); i++)
		if (strcmp(table->family, of_ipv4[i]) == 0)
			table->ignored = false;
}

/* One of the list's objects. */
static void read_item(struct firewall *firewall, const json_t *object)
{
	static const struct {
		const char *word;
		void (*read)(struct firewall *firewall, struct fw_table *table, const json_t *item);
	} kinds[] = {
		{"table", read_table},
		{"set", read_set},
		{"map", read_set},
		{"chain", read_chain},
		{"rule", read_rule},
	};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const json_t *item = json_object_get(object, kinds[i].word);
		const char *family = item ? json_get_text(item, "family") : NULL;
		const char *name = item ? json_get_text(item, i ? "table" : "name") : NULL;
		if (!family || !name)
			continue;
		struct fw_table *table = fw_table_find(firewall, family, name);
		if (!table && i == 0)
			table = fw_table_add(firewall, family, name);
		if (table)
			kinds[i].read(firewall, table, item);
		else
			firewall->incomplete = true;
		return;
	}
}

int fw_read_nft(struct firewall *firewall, const char *text, size_t len, struct err *err)
{
	cleanup(json_drop) json_t *root = json_parse(text, len, err);
	if (!root)
		return err_prefix(err, "the output of nft");
	json_t *list = json_object_get(root, "nftables"), *object;
	if (!json_is_array(list))
		return err_set(err, "the output of nft: it has no list \"nftables\"");
	size_t i;
	json_array_foreach(list, i, object) read_item(firewall, object);
	return 0;
}
