/*
 * `sallyport check`: tries everything that a profile or the hub asks of this machine and tells why
 * it fails.
 *
 * The happy path reads the profile, this machine's state and the proxy settings, runs the check and
 * writes one report to standard output. Failure modes: what the caller asks for cannot be read
 * (exit 2, nothing is tried); SIGINT or SIGTERM (the walks end at once and the report is partial;
 * with --watch it is how it ends, and the exit code is that of the last whole run);
 * a report that cannot be written (exit 2). Everything else is a finding in the report.
 */
#include "agent/lock.h"
#include "agent/state.h"
#include "check/changes.h"
#include "check/check.h"
#include "base/json.h"
#include "check/hub_url.h"
#include "check/proxy_split.h"
#include "check/report.h"
#include "cli/commands.h"
#include "os/os.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define WATCH_DEFAULT_S 10L
#define PLACES_MS       10000

enum {
	OPTION_PROFILE,
	OPTION_SET,
	OPTION_HUB,
	OPTION_FORMAT,
	OPTION_DEEP,
	OPTION_DEADLINE,
	OPTION_WATCH
};

static const struct cli_option options[] = {
	[OPTION_PROFILE] = {"profile", "ID|FILE",
		"what to check: a profile of `sallyport profiles`, or a file (with a slash, or ending in "
		".yaml)"},
	[OPTION_SET] = {"set", "NAME=VALUE...",
		"give a variable of the profile a value, as region=eu-west-1"},
	[OPTION_HUB] = {"hub", "URL", "check the way to this hub; joined machines know theirs"},
	[OPTION_FORMAT] = {"format", "FORMAT", "text (the default), json or junit"},
	[OPTION_DEEP] = {"deep", NULL,
		"also run experiments that take longer, and measure how long an idle connection lives on "
		"the "
		"way out: as long as the deadline allows"},
	[OPTION_DEADLINE] = {"deadline", "SECONDS",
		"give up after this long (default 30, with --deep 180)"},
	[OPTION_WATCH] = {"watch", "[SECONDS]",
		"check again so long after the end of each run (default 10), until interrupted, and print "
		"what has changed; with --format json a report a line"},
	{0}};

/* Everything that one run holds. */
struct job {
	const struct cli_args *args;
	struct check_options check;
	struct profile *profile;
	struct check_hub hub, places[ENDPOINT_COUNT];
	struct endpoints endpoints; /* of a hub that this machine has not joined */
	struct hub_url hub_url;
	bool stranger;            /* it is one, so only itself knows where its roles are */
	struct agent_state state; /* wiped at the end */
	bool joined;
	struct proxy_settings proxy;
	struct proxy_settings others[PROXY_MAX_OTHERS];
	size_t other_count;
	struct finding proxy_invalid, proxy_split;
	struct os_host host;
	const struct report_format *format;
	int64_t watch_ms; /* 0: run once */
};

static struct cancel cancel = {-1};

static void on_signal(int number)
{
	(void)number;
	int saved = errno;
	cancel_fire(&cancel);
	errno = saved;
}

/* The first signal ends the walks, a second one the program. */
static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void on_progress(void *data, const struct check_progress *progress)
{
	(void)data;
	fprintf(stderr, "\r\033[K%zu of %zu, %.50s: %s", progress->done, progress->total,
		progress->host, progress->stage);
}

static int take_profile(struct job *job)
{
	const char *name = job->args->values[OPTION_PROFILE];
	const char *settings = job->args->values[OPTION_SET];
	struct err err;
	if (!name && settings)
		return cli_usage_error("--set needs --profile: it is for the variables of a profile");
	if (!name)
		return 0;
	cleanup(free_ptr) char *own_path = os_own_path();
	const struct profile_places places = {job->args->root, own_path};
	job->profile = profile_find(&places, name, &err);
	if (!job->profile || (settings && profile_set(job->profile, settings, &err))) {
		fprintf(stderr, "sallyport check: %s\n", err.text);
		return CLI_USAGE;
	}
	job->check.profile = job->profile;
	return 0;
}

