/* sallyport-hub user: works on the database, also beside a running hub. */
#include "cli/hub_admin.h"
#include "cli/hub_commands.h"

#include "base/clock.h"
#include "hub/hub.h"
#include "hub/passwords.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { OPTION_ROLE };

static const struct cli_option options[] = {
	[OPTION_ROLE] = {"role", "ROLE",
		"administrator, architect or operator; administrator when not given (add)"},
	{0},
};

static void note(
	struct store *store, enum audit_action action, const char *name, const char *detail)
{
	struct actor actor = hub_admin_actor();
	hub_admin_note(store, &actor, action, name, detail);
	access_forget(&actor);
}

/* One line of stdin without its end; on a terminal it is asked for and not shown. */
static int read_password(char *password, size_t size, struct err *err)
{
	struct termios shown, hidden;
	bool asks = tcgetattr(STDIN_FILENO, &shown) == 0;
	if (asks) {
		fputs("Password (12 characters at least): ", stderr);
		hidden = shown;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	}
	bool got = fgets(password, (int)size, stdin) != NULL;
	if (asks) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		fputc('\n', stderr);
	}
	if (!got)
		return err_set(err, "no password came on stdin");
	password[strcspn(password, "\r\n")] = '\0';
	const char *problem = password_problem(password);
	return problem ? err_set(err, "%s", problem) : 0;
}

/* Of a password from stdin; -1 after the reason was printed. */
static int read_hash(char hash[crypto_pwhash_STRBYTES])
{
	char password[PASSWORD_MAX + 2];
	struct err err = {0};
	int bad = read_password(password, sizeof password, &err);
	if (!bad && password_hash_now(password, hash))
		bad = err_set(&err, "too little memory to hash the password (64 MiB)");
	sodium_memzero(password, sizeof password);
	if (bad)
		hub_admin_failed(&err);
	return bad;
}

static int user_add(struct store *store, const struct cli_args *args)
{
	const char *name = args->operands[1];
	const char *role = args->values[OPTION_ROLE];
	char hash[crypto_pwhash_STRBYTES];
	struct err err = {0};
	const char *problem = access_name_problem(name);
	if (!role)
		role = role_name(ROLE_ADMINISTRATOR);
	if (problem)
		return cli_usage_error("%s", problem);
	if (role_find(role) < 0)
		return cli_usage_error(
			"--role: administrator, architect or operator was expected, not \"%s\"", role);
	if (read_hash(hash))
		return 1;
	struct store_user user = {
		.name = (char *)name,
		.password = hash,
		.role = (char *)role,
		.created = time(NULL),
	};
	enum store_status status = store->driver->users.add(store, &user, false, &err);
	if (status == STORE_EXISTS)
		err_set(&err, "there is a user \"%s\" already; remove it first", name);
	if (status != STORE_OK)
		return hub_admin_failed(&err);
	note(store, AUDIT_USER_ADD, name, role);
	return 0;
}

static void print_row(void *data, const struct store_user *user)
{
	char created[CLOCK_TEXT_SIZE], login[CLOCK_TEXT_SIZE];
	(void)data;
	printf("%-24s  %-14s  %-20s  %s\n", user->name, user->role,
		clock_rfc3339((time_t)user->created, created),
		user->last_login ? clock_rfc3339((time_t)user->last_login, login) : "never");
}

static int user_list(struct store *store, const struct cli_args *args)
{
	struct err err = {0};
	(void)args;
	printf("%-24s  %-14s  %-20s  %s\n", "NAME", "ROLE", "SINCE", "LAST SIGN-IN");
	return store->driver->users.list(store, print_row, NULL, &err) == STORE_OK
			   ? 0
			   : hub_admin_failed(&err);
}

/* What the store said of a user that has to be there; the exit code. */
static int explain(enum store_status status, const char *name, struct err *err)
{
	if (status == STORE_NOT_FOUND)
		err_set(err, "there is no user \"%s\"; `sallyport-hub user list` shows them", name);
	if (status == STORE_LAST)
		err_set(err, "\"%s\" is the last administrator; make another one first", name);
	return status == STORE_OK ? 0 : hub_admin_failed(err);
}

static int user_remove(struct store *store, const struct cli_args *args)
{
	struct err err = {0};
	const char *name = args->operands[1];
	int code = explain(
		store->driver->users.remove(store, name, role_name(ROLE_ADMINISTRATOR), &err), name, &err);
	if (!code)
		note(store, AUDIT_USER_REMOVE, name, NULL);
	return code;
}

static int change(struct store *store, const char *name, const char *role, const char *hash)
{
	struct err err = {0};
	int code = explain(store->driver->access.user_change(
						   store, name, role, hash, role_name(ROLE_ADMINISTRATOR), &err),
		name, &err);
	if (!code)
		note(store, AUDIT_USER_CHANGE, name, role ? role : "password");
	return code;
}

static int user_role(struct store *store, const struct cli_args *args)
{
	if (role_find(args->operands[2]) < 0)
		return cli_usage_error(
			"administrator, architect or operator was expected, not \"%s\"", args->operands[2]);
	return change(store, args->operands[1], args->operands[2], NULL);
}

static int user_password(struct store *store, const struct cli_args *args)
{
	char hash[crypto_pwhash_STRBYTES];
	return read_hash(hash) ? 1 : change(store, args->operands[1], NULL, hash);
}

static const struct hub_action actions[] = {
	{"add", 2, true, user_add},
	{"list", 1, false, user_list},
	{"role", 3, false, user_role},
	{"password", 2, false, user_password},
	{"remove", 2, false, user_remove},
};

static int run(const struct cli_args *args)
{
	return hub_admin_run(args, actions, ARRAY_LEN(actions),
		"the user's NAME, or the ROLE, is missing", "add, list, role, password or remove");
}

const struct cli_command hub_user_command = {
	.name = "user",
	.operands = "add NAME | list | role NAME ROLE | password NAME | remove NAME",
	.operands_min = 1,
	.operands_max = 3,
	.summary = "Make, list, change and remove the people who may sign in",
	.details =
		"`add` and `password` read the password from stdin, one line of 12 characters at least. "
		"An\n"
		"operator runs checks and jobs and adds servers; an architect removes them as well; an\n"
		"administrator manages users and keys too. A new password, or removing the user, signs "
		"him\n"
		"out everywhere. The last administrator stays. It works beside a running hub.",
	.example = "  sallyport-hub user add alice --role operator\n"
			   "  sallyport-hub user role alice architect\n"
			   "  sallyport-hub user password alice\n"
			   "  sallyport-hub user remove alice",
	.options = options,
	.run = run,
};
