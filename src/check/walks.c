/*
 * Happy path: up to sixteen threads take one requirement after the other, walk to its endpoint and
 * close the connection; the caller waits for all of them. A walk ends by itself at its deadline or
 * at the cancel, so joining the threads is bounded by both. What no thread reached in time stays
 * unknown, with the reason. A thread that cannot be made leaves its work to the others, and the
 * caller works too.
 */
#include "check/parts.h"

#include <pthread.h>

struct walks {
	const struct check_options *options;
	struct check_result *result;
	struct deadline overall;
	pthread_mutex_t lock; /* of what follows, and of the progress callback */
	size_t next;          /* requirement to look at */
	struct check_progress progress;
};

struct stage_watch {
	struct walks *walks;
	const char *host;
};

static void tell(struct walks *walks, const char *host, const char *stage, size_t done)
{
	pthread_mutex_lock(&walks->lock);
	walks->progress.done += done;
	walks->progress.host = host;
	walks->progress.stage = stage;
	if (walks->options->on_progress)
		walks->options->on_progress(walks->options->on_progress_data, &walks->progress);
	pthread_mutex_unlock(&walks->lock);
}

static void on_stage(void *data, enum stage stage)
{
	struct stage_watch *watch = data;
	tell(watch->walks, watch->host, stage_name(stage), 0);
}

/* What a profile says about an endpoint, in the walk's terms. */
struct aim {
	struct dial_target target;
	struct dial_marker marker;
	const char *pins[PROFILE_MAX_PINS + 1];
};

static void aim_at_endpoint(struct aim *aim, const struct profile_endpoint *endpoint)
{
	static const enum dial_protocol protocols[] = {
		[PROFILE_HTTPS] = DIAL_HTTPS, [PROFILE_TLS] = DIAL_TLS, [PROFILE_TCP] = DIAL_TCP};
	aim->target.host = endpoint->host;
	aim->target.port = endpoint->port;
	aim->target.protocol = protocols[endpoint->protocol];
	aim->target.ca_pem = endpoint->ca_pem;
	for (unsigned i = 0; i < endpoint->pins_count; i++)
		aim->pins[i] = endpoint->pins[i];
	aim->target.pins = endpoint->pins_count ? aim->pins : NULL;
	if (!endpoint->marker)
		return;
	aim->marker = (struct dial_marker){
		.path = endpoint->marker->path ? endpoint->marker->path : "/",
		.status = endpoint->marker->status,
		.header_name = endpoint->marker->header.name,
		.header_contains = endpoint->marker->header.contains,
	};
	aim->target.marker = &aim->marker;
}

static void aim_at_hub(struct aim *aim, const struct check_hub *hub)
{
	aim->target = (struct dial_target){
		.host = hub->host,
		.port = hub->port,
		.protocol = DIAL_HUB,
		.ca_pem = hub->ca_pem,
		.hub = {.hub_key = hub->hub_key, .identity = hub->identity, .check_only = true},
	};
}

static void close_walk(struct walk *walk)
{
	ws_free(walk->ws);
	walk->ws = NULL;
	conn_close(walk->conn);
	walk->conn = NULL;
}

static void walk_one(struct walks *walks, struct requirement *requirement)
{
	const struct check_options *options = walks->options;
	struct aim aim = {.target = {.host = NULL}};
	if (requirement->hub)
		aim_at_hub(&aim, requirement->hub);
	else
		aim_at_endpoint(&aim, requirement->endpoint);
	struct stage_watch watch = {walks, aim.target.host};
	struct dial_options dial = {
		.proxy = options->proxy,
		.root = options->root,
		.ask_local_dns =
			!requirement->hub && options->profile && options->profile->dns.external != WISH_UNSET,
		.overall = walks->overall,
		.cancel = options->cancel,
		.on_stage = on_stage,
		.on_stage_data = &watch,
	};
	(options->walk ? options->walk : dial_walk)(&aim.target, &dial, &requirement->walk);
	close_walk(&requirement->walk);
	requirement->walked = true;
	tell(walks, aim.target.host, requirement->walk.failure.cause ? "failed" : "done", 1);
}

static struct requirement *take_next(struct walks *walks)
{
	struct requirement *taken = NULL;
	pthread_mutex_lock(&walks->lock);
	bool over = cancel_fired(walks->options->cancel) || deadline_left_ms(walks->overall) == 0;
	while (!over && !taken && walks->next < walks->result->requirement_count) {
		struct requirement *requirement = &walks->result->requirements[walks->next++];
		if (requirement->endpoint || requirement->hub)
			taken = requirement;
	}
	pthread_mutex_unlock(&walks->lock);
	return taken;
}

static void *work(void *data)
{
	struct walks *walks = data;
	struct requirement *requirement;
	while ((requirement = take_next(walks)))
		walk_one(walks, requirement);
	return NULL;
}

static size_t count_walks(const struct check_result *result)
{
	size_t count = 0;
	for (size_t i = 0; i < result->requirement_count; i++)
		count += result->requirements[i].endpoint || result->requirements[i].hub;
	return count;
}

void walks_run(const struct check_options *options, struct check_result *result)
{
	struct walks walks = {
		.options = options,
		.result = result,
		.overall = deadline_in_ms(options->deadline_ms),
		.progress = {.total = count_walks(result)},
	};
	pthread_t threads[CHECK_MAX_THREADS - 1];
	size_t started = 0;
	pthread_mutex_init(&walks.lock, NULL);
	while (started < ARRAY_LEN(threads) && started + 1 < walks.progress.total &&
		   pthread_create(&threads[started], NULL, work, &walks) == 0)
		started++;
	work(&walks);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&walks.lock);
}
