/*
 * Who listens on this machine: its TCP listeners and bound UDP sockets, and the process behind one.
 *
 * A snapshot of the network namespace that the caller is in. Ports and addresses are for everyone
 * to see; the process of another user's socket only for root.
 */
#ifndef OS_LISTENERS_H
#define OS_LISTENERS_H

#include "base/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LISTENERS_MAX 4096

struct listener {
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	uint16_t port;
	bool ipv4;     /* takes IPv4: an IPv4 socket, or an IPv6 one that is not for IPv6 alone */
	bool loopback; /* of this machine alone */
	bool any;      /* of all addresses */
	char address[INET6_ADDRSTRLEN];
	uint64_t inode; /* 0: unknown */
	uid_t owner;
};

struct listener_owner {
	pid_t pid; /* 0: not to be seen */
	char name[32];
};

/* Owned by the caller (free()); *count is what was kept. NULL with err when it cannot be read. */
struct listener *listeners_read(size_t *count, struct err *err);
/* The process that holds the socket, as far as the caller may see. */
void listener_find_owner(const struct listener *listener, struct listener_owner *owner);

enum listener_held { LISTENER_HELD, LISTENER_NOT_HELD, LISTENER_NOT_VISIBLE };

/* Which of the listeners a process holds: the index of the first in *index. */
enum listener_held listener_of_process(
	pid_t pid, const struct listener *listeners, size_t count, size_t *index);

#endif
