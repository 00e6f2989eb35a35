/*
 * `sallyport status`: how the service is, from what it last wrote and from whether it runs.
 *
 * Exit code 0 when it is online, 1 when it is not, for whatever reason; the reason is told.
 */
#include "agent/duration.h"
#include "agent/lock.h"
#include "agent/rhythm.h"
#include "agent/runs/runs.h"
#include "agent/state.h"
#include "agent/status.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/say.h"

#include <errno.h>
#include <string.h>

enum { OPTION_FORMAT };

static const struct cli_option options[] = {
	[OPTION_FORMAT] = {"format", "text|json", "text for people (default), or JSON"}, {0}};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_get_text(object, key);
	return text ? text : "";
}

/* Evidence that shows the path; the rest is in the JSON. */
static void say_stage(const json_t *stage)
{
	static const char *const shown[] = {
		"address", "resolver", "proxy", "proxy-status", "version", "cipher", "issuer", "status"};
	cleanup(buf_free) struct buf evidence = {0};
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		const char *value = json_get_text(json_object_get(stage, "evidence"), shown[i]);
		if (value)
			buf_printf(&evidence, "  %s %s", shown[i], value);
	}
	const char *status = text_of(stage, "status");
	if (strcmp(status, "pass") == 0 || strcmp(status, "fail") == 0)
		printf("    %-8s %-5s %7.1f ms%s\n", text_of(stage, "stage"), status,
			json_number_value(json_object_get(stage, "ms")), buf_text(&evidence));
}

static void say_since(const json_t *status)
{
	char words[DURATION_TEXT_SIZE];
	time_t since = 0;
	const char *text = text_of(status, "since");
	printf("%s since %s", text_of(status, "state"), text);
	if (clock_parse_rfc3339(text, &since) == 0 && time(NULL) >= since)
		printf(" (%s)", duration_words((int64_t)(time(NULL) - since) * 1000, words));
}

static void say_runs(const json_t *runs)
{
	cleanup(buf_free) struct buf text = {0};
	const char *state;
	json_t *count;
	json_object_foreach((json_t *)runs, state, count)
	{
		buf_printf(
			&text, "%s%lld %s", text.len ? ", " : "", (long long)json_integer_value(count), state);
	}
	if (text.len)
		say_row(stdout, "jobs", "%s", buf_text(&text));
}

static void say_status(const json_t *status)
{
	size_t i;
	json_t *stage;
	bool has_cause = *text_of(status, "cause");
	say_since(status);
	printf(has_cause ? ": %s\n" : "%s\n", text_of(status, "sentence"));
	if (has_cause)
		say_finding_json(stdout, status);
	say_row(stdout, "hub", "%s  %s", text_of(status, "hub"), text_of(status, "hub_fingerprint"));
	say_row(stdout, "machine", "%s  id %s", text_of(status, "name"), text_of(status, "server_id"));
	const json_t *proxy = json_object_get(status, "proxy");
	if (proxy)
		say_row(stdout, "proxy", "%s", json_is_string(proxy) ? json_string_value(proxy) : "none");
	const char *limit = json_get_text(json_object_get(status, "rhythm"), "idle_timeout");
	if (limit)
		say_row(stdout, "heartbeat",
			"every %s, because something on this way forgets idle connections (limit: %s)",
			text_of(json_object_get(status, "rhythm"), "heartbeat"), limit);
	say_runs(json_object_get(status, "jobs"));
	json_t *stages = json_object_get(status, "stages");
	if (json_array_size(stages))
		printf("  path\n");
	json_array_foreach(stages, i, stage) say_stage(stage);
	say_row(stdout, "agent", "%s  process %lld", text_of(status, "version"),
		(long long)json_get_int(status, "pid", 0));
}

