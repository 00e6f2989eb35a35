/*
 * Happy path: the name resolves to an IPv4 address that answers the SYN.
 *
 * Failure modes, each an outcome of its own: no such name (with what the connector's DNS said of
 * it), no way to the address, a RST, silence. Several addresses are tried in turn; the last one's
 * failure is told.
 */
#include "connector/reach.h"

#include "dial/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESOLVE_MS   10000
#define CONNECT_MS   8000
#define GONE_MS      20000
#define UNSENT_BYTES 65536

static int not_resolved(const struct reach *reach, const struct walk *walk, struct ending *ending)
{
	if (walk->cancelled)
		return ending_set(ending, OUTCOME_CANCELLED);
	cleanup(free_ptr) char *reason = finding_sentence(&walk->failure);
	ending_set(ending, OUTCOME_HOST_UNRESOLVED);
	evidence_add(&ending->evidence, "host", "%s", reach->host);
	evidence_add(&ending->evidence, "reason", "%s", reason);
	return -1;
}

/* "10.0.0.1, 10.0.0.2", owned by the caller; NULL with the ending. */
static char *resolve(const struct reach *reach, struct ending *ending)
{
	const struct dial_target target = {
		.host = reach->host, .port = reach->port, .protocol = DIAL_TCP};
	const struct dial_options options = {
		.root = reach->root, .overall = deadline_in_ms(RESOLVE_MS), .cancel = reach->cancel};
	struct walk walk;
	char *found = NULL;
	if (dial_resolve(&target, &options, &walk))
		not_resolved(reach, &walk, ending);
	else
		found = xstrdup(evidence_get(&walk.stages[STAGE_RESOLVE].evidence, "addresses"));
	walk_free(&walk);
	return found;
}

/* 0, or errno; ETIMEDOUT for silence, ECANCELED. */
static int await_answer(int fd, const struct cancel *cancel)
{
	int error = 0;
	socklen_t len = sizeof error;
	switch (wait_fd(fd, POLLOUT, deadline_in_ms(CONNECT_MS), cancel)) {
	case WAIT_READY:
		return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) ? errno : error;
	case WAIT_TIMEOUT:
		return ETIMEDOUT;
	case WAIT_CANCELLED:
		return ECANCELED;
	default:
		return errno;
	}
}

/* libssh makes the socket block; a write to a host that is gone ends all the same. */
static void set_options(int fd)
{
	const struct timeval patience = {.tv_sec = GONE_MS / 1000};
	const unsigned gone_ms = GONE_MS, unsent = UNSENT_BYTES;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms, sizeof gone_ms);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	/* What has to be said at last is not to stand behind seconds of what has been said before. */
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
}

static int try_address(const struct reach *reach, const char *text, int *error)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(reach->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	*error = fd < 0 ? errno : 0;
	if (fd < 0 || inet_pton(AF_INET, text, &address.sin_addr) != 1)
		return fd;
	set_options(fd);
	if (connect(fd, (struct sockaddr *)&address, sizeof address))
		*error = errno == EINPROGRESS ? await_answer(fd, reach->cancel) : errno;
	if (!*error)
		return fd;
	close(fd);
	return -1;
}

static enum outcome outcome_of(int error)
{
	static const struct {
		int error;
		enum outcome outcome;
	} rows[] = {{ECONNREFUSED, OUTCOME_HOST_REFUSED}, {ETIMEDOUT, OUTCOME_HOST_SILENT},
		{ECANCELED, OUTCOME_CANCELLED}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].error == error)
			return rows[i].outcome;
	return OUTCOME_HOST_UNREACHABLE;
}

int reach_target(const struct reach *reach, struct ending *ending)
{
	cleanup(free_ptr) char *addresses = resolve(reach, ending);
	char *rest = addresses;
	int error = EHOSTUNREACH;
	if (!addresses)
		return ending->outcome ? -1 : ending_set(ending, OUTCOME_HOST_UNRESOLVED);
	if (reach->on_connect)
		reach->on_connect(reach->data);
	for (char *one; (one = strsep(&rest, ", "));) {
		int fd = *one ? try_address(reach, one, &error) : -1;
		if (fd >= 0)
			return fd;
		if (!*one)
			continue;
		ending_set(ending, outcome_of(error));
		evidence_add(&ending->evidence, "address", "%s", one);
		evidence_add(&ending->evidence, "port", "%u", (unsigned)reach->port);
		evidence_add(&ending->evidence, "seconds", "%d", CONNECT_MS / 1000);
		evidence_add(&ending->evidence, "reason", "%s", strerror(error));
		if (error == ECANCELED)
			break;
	}
	return -1;
}
