/*
 * Joining and leaving as steps of a setup. The walk and what it keeps are agent/membership.h's.
 *
 * Failure modes: no token where one is needed, a token that the hub does not take, no way to it.
 */
#include "agent/membership.h"
#include "setup/parts.h"

#include <errno.h>
#include <string.h>

static void keep(struct setup *setup, struct agent_state *fresh)
{
	state_wipe(&setup->state);
	setup->state = *fresh;
	setup->joined = STATE_LOADED;
	setup->joined_now = setup->changed = true;
	memcpy(setup->report->server, fresh->server_id, sizeof setup->report->server);
	setup->options->say(setup->options->data,
		&(struct setup_event){
			.stage = INSTALL_SETUP, .state = "joined", .step = "join", .server = fresh->server_id});
}

int belong_join(struct setup *setup)
{
	const struct setup_options *options = setup->options;
	const struct joining joining = {
		.root = options->root,
		.paths = &setup->paths,
		.token = options->token,
		.location = options->location,
		.profiles = options->profiles,
		.cancel = options->cancel,
	};
	struct agent_state fresh;
	struct walk walk;
	struct err err;
	setup_say(setup, "join");
	if (!options->token)
		return setup_fail(setup, 0,
			"this machine has not joined a hub, and no join token came on standard input");
	if (undo_note_file(&setup->undo, setup->paths.identity, &err) ||
		undo_note(&setup->undo, UNDO_JOINED, setup->state.server_id, &err))
		return setup_fail(setup, errno, "%s", err.text);
	int rc = membership_join(&joining, &fresh, &walk, &err);
	if (rc)
		setup_fail_walk(setup, errno, &walk.failure, &err);
	if (rc == 0)
		keep(setup, &fresh);
	else
		state_wipe(&fresh);
	walk_free(&walk);
	return rc;
}

int belong_leave(struct setup *setup, const char *before, struct err *err)
{
	struct agent_state state;
	struct walk walk;
	int rc = 0;
	if (state_load(&setup->paths, &state, err) != STATE_LOADED)
		return 0;
	if (strcmp(state.server_id, before) == 0) {
		state_wipe(&state);
		return 0;
	}
	rc = membership_leave(setup->options->root, &state, NULL, &walk, err);
	if (rc && walk.failure.cause) {
		cleanup(free_ptr) char *sentence = finding_sentence(&walk.failure);
		err_set(err, "%s", sentence);
	}
	walk_free(&walk);
	state_wipe(&state);
	state_remove(&setup->paths, NULL);
	return rc ? 1 : 0;
}
