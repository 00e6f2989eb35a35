/*
 * `sallyport setup`: reads the token from standard input, installs or removes (setup/setup.h), and
 * tells how it goes: lines for a person, or one JSON object a line for a connector.
 *
 * Failure modes: no token comes, or none that can be read (said before anything is changed); a
 * signal, or whoever reads our output goes away, as a lost SSH connection does: then everything is
 * brought back.
 */
#include "base/json.h"
#include "cli/commands.h"
#include "cli/profile_names.h"
#include "cli/say.h"
#include "setup/setup.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define TOKEN_MS 60000 /* for whoever pipes it, and for a person to paste it */

enum {
	OPTION_REMOVE,
	OPTION_LOCATION,
	OPTION_FORMAT,
	OPTION_NO_START,
	OPTION_KEEP_LOGS,
};

static const struct cli_option options[] = {
	[OPTION_REMOVE] = {"remove", NULL,
		"take the agent off this machine and the machine off its hub"},
	[OPTION_LOCATION] = {"location", "TEXT", "where this machine stands, for the console's list"},
	[OPTION_FORMAT] = {"format", "text|json", "text for people (default), or a JSON object a line"},
	[OPTION_NO_START] = {"no-start", NULL, "leave the start to the next boot"},
	[OPTION_KEEP_LOGS] = {"keep-logs", NULL, "with --remove: leave /var/log/sallyport"},
	{0}};

static struct cancel interrupt = {.fd = -1};

static void on_signal(int number)
{
	int saved = errno;
	(void)number;
	cancel_fire(&interrupt);
	errno = saved;
}

/* A pipe or a connection whose reader is gone says so without being written to. */
static void *watch_output(void *data)
{
	struct cancel *over = data;
	if (wait_fd(STDOUT_FILENO, 0, deadline_never(), over) == WAIT_READY)
		cancel_fire(&interrupt);
	return NULL;
}

static int catch_signals(void)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	if (cancel_init(&interrupt))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

/* --- the token
 * ------------------------------------------------------------------------------------
 */

/* Its first line: whoever started this through SSH keeps the other end open. */
static int read_line(struct buf *text)
{
	struct deadline deadline = deadline_in_ms(TOKEN_MS);
	text->max = TOKEN_MAX_TEXT;
	for (;;) {
		char byte;
		if (wait_fd(STDIN_FILENO, POLLIN, deadline, &interrupt) != WAIT_READY)
			return cli_usage_error("no join token came on standard input");
		ssize_t got = read(STDIN_FILENO, &byte, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || byte == '\n')
			return 0;
		if (byte != '\r' && byte != ' ' && buf_append(text, &byte, 1))
			return cli_usage_error("standard input: longer than any join token");
	}
}

/* An empty line is none: a machine that has joined needs none. */
static int read_token(struct join_token *token, bool *given)
{
	struct buf text = {0};
	struct err err;
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "Join token (empty where this machine has joined already): ");
	int rc = read_line(&text);
	*given = text.len > 0;
	if (rc == 0 && *given && token_decode(buf_text(&text), token, &err))
		rc = cli_usage_error("%s", err.text);
	if (text.data)
		explicit_bzero(text.data, text.cap);
	buf_free(&text);
	return rc;
}

/* --- telling
 * --------------------------------------------------------------------------------------
 */

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text && *text)
		json_object_set_new(object, name, json_string(text));
}

/* One write a line. Where nobody reads any more, watch_output() knows. */
static void print_json(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	if (text)
		printf("%s\n", text);
	fflush(stdout);
	free(text);
	json_decref(object);
}

static void say_json(void *data, const struct setup_event *event)
{
	json_t *object = json_object();
	(void)data;
	set_text(object, "stage", install_stage_name(event->stage));
	set_text(object, "state", event->state);
	set_text(object, "step", event->step);
	set_text(object, "sentence", event->sentence);
	set_text(object, "server", event->server);
	print_json(object);
}

static void say_text(void *data, const struct setup_event *event)
{
	(void)data;
	fprintf(stderr, "%s: %s%s%s\n", install_stage_name(event->stage),
		event->step ? event->step : event->state, event->sentence ? ": " : "",
		event->sentence ? event->sentence : "");
}

static json_t *evidence_list(const struct evidence *evidence)
{
	json_t *list = json_array();
	for (size_t i = 0; i < evidence->count; i++)
		json_array_append_new(list, json_pack("{s:s,s:s}", "name", evidence->items[i].name, "value",
										evidence->items[i].value));
	return list;
}

static void end_json(const struct setup_report *report, const char *sentence, const char *remedy)
{
	json_t *object = json_object();
	set_text(object, "result", setup_result_name(report->result));
	if (report->outcome) {
		bool failed = report->result == SETUP_FAILED;
		enum install_stage stage = failed ? report->stage : outcome_info(report->outcome)->stage;
		set_text(object, "stage", install_stage_name(stage));
		set_text(object, "outcome", outcome_info(report->outcome)->id);
	}
	set_text(object, "sentence", sentence);
	set_text(object, "remedy", remedy);
	set_text(object, "server", report->server);
	set_text(object, "version", report->version);
	set_text(object, "service", report->service);
	json_object_set_new(object, "evidence", evidence_list(&report->evidence));
	print_json(object);
}

