/*
 * Installs as requests name and ask for them: the console's and those of `sallyport install`.
 */
#ifndef HUB_API_INSTALL_REQUEST_H
#define HUB_API_INSTALL_REQUEST_H

#include "hub/installs/installs.h"
#include "hub/net/exchange.h"

/* The install of the request, if whoever asks may see it; -1 after a problem was answered. */
int install_of_request(struct exchange *exchange, struct store_install *install);
/* The one location that is asked for, or whose things alone are there; false: none at all. */
bool install_read_location(const struct exchange *exchange, const char **location);

/* Fills action, hosts, user, port, parallel and the targets; texts stay the body's. -1 after a
 * problem was answered. install_wish_free() in either case. */
int install_read_hosts(struct exchange *exchange, struct installs_wish *wish);
void install_wish_free(struct installs_wish *wish);

#endif
