/*
 * Where the hub's endpoint roles are (row S6): at the hub's own name and port, or where the options
 * say.
 *
 * Once the listener has its port: places_settle(), then hub->endpoints and hub->url hold.
 */
#ifndef HUB_PLACES_H
#define HUB_PLACES_H

#include "wire/endpoints.h"

struct hub;
struct keys_names;

/* One of the options --ROLE-url: "https://HOST[:PORT]" with nothing behind it. */
int places_option(const char *text, struct place *place, struct err *err);
/* Adds the hosts of the roles that the options put elsewhere to what the certificate is for. */
void places_add_names(const struct endpoints *wanted, struct keys_names *names);
/* Fills hub->endpoints and hub->url; warns of a host that the administrator's certificate does not
 * cover. */
void places_settle(struct hub *hub);

#endif
