/*
 * `sallyport join`: reads the token, joins (agent/membership.h) and tells how that went.
 *
 * The happy path leaves identity.json behind and nothing else. Failure modes: a bad token (said
 * before anything is sent), a machine that has joined already, and those of joining.
 */
#include "agent/lock.h"
#include "agent/membership.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/profile_names.h"
#include "cli/say.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

enum { OPTION_TOKEN, OPTION_TOKEN_FILE, OPTION_LOCATION, OPTION_FORCE };

static const struct cli_option options[] = {
	[OPTION_TOKEN] = {"token", "TOKEN", "the join token, from \"Add server\" in the hub's console"},
	[OPTION_TOKEN_FILE] = {"token-file", "FILE",
		"read the token from FILE, \"-\" for standard input"},
	[OPTION_LOCATION] = {"location", "TEXT", "where this machine stands, for the console's list"},
	[OPTION_FORCE] = {"force", NULL, "join again, with a new key; the old identity is not kept"},
	{0}};

static int fail(const char *text)
{
	fprintf(stderr, "sallyport join: %s\n", text);
	return -1;
}

/* Standard input is read as it is: a person without the right to open /dev/stdin may still pipe. */
static int read_stdin(struct buf *text)
{
	char chunk[TOKEN_MAX_TEXT];
	ssize_t got;
	text->max = TOKEN_MAX_TEXT;
	while ((got = read(STDIN_FILENO, chunk, sizeof chunk)) > 0)
		if (buf_append(text, chunk, (size_t)got))
			return fail("standard input: longer than any join token");
	explicit_bzero(chunk, sizeof chunk);
	return got < 0 ? fail("standard input cannot be read") : 0;
}

static int read_token_file(const char *path, struct buf *text)
{
	struct err err;
	bool from_stdin = strcmp(path, "-") == 0;
	if (from_stdin ? read_stdin(text) : file_read(path, TOKEN_MAX_TEXT, text, &err))
		return from_stdin ? -1 : fail(err.text);
	while (text->len && strchr(" \t\r\n", text->data[text->len - 1]))
		text->data[--text->len] = '\0';
	if (strlen(buf_text(text)) != text->len)
		return fail("what was given as the join token is no text");
	return 0;
}

/* Copies a token from the command line and wipes it there, where `ps` shows it to everybody. */
static int take_argument(const char *argument, struct buf *text)
{
	buf_puts(text, argument);
	explicit_bzero((char *)argument, strlen(argument));
	return 0;
}

static int take_token_text(const struct cli_args *args, struct buf *text)
{
	const char *option = args->values[OPTION_TOKEN];
	const char *file = args->values[OPTION_TOKEN_FILE];
	if (option)
		take_argument(option, text);
	if (args->operand_count && !text->len)
		take_argument(args->operands[0], text);
	else if (args->operand_count)
		explicit_bzero(args->operands[0], strlen(args->operands[0]));
	if ((option != NULL) + (file != NULL) + args->operand_count != 1)
		return cli_usage_error("give one of URL, --token and --token-file");
	return file ? read_token_file(file, text) : 0;
}

/* 0, CLI_USAGE after a usage error, 1 after another. */
static int take_token(const struct cli_args *args, struct join_token *token)
{
	struct buf text = {0};
	struct err err;
	int rc = take_token_text(args, &text);
	if (rc == 0 && token_decode(buf_text(&text), token, &err))
		rc = fail(err.text);
	if (text.data)
		explicit_bzero(text.data, text.cap);
	buf_free(&text);
	return rc < 0 ? 1 : rc;
}

