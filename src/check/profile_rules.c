/*
 * What a schema cannot say about a profile: ranges, forms, duplicates, and the CA files that it
 * names. Each rule is one small function; the first that is broken ends the check.
 */
#include "check/profile_schema.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <string.h>

#define MAX_CA_BYTES ((size_t)1 << 20)
#define MAX_HOST     253 /* RFC 1035 section 2.3.4, as text without the last dot */

struct rules {
	struct profile *profile;
	const struct yaml_map *map;
	struct err *err;
};

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

static int check_id(const struct rules *rules, size_t node, const char *id)
{
	if (only(id, "-_.") && *id != '.' && strlen(id) <= 64)
		return 0;
	return yaml_map_error(rules->map, node, rules->err,
		"an id is made of at most 64 letters, digits, \"-\", \"_\" and \".\", not \"%.80s\"", id);
}

static int check_port(const struct rules *rules, const char *list, size_t index, uint16_t port)
{
	if (port)
		return 0;
	return yaml_map_error(rules->map, node_of(rules, list, index, "port"), rules->err,
		"a whole number from 1 to 65535 was expected, not \"0\"");
}

/* True when the labels of a name have the lengths of RFC 1035; the last dot may be there. */
static bool labels_fit(const char *host)
{
	for (const char *label = host;;) {
		size_t len = strcspn(label, ".");
		if (!len || len > 63)
			return false;
		if (!label[len] || !label[len + 1])
			return true;
		label += len + 1;
	}
}

static int check_host(const struct rules *rules, size_t index, struct profile_endpoint *endpoint)
{
	const char *host = endpoint->host, *mend = NULL;
	endpoint->wildcard = strchr(host, '*') != NULL;
	if (strstr(host, "://") || strchr(host, '/'))
		mend = "write the host alone, without scheme and path";
	else if (strchr(host, ':'))
		mend = "write the host alone (the port has a key of its own; IPv6 is not supported)";
	else if (!only(host, "-_.*"))
		mend = "write letters, digits, \"-\" and \".\" (an international name in its xn-- form)";
	else if (strlen(host) > MAX_HOST || !labels_fit(host))
		mend = "a name has at most 253 characters, and 1 to 63 between its dots";
	if (!mend)
		return 0;
	return yaml_map_error(rules->map, node_of(rules, "endpoints", index, "host"), rules->err,
		"\"%.80s\" is no host name or IPv4 address; %s", host, mend);
}

static int check_pins(const struct rules *rules, size_t index, struct profile_endpoint *endpoint)
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
			return yaml_map_error(rules->map,
				yaml_map_item(rules->map, node_of(rules, "endpoints", index, "pins"), i),
				rules->err,
				"a pin is sha256/ and the base64 of the SHA-256 of the public key (44 characters), "
				"not \"%.80s\"",
				pin);
	}
	return 0;
}

static int check_marker(const struct rules *rules, size_t index, struct profile_endpoint *endpoint)
{
	const struct profile_marker *marker = endpoint->marker;
	if (!marker)
		return 0;
	size_t node = node_of(rules, "endpoints", index, "marker");
	if (endpoint->protocol != PROFILE_HTTPS)
		return yaml_map_error(rules->map, node, rules->err,
			"only an endpoint with protocol https can have a marker; remove one of the two");
	if (marker->path && (*marker->path != '/' || strchr(marker->path, ' ')))
		return yaml_map_error(rules->map, yaml_map_key(rules->map, node, "path"), rules->err,
			"a path begins with \"/\" and holds no space (write %%20), not \"%.80s\"",
			marker->path);
	if (marker->status && (marker->status < 100 || marker->status > 599))
		return yaml_map_error(rules->map, yaml_map_key(rules->map, node, "status"), rules->err,
			"an HTTP status from 100 to 599 was expected, not \"%u\"", marker->status);
	if (marker->header.name && !only(marker->header.name, "-_"))
		return yaml_map_error(rules->map,
			yaml_map_key(rules->map, yaml_map_key(rules->map, node, "header"), "name"), rules->err,
			"\"%.80s\" is no name of an HTTP header; write letters, digits and \"-\"",
			marker->header.name);
	return 0;
}

