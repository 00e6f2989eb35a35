/*
 * Where the rules come from, and the questions to them.
 *
 * Happy path: ask the kernel whether nf_tables holds any table and which legacy tables exist; only
 * then run `nft -j list ruleset` and `iptables-legacy-save`, read what they write, and keep it for
 * the questions of the next seconds. Tables that iptables-nft fills with conditions of its own are
 * read from `iptables-nft-save` instead, so nothing is counted twice. A kernel without netfilter,
 * or with no table in it, lets everything pass.
 *
 * Failure modes: no right to ask (EPERM, also for root in a container without CAP_NET_ADMIN); rules
 * are there but the program that lists them is not, fails, or writes more than is read. Each makes
 * every verdict unknown, with the reason.
 */
#include "os/linux/firewall_model.h"

#include "os/child.h"
#include "os/os.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRESH_MS        3000
#define READ_MS         4000
#define MAX_LISTING     ((size_t)4 << 20)
#define MAX_RULE_TEXT   ((size_t)1 << 20)
#define LEGACY_TABLES   "/proc/net/ip_tables_names"
#define OUTSIDE_ADDRESS 0xc6336401 /* 198.51.100.1 of TEST-NET-2 (RFC 5737) */

/* --- is there anything to read -------------------------------------------------------------- */

enum presence { PRESENT, ABSENT, FORBIDDEN };

static enum presence presence_of_error(int error)
{
	return error == EPERM || error == EACCES ? FORBIDDEN : ABSENT;
}

/* The first message of a dump: a table, the end of the list, or an error. */
static enum presence read_first_message(int fd)
{
	union {
		struct nlmsghdr header;
		char bytes[8192];
	} message;
	ssize_t got = recv(fd, &message, sizeof message, 0);
	if (got < (ssize_t)sizeof message.header)
		return presence_of_error(errno);
	if (message.header.nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *error = NLMSG_DATA(&message.header);
		bool whole = got >= (ssize_t)NLMSG_LENGTH(sizeof *error);
		return presence_of_error(whole ? -error->error : 0);
	}
	return message.header.nlmsg_type == NLMSG_DONE ? ABSENT : PRESENT;
}

/* Asks for the list of tables: cheaper than a program, and it says why where that would not. */
static enum presence nf_tables_presence(void)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
	} request = {
		.header = {.nlmsg_len = sizeof request,
			.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.family = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0},
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		return presence_of_error(errno);
	enum presence presence = ABSENT;
	/* The kernel answers within send(); the timeout is for one that does not. */
	struct timeval patience = {.tv_sec = 1};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (send(fd, &request, sizeof request, 0) < 0)
		presence = presence_of_error(errno);
	else
		presence = read_first_message(fd);
	close(fd);
	return presence;
}

/* A legacy table exists once something has asked for it, with rules or without. */
static enum presence legacy_presence(void)
{
	FILE *file = fopen(LEGACY_TABLES, "re");
	if (!file)
		return presence_of_error(errno);
	int first = fgetc(file);
	fclose(file);
	return first == EOF ? ABSENT : PRESENT;
}

/* --- reading -------------------------------------------------------------------------------- */

struct reading {
	struct deadline deadline;
	const struct cancel *cancel;
	struct err *err;
};

/* Runs a program that lists rules. */
static int list_rules(
	const struct reading *reading, const char *program, const char *const *args, struct buf *output)
{
	const char *argv[8] = {NULL};
	cleanup(free_ptr) char *path = child_find(program);
	if (!path)
		return err_set(reading->err,
			"there are firewall rules, and the program %s that lists them is not installed",
			program);
	argv[0] = path;
	for (size_t i = 0; args[i] && i + 2 < ARRAY_LEN(argv); i++)
		argv[i + 1] = args[i];
	int code = child_run(argv, reading->deadline, reading->cancel, output, reading->err);
	if (code > 0)
		return err_set(reading->err, "%s ended with exit code %d", path, code);
	return code;
}

