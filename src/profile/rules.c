/*
 * What a schema cannot say about a profile: ranges, forms, duplicates, and the CA files that it
 * names. Each rule is one small function and adds what it finds; none ends the check.
 */
#include "profile/schema.h"

#include "base/file.h"
#include "base/hostname.h"

#include <sodium.h>
#include <string.h>

#define MAX_CA_BYTES ((size_t)1 << 20)
#define PEM_BEGIN    "-----BEGIN CERTIFICATE-----"

struct rules {
	struct profile *profile;
	const struct yaml_map *map;
	struct problems *problems;
};

#define WRONG(rules, node, ...)                                                                    \
	problems_add((rules)->problems, (rules)->map, node, PROBLEM_ERROR, __VA_ARGS__)

static size_t node_of(const struct rules *rules, const char *list, size_t index, const char *key)
{
	size_t node = yaml_map_key(rules->map, YAML_ROOT, list);
	node = yaml_map_item(rules->map, node, index);
	size_t inner = yaml_map_key(rules->map, node, key);
	return inner == YAML_NONE ? node : inner;
}

static bool only(const char *text, const char *also)
{
	for (; *text; text++) {
		bool alnum = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
					 (*text >= '0' && *text <= '9');
		if (!alnum && !strchr(also, *text))
			return false;
	}
	return true;
}

static void check_id(const struct rules *rules, size_t node, const char *id)
{
	if (!only(id, "-_.") || *id == '.' || strlen(id) > 64)
		WRONG(rules, node,
			"an id is made of at most 64 letters, digits, \"-\", \"_\" and \".\", not \"%.80s\"",
			id);
}

static void check_port(const struct rules *rules, const char *list, size_t index, uint16_t port)
{
	if (!port)
		WRONG(rules, node_of(rules, list, index, "port"),
			"a whole number from 1 to 65535 was expected, not \"0\"");
}

static void check_host(const struct rules *rules, size_t node, const char *host)
{
	const char *mend = NULL;
	if (strstr(host, "://") || strchr(host, '/'))
		mend = "write the host alone, without scheme and path";
	else if (strchr(host, ':'))
		mend = "write the host alone (the port has a key of its own; IPv6 is not supported)";
	else if (!only(host, "-_.*"))
		mend = "write letters, digits, \"-\" and \".\" (an international name in its xn-- form)";
	else if (!hostname_fits(host))
		mend = "a name has at most 253 characters, and 1 to 63 between its dots";
	if (mend)
		WRONG(rules, node, "\"%.80s\" is no host name or IPv4 address; %s", host, mend);
}

static void check_pins(const struct rules *rules, size_t index, struct profile_endpoint *endpoint)
{
	for (unsigned i = 0; i < endpoint->pins_count; i++) {
		const char *pin = endpoint->pins[i];
		unsigned char hash[32];
		size_t len = 0;
		bool good = strncmp(pin, "sha256/", 7) == 0 &&
					sodium_base642bin(hash, sizeof hash, pin + 7, strlen(pin + 7), NULL, &len, NULL,
						sodium_base64_VARIANT_ORIGINAL) == 0 &&
					len == sizeof hash;
		if (!good)
			WRONG(rules, yaml_map_item(rules->map, node_of(rules, "endpoints", index, "pins"), i),
				"a pin is sha256/ and the base64 of the SHA-256 of the public key (44 characters), "
				"not \"%.80s\"",
				pin);
	}
}

