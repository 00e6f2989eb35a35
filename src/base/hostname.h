/*
 * The form of a host name, for whoever reads one from a file or a peer.
 */
#ifndef BASE_HOSTNAME_H
#define BASE_HOSTNAME_H

#include <stdbool.h>

/* At most 253 characters, and 1 to 63 between the dots (RFC 1035 section 2.3.4); the last dot may
 * be there. Which characters they are is another question. */
bool hostname_fits(const char *host);

#endif
