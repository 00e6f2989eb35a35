/*
 * Second tries, side by side.
 *
 * Happy path: a thread for each connects, tunnels and shakes hands; whoever asked waits for all of
 * them, which their common deadline bounds. A thread that cannot be made leaves its try unknown.
 */
#include "dial/again.h"
#include "dial/hello.h"
#include "dial/transfer.h"

#include <pthread.h>
#include <string.h>

#define STACK_BYTES ((size_t)256 * 1024)

struct job {
	const struct walker *walker;
	struct again *try;
	struct deadline deadline;
};

static int enter_and_run(struct walker *walker, enum stage stage, stage_run *run)
{
	walker->stage = stage;
	walker->evidence = &walker->walk->stages[stage].evidence;
	return run(walker);
}

/* What the walk had no answer to: any head of HTTP will do for one. */
static int ask(struct walker *walker)
{
	const struct dial_marker *marker = walker->target->marker;
	struct http_response response;
	http_response_init(&response, HELLO_MAX_BODY, false);
	exchange(
		walker, "GET", marker && marker->path ? marker->path : "/", walker->deadline, &response);
	int status = response.status;
	http_response_free(&response);
	return status > 0 ? 0 : walker_fail(walker, CAUSE_MARKER_ABSENT, CONFIDENCE_CERTAIN);
}

/* How far the walk came, or where it failed. */
static enum stage goal_of(const struct walker *first)
{
	return first->walk->failure.cause ? first->walk->failure.stage : STAGE_SECURE;
}

static int go(struct walker *walker, enum stage goal)
{
	if (enter_and_run(walker, STAGE_CONNECT, connect_run))
		return -1;
	if (walker->via_proxy && enter_and_run(walker, STAGE_TUNNEL, tunnel_run))
		return -1;
	if (goal >= STAGE_SECURE && enter_and_run(walker, STAGE_SECURE, secure_shake))
		return -1;
	return goal >= STAGE_HELLO ? enter_and_run(walker, STAGE_HELLO, ask) : 0;
}

static enum again_end end_of(const struct walker *walker, enum stage goal, int rc)
{
	const struct walk *walk = walker->walk;
	/* What a proxy says is an answer, whatever it says. */
	if (rc == 0 || (walker->stage == STAGE_TUNNEL && goal == STAGE_TUNNEL && !walk->cancelled &&
					   walk->failure.cause != CAUSE_PROXY_STALLED))
		return AGAIN_PASSED;
	if (walk->cancelled || walker->stage < goal)
		return AGAIN_UNKNOWN;
	return walker->answered && goal == STAGE_SECURE ? AGAIN_ANSWERED : AGAIN_FAILED;
}

static void *run_job(void *data)
{
	const struct job *job = data;
	const struct walker *first = job->walker;
	struct dial_options options = *first->options;
	struct walk walk = {.conn = NULL};
	struct walker walker = *first;
	options.overall = job->deadline;
	options.on_stage = NULL;
	if (first->walk->proxy)
		walk.proxy = xstrdup(first->walk->proxy);
	walker.options = &options;
	walker.walk = &walk;
	walker.variation = &job->try->changed;
	walker.deadline = job->deadline;
	walker.transfer = NULL;
	walker.addresses[0] = first->address;
	walker.address_count = 1;
	walker.answered = false;
	enum stage goal = goal_of(first);
	job->try->end = end_of(&walker, goal, go(&walker, goal));
	job->try->cause = walk.failure.cause;
	transfer_free(walker.transfer);
	walk_free(&walk);
	return NULL;
}

void again_run(const struct walker *walker, struct again *tries, size_t count, int ms)
{
	struct deadline deadline = deadline_sooner(walker->options->overall, deadline_in_ms(ms));
	struct job jobs[AGAIN_MAX];
	pthread_t threads[AGAIN_MAX];
	bool started[AGAIN_MAX] = {false};
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	for (size_t i = 0; i < count && i < AGAIN_MAX; i++) {
		tries[i].end = AGAIN_UNKNOWN;
		jobs[i] = (struct job){walker, &tries[i], deadline};
		started[i] =
			tries[i].name && pthread_create(&threads[i], &attributes, run_job, &jobs[i]) == 0;
	}
	for (size_t i = 0; i < count && i < AGAIN_MAX; i++)
		if (started[i])
			pthread_join(threads[i], NULL);
	pthread_attr_destroy(&attributes);
}

void again_evidence(const struct again *try, struct evidence *evidence)
{
	static const char *const words[] = {
		[AGAIN_UNKNOWN] = "not known",
		[AGAIN_ANSWERED] = "the endpoint answers",
		[AGAIN_PASSED] = "passes",
	};
	evidence_add(evidence, try->name, "%s",
		try->end == AGAIN_FAILED ? cause_info(try->cause)->id : words[try->end]);
}

void again_neutral_name(const char *host, char name[TOKEN_MAX_HOST + 1])
{
	static const char tail[] = ".example"; /* reserved by RFC 2606: nobody owns or lists it */
	size_t len = strlen(host);
	size_t head = len > sizeof tail ? len - (sizeof tail - 1) : 1;
	for (size_t i = 0; i < head; i++)
		name[i] = 'x';
	/* A dot where no label would stay within 63 bytes otherwise, and none at an end. */
	for (size_t i = 60; i + 1 < head; i += 60)
		name[i] = '.';
	memcpy(name + head, tail, sizeof tail);
}
