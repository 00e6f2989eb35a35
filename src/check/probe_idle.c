/*
 * How long an idle connection lives on the way out (cause idle-timeout, row B5); only with --deep.
 *
 * One endpoint stands for all that are reached the same way, so there are at most two measurements,
 * side by side: through the proxy, and directly. The hub stands before the others; among these the
 * first that speaks HTTPS and can be reached. What the endpoint itself closes in order is its own
 * limit and no finding.
 */
#include "check/probe.h"
#include "dial/idle.h"

#include <pthread.h>

#define CANDIDATES 3   /* endpoints that are tried until one can be reached */
#define END_MS     500 /* of the check's deadline, left for the report */
#define STACK      ((size_t)512 * 1024)

enum way { WAY_DIRECT, WAY_PROXY, WAY_COUNT };

struct measurement {
	const struct probe_question *question;
	struct dial_target targets[CANDIDATES];
	size_t count;
	const struct dial_target *measured; /* NULL: none could be */
	struct idle_result result;
	pthread_t thread;
	bool on_thread;
};

static enum way way_to(const struct check_options *options, const char *host, uint16_t port)
{
	char entry[256];
	if (!options->proxy->set || proxy_bypass(options->proxy, host, port, entry))
		return WAY_DIRECT;
	return WAY_PROXY;
}

static void add_candidate(struct measurement ways[WAY_COUNT], const struct check_options *options,
	const struct dial_target *target)
{
	struct measurement *way = &ways[way_to(options, target->host, target->port)];
	if (way->count < CANDIDATES)
		way->targets[way->count++] = *target;
}

static void choose_endpoints(
	struct measurement ways[WAY_COUNT], const struct check_options *options, int64_t linger_ms)
{
	const struct check_hub *hub = options->hub;
	const struct profile *profile = options->profile;
	if (hub)
		add_candidate(ways, options,
			&(struct dial_target){
				.host = hub->host,
				.port = hub->port,
				.protocol = DIAL_HUB,
				.ca_pem = hub->ca_pem,
				.hub = {.hub_key = hub->hub_key,
					.identity = hub->identity,
					.check_only = true,
					.linger_ms = linger_ms},
			});
	for (unsigned i = 0; profile && i < profile->endpoints_count; i++) {
		const struct profile_endpoint *endpoint = &profile->endpoints[i];
		if (endpoint->wildcard || endpoint->protocol != PROFILE_HTTPS)
			continue;
		add_candidate(ways, options,
			&(struct dial_target){
				.host = endpoint->host,
				.port = endpoint->port,
				.protocol = DIAL_HTTPS,
				.ca_pem = endpoint->ca_pem,
			});
	}
}

static void on_progress(void *data, int64_t idle_ms, int64_t of_ms)
{
	const struct probe_question *question = data;
	char words[64];
	snprintf(words, sizeof words, "idle for %lld s of %lld s", (long long)idle_ms / 1000,
		(long long)of_ms / 1000);
	question->on_progress(question->on_progress_data, words);
}

static void *measure(void *data)
{
	struct measurement *way = data;
	const struct check_options *options = way->question->options;
	const struct dial_options dial = {
		.proxy = options->proxy,
		.root = options->root,
		.trust = options->trust,
		.overall = way->question->deadline,
		.cancel = options->cancel,
	};
	for (size_t i = 0; i < way->count && !way->measured && !way->result.cancelled; i++) {
		struct idle_plan plan = {
			.target = &way->targets[i],
			.options = &dial,
			.on_progress = way->question->on_progress ? on_progress : NULL,
			.on_progress_data = (void *)way->question,
		};
		idle_result_free(&way->result);
		idle_measure(&plan, &way->result);
		if (way->result.verdict != IDLE_UNKNOWN)
			way->measured = &way->targets[i];
	}
	return NULL;
}

static void measure_all(struct measurement ways[WAY_COUNT])
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	struct measurement *beside = &ways[WAY_DIRECT];
	if (beside->count && ways[WAY_PROXY].count)
		beside->on_thread = pthread_create(&beside->thread, &attributes, measure, beside) == 0;
	for (int way = WAY_COUNT; way-- > 0;)
		if (!ways[way].on_thread)
			measure(&ways[way]);
	if (beside->on_thread)
		pthread_join(beside->thread, NULL);
	pthread_attr_destroy(&attributes);
}