/* What iptables-nft has put into nf_tables, as its own program tells it. */
static int read_foreign_tables(struct firewall *firewall, const struct reading *reading)
{
	static const char *const args[] = {NULL};
	bool foreign = false;
	for (size_t i = 0; i < firewall->table_count; i++) {
		struct fw_table *table = firewall->tables[i];
		foreign |= table->foreign && strcmp(table->family, "ip") == 0;
	}
	cleanup(buf_free) struct buf output = {.max = MAX_LISTING};
	cleanup(free_ptr) char *program = foreign ? child_find("iptables-nft-save") : NULL;
	size_t before = firewall->table_count;
	if (!program) /* its conditions stay undetermined then */
		return 0;
	if (list_rules(reading, "iptables-nft-save", args, &output) ||
		fw_read_iptables(firewall, "ip", false, buf_text(&output), output.len, reading->err))
		return -1;
	for (size_t i = before; i < firewall->table_count; i++)
		for (size_t n = 0; n < before; n++)
			if (strcmp(firewall->tables[n]->family, "ip") == 0 &&
				strcmp(firewall->tables[n]->name, firewall->tables[i]->name) == 0)
				firewall->tables[n]->ignored = true;
	return 0;
}

static int read_nf_tables(struct firewall *firewall, const struct reading *reading)
{
	static const char *const args[] = {"-j", "list", "ruleset", NULL};
	cleanup(buf_free) struct buf output = {.max = MAX_LISTING};
	if (list_rules(reading, "nft", args, &output) ||
		fw_read_nft(firewall, buf_text(&output), output.len, reading->err))
		return -1;
	return read_foreign_tables(firewall, reading);
}

static int read_legacy(struct firewall *firewall, const struct reading *reading)
{
	static const char *const args[] = {NULL};
	cleanup(buf_free) struct buf output = {.max = MAX_LISTING};
	cleanup(free_ptr) char *named = child_find("iptables-legacy-save");
	const char *program = named ? "iptables-legacy-save" : "iptables-save";
	if (list_rules(reading, program, args, &output))
		return -1;
	return fw_read_iptables(firewall, "ip", true, buf_text(&output), output.len, reading->err);
}

/* NULL with err; *forbidden when it is for want of rights. */
static struct firewall *read_rules(const struct reading *reading, bool *forbidden)
{
	enum presence modern = nf_tables_presence(), legacy = legacy_presence();
	struct firewall *firewall = fw_new();
	*forbidden = modern == FORBIDDEN || legacy == FORBIDDEN;
	if (*forbidden)
		err_set(reading->err, "%s",
			geteuid()
				? "only root can read this machine's firewall"
				: "root may not read the firewall in this container (CAP_NET_ADMIN is missing)");
	if (*forbidden || (modern == PRESENT && read_nf_tables(firewall, reading)) ||
		(legacy == PRESENT && read_legacy(firewall, reading))) {
		fw_free(firewall);
		return NULL;
	}
	fw_link(firewall);
	return firewall;
}

/* --- the snapshot --------------------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock; /* held while reading too: the others want the same answer */
	struct firewall *firewall;
	bool forbidden;
	struct err err;
	int64_t read_at_us; /* 0: never */
} snapshot = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void refresh(struct deadline deadline, const struct cancel *cancel)
{
	if (snapshot.read_at_us && clock_ms_since(snapshot.read_at_us) < FRESH_MS)
		return;
	const struct reading reading = {
		deadline_sooner(deadline, deadline_in_ms(READ_MS)), cancel, &snapshot.err};
	fw_free(snapshot.firewall);
	snapshot.firewall = read_rules(&reading, &snapshot.forbidden);
	/* What was called off may be read the next time. */
	snapshot.read_at_us = cancel_fired(cancel) ? 0 : clock_mono_us();
}

/* What stands in `nft -a list chain` between the rule before and the handle of this one; a long set
 * goes over several lines. */
static void cut_rule(const char *text, const char *end, char *rule, size_t size)
{
	static const char mark[] = " # handle ";
	const char *start = text, *at;
	for (at = text; at < end && (at = strchr(at, '\n')) && at < end; at++) {
		const char *line = at;
		while (line > text && line[-1] != '\n')
			line--;
		const char *handle = strstr(line, mark);
		if (at[-1] == ';' || (handle && handle < at))
			start = at + 1;
	}
	size_t used = 0;
	for (at = start; at < end && used + 1 < size; at++) {
		char letter = *at;
		if (letter == '\t' || letter == '\n')
			letter = ' ';
		if (letter != ' ' || (used && rule[used - 1] != ' '))
			rule[used++] = letter;
	}
	rule[used] = '\0';
}

static void fetch_text(
	const struct fw_rule *rule, const struct reading *reading, struct firewall_answer *answer)
{
	const struct fw_table *table = rule->chain->table;
	const char *const args[] = {
		"-a", "list", "chain", table->family, table->name, rule->chain->name, NULL};
	cleanup(buf_free) struct buf output = {.max = MAX_RULE_TEXT};
	cleanup(free_ptr) char *mark = xasprintf(" # handle %lld\n", (long long)rule->handle);
	if (list_rules(reading, "nft", args, &output))
		return;
	const char *text = buf_text(&output), *end = strstr(text, mark);
	if (end)
		cut_rule(text, end, answer->rule, sizeof answer->rule);
}

