#include "profile/schema.h"

#define TEXT(key, type, member)                                                                    \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, PROFILE_MAX_TEXT)
#define OPTIONAL_TEXT(key, type, member)                                                           \
	CYAML_FIELD_STRING_PTR(                                                                        \
		key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, PROFILE_MAX_TEXT)
#define CHOICE(key, type, member, words)                                                           \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT, type, member, words, ARRAY_LEN(words))
#define OPTIONAL_CHOICE(key, type, member, words)                                                  \
	CYAML_FIELD_ENUM(                                                                              \
		key, CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, type, member, words, ARRAY_LEN(words))
#define PORT(type) CYAML_FIELD_UINT("port", CYAML_FLAG_DEFAULT, type, port)
#define LIST(key, type, member, entry, max)                                                        \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, entry, 0, max)
#define MAPPING(key, type, member, fields)                                                         \
	CYAML_FIELD_MAPPING(key, CYAML_FLAG_OPTIONAL, type, member, fields)
#define ORIGIN(type)                                                                               \
	OPTIONAL_TEXT("section", type, origin.section), OPTIONAL_TEXT("row", type, origin.row)

static const cyaml_strval_t dhcp_or_any[] = {{"dhcp", WISH_DHCP}, {"any", WISH_ANY}};
static const cyaml_strval_t unsupported_or_any[] = {
	{"unsupported", WISH_UNSUPPORTED}, {"any", WISH_ANY}};
static const cyaml_strval_t external_words[] = {
	{"required", WISH_REQUIRED}, {"proxy-is-enough", WISH_PROXY_IS_ENOUGH}};
static const cyaml_strval_t internet_words[] = {{"required", WISH_REQUIRED}, {"any", WISH_ANY}};
static const cyaml_strval_t inspection_words[] = {
	{"forbidden", WISH_FORBIDDEN}, {"allowed", WISH_ALLOWED}};
static const cyaml_strval_t auth_words[] = {
	{"none", PROFILE_AUTH_NONE}, {"basic", PROFILE_AUTH_BASIC}};
/* Not CYAML_BOOL, which takes every word but a few for true. */
static const cyaml_strval_t yes_or_no[] = {{"true", WISH_YES}, {"false", WISH_NO}};
static const cyaml_strval_t protocol_words[] = {{"https", PROFILE_HTTPS}, {"tls", PROFILE_TLS},
	{"tcp", PROFILE_TCP}, {"http", PROFILE_HTTP}, {"udp", PROFILE_UDP}};
static const cyaml_strval_t transport_words[] = {
	{"tcp", PROFILE_OVER_TCP}, {"udp", PROFILE_OVER_UDP}};
static const cyaml_strval_t os_words[] = {
	{"any", PROFILE_OS_ANY}, {"linux", PROFILE_OS_LINUX}, {"windows", PROFILE_OS_WINDOWS}};
static const cyaml_strval_t when_words[] = {
	{"always", PROFILE_ALWAYS}, {"auto-install", PROFILE_AUTO_INSTALL}};
static const cyaml_strval_t state_words[] = {{"running", WISH_REQUIRED}};
static const cyaml_strval_t rule_words[] = {{"password-change-not-required", WISH_REQUIRED}};

static const cyaml_schema_field_t header_fields[] = {
	TEXT("name", struct profile_marker, header.name),
	OPTIONAL_TEXT("contains", struct profile_marker, header.contains),
	CYAML_FIELD_END,
};

/* The header is a struct inside the marker; offsets of its fields count from the marker. */
static const cyaml_schema_field_t marker_fields[] = {
	OPTIONAL_TEXT("path", struct profile_marker, path),
	CYAML_FIELD_UINT("status", CYAML_FLAG_OPTIONAL, struct profile_marker, status),
	{.key = "header",
		.data_offset = 0,
		.value = {CYAML_VALUE_MAPPING(CYAML_FLAG_OPTIONAL, struct profile_marker, header_fields)}},
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, PROFILE_MAX_TEXT)};