/* May this machine join? An identity is replaced only when that was asked for. */
static int check_not_joined(const struct agent_paths *paths, bool force)
{
	struct agent_state old;
	struct err err;
	enum state_result loaded = state_load(paths, &old, &err);
	if (loaded == STATE_ABSENT)
		return 0;
	if (loaded == STATE_BROKEN)
		return force ? 0 : fail(err.text);
	if (force)
		fprintf(stderr, "The hub at %s:%u may still list this machine as %s; remove it there.\n",
			old.hub_host, old.hub_port, old.server_id);
	else
		fprintf(stderr,
			"sallyport join: this machine has joined the hub at %s:%u already, as %s (id %s).\n"
			"`sallyport leave` takes it off that hub; `sallyport join --force` joins again with a "
			"new "
			"key.\n",
			old.hub_host, old.hub_port, old.name, old.server_id);
	state_wipe(&old);
	return force ? 0 : -1;
}

static void on_stage(void *data, enum stage stage)
{
	bool *begun = data;
	fprintf(stderr, "%s%s", *begun ? " > " : "", stage_name(stage));
	*begun = true;
}

static void say_joined(
	const struct agent_paths *paths, const struct agent_state *state, const char *proxy)
{
	char fingerprint[IDENTITY_PRINT_SIZE];
	identity_fingerprint(state->hub_key, fingerprint);
	printf("Joined.\n");
	say_row(stdout, "name", "%s", state->name);
	say_row(stdout, "id", "%s", state->server_id);
	say_row(stdout, "hub", "%s:%u", state->hub_host, state->hub_port);
	say_row(stdout, "hub key", "%s", fingerprint);
	if (proxy)
		say_row(stdout, "proxy", "%s", proxy);
	if (lock_holder(paths) <= 0)
		printf("Next: sudo systemctl enable --now sallyport\n");
}

static int join(const struct cli_args *args, const struct agent_paths *paths,
	const struct join_token *token, struct agent_state *state)
{
	struct walk walk = {0};
	struct err err;
	bool begun = false;
	const struct joining joining = {
		.root = args->root,
		.paths = paths,
		.token = token,
		.location = args->values[OPTION_LOCATION],
		.profiles = profile_names,
		.on_stage = on_stage,
		.on_stage_data = &begun,
	};
	if (check_not_joined(paths, args->values[OPTION_FORCE]))
		return -1;
	int rc = membership_join(&joining, state, &walk, &err);
	if (begun)
		fputc('\n', stderr);
	if (rc && walk.failure.cause) {
		cleanup(free_ptr) char *sentence = finding_sentence(&walk.failure);
		fprintf(stderr, "Not joined: %s\n", sentence);
		say_finding(stderr, &walk.failure);
	} else if (rc) {
		fail(err.text);
	} else {
		say_joined(paths, state, walk.proxy);
	}
	walk_free(&walk);
	return rc;
}

static int run(const struct cli_args *args)
{
	struct agent_paths paths;
	struct agent_state state = {0};
	struct join_token token = {0};
	const char *location = args->values[OPTION_LOCATION];
	if (location && strlen(location) > STATE_MAX_LOCATION)
		return cli_usage_error("--location: at most %d bytes", STATE_MAX_LOCATION);
	int rc = take_token(args, &token);
	if (rc)
		return rc;
	paths_init(&paths, args->root);
	rc = join(args, &paths, &token, &state);
	token_wipe(&token);
	state_wipe(&state);
	paths_free(&paths);
	return rc ? 1 : 0;
}

const struct cli_command command_join = {
	.name = "join",
	.operands = "[URL]",
	.operands_max = 1,
	.summary = "register this machine with a hub, with a token from its console",
	.details = "The token names the hub, and the hub has to prove that it is the one meant before "
			   "anything\n"
			   "secret is sent. URL is a join address with the token behind its #. The token is "
			   "wiped from\n"
			   "this program's arguments at once; sudo shows its own arguments while it runs, so "
			   "where others\n"
			   "may look at the process list, give the token on standard input.",
	.example = "  sudo sallyport join --token spj1... --location \"Bern, rack 4\"\n"
			   "  sudo sallyport join --token-file - <token.txt",
	.options = options,
	.run = run,
};
