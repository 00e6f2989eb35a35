/*
 * Conditions of nft rules: what is looked at, and the values that it is compared with.
 *
 * Left stands an expression (a field of the packet, its connection or its route, or a concatenation
 * of them), right a value, a range, a prefix, a set or the name of one. Each expression of the
 * tables below is a field of the model; any other is FW_UNKNOWN, and so is a value that does not
 * parse.
 */
#include "os/linux/firewall_model.h"

#include "base/json.h"

#include <arpa/inet.h>
#include <string.h>

struct word {
	const char *word;
	uint64_t number;
};

static const struct word protocols[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP},
	{"icmp", IPPROTO_ICMP}, {"icmpv6", IPPROTO_ICMPV6}, {"ipv6-icmp", IPPROTO_ICMPV6},
	{"sctp", IPPROTO_SCTP}, {"dccp", IPPROTO_DCCP}, {"udplite", IPPROTO_UDPLITE},
	{"esp", IPPROTO_ESP}, {"ah", IPPROTO_AH}, {"gre", IPPROTO_GRE}, {"igmp", IPPROTO_IGMP},
	{"comp", IPPROTO_COMP}, {"ipip", IPPROTO_IPIP}, {"ospf", 89}, {"vrrp", 112}, {NULL, 0}};
static const struct word families[] = {{"ipv4", AF_INET}, {"ip", AF_INET}, {"ipv6", AF_INET6},
	{"ip6", AF_INET6}, {"arp", 0x806}, {"vlan", 0x8100}, {NULL, 0}};
static const struct word states[] = {{"invalid", FW_INVALID}, {"established", FW_ESTABLISHED},
	{"related", FW_RELATED}, {"new", FW_NEW}, {"untracked", FW_UNTRACKED},
	/* iptables lists these two with the states; a packet that is followed to its end has neither */
	{"snat", 1 << 16}, {"dnat", 1 << 17}, {NULL, 0}};
static const struct word statuses[] = {{"expected", 1}, {"seen-reply", 2}, {"assured", 4},
	{"confirmed", 8}, {"snat", 16}, {"dnat", 32}, {"dying", 512}, {NULL, 0}};
static const struct word directions[] = {{"original", 0}, {"reply", 1}, {NULL, 0}};
static const struct word tcp_flags[] = {{"fin", 1}, {"syn", 2}, {"rst", 4}, {"psh", 8}, {"ack", 16},
	{"urg", 32}, {"ecn", 64}, {"cwr", 128}, {NULL, 0}};
static const struct word types[] = {{"local", FW_LOCAL}, {"unicast", FW_UNICAST},
	{"broadcast", FW_OTHER_TYPE}, {"anycast", FW_OTHER_TYPE}, {"multicast", FW_OTHER_TYPE},
	{"blackhole", FW_OTHER_TYPE}, {"unreachable", FW_OTHER_TYPE}, {"prohibit", FW_OTHER_TYPE},
	{NULL, 0}};
static const struct word packet_types[] = {
	{"host", 0}, {"unicast", 0}, {"broadcast", 1}, {"multicast", 2}, {"other", 3}, {NULL, 0}};
static const struct word owners[] = {{"root", 0}, {NULL, 0}};

static const struct word *const words_of[FW_FIELD_COUNT] = {
	[FW_FAMILY] = families,
	[FW_PROTOCOL] = protocols,
	[FW_TCP_FLAGS] = tcp_flags,
	[FW_STATE] = states,
	[FW_STATUS] = statuses,
	[FW_REPLY] = directions,
	[FW_OWNER] = owners,
	[FW_FROM_TYPE] = types,
	[FW_TO_TYPE] = types,
	[FW_PACKET_TYPE] = packet_types,
};

int fw_word(enum fw_field field, const char *word, uint64_t *number)
{
	const struct word *row = words_of[field];
	for (; row && row->word; row++) {
		if (strcasecmp(row->word, word) == 0) {
			*number = row->number;
			return 0;
		}
	}
	return -1;
}

