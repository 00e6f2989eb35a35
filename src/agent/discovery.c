#include "agent/discovery.h"

#include <string.h>

static void tell(struct discovery *discovery, struct agent_log *log, const char *text)
{
	if (discovery->told && strcmp(discovery->told, text) == 0)
		return;
	free(discovery->told);
	discovery->told = xstrdup(text);
	logfile_line(log->file, LEVEL_WARN, "%s", text);
}

static void follow(const struct agent_paths *paths, struct agent_state *state,
	const json_t *endpoints, struct agent_log *log)
{
	struct err err;
	int news = state_follow(paths, state, endpoints, &err);
	if (news < 0)
		logfile_line(log->file, LEVEL_WARN, "%s", err.text);
	if (news <= 0)
		return;
	for (size_t i = 0; i < ENDPOINT_COUNT; i++)
		logfile_line(log->file, LEVEL_INFO, "the hub's %s endpoint is %s:%u",
			endpoint_name((enum endpoint)i), state->endpoints.places[i].host,
			(unsigned)state->endpoints.places[i].port);
}

void discovery_follow(struct discovery *discovery, const struct agent_paths *paths,
	struct agent_state *state, const json_t *endpoints, struct agent_log *log)
{
	discovery->failures = 0;
	free(discovery->told);
	discovery->told = NULL;
	follow(paths, state, endpoints, log);
}

/* What the hub itself has said is no matter of where it is. */
static bool is_refusal(enum cause cause)
{
	return cause == CAUSE_AGENT_REVOKED || cause == CAUSE_AGENT_DUPLICATE ||
		   cause == CAUSE_HUB_BUSY || cause == CAUSE_HUB_RESTARTING ||
		   cause == CAUSE_PROXY_SETTINGS_INVALID;
}

static void tell_unreachable(struct discovery *discovery, const struct place *place,
	const struct walk *walk, struct agent_log *log)
{
	cleanup(free_ptr) char *sentence = finding_sentence(&walk->failure);
	cleanup(free_ptr) char *text =
		xasprintf("the discovery endpoint %s:%u cannot be asked either: %s (cause %s)", place->host,
			(unsigned)place->port, sentence, cause_info(walk->failure.cause)->id);
	tell(discovery, log, text);
}

bool discovery_ask(struct discovery *discovery, const struct agent_paths *paths,
	struct agent_state *state, struct way *way, enum cause cause, struct agent_log *log)
{
	struct place *places = state->endpoints.places;
	const struct place was = places[ENDPOINT_SESSION];
	struct dial_target target;
	struct walk walk;
	if (is_refusal(cause) || place_same(&places[ENDPOINT_DISCOVERY], &was) ||
		discovery->failures++ % DISCOVERY_EVERY)
		return false;
	if (way_prove(way, ENDPOINT_DISCOVERY, false, &target, &walk) == 0) {
		free(discovery->told);
		discovery->told = NULL;
		follow(paths, state, json_object_get(walk.discovery, "endpoints"), log);
	} else if (!walk.cancelled) {
		tell_unreachable(discovery, &places[ENDPOINT_DISCOVERY], &walk, log);
	}
	walk_free(&walk);
	return !place_same(&places[ENDPOINT_SESSION], &was);
}

void discovery_free(struct discovery *discovery)
{
	free(discovery->told);
	*discovery = (struct discovery){0};
}
