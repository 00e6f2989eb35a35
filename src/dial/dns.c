/*
 * A question to one DNS server, by c-ares.
 *
 * Happy path: a fresh channel that knows one server; the query goes out over UDP from a random port
 * with a random id, an answer with the same question comes back, and its bytes are taken apart
 * here. c-ares is told to hand over every answer (NOCHECKRESP) and to leave TC to us (IGNTC).
 *
 * Failure modes: silence, after which c-ares sends again until the deadline; an ICMP error, whose
 * errno and sender our own socket functions keep, since c-ares reports one code for all of them
 * (port unreachable from the server means that nothing listens, from anyone else a firewall); TC
 * and then no TCP; an answer that does not parse. An answer to another question never arrives:
 * c-ares drops it, so a blind forger has to guess id and port.
 */
#include "dial/dns.h"
#include "os/icmp.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define RESEND_MS      1000 /* doubled from try to try */
#define TRIES          4
#define TCP_MS         3000
#define CHECK_DISABLED 0x10 /* in the fourth byte of the header */

struct exchange {
	bool done;
	int error; /* the last errno of its sockets, 0 for none */
	bool at_connect;
	struct in_addr hop;   /* who sent the ICMP message behind it */
	unsigned char *reply; /* owned; NULL when none came */
	size_t len;
};

/* Leaves errno as c-ares has to see it. */
static void keep_error(struct exchange *exchange, int fd, bool at_connect)
{
	int error = errno;
	if (error == EAGAIN || error == EINPROGRESS || error == EINTR)
		return;
	exchange->error = error;
	exchange->at_connect = at_connect;
	struct icmp_notice notice;
	if (fd >= 0 && icmp_read(fd, &notice))
		exchange->hop = notice.from;
	errno = error;
}

static int open_socket(int family, int type, int protocol, void *data)
{
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		keep_error(data, fd, true);
	else if (type == SOCK_DGRAM)
		icmp_watch(fd, true);
	return fd;
}

static int close_socket(int fd, void *data)
{
	(void)data;
	return close(fd);
}

static int connect_socket(int fd, const struct sockaddr *address, ares_socklen_t len, void *data)
{
	int rc = connect(fd, address, len);
	if (rc)
		keep_error(data, fd, true);
	return rc;
}

static ares_ssize_t receive(int fd, void *bytes, size_t len, int flags, struct sockaddr *from,
	ares_socklen_t *from_len, void *data)
{
	ssize_t got = recvfrom(fd, bytes, len, flags, from, from_len);
	if (got < 0)
		keep_error(data, fd, false);
	return got;
}

static ares_ssize_t send_pieces(int fd, const struct iovec *pieces, int count, void *data)
{
	struct iovec copy[4];
	size_t used = count < (int)ARRAY_LEN(copy) ? (size_t)count : ARRAY_LEN(copy);
	memcpy(copy, pieces, used * sizeof *copy);
	struct msghdr message = {.msg_iov = copy, .msg_iovlen = used};
	ssize_t put = sendmsg(fd, &message, MSG_NOSIGNAL);
	if (put < 0)
		keep_error(data, fd, false);
	return put;
}

static const struct ares_socket_functions socket_functions = {
	open_socket, close_socket, connect_socket, receive, send_pieces};

static void on_reply(void *data, int status, int timeouts, unsigned char *reply, int len)
{
	(void)timeouts;
	struct exchange *exchange = data;
	exchange->done = true;
	if (status != ARES_SUCCESS || len <= 0)
		return;
	exchange->reply = xcalloc((size_t)len, 1);
	memcpy(exchange->reply, reply, (size_t)len);
	exchange->len = (size_t)len;
}

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void start_library(void)
{
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		abort();
}

/* The one server and nothing of what this machine has configured. */
static ares_channel open_channel(
	const struct dns_question *question, bool tcp, struct exchange *exchange)
{
	pthread_once(&library_once, start_library);
	struct in_addr server = question->server;
	struct ares_options options = {
		.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_IGNTC | ARES_FLAG_NOSEARCH |
				 ARES_FLAG_NOALIASES | (tcp ? ARES_FLAG_USEVC : 0),
		.timeout = tcp ? TCP_MS : RESEND_MS,
		.tries = tcp ? 1 : TRIES, /* TCP sends again by itself */
		.udp_port = question->port,
		.tcp_port = question->port,
		.servers = &server,
		.nservers = 1,
		.resolvconf_path = (char[]){"/dev/null"},
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SERVERS |
			   ARES_OPT_DOMAINS | ARES_OPT_RESOLVCONF;
	if (question->port)
		mask |= ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT;
	ares_channel channel;
	if (ares_init_options(&channel, &options, mask) != ARES_SUCCESS)
		abort();
	ares_set_socket_functions(channel, &socket_functions, exchange);
	return channel;
}

/* Lets c-ares read and write what is ready, or look at its clock. */
static void process(ares_channel channel, const struct pollfd *fds, size_t count, bool ready)
{
	if (!ready)
		ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	for (size_t i = 0; ready && i < count; i++) {
		bool in = fds[i].revents & (POLLIN | POLLERR | POLLHUP);
		bool out = fds[i].revents & (POLLOUT | POLLERR | POLLHUP);
		if (in || out)
			ares_process_fd(
				channel, in ? fds[i].fd : ARES_SOCKET_BAD, out ? fds[i].fd : ARES_SOCKET_BAD);
	}
}

static size_t list_sockets(ares_channel channel, struct pollfd *fds)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	int bits = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
	size_t count = 0;
	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		bool in = (unsigned)bits >> i & 1;
		bool out = (unsigned)bits >> (i + ARES_GETSOCK_MAXNUM) & 1;
		if (in || out)
			fds[count++] = (struct pollfd){
				.fd = sockets[i], .events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0))};
	}
	return count;
}

