#include "hub/places.h"

#include "hub/log.h"
#include "hub/state.h"

#include <ctype.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

int places_option(const char *text, struct place *place, struct err *err)
{
	static const char scheme[] = "https://";
	const char *rest = strncmp(text, scheme, sizeof scheme - 1) ? "/" : text + sizeof scheme - 1;
	size_t authority = strcspn(rest, "/");
	if (place_read(text, place) || (rest[authority] && strcmp(rest + authority, "/") != 0))
		return err_set(err, "https://HOST:PORT was expected, not \"%.100s\"", text);
	return 0;
}

void places_add_names(const struct endpoints *wanted, struct keys_names *names)
{
	for (size_t role = 0; role < ENDPOINT_COUNT; role++) {
		const char *host = wanted->places[role].host;
		bool known = !*host;
		for (size_t i = 0; i < names->count; i++)
			known = known || strcasecmp(names->names[i], host) == 0;
		if (!known && names->count < KEYS_MAX_NAMES)
			names->names[names->count++] = host;
	}
}

static bool covers(X509 *certificate, const char *host)
{
	return X509_check_host(certificate, host, 0, 0, NULL) == 1 ||
		   X509_check_ip_asc(certificate, host, 0) == 1;
}

/* Machines go by the proof, but browsers and those who read the profile go by the certificate. */
static void look_at_certificate(const struct hub *hub)
{
	FILE *file = fopen(hub->certificate.chain_file, "re");
	X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	for (size_t role = 0; certificate && role < ENDPOINT_COUNT; role++)
		if (!covers(certificate, hub->endpoints.places[role].host))
			log_line(LOG_WARNING,
				"the certificate %s is not for %s, where the role \"%s\" is: browsers will refuse "
				"it",
				hub->certificate.chain_file, hub->endpoints.places[role].host,
				endpoint_name((enum endpoint)role));
	X509_free(certificate);
	if (file)
		fclose(file);
}

void places_settle(struct hub *hub)
{
	const struct endpoints *wanted = &hub->options.endpoints;
	endpoints_at(&hub->endpoints, hub->host, hub->port);
	for (size_t role = 0; role < ENDPOINT_COUNT; role++)
		if (wanted->places[role].port)
			hub->endpoints.places[role] = wanted->places[role];
	const struct place *console = &hub->endpoints.places[ENDPOINT_CONSOLE];
	hub->url = xasprintf("https://%s:%u", console->host, (unsigned)console->port);
	look_at_certificate(hub);
}