/* What to tell when there is no status to show. */
static int say_nothing_known(
	const struct agent_paths *paths, pid_t holder, bool json, const char *problem)
{
	struct agent_state state;
	struct err err;
	enum state_result joined = state_load(paths, &state, &err);
	if (joined == STATE_LOADED)
		state_wipe(&state);
	if (json) {
		printf("{\"schema\":\"%s\",\"state\":\"%s\",\"running\":%s}\n", STATUS_SCHEMA,
			joined == STATE_ABSENT ? "not-joined" : "unknown", holder > 0 ? "true" : "false");
		return 1;
	}
	if (joined != STATE_LOADED)
		fprintf(stderr, "sallyport status: %s\n", err.text);
	else if (holder > 0)
		fprintf(stderr,
			"The service runs as process %ld, but its status cannot be read: %s\n"
			"The disk may be full; `sallyport logs` may tell more.\n",
			(long)holder, problem);
	else
		fprintf(stderr, "This machine has joined a hub, but the service does not run.\n"
						"Start it: sudo systemctl enable --now sallyport\n");
	return 1;
}

/* What the way has taught the service, where that makes its heartbeat shorter than the hub asks. */
static void add_rhythm(const struct agent_paths *paths, json_t *status)
{
	struct rhythm rhythm;
	struct session_params asked, paced;
	char words[DURATION_TEXT_SIZE];
	rhythm_load(paths, &rhythm);
	cleanup(free_ptr) char *limit = rhythm_limit(&rhythm);
	if (limit && status_load_params(paths, &asked) == 0) {
		rhythm_pace(&rhythm, &asked, &paced);
		json_object_set_new(status, "rhythm",
			json_pack("{s:I,s:s,s:s}", "heartbeat_ms", (json_int_t)paced.heartbeat_ms, "heartbeat",
				duration_words(paced.heartbeat_ms, words), "idle_timeout", limit));
	}
	rhythm_free(&rhythm);
}

/* The jobs that this machine has taken and the hub has not confirmed the end of, by state. */
static void add_runs(const struct agent_paths *paths, json_t *status)
{
	struct runs_count count;
	json_t *object = json_object();
	runs_count(paths, &count);
	for (int i = 0; i < RUN_STATUSES; i++)
		if (count.by_status[i])
			json_object_set_new(object, i == RUN_QUEUED ? "waiting" : run_status_name(i),
				json_integer(count.by_status[i]));
	json_object_set_new(status, "jobs", object);
}

static void correct_state(json_t *status, pid_t holder)
{
	json_object_set_new(status, "running", json_boolean(holder > 0));
	if (holder > 0 || strcmp(text_of(status, "state"), "stopped") == 0)
		return;
	/* It ended without a chance to say so. */
	json_object_set(status, "last_state", json_object_get(status, "state"));
	json_object_set_new(status, "state", json_string("stopped"));
}

static int show(const struct agent_paths *paths, bool json)
{
	struct err err = {""};
	pid_t holder = lock_holder(paths);
	cleanup(json_drop) json_t *status = status_load(paths, &err);
	if (!status)
		return say_nothing_known(paths, holder, json, err.text);
	correct_state(status, holder);
	add_rhythm(paths, status);
	add_runs(paths, status);
	bool online = holder > 0 && strcmp(text_of(status, "state"), "online") == 0;
	if (json) {
		json_dumpf(status, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
		fputc('\n', stdout);
		return online ? 0 : 1;
	}
	if (holder <= 0)
		printf("The service does not run. Start it: sudo systemctl start sallyport\n"
			   "What it said last:\n");
	const char *last = json_get_text(status, "last_state");
	if (last)
		json_object_set_new(status, "state", json_string(last));
	say_status(status);
	return online ? 0 : 1;
}

static int run(const struct cli_args *args)
{
	struct agent_paths paths;
	const char *format = args->values[OPTION_FORMAT] ? args->values[OPTION_FORMAT] : "text";
	bool json = strcmp(format, "json") == 0;
	if (!json && strcmp(format, "text") != 0)
		return cli_usage_error("--format: \"text\" or \"json\" was expected, not \"%s\"", format);
	paths_init(&paths, args->root);
	int rc = show(&paths, json);
	paths_free(&paths);
	return rc;
}

const struct cli_command command_status = {
	.name = "status",
	.operands = "",
	.summary = "how this machine's connection to its hub is, and why",
	.details = "Exit code 0: online. 1: anything else; the cause and its remedy are shown.",
	.example = "  sudo sallyport status\n"
			   "  sudo sallyport status --format json",
	.options = options,
	.run = run,
};
