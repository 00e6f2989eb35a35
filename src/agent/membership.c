/*
 * The happy path of joining: a key, a walk with the token, identity.json; then the session that the
 * walk has opened is closed again. Of leaving: a walk, one request.
 *
 * Failure modes: no right or no room to keep the identity (found before the token is spent), any
 * failure of the walk, and a disk that fills up in the last moment (the machine is taken off the
 * hub again, so that nothing half-made stays on either side).
 */
#include "agent/membership.h"

#include "agent/link.h"
#include "agent/lock.h"
#include "agent/way.h"
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROLLBACK_MS 10000
#define LEAVE_MS    15000

static int walk_with_token(
	const struct joining *joining, struct agent_state *state, struct walk *walk, struct err *err)
{
	const struct inventory_source source = {
		.location = state->location,
		.profiles = joining->profiles,
		.root = joining->root,
	};
	cleanup(json_drop) json_t *inventory = inventory_read(&source);
	const char *name = json_get_text(inventory, "name");
	struct way way = {
		.root = joining->root,
		.state = state,
		.token = joining->token,
		.inventory = inventory,
		.cancel = joining->cancel,
		.on_stage = joining->on_stage,
		.on_stage_data = joining->on_stage_data,
	};
	state->name = xstrdup(name ? name : "unknown");
	int rc = way_walk(&way, walk);
	way_free(&way);
	if (rc && walk->cancelled)
		err_set(err, "called off on the way to the hub");
	return rc;
}

static void fill_state(
	const struct join_token *token, const struct walk *walk, struct agent_state *state)
{
	identity_id(state->identity.public_key, state->server_id);
	strcpy(state->hub_host, token->host);
	state->hub_port = token->port;
	endpoints_at(&state->endpoints, token->host, token->port);
	memcpy(state->hub_key, walk->hub_key, sizeof state->hub_key);
	state->private_ca = xstrdup(walk->private_ca);
}

/* The hub has enrolled a machine that cannot keep its identity: take it back. */
static void take_back(struct walk *walk, struct err *err)
{
	struct err told;
	size_t len = strlen(err->text);
	if (link_ask(walk, MSG_leave, NULL, ROLLBACK_MS, NULL, &told))
		snprintf(err->text + len, sizeof err->text - len,
			". The hub could not be told (%.300s): remove this machine there", told.text);
	else
		snprintf(err->text + len, sizeof err->text - len,
			". The hub was told to forget this machine; nothing has changed here");
}

static void ignore_text(void *data, const char *text, size_t len)
{
	(void)data;
	(void)text;
	(void)len;
}

int membership_join(
	const struct joining *joining, struct agent_state *state, struct walk *walk, struct err *err)
{
	struct link link;
	*walk = (struct walk){0};
	*state = (struct agent_state){.location = xstrdup(joining->location)};
	if (state_prepare(joining->paths, err))
		return -1;
	identity_make(&state->identity);
	if (walk_with_token(joining, state, walk, err))
		return -1;
	fill_state(joining->token, walk, state);
	if (state_save(joining->paths, state, err)) {
		int saved = errno;
		take_back(walk, err);
		errno = saved;
		return -1;
	}
	/* What cannot be kept now comes again with the service's first welcome. */
	state_follow(joining->paths, state, json_object_get(walk->welcome, "endpoints"), NULL);
	link_take(&link, walk, ignore_text, NULL);
	link_close(&link, CLOSE_NORMAL);
	lock_nudge(joining->paths);
	return 0;
}

int membership_leave(const char *root, const struct agent_state *state, const struct cancel *cancel,
	struct walk *walk, struct err *err)
{
	struct way way = {.root = root, .state = state, .cancel = cancel};
	int rc = way_walk(&way, walk);
	way_free(&way);
	if (rc && walk->failure.cause == CAUSE_AGENT_REVOKED)
		return 0;
	if (rc && walk->cancelled)
		err_set(err, "called off on the way to the hub");
	return rc ? -1 : link_ask(walk, MSG_leave, NULL, LEAVE_MS, cancel, err);
}