enum fw_field fw_field_of_type(const char *type)
{
	static const struct {
		const char *type;
		enum fw_field field;
	} rows[] = {
		{"ipv4_addr", FW_TO},
		{"inet_service", FW_TO_PORT},
		{"inet_proto", FW_PROTOCOL},
		{"ifname", FW_IN_NAME},
		{"iface_index", FW_IN_NAME},
		{"mark", FW_MARK},
		{"ct_state", FW_STATE},
		{"ct_status", FW_STATUS},
		{"nf_proto", FW_FAMILY},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(type, rows[i].type) == 0)
			return rows[i].field;
	return FW_UNKNOWN;
}

/* --- what is looked at -------------------------------------------------------------------- */

struct expression {
	const char *kind, *base, *name; /* {"payload": {"protocol": "tcp", "field": "dport"}} */
	enum fw_field field;
	enum fw_field needs; /* something else has to be this for it to be there at all */
	uint64_t needed;
};

static const struct expression expressions[] = {
	{"meta", NULL, "nfproto", FW_FAMILY, FW_UNKNOWN, 0},
	{"meta", NULL, "protocol", FW_FAMILY, FW_UNKNOWN, 0},
	{"meta", NULL, "l4proto", FW_PROTOCOL, FW_UNKNOWN, 0},
	{"meta", NULL, "iifname", FW_IN_NAME, FW_UNKNOWN, 0},
	{"meta", NULL, "iif", FW_IN_NAME, FW_UNKNOWN, 0},
	{"meta", NULL, "oifname", FW_OUT_NAME, FW_UNKNOWN, 0},
	{"meta", NULL, "oif", FW_OUT_NAME, FW_UNKNOWN, 0},
	{"meta", NULL, "mark", FW_MARK, FW_UNKNOWN, 0},
	{"meta", NULL, "skuid", FW_OWNER, FW_UNKNOWN, 0},
	{"meta", NULL, "pkttype", FW_PACKET_TYPE, FW_UNKNOWN, 0},
	{"payload", "ip", "saddr", FW_FROM, FW_FAMILY, AF_INET},
	{"payload", "ip", "daddr", FW_TO, FW_FAMILY, AF_INET},
	{"payload", "ip", "protocol", FW_PROTOCOL, FW_FAMILY, AF_INET},
	{"payload", "ip", "frag-off", FW_FRAGMENT, FW_FAMILY, AF_INET},
	{"payload", "ip", NULL, FW_UNKNOWN, FW_FAMILY, AF_INET},
	{"payload", "ip6", NULL, FW_UNKNOWN, FW_FAMILY, AF_INET6},
	{"payload", "icmpv6", NULL, FW_UNKNOWN, FW_PROTOCOL, IPPROTO_ICMPV6},
	{"payload", "arp", NULL, FW_UNKNOWN, FW_FAMILY, 0x806},
	{"payload", "th", "sport", FW_FROM_PORT, FW_UNKNOWN, 0},
	{"payload", "th", "dport", FW_TO_PORT, FW_UNKNOWN, 0},
	{"payload", "tcp", "sport", FW_FROM_PORT, FW_PROTOCOL, IPPROTO_TCP},
	{"payload", "tcp", "dport", FW_TO_PORT, FW_PROTOCOL, IPPROTO_TCP},
	{"payload", "tcp", "flags", FW_TCP_FLAGS, FW_PROTOCOL, IPPROTO_TCP},
	{"payload", "tcp", NULL, FW_UNKNOWN, FW_PROTOCOL, IPPROTO_TCP},
	{"payload", "udp", "sport", FW_FROM_PORT, FW_PROTOCOL, IPPROTO_UDP},
	{"payload", "udp", "dport", FW_TO_PORT, FW_PROTOCOL, IPPROTO_UDP},
	{"payload", "udp", NULL, FW_UNKNOWN, FW_PROTOCOL, IPPROTO_UDP},
	{"payload", "icmp", NULL, FW_UNKNOWN, FW_PROTOCOL, IPPROTO_ICMP},
	{"payload", "igmp", NULL, FW_UNKNOWN, FW_PROTOCOL, IPPROTO_IGMP},
	{"payload", "sctp", NULL, FW_UNKNOWN, FW_PROTOCOL, IPPROTO_SCTP},
	{"payload", "dccp", NULL, FW_UNKNOWN, FW_PROTOCOL, IPPROTO_DCCP},
	{"payload", "udplite", NULL, FW_UNKNOWN, FW_PROTOCOL, IPPROTO_UDPLITE},
	{"payload", "esp", NULL, FW_UNKNOWN, FW_PROTOCOL, IPPROTO_ESP},
	{"payload", "ah", NULL, FW_UNKNOWN, FW_PROTOCOL, IPPROTO_AH},
	{"ct", NULL, "state", FW_STATE, FW_UNKNOWN, 0},
	{"ct", NULL, "status", FW_STATUS, FW_UNKNOWN, 0},
	{"ct", NULL, "direction", FW_REPLY, FW_UNKNOWN, 0},
	{"ct", NULL, "mark", FW_CT_MARK, FW_UNKNOWN, 0},
	{"ct", NULL, "protocol", FW_PROTOCOL, FW_UNKNOWN, 0},
	{"ct", NULL, "l3proto", FW_FAMILY, FW_UNKNOWN, 0},
};

