/*
 * The happy path: load the identity, take the lock, walk, stay online until something ends the
 * session, walk again.
 *
 * Failure modes: the machine has not joined or its identity is damaged (said on stderr, exit 1),
 * another agent runs (likewise), a walk fails (told once in log and status, tried again after the
 * backoff, for ever), a session ends (likewise), the hub removed this machine (tried rarely, in
 * case it is taken back), the disk is full (log and status catch up later), the identity is gone
 * while it runs (the machine left: exit 0).
 */
#include "agent/agent.h"

#include "agent/backoff.h"
#include "agent/discovery.h"
#include "agent/inventory.h"
#include "agent/lock.h"
#include "agent/log.h"
#include "agent/online.h"
#include "agent/state.h"
#include "agent/status.h"
#include "agent/way.h"
#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The check runs after coming online, but not more often than this. */
#define CHECK_EVERY_US (3600 * INT64_C(1000000))

struct agent {
	const struct agent_options *options;
	struct agent_paths paths;
	struct agent_log log;
	struct status status;
	struct agent_state state;
	struct session_params params;
	struct backoff backoff;
	struct rhythm rhythm;
	struct discovery discovery;
	unsigned char instance[IDENTITY_INSTANCE_BYTES];
	struct runner runner;
	struct runs runs;
	struct sender sender;
	struct installs installs;
	struct finding failure; /* why it is offline; kept for the path's `previous` */
	time_t failed_at;
	char *told_proxy; /* owned; what the log says of the proxy settings */
	char *told_file;  /* owned; what the log says of an unreadable identity */
	int64_t started_us;
	int64_t checked_us; /* when the check was last started, 0: never */
};

static struct cancel interrupt = {.fd = -1};
static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
	int saved = errno;
	if (number != SIGHUP)
		stop_asked = 1;
	cancel_fire(&interrupt);
	errno = saved;
}

static int catch_signals(struct err *err)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	if (cancel_init(&interrupt))
		return err_set(err, "no descriptor is left: %s", strerror(errno));
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

/* Only SIGHUP leaves the program running after it was interrupted. */
static void take_interrupt(struct agent *agent)
{
	uint64_t count;
	if (stop_asked || !cancel_fired(&interrupt))
		return;
	if (read(interrupt.fd, &count, sizeof count) < 0)
		return;
	logfile_line(agent->log.file, LEVEL_INFO, "told to look again (SIGHUP)");
	backoff_reset(&agent->backoff);
}

static void set_status(struct agent *agent, enum status_kind kind, const struct walk *walk)
{
	struct err err;
	bool was_unwritten = agent->status.unwritten;
	const struct finding *finding = agent->failure.cause ? &agent->failure : NULL;
	if (status_set(&agent->status, kind, &agent->state, &agent->params, finding, walk, &err) &&
		!was_unwritten)
		logfile_line(agent->log.file, LEVEL_WARN, "the status cannot be kept: %s", err.text);
}

/* The identity may have been replaced (`join --force`) or removed (`leave`) since the last walk.
 * False when it is gone. */
static bool reload_state(struct agent *agent)
{
	struct agent_state fresh;
	struct err err;
	switch (state_load(&agent->paths, &fresh, &err)) {
	case STATE_LOADED:
		if (strcmp(fresh.server_id, agent->state.server_id) != 0) {
			logfile_line(agent->log.file, LEVEL_INFO, "joined anew: id %s, hub %s:%u",
				fresh.server_id, fresh.hub_host, fresh.hub_port);
			runner_free(&agent->runner); /* another hub need not know what this one asked */
			sender_free(&agent->sender);
			installs_close(&agent->installs);
		}
		state_wipe(&agent->state);
		agent->state = fresh;
		free(agent->told_file);
		agent->told_file = NULL;
		return true;
	case STATE_BROKEN:
		if (!agent->told_file || strcmp(agent->told_file, err.text) != 0) {
			logfile_line(
				agent->log.file, LEVEL_ERROR, "%s; going on with what was read before", err.text);
			free(agent->told_file);
			agent->told_file = xstrdup(err.text);
		}
		return true;
	case STATE_ABSENT:
		break;
	}
	logfile_line(agent->log.file, LEVEL_INFO, "this machine has left its hub; the agent ends");
	return false;
}

