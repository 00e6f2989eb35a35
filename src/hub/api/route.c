#include "hub/api/route.h"

#include "base/json.h"
#include "base/utf8.h"
#include "hub/api/replay.h"
#include "hub/api/who.h"
#include "hub/state.h"
#include "wire/endpoints.h"
#include "wire/hub_profile.h"
#include "wire/messages.h"

#include <string.h>
#include <strings.h>

const struct route routes[] = {
	{METHOD_GET, PROTOCOL_DISCOVERY_PATH, PERMIT_ANYONE, SCOPE_OWN, false, discovery_get,
		"Where the hub's endpoints are, and its proof for ?nonce="},
	{METHOD_GET, HUB_PROFILE_PATH, PERMIT_ANYONE, SCOPE_OWN, false, profile_get,
		"The same as a profile for `sallyport check --profile`"},
	{METHOD_GET, PROTOCOL_SESSION_PATH, PERMIT_ANYONE, SCOPE_OWN, false, session_get,
		"The machines' WebSocket"},
	{METHOD_GET, "/healthz", PERMIT_ANYONE, SCOPE_OWN, false, health_get,
		"\"ok\" while the hub runs"},
	{METHOD_GET, "/readyz", PERMIT_ANYONE, SCOPE_OWN, false, ready_get,
		"200 when it can do its work, else why not"},
	{METHOD_GET, "/metrics", PERMIT_ANYONE, SCOPE_OWN, false, metrics_get,
		"Counters for Prometheus"},
	{METHOD_GET, "/v1/setup", PERMIT_ANYONE, SCOPE_OWN, false, setup_get,
		"Whether the first administrator is missing"},
	{METHOD_POST, "/v1/setup", PERMIT_ANYONE, SCOPE_OWN, true, setup_post,
		"Makes the first administrator"},
	{METHOD_POST, "/v1/login", PERMIT_ANYONE, SCOPE_OWN, true, login_post, "Signs in"},
	{METHOD_POST, "/v1/logout", PERMIT_ANYONE, SCOPE_OWN, false, logout_post, "Signs out"},
	{METHOD_GET, "/v1/me", PERMIT_SIGNED_IN, SCOPE_OWN, false, me_get,
		"Who is signed in, and at which hub"},
	{METHOD_GET, "/v1/servers", PERMIT_READ, SCOPE_OWN, false, servers_get,
		"The list of servers, a page at a time"},
	{METHOD_GET, "/v1/servers/{id}", PERMIT_READ, SCOPE_SERVER, false, server_get,
		"All that is known of a server"},
	{METHOD_DELETE, "/v1/servers/{id}", PERMIT_REMOVE, SCOPE_SERVER, false, server_delete,
		"Removes a server and revokes its key"},
	{METHOD_GET, "/v1/servers/{id}/checks", PERMIT_READ, SCOPE_SERVER, false, checks_get,
		"Its checks, the newest first"},
	{METHOD_POST, "/v1/servers/{id}/checks", PERMIT_OPERATE, SCOPE_SERVER, true, check_post,
		"Has the machine check itself now"},
	{METHOD_GET, "/v1/servers/{id}/checks/{check}", PERMIT_READ, SCOPE_SERVER, false, check_get,
		"One check, with its report"},
	{METHOD_GET, "/v1/servers/{id}/activity", PERMIT_READ, SCOPE_SERVER, false, activity_get,
		"What waits or runs on it, and what did"},
	{METHOD_GET, "/v1/jobs", PERMIT_READ, SCOPE_OWN, false, jobs_get, "The jobs, the newest first"},
	{METHOD_POST, "/v1/jobs", PERMIT_OPERATE, SCOPE_OWN, true, job_post,
		"Runs a script on servers, now or when they come online"},
	{METHOD_GET, "/v1/jobs/{id}", PERMIT_READ, SCOPE_OWN, false, job_get,
		"One job, with its script"},
	{METHOD_POST, "/v1/jobs/{id}/cancel", PERMIT_OPERATE, SCOPE_OWN, true, job_cancel_post,
		"Cancels a job, or its runs on some servers"},
	{METHOD_POST, "/v1/jobs/{id}/repeat", PERMIT_OPERATE, SCOPE_OWN, true, job_repeat_post,
		"Makes a new job of the same script for some of its servers"},
	{METHOD_GET, "/v1/jobs/{id}/runs", PERMIT_READ, SCOPE_OWN, false, runs_get,
		"Its runs, what went wrong first"},
	{METHOD_GET, "/v1/jobs/{id}/runs/{server}", PERMIT_READ, SCOPE_OWN, false, run_get,
		"A job's run on one server"},
	{METHOD_GET, "/v1/jobs/{id}/runs/{server}/output", PERMIT_READ, SCOPE_OWN, false,
		run_output_get, "A piece of its output, as text"},
	{METHOD_GET, "/v1/jobs/{id}/runs/{server}/output/raw", PERMIT_READ, SCOPE_OWN, false,
		run_output_raw_get, "Its output as it came"},
	{METHOD_GET, "/v1/tokens", PERMIT_ENROL, SCOPE_OWN, false, tokens_get, "The join tokens"},
	{METHOD_POST, "/v1/tokens", PERMIT_ENROL, SCOPE_OWN, true, token_post, "Makes a join token"},
	{METHOD_DELETE, "/v1/tokens/{id}", PERMIT_ENROL, SCOPE_OWN, false, token_delete,
		"Revokes a join token"},
	{METHOD_GET, "/v1/openapi.json", PERMIT_ANYONE, SCOPE_OWN, false, openapi_get,
		"The description of this API (OpenAPI 3.1)"},
	{METHOD_POST, "/v1/me/password", PERMIT_SIGNED_IN, SCOPE_HUB, true, password_post,
		"Changes one's own password"},
	{METHOD_GET, "/v1/locations", PERMIT_READ, SCOPE_OWN, false, locations_get,
		"The resource locations"},
	{METHOD_GET, "/v1/users", PERMIT_USERS, SCOPE_HUB, false, users_get,
		"The people who may sign in"},
	{METHOD_POST, "/v1/users", PERMIT_USERS, SCOPE_HUB, true, user_post, "Makes a user"},
	{METHOD_PATCH, "/v1/users/{name}", PERMIT_USERS, SCOPE_HUB, true, user_patch,
		"Changes a user's role or password"},
	{METHOD_DELETE, "/v1/users/{name}", PERMIT_USERS, SCOPE_HUB, false, user_delete,
		"Removes a user"},
	{METHOD_GET, "/v1/keys", PERMIT_KEYS, SCOPE_HUB, false, keys_get, "The API keys"},
	{METHOD_POST, "/v1/keys", PERMIT_KEYS, SCOPE_HUB, true, key_post, "Makes an API key"},
	{METHOD_DELETE, "/v1/keys/{id}", PERMIT_KEYS, SCOPE_HUB, false, key_delete,
		"Revokes an API key"},
	{METHOD_GET, "/v1/audit", PERMIT_AUDIT, SCOPE_HUB, false, audit_get, "The audit trail"},
	{METHOD_GET, "/v1/servers/{id}/log", PERMIT_READ, SCOPE_SERVER, false, log_get,
		"The agent's log as it grows (server-sent events)"},
	{METHOD_GET, "/v1/servers/{id}/bundles", PERMIT_READ, SCOPE_SERVER, false, server_bundles_get,
		"A server's support bundles, the newest first"},
	{METHOD_POST, "/v1/servers/{id}/bundles", PERMIT_OPERATE, SCOPE_SERVER, false, bundle_post,
		"Has the machine make a support bundle and upload it"},
	{METHOD_GET, "/v1/bundles", PERMIT_READ, SCOPE_OWN, false, bundles_get,
		"The support bundles, the newest first"},
	{METHOD_GET, "/v1/bundles/{id}", PERMIT_READ, SCOPE_OWN, false, bundle_get,
		"One support bundle"},
	{METHOD_DELETE, "/v1/bundles/{id}", PERMIT_REMOVE, SCOPE_OWN, false, bundle_delete,
		"Deletes a support bundle"},
	{METHOD_GET, "/v1/bundles/{id}/file", PERMIT_READ, SCOPE_OWN, false, bundle_file_get,
		"The bundle itself"},
	{METHOD_POST, PROTOCOL_UPLOADS_PATH, PERMIT_ANYONE, SCOPE_OWN, true, upload_post,
		"A machine begins to send a bundle"},
	{METHOD_PATCH, PROTOCOL_UPLOADS_PATH "/{id}", PERMIT_ANYONE, SCOPE_OWN, false, upload_patch,
		"The next piece of it"},
	{METHOD_HEAD, PROTOCOL_UPLOADS_PATH "/{id}", PERMIT_ANYONE, SCOPE_OWN, false, upload_head,
		"How much of it is there"},
	{METHOD_POST, "/v1/locations", PERMIT_ENROL, SCOPE_HUB, true, location_post,
		"Makes a location"},
	{METHOD_GET, "/v1/locations/{name}", PERMIT_READ, SCOPE_OWN, false, location_get,
		"One location, and which of its servers break what it demands"},
	{METHOD_PATCH, "/v1/locations/{name}", PERMIT_ENROL, SCOPE_OWN, true, location_patch,
		"Renames a location, or changes what it demands"},
	{METHOD_DELETE, "/v1/locations/{name}", PERMIT_ENROL, SCOPE_OWN, false, location_delete,
		"Deletes a location that is empty"},
	{METHOD_GET, "/v1/locations/{name}/host-keys", PERMIT_READ, SCOPE_OWN, false, host_keys_get,
		"The SSH host keys that people confirmed there"},
	{METHOD_DELETE, "/v1/locations/{name}/host-keys/{key}", PERMIT_ENROL, SCOPE_OWN, false,
		host_key_delete, "Forgets a confirmed host key, so that the next one is asked about again"},
	{METHOD_PATCH, "/v1/servers/{id}", PERMIT_ENROL, SCOPE_SERVER, true, server_patch,
		"Puts a server into a location"},
	{METHOD_POST, "/v1/servers/{id}/promote", PERMIT_ENROL, SCOPE_SERVER, false,
		server_promote_post, "Makes a server a connector of its location"},
	{METHOD_POST, "/v1/servers/{id}/demote", PERMIT_ENROL, SCOPE_SERVER, false, server_demote_post,
		"A server is a connector no longer"},
	{METHOD_GET, "/v1/installs", PERMIT_READ, SCOPE_OWN, false, installs_get,
		"The installs, the newest first"},
	{METHOD_POST, "/v1/installs", PERMIT_ENROL, SCOPE_OWN, true, install_post,
		"Has a connector put the agent on its neighbours, upgrade it there, or remove it"},
	{METHOD_GET, "/v1/installs/{id}", PERMIT_READ, SCOPE_OWN, false, install_get, "One install"},
	{METHOD_GET, "/v1/installs/{id}/targets", PERMIT_READ, SCOPE_OWN, false, install_targets_get,
		"Its targets, what went wrong first"},
	{METHOD_GET, "/v1/installs/{id}/targets/{target}", PERMIT_READ, SCOPE_OWN, false,
		install_target_get, "One target of an install"},
	{METHOD_POST, "/v1/installs/{id}/start", PERMIT_ENROL, SCOPE_OWN, true, install_start_post,
		"Starts the work on targets that are ready"},
	{METHOD_POST, "/v1/installs/{id}/cancel", PERMIT_ENROL, SCOPE_OWN, false, install_cancel_post,
		"Ends an install"},
	{METHOD_POST, "/v1/installs/{id}/retry", PERMIT_ENROL, SCOPE_OWN, true, install_retry_post,
		"Makes a new install of the targets that failed or were cancelled"},
	{METHOD_GET, "/v1/targets", PERMIT_READ, SCOPE_OWN, false, targets_get,
		"Machines that were expected and are not here"},
	{METHOD_DELETE, "/v1/targets/{target}", PERMIT_ENROL, SCOPE_OWN, false, target_delete,
		"A machine is expected no longer"},
	{METHOD_GET, "/v1/portable/{arch}", PERMIT_ANYONE, SCOPE_OWN, false, portable_get,
		"The portable agent, one file for any Linux"},
	{METHOD_POST, "/v1/connector/installs", PERMIT_ANYONE, SCOPE_OWN, true, connector_begin_post,
		"A connector begins an install of its own"},
	{METHOD_POST, "/v1/connector/installs/{id}/go", PERMIT_ANYONE, SCOPE_OWN, true,
		connector_go_post, "It asks for the tokens of targets that somebody confirmed"},
	{METHOD_POST, "/v1/connector/installs/{id}/events", PERMIT_ANYONE, SCOPE_OWN, true,
		connector_events_post,
		"It tells how its targets are, and learns which of them the hub has seen"},
	{METHOD_GET, "/v1/events", PERMIT_READ, SCOPE_OWN, false, events_get,
		"Changes as they happen (server-sent events)"},
	{0},
};

