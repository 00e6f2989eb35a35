/* sallyport-hub key: works on the database, also beside a running hub. */
#include "cli/hub_admin.h"
#include "cli/hub_commands.h"

#include "base/clock.h"
#include "hub/api/api_keys.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_S 2592000 /* 30 days */

enum { OPTION_NAME, OPTION_PERMISSIONS, OPTION_LOCATION, OPTION_EXPIRES };

static const struct cli_option options[] = {
	[OPTION_NAME] = {"name", "TEXT", "what it is for, shown in lists and in the audit trail (new)"},
	[OPTION_PERMISSIONS] = {"permissions", "LIST",
		"of read, operate, enrol, remove, users, keys and audit, with commas; read when not given "
		"(new)"},
	[OPTION_LOCATION] = {"location", "NAME",
		"the only location that it sees; all when not given "
		"(new)"},
	[OPTION_EXPIRES] = {"expires-in", "TIME", "as 12h or 90d; 30d when not given (new)"},
	{0},
};

/* The wish of the command line; non-zero after a usage error was printed. */
static int read_wish(const struct cli_args *args, struct api_key_wish *wish)
{
	const char *permissions = args->values[OPTION_PERMISSIONS];
	const char *expires = args->values[OPTION_EXPIRES];
	wish->name = args->values[OPTION_NAME] ? args->values[OPTION_NAME] : "";
	wish->location = args->values[OPTION_LOCATION];
	wish->expires_in_s = expires ? hub_admin_duration(expires, API_KEY_MAX_S) : DEFAULT_S;
	const char *problem = access_name_problem(wish->name);
	if (problem)
		return cli_usage_error("--name: %s", problem);
	if (access_read_names(permissions ? permissions : "read", &wish->permissions))
		return cli_usage_error("--permissions: read, operate, enrol, remove, users, keys and audit "
							   "were expected, with commas between them, not \"%s\"",
			permissions);
	if (wish->location && (!*wish->location || strlen(wish->location) > ACCESS_MAX_LOCATION))
		return cli_usage_error("--location: 1 to %d bytes", ACCESS_MAX_LOCATION);
	problem = api_key_problem(wish->permissions, wish->location);
	if (problem)
		return cli_usage_error("--permissions: %s", problem);
	if (wish->expires_in_s < API_KEY_MIN_S || wish->expires_in_s > API_KEY_MAX_S)
		return cli_usage_error(
			"--expires-in: a time from 60s to 730d was expected, as 12h or 90d, not \"%s\"",
			expires);
	return 0;
}

static int key_new(struct store *store, const struct cli_args *args)
{
	struct actor actor = hub_admin_actor();
	struct api_key_wish wish = {.actor = &actor, .now = time(NULL)};
	struct store_key key = {0};
	char text[WHO_KEY_SIZE];
	struct err err = {0};
	int code = read_wish(args, &wish);
	if (!code && api_key_make(store, &wish, &key, text, &err) != STORE_OK)
		code = hub_admin_failed(&err);
	if (!code) {
		hub_admin_note(store, &actor, AUDIT_KEY_ADD, key.id, key.permissions);
		printf("%s\n", text);
	}
	sodium_memzero(text, sizeof text);
	store_key_free(&key);
	access_forget(&actor);
	return code;
}

static void print_row(void *data, const struct store_key *key)
{
	char time_text[CLOCK_TEXT_SIZE];
	(void)data;
	printf("%-16s  %-7s  %-20s  %-12s  %-16s  %-24s  %s\n", key->id, api_key_state(key, time(NULL)),
		clock_rfc3339((time_t)key->expires, time_text), key->created_by, key->location, key->name,
		key->permissions);
}

static int key_list(struct store *store, const struct cli_args *args)
{
	struct err err = {0};
	(void)args;
	printf("%-16s  %-7s  %-20s  %-12s  %-16s  %-24s  %s\n", "ID", "STATE", "EXPIRES", "MADE BY",
		"LOCATION", "NAME", "PERMISSIONS");
	return store->driver->access.key_list(store, print_row, NULL, &err) == STORE_OK
			   ? 0
			   : hub_admin_failed(&err);
}

static int key_revoke(struct store *store, const struct cli_args *args)
{
	struct err err = {0};
	const char *id = args->operands[1];
	enum store_status status = store->driver->access.key_revoke(store, id, &err);
	if (status == STORE_NOT_FOUND)
		err_set(&err, "there is no key %s; `sallyport-hub key list` shows them", id);
	if (status != STORE_OK)
		return hub_admin_failed(&err);
	struct actor actor = hub_admin_actor();
	hub_admin_note(store, &actor, AUDIT_KEY_REVOKE, id, NULL);
	access_forget(&actor);
	return 0;
}

static const struct hub_action actions[] = {
	{"new", 1, true, key_new},
	{"list", 1, false, key_list},
	{"revoke", 2, false, key_revoke},
};

static int run(const struct cli_args *args)
{
	return hub_admin_run(
		args, actions, ARRAY_LEN(actions), "the key's ID is missing", "new, list or revoke");
}

const struct cli_command hub_key_command = {
	.name = "key",
	.operands = "new | list | revoke ID",
	.operands_min = 1,
	.operands_max = 2,
	.summary = "Make, list and revoke API keys",
	.details = "`new` prints the key, and nothing else, on stdout; it is shown once. A program "
			   "sends it as\n"
			   "`Authorization: Bearer KEY`. It works beside a running hub.",
	.example =
		"  sallyport-hub key new --name nightly --permissions read,operate --expires-in 90d\n"
		"  sallyport-hub key list\n"
		"  sallyport-hub key revoke 5c1f0a7be2d94438",
	.options = options,
	.run = run,
};
