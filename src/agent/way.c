#include "agent/way.h"

#include <unistd.h>

extern char **environ;

/* A machine that joins knows the hub by its token; one that comes back, by the key that it pinned.
 */
static void fill_target(const struct way *way, struct dial_target *target)
{
	*target = (struct dial_target){
		.host = way->token ? way->token->host : way->state->hub_host,
		.port = way->token ? way->token->port : way->state->hub_port,
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

int way_walk(struct way *way, struct walk *walk)
{
	struct dial_target target;
	*walk = (struct walk){0};
	if (proxy_settings_read(environ, way->root, &way->proxy, &walk->failure))
		return -1;
	fill_target(way, &target);
	return dial_walk(&target,
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

void way_free(struct way *way)
{
	proxy_settings_free(&way->proxy);
}
