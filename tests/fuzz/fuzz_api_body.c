/*
 * Bodies, paths and arguments of the API: route_run() with the real handlers over a real store in
 * memory, asked by somebody who may do everything.
 *
 * An input is the number of a route (one byte), what stands for {NAME}s and for ?arguments (a line
 * each), and the body. Where a line is "=", the thing that is there is named: the server, the job.
 */
#include "fuzz.h"

#include "base/json.h"
#include "hub/api/api_keys.h"
#include "hub/api/route.h"
#include "hub/net/listener.h"
#include "hub/portable.h"
#include "hub/state.h"

#include <sodium.h>
#include <stdio.h>

#define RUNS_OF_A_HUB 2000 /* then a new one begins: what was made would fill the memory */
#define MAX_DEFERRED  32

static struct hub hub;
static struct connection connection = {.proven = true};
static struct exchange *deferred[MAX_DEFERRED];
static size_t deferred_count, runs;
static char key_text[WHO_KEY_SIZE], server_id[IDENTITY_ID_SIZE];

/* Those that stream, send files or speak of the hub's own port are others' business. */
static const struct route *pick(uint8_t number)
{
	static const struct route *picked[128];
	static size_t count;
	for (const struct route *route = routes; !count || (route->path && count < 128); route++) {
		bool other = route->run == events_get || route->run == log_get ||
					 route->run == session_get || route->run == metrics_get ||
					 route->run == discovery_get || route->run == profile_get ||
					 strstr(route->path, "/uploads") || strstr(route->path, "/file");
		if (!other)
			picked[count++] = route;
	}
	return picked[number % count];
}

static void enrol_a_server(void)
{
	struct store_token token = {.label = (char *)"",
		.created_by = (char *)"",
		.created = 1,
		.expires = INT64_MAX,
		.uses = 1};
	struct store_enrolment enrolment = {.key = {1},
		.inventory = "{\"name\":\"web\",\"platform\":\"linux\",\"location\":\"hall 2\"}",
		.now = 2};
	enum enrol_result result;
	struct err err;
	snprintf(token.id, sizeof token.id, "0123456789abcdef");
	hub.store->driver->tokens.add(hub.store, &token, &err);
	hub.store->driver->servers.enrol(hub.store, &enrolment, &result, &err);
	assert(result == ENROL_OK);
	identity_id(enrolment.key, server_id);
}

static void make_the_key(void)
{
	struct actor actor = {.kind = ACTOR_COMMAND, .name = (char *)"root"};
	struct api_key_wish wish = {.name = "fuzz",
		.permissions = role_permissions(ROLE_ADMINISTRATOR),
		.actor = &actor,
		.now = time(NULL),
		.expires_in_s = API_KEY_MAX_S};
	struct store_key key = {0};
	struct err err;
	enum store_status status = api_key_make(hub.store, &wish, &key, key_text, &err);
	assert(status == STORE_OK);
	store_key_free(&key);
}

static void hub_begin(void)
{
	struct err err;
	hub = (struct hub){.url = xstrdup("https://hub.example:443"), .fleet = 1};
	snprintf(hub.host, sizeof hub.host, "hub.example");
	uv_loop_init(&hub.loop);
	uv_timer_t *const timers[] = {
		&hub.flush_timer, &hub.sweep_timer, &hub.slow_timer, &hub.end_timer, &hub.jobs_timer};
	for (size_t i = 0; i < ARRAY_LEN(timers); i++) {
		uv_timer_init(&hub.loop, timers[i]);
		timers[i]->data = &hub;
	}
	hub.store = sqlite_open(":memory:", &err);
	assert(hub.store);
	identity_make(&hub.identity);
	struct roster_hooks hooks = {hub_wake, hub_row_changed, &hub};
	struct checks_hooks checks_hooks = {hub_wake, hub_check_changed, &hub};
	struct jobs_hooks jobs_hooks = hub_jobs_hooks;
	jobs_hooks.data = &hub;
	hub.roster = roster_new(hub.store, &hooks);
	hub.checks = checks_new(hub.store, &checks_hooks);
	hub.jobs = jobs_new(hub.store, &hub.identity, &jobs_hooks);
	struct installs_hooks installs_hooks = hub_installs_hooks;
	installs_hooks.data = &hub;
	hub.installs = installs_new(hub.store, &installs_hooks);
	hub.events = events_new(&hub);
	hub.passwords = passwords_new(&hub.loop);
	hub.portable = portable_new(&hub.loop, "/nonexistent");
	enrol_a_server();
	make_the_key();
	connection.hub = &hub;
}

