/*
 * Happy path: sock_diag(7) dumps the listeners of TCP and the unconnected sockets of UDP, for IPv4
 * and IPv6, with what /proc/net does not tell: whether an IPv6 socket is for IPv6 alone.
 *
 * Failure modes: a kernel without the diagnosis of a protocol; then /proc/net is read, where an
 * IPv6 wildcard counts for IPv4 too, as it does unless a program asks otherwise. A table that is
 * cut at its bound is told as it is.
 */
#include "os/listeners.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TCP_LISTENING 10 /* TCP_LISTEN of the kernel */
#define UDP_OPEN      7  /* TCP_CLOSE: bound, with no peer */

struct table {
	struct listener *rows;
	size_t count;
};

static const struct source {
	int family;
	uint8_t protocol;
	int state;
	const char *file;
} sources[] = {
	{AF_INET, IPPROTO_TCP, TCP_LISTENING, "/proc/net/tcp"},
	{AF_INET6, IPPROTO_TCP, TCP_LISTENING, "/proc/net/tcp6"},
	{AF_INET, IPPROTO_UDP, UDP_OPEN, "/proc/net/udp"},
	{AF_INET6, IPPROTO_UDP, UDP_OPEN, "/proc/net/udp6"},
};

/* Sorts an address into any, loopback or one of this machine's; IPv4 within IPv6 counts as IPv4. */
static void set_address(
	struct listener *row, const struct source *source, const uint32_t address[4], bool only6)
{
	struct in6_addr six;
	memcpy(&six, address, sizeof six);
	bool mapped = source->family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six);
	uint32_t four = source->family == AF_INET ? address[0] : mapped ? address[3] : 0;
	if (source->family == AF_INET || mapped) {
		row->any = four == 0;
		row->loopback = ntohl(four) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
		row->ipv4 = true;
		inet_ntop(AF_INET, &four, row->address, sizeof row->address);
	} else {
		row->any = IN6_IS_ADDR_UNSPECIFIED(&six);
		row->loopback = IN6_IS_ADDR_LOOPBACK(&six);
		row->ipv4 = row->any && !only6;
		inet_ntop(AF_INET6, &six, row->address, sizeof row->address);
	}
}

static struct listener *add_row(struct table *table, const struct source *source, uint16_t port)
{
	if (table->count == LISTENERS_MAX || !port)
		return NULL;
	table->rows = xrealloc(table->rows, table->count + 1, sizeof *table->rows);
	struct listener *row = &table->rows[table->count++];
	*row = (struct listener){.protocol = source->protocol, .port = port};
	return row;
}

/* --- sock_diag ---------------------------------------------------------------------------- */

static int ask(int fd, const struct source *source)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request = {
		.header = {.nlmsg_len = sizeof request,
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.sdiag_family = (uint8_t)source->family,
			.sdiag_protocol = source->protocol,
			.idiag_states = 1U << source->state},
	};
	return send(fd, &request, sizeof request, 0) < 0 ? -1 : 0;
}

static bool is_for_ipv6_alone(const struct nlmsghdr *header, const struct inet_diag_msg *message)
{
	const struct rtattr *attribute = (const void *)(message + 1);
	int left = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof *message);
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == INET_DIAG_SKV6ONLY && RTA_PAYLOAD(attribute) >= 1)
			return *(const uint8_t *)RTA_DATA(attribute) != 0;
	return false;
}

static void take_message(
	struct table *table, const struct source *source, const struct nlmsghdr *header)
{
	const struct inet_diag_msg *message = NLMSG_DATA(header);
	if (header->nlmsg_len < NLMSG_LENGTH(sizeof *message) || message->idiag_state != source->state)
		return;
	struct listener *row = add_row(table, source, ntohs(message->id.idiag_sport));
	if (!row)
		return;
	set_address(row, source, message->id.idiag_src, is_for_ipv6_alone(header, message));
	row->inode = message->idiag_inode;
	row->owner = message->idiag_uid;
}

/* 1: more to come, 0: the end, -1: the kernel does not do it. */
static int take_datagram(int fd, struct table *table, const struct source *source)
{
	union {
		struct nlmsghdr header;
		char bytes[32768];
	} buffer;
	ssize_t got = recv(fd, &buffer, sizeof buffer, 0);
	if (got <= 0)
		return got < 0 && errno == EINTR ? 1 : -1;
	unsigned left = (unsigned)got;
	const struct nlmsghdr *header = &buffer.header;
	for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
		if (header->nlmsg_type == NLMSG_DONE)
			return 0;
		if (header->nlmsg_type == NLMSG_ERROR)
			return -1;
		take_message(table, source, header);
	}
	return 1;
}

