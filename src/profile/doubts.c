/*
 * What is allowed in a profile and yet probably not meant, or missing where a reader will ask for
 * it. Each doubt is one small function; none looks at the network or the clock.
 */
#include "profile/schema.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct doubts {
	const struct profile *profile;
	const struct yaml_map *map;
	struct problems *problems;
};

#define DOUBT(doubts, node, ...)                                                                   \
	problems_add((doubts)->problems, (doubts)->map, node, PROBLEM_WARNING, __VA_ARGS__)

static size_t top(const struct doubts *doubts, const char *key)
{
	return yaml_map_key(doubts->map, YAML_ROOT, key);
}

static size_t entry(const struct doubts *doubts, const char *list, size_t index)
{
	return yaml_map_item(doubts->map, top(doubts, list), index);
}

/* The key's own place, or that of the entry where it is not written down. */
static size_t place(const struct doubts *doubts, size_t entry, const char *key)
{
	size_t node = yaml_map_key(doubts->map, entry, key);
	return node == YAML_NONE ? entry : node;
}

/* --- the file as a whole ---------------------------------------------------------------------- */

static void doubt_name(const struct doubts *doubts)
{
	const char *file = strrchr(doubts->profile->file, '/');
	file = file ? file + 1 : doubts->profile->file;
	const char *id = doubts->profile->id;
	size_t len = strlen(id);
	if (strncmp(file, id, len) != 0 || strcmp(file + len, ".yaml") != 0)
		DOUBT(doubts, top(doubts, "profile"),
			"the file is not called %s.yaml, so that `--profile %s` will not find it", id, id);
}

static void doubt_source(const struct doubts *doubts)
{
	size_t source = top(doubts, "source");
	if (!doubts->profile->source.title)
		DOUBT(doubts, source == YAML_NONE ? YAML_ROOT : source,
			"no source; name the vendor's page: source: {title: ..., url: ..., read: DATE}");
	else if (!doubts->profile->source.url)
		DOUBT(doubts, source, "the source has no url, where the next author finds the page");
	else if (strncmp(doubts->profile->source.url, "https://", 8) != 0)
		DOUBT(doubts, place(doubts, source, "url"), "the url does not begin with https://");
	if (doubts->profile->source.title && !doubts->profile->source.read)
		DOUBT(doubts, source, "the source has no date; write when it was read (read: 2026-11-22)");
}

static void doubt_order(const struct doubts *doubts)
{
	const struct yaml_map *map = doubts->map;
	const cyaml_schema_field_t *fields = profile_schema.mapping.fields;
	size_t last = 0;
	for (size_t i = 1; i < map->count; i = yaml_map_after(map, i)) {
		size_t at = 0;
		while (fields[at].key && strcmp(fields[at].key, map->nodes[i].key) != 0)
			at++;
		if (at < last)
			DOUBT(
				doubts, i, "stands behind `%s`; readers look for it before that", fields[last].key);
		else
			last = at;
	}
}

static void doubt_contents(const struct doubts *doubts)
{
	const struct profile *profile = doubts->profile;
	bool asks = profile->endpoints_count || profile->inbound_count || profile->services_count ||
				profile->accounts_count || profile->addressing.ipv4 || profile->addressing.dns ||
				profile->addressing.ipv6 || profile->dns.external || profile->internet ||
				profile->proxy.auth || profile->proxy.inspection;
	bool required = false;
	for (unsigned i = 0; i < profile->endpoints_count; i++)
		required |= profile->endpoints[i].required != WISH_NO;
	if (!asks)
		DOUBT(doubts, YAML_ROOT, "it asks for nothing, so that every machine passes");
	if (profile->endpoints_count && !required)
		DOUBT(doubts, top(doubts, "endpoints"),
			"no endpoint is required, so that nothing can fail; is `required: false` right for "
			"all?");
}

/* --- where a requirement comes from ------------------------------------------------------------
 */

/* "R7, R9": rows of this project's own list of requirements. */
static bool is_row(const char *text, size_t len)
{
	static const struct {
		char letter;
		int last;
	} lists[] = {{'R', 28}, {'S', 13}, {'B', 10}};
	if (len < 2 || len > 3 || strspn(text + 1, "0123456789") < len - 1 || text[1] == '0')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (lists[i].letter == *text)
			return atoi(text + 1) <= lists[i].last;
	return false;
}