static void check_marker(const struct rules *rules, size_t index, struct profile_endpoint *endpoint)
{
	const struct profile_marker *marker = endpoint->marker;
	if (!marker)
		return;
	size_t node = node_of(rules, "endpoints", index, "marker");
	if (endpoint->protocol != PROFILE_HTTPS && endpoint->protocol != PROFILE_HTTP)
		WRONG(rules, node,
			"only an endpoint with protocol https or http can have a marker; remove one of the "
			"two");
	if (marker->path && (*marker->path != '/' || strchr(marker->path, ' ')))
		WRONG(rules, yaml_map_key(rules->map, node, "path"),
			"a path begins with \"/\" and holds no space (write %%20), not \"%.80s\"",
			marker->path);
	if (marker->status && (marker->status < 100 || marker->status > 599))
		WRONG(rules, yaml_map_key(rules->map, node, "status"),
			"an HTTP status from 100 to 599 was expected, not \"%u\"", marker->status);
	if (marker->header.name && !only(marker->header.name, "-_"))
		WRONG(rules, yaml_map_key(rules->map, yaml_map_key(rules->map, node, "header"), "name"),
			"\"%.80s\" is no name of an HTTP header; write letters, digits and \"-\"",
			marker->header.name);
}

/* The text of the certificate: what stands in the profile itself, or in the file that it names. */
static void read_ca(const struct rules *rules, size_t index, struct profile_endpoint *endpoint)
{
	size_t node = node_of(rules, "endpoints", index, "ca");
	if (!endpoint->ca)
		return;
	if (strstr(endpoint->ca, PEM_BEGIN)) {
		endpoint->ca_pem = xstrdup(endpoint->ca);
		return;
	}
	if (strchr(endpoint->ca, '\n') || strlen(endpoint->ca) > PROFILE_MAX_TEXT) {
		WRONG(rules, node, "the name of a file was expected, or the CA's certificate itself (%s)",
			PEM_BEGIN);
		return;
	}
	const char *slash = strrchr(rules->map->file, '/');
	int folder = *endpoint->ca != '/' && slash ? (int)(slash + 1 - rules->map->file) : 0;
	cleanup(free_ptr) char *path = xasprintf("%.*s%s", folder, rules->map->file, endpoint->ca);
	cleanup(buf_free) struct buf content = {0};
	struct err cannot;
	if (file_read(path, MAX_CA_BYTES, &content, &cannot))
		WRONG(rules, node,
			"%s; the CA's certificate (PEM) is expected there, relative to the profile",
			cannot.text);
	else if (!strstr(buf_text(&content), PEM_BEGIN))
		WRONG(rules, node,
			"%s holds no certificate in PEM form (" PEM_BEGIN "); convert it with "
			"`openssl x509 -inform der -in FILE -out FILE.pem`",
			path);
	else
		endpoint->ca_pem = xstrdup(content.data);
}

static void check_endpoint_id(const struct rules *rules, size_t index)
{
	const struct profile_endpoint *endpoint = &rules->profile->endpoints[index];
	size_t id = node_of(rules, "endpoints", index, "id");
	check_id(rules, id, endpoint->id);
	if (strcmp(endpoint->id, "hub") == 0)
		WRONG(rules, id, "the id \"hub\" is kept for the Sallyport hub itself; choose another");
	for (size_t i = 0; i < index; i++)
		if (strcmp(rules->profile->endpoints[i].id, endpoint->id) == 0) {
			WRONG(rules, id,
				"the id \"%s\" is taken by the endpoint in line %zu; each needs its own",
				endpoint->id, yaml_map_line(rules->map, node_of(rules, "endpoints", i, "id")));
			return;
		}
}

static void check_endpoint(const struct rules *rules, size_t index)
{
	struct profile_endpoint *endpoint = &rules->profile->endpoints[index];
	struct err err;
	check_endpoint_id(rules, index);
	cleanup(free_ptr) char *sample = profile_host_sample(rules->profile, endpoint->host_form, &err);
	if (sample)
		check_host(rules, node_of(rules, "endpoints", index, "host"), sample);
	else
		WRONG(rules, node_of(rules, "endpoints", index, "host"), "%s", err.text);
	check_port(rules, "endpoints", index, endpoint->port);
	check_pins(rules, index, endpoint);
	check_marker(rules, index, endpoint);
	read_ca(rules, index, endpoint);
}

