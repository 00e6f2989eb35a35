/*
 * The roles that a hub's endpoints play (row S6), and where each of them is: one place for all
 * four, or up to four names and ports of the same hub.
 *
 * They travel as URLs by the role's name, in the discovery document and in the welcome; the paths
 * are the protocol's own, so only host and port are taken from what a peer says. Whoever answers
 * there has to prove the hub's key like anywhere else.
 */
#ifndef WIRE_ENDPOINTS_H
#define WIRE_ENDPOINTS_H

#include "base/err.h"
#include "wire/token.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define PROTOCOL_UPLOADS_PATH "/v1/uploads"

/* The order of their names in the alphabet, and in profiles. */
enum endpoint {
	ENDPOINT_CONSOLE,
	ENDPOINT_DISCOVERY,
	ENDPOINT_SESSION,
	ENDPOINT_UPLOAD,
	ENDPOINT_COUNT
};

struct place {
	char host[TOKEN_MAX_HOST + 1]; /* in lower case */
	uint16_t port;
};

struct endpoints {
	struct place places[ENDPOINT_COUNT];
};

const char *endpoint_name(enum endpoint role); /* "console", ... */
/* All four at one place. */
void endpoints_at(struct endpoints *endpoints, const char *host, uint16_t port);
bool place_same(const struct place *one, const struct place *other);
bool endpoints_same(const struct endpoints *one, const struct endpoints *other);
/* True when one of the roles is there. */
bool endpoints_has(const struct endpoints *endpoints, const char *host, uint16_t port);
/* From "https://HOST[:PORT][/...]" or "wss://..."; -1 when it is none of these. */
int place_read(const char *url, struct place *place);
/* From {"console": URL, ...}: all four must be there. -1 with err filled. */
int endpoints_read(const json_t *object, struct endpoints *endpoints, struct err *err);
json_t *endpoints_write(const struct endpoints *endpoints); /* new reference */

#endif