static void doubt_row(const struct doubts *doubts, size_t entry, const char *row)
{
	for (const char *at = row; at && *at;) {
		at += strspn(at, ", ");
		size_t len = strcspn(at, ", ");
		if (len && !is_row(at, len))
			DOUBT(doubts, place(doubts, entry, "row"),
				"\"%.*s\" is no row of the requirements (R1 to R28, S1 to S13, B1 to B10)",
				len < 40 ? (int)len : 40, at);
		at += len;
	}
}

static void doubt_origin(
	const struct doubts *doubts, size_t entry, const struct profile_origin *origin)
{
	if (!origin->section && !doubts->profile->source.section)
		DOUBT(doubts, entry, "no section; name the heading of the vendor's page that asks for it");
	doubt_row(doubts, entry, origin->row);
}

static bool asks_for(const struct profile *profile, enum profile_topic topic)
{
	const bool asked[TOPIC_COUNT] = {
		[TOPIC_ADDRESSING_IPV4] = profile->addressing.ipv4 == WISH_DHCP,
		[TOPIC_ADDRESSING_DHCP_SERVER] = profile->addressing.ipv4 == WISH_DHCP,
		[TOPIC_ADDRESSING_DNS] = profile->addressing.dns == WISH_DHCP,
		[TOPIC_ADDRESSING_IPV6] = profile->addressing.ipv6 == WISH_UNSUPPORTED,
		[TOPIC_DNS_EXTERNAL] = profile->dns.external != WISH_UNSET,
		[TOPIC_INTERNET] = profile->internet == WISH_REQUIRED,
		[TOPIC_PROXY] = profile->proxy.auth || profile->proxy.inspection,
		[TOPIC_CLOCK] = true,
	};
	return asked[topic];
}

static void doubt_sections(const struct doubts *doubts)
{
	for (int i = 0; i < TOPIC_COUNT; i++) {
		size_t node = yaml_map_key(
			doubts->map, top(doubts, "sections"), profile_topic_id((enum profile_topic)i));
		if (node == YAML_NONE)
			continue;
		if (!asks_for(doubts->profile, (enum profile_topic)i))
			DOUBT(doubts, node,
				"tells where a requirement comes from that the profile does not have");
		doubt_row(doubts, node, doubts->profile->sections[i].row);
	}
}

/* --- endpoints ---------------------------------------------------------------------------------
 */

static void doubt_host(
	const struct doubts *doubts, size_t at, const struct profile_endpoint *endpoint)
{
	const char *host = endpoint->host_form;
	struct in_addr address;
	size_t node = place(doubts, at, "host"), len = strlen(host);
	if (inet_pton(AF_INET, host, &address) == 1)
		DOUBT(doubts, node,
			"an address: it changes without notice, and no certificate fits it; write the name");
	for (const char *letter = host; *letter; letter++)
		if (isupper((unsigned char)*letter)) {
			DOUBT(doubts, node, "capital letters in a host; names are written small");
			break;
		}
	if (len && host[len - 1] == '.')
		DOUBT(doubts, node, "a dot at the end of the host; leave it out");
	if (endpoint->wildcard && !endpoint->remark)
		DOUBT(doubts, node,
			"a pattern cannot be tested; add a remark: which names lie under it, and how to find "
			"them");
}

static void doubt_protocol(
	const struct doubts *doubts, size_t at, const struct profile_endpoint *endpoint)
{
	size_t node = place(doubts, at, "protocol");
	if (endpoint->port == 443 && endpoint->protocol == PROFILE_TCP)
		DOUBT(doubts, node,
			"tcp on port 443 looks at no certificate; write https, or tls where no HTTP is spoken");
	if (endpoint->port == 80 &&
		(endpoint->protocol == PROFILE_HTTPS || endpoint->protocol == PROFILE_TLS))
		DOUBT(doubts, node, "TLS on port 80, where HTTP is spoken in the clear; write http");
	if (endpoint->port == 443 && endpoint->protocol == PROFILE_HTTP)
		DOUBT(doubts, node, "HTTP in the clear on port 443, where TLS is spoken; write https");
	if (endpoint->protocol == PROFILE_UDP && !endpoint->remark)
		DOUBT(doubts, node, "UDP cannot be tested; add a remark on what to look at instead");
	if (endpoint->ca && *endpoint->ca == '/')
		DOUBT(doubts, place(doubts, at, "ca"),
			"an absolute path; a file beside the profile travels with it");
	if (endpoint->pins_count == 1)
		DOUBT(doubts, place(doubts, at, "pins"),
			"one pin: the day the key changes, the check fails; add the pin of the next key");
}