/* One segment of the path for one of the pattern. */
static bool segment_fits(const char *pattern, size_t pattern_len, const char *path, size_t len,
	char operand[EXCHANGE_OPERAND_SIZE])
{
	if (pattern[0] != '{')
		return len == pattern_len && strncmp(pattern, path, len) == 0;
	if (!len || len >= EXCHANGE_OPERAND_SIZE)
		return false;
	memcpy(operand, path, len);
	operand[len] = '\0';
	return true;
}

static bool path_fits(const char *pattern, const char *path,
	char operands[EXCHANGE_MAX_OPERANDS][EXCHANGE_OPERAND_SIZE])
{
	size_t used = 0;
	while (*pattern == '/' && *path == '/') {
		size_t pattern_len = strcspn(++pattern, "/"), len = strcspn(++path, "/");
		if (used == EXCHANGE_MAX_OPERANDS && *pattern == '{')
			abort(); /* a route was written with more */
		char *operand = operands[*pattern == '{' ? used++ : 0];
		if (!segment_fits(pattern, pattern_len, path, len, operand))
			return false;
		pattern += pattern_len;
		path += len;
	}
	return !*pattern && !*path;
}

const struct route *route_find(enum exchange_method method, const char *path,
	char operands[EXCHANGE_MAX_OPERANDS][EXCHANGE_OPERAND_SIZE], bool *other)
{
	*other = false;
	for (const struct route *route = routes; route->path; route++) {
		if (!path_fits(route->path, path, operands))
			continue;
		if (route->method == method)
			return route;
		*other = true;
	}
	return NULL;
}