static void check_variable(const struct rules *rules, size_t index)
{
	const struct profile_variable *all = rules->profile->variables, *variable = &all[index];
	size_t name = node_of(rules, "variables", index, "name");
	struct err err;
	if (!only(variable->name, "-_"))
		WRONG(rules, name, "a name is made of letters, digits, \"-\" and \"_\", not \"%.80s\"",
			variable->name);
	if (variable->value && profile_value_check(variable->value, &err))
		WRONG(rules, node_of(rules, "variables", index, "value"), "%s", err.text);
	for (size_t i = 0; i < index; i++)
		if (strcmp(all[i].name, variable->name) == 0)
			WRONG(rules, name, "the name \"%s\" is taken in line %zu; remove one of the two",
				variable->name, yaml_map_line(rules->map, node_of(rules, "variables", i, "name")));
}

static void check_inbound(const struct rules *rules, size_t index)
{
	const struct profile_inbound *all = rules->profile->inbound, *inbound = &all[index];
	check_port(rules, "inbound", index, inbound->port);
	for (size_t i = 0; i < index; i++)
		if (all[i].port == inbound->port && all[i].protocol == inbound->protocol) {
			WRONG(rules, node_of(rules, "inbound", index, "port"),
				"port %u stands in line %zu already; make it one entry", inbound->port,
				yaml_map_line(rules->map, node_of(rules, "inbound", i, "port")));
			return;
		}
}

static void check_named(const struct rules *rules, const char *list, const char *key, size_t index,
	const char *name, const char *earlier)
{
	size_t node = node_of(rules, list, index, key);
	if (!earlier && !only(name, "-_. @$"))
		WRONG(rules, node,
			"\"%.80s\" is no name of a service or account; write letters, digits and -_.@$", name);
	if (earlier && strcmp(name, earlier) == 0)
		WRONG(rules, node, "\"%s\" stands there twice; remove one entry", name);
}

/* "2026-11-22" */
static void check_date(const struct rules *rules, const char *date)
{
	static const char form[] = "dddd-dd-dd";
	bool good = !date || strlen(date) == strlen(form);
	for (size_t i = 0; date && good && form[i]; i++)
		good = form[i] == 'd' ? date[i] >= '0' && date[i] <= '9' : date[i] == form[i];
	if (!good)
		WRONG(rules,
			yaml_map_key(rules->map, yaml_map_key(rules->map, YAML_ROOT, "source"), "read"),
			"a date as in 2026-11-22 was expected, not \"%.40s\"", date);
}

static void check_lists(const struct rules *rules)
{
	const struct profile *profile = rules->profile;
	size_t hosts = yaml_map_key(rules->map, YAML_ROOT, "internet_hosts");
	for (size_t i = 0; i < profile->internet_hosts_count; i++)
		check_host(rules, yaml_map_item(rules->map, hosts, i), profile->internet_hosts[i]);
	for (size_t i = 0; i < profile->variables_count; i++)
		check_variable(rules, i);
	for (size_t i = 0; i < profile->endpoints_count; i++)
		check_endpoint(rules, i);
	for (size_t i = 0; i < profile->inbound_count; i++)
		check_inbound(rules, i);
	for (size_t i = 0; i < profile->services_count; i++)
		for (size_t j = 0; j <= i; j++)
			check_named(rules, "services", "name", i, profile->services[i].name,
				j < i ? profile->services[j].name : NULL);
	for (size_t i = 0; i < profile->accounts_count; i++)
		for (size_t j = 0; j <= i; j++)
			check_named(rules, "accounts", "account", i, profile->accounts[i].account,
				j < i ? profile->accounts[j].account : NULL);
}

void profile_rules_check(
	struct profile *profile, const struct yaml_map *map, struct problems *problems)
{
	struct rules rules = {profile, map, problems};
	check_id(&rules, yaml_map_key(map, YAML_ROOT, "profile"), profile->id);
	check_date(&rules, profile->source.read);
	check_lists(&rules);
}
