/*
 * connect: TCP to the endpoint, or to the proxy when there is one.
 *
 * Happy path: the first address that resolve found answers the SYN.
 *
 * Failure modes, for each address in turn, which shares the stage's time with those after it: the
 * kernel refuses at once (no route, no port left); a RST; an ICMP message, which the socket's error
 * queue gives with its sender and code; silence. A host-unreachable that this machine sent to
 * itself after seconds is silence too: nobody answered ARP. With a proxy the same events are the
 * proxy's causes, since another person mends them.
 */
#include "dial/transfer.h"
#include "os/icmp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

/* A path is called lossy from this many retransmissions on that are this share of what was sent;
 * a single lost segment says nothing. */
#define LOSSY_RETRANSMITS 2
#define LOSSY_PERCENT     10

#define ARP_FAILS_MS 500 /* it takes seconds; a firewall's own reject takes none */

/* How one attempt ended. */
struct attempt {
	int error;    /* errno; ETIMEDOUT for silence */
	bool at_once; /* connect() itself failed */
	bool icmp;    /* an ICMP message ended it */
	bool own;     /* which this machine sent */
	enum held_back held;
	uint8_t code; /* of destination unreachable */
	double ms;    /* until then */
	char hop[INET_ADDRSTRLEN];
};

static void local_address(int fd, char text[INET_ADDRSTRLEN])
{
	struct sockaddr_in local = {.sin_family = AF_UNSPEC};
	socklen_t len = sizeof local;
	text[0] = '\0';
	if (getsockname(fd, (struct sockaddr *)&local, &len) == 0 && local.sin_family == AF_INET &&
		local.sin_addr.s_addr != INADDR_ANY)
		inet_ntop(AF_INET, &local.sin_addr, text, INET_ADDRSTRLEN);
}

/* A SYN that got no answer was sent again: the kernel counts one that was on its way, and does not
 * count one that this machine's own rules stopped. */
static bool never_left(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_unacked &&
		   info.tcpi_total_retrans && !info.tcpi_retrans;
}

/* WAIT_READY with walker->transfer set, or how it ended in *attempt. */
static enum wait_result try_address(struct walker *walker, struct in_addr address,
	struct deadline deadline, struct attempt *attempt)
{
	int64_t start = clock_mono_us();
	struct transfer *transfer = transfer_start(walker, address, &attempt->error);
	enum wait_result result = WAIT_ERROR;
	attempt->at_once = attempt->error != 0;
	if (!attempt->error)
		result = transfer_connected(transfer, deadline, walker->options->cancel, &attempt->error);
	attempt->ms = clock_ms_since(start);
	if (result == WAIT_READY) {
		walker->transfer = transfer;
		return result;
	}
	if (result == WAIT_TIMEOUT)
		attempt->error = ETIMEDOUT;
	if (transfer->fd >= 0) {
		char local[INET_ADDRSTRLEN];
		struct icmp_notice notice = {.code = 0};
		attempt->icmp = icmp_read(transfer->fd, &notice);
		attempt->code = notice.code;
		if (notice.from.s_addr)
			inet_ntop(AF_INET, &notice.from, attempt->hop, sizeof attempt->hop);
		local_address(transfer->fd, local);
		attempt->own = attempt->hop[0] && strcmp(local, attempt->hop) == 0;
		attempt->at_once = attempt->at_once && !attempt->icmp;
		if (attempt->error == EPERM || (result == WAIT_TIMEOUT && never_left(transfer->fd)))
			attempt->held = HELD_SILENTLY;
	}
	if (attempt->own && attempt->code == ICMP_HOST_UNREACH && attempt->ms >= ARP_FAILS_MS) {
		attempt->icmp = false;
		attempt->error = ETIMEDOUT;
		evidence_add(walker->evidence, "arp", "the next hop does not answer");
	}
	if (attempt->own && attempt->icmp)
		attempt->held = HELD_REJECTED;
	transfer_free(transfer);
	return result;
}

enum outcome {
	OUTCOME_REFUSED,
	OUTCOME_PROHIBITED,
	OUTCOME_SILENT,
	OUTCOME_NO_ROUTE,
	OUTCOME_NO_PORT
};

static enum outcome outcome_of(const struct attempt *attempt)
{
	static const struct {
		int error;
		enum outcome at_once, later;
	} meanings[] = {
		{ECONNREFUSED, OUTCOME_REFUSED, OUTCOME_REFUSED},
		{ECONNRESET, OUTCOME_REFUSED, OUTCOME_REFUSED},
		{EACCES, OUTCOME_PROHIBITED, OUTCOME_PROHIBITED},
		{EPERM, OUTCOME_PROHIBITED, OUTCOME_PROHIBITED},
		{ENETUNREACH, OUTCOME_NO_ROUTE, OUTCOME_PROHIBITED},
		{EHOSTUNREACH, OUTCOME_NO_ROUTE, OUTCOME_PROHIBITED},
		{EINVAL, OUTCOME_NO_ROUTE, OUTCOME_NO_ROUTE}, /* a blackhole route */
		{EADDRNOTAVAIL, OUTCOME_NO_PORT, OUTCOME_NO_PORT},
		{EMFILE, OUTCOME_NO_PORT, OUTCOME_NO_PORT},
		{ENFILE, OUTCOME_NO_PORT, OUTCOME_NO_PORT},
	};
	if (attempt->icmp)
		return OUTCOME_PROHIBITED;
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
		if (meanings[i].error == attempt->error)
			return attempt->at_once ? meanings[i].at_once : meanings[i].later;
	return OUTCOME_SILENT;
}