static bool same(const char *wanted, const char *given)
{
	return !wanted || (given && strcmp(wanted, given) == 0);
}

/* {"fib": {"result": "type", "flags": ["daddr"]}}; flags is a word where there is one. */
static enum fw_field field_of_fib(const json_t *fib)
{
	static const struct {
		const char *result, *first;
		enum fw_field field;
	} rows[] = {
		{"type", "daddr", FW_TO_TYPE},
		{"type", "saddr", FW_FROM_TYPE},
		{"oif", "saddr", FW_HAS_ROUTE},
	};
	const char *result = json_get_text(fib, "result");
	json_t *flags = json_object_get(fib, "flags");
	const char *first = json_string_value(json_is_array(flags) ? json_array_get(flags, 0) : flags);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (result && first && strcmp(result, rows[i].result) == 0 &&
			strcmp(first, rows[i].first) == 0)
			return rows[i].field;
	return FW_UNKNOWN;
}

/* The field, and beside it the condition that it brings along, into the rule. */
static enum fw_field read_field(
	struct firewall *firewall, struct fw_rule *rule, const json_t *expression)
{
	const json_t *fib = json_object_get(expression, "fib");
	if (fib)
		return field_of_fib(fib);
	for (size_t i = 0; i < ARRAY_LEN(expressions); i++) {
		const struct expression *row = &expressions[i];
		const json_t *body = json_object_get(expression, row->kind);
		const char *name = json_get_text(body, row->base ? "field" : "key");
		if (!body || !same(row->base, json_get_text(body, "protocol")) || !same(row->name, name))
			continue;
		if (row->needs != FW_UNKNOWN)
			fw_match_number(firewall, rule, row->needs, row->needed);
		return row->field;
	}
	return FW_UNKNOWN;
}

/* --- values ------------------------------------------------------------------------------- */

static bool is_address(enum fw_field field)
{
	return field == FW_FROM || field == FW_TO;
}

static bool is_name(enum fw_field field)
{
	return field == FW_IN_NAME || field == FW_OUT_NAME;
}

static void read_word(struct fw_value *value, enum fw_field field, const char *word)
{
	if (is_name(field)) {
		value->text = xstrdup(word);
		return;
	}
	if (is_address(field)) {
		fw_value_address(value, word);
		return;
	}
	char *end;
	value->unknown = fw_word(field, word, &value->low) != 0;
	if (value->unknown && *word) {
		value->low = strtoull(word, &end, 0);
		value->unknown = *end != '\0';
	}
	value->high = value->low;
}

