/*
 * Building and freeing the model of the rules, within its bounds.
 */
#include "os/linux/firewall_model.h"

#include <arpa/inet.h>
#include <string.h>

struct firewall *fw_new(void)
{
	return xcalloc(1, sizeof(struct firewall));
}

static void free_list(struct fw_list *list)
{
	for (size_t i = 0; i < list->rows * list->width; i++)
		free(list->values[i].text);
	for (size_t i = 0; list->targets && i < list->rows; i++)
		free(list->targets[i].name);
	free(list->values);
	free(list->targets);
	free(list->name);
}

static void free_chain(struct fw_chain *chain)
{
	for (size_t i = 0; i < chain->rule_count; i++) {
		struct fw_rule *rule = &chain->rules[i];
		for (size_t m = 0; m < rule->match_count; m++) {
			free_list(&rule->matches[m].list);
			free(rule->matches[m].set);
		}
		free(rule->matches);
		free(rule->target.name);
		free(rule->text);
	}
	free(chain->rules);
	free(chain->device);
	free(chain->name);
	free(chain);
}

void fw_free(struct firewall *firewall)
{
	for (size_t i = 0; firewall && i < firewall->table_count; i++) {
		struct fw_table *table = firewall->tables[i];
		for (size_t c = 0; c < table->chain_count; c++)
			free_chain(table->chains[c]);
		for (size_t s = 0; s < table->set_count; s++)
			free_list(&table->sets[s]);
		free(table->chains);
		free(table->sets);
		free(table->family);
		free(table->name);
		free(table);
	}
	if (firewall)
		free(firewall->tables);
	free(firewall);
}

void fw_drop(struct firewall **firewall)
{
	fw_free(*firewall);
	*firewall = NULL;
}

/* True when one more may be had; marks the whole otherwise. */
static bool within(struct firewall *firewall, size_t *count, size_t max)
{
	if (*count >= max) {
		firewall->incomplete = true;
		return false;
	}
	++*count;
	return true;
}

struct fw_table *fw_table_add(struct firewall *firewall, const char *family, const char *name)
{
	size_t index = firewall->table_count;
	if (!within(firewall, &firewall->table_count, FW_MAX_TABLES))
		return NULL;
	firewall->tables = xrealloc(firewall->tables, index + 1, sizeof(void *));
	struct fw_table *table = firewall->tables[index] = xcalloc(1, sizeof *table);
	table->family = xstrdup(family);
	table->name = xstrdup(name);
	return table;
}

struct fw_table *fw_table_find(
	const struct firewall *firewall, const char *family, const char *name)
{
	for (size_t i = 0; i < firewall->table_count; i++) {
		struct fw_table *table = firewall->tables[i];
		if (!table->legacy && strcmp(table->family, family) == 0 && strcmp(table->name, name) == 0)
			return table;
	}
	return NULL;
}

struct fw_chain *fw_chain_add(struct firewall *firewall, struct fw_table *table, const char *name)
{
	if (!within(firewall, &firewall->chain_count, FW_MAX_CHAINS))
		return NULL;
	table->chains = xrealloc(table->chains, table->chain_count + 1, sizeof(void *));
	struct fw_chain *chain = table->chains[table->chain_count++] = xcalloc(1, sizeof *chain);
	chain->table = table;
	chain->name = xstrdup(name);
	chain->policy = FW_ACCEPT;
	return chain;
}

struct fw_chain *fw_chain_find(struct fw_table *table, const char *name)
{
	if (table->found && strcmp(table->found->name, name) == 0)
		return table->found;
	for (size_t i = 0; i < table->chain_count; i++)
		if (strcmp(table->chains[i]->name, name) == 0)
			return table->found = table->chains[i];
	return NULL;
}

struct fw_rule *fw_rule_add(struct firewall *firewall, struct fw_chain *chain)
{
	if (!within(firewall, &firewall->rule_count, FW_MAX_RULES))
		return NULL;
	chain->rules = xrealloc(chain->rules, chain->rule_count + 1, sizeof *chain->rules);
	struct fw_rule *rule = &chain->rules[chain->rule_count++];
	*rule = (struct fw_rule){.chain = chain};
	return rule;
}

struct fw_match *fw_match_add(struct fw_rule *rule, enum fw_field field)
{
	rule->matches = xrealloc(rule->matches, rule->match_count + 1, sizeof *rule->matches);
	struct fw_match *match = &rule->matches[rule->match_count++];
	*match = (struct fw_match){.fields = {field}, .width = 1, .list = {.width = 1}};
	return match;
}