void firewall_ask(const struct firewall_packet *packet, struct deadline deadline,
	const struct cancel *cancel, struct firewall_answer *answer)
{
	struct err err;
	const struct reading reading = {
		deadline_sooner(deadline, deadline_in_ms(READ_MS)), cancel, &err};
	*answer = (struct firewall_answer){.verdict = FIREWALL_UNKNOWN};
	pthread_mutex_lock(&snapshot.lock);
	refresh(deadline, cancel);
	if (snapshot.firewall) {
		const struct fw_rule *rule = fw_evaluate(snapshot.firewall, packet, answer);
		if (rule && !rule->text && rule->handle && answer->verdict != FIREWALL_ACCEPTS)
			fetch_text(rule, &reading, answer);
	} else {
		answer->without_rights = snapshot.forbidden;
		snprintf(answer->reason, sizeof answer->reason, "%.250s", snapshot.err.text);
	}
	pthread_mutex_unlock(&snapshot.lock);
}

const char *firewall_verdict_text(enum firewall_verdict verdict)
{
	static const char *const texts[] = {
		[FIREWALL_UNKNOWN] = "may stop",
		[FIREWALL_ACCEPTS] = "accepts",
		[FIREWALL_DROPS] = "drops",
		[FIREWALL_REJECTS] = "rejects",
	};
	return texts[verdict];
}

/* --- packets -------------------------------------------------------------------------------- */

/* The interface that has an address; "" when there is none. */
static void find_interface(struct in_addr address, char name[IF_NAMESIZE])
{
	struct ifaddrs *list = NULL;
	name[0] = '\0';
	if (getifaddrs(&list))
		return;
	for (const struct ifaddrs *one = list; one; one = one->ifa_next) {
		const struct sockaddr_in *own = (const void *)one->ifa_addr;
		if (own && own->sin_family == AF_INET && own->sin_addr.s_addr == address.s_addr)
			snprintf(name, IF_NAMESIZE, "%.15s", one->ifa_name);
	}
	freeifaddrs(list);
}

static bool is_loopback(struct in_addr address)
{
	return ntohl(address.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
}

int firewall_packet_out(
	uint8_t protocol, struct in_addr to, uint16_t port, struct firewall_packet *packet)
{
	*packet = (struct firewall_packet){.direction = FIREWALL_OUT,
		.protocol = protocol,
		.sender = FIREWALL_SENDER_KNOWN,
		.to = to,
		.to_port = port};
	if (os_source_address(to, &packet->from))
		return -1;
	if (is_loopback(to) || packet->from.s_addr == to.s_addr)
		snprintf(packet->interface, sizeof packet->interface, "lo");
	else
		find_interface(packet->from, packet->interface);
	return 0;
}

void firewall_packet_answer(const struct firewall_packet *out, struct firewall_packet *answer)
{
	*answer = *out;
	answer->direction = FIREWALL_IN;
	answer->answer = true;
	answer->from = out->to;
	answer->from_port = out->to_port;
	answer->to = out->from;
	answer->to_port = out->from_port;
}

/* Without a default route: the first address that is not of loopback. */
static int find_any_address(struct in_addr *address)
{
	struct ifaddrs *list = NULL;
	int rc = -1;
	if (getifaddrs(&list))
		return -1;
	for (const struct ifaddrs *one = list; one && rc; one = one->ifa_next) {
		const struct sockaddr_in *own = (const void *)one->ifa_addr;
		if (!own || own->sin_family != AF_INET || is_loopback(own->sin_addr))
			continue;
		*address = own->sin_addr;
		rc = 0;
	}
	freeifaddrs(list);
	return rc;
}

int firewall_packet_in(uint8_t protocol, uint16_t port, struct firewall_packet *packet)
{
	struct in_addr outside = {htonl(OUTSIDE_ADDRESS)};
	*packet = (struct firewall_packet){.direction = FIREWALL_IN,
		.protocol = protocol,
		.sender = FIREWALL_SENDER_ANY,
		.to_port = port};
	if (os_source_address(outside, &packet->to) && find_any_address(&packet->to))
		return -1;
	find_interface(packet->to, packet->interface);
	return 0;
}
