#include "hub/audit.h"

#include "hub/state.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	bool refused;
} actions[] = {
#define AUDIT(symbol, name, refused, about) [AUDIT_##symbol] = {name, refused},
#include "hub/audit.def"
#undef AUDIT
};

const char *audit_name(enum audit_action action)
{
	return actions[action].name;
}

/* Cut between characters, and without what could paint a terminal. */
static void copy_text(char to[AUDIT_MAX_TEXT + 1], const char *text)
{
	size_t len = strlen(text ? text : "");
	if (len > AUDIT_MAX_TEXT)
		for (len = AUDIT_MAX_TEXT; len && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	for (size_t i = 0; i < len; i++) {
		to[i] = text[i];
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			to[i] = ' ';
	}
	to[len] = '\0';
}

static enum store_status add(struct store *store, const struct actor *actor,
	enum audit_action action, const char *target, const char *detail, struct err *err)
{
	char actor_text[AUDIT_MAX_TEXT + 1], target_text[AUDIT_MAX_TEXT + 1],
		detail_text[AUDIT_MAX_TEXT + 1];
	copy_text(actor_text, actor->name);
	copy_text(target_text, target);
	copy_text(detail_text, detail);
	struct store_audit row = {
		.at = time(NULL),
		.actor = actor_text,
		.actor_kind = (char *)actor_kind_name(actor->kind),
		.action = (char *)actions[action].name,
		.target = target_text,
		.detail = detail_text,
		.peer = (char *)actor->peer,
		.refused = actions[action].refused,
	};
	return store->driver->access.audit_add(store, &row, err);
}

void audit_note(struct hub *hub, const struct actor *actor, enum audit_action action,
	const char *target, const char *detail)
{
	struct err err = {0};
	hub_store_said(hub, add(hub->store, actor, action, target, detail, &err), &err);
}

int audit_store(struct store *store, const struct actor *actor, enum audit_action action,
	const char *target, const char *detail, struct err *err)
{
	return add(store, actor, action, target, detail, err) == STORE_OK ? 0 : -1;
}
