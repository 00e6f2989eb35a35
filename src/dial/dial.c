/*
 * The walk itself: which way, the stages in their order, their time, and what is left at the end.
 *
 * Happy path: every stage of the table up to the one that the protocol ends at passes, each under
 * its deadline, and walk->conn is open. The first stage that fails ends the walk; the experiments
 * then look again for what the failure could be mistaken for, within the walk's deadline. A cancel
 * ends it without a finding. With a proxy set the walk goes through it or fails: only an entry of
 * NO_PROXY makes it direct, and that entry is kept as evidence.
 */
#include "dial/transfer.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SECOND_LOOKS_MS 5000

static const struct stage_row {
	enum stage stage;
	stage_run *run;
	int ms; /* default deadline */
} stage_table[] = {
	{STAGE_RESOLVE, resolve_run, DIAL_STAGE_MS},
	{STAGE_CONNECT, connect_run, DIAL_STAGE_MS},
	{STAGE_TUNNEL, tunnel_run, DIAL_STAGE_MS},
	{STAGE_SECURE, secure_run, DIAL_STAGE_MS},
	{STAGE_HELLO, hello_run, DIAL_STAGE_MS},
};

static const enum stage last_stage[] = {
	[DIAL_TCP] = STAGE_TUNNEL,
	[DIAL_TLS] = STAGE_SECURE,
	[DIAL_HTTPS] = STAGE_HELLO,
	[DIAL_HTTP] = STAGE_HELLO,
	[DIAL_HUB] = STAGE_HELLO,
};

/* What every finding says, whatever stage it is from: sentences and remedies name these. */
static void common_evidence(const struct walker *walker, struct evidence *evidence)
{
	const struct proxy_settings *settings = walker->options->proxy;
	evidence_add(evidence, "endpoint", "%s", walker->endpoint);
	if (walker->bypass_entry[0]) {
		evidence_add(evidence, "no-proxy-entry", "%s", walker->bypass_entry);
		if (settings->no_proxy_origin)
			evidence_add(evidence, "no-proxy-origin", "%s", settings->no_proxy_origin);
	}
	if (!walker->via_proxy) {
		char text[INET_ADDRSTRLEN];
		if (walker->stage > STAGE_CONNECT && walker->address.s_addr)
			evidence_add(
				evidence, "address", "%s", inet_ntop(AF_INET, &walker->address, text, sizeof text));
		return;
	}
	evidence_add(evidence, "proxy", "%s", walker->walk->proxy);
	if (settings->origin)
		evidence_add(evidence, "origin", "%s", settings->origin);
	if (settings->credentials_origin)
		evidence_add(evidence, "credentials-origin", "%s", settings->credentials_origin);
}

int walker_fail(struct walker *walker, enum cause cause, enum confidence confidence)
{
	if (cancel_fired(walker->options->cancel)) {
		walker->walk->cancelled = true;
		return -1;
	}
	struct finding *failure = &walker->walk->failure;
	finding_set(failure, cause, walker->stage, confidence);
	evidence_copy(&failure->evidence, walker->evidence);
	common_evidence(walker, &failure->evidence);
	return -1;
}

int walker_wait_failed(struct walker *walker, enum wait_result result, enum cause on_timeout)
{
	if (result == WAIT_CANCELLED) {
		walker->walk->cancelled = true;
		return -1;
	}
	return walker_fail(walker, on_timeout, CONFIDENCE_CERTAIN);
}

void walker_warn(struct walker *walker, enum cause cause, enum confidence confidence)
{
	struct walk *walk = walker->walk;
	if (walk->warning_count == WALK_MAX_WARNINGS)
		return;
	struct finding *warning = &walk->warnings[walk->warning_count++];
	finding_set(warning, cause, walker->stage, confidence);
	evidence_copy(&warning->evidence, walker->evidence);
	common_evidence(walker, &warning->evidence);
}

static void enter(struct walker *walker, enum stage stage)
{
	walker->stage = stage;
	walker->evidence = &walker->walk->stages[stage].evidence;
}

/* A name goes into a URL and into CONNECT as it is, so it must be nothing but a name. */
static bool host_is_name(const char *host)
{
	size_t len = strlen(host);
	for (const char *at = host; *at; at++)
		if (!isascii(*at) || (!isalnum(*at) && !strchr("-._", *at)))
			return false;
	return len > 0 && len <= TOKEN_MAX_HOST;
}

static void choose_way(struct walker *walker, bool ignore_no_proxy)
{
	const struct proxy_settings *proxy = walker->options->proxy;
	const struct dial_target *target = walker->target;
	snprintf(walker->endpoint, sizeof walker->endpoint, "%s:%u", target->host, target->port);
	walker->next_host = target->host;
	walker->next_port = target->port;
	if (!proxy || !proxy->set)
		return;
	if (!ignore_no_proxy && proxy_bypass(proxy, target->host, target->port, walker->bypass_entry))
		return;
	walker->bypass_entry[0] = '\0';
	walker->via_proxy = true;
	walker->next_host = proxy->host;
	walker->next_port = proxy->port;
	walker->walk->proxy = proxy_url(proxy);
}

/* The stage's own time, under that of the walk; what a stage must leave of the latter is for the
 * second looks after a failure. */
static struct deadline stage_deadline(const struct walker *walker, int ms)
{
	int left = deadline_left_ms(walker->options->overall);
	if (left < 0)
		return deadline_in_ms(ms);
	int kept = left / 3 < SECOND_LOOKS_MS ? left / 3 : SECOND_LOOKS_MS;
	return deadline_in_ms(ms < left - kept ? ms : left - kept);
}

