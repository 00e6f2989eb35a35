/*
 * What differs from one operating system to the next: a seam of a few functions.
 *
 * Each is implemented once per system, in a folder of that system's name and in a file of the same
 * name. Everything read here is a snapshot; callers read again when they need it fresh. The
 * functions take paths below `root` (NULL or "" for the real system) where they read files that an
 * administrator writes, so that tests can stand a system up in a folder.
 */
#ifndef OS_OS_H
#define OS_OS_H

#include "base/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define OS_MAX_INTERFACES 32
#define OS_MAX_DISKS      32
#define OS_MAX_RESOLVERS  8
#define OS_MAX_SEARCH     6
#define OS_MAX_NAME       253 /* bytes of a host name */

struct os_host {
	char name[256];    /* host name */
	char platform[16]; /* "linux" */
	char os_id[64];    /* "debian" */
	char os_name[128]; /* "Debian GNU/Linux 12 (bookworm)" */
	char os_version[64];
	char kernel[128];
	char arch[32];
	char cpu_model[128];
	char machine_id[64]; /* empty when the system has none */
	int cpu_count;
	uint64_t memory_total; /* bytes */
	uint64_t memory_free;  /* bytes that a program could get */
	uint64_t uptime_s;
};

struct os_interface {
	char name[32];
	char mac[18];                   /* "02:00:00:aa:bb:cc", empty for none */
	char ipv4[INET_ADDRSTRLEN + 3]; /* first address with prefix, "10.0.0.2/24"; empty for none */
	char ipv6[INET6_ADDRSTRLEN + 4];
	bool up; /* administratively up and with carrier */
	bool loopback;
};

struct os_disk {
	char mount[256];
	char type[32]; /* file system */
	uint64_t size; /* bytes */
	uint64_t free; /* bytes an ordinary user can still write */
};

struct os_resolvers {
	char origin[256]; /* the file that names them */
	struct in_addr servers[OS_MAX_RESOLVERS];
	size_t count;
	size_t ipv6_skipped; /* servers that are not asked: this program speaks IPv4 */
	bool loopback_stub;  /* resolv.conf names a local stub, such as systemd-resolved; `servers`
						  * are those behind it where they are known */
	char search[OS_MAX_SEARCH][OS_MAX_NAME + 1]; /* domains to complete a name without a dot */
	size_t search_count;
	unsigned timeout_s; /* how long the system's own resolver waits for one server */
};

int os_host_read(struct os_host *host, struct err *err);
/* Both fill up to the OS_MAX_ bound and set *count. */
int os_interfaces_read(struct os_interface *interfaces, size_t *count, struct err *err);
int os_disks_read(struct os_disk *disks, size_t *count, struct err *err);
/* The DNS servers in use: resolv.conf, and behind a local stub the servers that it asks. A missing
 * or empty resolv.conf means a server on this machine, as it does to the system's resolver. */
int os_resolvers_read(const char *root, struct os_resolvers *resolvers, struct err *err);
/* The first IPv4 address that the hosts file gives for a name: 1 found, 0 not there, -1 unreadable.
 */
int os_hosts_file_lookup(
	const char *root, const char *name, struct in_addr *address, struct err *err);
/* The store of CA certificates that this machine trusts, as one PEM file; NULL when it has none.
 * And the folder of the public ones that its distribution shipped, NULL when unknown. Borrowed. */
const char *os_ca_bundle(void);
const char *os_public_roots(void);
/* The address this machine would send from to reach `to`: 0, or -1 with errno. */
int os_source_address(struct in_addr to, struct in_addr *from);
/* This program's own path, for starting itself again; owned by the caller, NULL when unknown. */
char *os_own_path(void);

#endif
