/* A hub whose roles are at several places, as a list of places to try. */
#include "check/check.h"

#include <stdio.h>
#include <string.h>

/* Adds a role to "session and console". */
static void add_role(struct check_hub *place, enum endpoint role)
{
	size_t len = strlen(place->roles);
	snprintf(place->roles + len, sizeof place->roles - len, "%s%s", len ? " and " : "",
		endpoint_name(role));
}

const struct check_hub *check_hub_places(const struct check_hub *hub,
	const struct endpoints *endpoints, struct check_hub places[ENDPOINT_COUNT])
{
	static const enum endpoint order[ENDPOINT_COUNT] = {
		ENDPOINT_SESSION, ENDPOINT_DISCOVERY, ENDPOINT_UPLOAD, ENDPOINT_CONSOLE};
	size_t count = 0;
	for (size_t i = 0; i < ENDPOINT_COUNT; i++) {
		const struct place *there = &endpoints->places[order[i]];
		size_t at = 0;
		while (at < count &&
			   (places[at].port != there->port || strcasecmp(places[at].host, there->host) != 0))
			at++;
		if (at == count) {
			places[count] = *hub;
			places[count].host = there->host;
			places[count].port = there->port;
			places[count].id = endpoint_name(order[i]);
			places[count].roles[0] = '\0';
			places[count].plain = order[i] != ENDPOINT_SESSION;
			places[count].next = NULL;
			if (count)
				places[count - 1].next = &places[count];
			count++;
		}
		add_role(&places[at], order[i]);
	}
	if (count == 1) {
		places[0].id = NULL;
		places[0].roles[0] = '\0';
	}
	return places;
}