static void read_scalar(struct fw_value *value, enum fw_field field, const json_t *scalar)
{
	if (json_is_integer(scalar)) {
		value->low = value->high = (uint64_t)json_integer_value(scalar);
		value->unknown = is_name(field) || is_address(field) || json_integer_value(scalar) < 0;
	} else if (json_is_boolean(scalar)) {
		value->low = value->high = (uint64_t)json_is_true(scalar);
	} else if (json_is_string(scalar)) {
		read_word(value, field, json_string_value(scalar));
	} else {
		value->unknown = true;
	}
}

static void read_range(struct fw_value *value, enum fw_field field, const json_t *range)
{
	struct fw_value low = {.low = 0}, high = {.low = 0};
	read_scalar(&low, field, json_array_get(range, 0));
	read_scalar(&high, field, json_array_get(range, 1));
	value->low = low.low;
	value->high = high.high;
	value->unknown = low.unknown || high.unknown || low.text || high.text;
	free(low.text);
	free(high.text);
}

/* A scalar, {"range": [a, b]}, {"prefix": {"addr": a, "len": n}}, or {"elem": {"val": any of it}}.
 */
static void read_value(struct fw_value *value, enum fw_field field, const json_t *given)
{
	const json_t *element = json_object_get(given, "elem");
	if (element)
		given = json_object_get(element, "val");
	const json_t *range = json_object_get(given, "range");
	const json_t *prefix = json_object_get(given, "prefix");
	const char *address = json_get_text(prefix, "addr");
	if (field == FW_UNKNOWN) {
		value->unknown = true;
	} else if (range) {
		read_range(value, field, range);
	} else if (address && is_address(field)) {
		cleanup(free_ptr) char *text =
			xasprintf("%s/%lld", address, (long long)json_get_int(prefix, "len", -1));
		fw_value_address(value, text);
	} else {
		read_scalar(value, field, given);
	}
}

static void read_row(struct firewall *firewall, struct fw_list *list, const enum fw_field *fields,
	const json_t *given)
{
	struct fw_value *row = fw_row_add(firewall, list);
	const json_t *element = json_object_get(given, "elem");
	if (!row)
		return;
	const json_t *parts =
		json_object_get(element ? json_object_get(element, "val") : given, "concat");
	for (size_t i = 0; i < list->width; i++)
		read_value(&row[i], fields[i], list->width > 1 ? json_array_get(parts, i) : given);
}

void fw_read_elements(struct firewall *firewall, struct fw_list *list, const json_t *elements,
	const enum fw_field *fields)
{
	size_t i;
	json_t *one;
	json_array_foreach(elements, i, one)
	{
		/* A row of a map is a pair of key and data. */
		read_row(firewall, list, fields, list->targets ? json_array_get(one, 0) : one);
		if (!list->targets || list->rows == 0)
			continue;
		struct fw_target *target = &list->targets[list->rows - 1];
		if (target->action == FW_NONE && !fw_read_verdict(json_array_get(one, 1), target))
			fw_target_set(target, FW_ANYTHING, NULL);
	}
}

/* --- conditions --------------------------------------------------------------------------- */

/* The fields of the left side; 0 when there are more than can be kept. */
static size_t read_left(struct firewall *firewall, struct fw_rule *rule, const json_t *left,
	enum fw_field fields[FW_MAX_WIDTH])
{
	const json_t *parts = json_object_get(left, "concat");
	size_t width = parts ? json_array_size(parts) : 1;
	if (width == 0 || width > FW_MAX_WIDTH)
		return 0;
	for (size_t i = 0; i < width; i++)
		fields[i] = read_field(firewall, rule, parts ? json_array_get(parts, i) : left);
	return width;
}

static struct fw_match *add_match(
	struct fw_rule *rule, const enum fw_field fields[FW_MAX_WIDTH], size_t width)
{
	struct fw_match *match = fw_match_add(rule, fields[0]);
	memcpy(match->fields, fields, width * sizeof *fields);
	match->width = match->list.width = width;
	return match;
}

#define MAX_NESTED_BITS 16

