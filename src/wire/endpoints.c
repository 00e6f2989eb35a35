#include "wire/endpoints.h"

#include "base/hostname.h"
#include "base/json.h"
#include "wire/messages.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."

static const struct {
	const char *name, *scheme, *path;
} roles[] = {
	[ENDPOINT_CONSOLE] = {"console", "https", "/"},
	[ENDPOINT_DISCOVERY] = {"discovery", "https", PROTOCOL_DISCOVERY_PATH},
	[ENDPOINT_SESSION] = {"session", "wss", PROTOCOL_SESSION_PATH},
	[ENDPOINT_UPLOAD] = {"upload", "https", PROTOCOL_UPLOADS_PATH},
};

const char *endpoint_name(enum endpoint role)
{
	return roles[role].name;
}

void endpoints_at(struct endpoints *endpoints, const char *host, uint16_t port)
{
	for (size_t i = 0; i < ENDPOINT_COUNT; i++) {
		snprintf(endpoints->places[i].host, sizeof endpoints->places[i].host, "%s", host);
		endpoints->places[i].port = port;
	}
}

bool place_same(const struct place *one, const struct place *other)
{
	return one->port == other->port && strcasecmp(one->host, other->host) == 0;
}

bool endpoints_same(const struct endpoints *one, const struct endpoints *other)
{
	for (size_t i = 0; i < ENDPOINT_COUNT; i++)
		if (!place_same(&one->places[i], &other->places[i]))
			return false;
	return true;
}

bool endpoints_has(const struct endpoints *endpoints, const char *host, uint16_t port)
{
	for (size_t i = 0; i < ENDPOINT_COUNT; i++)
		if (endpoints->places[i].port == port && strcasecmp(endpoints->places[i].host, host) == 0)
			return true;
	return false;
}

/* What follows the host: nothing, ":PORT", and then the path. */
static int read_port(const char *text, struct place *place)
{
	char *end = (char *)text;
	unsigned long port = 443;
	if (*text == ':') {
		if (!isdigit((unsigned char)text[1]))
			return -1;
		port = strtoul(text + 1, &end, 10);
	}
	if (!port || port > UINT16_MAX || (*end && *end != '/'))
		return -1;
	place->port = (uint16_t)port;
	return 0;
}

int place_read(const char *url, struct place *place)
{
	static const char *const schemes[] = {"https://", "wss://"};
	size_t scheme = 0;
	while (
		scheme < ARRAY_LEN(schemes) && strncmp(url, schemes[scheme], strlen(schemes[scheme])) != 0)
		scheme++;
	if (scheme == ARRAY_LEN(schemes))
		return -1;
	url += strlen(schemes[scheme]);
	size_t len = strspn(url, HOST_CHARS);
	if (len > TOKEN_MAX_HOST)
		return -1;
	for (size_t i = 0; i < len; i++)
		place->host[i] = (char)tolower((unsigned char)url[i]);
	place->host[len] = '\0';
	return hostname_fits(place->host) ? read_port(url + len, place) : -1;
}

/* "https://HOST:PORT/path" of the role; owned by the caller. */
static char *place_url(const struct place *place, enum endpoint role)
{
	return xasprintf(
		"%s://%s:%u%s", roles[role].scheme, place->host, (unsigned)place->port, roles[role].path);
}

int endpoints_read(const json_t *object, struct endpoints *endpoints, struct err *err)
{
	for (size_t role = 0; role < ENDPOINT_COUNT; role++) {
		const char *url = json_get_text(object, roles[role].name);
		if (!url || place_read(url, &endpoints->places[role]))
			return err_set(err, "it names no address for the role \"%s\"", roles[role].name);
	}
	return 0;
}

json_t *endpoints_write(const struct endpoints *endpoints)
{
	json_t *object = json_object();
	for (size_t role = 0; role < ENDPOINT_COUNT; role++) {
		cleanup(free_ptr) char *url = place_url(&endpoints->places[role], (enum endpoint)role);
		json_object_set_new(object, roles[role].name, json_string(url));
	}
	return object;
}