static const cyaml_schema_field_t endpoint_fields[] = {
	TEXT("id", struct profile_endpoint, id),
	TEXT("host", struct profile_endpoint, host_form),
	PORT(struct profile_endpoint),
	OPTIONAL_CHOICE("protocol", struct profile_endpoint, protocol, protocol_words),
	OPTIONAL_TEXT("purpose", struct profile_endpoint, purpose),
	OPTIONAL_TEXT("remark", struct profile_endpoint, remark),
	OPTIONAL_CHOICE("required", struct profile_endpoint, required, yes_or_no),
	CYAML_FIELD_STRING_PTR("ca", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct profile_endpoint,
		ca, 1, PROFILE_MAX_CA),
	LIST("pins", struct profile_endpoint, pins, &text_entry, PROFILE_MAX_PINS),
	CYAML_FIELD_MAPPING_PTR("marker", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct profile_endpoint, marker, marker_fields),
	ORIGIN(struct profile_endpoint),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t variable_fields[] = {
	TEXT("name", struct profile_variable, name),
	OPTIONAL_TEXT("value", struct profile_variable, value),
	OPTIONAL_TEXT("purpose", struct profile_variable, purpose),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t inbound_fields[] = {
	PORT(struct profile_inbound),
	OPTIONAL_CHOICE("protocol", struct profile_inbound, protocol, transport_words),
	OPTIONAL_TEXT("service", struct profile_inbound, service),
	OPTIONAL_CHOICE("os", struct profile_inbound, os, os_words),
	OPTIONAL_CHOICE("when", struct profile_inbound, when, when_words),
	ORIGIN(struct profile_inbound),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t service_fields[] = {
	OPTIONAL_CHOICE("os", struct profile_service, os, os_words),
	TEXT("name", struct profile_service, name),
	CHOICE("state", struct profile_service, state, state_words),
	ORIGIN(struct profile_service),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t account_fields[] = {
	OPTIONAL_CHOICE("os", struct profile_account, os, os_words),
	TEXT("account", struct profile_account, account),
	CHOICE("rule", struct profile_account, rule, rule_words),
	ORIGIN(struct profile_account),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t origin_fields[] = {
	OPTIONAL_TEXT("section", struct profile_origin, section),
	OPTIONAL_TEXT("row", struct profile_origin, row),
	CYAML_FIELD_END,
};

#define TOPIC(key, topic) MAPPING(key, struct profile, sections[topic], origin_fields)
static const cyaml_schema_field_t section_fields[] = {
	TOPIC("addressing.ipv4", TOPIC_ADDRESSING_IPV4),
	TOPIC("addressing.dns", TOPIC_ADDRESSING_DNS),
	TOPIC("addressing.dhcp-server", TOPIC_ADDRESSING_DHCP_SERVER),
	TOPIC("addressing.ipv6", TOPIC_ADDRESSING_IPV6),
	TOPIC("dns.external", TOPIC_DNS_EXTERNAL),
	TOPIC("internet", TOPIC_INTERNET),
	TOPIC("proxy", TOPIC_PROXY),
	TOPIC("clock", TOPIC_CLOCK),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t source_fields[] = {
	OPTIONAL_TEXT("title", struct profile, source.title),
	OPTIONAL_TEXT("section", struct profile, source.section),
	OPTIONAL_TEXT("url", struct profile, source.url),
	OPTIONAL_TEXT("read", struct profile, source.read),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t addressing_fields[] = {
	OPTIONAL_CHOICE("ipv4", struct profile, addressing.ipv4, dhcp_or_any),
	OPTIONAL_CHOICE("dns", struct profile, addressing.dns, dhcp_or_any),
	OPTIONAL_CHOICE("ipv6", struct profile, addressing.ipv6, unsupported_or_any),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t dns_fields[] = {
	OPTIONAL_CHOICE("external", struct profile, dns.external, external_words),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t proxy_fields[] = {
	CYAML_FIELD_FLAGS("auth", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct profile, proxy.auth,
		auth_words, ARRAY_LEN(auth_words)),
	OPTIONAL_CHOICE("inspection", struct profile, proxy.inspection, inspection_words),
	CYAML_FIELD_END,
};

#define ENTRY(name, type, fields)                                                                  \
	static const cyaml_schema_value_t name = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, type, fields)}
ENTRY(variable_entry, struct profile_variable, variable_fields);
ENTRY(endpoint_entry, struct profile_endpoint, endpoint_fields);
ENTRY(inbound_entry, struct profile_inbound, inbound_fields);
ENTRY(service_entry, struct profile_service, service_fields);
ENTRY(account_entry, struct profile_account, account_fields);

/* A mapping whose fields lie in the struct around it: their offsets count from that one. */
#define GROUP(name, fields)                                                                        \
	{                                                                                              \
		.key = name, .data_offset = 0, .value = {                                                  \
			CYAML_VALUE_MAPPING(CYAML_FLAG_OPTIONAL, struct profile, fields)                       \
		}                                                                                          \
	}

static const cyaml_schema_field_t profile_fields[] = {
	TEXT("profile", struct profile, id),
	TEXT("title", struct profile, title),
	GROUP("source", source_fields),
	LIST("variables", struct profile, variables, &variable_entry, PROFILE_MAX_VARIABLES),
	GROUP("addressing", addressing_fields),
	GROUP("dns", dns_fields),
	OPTIONAL_CHOICE("internet", struct profile, internet, internet_words),
	LIST("internet_hosts", struct profile, internet_hosts, &text_entry, PROFILE_MAX_HOSTS),
	LIST("endpoints", struct profile, endpoints, &endpoint_entry, PROFILE_MAX_ENDPOINTS),
	GROUP("proxy", proxy_fields),
	LIST("inbound", struct profile, inbound, &inbound_entry, PROFILE_MAX_ITEMS),
	LIST("services", struct profile, services, &service_entry, PROFILE_MAX_ITEMS),
	LIST("accounts", struct profile, accounts, &account_entry, PROFILE_MAX_ITEMS),
	GROUP("sections", section_fields),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t profile_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct profile, profile_fields)};
