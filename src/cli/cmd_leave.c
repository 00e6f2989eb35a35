/*
 * `sallyport leave`: takes this machine off its hub and forgets the hub here.
 *
 * The hub is asked first, over a session of its own; only when it has agreed, or had forgotten the
 * machine already, is the identity removed. A hub that cannot be reached leaves everything as it
 * is, unless --local says to forget it here alone.
 */
#include "agent/lock.h"
#include "agent/membership.h"
#include "cli/commands.h"
#include "cli/say.h"

enum { OPTION_LOCAL };

static const struct cli_option options[] = {[OPTION_LOCAL] = {"local", NULL,
												"forget the hub here without telling it: on a copy "
												"of a machine, so that the original stays "
												"joined"},
	{0}};

static int ask_hub(const char *root, const struct agent_state *state)
{
	struct walk walk;
	struct err err;
	int rc = membership_leave(root, state, NULL, &walk, &err);
	if (rc == 0 && walk.failure.cause == CAUSE_AGENT_REVOKED) {
		fprintf(stderr, "The hub had removed this machine already.\n");
	} else if (rc && walk.failure.cause) {
		cleanup(free_ptr) char *sentence = finding_sentence(&walk.failure);
		fprintf(stderr, "Not left, the hub cannot be told: %s\n", sentence);
		say_finding(stderr, &walk.failure);
	} else if (rc) {
		fprintf(stderr, "Not left, the hub cannot be told: %s.\n", err.text);
	}
	walk_free(&walk);
	if (rc)
		fprintf(stderr,
			"`sallyport leave --local` forgets the hub here; it goes on listing this machine "
			"until somebody removes it there.\n");
	return rc;
}

static int leave(const struct cli_args *args, const struct agent_paths *paths)
{
	struct agent_state state;
	struct err err;
	bool local = args->values[OPTION_LOCAL];
	enum state_result loaded = state_load(paths, &state, &err);
	if (loaded == STATE_ABSENT || (loaded == STATE_BROKEN && !local)) {
		fprintf(stderr, "sallyport leave: %s\n", err.text);
		return -1;
	}
	int rc = local ? 0 : ask_hub(args->root, &state);
	if (rc == 0 && (rc = state_remove(paths, &err)))
		fprintf(stderr, "sallyport leave: %s\n", err.text);
	if (rc == 0) {
		lock_nudge(paths);
		if (loaded == STATE_LOADED)
			printf("Left the hub at %s:%u%s.\n", state.hub_host, state.hub_port,
				local ? ", here only; it still lists this machine" : "");
		else
			printf("Removed the damaged identity; the hub still lists this machine.\n");
	}
	if (loaded == STATE_LOADED)
		state_wipe(&state);
	return rc;
}

static int run(const struct cli_args *args)
{
	struct agent_paths paths;
	paths_init(&paths, args->root);
	int rc = leave(args, &paths);
	paths_free(&paths);
	return rc ? 1 : 0;
}

const struct cli_command command_leave = {
	.name = "leave",
	.operands = "",
	.summary = "take this machine off its hub and forget the hub",
	.details = "A running service notices and ends. The log stays.\n"
			   "\n"
			   "A machine that was cloned with its identity (agent-duplicate) must not tell the "
			   "hub, or the\n"
			   "original would be removed: `sallyport leave --local` on the copy, then join it "
			   "with a token\n"
			   "of its own.",
	.example = "  sudo sallyport leave\n"
			   "  sudo sallyport leave --local && sudo sallyport join --token TOKEN",
	.options = options,
	.run = run,
};