static void doubt_marker(
	const struct doubts *doubts, size_t at, const struct profile_marker *marker)
{
	if (!marker)
		return;
	size_t node = place(doubts, at, "marker");
	if (!marker->path)
		DOUBT(doubts, node, "no path, so \"/\" is asked for; write down which path is meant");
	if (!marker->status && !marker->header.name)
		DOUBT(doubts, node,
			"neither status nor header, so that every answer proves the service; add one");
}

static void doubt_twin(const struct doubts *doubts, size_t index)
{
	const struct profile_endpoint *all = doubts->profile->endpoints;
	for (size_t i = 0; i < index; i++) {
		bool twin = all[i].port == all[index].port && all[i].protocol == all[index].protocol &&
					strcasecmp(all[i].host_form, all[index].host_form) == 0;
		if (!twin)
			continue;
		DOUBT(doubts, entry(doubts, "endpoints", index),
			"the same host and port as \"%s\" in line %zu; make it one, and tell both purposes "
			"there",
			all[i].id, yaml_map_line(doubts->map, entry(doubts, "endpoints", i)));
		return;
	}
}

static void doubt_endpoint(const struct doubts *doubts, size_t index)
{
	const struct profile_endpoint *endpoint = &doubts->profile->endpoints[index];
	size_t at = entry(doubts, "endpoints", index);
	if (!endpoint->purpose)
		DOUBT(doubts, at, "no purpose; the report shows it to whoever has to open the firewall");
	doubt_host(doubts, at, endpoint);
	doubt_protocol(doubts, at, endpoint);
	doubt_marker(doubts, at, endpoint->marker);
	doubt_twin(doubts, index);
	doubt_origin(doubts, at, &endpoint->origin);
}

static void doubt_variable(const struct doubts *doubts, size_t index)
{
	const struct profile_variable *variable = &doubts->profile->variables[index];
	size_t at = entry(doubts, "variables", index);
	cleanup(free_ptr) char *braced = xasprintf("{%s}", variable->name);
	bool used = false;
	for (unsigned i = 0; i < doubts->profile->endpoints_count; i++)
		used |= strstr(doubts->profile->endpoints[i].host_form, braced) != NULL;
	if (!used)
		DOUBT(doubts, at, "no host has %s in it; remove the variable", braced);
	if (!variable->purpose)
		DOUBT(doubts, at, "no purpose; say what to set it to");
}

void profile_doubts(
	const struct profile *profile, const struct yaml_map *map, struct problems *problems)
{
	const struct doubts doubts = {profile, map, problems};
	doubt_name(&doubts);
	doubt_source(&doubts);
	doubt_order(&doubts);
	doubt_contents(&doubts);
	doubt_sections(&doubts);
	for (size_t i = 0; i < profile->variables_count; i++)
		doubt_variable(&doubts, i);
	for (size_t i = 0; i < profile->endpoints_count; i++)
		doubt_endpoint(&doubts, i);
	for (size_t i = 0; i < profile->inbound_count; i++) {
		size_t at = entry(&doubts, "inbound", i);
		if (!profile->inbound[i].service)
			DOUBT(&doubts, at, "no service; the report shows it to whoever has to open the port");
		doubt_origin(&doubts, at, &profile->inbound[i].origin);
	}
	for (size_t i = 0; i < profile->services_count; i++)
		doubt_origin(&doubts, entry(&doubts, "services", i), &profile->services[i].origin);
	for (size_t i = 0; i < profile->accounts_count; i++)
		doubt_origin(&doubts, entry(&doubts, "accounts", i), &profile->accounts[i].origin);
}
