/*
 * Everything that is tried, side by side: the walks first, then the probes of this machine.
 *
 * Happy path: up to sixteen threads take one requirement after the other and walk or probe; the
 * caller works too and waits for all of them. Each ends by itself at its deadline or at the cancel,
 * so joining the threads is bounded by both. What no thread reached in time stays unknown, with the
 * reason. A thread that cannot be made leaves its work to the others.
 */
#include "check/parts.h"

#include "dial/trust.h"
#include "os/os.h"

#include <pthread.h>

#define STACK_BYTES ((size_t)512 * 1024)

struct tries {
	const struct check_options *options;
	struct check_result *result;
	struct deadline overall;
	pthread_mutex_t lock; /* of what follows, and of the progress callback */
	size_t next;          /* of order */
	size_t *order; /* owned; indexes of requirements: walks, which take longest, come first */
	size_t count;
	struct check_progress progress;
};

struct stage_watch {
	struct tries *tries;
	const char *name;
};

static void tell(struct tries *tries, const char *name, const char *stage, size_t done)
{
	pthread_mutex_lock(&tries->lock);
	tries->progress.done += done;
	tries->progress.host = name;
	tries->progress.stage = stage;
	if (tries->options->on_progress)
		tries->options->on_progress(tries->options->on_progress_data, &tries->progress);
	pthread_mutex_unlock(&tries->lock);
}

static void on_stage(void *data, enum stage stage)
{
	struct stage_watch *watch = data;
	tell(watch->tries, watch->name, stage_name(stage), 0);
}

static bool is_walked(const struct requirement *requirement)
{
	return requirement->endpoint || requirement->hub;
}

static probe_find_fn *finder(const struct check_options *options)
{
	return options->find_probe ? options->find_probe : probe_find;
}

static void walk_one(struct tries *tries, struct requirement *requirement)
{
	struct stage_watch watch = {tries, walk_host(requirement)};
	walk_to(tries->options, tries->overall, &(struct walk_watch){on_stage, &watch}, requirement);
	tell(tries, watch.name, requirement->walk.failure.cause ? "failed" : "done", 1);
}

struct probe_watch {
	struct tries *tries;
	const char *id;
};

static void on_words(void *data, const char *words)
{
	struct probe_watch *watch = data;
	tell(watch->tries, watch->id, words, 0);
}

static void probe_one(struct tries *tries, struct requirement *requirement)
{
	struct probe_watch watch = {tries, requirement->id};
	const struct probe_question question = {
		.options = tries->options,
		.requirement = requirement,
		.deadline = tries->overall,
		.on_progress = tries->options->on_progress ? on_words : NULL,
		.on_progress_data = &watch,
	};
	tell(tries, requirement->id, "looking", 0);
	int64_t start = clock_mono_us();
	finder(tries->options)(requirement->id)(&question, &requirement->answer);
	requirement->answer.ms = clock_ms_since(start);
	requirement->probed = true;
	tell(tries, requirement->id, "done", 1);
}

static struct requirement *take_next(struct tries *tries)
{
	struct requirement *taken = NULL;
	pthread_mutex_lock(&tries->lock);
	bool over = cancel_fired(tries->options->cancel) || deadline_left_ms(tries->overall) == 0;
	if (!over && tries->next < tries->count)
		taken = &tries->result->requirements[tries->order[tries->next++]];
	pthread_mutex_unlock(&tries->lock);
	return taken;
}

static void *work(void *data)
{
	struct tries *tries = data;
	struct requirement *requirement;
	while ((requirement = take_next(tries)))
		is_walked(requirement) ? walk_one(tries, requirement) : probe_one(tries, requirement);
	return NULL;
}

static void put_in_order(struct tries *tries)
{
	const struct check_result *result = tries->result;
	tries->order = xcalloc(result->requirement_count + 1, sizeof *tries->order);
	for (size_t i = 0; !tries->options->proxy_invalid && i < result->requirement_count; i++)
		if (is_walked(&result->requirements[i]))
			tries->order[tries->count++] = i;
	for (size_t i = 0; i < result->requirement_count; i++) {
		const struct requirement *requirement = &result->requirements[i];
		/* What is skipped already belongs to another system. */
		if (!is_walked(requirement) && requirement->status == REQUIREMENT_UNKNOWN &&
			finder(tries->options)(requirement->id))
			tries->order[tries->count++] = i;
	}
	tries->progress.total = tries->count;
}

void tries_run(const struct check_options *options, struct check_result *result)
{
	struct check_options lent = *options;
	struct tries tries = {
		.options = &lent,
		.result = result,
		.overall = deadline_in_ms(options->deadline_ms),
	};
	pthread_t threads[CHECK_MAX_THREADS - 1];
	pthread_attr_t attributes;
	size_t started = 0;
	/* Read while the walks resolve and connect. */
	lent.trust = options->walk ? NULL : trust_open(os_ca_bundle(), os_public_roots());
	put_in_order(&tries);
	pthread_mutex_init(&tries.lock, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	while (started < ARRAY_LEN(threads) && started + 1 < tries.count &&
		   pthread_create(&threads[started], &attributes, work, &tries) == 0)
		started++;
	work(&tries);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_attr_destroy(&attributes);
	pthread_mutex_destroy(&tries.lock);
	trust_close(lent.trust);
	free(tries.order);
}