/* WAIT_READY once the exchange is done, WAIT_TIMEOUT at the deadline. */
static enum wait_result drive(ares_channel channel, const struct exchange *exchange,
	struct deadline deadline, const struct cancel *cancel)
{
	while (!exchange->done) {
		struct pollfd fds[ARES_GETSOCK_MAXNUM + 1];
		size_t count = list_sockets(channel, fds);
		struct timeval next, *at = ares_timeout(channel, NULL, &next);
		struct deadline resend = deadline_never();
		if (at)
			resend = deadline_in_ms((int64_t)at->tv_sec * 1000 + at->tv_usec / 1000 + 1);
		enum wait_result result = wait_fds(fds, count, deadline_sooner(deadline, resend), cancel);
		if (result == WAIT_CANCELLED || result == WAIT_ERROR)
			return result;
		if (result == WAIT_TIMEOUT && deadline_left_ms(deadline) == 0)
			return WAIT_TIMEOUT;
		process(channel, fds, count, result == WAIT_READY);
	}
	return WAIT_READY;
}

static enum wait_result exchange_run(const struct dns_question *question, bool tcp,
	struct deadline deadline, const struct cancel *cancel, struct exchange *exchange)
{
	*exchange = (struct exchange){.done = false};
	unsigned short id;
	randombytes_buf(&id, sizeof id);
	unsigned char *query = NULL;
	int len = 0;
	if (ares_create_query(question->name, C_IN, question->type, id, 1, &query, &len, 0) !=
		ARES_SUCCESS)
		return WAIT_ERROR;
	if (question->checking_disabled)
		query[3] |= CHECK_DISABLED;
	ares_channel channel = open_channel(question, tcp, exchange);
	ares_send(channel, query, len, on_reply, exchange);
	ares_free_string(query);
	enum wait_result result = drive(channel, exchange, deadline, cancel);
	exchange->done = true;
	ares_destroy(channel);
	return result == WAIT_CANCELLED ? result : WAIT_READY;
}

/* --- one question ------------------------------------------------------------------------- */

/* Without a reply: what the sockets said, or silence. */
static enum dns_outcome outcome_of(const struct exchange *exchange, struct in_addr server)
{
	static const struct {
		int error;
		bool at_connect; /* the kernel itself knows no way */
		enum dns_outcome outcome;
	} rows[] = {
		{ECONNREFUSED, false, DNS_NO_LISTENER}, {ECONNREFUSED, true, DNS_NO_LISTENER},
		{ENETUNREACH, true, DNS_NO_ROUTE}, {EHOSTUNREACH, true, DNS_NO_ROUTE},
		{EINVAL, true, DNS_NO_ROUTE}, /* a blackhole route */
		{EACCES, true, DNS_NO_ROUTE}, /* a prohibit route, or broadcast */
	};
	if (exchange->hop.s_addr && exchange->hop.s_addr != server.s_addr)
		return DNS_UNREACHABLE;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].error == exchange->error && rows[i].at_connect == exchange->at_connect)
			return rows[i].outcome;
	return exchange->error ? DNS_UNREACHABLE : DNS_SILENT;
}

static void answer_from(
	const struct dns_question *question, struct exchange *exchange, struct dns_answer *answer)
{
	if (exchange->reply) {
		dns_classify(exchange->reply, exchange->len, question->type, answer);
	} else {
		answer->outcome = outcome_of(exchange, question->server);
		answer->error = exchange->error;
		answer->hop = exchange->hop;
	}
	free(exchange->reply);
}

enum wait_result dns_ask(const struct dns_question *question, struct deadline udp,
	struct deadline all, const struct cancel *cancel, struct dns_answer *answer)
{
	int64_t start = clock_mono_us();
	struct exchange exchange;
	*answer = (struct dns_answer){.outcome = DNS_BAD_NAME, .rcode = -1};
	udp = deadline_sooner(udp, all);
	enum wait_result result = exchange_run(question, false, udp, cancel, &exchange);
	if (result == WAIT_READY)
		answer_from(question, &exchange, answer);
	if (result == WAIT_READY && answer->outcome == DNS_TRUNCATED) {
		all = deadline_sooner(all, deadline_in_ms(TCP_MS));
		result = exchange_run(question, true, all, cancel, &exchange);
		bool answered = result == WAIT_READY && exchange.reply;
		answer_from(question, &exchange, answer);
		if (!answered || answer->outcome == DNS_TRUNCATED)
			answer->outcome = DNS_TCP_BLOCKED;
	}
	answer->ms = clock_ms_since(start);
	return result == WAIT_CANCELLED ? result : WAIT_READY;
}