/* A page of another site can make a browser send requests with the cookie, but it can neither set
 * this header nor lie about its origin. A key is in no browser. */
static bool forged(const struct exchange *exchange)
{
	if (exchange->method == METHOD_GET || exchange->method == METHOD_HEAD ||
		exchange->actor.kind == ACTOR_KEY)
		return false;
	if (!exchange->marked)
		return true;
	return exchange->origin[0] && (strncmp(exchange->origin, "https://", 8) != 0 ||
									  strcasecmp(exchange->origin + 8, exchange->host) != 0);
}

/* Whether the actor may use the route at all, and on this server; false after a problem was
 * answered. What somebody may not see is answered as what is not there. */
static bool may(struct exchange *exchange, const struct route *route)
{
	const struct actor *actor = &exchange->actor;
	if (!actor_may(actor, route->permission)) {
		exchange_problem_of(exchange, 403, "not-permitted", NULL,
			"This needs the permission \"%s\" (%s), which \"%s\" does not have.",
			permission_name(route->permission), permission_about(route->permission), actor->name);
		return false;
	}
	if (!actor->location || route->scope == SCOPE_OWN)
		return true;
	if (route->scope == SCOPE_HUB) {
		exchange_problem_of(exchange, 403, "limited-to-location", NULL,
			"This concerns the whole hub, and the key is limited to the location \"%s\".",
			actor->location);
		return false;
	}
	if (who_sees_server(exchange->hub, actor, exchange->operands[route->scope == SCOPE_SERVER2]))
		return true;
	exchange_problem(exchange, 404, "There is no server with this id (any more).");
	return false;
}