/* A number or word, a list of them, or {"|": list}, lists within lists too: all of them at once. */
static bool read_bits(enum fw_field field, const json_t *given, int depth, uint64_t *bits)
{
	const json_t *list = json_object_get(given, "|"), *one;
	struct fw_value value = {.low = 0};
	size_t i;
	if (depth == MAX_NESTED_BITS)
		return false;
	if (!list)
		list = given;
	if (!json_is_array(list)) {
		read_scalar(&value, field, list);
		*bits |= value.low;
		free(value.text);
		return !value.unknown && !value.text;
	}
	json_array_foreach(list, i, one)
	{
		if (!read_bits(field, one, depth + 1, bits))
			return false;
	}
	return true;
}

static void read_bit_row(struct firewall *firewall, struct fw_match *match, const json_t *right)
{
	struct fw_value *row = fw_row_add(firewall, &match->list);
	if (!row)
		return;
	row->unknown = match->width > 1 || !read_bits(match->fields[0], right, 0, &row->low);
	row->high = row->low;
}

/* "@name", {"set": [...]}, bits, or one value. */
static void read_right(struct firewall *firewall, struct fw_match *match, const json_t *right)
{
	const json_t *rows = json_object_get(right, "set");
	const char *name = json_string_value(json_is_string(right) ? right : rows);
	if (json_is_array(right) || json_object_get(right, "|"))
		read_bit_row(firewall, match, right);
	else if (name && *name == '@')
		match->set = xstrdup(name + 1);
	else if (json_is_array(rows))
		fw_read_elements(firewall, &match->list, rows, match->fields);
	else
		read_row(firewall, &match->list, match->fields, right);
}

static bool is_bits(enum fw_field field)
{
	return field == FW_TCP_FLAGS || field == FW_STATE || field == FW_STATUS;
}

/* "<" and the like become a range. */
static bool read_order(struct fw_match *match, const char *op)
{
	struct fw_value *value = match->list.rows == 1 ? match->list.values : NULL;
	if (!value || value->unknown || value->text || match->width > 1 || is_bits(match->fields[0]))
		return false;
	uint64_t bound = value->low;
	bool less = op[0] == '<', equal = op[1] == '=';
	if (less && !equal && bound == 0)
		return false;
	value->low = less ? 0 : bound + !equal;
	value->high = less ? bound - !equal : UINT64_MAX;
	return op[0] == '<' || op[0] == '>';
}

void fw_read_condition(struct firewall *firewall, struct fw_rule *rule, const json_t *condition)
{
	enum fw_field fields[FW_MAX_WIDTH] = {FW_UNKNOWN};
	const json_t *left = json_object_get(condition, "left");
	const json_t *masked = json_object_get(left, "&");
	const char *op = json_get_text(condition, "op");
	size_t width = read_left(firewall, rule, masked ? json_array_get(masked, 0) : left, fields);
	uint64_t mask = 0;
	bool readable =
		!masked ||
		(width == 1 && read_bits(fields[0], json_array_get(masked, 1), 0, &mask) && mask);
	if (!op || !width || !readable) {
		rule->unknown = true;
		return;
	}
	struct fw_match *match = add_match(rule, fields, width);
	match->mask = mask;
	read_right(firewall, match, json_object_get(condition, "right"));
	match->negated = strcmp(op, "!=") == 0;
	match->any_bit = strcmp(op, "in") == 0 && is_bits(fields[0]);
	if (!match->negated && strcmp(op, "==") != 0 && strcmp(op, "in") != 0 && !read_order(match, op))
		rule->unknown = true;
}

void fw_read_map(struct firewall *firewall, struct fw_rule *rule, const json_t *map)
{
	enum fw_field fields[FW_MAX_WIDTH] = {FW_UNKNOWN};
	size_t width = read_left(firewall, rule, json_object_get(map, "key"), fields);
	if (!width) {
		fw_target_set(&rule->target, FW_ANYTHING, NULL);
		return;
	}
	struct fw_match *match = add_match(rule, fields, width);
	rule->is_map = true;
	match->list.targets = xcalloc(1, sizeof *match->list.targets);
	read_right(firewall, match, json_object_get(map, "data"));
}
