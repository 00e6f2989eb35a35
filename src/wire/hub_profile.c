#include "wire/hub_profile.h"

#include "base/json.h"
#include "wire/endpoints.h"
#include "wire/identity.h"
#include "wire/messages.h"

#include <stdbool.h>
#include <string.h>

#define MAX_CA 8192 /* bytes of PEM */

/* The roles at one host and port. */
struct spot {
	struct place place;
	bool has[ENDPOINT_COUNT];
};

/* Each role joins the spot that is there already, or adds one. The number of spots, or -1. */
static int read_spots(const json_t *discovery, struct spot spots[ENDPOINT_COUNT], struct err *err)
{
	struct endpoints endpoints;
	int count = 0;
	if (endpoints_read(json_object_get(discovery, "endpoints"), &endpoints, err))
		return err_prefix(err, "the hub's discovery document");
	memset(spots, 0, ENDPOINT_COUNT * sizeof *spots);
	for (size_t role = 0; role < ENDPOINT_COUNT; role++) {
		int at = 0;
		while (at < count && !place_same(&spots[at].place, &endpoints.places[role]))
			at++;
		if (at == count)
			spots[count++].place = endpoints.places[role];
		spots[at].has[role] = true;
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

static void write_purpose(const struct spot *spot, struct buf *out)
{
	size_t left = 0;
	for (size_t role = 0; role < ENDPOINT_COUNT; role++)
		left += spot->has[role];
	buf_puts(out, "    purpose: ");
	for (size_t role = 0; role < ENDPOINT_COUNT; role++) {
		if (!spot->has[role])
			continue;
		left--;
		buf_printf(out, "%s%s", endpoint_name((enum endpoint)role),
			left > 1    ? ", "
			: left == 1 ? " and "
						: "\n");
	}
}

static void write_spot(const struct spot *spot, const char *ca, struct buf *out)
{
	size_t first = 0;
	while (!spot->has[first])
		first++;
	buf_printf(out, "  - id: %s\n    host: \"%s\"\n    port: %u\n    protocol: https\n",
		endpoint_name((enum endpoint)first), spot->place.host, (unsigned)spot->place.port);
	write_purpose(spot, out);
	if (spot->has[ENDPOINT_SESSION])
		buf_puts(out,
			"    remark: the session is a WebSocket; `sallyport check --hub` tries that too\n");
	if (ca)
		write_ca(ca, out);
	if (spot->has[ENDPOINT_DISCOVERY])
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
	struct spot spots[ENDPOINT_COUNT];
	const char *ca = json_get_text(discovery, "private_ca");
	char date[16];
	struct tm tm;
	int count = read_spots(discovery, spots, err);
	if (count < 0)
		return -1;
	if (ca && !is_pem(ca))
		return err_set(err, "the hub's discovery document holds a private CA that is no PEM");
	gmtime_r(&now, &tm);
	strftime(date, sizeof date, "%Y-%m-%d", &tm);
	buf_printf(out,
		"# What the Sallyport hub at %s asks of the network between it and a machine.\n",
		spots[0].place.host);
	buf_printf(out, "# %s\n", remark);
	write_fingerprint(discovery, out);
	buf_printf(out,
		"profile: " HUB_PROFILE_ID
		"\ntitle: Sallyport hub %s\nsource: {title: Discovery document of "
		"the hub, section: endpoints, url: \"https://%s:%u" PROTOCOL_DISCOVERY_PATH
		"\", read: %s}\n\nendpoints:\n",
		spots[0].place.host, spots[0].place.host, (unsigned)spots[0].place.port, date);
	for (int i = 0; i < count; i++)
		write_spot(&spots[i], ca, out);
	buf_puts(out, "\nproxy: {auth: [none, basic], inspection: forbidden}\n");
	return 0;
}