static int run_stage(struct walker *walker, const struct stage_row *row)
{
	const struct dial_options *options = walker->options;
	struct stage_record *record = &walker->walk->stages[row->stage];
	enter(walker, row->stage);
	if ((row->stage == STAGE_TUNNEL && !walker->via_proxy) ||
		(row->stage == STAGE_SECURE && walker->target->protocol == DIAL_HTTP)) {
		record->status = STAGE_SKIPPED;
		return 0;
	}
	if (options->on_stage)
		options->on_stage(options->on_stage_data, row->stage);
	int ms = options->stage_ms ? options->stage_ms : row->ms;
	walker->deadline = stage_deadline(walker, ms);
	int64_t start = clock_mono_us();
	int rc = row->run(walker);
	record->ms = clock_ms_since(start);
	record->status = rc ? STAGE_FAILED : STAGE_PASSED;
	return rc;
}

static int run_stages(struct walker *walker, enum stage last)
{
	for (size_t i = 0; i < ARRAY_LEN(stage_table) && stage_table[i].stage <= last; i++)
		if (run_stage(walker, &stage_table[i]))
			return -1;
	return 0;
}

static void close_all(struct walk *walk)
{
	ws_free(walk->ws);
	walk->ws = NULL;
	conn_close(walk->conn);
	walk->conn = NULL;
}

enum cause walker_other_way(
	const struct walker *walker, const struct proxy_settings *proxy, enum stage last, int ms)
{
	struct dial_options options = *walker->options;
	options.on_stage = NULL;
	options.proxy = proxy;
	options.overall = deadline_sooner(options.overall, deadline_in_ms(ms));
	struct walk walk = {.proxy = NULL};
	struct walker other = {.target = walker->target, .options = &options, .walk = &walk};
	choose_way(&other, true);
	int rc = run_stages(&other, last);
	enum cause cause = rc ? walk.failure.cause : CAUSE_NONE;
	transfer_free(other.transfer);
	walk_free(&walk);
	return cause;
}

static int fail_name(struct walker *walker)
{
	enter(walker, STAGE_RESOLVE);
	walker->walk->stages[STAGE_RESOLVE].status = STAGE_FAILED;
	evidence_add(walker->evidence, "name", "%s", walker->target->host);
	evidence_add(walker->evidence, "problem", "it is no host name");
	return walker_fail(walker, CAUSE_DNS_NXDOMAIN, CONFIDENCE_CERTAIN);
}

int dial_walk(
	const struct dial_target *target, const struct dial_options *options, struct walk *walk)
{
	int64_t start = clock_mono_us();
	*walk = (struct walk){.conn = NULL};
	struct walker walker = {.target = target, .options = options, .walk = walk};
	choose_way(&walker, false);
	int rc = host_is_name(target->host) ? run_stages(&walker, last_stage[target->protocol])
										: fail_name(&walker);
	if (rc == 0) {
		enter(&walker, STAGE_CONNECT);
		connect_measure(&walker);
		if (options->deep)
			experiments_deep(&walker);
	} else {
		if (!walk->cancelled)
			experiments_run(&walker);
		close_all(walk);
	}
	if (walk->cancelled)
		finding_free(&walk->failure);
	transfer_free(walker.transfer);
	walk->elapsed_ms = clock_ms_since(start);
	return rc;
}

int dial_resolve(
	const struct dial_target *target, const struct dial_options *options, struct walk *walk)
{
	int64_t start = clock_mono_us();
	struct dial_options direct = *options;
	direct.proxy = NULL;
	*walk = (struct walk){.conn = NULL};
	struct walker walker = {.target = target, .options = &direct, .walk = walk};
	choose_way(&walker, false);
	int rc = host_is_name(target->host) ? run_stages(&walker, STAGE_RESOLVE) : fail_name(&walker);
	if (walk->cancelled)
		finding_free(&walk->failure);
	walk->elapsed_ms = clock_ms_since(start);
	return rc;
}

json_t *walk_to_json(const struct walk *walk)
{
	static const char *const words[] = {
		[STAGE_PASSED] = "pass",
		[STAGE_SKIPPED] = "skipped",
		[STAGE_FAILED] = "fail",
	};
	json_t *list = json_array();
	for (size_t i = 0; i < ARRAY_LEN(stage_table); i++) {
		const struct stage_record *record = &walk->stages[stage_table[i].stage];
		if (record->status == STAGE_NOT_REACHED)
			continue;
		json_t *evidence = json_object();
		for (size_t n = 0; n < record->evidence.count; n++)
			json_object_set_new(evidence, record->evidence.items[n].name,
				json_string(record->evidence.items[n].value));
		/* Three decimals say as much as the clock does. */
		double ms = (double)(int64_t)(record->ms * 1000.0 + 0.5) / 1000.0;
		/* A stage that was called off has not failed. */
		const char *word =
			record->status == STAGE_FAILED && walk->cancelled ? "unknown" : words[record->status];
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:f, s:o}", "stage", stage_name(stage_table[i].stage),
					  "status", word, "ms", ms, "evidence", evidence));
	}
	return list;
}

void walk_free(struct walk *walk)
{
	close_all(walk);
	for (size_t i = 0; i < STAGE_COUNT; i++)
		evidence_free(&walk->stages[i].evidence);
	finding_free(&walk->failure);
	for (size_t i = 0; i < walk->warning_count; i++)
		finding_free(&walk->warnings[i]);
	json_decref(walk->welcome);
	json_decref(walk->discovery);
	free(walk->private_ca);
	free(walk->proxy);
	*walk = (struct walk){.conn = NULL};
}
