/*
 * One walk of the check: what a profile or a hub says about an endpoint, put in the walk's terms,
 * walked with the code that the agent connects with, and closed.
 */
#include "check/parts.h"

/* What a profile says about an endpoint, in the walk's terms. */
struct aim {
	struct dial_target target;
	struct dial_marker marker;
	const char *pins[PROFILE_MAX_PINS + 1];
};

static void aim_at_endpoint(struct aim *aim, const struct profile_endpoint *endpoint)
{
	static const enum dial_protocol protocols[] = {[PROFILE_HTTPS] = DIAL_HTTPS,
		[PROFILE_TLS] = DIAL_TLS,
		[PROFILE_TCP] = DIAL_TCP,
		[PROFILE_HTTP] = DIAL_HTTP};
	aim->target.host = endpoint->host;
	aim->target.port = endpoint->port;
	aim->target.protocol = protocols[endpoint->protocol];
	aim->target.ca_pem = endpoint->ca_pem;
	for (unsigned i = 0; i < endpoint->pins_count; i++)
		aim->pins[i] = endpoint->pins[i];
	aim->target.pins = endpoint->pins_count ? aim->pins : NULL;
	if (!endpoint->marker)
		return;
	aim->marker = (struct dial_marker){
		.path = endpoint->marker->path ? endpoint->marker->path : "/",
		.status = endpoint->marker->status,
		.header_name = endpoint->marker->header.name,
		.header_contains = endpoint->marker->header.contains,
	};
	aim->target.marker = &aim->marker;
}

static void aim_at_hub(struct aim *aim, const struct check_hub *hub)
{
	aim->target = (struct dial_target){
		.host = hub->host,
		.port = hub->port,
		.protocol = DIAL_HUB,
		.ca_pem = hub->ca_pem,
		.hub = {.hub_key = hub->hub_key,
			.identity = hub->plain ? NULL : hub->identity,
			.check_only = true,
			.plain_proof = hub->plain},
	};
}

static void close_walk(struct walk *walk)
{
	ws_free(walk->ws);
	walk->ws = NULL;
	conn_close(walk->conn);
	walk->conn = NULL;
}

const char *walk_host(const struct requirement *requirement)
{
	return requirement->hub ? requirement->hub->host : requirement->endpoint->host;
}

void walk_to(const struct check_options *options, struct deadline overall,
	const struct walk_watch *watch, struct requirement *requirement)
{
	struct aim aim = {.target = {.host = NULL}};
	if (requirement->hub)
		aim_at_hub(&aim, requirement->hub);
	else
		aim_at_endpoint(&aim, requirement->endpoint);
	struct dial_options dial = {
		.proxy = options->proxy,
		.root = options->root,
		.others = options->other_proxies,
		.other_count = options->other_proxy_count,
		.trust = options->trust,
		.overall = overall,
		.deep = options->deep,
		.cancel = options->cancel,
		.on_stage = watch->on_stage,
		.on_stage_data = watch->data,
	};
	(options->walk ? options->walk : dial_walk)(&aim.target, &dial, &requirement->walk);
	close_walk(&requirement->walk);
	requirement->walked = true;
}
