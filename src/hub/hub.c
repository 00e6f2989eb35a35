/*
 * Start: state folder -> store -> identity -> certificate -> port -> "ready". Any of these can
 * fail, with a sentence that says what to do; nothing is served before all of them stand.
 *
 * End (SIGTERM, SIGINT): new sessions get 503, every machine is told that the hub restarts, the
 * store takes the last changes, connections close; after END_MS what is left is cut.
 */
#include "hub/hub.h"

#include "base/file.h"
#include "hub/api/setup.h"
#include "hub/log.h"
#include "hub/places.h"
#include "hub/portable.h"
#include "hub/state.h"
#include "hub/state_dir.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define START_CAUSE CAUSE_HUB_RESTARTING
#define START_WORDS "The hub was restarted and this machine has not come back yet."

char *hub_state_dir(const char *root)
{
	return file_under(root, HUB_STATE_DIR);
}

struct store *hub_open_store(const char *root, bool make, struct err *err)
{
	cleanup(free_ptr) char *dir = hub_state_dir(root);
	cleanup(free_ptr) char *path = xasprintf("%s/hub.db", dir);
	if (state_dir_check(dir, err))
		return NULL;
	if (!make && !file_exists(path)) {
		err_set(err, "%s is missing; start the hub once first: sallyport-hub serve", path);
		return NULL;
	}
	if (make && file_make_dirs(dir, 0700, err))
		return NULL;
	return sqlite_open(path, err);
}

/* --- building ------------------------------------------------------------------------------ */

static const char *own_host_name(void)
{
	static char name[TOKEN_MAX_HOST + 1];
	if (gethostname(name, sizeof name - 1) || !name[0])
		snprintf(name, sizeof name, "localhost");
	return name;
}

static bool is_any(const char *host)
{
	return strcmp(host, "0.0.0.0") == 0;
}

static void add_name(struct keys_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcasecmp(names->names[i], name) == 0)
			return;
	if (names->count < KEYS_MAX_NAMES)
		names->names[names->count++] = name;
}

static void collect_names(const struct hub_options *options, struct keys_names *names)
{
	*names = (struct keys_names){0};
	for (size_t i = 0; i < options->name_count; i++)
		add_name(names, options->names[i]);
	if (!is_any(options->listen_host))
		add_name(names, options->listen_host);
	add_name(names, own_host_name());
	places_add_names(&options->endpoints, names);
	add_name(names, "localhost");
	add_name(names, "127.0.0.1");
}

int hub_get_certificate(struct hub *hub, struct keys_certificate *certificate, struct err *err)
{
	struct keys_names names;
	if (hub->options.certificate)
		return keys_certificate_given(hub->options.certificate, hub->options.key, certificate, err);
	collect_names(&hub->options, &names);
	return keys_certificate(hub->dir, &names, certificate, err);
}

/* The name that agents use: the first given, else the address, else this machine's name. */
static void choose_host(struct hub *hub)
{
	const struct hub_options *options = &hub->options;
	const char *host = options->name_count            ? options->names[0]
					   : is_any(options->listen_host) ? own_host_name()
													  : options->listen_host;
	snprintf(hub->host, sizeof hub->host, "%s", host);
}

static int open_state(struct hub *hub, struct err *err)
{
	/* Held until this program ends: two hubs on one database would each think the other's machines
	 * offline. */
	if (state_dir_lock(hub->dir, err) < 0)
		return -1;
	hub->store = hub_open_store(hub->options.root, true, err);
	if (!hub->store || keys_identity(hub->dir, true, &hub->identity, err) ||
		hub_get_certificate(hub, &hub->certificate, err))
		return -1;
	return hub->store->driver->servers.all_offline(
			   hub->store, cause_info(START_CAUSE)->id, START_WORDS, time(NULL), err) == STORE_OK
			   ? 0
			   : -1;
}

static void set_up_parts(struct hub *hub)
{
	struct roster_hooks hooks = {hub_wake, hub_row_changed, hub};
	struct checks_hooks checks_hooks = {hub_wake, hub_check_changed, hub};
	hub->roster = roster_new(hub->store, &hooks);
	hub->checks = checks_new(hub->store, &checks_hooks);
	struct jobs_hooks jobs_hooks = hub_jobs_hooks;
	jobs_hooks.data = hub;
	hub->jobs = jobs_new(hub->store, &hub->identity, &jobs_hooks);
	struct installs_hooks installs_hooks = hub_installs_hooks;
	installs_hooks.data = hub;
	hub->installs = installs_new(hub->store, &installs_hooks);
	hub->outside = hub->options.no_outside_look ? NULL : outside_new(&hub->loop, hub_looked, hub);
	hub->events = events_new(hub);
	hub->log_streams = log_streams_new();
	hub->passwords = passwords_new(&hub->loop);
	hub->sessions = (struct session_context){
		.store = hub->store,
		.roster = hub->roster,
		.checks = hub->checks,
		.jobs = hub->jobs,
		.installs = hub->installs,
		.outside = hub->outside,
		.dues = &hub->dues,
		.identity = &hub->identity,
		.private_ca = hub->certificate.ca_pem,
		.endpoints = &hub->endpoints,
		.log_streams = hub->log_streams,
		.timing = hub->options.timing,
		.metrics = &hub->metrics,
		.removed = hub_server_removed,
		.data = hub,
	};
}

/* For `sallyport-hub token new`, which runs beside the hub. */
static int publish(struct hub *hub, struct err *err)
{
	char port[8];
	hub->port = listener_port(hub->listener);
	places_settle(hub);
	const struct place *first = &hub->endpoints.places[ENDPOINT_DISCOVERY];
	snprintf(port, sizeof port, "%u", (unsigned)first->port);
	return hub->store->driver->meta.set(hub->store, "host", first->host, err) != STORE_OK ||
				   hub->store->driver->meta.set(hub->store, "port", port, err) != STORE_OK
			   ? -1
			   : 0;
}