static void close_handle(uv_handle_t *handle, void *data)
{
	(void)data;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void hub_end(void)
{
	passwords_free(hub.passwords);
	portable_free(hub.portable);
	while (deferred_count)
		exchange_free(deferred[--deferred_count]);
	uv_walk(&hub.loop, close_handle, NULL);
	uv_run(&hub.loop, UV_RUN_DEFAULT);
	uv_loop_close(&hub.loop);
	roster_free(hub.roster);
	checks_free(hub.checks);
	jobs_free(hub.jobs);
	installs_free(hub.installs);
	events_free(hub.events);
	hub.store->driver->close(hub.store);
	free(hub.trouble);
	free(hub.url);
	runs = 0;
}

/* One line of the input, without what no path can hold. */
static void take_line(const uint8_t **data, size_t *size, char *line, size_t room)
{
	size_t len = 0;
	while (*size && **data != '\n') {
		if (len + 1 < room && **data && **data != '/')
			line[len++] = (char)**data;
		++*data, --*size;
	}
	if (*size)
		++*data, --*size;
	line[len] = '\0';
}

static void fill_path(struct exchange *exchange, const struct route *route, const char *name)
{
	size_t used = 0;
	const char *thing = strcmp(name, "=") == 0 ? server_id : *name ? name : "0";
	for (const char *at = route->path; *at && used + 1 < sizeof exchange->path; at++) {
		if (*at != '{') {
			exchange->path[used++] = *at;
			continue;
		}
		for (const char *from = thing; *from && used + 1 < sizeof exchange->path; from++)
			exchange->path[used++] = *from;
		at += strcspn(at, "}");
	}
}

static void fill_args(struct exchange *exchange, char *line)
{
	for (int i = 0; i < EXCHANGE_MAX_ARGS && line && *line; i++)
		exchange->args[i] = xstrdup(strsep(&line, "&"));
}

static void check_answer(const struct exchange *exchange)
{
	struct err err;
	assert(exchange->status && exchange->status != 500 && exchange->status < 600);
	if (!exchange->type || !strstr(exchange->type, "json") || exchange->fixed)
		return;
	json_t *json = json_parse(buf_text(&exchange->answer), exchange->answer.len, &err);
	assert(json);
	if (exchange->status >= 400)
		assert(json_get_int(json, "status", 0) == exchange->status);
	json_decref(json);
}

static void ask(const uint8_t *data, size_t size)
{
	struct exchange *exchange = xcalloc(1, sizeof *exchange);
	const struct route *route = pick(*data++);
	char name[200], args[400];
	size--;
	take_line(&data, &size, name, sizeof name);
	take_line(&data, &size, args, sizeof args);
	exchange->hub = &hub;
	exchange->connection = &connection;
	exchange->method = route->method;
	exchange->marked = true;
	exchange->content_length = (int64_t)size;
	exchange->body.max = EXCHANGE_MAX_BODY;
	memcpy(exchange->bearer, key_text, sizeof key_text);
	snprintf(exchange->peer, sizeof exchange->peer, "192.0.2.7");
	fill_path(exchange, route, name);
	fill_args(exchange, args);
	buf_append(&exchange->body, data, size);
	route_run(exchange);
	if (exchange->deferred) {
		assert(deferred_count < MAX_DEFERRED);
		deferred[deferred_count++] = exchange;
		return;
	}
	check_answer(exchange);
	exchange_free(exchange);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3 || sodium_init() < 0)
		return 0;
	if (!hub.store)
		hub_begin();
	ask(data, size);
	if (++runs == RUNS_OF_A_HUB) {
		hub_end();
		hub_begin();
	}
	return 0;
}
