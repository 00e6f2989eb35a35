/*
 * The rules of netfilter, as far as a packet's fate hangs on them. Private to os/linux.
 *
 * A reader of one of the formats (fw_read_nft(), fw_read_iptables()) adds tables to a struct
 * firewall, fw_link() resolves names once all are read, fw_evaluate() follows a packet. Readers
 * take any input: what they do not understand becomes a condition or an action that is unknown,
 * never one that is left out. Numbers of everything are bounded; what is past the bound marks the
 * whole as incomplete, and then nothing is certain.
 *
 * Formats: libnftables-json(5); the listing of iptables-save(8).
 */
#ifndef OS_LINUX_FIREWALL_MODEL_H
#define OS_LINUX_FIREWALL_MODEL_H

#include "os/firewall.h"

#include "base/err.h"

#include <jansson.h>

#define FW_MAX_TABLES 256
#define FW_MAX_CHAINS 8192
#define FW_MAX_RULES  32768
#define FW_MAX_VALUES 131072
#define FW_MAX_WIDTH  5      /* fields of one concatenation */
#define FW_MAX_DEPTH  16     /* jumps within jumps, as the kernel bounds them */
#define FW_MAX_STEPS  200000 /* rules looked at for one packet */
#define FW_PORTS_LOW  32768  /* that clients send from: net.ipv4.ip_local_port_range */
#define FW_PORTS_HIGH 60999
#define FW_STATE_BITS 5

/* What a condition can look at. */
enum fw_field {
	FW_UNKNOWN, /* what this program cannot know */
	FW_FAMILY,  /* AF_INET */
	FW_PROTOCOL,
	FW_IN_NAME,
	FW_OUT_NAME,
	FW_FROM,
	FW_TO,
	FW_FROM_PORT,
	FW_TO_PORT,
	FW_TCP_FLAGS,
	FW_STATE,  /* of connection tracking: a bit of enum fw_state */
	FW_STATUS, /* of connection tracking: bits of enum ip_conntrack_status */
	FW_REPLY,  /* direction of the connection: 0 original, 1 reply */
	FW_MARK,
	FW_CT_MARK,
	FW_OWNER,     /* user id of the socket */
	FW_FROM_TYPE, /* of the address: enum fw_type */
	FW_TO_TYPE,
	FW_HAS_ROUTE, /* 1: a route back to the sender exists */
	FW_PACKET_TYPE,
	FW_FRAGMENT, /* offset and flags; 0 */
	FW_FIELD_COUNT,
};

enum fw_state {
	FW_INVALID = 1,
	FW_ESTABLISHED = 2,
	FW_RELATED = 4,
	FW_NEW = 8,
	FW_UNTRACKED = 64,
};

enum fw_type { FW_LOCAL = 1, FW_UNICAST = 2, FW_OTHER_TYPE = 4 };

/* What is known of one field of a packet. */
struct fw_fact {
	bool known;
	uint64_t low, high; /* a range: a client's port may be any of many */
	const char *text;   /* instead of numbers */
};

struct fw_value {
	uint64_t low, high;
	char *text;   /* owned; instead of a number: a name, a last '*' stands for any end */
	bool unknown; /* it could not be read */
};

enum fw_action {
	FW_NONE, /* goes on to the next rule */
	FW_ACCEPT,
	FW_DROP,
	FW_REJECT,
	FW_RETURN,
	FW_JUMP,
	FW_GOTO,
	FW_SOMEWHERE,  /* decided outside of the rules, or sent elsewhere: unknown, and final */
	FW_ANYTHING,   /* not understood: may do any of it */
	FW_SET_MARK,   /* goes on; the mark is unknown from here on */
	FW_NO_TRACKING /* goes on; the connection state is unknown from here on */
};

struct fw_chain;

struct fw_target {
	enum fw_action action;
	char *name;             /* owned; of the chain to jump or go to */
	struct fw_chain *chain; /* set by fw_link(); NULL: not there */
};

/* Values by rows of `width`, one value a field. */
struct fw_list {
	char *name; /* owned; of a named set, else NULL */
	size_t width, rows;
	struct fw_value *values;   /* owned */
	struct fw_target *targets; /* owned; one a row in a verdict map, else NULL */
};

struct fw_match {
	enum fw_field fields[FW_MAX_WIDTH];
	size_t width;
	uint64_t mask; /* of a single number; 0: none */
	bool negated;
	bool any_bit; /* true when a bit of any value is set, instead of a row being equal */
	struct fw_list list;
	char *set;                       /* owned; names the set to look in, instead of list */
	const struct fw_list *looked_in; /* set by fw_link() */
};