static void tell_proxy(struct agent *agent, const struct proxy_settings *proxy)
{
	struct buf text = {0};
	cleanup(free_ptr) char *url = proxy_url(proxy);
	if (url)
		buf_printf(&text, "proxy %s, from %s%s%s", url, proxy->origin,
			proxy->user ? ", credentials from " : ", without credentials",
			proxy->user && proxy->credentials_origin ? proxy->credentials_origin : "");
	else
		buf_puts(&text, "no proxy is set");
	for (size_t i = 0; i < proxy->warning_count; i++)
		buf_printf(&text, "; %s", proxy->warnings[i]);
	if (agent->told_proxy && strcmp(agent->told_proxy, buf_text(&text)) == 0) {
		buf_free(&text);
		return;
	}
	logfile_line(
		agent->log.file, proxy->warning_count ? LEVEL_WARN : LEVEL_INFO, "%s", buf_text(&text));
	free(agent->told_proxy);
	agent->told_proxy = text.data;
}

static int walk_out(struct agent *agent, json_t *inventory, struct walk *walk)
{
	struct way way = {
		.root = agent->options->root,
		.state = &agent->state,
		.inventory = inventory,
		.instance = agent->instance,
		.cancel = &interrupt,
	};
	struct err err;
	int rc = way_walk(&way, walk);
	if (walk->failure.cause != CAUSE_PROXY_SETTINGS_INVALID)
		tell_proxy(agent, &way.proxy);
	way_free(&way);
	if (rc == 0 && session_params_read(walk->welcome, &agent->params, &err)) {
		finding_set(&walk->failure, CAUSE_MARKER_ABSENT, STAGE_HELLO, CONFIDENCE_CERTAIN);
		evidence_add(&walk->failure.evidence, "difference", "its welcome: %s", err.text);
		rc = -1;
	}
	if (rc == 0)
		discovery_follow(&agent->discovery, &agent->paths, &agent->state,
			json_object_get(walk->welcome, "endpoints"), &agent->log);
	if (walk->hub_clock_told)
		runs_set_clock(&agent->runs, walk->hub_clock);
	agent->backoff.base_ms = agent->params.backoff_base_ms;
	agent->backoff.cap_ms = agent->params.backoff_cap_ms;
	return rc;
}

static void keep_failure(struct agent *agent, const struct finding *finding)
{
	finding_free(&agent->failure);
	finding_copy(&agent->failure, finding);
	agent->failed_at = time(NULL);
}

/* Tells log and status, each only when it is news. */
static void tell_failure(
	struct agent *agent, const struct finding *finding, const struct walk *walk, bool news)
{
	cleanup(free_ptr) char *hub = state_hub(&agent->state);
	enum status_kind kind = finding->cause == CAUSE_AGENT_REVOKED ? STATUS_REVOKED : STATUS_OFFLINE;
	bool asked = finding->cause == CAUSE_HUB_BUSY && walk && walk->retry_after_ms;
	keep_failure(agent, finding);
	bool told = asked ? agent_log_busy(&agent->log, hub, walk->retry_after_ms)
					  : agent_log_failure(&agent->log, hub, finding, news);
	if (told || agent->status.kind != kind)
		set_status(agent, kind, walk);
	else
		status_retry(&agent->status);
}

/* How long to wait after this failure. */
static int64_t wait_ms_after(
	struct agent *agent, enum cause cause, int64_t retry_after_ms, int64_t restart_delay_ms)
{
	int64_t cap_ms = agent->backoff.cap_ms;
	switch (cause) {
	case CAUSE_AGENT_REVOKED: /* only an administrator changes these: ask as rarely as allowed */
	case CAUSE_AGENT_DUPLICATE:
		return cap_ms / 2 + backoff_spread(cap_ms / 2);
	case CAUSE_HUB_RESTARTING:
		return backoff_wait(&agent->backoff, 0, restart_delay_ms);
	case CAUSE_HUB_BUSY:
		return backoff_wait(&agent->backoff, retry_after_ms, 0);
	default:
		return backoff_next(&agent->backoff);
	}
}

static json_t *previous_failure(const struct agent *agent)
{
	char when[CLOCK_TEXT_SIZE];
	if (!agent->failure.cause)
		return NULL;
	cleanup(free_ptr) char *sentence = finding_sentence(&agent->failure);
	return json_pack("{s:s,s:s,s:s}", "cause", cause_info(agent->failure.cause)->id, "sentence",
		sentence, "since", clock_rfc3339(agent->failed_at, when));
}