void fw_match_number(
	struct firewall *firewall, struct fw_rule *rule, enum fw_field field, uint64_t number)
{
	struct fw_value *value = fw_row_add(firewall, &fw_match_add(rule, field)->list);
	if (value)
		value->low = value->high = number;
}

struct fw_list *fw_set_add(struct fw_table *table, const char *name, size_t width)
{
	table->sets = xrealloc(table->sets, table->set_count + 1, sizeof *table->sets);
	struct fw_list *list = &table->sets[table->set_count++];
	*list = (struct fw_list){.name = xstrdup(name), .width = width};
	return list;
}

struct fw_value *fw_row_add(struct firewall *firewall, struct fw_list *list)
{
	if (!within(firewall, &firewall->value_count, FW_MAX_VALUES))
		return NULL;
	size_t rows = list->rows;
	/* Room is doubled: a set may hold many thousands. */
	if ((rows & (rows - 1)) == 0) {
		size_t room = rows ? rows * 2 : 1;
		list->values = xrealloc(list->values, room * list->width, sizeof *list->values);
		if (list->targets)
			list->targets = xrealloc(list->targets, room, sizeof *list->targets);
	}
	struct fw_value *row = &list->values[list->rows++ * list->width];
	memset(row, 0, list->width * sizeof *row);
	if (list->targets)
		list->targets[rows] = (struct fw_target){.action = FW_NONE};
	return row;
}

void fw_target_set(struct fw_target *target, enum fw_action action, const char *chain)
{
	free(target->name);
	*target = (struct fw_target){.action = action, .name = xstrdup(chain)};
}

/* A mask of ones and then zeros. */
static bool prefix_of(const char *text, uint32_t *mask)
{
	struct in_addr dotted;
	char *end;
	if (inet_pton(AF_INET, text, &dotted) == 1) {
		*mask = ntohl(dotted.s_addr);
		return (~*mask & (~*mask + 1)) == 0;
	}
	unsigned long bits = strtoul(text, &end, 10);
	*mask = bits && bits <= 32 ? ~(uint32_t)0 << (32 - bits) : 0;
	return *text && !*end && bits <= 32;
}

void fw_value_address(struct fw_value *value, const char *text)
{
	char address[INET_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	struct in_addr parsed;
	uint32_t mask = ~(uint32_t)0;
	value->unknown = true;
	if (len >= sizeof address)
		return;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(AF_INET, address, &parsed) != 1 ||
		(text[len] && !prefix_of(text + len + 1, &mask)))
		return;
	value->low = ntohl(parsed.s_addr) & mask;
	value->high = value->low | (uint32_t)~mask;
	value->unknown = false;
}

/* --- names to pointers -------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct fw_chain *const *left = a, *const *right = b;
	return strcmp((*left)->name, (*right)->name);
}

static int name_is(const void *name, const void *chain)
{
	return strcmp(name, (*(const struct fw_chain *const *)chain)->name);
}

static void link_target(const struct fw_table *table, struct fw_target *target)
{
	if (!target->name || !table->chain_count)
		return;
	struct fw_chain **found =
		bsearch(target->name, table->chains, table->chain_count, sizeof(void *), name_is);
	target->chain = found ? *found : NULL;
}

static void link_list(const struct fw_table *table, struct fw_list *list)
{
	for (size_t i = 0; list->targets && i < list->rows; i++)
		link_target(table, &list->targets[i]);
}

static void link_match(const struct fw_table *table, struct fw_match *match)
{
	match->looked_in = match->set ? NULL : &match->list;
	for (size_t i = 0; match->set && i < table->set_count; i++)
		if (table->sets[i].name && strcmp(table->sets[i].name, match->set) == 0)
			match->looked_in = &table->sets[i];
	link_list(table, &match->list);
}

static void link_table(struct fw_table *table)
{
	if (table->chain_count)
		qsort(table->chains, table->chain_count, sizeof(void *), by_name);
	for (size_t i = 0; i < table->set_count; i++)
		link_list(table, &table->sets[i]);
	for (size_t c = 0; c < table->chain_count; c++) {
		struct fw_chain *chain = table->chains[c];
		for (size_t i = 0; i < chain->rule_count; i++) {
			link_target(table, &chain->rules[i].target);
			for (size_t m = 0; m < chain->rules[i].match_count; m++)
				link_match(table, &chain->rules[i].matches[m]);
		}
	}
}

void fw_link(struct firewall *firewall)
{
	for (size_t i = 0; i < firewall->table_count; i++)
		link_table(firewall->tables[i]);
}
