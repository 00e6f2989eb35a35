/*
 * Happy path: the first line is the plan; its credentials are opened with this machine's own key;
 * events go out as they come, `go` comes in, and when every target is final it says so and ends.
 *
 * Failure modes: credentials that are not for this machine (every target says so, then it is over);
 * a line that is none of these, or a plan that is none (install.over with the reason); the end of
 * the input or SIGTERM: what is under way is taken back, and it ends.
 */
#include "cli/connector_worker.h"

#include "agent/installs/portable.h"
#include "base/json.h"
#include "connector/connector.h"
#include "diagnosis/outcomes.h"
#include "wire/credentials.h"
#include "wire/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MAX_LINE ((size_t)4 << 20) /* bytes of one message */

struct worker {
	const char *root;
	struct agent_paths paths;
	struct agent_state state;
	pthread_mutex_t fetching; /* a state is for one thread at a time */
	struct connector *connector;
	char install[33];
	struct buf input;
	bool started, ended; /* no more input is read */
	char reason[600];    /* why it ends before its time; "": it does not */
};

static struct cancel interrupt = {.fd = -1};

static void on_signal(int number)
{
	int saved = errno;
	(void)number;
	cancel_fire(&interrupt);
	errno = saved;
}

static void say(enum message message, json_t *params)
{
	char *text = rpc_notification(message_method(message), params);
	printf("%s\n", text);
	fflush(stdout);
	free(text);
}

static void give_up(struct worker *worker, const struct err *err)
{
	snprintf(
		worker->reason, sizeof worker->reason, "%.*s", (int)sizeof worker->reason - 1, err->text);
	worker->ended = true;
}

/* --- what the hub orders ------------------------------------------------------------------------
 */

static char *fetch(void *data, const char *arch, const json_t *row, struct err *err)
{
	struct worker *worker = data;
	const struct portable_source source = {.root = worker->root,
		.paths = &worker->paths,
		.state = &worker->state,
		.cancel = &interrupt};
	char *file = NULL;
	pthread_mutex_lock(&worker->fetching);
	if (portable_get(&source, arch, row, &file, err))
		file = NULL;
	pthread_mutex_unlock(&worker->fetching);
	return file;
}

/* NULL with err when they are not for this machine. */
static struct logins *open_credentials(struct worker *worker, const char *box, struct err *err)
{
	size_t len;
	if (state_load(&worker->paths, &worker->state, err) != STATE_LOADED)
		return NULL;
	char *plain = credentials_open(&worker->state.identity, box, &len, err);
	struct logins *logins = plain ? logins_read(plain, len, err) : NULL;
	credentials_free(plain);
	return logins;
}

/* Every target says that the credentials cannot be used, and why. */
static void refuse_all(const struct msg_install_start *start, const struct err *err)
{
	struct evidence evidence = {.count = 0};
	size_t i;
	json_t *target;
	evidence_add(&evidence, "reason", "%s", err->text);
	cleanup(free_ptr) char *sentence = outcome_sentence(OUTCOME_CREDENTIALS_UNUSABLE, &evidence);
	cleanup(free_ptr) char *remedy = outcome_remedy(OUTCOME_CREDENTIALS_UNUSABLE, &evidence);
	json_array_foreach(start->targets, i, target)
	{
		const char *id = json_get_text(target, "id");
		if (id)
			say(MSG_install_event,
				json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}}", "install", start->install,
					"target", id, "event", "stage", install_stage_name(INSTALL_AUTHENTICATE),
					"state", "failed", "outcome", outcome_info(OUTCOME_CREDENTIALS_UNUSABLE)->id,
					"sentence", sentence, "remedy", remedy));
	}
	evidence_free(&evidence);
}

static int take_start(struct worker *worker, const json_t *body, struct err *err)
{
	struct msg_install_start start = {.install = NULL};
	const struct connector_hooks hooks = {.fetch = fetch, .data = worker, .root = worker->root};
	if (worker->started)
		return err_set(err, "a second plan came");
	if (message_read(MSG_install_start, body, &start, err))
		return -1;
	worker->started = true;
	snprintf(worker->install, sizeof worker->install, "%s", start.install);
	struct logins *logins = open_credentials(worker, start.credentials, err);
	int rc = 0;
	if (logins) {
		worker->connector = connector_new(body, logins, &hooks, err);
		rc = worker->connector ? 0 : -1;
	} else {
		refuse_all(&start, err);
		worker->ended = true;
	}
	message_free(MSG_install_start, &start);
	return rc;
}

