#include "cli/hub_admin.h"

#include "hub/hub.h"

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int hub_admin_failed(const struct err *err)
{
	fprintf(stderr, "sallyport-hub: %s\n", err->text);
	return 1;
}

struct actor hub_admin_actor(void)
{
	const struct passwd *entry = getpwuid(getuid());
	return (struct actor){
		.kind = ACTOR_COMMAND,
		.name = xstrdup(entry ? entry->pw_name : "command line"),
		.permissions = role_permissions(ROLE_ADMINISTRATOR),
	};
}

void hub_admin_note(struct store *store, const struct actor *actor, enum audit_action action,
	const char *target, const char *detail)
{
	struct err err = {0};
	if (audit_store(store, actor, action, target, detail, &err))
		fprintf(
			stderr, "sallyport-hub: done, but the audit trail does not tell of it: %s\n", err.text);
}

int64_t hub_admin_duration(const char *text, int64_t most)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end = NULL;
	if (!isdigit((unsigned char)*text))
		return -1;
	long number = strtol(text, &end, 10);
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (*end == units[i].unit && !end[1] && number <= most / units[i].seconds)
			return number * units[i].seconds;
	return -1;
}

int hub_admin_run(const struct cli_args *args, const struct hub_action *actions, size_t count,
	const char *missing, const char *names)
{
	struct err err = {0};
	for (size_t i = 0; i < count; i++) {
		if (strcmp(args->operands[0], actions[i].name) != 0)
			continue;
		if (args->operand_count < actions[i].operands)
			return cli_usage_error("%s", missing);
		if (args->operand_count > actions[i].operands)
			return cli_usage_error("unexpected \"%s\"", args->operands[args->operand_count - 1]);
		struct store *store = hub_open_store(args->root, actions[i].make, &err);
		if (!store)
			return hub_admin_failed(&err);
		int code = actions[i].run(store, args);
		store->driver->close(store);
		return code;
	}
	return cli_usage_error("%s was expected, not \"%s\"", names, args->operands[0]);
}