/* What is no UTF-8 could be neither stored nor put into an answer. */
static bool is_text(const struct exchange *exchange)
{
	for (int i = 0; i < EXCHANGE_MAX_OPERANDS; i++)
		if (!utf8_is_valid(exchange->operands[i]))
			return false;
	for (int i = 0; i < EXCHANGE_MAX_ARGS && exchange->args[i]; i++)
		if (!utf8_is_valid(exchange->args[i]))
			return false;
	return true;
}

static void run_route(struct exchange *exchange, const struct route *route)
{
	struct err err = {0};
	if (route->permission != PERMIT_ANYONE) {
		if (who_acts(exchange))
			return;
		connection_proven(exchange->connection);
		if (!may(exchange, route))
			return;
	}
	if (forged(exchange)) {
		exchange_problem_of(exchange, 403, "forged", NULL,
			"A request that changes something needs the header \"X-Sallyport: 1\" and comes from "
			"the "
			"console's own origin.");
		return;
	}
	if (!is_text(exchange)) {
		exchange_problem(exchange, 400, "The address must be UTF-8.");
		return;
	}
	if (route->json) {
		exchange->json = json_parse(buf_text(&exchange->body), exchange->body.len, &err);
		if (!json_is_object(exchange->json)) {
			exchange_problem(exchange, 400, "The body must be a JSON object%s%s.",
				exchange->json ? "" : ": ", exchange->json ? "" : err.text);
			return;
		}
	}
	if (replay_begin(exchange))
		return;
	route->run(exchange);
	replay_end(exchange);
}

void route_deliver(struct exchange *exchange)
{
	replay_end(exchange);
	exchange_deliver(exchange);
}

void route_run(struct exchange *exchange)
{
	bool other = false;
	const struct route *route =
		route_find(exchange->method, exchange->path, exchange->operands, &other);
	exchange->route = route;
	if (route)
		run_route(exchange, route);
	else if (other)
		exchange_problem(exchange, 405, "%s cannot be used in this way.", exchange->path);
	else if (exchange->method == METHOD_GET && strncmp(exchange->path, "/v1/", 4) != 0)
		assets_get(exchange);
	else
		exchange_problem(exchange, 404, "There is nothing at %s.", exchange->path);
}
