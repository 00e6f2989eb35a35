/* sallyport-hub token: works on the database, also beside a running hub. */
#include "cli/hub_admin.h"
#include "cli/hub_commands.h"

#include "base/clock.h"
#include "hub/api/tokens.h"
#include "hub/hub.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { OPTION_LABEL, OPTION_EXPIRES, OPTION_USES };

static const struct cli_option options[] = {
	[OPTION_LABEL] = {"label", "TEXT", "what it is for, shown in lists (new)"},
	[OPTION_EXPIRES] = {"expires-in", "TIME", "as 30m, 24h or 7d; 24h when not given (new)"},
	[OPTION_USES] = {"uses", "N", "how many machines may join with it; 1 when not given (new)"},
	{0},
};

/* Where the hub can be reached, as it noted when it was started. */
static int read_place(
	struct store *store, char host[TOKEN_MAX_HOST + 1], uint16_t *port, struct err *err)
{
	cleanup(free_ptr) char *stored_host = NULL;
	cleanup(free_ptr) char *stored_port = NULL;
	if (store->driver->meta.get(store, "host", &stored_host, err) ||
		store->driver->meta.get(store, "port", &stored_port, err))
		return -1;
	if (!stored_host || !stored_port)
		return err_set(
			err, "the hub has never been started here; do so first: sallyport-hub serve");
	snprintf(host, TOKEN_MAX_HOST + 1, "%s", stored_host);
	*port = (uint16_t)strtol(stored_port, NULL, 10);
	return 0;
}

static int print_new(struct store *store, const char *root, struct token_wish wish)
{
	struct actor actor = hub_admin_actor();
	struct identity identity = {0};
	struct err err = {0};
	char host[TOKEN_MAX_HOST + 1];
	char id[STORE_TOKEN_ID_SIZE];
	char *text = NULL;
	cleanup(free_ptr) char *dir = hub_state_dir(root);
	int bad =
		read_place(store, host, &wish.port, &err) || keys_identity(dir, false, &identity, &err);
	wish.created_by = actor.name;
	wish.host = host;
	wish.hub_key = identity.public_key;
	if (!bad && token_make(store, &wish, id, &text, &err) == STORE_OK) {
		hub_admin_note(store, &actor, AUDIT_TOKEN_ADD, id, wish.label);
		printf("%s\n", text);
		sodium_memzero(text, strlen(text));
		free(text);
	} else {
		bad = hub_admin_failed(&err);
	}
	identity_wipe(&identity);
	access_forget(&actor);
	return bad;
}

static int token_new(struct store *store, const struct cli_args *args)
{
	const char *expires = args->values[OPTION_EXPIRES];
	const char *uses = args->values[OPTION_USES];
	struct token_wish wish = {
		.label = args->values[OPTION_LABEL] ? args->values[OPTION_LABEL] : "",
		.now = time(NULL),
		.expires_in_s = expires ? hub_admin_duration(expires, TOKEN_MAX_S) : TOKEN_DEFAULT_S,
		.uses = uses ? cli_number("uses", uses, 1, TOKEN_MAX_USES) : 1,
	};
	if (wish.uses < 0)
		return CLI_USAGE;
	if (wish.expires_in_s < TOKEN_MIN_S || wish.expires_in_s > TOKEN_MAX_S)
		return cli_usage_error(
			"--expires-in: a time from 60s to 365d was expected, as 30m, 24h or 7d, not \"%s\"",
			expires);
	if (strlen(wish.label) > TOKEN_MAX_LABEL)
		return cli_usage_error("--label: %d bytes at most", TOKEN_MAX_LABEL);
	return print_new(store, args->root, wish);
}

static void print_row(void *data, const struct store_token *token)
{
	char time_text[CLOCK_TEXT_SIZE];
	(void)data;
	printf("%-16s  %-8s  %4lld/%-4lld  %-20s  %-12s  %s\n", token->id,
		token_state(token, time(NULL)), (long long)token->used, (long long)token->uses,
		clock_rfc3339((time_t)token->expires, time_text), token->created_by, token->label);
}

static int token_list(struct store *store, const struct cli_args *args)
{
	struct err err = {0};
	(void)args;
	printf("%-16s  %-8s  %9s  %-20s  %-12s  %s\n", "ID", "STATE", "USED", "EXPIRES", "MADE BY",
		"LABEL");
	return store->driver->tokens.list(store, print_row, NULL, &err) == STORE_OK
			   ? 0
			   : hub_admin_failed(&err);
}

static int token_revoke(struct store *store, const struct cli_args *args)
{
	struct err err = {0};
	const char *token = args->operands[1];
	enum store_status status = store->driver->tokens.revoke(store, token, &err);
	if (status == STORE_NOT_FOUND)
		err_set(&err, "there is no token %s; `sallyport-hub token list` shows them", token);
	if (status != STORE_OK)
		return hub_admin_failed(&err);
	struct actor actor = hub_admin_actor();
	hub_admin_note(store, &actor, AUDIT_TOKEN_REVOKE, token, NULL);
	access_forget(&actor);
	return 0;
}

static const struct hub_action actions[] = {
	{"new", 1, false, token_new},
	{"list", 1, false, token_list},
	{"revoke", 2, false, token_revoke},
};

static int run(const struct cli_args *args)
{
	return hub_admin_run(
		args, actions, ARRAY_LEN(actions), "the token's ID is missing", "new, list or revoke");
}

const struct cli_command hub_token_command = {
	.name = "token",
	.operands = "new | list | revoke ID",
	.operands_min = 1,
	.operands_max = 2,
	.summary = "Make, list and revoke join tokens",
	.details =
		"`new` prints the token, and nothing else, on stdout. Whoever has it can join a machine\n"
		"until it expires or is used up. It works beside a running hub.",
	.example = "  sallyport-hub token new --label \"web servers\" --uses 20 --expires-in 2h\n"
			   "  sallyport-hub token list\n"
			   "  sallyport-hub token revoke 5c1f0a7be2d94438",
	.options = options,
	.run = run,
};