static int announce(struct hub *hub, struct err *err)
{
	char code[SETUP_CODE_SIZE];
	if (setup_new_code(hub->store, code, err) != STORE_OK)
		return -1;
	if (code[0])
		printf("first administrator: %s/#/setup/%s\n", hub->url, code);
	else
		printf("console: %s/\n", hub->url);
	printf("ready\n");
	fflush(stdout);
	sodium_memzero(code, sizeof code);
	log_line(LOG_NOTE, "release %s listens on %s:%u as %s", SALLYPORT_VERSION,
		hub->options.listen_host, hub->port, hub->url);
	return 0;
}

static unsigned loop_count(const struct hub *hub)
{
	unsigned count = hub->options.loops ? (unsigned)hub->options.loops : uv_available_parallelism();
	return count < HUB_MAX_LOOPS ? count : HUB_MAX_LOOPS;
}

static int set_up_bundles(struct hub *hub, struct err *err)
{
	const struct bundles_hooks hooks = {hub_bundle_changed, hub};
	hub->bundles = bundles_new(hub->store, &hub->loop, hub->dir, &hooks, err);
	hub->sessions.bundles = hub->bundles;
	return hub->bundles ? 0 : -1;
}

static void set_up_portable(struct hub *hub)
{
	cleanup(free_ptr) char *folder = hub->options.portable
										 ? xstrdup(hub->options.portable)
										 : file_under(hub->options.root, PORTABLE_FOLDER);
	hub->portable = portable_new(&hub->loop, folder);
}

static int start(struct hub *hub, struct err *err)
{
	if (open_state(hub, err))
		return -1;
	hub_set_up_loop(hub);
	set_up_parts(hub);
	if (checks_load(hub->checks, hub_now_ms(), err) != STORE_OK ||
		jobs_load(hub->jobs, err) != STORE_OK ||
		installs_load(hub->installs, time(NULL), err) != STORE_OK || set_up_bundles(hub, err))
		return -1;
	set_up_portable(hub);
	hub->listener = listener_open(hub, &hub->loop, hub->options.listen_host, hub->options.port,
		loop_count(hub), &hub->certificate, err);
	if (!hub->listener || publish(hub, err) || announce(hub, err))
		return -1;
	hub_start_timers(hub);
	return 0;
}

/* Runs until it was told to stop, and then until every machine has been told. */
static void run(struct hub *hub)
{
	while (!hub->draining)
		uv_run(&hub->loop, UV_RUN_ONCE);
	while (roster_online(hub->roster) && uv_is_active((uv_handle_t *)&hub->end_timer))
		uv_run(&hub->loop, UV_RUN_ONCE);
}

/* --- taking down --------------------------------------------------------------------------- */

static void close_handle(uv_handle_t *handle, void *data)
{
	(void)data;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void close_loop(struct hub *hub)
{
	if (!hub->loop.data && !hub->listener && !hub->roster)
		return; /* it was never begun */
	if (hub->listener)
		listener_close(hub->listener);
	outside_free(hub->outside);
	passwords_free(hub->passwords);
	bundles_free(hub->bundles);
	portable_free(hub->portable);
	uv_walk(&hub->loop, close_handle, NULL);
	uv_run(&hub->loop, UV_RUN_DEFAULT);
	uv_loop_close(&hub->loop);
}

static void take_down(struct hub *hub)
{
	struct err err = {0};
	close_loop(hub);
	enum store_status flushed = STORE_OK;
	while (hub->roster && flushed == STORE_OK && !roster_is_flushed(hub->roster))
		flushed = roster_flush(hub->roster, time(NULL), &err);
	if (flushed != STORE_OK)
		log_line(LOG_ERROR, "%s", err.text);
	if (hub->checks && checks_flush(hub->checks, &err) != STORE_OK)
		log_line(LOG_ERROR, "%s", err.text);
	if (hub->jobs && jobs_flush_all(hub->jobs, hub_now_ms(), &err) != STORE_OK)
		log_line(LOG_ERROR, "%s", err.text);
	if (hub->installs && installs_flush(hub->installs, hub_now_ms(), &err) != STORE_OK)
		log_line(LOG_ERROR, "%s", err.text);
	if (hub->store && hub->draining)
		hub->store->driver->servers.all_offline(
			hub->store, cause_info(START_CAUSE)->id, START_WORDS, time(NULL), NULL);
	roster_free(hub->roster);
	checks_free(hub->checks);
	jobs_free(hub->jobs);
	installs_free(hub->installs);
	events_free(hub->events);
	log_streams_free(hub->log_streams);
	if (hub->listener)
		listener_free(hub->listener);
	if (hub->store)
		hub->store->driver->close(hub->store);
	keys_certificate_free(&hub->certificate);
	identity_wipe(&hub->identity);
	free(hub->trouble);
	free(hub->url);
	free(hub->dir);
}

int hub_serve(const struct hub_options *options)
{
	struct hub hub = {.options = *options, .dir = hub_state_dir(options->root)};
	struct err err = {0};
	/* No core file: it would hold the keys. One arena: the threads of the pool allocate little. */
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	mallopt(M_ARENA_MAX, 2);
	choose_host(&hub);
	int bad = start(&hub, &err);
	if (bad)
		fprintf(stderr, "sallyport-hub: %s\n", err.text);
	else
		run(&hub);
	take_down(&hub);
	if (!bad)
		log_line(LOG_NOTE, "down");
	return bad ? 1 : 0;
}