static void blame(struct probe_answer *answer, const struct measurement *way)
{
	const struct idle_result *result = &way->result;
	char text[IDLE_TEXT_SIZE];
	struct finding *finding = probe_blame(answer, CAUSE_IDLE_TIMEOUT, CONFIDENCE_CERTAIN);
	struct evidence *evidence = &finding->evidence;
	evidence_add(evidence, "endpoint", "%s:%u", way->measured->host, way->measured->port);
	if (result->proxy)
		evidence_add(evidence, "proxy", "%s", result->proxy);
	evidence_add(
		evidence, "idle-timeout", "%s", idle_limit(result->lives_ms, result->dies_ms, text));
	if (result->lives_ms)
		evidence_add(evidence, "lives", "%s", idle_seconds(result->lives_ms, text));
	evidence_add(evidence, "dead-after", "%s", idle_seconds(result->dies_ms, text));
	evidence_add(evidence, "death", "%s",
		result->death == IDLE_RESET ? "reset when used again" : "no answer and no error");
	if (result->death == IDLE_RESET)
		evidence_add(evidence, "idle-note", " and resets them when they are used again");
}

/* What lived, in one remark for both ways. */
static void praise(struct probe_answer *answer, const struct measurement ways[WAY_COUNT])
{
	struct buf remark = {0};
	char lives[IDLE_TEXT_SIZE], closes[IDLE_TEXT_SIZE];
	for (int i = 0; i < WAY_COUNT; i++) {
		const struct measurement *way = &ways[i];
		if (!way->measured)
			continue;
		idle_seconds(way->result.lives_ms, lives);
		buf_printf(&remark, "%sidle connections to %s live at least %s", remark.len ? "; " : "",
			way->measured->host, lives);
		if (way->result.closes_ms)
			buf_printf(&remark, " (then they are closed in order from the other end, after %s)",
				idle_seconds(way->result.closes_ms, closes));
		else
			buf_puts(&remark, " (measured as long as the deadline allowed)");
		evidence_add(&answer->evidence, "lives", "%s", lives);
	}
	probe_pass(answer, buf_text(&remark));
	buf_free(&remark);
}

static void unknown(struct probe_answer *answer, const struct measurement ways[WAY_COUNT])
{
	enum cause obstacle = CAUSE_NONE;
	size_t count = 0;
	bool cancelled = false;
	for (int i = 0; i < WAY_COUNT; i++) {
		count += ways[i].count;
		cancelled |= ways[i].result.cancelled;
		obstacle = ways[i].result.obstacle ? ways[i].result.obstacle : obstacle;
	}
	if (!count)
		probe_skip(answer, "needs an endpoint that speaks HTTPS, or a hub");
	else if (cancelled)
		probe_unknown(answer, "interrupted before it was known");
	else if (obstacle)
		probe_unknown(
			answer, "no endpoint was reached to measure with (%s)", cause_info(obstacle)->id);
	else
		probe_unknown(answer, "the deadline leaves no time to measure it");
}

void probe_idle(const struct probe_question *question, struct probe_answer *answer)
{
	struct probe_question own = *question;
	struct measurement *ways = xcalloc(WAY_COUNT, sizeof *ways);
	int left_ms = deadline_left_ms(question->deadline);
	bool measured = false;
	own.deadline = deadline_in_ms(left_ms > END_MS ? left_ms - END_MS : 0);
	choose_endpoints(ways, question->options, left_ms);
	for (int i = 0; i < WAY_COUNT; i++)
		ways[i].question = &own;
	if (!question->options->proxy_invalid)
		measure_all(ways);
	for (int i = 0; i < WAY_COUNT; i++) {
		measured |= ways[i].measured != NULL;
		if (ways[i].measured && ways[i].result.verdict == IDLE_FORGOTTEN)
			blame(answer, &ways[i]);
	}
	if (!measured)
		unknown(answer, ways);
	else if (!answer->finding_count)
		praise(answer, ways);
	for (int i = 0; i < WAY_COUNT; i++)
		idle_result_free(&ways[i].result);
	free(ways);
}