static bool check_is_due(struct agent *agent)
{
	int64_t now_us = clock_mono_us();
	if (agent->checked_us && now_us - agent->checked_us < CHECK_EVERY_US)
		return false;
	agent->checked_us = now_us;
	return true;
}

static struct inventory_source inventory_source(const struct agent *agent)
{
	return (struct inventory_source){
		.location = agent->state.location,
		.profiles = agent->options->profiles,
		.origins = agent->options->origins,
		.root = agent->options->root,
	};
}

static void greet(struct agent *agent, const struct walk *walk)
{
	cleanup(free_ptr) char *hub = state_hub(&agent->state);
	agent_log_online(&agent->log, hub, walk);
	finding_free(&agent->failure);
	set_status(agent, STATUS_ONLINE, walk);
}

/* What was learnt holds for this way alone. */
static void take_way(struct agent *agent, const struct walk *walk)
{
	cleanup(free_ptr) char *hub = state_hub(&agent->state);
	cleanup(free_ptr) char *way = xasprintf(
		"%s%s%.300s", hub, walk->proxy ? " through " : "", walk->proxy ? walk->proxy : "");
	rhythm_on_way(&agent->rhythm, way);
	rhythm_walked(&agent->rhythm, true);
}

/* What the way in which the session ended says, with the ends before it. True when that is news. */
static bool learn(struct agent *agent, struct online *online)
{
	struct rhythm_end end;
	struct err err;
	cleanup(free_ptr) char *hub = state_hub(&agent->state);
	online_facts(online, &end);
	struct rhythm_word word = rhythm_ended(&agent->rhythm, &agent->params, &end);
	rhythm_name(&agent->rhythm, &agent->params, word.cause, &online->session.over);
	evidence_add(&online->session.over.evidence, "endpoint", "%s", hub);
	if (word.changed && rhythm_save(&agent->paths, &agent->rhythm, &err))
		logfile_line(agent->log.file, LEVEL_WARN, "%s", err.text);
	return !word.known;
}

/* From welcome to the end of the session; frees walk and inventory. Returns the wait after it. */
static int64_t stay(struct agent *agent, struct walk *walk, json_t *inventory)
{
	struct online online = {
		.paths = &agent->paths,
		.log = &agent->log,
		.status = &agent->status,
		.interrupt = &interrupt,
		.inventory = inventory_source(agent),
		.runner = &agent->runner,
		.runs = &agent->runs,
		.sender = &agent->sender,
		.installs = &agent->installs,
		.rhythm = &agent->rhythm,
		.asked = &agent->params,
	};
	int64_t wait_ms = 0;
	if (check_is_due(agent))
		runner_want_own(&agent->runner);
	json_t *previous = previous_failure(agent);
	take_way(agent, walk);
	greet(agent, walk);
	online_begin(&online, walk, inventory, previous, agent->started_us);
	walk_free(walk);
	json_decref(inventory);
	enum online_end ended = online_run(&online);
	if (clock_mono_us() - online.session.opened_us >= agent->params.stable_ms * 1000)
		backoff_reset(&agent->backoff);
	if (ended == ONLINE_LOST) {
		bool news = learn(agent, &online);
		tell_failure(agent, &online.session.over, NULL, news);
		wait_ms =
			wait_ms_after(agent, online.session.over.cause, 0, online.session.restart_delay_ms);
	}
	online_free(&online);
	return wait_ms;
}

/* True when the session is at another endpoint now. */
static bool look_elsewhere(struct agent *agent, enum cause cause)
{
	struct way way = {.root = agent->options->root, .state = &agent->state, .cancel = &interrupt};
	bool moved =
		discovery_ask(&agent->discovery, &agent->paths, &agent->state, &way, cause, &agent->log);
	way_free(&way);
	return moved;
}

/* One walk, and the session if it passes. Returns the wait before the next, in milliseconds. */
static int64_t attempt(struct agent *agent)
{
	struct walk walk;
	struct inventory_source source = inventory_source(agent);
	json_t *inventory = inventory_read(&source);
	int64_t wait_ms = 0;
	if (walk_out(agent, inventory, &walk) == 0)
		return stay(agent, &walk, inventory);
	if (!walk.cancelled) {
		rhythm_walked(&agent->rhythm, false);
		tell_failure(agent, &walk.failure, &walk, true);
		wait_ms = wait_ms_after(agent, walk.failure.cause, walk.retry_after_ms, 0);
		if (look_elsewhere(agent, walk.failure.cause))
			wait_ms = 0;
	}
	walk_free(&walk);
	json_decref(inventory);
	return wait_ms;
}