static int dump(struct table *table, const struct source *source)
{
	struct timeval patience = {.tv_sec = 1};
	size_t before = table->count;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), rc = -1;
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (ask(fd, source) == 0)
		while ((rc = take_datagram(fd, table, source)) > 0)
			continue;
	close(fd);
	if (rc)
		table->count = before;
	return rc;
}

/* --- /proc/net ---------------------------------------------------------------------------- */

/* "  0: 0100007F:0277 00000000:0000 0A ... uid timeout inode": words of four bytes as they lie. */
static void take_line(struct table *table, const struct source *source, const char *line)
{
	char digits[33];
	unsigned port, state, uid;
	unsigned long long inode;
	uint32_t address[4] = {0};
	if (sscanf(line, " %*u: %32[0-9A-Fa-f]:%4x %*32[0-9A-Fa-f]:%*4x %2x %*s %*s %*s %u %*u %llu",
			digits, &port, &state, &uid, &inode) != 5 ||
		(int)state != source->state || strlen(digits) != (source->family == AF_INET ? 8 : 32))
		return;
	for (size_t i = 0; i * 8 < strlen(digits); i++) {
		char word[9];
		snprintf(word, sizeof word, "%.8s", digits + i * 8);
		address[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	struct listener *row = add_row(table, source, (uint16_t)port);
	if (!row)
		return;
	set_address(row, source, address, false);
	row->inode = inode;
	row->owner = uid;
}

static int read_file(struct table *table, const struct source *source)
{
	char line[512];
	FILE *file = fopen(source->file, "re");
	if (!file)
		return errno == ENOENT ? 0 : -1; /* a kernel without IPv6 has no such file */
	while (fgets(line, sizeof line, file))
		take_line(table, source, line);
	fclose(file);
	return 0;
}

struct listener *listeners_read(size_t *count, struct err *err)
{
	struct table table = {.rows = xcalloc(1, sizeof *table.rows)};
	*count = 0;
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		if (dump(&table, &sources[i]) && read_file(&table, &sources[i])) {
			err_set(err, "%s: %s", sources[i].file, strerror(errno));
			free(table.rows);
			return NULL;
		}
	}
	*count = table.count;
	return table.rows;
}

/* --- whose -------------------------------------------------------------------------------- */

/* The inode of the socket that a descriptor in /proc/PID/fd stands for; 0: none. */
static uint64_t socket_inode(int folder, const char *entry)
{
	char link[64];
	unsigned long long inode = 0;
	ssize_t len = readlinkat(folder, entry, link, sizeof link - 1);
	if (len <= 0)
		return 0;
	link[len] = '\0';
	return sscanf(link, "socket:[%llu]", &inode) == 1 ? inode : 0;
}

static const struct listener *find_inode(
	const struct listener *listeners, size_t count, uint64_t inode)
{
	for (size_t i = 0; inode && i < count; i++)
		if (listeners[i].inode == inode)
			return &listeners[i];
	return NULL;
}

enum listener_held listener_of_process(
	pid_t pid, const struct listener *listeners, size_t count, size_t *index)
{
	char path[48];
	snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
	DIR *folder = opendir(path);
	const struct dirent *entry;
	const struct listener *found = NULL;
	if (!folder)
		return LISTENER_NOT_VISIBLE;
	while (!found && (entry = readdir(folder)))
		found = find_inode(listeners, count, socket_inode(dirfd(folder), entry->d_name));
	closedir(folder);
	if (found)
		*index = (size_t)(found - listeners);
	return found ? LISTENER_HELD : LISTENER_NOT_HELD;
}

static void read_name(pid_t pid, char name[32])
{
	char path[48];
	snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
	FILE *file = fopen(path, "re");
	name[0] = '\0';
	if (!file)
		return;
	if (fgets(name, 32, file))
		name[strcspn(name, "\n")] = '\0';
	fclose(file);
}

void listener_find_owner(const struct listener *listener, struct listener_owner *owner)
{
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	size_t index;
	*owner = (struct listener_owner){.pid = 0};
	while (folder && !owner->pid && (entry = readdir(folder))) {
		long pid = isdigit((unsigned char)entry->d_name[0]) ? strtol(entry->d_name, NULL, 10) : 0;
		if (pid > 0 && listener_of_process((pid_t)pid, listener, 1, &index) == LISTENER_HELD)
			owner->pid = (pid_t)pid;
	}
	if (folder)
		closedir(folder);
	if (owner->pid)
		read_name(owner->pid, owner->name);
}
