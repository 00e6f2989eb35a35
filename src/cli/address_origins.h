/*
 * Who gave this machine its addresses, as the inventory tells the hub, so that it can say which
 * machines of a location break its demand for DHCP (row R2).
 *
 * The same judgement as the check's (check/origin.h), without asking the network for a DHCP server:
 * a permanent address of which nobody has a lease, and for which no DHCP client runs, counts as
 * static.
 */
#ifndef CLI_ADDRESS_ORIGINS_H
#define CLI_ADDRESS_ORIGINS_H

#include <jansson.h>

/* {INTERFACE: "dhcp" or "static"} of the interfaces that carry traffic; those of which it is not
 * known are left out. A new reference. */
json_t *address_origins(const char *root);

#endif