static enum state_result load_state(struct job *job, struct err *err)
{
	struct agent_paths paths;
	paths_init(&paths, job->args->root);
	enum state_result loaded = state_load(&paths, &job->state, err);
	paths_free(&paths);
	job->joined = loaded == STATE_LOADED;
	return loaded;
}

/* The hub that this machine has joined is known by its key; to another one it is a stranger. */
static void aim_at_hub(struct job *job)
{
	const struct agent_state *state = &job->state;
	job->hub = (struct check_hub){.host = job->hub_url.host, .port = job->hub_url.port};
	job->check.hub = &job->hub;
	job->stranger =
		!job->joined ||
		!(endpoints_has(&state->endpoints, job->hub.host, job->hub.port) ||
			(strcasecmp(job->hub.host, state->hub_host) == 0 && job->hub.port == state->hub_port));
	if (job->stranger)
		return;
	job->hub.hub_key = state->hub_key;
	job->hub.ca_pem = state->private_ca;
	job->hub.identity = &state->identity;
	job->check.hub = check_hub_places(&job->hub, &state->endpoints, job->places);
}

static int take_named_hub(struct job *job, const char *text)
{
	struct err err;
	if (hub_url_parse(text, &job->hub_url, &err))
		return cli_usage_error("--hub: %s", err.text);
	if (load_state(job, &err) == STATE_BROKEN)
		fprintf(
			stderr, "sallyport check: as a machine that has not joined, because: %s\n", err.text);
	aim_at_hub(job);
	return 0;
}

static int take_hub(struct job *job)
{
	const char *text = job->args->values[OPTION_HUB];
	struct err err;
	if (text)
		return take_named_hub(job, text);
	if (job->profile)
		return 0;
	if (load_state(job, &err) == STATE_BROKEN) {
		fprintf(stderr, "sallyport check: %s\n", err.text);
		return CLI_USAGE;
	}
	if (!job->joined)
		return cli_usage_error(
			"this machine has joined no hub, so say what to check: --profile ID (see `sallyport "
			"profiles`) or --hub URL");
	snprintf(job->hub_url.host, sizeof job->hub_url.host, "%s", job->state.hub_host);
	job->hub_url.port = job->state.hub_port;
	aim_at_hub(job);
	return 0;
}

static int take_format(struct job *job)
{
	const char *name = job->args->values[OPTION_FORMAT];
	job->format = report_format_find(name ? name : "text");
	if (job->format)
		return 0;
	return cli_usage_error("--format: text, json or junit was expected, not \"%s\"", name);
}

static int take_deadline(struct job *job)
{
	const char *text = job->args->values[OPTION_DEADLINE];
	bool deep = job->args->values[OPTION_DEEP] != NULL;
	long seconds = text ? cli_number("deadline", text, 1, 3600)
						: (long)(deep ? CHECK_DEEP_DEADLINE_S : CHECK_DEFAULT_DEADLINE_S);
	job->check.deadline_ms = seconds * 1000;
	return seconds < 0 ? CLI_USAGE : 0;
}

/* What is said of the agent on this machine, as far as this user may see it. */
static void take_agent(struct job *job)
{
	struct agent_paths paths;
	paths_init(&paths, job->args->root);
	bool there = access(paths.identity, F_OK) == 0;
	bool hidden = !there && errno == EACCES;
	job->check.joined = there ? CHECK_JOINED : hidden ? CHECK_JOINED_UNKNOWN : CHECK_NOT_JOINED;
	job->check.agent_pid = lock_holder(&paths);
	paths_free(&paths);
}

