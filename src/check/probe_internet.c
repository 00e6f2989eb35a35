/*
 * internet (row R6): is the Internet there, for downloads?
 *
 * Happy path: of a few independent HTTPS hosts, walked side by side with the code and the proxy
 * settings of every other walk, one gets through; the others are called off then.
 *
 * Failure modes: none gets through, and the first one's cause is told, with the names of all that
 * met the same. A portal may let nothing but plain HTTP through, to answer it itself; so where the
 * way is a direct one, a page over plain HTTP whose content is known is asked for at the same time.
 * A closed port 80 says nothing. With a proxy setting that cannot be used nothing is tried.
 */
#include "check/probe_hosts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define STACK_BYTES ((size_t)512 * 1024)
#define LOOKS_MAX   (PROFILE_MAX_HOSTS + 1)

static const char *const built_in[] = {"deb.debian.org", "www.iana.org"};

/* What NetworkManager asks on Debian: its server says so in the page. */
static const struct dial_marker online_page = {
	.path = "/nm", .status = 200, .body_begins = "NetworkManager is online"};
static const struct dial_target online = {
	.host = "network-test.debian.org", .port = 80, .protocol = DIAL_HTTP, .marker = &online_page};

/* One host, on a thread of its own. */
struct look {
	struct dial_target target;
	const struct dial_options *options;
	check_walk_fn *walk_fn;
	pthread_t thread;
	bool started;
	atomic_bool passed;
	struct cancel ended; /* fired at the end */
	struct walk walk;
};

struct looks {
	struct look list[LOOKS_MAX];
	size_t count, https; /* the plain one, if any, is last */
	struct cancel stop;
};

size_t internet_hosts(const struct profile *profile, const char *hosts[PROFILE_MAX_HOSTS])
{
	bool named = profile && profile->internet_hosts_count;
	size_t count = named ? profile->internet_hosts_count : ARRAY_LEN(built_in);
	for (size_t i = 0; i < count; i++)
		hosts[i] = named ? profile->internet_hosts[i] : built_in[i];
	return count;
}

static void *take_look(void *data)
{
	struct look *look = data;
	look->passed = look->walk_fn(&look->target, look->options, &look->walk) == 0;
	conn_close(look->walk.conn);
	look->walk.conn = NULL;
	cancel_fire(&look->ended);
	return NULL;
}

static void add_look(struct looks *looks, const struct dial_target *target,
	const struct dial_options *dial, check_walk_fn *walk_fn)
{
	pthread_attr_t attributes;
	struct look *look = &looks->list[looks->count];
	*look = (struct look){.target = *target, .options = dial, .walk_fn = walk_fn};
	if (cancel_init(&look->ended))
		return;
	looks->count++;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	look->started = pthread_create(&look->thread, &attributes, take_look, look) == 0;
	pthread_attr_destroy(&attributes);
	if (!look->started)
		take_look(look);
}

/* Until one has passed, all have ended, or the check is called off. */
static void await(struct looks *looks, struct deadline deadline, const struct cancel *cancel)
{
	for (;;) {
		struct pollfd fds[LOOKS_MAX + 1];
		size_t running = 0;
		bool passed = false;
		for (size_t i = 0; i < looks->count; i++) {
			passed = passed || (i < looks->https && looks->list[i].passed);
			if (!cancel_fired(&looks->list[i].ended))
				fds[running++] = (struct pollfd){.fd = looks->list[i].ended.fd, .events = POLLIN};
		}
		if (passed || !running)
			break;
		enum wait_result result = wait_fds(fds, running, deadline, cancel);
		if (result == WAIT_CANCELLED || result == WAIT_ERROR)
			break;
		if (result == WAIT_TIMEOUT) /* they have the same deadline */
			deadline = deadline_never();
	}
	cancel_fire(&looks->stop);
	for (size_t i = 0; i < looks->count; i++)
		if (looks->list[i].started)
			pthread_join(looks->list[i].thread, NULL);
}

/* --- what they say ------------------------------------------------------------------------------
 */