static int read_ca(const struct rules *rules, size_t index, struct profile_endpoint *endpoint)
{
	if (!endpoint->ca)
		return 0;
	const char *slash = strrchr(rules->map->file, '/');
	int folder = *endpoint->ca != '/' && slash ? (int)(slash + 1 - rules->map->file) : 0;
	cleanup(free_ptr) char *path = xasprintf("%.*s%s", folder, rules->map->file, endpoint->ca);
	cleanup(buf_free) struct buf content = {0};
	struct err cannot;
	size_t node = node_of(rules, "endpoints", index, "ca");
	if (file_read(path, MAX_CA_BYTES, &content, &cannot))
		return yaml_map_error(rules->map, node, rules->err,
			"%s; the CA's certificate (PEM) is expected there, relative to the profile",
			cannot.text);
	if (!strstr(buf_text(&content), "-----BEGIN CERTIFICATE-----"))
		return yaml_map_error(rules->map, node, rules->err,
			"%s holds no certificate in PEM form (-----BEGIN CERTIFICATE-----); convert it with "
			"`openssl x509 -inform der -in FILE -out FILE.pem`",
			path);
	endpoint->ca_pem = xstrdup(content.data);
	return 0;
}

static int check_endpoint(const struct rules *rules, size_t index)
{
	struct profile_endpoint *endpoint = &rules->profile->endpoints[index];
	size_t id = node_of(rules, "endpoints", index, "id");
	if (check_id(rules, id, endpoint->id))
		return -1;
	if (strcmp(endpoint->id, "hub") == 0)
		return yaml_map_error(rules->map, id, rules->err,
			"the id \"hub\" is kept for the Sallyport hub itself; choose another");
	for (size_t i = 0; i < index; i++)
		if (strcmp(rules->profile->endpoints[i].id, endpoint->id) == 0)
			return yaml_map_error(rules->map, id, rules->err,
				"the id \"%s\" is taken by the endpoint in line %zu; each needs its own",
				endpoint->id, rules->map->nodes[node_of(rules, "endpoints", i, "id")].line);
	if (check_host(rules, index, endpoint) ||
		check_port(rules, "endpoints", index, endpoint->port) ||
		check_pins(rules, index, endpoint) || check_marker(rules, index, endpoint))
		return -1;
	return read_ca(rules, index, endpoint);
}

static int check_inbound(const struct rules *rules, size_t index)
{
	const struct profile_inbound *all = rules->profile->inbound, *inbound = &all[index];
	if (check_port(rules, "inbound", index, inbound->port))
		return -1;
	for (size_t i = 0; i < index; i++)
		if (all[i].port == inbound->port && all[i].protocol == inbound->protocol)
			return yaml_map_error(rules->map, node_of(rules, "inbound", index, "port"), rules->err,
				"port %u stands in line %zu already; make it one entry", inbound->port,
				rules->map->nodes[node_of(rules, "inbound", i, "port")].line);
	return 0;
}

static int check_named(const struct rules *rules, const char *list, const char *key, size_t index,
	const char *name, const char *earlier)
{
	size_t node = node_of(rules, list, index, key);
	if (!only(name, "-_. @$"))
		return yaml_map_error(rules->map, node, rules->err,
			"\"%.80s\" is no name of a service or account; write letters, digits and -_.@$", name);
	if (earlier && strcmp(name, earlier) == 0)
		return yaml_map_error(
			rules->map, node, rules->err, "\"%s\" stands there twice; remove one entry", name);
	return 0;
}

static int check_lists(const struct rules *rules)
{
	const struct profile *profile = rules->profile;
	int rc = 0;
	for (size_t i = 0; i < profile->endpoints_count && !rc; i++)
		rc = check_endpoint(rules, i);
	for (size_t i = 0; i < profile->inbound_count && !rc; i++)
		rc = check_inbound(rules, i);
	for (size_t i = 0; i < profile->services_count; i++)
		for (size_t j = 0; j <= i && !rc; j++)
			rc = check_named(rules, "services", "name", i, profile->services[i].name,
				j < i ? profile->services[j].name : NULL);
	for (size_t i = 0; i < profile->accounts_count; i++)
		for (size_t j = 0; j <= i && !rc; j++)
			rc = check_named(rules, "accounts", "account", i, profile->accounts[i].account,
				j < i ? profile->accounts[j].account : NULL);
	return rc;
}

int profile_rules_check(struct profile *profile, const struct yaml_map *map, struct err *err)
{
	struct rules rules = {profile, map, err};
	if (check_id(&rules, yaml_map_key(map, YAML_ROOT, "profile"), profile->id))
		return -1;
	return check_lists(&rules);
}
