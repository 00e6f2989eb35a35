/*
 * What stands after --hub: the hub's address, as a URL or as HOST[:PORT].
 */
#ifndef CHECK_HUB_URL_H
#define CHECK_HUB_URL_H

#include "base/err.h"
#include "wire/token.h"

#include <stdint.h>

struct hub_url {
	char host[TOKEN_MAX_HOST + 1]; /* in lower case */
	uint16_t port;                 /* 443 when none is given */
};

/* -1 with the error filled; it never repeats what could be a secret. */
int hub_url_parse(const char *text, struct hub_url *url, struct err *err);

#endif
