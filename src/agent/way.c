#include "agent/way.h"

#include <stdio.h>
#include <unistd.h>

extern char **environ;

/* A machine that joins knows the hub by its token; one that comes back, by the key that it pinned.
 */
static void fill_target(const struct way *way, struct dial_target *target)
{
	const struct place *session = &way->state->endpoints.places[ENDPOINT_SESSION];
	*target = (struct dial_target){
		.host = way->token ? way->token->host : session->host,
		.port = way->token ? way->token->port : session->port,
		.protocol = DIAL_HUB,
		.ca_pem = way->token ? NULL : way->state->private_ca,
		.hub =
			{
				.hub_key = way->token ? NULL : way->state->hub_key,
				.identity = &way->state->identity,
				.token = way->token,
				.inventory = way->inventory,
				.instance = way->instance,
			},
	};
}

static int walk_to(const struct way *way, const struct dial_target *target, struct walk *walk)
{
	return dial_walk(target,
		&(struct dial_options){
			.proxy = &way->proxy,
			.root = way->root,
			.overall = deadline_in_ms(DIAL_OVERALL_MS),
			.cancel = way->cancel,
			.on_stage = way->on_stage,
			.on_stage_data = way->on_stage_data,
		},
		walk);
}

static int read_proxy(struct way *way, struct walk *walk)
{
	*walk = (struct walk){0};
	proxy_settings_free(&way->proxy);
	return proxy_settings_read(environ, way->root, &way->proxy, &walk->failure);
}

/* True when the hub that proved itself there says that its sessions are elsewhere. */
static bool is_elsewhere(
	const struct walk *walk, const struct dial_target *target, struct place *session)
{
	struct endpoints said;
	struct place here = {.port = target->port};
	if (walk->failure.cause != CAUSE_UPGRADE_FILTERED ||
		endpoints_read(json_object_get(walk->discovery, "endpoints"), &said, NULL))
		return false;
	snprintf(here.host, sizeof here.host, "%s", target->host);
	*session = said.places[ENDPOINT_SESSION];
	return !place_same(session, &here);
}

int way_walk(struct way *way, struct walk *walk)
{
	struct dial_target target;
	struct place session;
	if (read_proxy(way, walk))
		return -1;
	fill_target(way, &target);
	int rc = walk_to(way, &target, walk);
	if (rc == 0 || !is_elsewhere(walk, &target, &session))
		return rc;
	walk_free(walk);
	target.host = session.host;
	target.port = session.port;
	return walk_to(way, &target, walk);
}

int way_prove(
	struct way *way, enum endpoint role, bool stay, struct dial_target *target, struct walk *walk)
{
	const struct place *place = &way->state->endpoints.places[role];
	if (read_proxy(way, walk))
		return -1;
	*target = (struct dial_target){
		.host = place->host,
		.port = place->port,
		.protocol = DIAL_HUB,
		.ca_pem = way->state->private_ca,
		.hub =
			{
				.hub_key = way->state->hub_key,
				.check_only = true,
				.plain_proof = true,
				.stay = stay,
			},
	};
	return walk_to(way, target, walk);
}

void way_free(struct way *way)
{
	proxy_settings_free(&way->proxy);
}
