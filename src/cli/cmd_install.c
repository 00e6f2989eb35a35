/*
 * `sallyport install`: puts the agent on the hosts around this connector, or takes it off, from the
 * connector's own command line (rows R11, R12, S4).
 *
 * Happy path: the hub is told, the hosts are looked at, a person confirms the keys of those that
 * are new, the hub gives a token for each, the engine does the rest, and each host counts once the
 * hub has seen its agent.
 *
 * Failure modes: this machine has not joined or is no connector, the hub cannot be had (nothing is
 * begun); SIGINT or SIGTERM (what is under way is taken back); every other failure belongs to one
 * host and stands in its row.
 */
#include "agent/installs/client.h"
#include "agent/installs/portable.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/install_ask.h"
#include "cli/install_show.h"
#include "cli/say.h"
#include "connector/connector.h"
#include "diagnosis/outcomes.h"
#include "wire/host_list.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SAY_MS    500   /* the hub hears of progress this often */
#define SAY_MAX   200   /* events a request */
#define SAY_TRIES 16    /* requests for 1024 targets, and some that fail */
#define ONLINE_MS 95000 /* for the hub to see what was set up, or to say that it has not */

enum {
	OPTION_REMOVE,
	OPTION_HOSTS,
	OPTION_USER,
	OPTION_PORT,
	OPTION_KEY,
	OPTION_PASSWORD_FILE,
	OPTION_SUDO_PASSWORD_FILE,
	OPTION_AGENT,
	OPTION_PARALLEL,
	OPTION_LOOK_ONLY,
	OPTION_YES_HOST_KEYS,
	OPTION_FORMAT,
};

static const struct cli_option options[] = {
	[OPTION_REMOVE] = {"remove", NULL, "take the agent off the hosts"},
	[OPTION_HOSTS] = {"hosts", "FILE",
		"read the hosts from FILE: names, addresses, ranges, or CSV with a column host"},
	[OPTION_USER] = {"user", "NAME", "log in as this user where the host does not say (root)"},
	[OPTION_PORT] = {"port", "NUMBER", "where the hosts do not say (22)"},
	[OPTION_KEY] = {"key", "FILE", "log in with this private key"},
	[OPTION_PASSWORD_FILE] = {"password-file", "FILE",
		"read the password from FILE, \"-\" for standard input; without a key it is asked for"},
	[OPTION_SUDO_PASSWORD_FILE] = {"sudo-password-file", "FILE",
		"read the password for sudo from FILE; otherwise it is the password"},
	[OPTION_AGENT] = {"agent", NULL, "log in with the keys of the ssh-agent"},
	[OPTION_PARALLEL] = {"parallel", "NUMBER", "hosts side by side (16, at most 64)"},
	[OPTION_LOOK_ONLY] = {"look-only", NULL, "look at the hosts and change nothing"},
	[OPTION_YES_HOST_KEYS] = {"yes-host-keys", NULL,
		"take the keys of new hosts without asking; one that has changed is never taken"},
	[OPTION_FORMAT] = {"format", "FORMAT", "text (the default), or json: an object a line"},
	{0}};

struct job {
	const struct cli_args *args;
	struct agent_paths paths;
	struct agent_state state;  /* the client's */
	struct agent_state second; /* of the thread that fetches files */
	struct client client;
	struct connector *connector;
	json_t *answer; /* of the hub, owned */
	struct install_row *rows;
	size_t count;
	struct deadline say_at;
	bool json;
};

static struct cancel interrupt = {.fd = -1};

static void on_signal(int number)
{
	int saved = errno;
	(void)number;
	cancel_fire(&interrupt);
	errno = saved;
}

static int fail(const char *text)
{
	fprintf(stderr, "sallyport install: %s\n", text);
	return 1;
}

/* --- what is asked for --------------------------------------------------------------------------
 */

static int read_hosts(const struct cli_args *args, struct buf *text)
{
	struct err err;
	const char *file = args->values[OPTION_HOSTS];
	if ((file != NULL) == (args->operand_count > 0))
		return cli_usage_error("name the hosts, or a file of them with --hosts");
	for (int i = 0; i < args->operand_count; i++)
		buf_printf(text, "%s\n", args->operands[i]);
	if (file && file_read(file, HOST_LIST_MAX_TEXT, text, &err))
		return cli_usage_error("--hosts: %s", err.text);
	return 0;
}