static void take_machine(struct job *job)
{
	if (os_host_read(&job->host, NULL))
		snprintf(job->host.name, sizeof job->host.name, "unknown");
	job->check.host_name = job->host.name;
	job->check.host_os = *job->host.os_name ? job->host.os_name : job->host.platform;
	job->check.platform = *job->host.platform ? job->host.platform : "linux";
	job->check.root = job->args->root;
}

/* The agent says so in the environment of the check that it starts: then there is no shell to
 * compare with. */
static bool runs_as_service(void)
{
	return getenv("SALLYPORT_SERVICE") != NULL;
}

static void compare_with_service(struct job *job)
{
	const char *root = job->args->root;
	bool joined = job->check.joined == CHECK_JOINED;
	if (proxy_split_find(&job->proxy, joined, root, &job->proxy_split))
		job->check.proxy_split = &job->proxy_split;
	job->check.service_proxy_hidden = proxy_split_hidden(&job->proxy, root);
}

/* Read anew before every run, as the service does before every walk. */
static void take_proxy(struct job *job)
{
	const char *root = job->args->root;
	job->check.proxy = &job->proxy;
	job->check.proxy_invalid = job->check.proxy_split = NULL;
	job->check.other_proxy_count = 0;
	job->check.service_proxy_hidden = false;
	if (proxy_settings_read(environ, root, &job->proxy, &job->proxy_invalid)) {
		job->check.proxy_invalid = &job->proxy_invalid;
		return;
	}
	job->other_count = proxy_settings_others(environ, root, &job->proxy, job->others);
	job->check.other_proxies = job->others;
	job->check.other_proxy_count = job->other_count;
	if (!runs_as_service())
		compare_with_service(job);
}

static void drop_proxy(struct job *job)
{
	proxy_settings_free(&job->proxy);
	while (job->other_count)
		proxy_settings_free(&job->others[--job->other_count]);
	finding_free(&job->proxy_invalid);
	finding_free(&job->proxy_split);
}

static int flush_report(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	fprintf(stderr, "sallyport check: the report cannot be written: %s\n", strerror(errno));
	return CLI_USAGE;
}

/* The hub's discovery document, from the walk that has just been done or from another one over the
 * same way; NULL when it cannot be had. New reference. */
static json_t *ask_discovery(struct job *job, const struct check_result *result)
{
	const struct dial_options way = {
		.proxy = &job->proxy,
		.root = job->args->root,
		.overall = deadline_in_ms(PLACES_MS),
		.cancel = &cancel,
	};
	const struct dial_target target = {
		.host = job->hub.host,
		.port = job->hub.port,
		.protocol = DIAL_HUB,
		.hub = {.check_only = true, .plain_proof = true},
	};
	const struct requirement *first = result->requirements;
	struct walk walk;
	if (first->walk.discovery || first->status != REQUIREMENT_PASS)
		return json_incref(first->walk.discovery);
	dial_walk(&target, &way, &walk);
	json_t *discovery = json_incref(walk.discovery);
	walk_free(&walk);
	return discovery;
}

/* True when the hub has its roles at several places, which then are what is to be checked. */
static bool ask_places(struct job *job, const struct check_result *result)
{
	cleanup(json_drop) json_t *discovery = NULL;
	if (!job->check.hub || result->interrupted || job->check.proxy_invalid)
		return false;
	discovery = ask_discovery(job, result);
	job->stranger = false; /* for --watch: asked once */
	if (endpoints_read(json_object_get(discovery, "endpoints"), &job->endpoints, NULL))
		return false;
	job->check.hub = check_hub_places(&job->hub, &job->endpoints, job->places);
	if (job->check.hub->next)
		return true;
	job->check.hub = &job->hub;
	return false;
}

static void run_once(struct job *job, struct check_result *result)
{
	bool watched = isatty(STDERR_FILENO);
	take_agent(job);
	take_proxy(job);
	job->check.on_progress = watched ? on_progress : NULL;
	check_run(&job->check, result);
	if (job->stranger && ask_places(job, result)) {
		check_result_free(result);
		check_run(&job->check, result);
	}
	if (watched)
		fputs("\r\033[K", stderr);
}

