/*
 * `sallyport profiles hub`: the profile of a hub, from its discovery document.
 *
 * The happy path walks to the hub as the service does, asks for the document over a plain request,
 * gets it with a proof over this very connection, and prints the profile. Failure modes: no hub is
 * named and none was joined, or the proxy setting cannot be used (exit 2); the walk fails, which is
 * told as cause, evidence and remedy (exit 1); the document names no addresses (exit 1).
 */
#include "agent/state.h"
#include "check/hub_url.h"
#include "cli/profiles.h"
#include "cli/say.h"
#include "dial/dial.h"
#include "wire/hub_profile.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static int fail(const char *text, int code)
{
	fprintf(stderr, "sallyport profiles: %s\n", text);
	return code;
}

/* The address that was named, or that of the hub that this machine has joined. */
static int take_address(
	const char *text, const struct agent_state *state, bool joined, struct hub_url *url)
{
	struct err err;
	if (text && hub_url_parse(text, url, &err))
		return cli_usage_error("hub: %s", err.text);
	if (!text && !joined)
		return cli_usage_error("hub: this machine has joined none, so name its URL");
	if (!text) {
		const struct place *place = &state->endpoints.places[ENDPOINT_DISCOVERY];
		snprintf(url->host, sizeof url->host, "%s", place->host);
		url->port = place->port;
	}
	return 0;
}

static int print(const struct walk *walk, bool known)
{
	cleanup(buf_free) struct buf text = {0};
	struct err err;
	if (hub_profile_write(walk->discovery,
			known
				? "The hub has proven to the machine that printed this that it is the one that it "
				  "joined."
				: "The machine that printed this knows no hub there: compare the fingerprint with "
				  "the hub's own.",
			time(NULL), &text, &err))
		return fail(err.text, 1);
	fputs(text.data, stdout);
	return 0;
}

static int walk_and_print(const struct cli_args *args, const struct hub_url *url,
	const struct agent_state *known, const struct proxy_settings *proxy)
{
	struct walk walk;
	const struct dial_target target = {
		.host = url->host,
		.port = url->port,
		.protocol = DIAL_HUB,
		.ca_pem = known ? known->private_ca : NULL,
		.hub =
			{
				.hub_key = known ? known->hub_key : NULL,
				.check_only = true,
				.plain_proof = true,
			},
	};
	const struct dial_options options = {
		.proxy = proxy,
		.root = args->root,
		.overall = deadline_in_ms(DIAL_OVERALL_MS),
	};
	int rc = 1;
	if (dial_walk(&target, &options, &walk) == 0) {
		rc = print(&walk, known != NULL);
	} else {
		cleanup(free_ptr) char *sentence = finding_sentence(&walk.failure);
		fail(sentence, 1);
		say_finding(stderr, &walk.failure);
	}
	walk_free(&walk);
	return rc;
}

static int walk_by_proxy(
	const struct cli_args *args, const struct hub_url *url, const struct agent_state *known)
{
	struct proxy_settings proxy;
	struct finding invalid = {.cause = CAUSE_NONE};
	int rc = CLI_USAGE;
	if (proxy_settings_read(environ, args->root, &proxy, &invalid)) {
		cleanup(free_ptr) char *sentence = finding_sentence(&invalid);
		fail(sentence, CLI_USAGE);
	} else {
		rc = walk_and_print(args, url, known, &proxy);
	}
	proxy_settings_free(&proxy);
	finding_free(&invalid);
	return rc;
}

int profiles_hub(const struct cli_args *args, const struct profile_places *places)
{
	struct agent_paths paths;
	struct agent_state state = {.name = NULL};
	struct hub_url url;
	struct err err;
	(void)places;
	paths_init(&paths, args->root);
	enum state_result loaded = state_load(&paths, &state, &err);
	paths_free(&paths);
	bool joined = loaded == STATE_LOADED;
	if (args->operand_count == 1 && loaded == STATE_BROKEN)
		return fail(err.text, CLI_USAGE);
	int rc = take_address(args->operand_count > 1 ? args->operands[1] : NULL, &state, joined, &url);
	bool known = !rc && joined && endpoints_has(&state.endpoints, url.host, url.port);
	if (!rc)
		rc = walk_by_proxy(args, &url, known ? &state : NULL);
	state_wipe(&state);
	return rc;
}
