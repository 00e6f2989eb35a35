/*
 * What a TLS ClientHello says before anybody answers it (RFC 8446 section 4.1.2, RFC 7301).
 *
 * Only looked at, to decide who goes ahead in a rush: nothing rests on what it says.
 */
#ifndef HUB_CLIENT_HELLO_H
#define HUB_CLIENT_HELLO_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a record with a ClientHello, from its first byte, offers this protocol by ALPN. False
 * also for what is cut off or is no ClientHello. */
bool client_hello_offers(const unsigned char *record, size_t len, const char *protocol);

#endif