/* That the list can be read is said here, and not by the hub. */
static int take_hosts(const struct cli_args *args, struct client_wish *wish, struct buf *text)
{
	const char *port_text = args->values[OPTION_PORT];
	long port = port_text ? cli_number("port", port_text, 1, 65535) : HOST_LIST_PORT;
	struct host_list list;
	struct err err;
	int rc = port < 0 ? CLI_USAGE : read_hosts(args, text);
	if (rc)
		return rc;
	if (host_list_read(buf_text(text), (uint16_t)port, "", &list, &err))
		return cli_usage_error("%s", err.text);
	host_list_free(&list);
	wish->hosts = buf_text(text);
	wish->port = (int)port;
	return 0;
}

static int take_format(struct job *job)
{
	const char *name = job->args->values[OPTION_FORMAT];
	job->json = name && strcmp(name, "json") == 0;
	if (!name || job->json || strcmp(name, "text") == 0)
		return 0;
	return cli_usage_error("--format: text or json was expected, not \"%s\"", name);
}

static struct logins *take_logins(const struct cli_args *args, struct err *err)
{
	const struct ask_sources sources = {
		.user = args->values[OPTION_USER],
		.key_file = args->values[OPTION_KEY],
		.password_file = args->values[OPTION_PASSWORD_FILE],
		.sudo_password_file = args->values[OPTION_SUDO_PASSWORD_FILE],
		.agent = args->values[OPTION_AGENT] != NULL,
	};
	return ask_logins(&sources, err);
}

/* --- the hub ------------------------------------------------------------------------------------
 */

static int not_told(enum client_result result, const struct finding *failure, const struct err *err)
{
	if (result == CLIENT_NO_WAY && failure->cause) {
		fail("the hub cannot be had");
		say_finding(stderr, failure);
		return 1;
	}
	return fail(err->text);
}

static char *fetch(void *data, const char *arch, const json_t *row, struct err *err)
{
	struct job *job = data;
	const struct portable_source source = {
		.root = job->args->root, .paths = &job->paths, .state = &job->second, .cancel = &interrupt};
	char *file = NULL;
	return portable_get(&source, arch, row, &file, err) ? NULL : file;
}

static struct install_row *find_row(struct job *job, const char *id)
{
	for (size_t i = 0; id && i < job->count; i++) {
		const char *own = json_get_text(job->rows[i].target, "id");
		if (own && strcmp(own, id) == 0)
			return &job->rows[i];
	}
	return NULL;
}

/* What only the hub knows: that it has seen the agent, or has not. */
static void take_states(struct job *job, const json_t *answer)
{
	size_t i;
	json_t *target;
	json_array_foreach(json_object_get(answer, "targets"), i, target)
	{
		struct install_row *row = find_row(job, json_get_text(target, "id"));
		const char *state = json_get_text(target, "state");
		if (!row || !state || strcmp(row_state(row), "joined") != 0 ||
			(strcmp(state, "online") != 0 && strcmp(state, "failed") != 0))
			continue;
		json_object_set_new(row->event, "state", json_string(state));
		json_object_set_new(row->event, "stage", json_string(install_stage_name(INSTALL_ONLINE)));
		if (strcmp(state, "failed") == 0) {
			cleanup(free_ptr) char *sentence = outcome_sentence(OUTCOME_NEVER_APPEARED, NULL);
			cleanup(free_ptr) char *remedy = outcome_remedy(OUTCOME_NEVER_APPEARED, NULL);
			json_object_set_new(
				row->event, "outcome", json_string(outcome_info(OUTCOME_NEVER_APPEARED)->id));
			json_object_set_new(row->event, "sentence", json_string(sentence));
			json_object_set_new(row->event, "remedy", json_string(remedy));
		}
		show_progress(job->rows, job->count, row);
	}
}

/* A hub that cannot be told now is told later: the last word of every host is said again. */
static void say_some(struct job *job)
{
	struct finding failure = {.cause = CAUSE_NONE};
	struct err err;
	json_t *events = json_array(), *answer = NULL;
	size_t said[SAY_MAX], count = 0;
	for (size_t i = 0; i < job->count && count < SAY_MAX; i++)
		if (job->rows[i].unsaid) {
			said[count++] = i;
			json_array_append_new(events,
				json_pack("{s:O, s:O}", "target", json_object_get(job->rows[i].target, "id"),
					"event", job->rows[i].event));
		}
	if (client_say(&job->client, events, &answer, &failure, &err) == CLIENT_DONE) {
		for (size_t i = 0; i < count; i++)
			job->rows[said[i]].unsaid = false;
		take_states(job, answer);
		json_decref(answer);
	}
	finding_free(&failure);
	json_decref(events);
	job->say_at = deadline_in_ms(SAY_MS);
}

static bool has_unsaid(const struct job *job)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->rows[i].unsaid)
			return true;
	return false;
}