static void end_text(const struct setup_report *report, const char *sentence, const char *remedy)
{
	FILE *to = report->result == SETUP_FAILED ? stderr : stdout;
	fprintf(to, "%s%s%s\n", setup_result_name(report->result), *sentence ? ": " : "", sentence);
	if (*remedy)
		say_row(to, "remedy", "%s", remedy);
	for (size_t i = 0; i < report->evidence.count; i++)
		say_row(to, i ? "" : "evidence", "%s: %s", report->evidence.items[i].name,
			report->evidence.items[i].value);
	if (*report->server)
		say_row(to, "id", "%s", report->server);
	if (*report->version)
		say_row(to, "version", "%s", report->version);
	say_row(to, "service", "%s", report->service);
}

/* --- running
 * --------------------------------------------------------------------------------------
 */

static void work(const struct setup_options *how, bool removes, struct setup_report *report)
{
	pthread_t watcher;
	struct cancel over;
	bool watched =
		cancel_init(&over) == 0 && pthread_create(&watcher, NULL, watch_output, &over) == 0;
	(removes ? setup_remove : setup_install)(how, report);
	if (watched) {
		cancel_fire(&over);
		pthread_join(watcher, NULL);
	}
	cancel_fini(&over);
}

static int set_up(const struct cli_args *args, const struct join_token *token, bool json)
{
	struct setup_report report;
	const struct setup_options how = {
		.root = args->root,
		.token = token,
		.location = args->values[OPTION_LOCATION],
		.profiles = profile_names,
		.cancel = &interrupt,
		.say = json ? say_json : say_text,
		.no_start = args->values[OPTION_NO_START],
		.keep_logs = args->values[OPTION_KEEP_LOGS],
	};
	work(&how, args->values[OPTION_REMOVE], &report);
	cleanup(free_ptr) char *sentence = outcome_sentence(report.outcome, &report.evidence);
	cleanup(free_ptr) char *remedy = outcome_remedy(report.outcome, &report.evidence);
	(json ? end_json : end_text)(
		&report, report.note ? report.note : sentence, report.advice ? report.advice : remedy);
	int code = report.result == SETUP_FAILED;
	setup_report_free(&report);
	return code;
}

/* For who reads lines of JSON, too: what is wrong with the token stands on standard error. */
static void end_without_token(void)
{
	struct setup_report report = {.outcome = OUTCOME_SETUP_FAILED, .stage = INSTALL_SETUP};
	evidence_add(&report.evidence, "reason", "no usable join token came on standard input");
	cleanup(free_ptr) char *sentence = outcome_sentence(report.outcome, &report.evidence);
	cleanup(free_ptr) char *remedy = outcome_remedy(report.outcome, &report.evidence);
	end_json(&report, sentence, remedy);
	setup_report_free(&report);
}

static int run(const struct cli_args *args)
{
	struct join_token token = {0};
	const char *format = args->values[OPTION_FORMAT];
	const char *location = args->values[OPTION_LOCATION];
	bool given = false, json = format && strcmp(format, "json") == 0;
	if (format && !json && strcmp(format, "text") != 0)
		return cli_usage_error("--format: text or json");
	if (location && strlen(location) > STATE_MAX_LOCATION)
		return cli_usage_error("--location: at most %d bytes", STATE_MAX_LOCATION);
	if (!args->root && geteuid() != 0)
		return cli_usage_error("only root may do this (use sudo)");
	if (catch_signals())
		return cli_usage_error("no descriptor is left: %s", strerror(errno));
	int code = args->values[OPTION_REMOVE] ? 0 : read_token(&token, &given);
	if (!code)
		code = set_up(args, given ? &token : NULL, json);
	else if (json)
		end_without_token();
	token_wipe(&token);
	cancel_fini(&interrupt);
	return code;
}

const struct cli_command command_setup = {
	.name = "setup",
	.operands = "",
	.summary = "install, repair, upgrade or remove the agent on this machine",
	.details =
		"Run it as root from wherever this file was put: it copies itself to "
		"/usr/local/bin/sallyport,\n"
		"makes a service of itself (systemd, OpenRC or SysV init; elsewhere it starts the agent "
		"and says\n"
		"what to add for the next boot), joins with the token that it reads from standard input, "
		"and ends\n"
		"when the hub has seen the agent. A machine that has joined needs no token. What is right "
		"already\n"
		"stays as it is; when a step fails, everything is as it was before.\n"
		"\n"
		"An agent that came as a package of the distribution is never replaced nor removed.",
	.example = "  sudo sallyport setup --location \"Bern, rack 4\" <token.txt\n"
			   "  sudo sallyport setup </dev/null\n"
			   "  sudo sallyport setup --remove",
	.options = options,
	.run = run,
};