static void keep_runs(struct agent *agent)
{
	struct err err;
	const struct runs_options options = {
		.paths = &agent->paths,
		.state = &agent->state,
		.log = agent->log.file,
		.root = agent->options->root,
		.reboot_program = agent->options->reboot_program,
	};
	if (runs_keep_open(&agent->runs, &options, &err))
		logfile_line(agent->log.file, LEVEL_ERROR, "no job can be run here: %s", err.text);
	runs_step(&agent->runs);
}

/* Between two walks; the runs of jobs go on, and installs. */
static void rest(struct agent *agent, int64_t wait_ms)
{
	struct deadline end = deadline_in_ms(wait_ms), due;
	enum wait_result result;
	do {
		struct deadline next = end;
		struct pollfd fds[3] = {
			{.fd = runs_fd(&agent->runs), .events = POLLIN},
			{.fd = installs_fd(&agent->installs), .events = POLLIN},
		};
		runs_step(&agent->runs);
		installs_step(&agent->installs);
		if (runs_deadline(&agent->runs, &due))
			next = deadline_sooner(next, due);
		if (installs_deadline(&agent->installs, &due))
			next = deadline_sooner(next, due);
		result = wait_fds(fds, 2, next, &interrupt);
	} while (result != WAIT_CANCELLED && result != WAIT_ERROR && deadline_left_ms(end));
}

static void serve(struct agent *agent)
{
	while (!stop_asked && reload_state(agent)) {
		keep_runs(agent);
		rest(agent, attempt(agent));
		take_interrupt(agent);
	}
}

static int prepare(struct agent *agent, int *lock, struct err *err)
{
	enum state_result loaded = state_load(&agent->paths, &agent->state, err);
	if (loaded != STATE_LOADED || (*lock = lock_take(&agent->paths, err)) < 0)
		return -1;
	if (catch_signals(err))
		return -1;
	session_params_default(&agent->params);
	rhythm_load(&agent->paths, &agent->rhythm);
	randombytes_buf(agent->instance, sizeof agent->instance);
	status_load_params(&agent->paths, &agent->params);
	agent->backoff.base_ms = agent->params.backoff_base_ms;
	agent->backoff.cap_ms = agent->params.backoff_cap_ms;
	return 0;
}

static void service_run(struct agent *agent)
{
	agent_log_open(&agent->log, &agent->paths, agent->options->to_stderr);
	status_init(&agent->status, &agent->paths);
	runner_init(&agent->runner, agent->options->root);
	runs_init(&agent->runs);
	sender_init(&agent->sender, agent->options->root);
	installs_init(&agent->installs, agent->options->root);
	agent->installs.log = agent->log.file;
	cleanup(free_ptr) char *hub = state_hub(&agent->state);
	logfile_line(agent->log.file, LEVEL_INFO,
		"sallyport %s starts as process %ld: %s, id %s, hub %s", SALLYPORT_VERSION, (long)getpid(),
		agent->state.name, agent->state.server_id, hub);
	set_status(agent, STATUS_STARTING, NULL);
	serve(agent);
	logfile_line(agent->log.file, LEVEL_INFO, "sallyport stops");
	runner_free(&agent->runner);
	runs_close(&agent->runs);
	sender_free(&agent->sender);
	installs_close(&agent->installs);
	finding_free(&agent->failure);
	if (stop_asked)
		set_status(agent, STATUS_STOPPED, NULL);
	status_free(&agent->status);
	agent_log_close(&agent->log);
}

int agent_run(const struct agent_options *options)
{
	struct agent agent = {.options = options, .started_us = clock_mono_us()};
	struct err err;
	int lock = -1;
	int code = 1;
	paths_init(&agent.paths, options->root);
	if (prepare(&agent, &lock, &err) == 0) {
		service_run(&agent);
		code = 0;
	} else {
		fprintf(stderr, "sallyport agent: %s\n", err.text);
	}
	if (lock >= 0)
		close(lock);
	free(agent.told_proxy);
	free(agent.told_file);
	rhythm_free(&agent.rhythm);
	discovery_free(&agent.discovery);
	state_wipe(&agent.state);
	cancel_fini(&interrupt);
	paths_free(&agent.paths);
	return code;
}