/* Everything, or as much as a hub that cannot be had for a while allows. */
static void say_all(struct job *job)
{
	for (int tries = 0; has_unsaid(job) && tries < SAY_TRIES; tries++)
		say_some(job);
}

/* --- the engine ---------------------------------------------------------------------------------
 */

static void take_events(struct job *job)
{
	json_t *message;
	while ((message = connector_next(job->connector))) {
		struct install_row *row = find_row(job, json_get_text(message, "target"));
		if (row) {
			json_decref(row->event);
			row->event = json_incref(json_object_get(message, "event"));
			row->unsaid = true;
			show_progress(job->rows, job->count, row);
		}
		json_decref(message);
	}
}

/* Until every host is ready or final. */
static void work(struct job *job)
{
	while (!connector_settled(job->connector, NULL)) {
		struct deadline deadline = has_unsaid(job) ? job->say_at : deadline_never();
		bool over = cancel_fired(&interrupt);
		if (over)
			connector_cancel(job->connector, NULL);
		wait_fd(connector_fd(job->connector), POLLIN, over ? deadline_in_ms(200) : deadline,
			over ? NULL : &interrupt);
		take_events(job);
		if (!over && has_unsaid(job) && deadline_left_ms(job->say_at) == 0)
			say_some(job);
	}
}

/* The ready ones; those with a new key only when it is confirmed. New reference. */
static json_t *ready_ids(const struct job *job)
{
	json_t *ids = json_array();
	for (size_t i = 0; i < job->count; i++)
		if (strcmp(row_state(&job->rows[i]), "ready") == 0)
			json_array_append(ids, json_object_get(job->rows[i].target, "id"));
	return ids;
}

static int go_on(struct job *job, bool confirmed)
{
	struct finding failure = {.cause = CAUSE_NONE};
	struct err err;
	size_t i;
	json_t *ids = ready_ids(job), *answer = NULL, *target;
	enum client_result result =
		json_array_size(ids) ? client_go(&job->client, ids, &answer, &failure, &err) : CLIENT_DONE;
	json_array_foreach(json_object_get(answer, "targets"), i, target)
	{
		const char *id = json_get_text(target, "id"), *token = json_get_text(target, "token");
		const struct install_row *row = find_row(job, id);
		if (row)
			connector_go(job->connector, id,
				confirmed ? json_get_text(json_object_get(row->event, "host_key"), "fingerprint")
						  : NULL,
				token ? token : "", NULL);
	}
	int rc = result == CLIENT_DONE ? 0 : not_told(result, &failure, &err);
	finding_free(&failure);
	json_decref(ids);
	json_decref(answer);
	return rc;
}

static bool confirm_keys(const struct job *job)
{
	if (job->args->values[OPTION_YES_HOST_KEYS])
		return true;
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (!show_new_keys(stderr, job->rows, job->count))
		return true;
	return ask_yes("Are these the right keys? (yes/no) ");
}

static bool is_joined(const struct job *job)
{
	for (size_t i = 0; i < job->count; i++)
		if (strcmp(row_state(&job->rows[i]), "joined") == 0)
			return true;
	return false;
}

static void await_online(struct job *job)
{
	struct deadline deadline = deadline_in_ms(ONLINE_MS);
	do
		say_some(job);
	while ((is_joined(job) || has_unsaid(job)) && deadline_left_ms(deadline) &&
		   wait_fd(-1, 0, job->say_at, &interrupt) == WAIT_TIMEOUT);
}

static int run_all(struct job *job)
{
	int rc = 0;
	work(job);
	bool go = !job->args->values[OPTION_LOOK_ONLY] && !cancel_fired(&interrupt);
	if (go) {
		say_all(job); /* the hub gives tokens for what it knows to be ready */
		rc = go_on(job, confirm_keys(job));
		if (rc)
			connector_cancel(job->connector, NULL);
		work(job);
		if (!rc && !cancel_fired(&interrupt))
			await_online(job);
	}
	show_results(stdout, job->rows, job->count, job->json);
	for (size_t i = 0; i < job->count; i++)
		rc = row_is_fine(&job->rows[i]) ? rc : 1;
	if (!go) {
		/* The hub learns that nothing more is to come. */
		connector_cancel(job->connector, NULL);
		work(job);
		say_all(job);
	}
	return rc;
}

/* --- from the order to the engine ---------------------------------------------------------------
 */