static void list_hosts(const struct looks *looks, struct evidence *evidence)
{
	struct buf text = {.max = 300};
	for (size_t i = 0; i < looks->count; i++) {
		const struct look *look = &looks->list[i];
		const char *scheme = look->target.protocol == DIAL_HTTP ? "http://" : "";
		if (!look->passed && !look->walk.failure.cause)
			continue; /* called off */
		buf_printf(&text, "%s%s%s: %s", text.len ? "; " : "", scheme, look->target.host,
			look->passed ? "passes" : cause_info(look->walk.failure.cause)->id);
	}
	evidence_add(evidence, "hosts", "%s", buf_text(&text));
	buf_free(&text);
}

/* A page that is none of the host's own, in its place; NULL when nothing of the kind was seen. */
static struct finding *foreign_page(struct looks *looks)
{
	if (looks->count == looks->https)
		return NULL;
	struct finding *failure = &looks->list[looks->https].walk.failure;
	const char *met_as = evidence_get(&failure->evidence, "met-as");
	bool another_page = failure->cause == CAUSE_MARKER_ABSENT ||
						(failure->cause == CAUSE_CONNECT_INTERCEPTED &&
							text_equals(met_as, cause_info(CAUSE_MARKER_ABSENT)->id));
	if (another_page && text_equals(evidence_get(&failure->evidence, "status"), "200"))
		finding_set(failure, CAUSE_CAPTIVE_PORTAL, failure->stage, CONFIDENCE_LIKELY);
	bool foreign = failure->cause == CAUSE_CAPTIVE_PORTAL || failure->cause == CAUSE_BLOCK_PAGE;
	return foreign ? failure : NULL;
}

static void judge(struct looks *looks, struct probe_answer *answer)
{
	const struct finding *first = foreign_page(looks);
	bool passed = false;
	for (size_t i = 0; i < looks->https; i++) {
		passed = passed || looks->list[i].passed;
		if (!first && looks->list[i].walk.failure.cause)
			first = &looks->list[i].walk.failure;
	}
	list_hosts(looks, &answer->evidence);
	if (looks->https && looks->list[0].walk.proxy)
		evidence_add(&answer->evidence, "proxy", "%s", looks->list[0].walk.proxy);
	if (passed) {
		probe_pass(answer, NULL);
		return;
	}
	if (!first) {
		probe_unknown(answer, "interrupted before it was known");
		return;
	}
	probe_blame_finding(answer, first);
	for (size_t i = 0; i < looks->https; i++) {
		const struct finding *other = &looks->list[i].walk.failure;
		if (other != first && other->cause == first->cause)
			probe_blame_finding(answer, other);
	}
}

void probe_internet(const struct probe_question *question, struct probe_answer *answer)
{
	const struct check_options *options = question->options;
	check_walk_fn *walk_fn = options->walk ? options->walk : dial_walk;
	const char *hosts[PROFILE_MAX_HOSTS];
	char entry[256];
	struct looks looks = {.count = 0};
	if (options->proxy_invalid) {
		probe_blame_finding(answer, options->proxy_invalid);
		return;
	}
	if (cancel_init(&looks.stop)) {
		probe_unknown(answer, "this machine has no free file descriptor for it");
		return;
	}
	const struct dial_options dial = {
		.proxy = options->proxy,
		.others = options->other_proxies,
		.other_count = options->other_proxy_count,
		.root = options->root,
		.trust = options->trust,
		.overall = question->deadline,
		.cancel = &looks.stop,
	};
	size_t count = internet_hosts(options->profile, hosts);
	for (size_t i = 0; i < count; i++)
		add_look(&looks,
			&(struct dial_target){.host = hosts[i], .port = 443, .protocol = DIAL_HTTPS}, &dial,
			walk_fn);
	looks.https = looks.count;
	if (!options->proxy->set || proxy_bypass(options->proxy, online.host, online.port, entry))
		add_look(&looks, &online, &dial, walk_fn);
	await(&looks, question->deadline, options->cancel);
	judge(&looks, answer);
	for (size_t i = 0; i < looks.count; i++) {
		walk_free(&looks.list[i].walk);
		cancel_fini(&looks.list[i].ended);
	}
	cancel_fini(&looks.stop);
}
