/*
 * The hosts that somebody pasted, typed or uploaded for an install (rows R12, S5).
 *
 * Either words, apart by spaces and lines, or CSV (RFC 4180, with `,`, `;` or a tab between the
 * fields and no line breaks in them) whose first line names its columns: host, and of port, user
 * and name any. `#` begins a comment at the start of a line or behind a space. A word, and what
 * stands in the column host, is
 *
 *     [USER@]HOST[:PORT]      a name, an IPv4 address, or an IPv6 address ([...] before a port)
 *     [USER@]RANGE[:PORT]     10.0.0.0/28 without its network and broadcast address, 10.0.0.5-20,
 *                             10.0.0.250-10.0.1.9
 *
 * A host that stands there twice, with the same port and user, is one host; one that a range covers
 * as well is no longer "of a range". The same text always gives the same list in the same order, so
 * that hub and connector, who both read it, agree.
 *
 * host_list_read(), then host_list_free(). Everything is bounded, and a mistake is told with its
 * line and word. Neither resolves names nor asks the network.
 */
#ifndef WIRE_HOST_LIST_H
#define WIRE_HOST_LIST_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define HOST_LIST_MAX_TEXT  65536 /* bytes */
#define HOST_LIST_MAX_HOSTS 1024  /* also of one range, which is a /22 */
#define HOST_LIST_MAX_HOST  253   /* bytes */
#define HOST_LIST_MAX_USER  64
#define HOST_LIST_MAX_NAME  128
#define HOST_LIST_PORT      22 /* where none is told */

struct host_entry {
	char host[HOST_LIST_MAX_HOST + 1]; /* in lower case; an address as inet_ntop() writes it */
	uint16_t port;
	char *user;      /* owned; "": not told */
	char *name;      /* owned; what the list calls it, "": not told */
	bool from_range; /* that it does not answer is no failure */
	size_t line;     /* from 1 */
};

struct host_list {
	struct host_entry *hosts; /* owned */
	size_t count;             /* at least 1 */
};

/* `port` and `user` hold where the text tells none: HOST_LIST_PORT and "" are good values. 0, or -1
 * with err ("line 3: \"10.0.0.0/8\": ...") and nothing to free. */
int host_list_read(
	const char *text, uint16_t port, const char *user, struct host_list *list, struct err *err);
/* The entry of that host and port, or NULL. */
const struct host_entry *host_list_find(
	const struct host_list *list, const char *host, uint16_t port);
void host_list_free(struct host_list *list);

#endif
