#include "hub/api/access.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name, *about;
	bool wide;
} permissions_table[] = {
#define PERMISSION(symbol, name, wide, about) [PERMIT_##symbol] = {name, about, wide},
#include "hub/api/access.def"
#undef PERMISSION
	[PERMIT_SIGNED_IN] = {"signed-in", "whoever has signed in or has a key", false},
	[PERMIT_ANYONE] = {"anyone", "no sign-in is asked for", false},
};

static const struct {
	const char *name;
	unsigned permissions;
} roles[] = {
#define ROLE(symbol, name, permissions, about) [ROLE_##symbol] = {name, permissions},
#include "hub/api/access.def"
#undef ROLE
};

const char *permission_name(enum permission permission)
{
	return permissions_table[permission].name;
}

const char *permission_about(enum permission permission)
{
	return permissions_table[permission].about;
}

bool permission_wide(enum permission permission)
{
	return permissions_table[permission].wide;
}

int permission_find(const char *name)
{
	for (int i = 0; i < PERMISSION_COUNT; i++)
		if (strcmp(permissions_table[i].name, name) == 0)
			return i;
	return -1;
}

const char *role_name(enum role role)
{
	return roles[role].name;
}

int role_find(const char *name)
{
	for (int i = 0; i < ROLE_COUNT; i++)
		if (strcmp(roles[i].name, name) == 0)
			return i;
	return -1;
}

unsigned role_permissions(enum role role)
{
	return roles[role].permissions;
}

void access_names(unsigned permissions, char text[ACCESS_NAMES_SIZE])
{
	size_t used = 0;
	text[0] = '\0';
	for (int i = 0; i < PERMISSION_COUNT; i++)
		if (permissions & 1u << i)
			used += (size_t)snprintf(text + used, ACCESS_NAMES_SIZE - used, "%s%s", used ? "," : "",
				permissions_table[i].name);
}

int access_read_names(const char *text, unsigned *permissions)
{
	*permissions = 0;
	while (*text) {
		char name[ACCESS_NAMES_SIZE];
		size_t len = strcspn(text, ",");
		snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : 0), text);
		int found = permission_find(name);
		if (found < 0)
			return -1;
		*permissions |= 1u << found;
		text += len + (text[len] == ',');
	}
	return 0;
}

json_t *access_json(unsigned permissions)
{
	json_t *list = json_array();
	for (int i = 0; i < PERMISSION_COUNT; i++)
		if (permissions & 1u << i)
			json_array_append_new(list, json_string(permissions_table[i].name));
	return list;
}

const char *access_name_problem(const char *name)
{
	if (!*name || strlen(name) > ACCESS_MAX_NAME)
		return "a name has 1 to 64 bytes";
	for (const char *at = name; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f || *at == '/')
			return "a name holds neither \"/\" nor control characters";
	if (name[0] == ' ' || name[strlen(name) - 1] == ' ')
		return "a name neither begins nor ends with a space";
	return strncmp(name, ACCESS_KEY_NAME_PREFIX, strlen(ACCESS_KEY_NAME_PREFIX)) == 0
			   ? "\"key:\" stands before the names of API keys"
			   : NULL;
}

const char *actor_kind_name(enum actor_kind kind)
{
	static const char *const names[] = {
		[ACTOR_NOBODY] = "nobody",
		[ACTOR_USER] = "user",
		[ACTOR_KEY] = "key",
		[ACTOR_COMMAND] = "command",
		[ACTOR_MACHINE] = "machine",
	};
	return names[kind];
}

bool actor_may(const struct actor *actor, enum permission permission)
{
	if (permission == PERMIT_ANYONE)
		return true;
	if (permission == PERMIT_SIGNED_IN)
		return actor->kind != ACTOR_NOBODY;
	return actor->permissions & 1u << permission;
}

bool actor_sees(const struct actor *actor, const char *location)
{
	return !actor->location || strcasecmp(actor->location, location) == 0;
}

void access_forget(struct actor *actor)
{
	free(actor->name);
	free(actor->user);
	free(actor->key);
	free(actor->location);
	*actor = (struct actor){0};
}
