/*
 * `sallyport check`: tries everything that a profile or the hub asks of this machine and tells why
 * it fails.
 *
 * The happy path reads the profile, this machine's state and the proxy settings, runs the check and
 * writes one report to standard output. Failure modes: what the caller asks for cannot be read
 * (exit 2, nothing is tried); SIGINT or SIGTERM (the walks end at once and the report is partial);
 * a report that cannot be written (exit 2). Everything else is a finding in the report.
 */
#include "agent/state.h"
#include "check/check.h"
#include "check/hub_url.h"
#include "check/report.h"
#include "cli/commands.h"
#include "os/os.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { OPTION_PROFILE, OPTION_HUB, OPTION_FORMAT, OPTION_DEEP, OPTION_DEADLINE };

static const struct cli_option options[] = {
	[OPTION_PROFILE] = {"profile", "ID|FILE",
		"what to check: a profile of `sallyport profiles`, or a file (with a slash, or ending in "
		".yaml)"},
	[OPTION_HUB] = {"hub", "URL", "check the way to this hub; joined machines know theirs"},
	[OPTION_FORMAT] = {"format", "FORMAT", "text (the default), json or junit"},
	[OPTION_DEEP] = {"deep", NULL,
		"also run experiments that take longer; this version has none, so it changes nothing"},
	[OPTION_DEADLINE] = {"deadline", "SECONDS", "give up after this long (default 30)"},
	{0}};

/* Everything that one run holds. */
struct job {
	const struct cli_args *args;
	struct check_options check;
	struct profile *profile;
	struct check_hub hub;
	struct hub_url hub_url;
	struct agent_state state; /* wiped at the end */
	bool joined;
	struct proxy_settings proxy;
	struct finding proxy_invalid;
	struct os_host host;
	const struct report_format *format;
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
	fprintf(stderr, "\r\033[K%zu of %zu endpoints, %.50s: %s", progress->done, progress->total,
		progress->host, progress->stage);
}

static int take_profile(struct job *job)
{
	const char *name = job->args->values[OPTION_PROFILE];
	struct err err;
	if (!name)
		return 0;
	cleanup(free_ptr) char *own_path = os_own_path();
	const struct profile_places places = {job->args->root, own_path};
	job->profile = profile_find(&places, name, &err);
	if (!job->profile) {
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
	if (job->joined && strcasecmp(job->hub.host, state->hub_host) == 0 &&
		job->hub.port == state->hub_port) {
		job->hub.hub_key = state->hub_key;
		job->hub.ca_pem = state->private_ca;
		job->hub.identity = &state->identity;
	}
	job->check.hub = &job->hub;
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
	long seconds = text ? cli_number("deadline", text, 1, 3600) : (long)CHECK_DEFAULT_DEADLINE_S;
	job->check.deadline_ms = seconds * 1000;
	return seconds < 0 ? CLI_USAGE : 0;
}

static void take_machine(struct job *job)
{
	if (os_host_read(&job->host, NULL))
		snprintf(job->host.name, sizeof job->host.name, "unknown");
	job->check.host_name = job->host.name;
	job->check.host_os = *job->host.os_name ? job->host.os_name : job->host.platform;
	job->check.platform = *job->host.platform ? job->host.platform : "linux";
	job->check.root = job->args->root;
	if (proxy_settings_read(environ, job->args->root, &job->proxy, &job->proxy_invalid))
		job->check.proxy_invalid = &job->proxy_invalid;
	job->check.proxy = &job->proxy;
}

static int write_report(const struct job *job, const struct check_result *result)
{
	job->format->write(stdout, result, cli_colour(STDOUT_FILENO));
	if (fflush(stdout) == 0 && !ferror(stdout))
		return check_exit_code(result->verdict);
	fprintf(stderr, "sallyport check: the report cannot be written: %s\n", strerror(errno));
	return CLI_USAGE;
}

static int run_check(struct job *job)
{
	struct check_result result;
	bool watched = isatty(STDERR_FILENO);
	if (cancel_init(&cancel)) {
		fprintf(stderr, "sallyport check: %s\n", strerror(errno));
		return CLI_USAGE;
	}
	catch_signals();
	job->check.cancel = &cancel;
	job->check.on_progress = watched ? on_progress : NULL;
	take_machine(job);
	check_run(&job->check, &result);
	if (watched)
		fputs("\r\033[K", stderr);
	int code = write_report(job, &result);
	check_result_free(&result);
	cancel_fini(&cancel);
	return code;
}

static int run(const struct cli_args *args)
{
	struct job job = {.args = args};
	int rc = take_format(&job);
	if (!rc)
		rc = take_deadline(&job);
	if (!rc)
		rc = take_profile(&job);
	if (!rc)
		rc = take_hub(&job);
	if (!rc)
		rc = run_check(&job);
	profile_free(job.profile);
	proxy_settings_free(&job.proxy);
	finding_free(&job.proxy_invalid);
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
			   "  sallyport check --hub https://hub.example.com/ --format json",
	.options = options,
	.run = run,
};
