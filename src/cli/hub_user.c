/* sallyport-hub user: works on the database, also beside a running hub. */
#include "cli/hub_commands.h"

#include "base/clock.h"
#include "hub/hub.h"
#include "hub/passwords.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MAX_NAME 64

static int failed(const struct err *err)
{
	fprintf(stderr, "sallyport-hub: %s\n", err->text);
	return 1;
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

static int user_add(struct store *store, const char *name)
{
	char password[PASSWORD_MAX + 2];
	char hash[crypto_pwhash_STRBYTES];
	struct err err = {0};
	if (!*name || strlen(name) > MAX_NAME)
		return cli_usage_error("a name has 1 to %d bytes", MAX_NAME);
	int bad = read_password(password, sizeof password, &err);
	if (!bad && password_hash_now(password, hash))
		bad = err_set(&err, "too little memory to hash the password (64 MiB)");
	sodium_memzero(password, sizeof password);
	if (bad)
		return failed(&err);
	struct store_user user = {(char *)name, hash, (char *)"administrator", time(NULL)};
	enum store_status status = store->driver->users.add(store, &user, false, &err);
	if (status == STORE_EXISTS)
		err_set(&err, "there is a user \"%s\" already; remove it first", name);
	return status == STORE_OK ? 0 : failed(&err);
}

static void print_row(void *data, const struct store_user *user)
{
	char time_text[CLOCK_TEXT_SIZE];
	(void)data;
	printf("%-24s  %-14s  %s\n", user->name, user->role,
		clock_rfc3339((time_t)user->created, time_text));
}

static int user_list(struct store *store, const char *name)
{
	struct err err = {0};
	(void)name;
	printf("%-24s  %-14s  %s\n", "NAME", "ROLE", "SINCE");
	return store->driver->users.list(store, print_row, NULL, &err) == STORE_OK ? 0 : failed(&err);
}

static int user_remove(struct store *store, const char *name)
{
	struct err err = {0};
	enum store_status status = store->driver->users.remove(store, name, &err);
	if (status == STORE_NOT_FOUND)
		err_set(&err, "there is no user \"%s\"; `sallyport-hub user list` shows them", name);
	return status == STORE_OK ? 0 : failed(&err);
}

static const struct {
	const char *name;
	int operands;
	bool make; /* the database, when it is not there yet */
	int (*run)(struct store *store, const char *name);
} actions[] = {
	{"add", 2, true, user_add}, {"list", 1, false, user_list}, {"remove", 2, false, user_remove}};

static int run(const struct cli_args *args)
{
	struct err err = {0};
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		if (strcmp(args->operands[0], actions[i].name) != 0)
			continue;
		if (args->operand_count != actions[i].operands)
			return cli_usage_error(
				actions[i].operands > 1 ? "the user's NAME is missing" : "unexpected \"%s\"",
				args->operands[args->operand_count - 1]);
		struct store *store = hub_open_store(args->root, actions[i].make, &err);
		if (!store)
			return failed(&err);
		int code = actions[i].run(store, args->operand_count > 1 ? args->operands[1] : NULL);
		store->driver->close(store);
		return code;
	}
	return cli_usage_error("add, list or remove was expected, not \"%s\"", args->operands[0]);
}

const struct cli_command hub_user_command = {
	.name = "user",
	.operands = "add NAME | list | remove NAME",
	.operands_min = 1,
	.operands_max = 2,
	.summary = "Make, list and remove the people who may sign in",
	.details =
		"`add` reads the password from stdin, one line of 12 characters at least. Removing a user\n"
		"signs him out everywhere. It works beside a running hub.",
	.example = "  sallyport-hub user add alice\n"
			   "  sallyport-hub user list\n"
			   "  sallyport-hub user remove alice",
	.options = NULL,
	.run = run,
};
