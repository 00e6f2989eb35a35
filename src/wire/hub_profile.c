#include "wire/hub_profile.h"

#include "base/hostname.h"
#include "base/json.h"
#include "wire/identity.h"
#include "wire/messages.h"
#include "wire/token.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CA 8192 /* bytes of PEM */

static const char *const roles[] = {"console", "discovery", "session", "upload"};
#define ROLES ARRAY_LEN(roles)

struct place {
	char host[TOKEN_MAX_HOST + 1];
	unsigned port;
	bool has[ROLES];
};

/* What follows the host: nothing, ":PORT", and then the path. */
static int read_port(const char *text, struct place *place)
{
	char *end = (char *)text;
	place->port = 443;
	if (*text == ':') {
		if (!isdigit((unsigned char)text[1]))
			return -1;
		unsigned long port = strtoul(text + 1, &end, 10);
		place->port = port <= UINT16_MAX ? (unsigned)port : 0;
	}
	return place->port && (!*end || *end == '/') ? 0 : -1;
}

/* From "https://HOST:PORT/path" or "wss://...". */
static int read_place(const char *url, struct place *place)
{
	static const char *const schemes[] = {"https://", "wss://"};
	size_t scheme = 0;
	while (
		scheme < ARRAY_LEN(schemes) && strncmp(url, schemes[scheme], strlen(schemes[scheme])) != 0)
		scheme++;
	if (scheme == ARRAY_LEN(schemes))
		return -1;
	url += strlen(schemes[scheme]);
	size_t len = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
	if (len > TOKEN_MAX_HOST)
		return -1;
	for (size_t i = 0; i < len; i++)
		place->host[i] = (char)tolower((unsigned char)url[i]);
	place->host[len] = '\0';
	return hostname_fits(place->host) ? read_port(url + len, place) : -1;
}

/* Each role joins the place that is there already, or adds one. The number of places, or -1. */
static int read_places(const json_t *endpoints, struct place places[ROLES], struct err *err)
{
	int count = 0;
	for (size_t role = 0; role < ROLES; role++) {
		const char *url = json_get_text(endpoints, roles[role]);
		struct place place = {.port = 0};
		int at = 0;
		if (!url || read_place(url, &place))
			return err_set(err, "the hub's discovery document names no address for the role \"%s\"",
				roles[role]);
		while (at < count &&
			   (strcmp(places[at].host, place.host) != 0 || places[at].port != place.port))
			at++;
		if (at == count)
			places[count++] = place;
		places[at].has[role] = true;
	}
	return count;
}

/* Nothing but what PEM is made of. */
static bool is_pem(const char *text)
{
	size_t len = strlen(text);
	return len <= MAX_CA && strncmp(text, "-----BEGIN CERTIFICATE-----\n", 28) == 0 &&
		   strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=- \n") ==
			   len;
}

static void write_ca(const char *pem, struct buf *out)
{
	buf_puts(out, "    ca: |\n");
	while (*pem) {
		size_t len = strcspn(pem, "\n");
		if (len)
			buf_printf(out, "      %.*s\n", (int)len, pem);
		pem += len + (pem[len] == '\n');
	}
}

static void write_purpose(const struct place *place, struct buf *out)
{
	size_t left = 0;
	for (size_t role = 0; role < ROLES; role++)
		left += place->has[role];
	buf_puts(out, "    purpose: ");
	for (size_t role = 0; role < ROLES; role++) {
		if (!place->has[role])
			continue;
		left--;
		buf_printf(out, "%s%s", roles[role], left > 1 ? ", " : left == 1 ? " and " : "\n");
	}
}

static void write_place(const struct place *place, const char *ca, struct buf *out)
{
	size_t first = 0;
	while (!place->has[first])
		first++;
	buf_printf(out, "  - id: %s\n    host: \"%s\"\n    port: %u\n    protocol: https\n",
		roles[first], place->host, place->port);
	write_purpose(place, out);
	if (place->has[2])
		buf_puts(out,
			"    remark: the session is a WebSocket; `sallyport check --hub` tries that too\n");
	if (ca)
		write_ca(ca, out);
	if (place->has[1])
		buf_puts(out, "    marker: {path: " PROTOCOL_DISCOVERY_PATH ", status: 200, header: {name: "
					  "Sallyport, contains: \"1\"}}\n");
	buf_puts(out, "    section: endpoints\n    row: S6\n");
}

/* The key's fingerprint, for a person to compare; only if it looks like one. */
static void write_fingerprint(const json_t *discovery, struct buf *out)
{
	const char *text = json_get_text(json_object_get(discovery, "identity"), "fingerprint");
	size_t len = text ? strlen(text) : 0;
	if (len && len < IDENTITY_PRINT_SIZE &&
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:+/=-_ ") ==
			len)
		buf_printf(out, "# Fingerprint of its identity key: %s\n", text);
}

int hub_profile_write(
	const json_t *discovery, const char *remark, time_t now, struct buf *out, struct err *err)
{
	struct place places[ROLES];
	const char *ca = json_get_text(discovery, "private_ca");
	char date[16];
	struct tm tm;
	int count = read_places(json_object_get(discovery, "endpoints"), places, err);
	if (count < 0)
		return -1;
	if (ca && !is_pem(ca))
		return err_set(err, "the hub's discovery document holds a private CA that is no PEM");
	gmtime_r(&now, &tm);
	strftime(date, sizeof date, "%Y-%m-%d", &tm);
	buf_printf(out,
		"# What the Sallyport hub at %s asks of the network between it and a machine.\n",
		places[0].host);
	buf_printf(out, "# %s\n", remark);
	write_fingerprint(discovery, out);
	buf_printf(out,
		"profile: " HUB_PROFILE_ID
		"\ntitle: Sallyport hub %s\nsource: {title: Discovery document of "
		"the hub, section: endpoints, url: \"https://%s:%u" PROTOCOL_DISCOVERY_PATH
		"\", read: %s}\n\nendpoints:\n",
		places[0].host, places[0].host, places[0].port, date);
	for (int i = 0; i < count; i++)
		write_place(&places[i], ca, out);
	buf_puts(out, "\nproxy: {auth: [none, basic], inspection: forbidden}\n");
	return 0;
}