static void write_change(
	const struct job *job, const struct changes *before, const struct check_result *result)
{
	bool colour = cli_colour(STDOUT_FILENO);
	if (strcmp(job->format->name, "json") == 0)
		report_json_line(stdout, result);
	else if (before->any)
		changes_print(stdout, before, result, colour);
	else
		job->format->write(stdout, result, colour);
}

/* The first run is reported whole; one that is cut short by the signal that ends all only when
 * there is no other. */
static int watch(struct job *job)
{
	struct changes before = {.any = false};
	int code = 0, unwritten = 0;
	do {
		struct check_result result;
		run_once(job, &result);
		if (!before.any || !result.interrupted) {
			code = check_exit_code(result.verdict);
			if (changes_since(&before, &result))
				write_change(job, &before, &result);
			unwritten = flush_report();
			changes_keep(&before, &result);
		}
		check_result_free(&result);
		drop_proxy(job);
	} while (!unwritten && wait_fd(-1, 0, deadline_in_ms(job->watch_ms), &cancel) == WAIT_TIMEOUT);
	changes_free(&before);
	return unwritten ? unwritten : code;
}

static int report_once(struct job *job)
{
	struct check_result result;
	run_once(job, &result);
	job->format->write(stdout, &result, cli_colour(STDOUT_FILENO));
	int unwritten = flush_report();
	int code = check_exit_code(result.verdict);
	check_result_free(&result);
	drop_proxy(job);
	return unwritten ? unwritten : code;
}

static int run_check(struct job *job)
{
	if (cancel_init(&cancel)) {
		fprintf(stderr, "sallyport check: %s\n", strerror(errno));
		return CLI_USAGE;
	}
	catch_signals();
	job->check.cancel = &cancel;
	take_machine(job);
	job->check.deep = job->args->values[OPTION_DEEP] != NULL;
	int code = job->watch_ms ? watch(job) : report_once(job);
	cancel_fini(&cancel);
	return code;
}

static int take_watch(struct job *job)
{
	const char *text = job->args->values[OPTION_WATCH];
	if (!text)
		return 0;
	long seconds = *text ? cli_number("watch", text, 1, 86400) : WATCH_DEFAULT_S;
	if (seconds > 0 && strcmp(job->format->name, "junit") == 0)
		return cli_usage_error("--watch: with --format text or json");
	job->watch_ms = seconds * 1000;
	return seconds < 0 ? CLI_USAGE : 0;
}

static int run(const struct cli_args *args)
{
	struct job job = {.args = args};
	int rc = take_format(&job);
	if (!rc)
		rc = take_deadline(&job);
	if (!rc)
		rc = take_watch(&job);
	if (!rc)
		rc = take_profile(&job);
	if (!rc)
		rc = take_hub(&job);
	if (!rc)
		rc = run_check(&job);
	profile_free(job.profile);
	state_wipe(&job.state);
	return rc;
}

const struct cli_command command_check = {
	.name = "check",
	.operands = "",
	.summary = "try the way out and tell what is in it",
	.details =
		"Walks to every endpoint of a profile, or to the hub, exactly as the service does: DNS,\n"
		"connection, proxy, TLS, HTTP. What fails is reported as its cause, with the evidence and\n"
		"with what to do and who can do it. What cannot be found out is said to be unknown.\n"
		"\n"
		"Exit status: 0 everything is met, 1 something fails, 2 usage or profile error, 3 nothing\n"
		"failed but something could not be determined, 4 it works, with warnings.",
	.example = "  sallyport check --profile citrix-smart-tools\n"
			   "  sallyport check --hub https://hub.example.com/ --format json\n"
			   "  sallyport check --profile citrix-smart-tools --watch 60",
	.options = options,
	.run = run,
};
