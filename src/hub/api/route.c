#include "hub/api/route.h"

#include "base/json.h"
#include "hub/api/who.h"
#include "hub/state.h"
#include "wire/hub_profile.h"
#include "wire/messages.h"

#include <string.h>
#include <strings.h>

const struct route routes[] = {
	{METHOD_GET, PROTOCOL_DISCOVERY_PATH, ACCESS_ANYONE, false, discovery_get,
		"Where the hub's endpoints are, and its proof for ?nonce="},
	{METHOD_GET, HUB_PROFILE_PATH, ACCESS_ANYONE, false, profile_get,
		"The same as a profile for `sallyport check --profile`"},
	{METHOD_GET, PROTOCOL_SESSION_PATH, ACCESS_ANYONE, false, session_get,
		"The machines' WebSocket"},
	{METHOD_GET, "/healthz", ACCESS_ANYONE, false, health_get, "\"ok\" while the hub runs"},
	{METHOD_GET, "/readyz", ACCESS_ANYONE, false, ready_get,
		"200 when it can do its work, else why not"},
	{METHOD_GET, "/metrics", ACCESS_ANYONE, false, metrics_get, "Counters for Prometheus"},
	{METHOD_GET, "/v1/setup", ACCESS_ANYONE, false, setup_get,
		"Whether the first administrator is missing"},
	{METHOD_POST, "/v1/setup", ACCESS_ANYONE, true, setup_post, "Makes the first administrator"},
	{METHOD_POST, "/v1/login", ACCESS_ANYONE, true, login_post, "Signs in"},
	{METHOD_POST, "/v1/logout", ACCESS_ANYONE, false, logout_post, "Signs out"},
	{METHOD_GET, "/v1/me", ACCESS_USER, false, me_get, "Who is signed in, and at which hub"},
	{METHOD_GET, "/v1/servers", ACCESS_USER, false, servers_get,
		"The list of servers, a page at a time"},
	{METHOD_GET, "/v1/servers/{id}", ACCESS_USER, false, server_get,
		"All that is known of a server"},
	{METHOD_DELETE, "/v1/servers/{id}", ACCESS_USER, false, server_delete,
		"Removes a server and revokes its key"},
	{METHOD_GET, "/v1/servers/{id}/checks", ACCESS_USER, false, checks_get,
		"Its checks, the newest first"},
	{METHOD_POST, "/v1/servers/{id}/checks", ACCESS_USER, true, check_post,
		"Has the machine check itself now"},
	{METHOD_GET, "/v1/servers/{id}/checks/{check}", ACCESS_USER, false, check_get,
		"One check, with its report"},
	{METHOD_GET, "/v1/tokens", ACCESS_USER, false, tokens_get, "The join tokens"},
	{METHOD_POST, "/v1/tokens", ACCESS_USER, true, token_post, "Makes a join token"},
	{METHOD_DELETE, "/v1/tokens/{id}", ACCESS_USER, false, token_delete, "Revokes a join token"},
	{METHOD_GET, "/v1/events", ACCESS_USER, false, events_get,
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
 * this header nor lie about its origin. */
static bool forged(const struct exchange *exchange)
{
	if (exchange->method == METHOD_GET)
		return false;
	if (!exchange->marked)
		return true;
	return exchange->origin[0] && (strncmp(exchange->origin, "https://", 8) != 0 ||
									  strcasecmp(exchange->origin + 8, exchange->host) != 0);
}

static void run_route(struct exchange *exchange, const struct route *route)
{
	struct err err = {0};
	if (route->access == ACCESS_USER) {
		exchange->user = who_is(exchange->hub, exchange->cookie);
		if (!exchange->user) {
			exchange_problem(exchange, 401, "Sign in first.");
			return;
		}
		connection_proven(exchange->connection);
	}
	if (forged(exchange)) {
		exchange_problem(exchange, 403,
			"A request that changes something needs the header \"X-Sallyport: 1\" and comes from "
			"the "
			"console's own origin.");
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
	route->run(exchange);
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