/* The plan of the engine, from what the hub has answered. New reference. */
static json_t *plan_of(const struct job *job, const struct client_wish *wish)
{
	json_t *plan = json_object();
	json_object_set(plan, "install", json_object_get(job->answer, "id"));
	json_object_set_new(plan, "action", json_string(wish->action));
	json_object_set(plan, "targets", json_object_get(job->answer, "targets"));
	json_object_set(plan, "portable", json_object_get(job->answer, "portable"));
	json_object_set(plan, "hub", json_object_get(job->answer, "hub"));
	json_object_set_new(plan, "parallel", json_integer(wish->parallel));
	return plan;
}

static int begin(struct job *job, struct logins *logins, const struct client_wish *wish)
{
	const struct connector_hooks hooks = {.fetch = fetch, .data = job, .root = job->args->root};
	struct finding failure = {.cause = CAUSE_NONE};
	struct err err = {""};
	enum client_result result = client_create(&job->client, wish, &job->answer, &failure, &err);
	if (result != CLIENT_DONE) {
		logins_free(logins);
		int rc = not_told(result, &failure, &err);
		finding_free(&failure);
		return rc;
	}
	cleanup(json_drop) json_t *plan = plan_of(job, wish);
	const json_t *targets = json_object_get(plan, "targets");
	job->connector = connector_new(plan, logins, &hooks, &err);
	if (!job->connector)
		return fail(err.text);
	job->count = json_array_size(targets);
	job->rows = xcalloc(job->count, sizeof *job->rows);
	for (size_t i = 0; i < job->count; i++)
		job->rows[i].target = json_array_get(targets, i);
	return run_all(job);
}

static int load_states(struct job *job)
{
	struct err err;
	if (state_load(&job->paths, &job->state, &err) != STATE_LOADED ||
		state_load(&job->paths, &job->second, &err) != STATE_LOADED)
		return fail(err.text);
	return 0;
}

static int prepare(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	if (sodium_init() < 0 || cancel_init(&interrupt))
		return fail(strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return 0;
}

static int run_job(struct job *job, const struct client_wish *wish)
{
	struct err err;
	struct logins *logins = take_logins(job->args, &err);
	if (!logins)
		return fail(err.text);
	client_init(&job->client, job->args->root, &job->paths, &job->state, &interrupt);
	int rc = begin(job, logins, wish);
	connector_free(job->connector);
	client_free(&job->client);
	for (size_t i = 0; i < job->count; i++)
		json_decref(job->rows[i].event);
	free(job->rows);
	json_decref(job->answer);
	return rc;
}

static int run(const struct cli_args *args)
{
	struct job job = {.args = args};
	cleanup(buf_free) struct buf hosts = {0};
	const char *text = args->values[OPTION_PARALLEL];
	long parallel =
		text ? cli_number("parallel", text, 1, CONNECTOR_MAX_AT_ONCE) : CONNECTOR_PARALLEL;
	struct client_wish wish = {
		.action = args->values[OPTION_REMOVE] ? "remove" : "install", .parallel = (int)parallel};
	int rc = parallel < 0 ? CLI_USAGE : take_format(&job);
	if (!rc)
		rc = take_hosts(args, &wish, &hosts);
	if (!rc)
		rc = prepare();
	if (rc)
		return rc;
	paths_init(&job.paths, args->root);
	rc = load_states(&job);
	if (!rc)
		rc = run_job(&job, &wish);
	state_wipe(&job.state);
	state_wipe(&job.second);
	paths_free(&job.paths);
	return rc;
}

const struct cli_command command_install = {
	.name = "install",
	.operands = "[HOST...]",
	.operands_min = 0,
	.operands_max = CONNECTOR_MAX_TARGETS,
	.summary = "put the agent on the hosts around this connector",
	.details =
		"A connector is a machine that was promoted for its location in the hub's console. It\n"
		"comes by SSH, as root or as a user with sudo, and afterwards SSH may be closed again.\n"
		"Every host is looked at first: system, rights, room, and its own way to the hub. A host\n"
		"is done when the hub has seen its agent; one that fails is left as it was, and its row\n"
		"says at what and what to do. A second run repairs or upgrades.\n"
		"\n"
		"HOST is [USER@]NAME-OR-ADDRESS[:PORT], 10.0.0.0/28 or 10.0.0.5-20. Passwords are asked\n"
		"for, or stand in files that only their owner can read; the hub never has them.\n"
		"\n"
		"Exit status: 0 every host is as it should be, 1 some are not, 2 usage error.",
	.example = "  sallyport install web1 web2 10.0.0.5-20\n"
			   "  sallyport install --user ops --key ~/.ssh/id_ed25519 --hosts hosts.csv\n"
			   "  sallyport install --remove web1",
	.options = options,
	.run = run,
};