/* Who mends it depends on whether it was met at the endpoint or at the proxy. */
static const struct {
	const char *words;
	enum cause at_endpoint, at_proxy;
} outcomes[] = {
	[OUTCOME_REFUSED] = {"refused", CAUSE_CONNECT_REFUSED, CAUSE_PROXY_REFUSED},
	[OUTCOME_PROHIBITED] = {"prohibited", CAUSE_CONNECT_PROHIBITED, CAUSE_PROXY_REFUSED},
	[OUTCOME_SILENT] = {"no answer", CAUSE_CONNECT_TIMEOUT, CAUSE_PROXY_TIMEOUT},
	[OUTCOME_NO_ROUTE] = {"no route", CAUSE_NO_ROUTE, CAUSE_NO_ROUTE},
	[OUTCOME_NO_PORT] = {"no local port", CAUSE_PORTS_EXHAUSTED, CAUSE_PORTS_EXHAUSTED},
};

static void attempt_evidence(struct walker *walker, const struct attempt *attempt)
{
	struct evidence *evidence = walker->evidence;
	bool prohibited = outcome_of(attempt) == OUTCOME_PROHIBITED;
	evidence_add(evidence, "error", "%s", strerror(attempt->error));
	if (prohibited && !attempt->icmp)
		evidence_add(evidence, "hop", "this machine's own routing or firewall");
	if (!attempt->icmp)
		return;
	evidence_add(evidence, "icmp", "%s", icmp_text(attempt->code));
	evidence_add(evidence, "hop", "%s%s", attempt->hop[0] ? attempt->hop : "a router or firewall",
		attempt->own ? " (this machine's own firewall)" : "");
	evidence_add(evidence, "icmp-note", ": %s says \"%s\"",
		attempt->hop[0] ? attempt->hop : "a router or firewall", icmp_text(attempt->code));
}

static void note_tried(struct walker *walker, struct buf *tried, const struct attempt *attempt)
{
	char text[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &walker->address, text, sizeof text);
	buf_printf(
		tried, "%s%s: %s", tried->len ? "; " : "", text, outcomes[outcome_of(attempt)].words);
	evidence_add(walker->evidence, "tried", "%s", buf_text(tried));
}

static void where_evidence(struct walker *walker)
{
	char text[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &walker->address, text, sizeof text);
	evidence_add(walker->evidence, "address", "%s", text);
	evidence_add(walker->evidence, "port", "%u", walker->next_port);
}

int connect_run(struct walker *walker)
{
	cleanup(buf_free) struct buf tried = {0};
	struct attempt attempt = {0};
	for (size_t i = 0; i < walker->address_count; i++) {
		int left = deadline_left_ms(walker->deadline);
		struct deadline share = walker->deadline;
		if (left > 0)
			share = deadline_sooner(share, deadline_in_ms(left / (int)(walker->address_count - i)));
		attempt = (struct attempt){.error = 0};
		walker->address = walker->addresses[i];
		where_evidence(walker);
		enum wait_result result = try_address(walker, walker->address, share, &attempt);
		if (result == WAIT_READY) {
			char local[INET_ADDRSTRLEN];
			local_address(walker->transfer->fd, local);
			evidence_add(walker->evidence, "local", "%s", local);
			if (!walker->via_proxy)
				transfer_finish(walker);
			return 0;
		}
		if (result == WAIT_CANCELLED)
			return walker_wait_failed(walker, result, CAUSE_NONE);
		if (walker->address_count > 1)
			note_tried(walker, &tried, &attempt);
	}
	attempt_evidence(walker, &attempt);
	walker->held_back = attempt.held;
	enum outcome outcome = outcome_of(&attempt);
	return walker_fail(walker,
		walker->via_proxy ? outcomes[outcome].at_proxy : outcomes[outcome].at_endpoint,
		CONFIDENCE_CERTAIN);
}

void connect_measure(struct walker *walker)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;
	if (getsockopt(conn_fd(walker->walk->conn), IPPROTO_TCP, TCP_INFO, &info, &len))
		return;
	evidence_add(walker->evidence, "rtt-ms", "%.1f", info.tcpi_rtt / 1000.0);
	if (!info.tcpi_total_retrans)
		return;
	evidence_add(walker->evidence, "retransmits", "%u", info.tcpi_total_retrans);
	evidence_add(walker->evidence, "segments", "%u", info.tcpi_segs_out);
	if (info.tcpi_total_retrans >= LOSSY_RETRANSMITS &&
		info.tcpi_total_retrans * 100 >= info.tcpi_segs_out * LOSSY_PERCENT)
		walker_warn(walker, CAUSE_PATH_LOSSY, CONFIDENCE_LIKELY);
}