struct fw_rule {
	struct fw_match *matches; /* owned */
	size_t match_count;
	bool unknown;      /* a condition of it was not understood */
	bool within_limit; /* true as long as a rate or a count is not exceeded */
	bool over_limit;   /* true only when one is */
	bool is_map;       /* its last match is a verdict map, which is its target */
	struct fw_target target;
	int64_t handle; /* 0: none */
	char *text;     /* owned; NULL: to be asked for by its handle */
	struct fw_chain *chain;
};

enum fw_hook {
	FW_NO_HOOK,
	FW_INGRESS,
	FW_PREROUTING,
	FW_INPUT,
	FW_OUTPUT,
	FW_POSTROUTING,
	FW_OTHER_HOOK
};

struct fw_chain {
	struct fw_table *table;
	char *name; /* owned */
	enum fw_hook hook;
	int64_t priority;
	bool nat;     /* asked for the first packet of a connection alone */
	char *device; /* owned; of FW_INGRESS */
	enum fw_action policy;
	struct fw_rule *rules; /* owned */
	size_t rule_count;
};

struct fw_table {
	char *family, *name;      /* owned */
	bool legacy;              /* "iptables table", else "table FAMILY" */
	bool foreign;             /* it holds conditions of iptables that JSON does not tell */
	bool ignored;             /* another reading of it is used, or it is not about IPv4 */
	struct fw_chain **chains; /* owned */
	size_t chain_count;
	struct fw_chain *found; /* the last one: rules come chain by chain */
	struct fw_list *sets;   /* owned */
	size_t set_count;
};

struct firewall {
	struct fw_table **tables; /* owned */
	size_t table_count, chain_count, rule_count, value_count;
	bool incomplete; /* a bound was reached */
};

/* firewall_model.c; each add returns NULL at its bound, having marked the whole as incomplete. */
struct firewall *fw_new(void);
void fw_free(struct firewall *firewall);
void fw_drop(struct firewall **firewall); /* for cleanup() */
struct fw_table *fw_table_add(struct firewall *firewall, const char *family, const char *name);
struct fw_table *fw_table_find(
	const struct firewall *firewall, const char *family, const char *name);
struct fw_chain *fw_chain_add(struct firewall *firewall, struct fw_table *table, const char *name);
struct fw_chain *fw_chain_find(struct fw_table *table, const char *name);
struct fw_rule *fw_rule_add(struct firewall *firewall, struct fw_chain *chain);
struct fw_match *fw_match_add(struct fw_rule *rule, enum fw_field field);
/* The match with one number. */
void fw_match_number(
	struct firewall *firewall, struct fw_rule *rule, enum fw_field field, uint64_t number);
struct fw_list *fw_set_add(struct fw_table *table, const char *name, size_t width);
/* A row of `list->width` values, zeroed; NULL at the bound. */
struct fw_value *fw_row_add(struct firewall *firewall, struct fw_list *list);
void fw_target_set(struct fw_target *target, enum fw_action action, const char *chain);
/* "10.0.0.0" or "10.0.0.0/8" or "10.0.0.0/255.0.0.0"; anything else is unknown. */
void fw_value_address(struct fw_value *value, const char *text);
void fw_link(struct firewall *firewall);

/* Adds what the text holds. -1 when it is not of the format at all. */
int fw_read_nft(struct firewall *firewall, const char *text, size_t len, struct err *err);
int fw_read_iptables(struct firewall *firewall, const char *family, bool legacy, const char *text,
	size_t len, struct err *err);
/* firewall_nft_match.c: one statement that is a condition or a verdict map. */
void fw_read_condition(struct firewall *firewall, struct fw_rule *rule, const json_t *condition);
void fw_read_map(struct firewall *firewall, struct fw_rule *rule, const json_t *map);
/* The values of a named set, which are of these fields. */
void fw_read_elements(struct firewall *firewall, struct fw_list *list, const json_t *elements,
	const enum fw_field *fields);
enum fw_field fw_field_of_type(const char *type); /* "ipv4_addr" */
/* {"jump": {"target": "x"}}: true when it is a verdict. */
bool fw_read_verdict(const json_t *statement, struct fw_target *target);
/* The number that a word stands for in a field ("established"); -1: none. */
int fw_word(enum fw_field field, const char *word, uint64_t *number);

/* firewall_packet.c */
void fw_learn(const struct firewall_packet *packet, struct fw_fact facts[FW_FIELD_COUNT]);
/* The rule that decided, for its text; NULL when a policy did or nothing. */
const struct fw_rule *fw_evaluate(const struct firewall *firewall,
	const struct firewall_packet *packet, struct firewall_answer *answer);

#endif
