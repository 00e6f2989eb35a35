/*
 * What the files of os/linux share with each other and with nobody else.
 */
#ifndef OS_LINUX_PARTS_H
#define OS_LINUX_PARTS_H

#include "os/addressing.h"

/* dhcp_clients.c: processes of this network namespace that are DHCP clients for the link. */
void dhcp_clients_read(const struct addressing *addressing, const struct addressing_link *link,
	struct witnesses *witnesses);
/* Whether a command line, its words parted by NULs or blanks, is that of a DHCP client for the
 * link; then its name, a literal. For the tests too. */
const char *dhcp_client_match(const char *command, size_t len, const struct addressing *addressing,
	const struct addressing_link *link);

/* intents.c: files that configure the link at start. */
void intents_read(
	const char *root, const struct addressing_link *link, struct witnesses *witnesses);

#endif