/* A target that is not ready any more (it was cancelled meanwhile) is no mistake. */
static int take_go(struct worker *worker, const json_t *body, struct err *err)
{
	struct msg_install_go go = {.install = NULL};
	size_t i;
	json_t *target;
	if (!worker->connector)
		return err_set(err, "install.go came before install.start");
	if (message_read(MSG_install_go, body, &go, err))
		return -1;
	json_array_foreach(go.targets, i, target)
	{
		const char *id = json_get_text(target, "id"), *token = json_get_text(target, "token");
		if (id)
			connector_go(
				worker->connector, id, json_get_text(target, "host_key"), token ? token : "", NULL);
	}
	message_free(MSG_install_go, &go);
	return 0;
}

static int take_end(struct worker *worker, const json_t *body, struct err *err)
{
	(void)body;
	(void)err;
	if (worker->connector)
		connector_cancel(worker->connector, NULL);
	else
		worker->ended = true;
	return 0;
}

static const struct {
	enum message message;
	int (*take)(struct worker *worker, const json_t *body, struct err *err);
} orders[] = {
	{MSG_install_start, take_start},
	{MSG_install_go, take_go},
	{MSG_install_end, take_end},
};

static int take_line(struct worker *worker, const char *text, size_t len, struct err *err)
{
	struct rpc rpc;
	int rc = 1;
	if (rpc_parse(text, len, &rpc, err))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(orders) && rc > 0; i++)
		if (rpc.method && strcmp(rpc.method, message_method(orders[i].message)) == 0)
			rc = orders[i].take(worker, rpc.body, err);
	rpc_free(&rpc);
	return rc > 0 ? err_set(err, "a message came that is none of a worker's") : rc;
}

/* --- the loop -----------------------------------------------------------------------------------
 */

static void wipe_input(struct worker *worker)
{
	if (worker->input.data)
		explicit_bzero(worker->input.data, worker->input.cap);
	buf_free(&worker->input);
	worker->input.max = MAX_LINE;
}

static void read_input(struct worker *worker)
{
	char piece[16384];
	char *end;
	struct err err;
	ssize_t got = read(STDIN_FILENO, piece, sizeof piece);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		worker->ended = true; /* the agent is gone */
		return;
	}
	int rc = buf_append(&worker->input, piece, (size_t)got)
				 ? err_set(&err, "a message came that is too long")
				 : 0;
	explicit_bzero(piece, sizeof piece);
	while (
		!rc && worker->input.len && (end = memchr(worker->input.data, '\n', worker->input.len))) {
		size_t len = (size_t)(end - worker->input.data);
		rc = take_line(worker, worker->input.data, len, &err);
		buf_consume(&worker->input, len + 1);
		if (!worker->input.len)
			wipe_input(worker);
	}
	if (rc)
		give_up(worker, &err);
}

static void pass_events(struct worker *worker)
{
	json_t *event;
	while (worker->connector && (event = connector_next(worker->connector)))
		say(MSG_install_event, event);
}

static bool is_done(const struct worker *worker)
{
	size_t ready;
	return worker->connector && connector_settled(worker->connector, &ready) && !ready;
}

static void run(struct worker *worker)
{
	while (!worker->ended && !is_done(worker)) {
		struct pollfd fds[3] = {{.fd = STDIN_FILENO, .events = POLLIN},
			{.fd = worker->connector ? connector_fd(worker->connector) : -1, .events = POLLIN}};
		enum wait_result result = wait_fds(fds, 2, deadline_never(), &interrupt);
		if (result == WAIT_CANCELLED)
			worker->ended = true;
		else if (fds[0].revents)
			read_input(worker);
		pass_events(worker);
	}
	/* What is under way is taken back; the agent may still listen. */
	if (worker->connector)
		connector_cancel(worker->connector, NULL);
	while (worker->connector && !connector_settled(worker->connector, NULL)) {
		wait_fd(connector_fd(worker->connector), POLLIN, deadline_in_ms(1000), NULL);
		pass_events(worker);
	}
	connector_free(worker->connector);
	if (!worker->started)
		return;
	json_t *over = json_pack("{s:s}", "install", worker->install);
	if (*worker->reason)
		json_object_set_new(over, "reason", json_string(worker->reason));
	say(MSG_install_over, over);
}

bool connector_worker_main(int argc, char **argv, int *code)
{
	struct worker worker = {.fetching = PTHREAD_MUTEX_INITIALIZER};
	if (argc < 2 || strcmp(argv[1], "connector-worker") != 0)
		return false;
	if (argc > 2 && strncmp(argv[2], "--root=", 7) == 0)
		worker.root = argv[2] + 7;
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	*code = 1;
	if (sodium_init() < 0 || cancel_init(&interrupt))
		return true;
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);
	logins_wipe_json();
	paths_init(&worker.paths, worker.root);
	wipe_input(&worker);
	run(&worker);
	wipe_input(&worker);
	state_wipe(&worker.state);
	paths_free(&worker.paths);
	*code = *worker.reason != '\0';
	if (*worker.reason)
		fprintf(stderr, "sallyport connector-worker: %s\n", worker.reason);
	return true;
}
