/*
 * Second looks at the way itself: the other ways past or through a proxy, and who accepts
 * connections.
 *
 * All act on a walk that has failed already, within what its deadline leaves, and keep no
 * connection. None makes a failed walk pass, and behind a proxy nothing goes out directly (row
 * R23), except with --deep one TCP connection without a byte of data.
 */
#include "dial/stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define OTHER_WAY_MS  5000
#define NOWHERE_MS    2000
#define NOWHERE       0xc0000201 /* 192.0.2.1, TEST-NET-1 of RFC 5737: no machine has it */
#define LOOPBACK_BYTE 127

/* The direct way failed and an entry of NO_PROXY chose it. When the proxy leads there, that entry
 * is the cause. When the proxy itself says that the endpoint is unreachable, the endpoint is, and
 * its cause stays. When the proxy fails in another way the entry is still the first thing to look
 * at, unless it is the name that could not be resolved here. */
void experiment_other_way(struct walker *walker)
{
	struct finding *failure = &walker->walk->failure;
	if (!walker->bypass_entry[0] || deadline_left_ms(walker->options->overall) == 0)
		return;
	enum cause other = walker_other_way(walker, walker->options->proxy, STAGE_TUNNEL, OTHER_WAY_MS);
	if (cancel_fired(walker->options->cancel)) {
		walker->walk->cancelled = true;
		return;
	}
	bool passes = other == CAUSE_NONE;
	bool unreachable = other == CAUSE_PROXY_UPSTREAM_CONNECT || other == CAUSE_PROXY_UPSTREAM_DNS;
	cleanup(free_ptr) char *proxy = proxy_url(walker->options->proxy);
	evidence_add(&failure->evidence, "proxy", "%s", proxy);
	evidence_add(&failure->evidence, "other-way", "%s", passes ? "passes" : cause_info(other)->id);
	if (!passes && (unreachable || failure->stage == STAGE_RESOLVE))
		return;
	evidence_add(&failure->evidence, "direct-way", "%s", cause_info(failure->cause)->id);
	if (passes)
		evidence_add(&failure->evidence, "passes-with", "the proxy %s", proxy);
	finding_set(failure, CAUSE_PROXY_WRONGLY_BYPASSED, failure->stage,
		passes ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
}

/* True while an experiment may go on. */
static bool go_on(struct walker *walker)
{
	if (cancel_fired(walker->options->cancel))
		walker->walk->cancelled = true;
	return !walker->walk->cancelled && deadline_left_ms(walker->options->overall) != 0;
}

void experiment_other_proxy(struct walker *walker)
{
	struct finding *failure = &walker->walk->failure;
	const struct dial_options *options = walker->options;
	enum stage last = failure->stage < STAGE_TUNNEL ? STAGE_TUNNEL : failure->stage;
	char entry[256];
	/* With a NO_PROXY entry in force the proxy that it keeps out is the other way. */
	if (walker->bypass_entry[0])
		return;
	for (size_t i = 0; i < options->other_count && go_on(walker); i++) {
		const struct proxy_settings *other = &options->others[i];
		if (proxy_bypass(other, walker->target->host, walker->target->port, entry) ||
			walker_other_way(walker, other, last, OTHER_WAY_MS) != CAUSE_NONE || !go_on(walker))
			continue;
		cleanup(free_ptr) char *url = proxy_url(other);
		evidence_add(&failure->evidence, "passes-with", "the proxy %s of %s", url, other->origin);
		return;
	}
}

void experiment_direct_way(struct walker *walker)
{
	struct finding *failure = &walker->walk->failure;
	if (!walker->options->deep || !walker->via_proxy || !go_on(walker))
		return;
	enum cause direct = walker_other_way(walker, NULL, STAGE_CONNECT, OTHER_WAY_MS);
	if (!go_on(walker) && walker->walk->cancelled)
		return;
	evidence_add(&failure->evidence, "direct-way", "%s",
		direct == CAUSE_NONE ? "connects (TCP alone was tried)" : cause_info(direct)->id);
	if (direct == CAUSE_NONE && !evidence_get(&failure->evidence, "passes-with"))
		evidence_add(&failure->evidence, "passes-with",
			"no proxy, as far as a TCP connection shows; ask whether that is allowed");
}

static bool accepts(
	struct in_addr address, uint16_t port, struct deadline deadline, const struct cancel *cancel)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	if (fd < 0)
		return false;
	int error = connect(fd, (struct sockaddr *)&to, sizeof to) ? errno : 0;
	socklen_t len = sizeof error;
	if (error == EINPROGRESS && wait_fd(fd, POLLOUT, deadline, cancel) == WAIT_READY)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	close(fd);
	return error == 0;
}

void experiment_intercepted(struct walker *walker)
{
	struct finding *failure = &walker->walk->failure;
	bool loopback = ntohl(walker->address.s_addr) >> 24 == LOOPBACK_BYTE;
	if (walker->via_proxy || loopback)
		return;
	struct in_addr nowhere = {htonl(NOWHERE)};
	struct deadline deadline =
		deadline_sooner(walker->options->overall, deadline_in_ms(NOWHERE_MS));
	bool intercepted = accepts(nowhere, walker->next_port, deadline, walker->options->cancel);
	if (cancel_fired(walker->options->cancel))
		walker->walk->cancelled = true;
	if (walker->walk->cancelled || !intercepted)
		return;
	char text[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &walker->address, text, sizeof text);
	evidence_add(&failure->evidence, "address", "%s", text);
	evidence_add(&failure->evidence, "port", "%u", walker->next_port);
	evidence_add(&failure->evidence, "also-connects", "192.0.2.1");
	evidence_add(&failure->evidence, "met-as", "%s", cause_info(failure->cause)->id);
	finding_set(failure, CAUSE_CONNECT_INTERCEPTED, failure->stage, CONFIDENCE_CERTAIN);
}
