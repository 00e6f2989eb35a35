/*
 * Where a target stands, as JSON for the hub.
 *
 * Everything that a target said is bounded and printable by now; what is left to do is to take out
 * what a login holds, should the target have said it back.
 */
#include "connector/visit.h"

#include <string.h>

static const char *const states[] = {
	[VISIT_WAITING] = "waiting",
	[VISIT_LOOKING] = "looking",
	[VISIT_READY] = "ready",
	[VISIT_WORKING] = "working",
	[VISIT_JOINED] = "joined",
	[VISIT_KEPT] = "kept",
	[VISIT_REMOVED] = "removed",
	[VISIT_ABSENT] = "absent",
	[VISIT_FAILED] = "failed",
	[VISIT_CANCELLED] = "cancelled",
};

const char *visit_state_name(enum visit_state state)
{
	return states[state];
}

static void mask(char *text, const char *secret)
{
	size_t len = secret ? strlen(secret) : 0;
	for (char *at; len >= 4 && (at = strstr(text, secret));)
		memset(at, '*', len);
}

/* The text without what the login holds; new reference. */
static json_t *safe_text(const struct visit *visit, const char *text)
{
	struct login login;
	cleanup(free_ptr) char *copy = xstrndup(text, strnlen(text, EVENT_MAX_TEXT));
	if (logins_find(
			visit->logins, visit->target->host, visit->target->port, visit->target->user, &login)) {
		mask(copy, login.password);
		mask(copy, login.passphrase);
		mask(copy, login.sudo_password);
	}
	mask(copy, visit->token);
	json_t *value = json_string(copy);
	return value ? value : json_string("(not printable)");
}

static void add_ending(const struct visit *visit, json_t *event)
{
	const struct ending *ending = &visit->ending;
	if (!ending->outcome)
		return;
	cleanup(free_ptr) char *sentence = ending->sentence
										   ? xstrdup(ending->sentence)
										   : outcome_sentence(ending->outcome, &ending->evidence);
	cleanup(free_ptr) char *remedy = ending->remedy
										 ? xstrdup(ending->remedy)
										 : outcome_remedy(ending->outcome, &ending->evidence);
	json_t *evidence = json_array();
	json_object_set_new(event, "outcome", json_string(outcome_info(ending->outcome)->id));
	json_object_set_new(event, "sentence", safe_text(visit, sentence));
	json_object_set_new(event, "remedy", safe_text(visit, remedy));
	for (size_t i = 0; i < ending->evidence.count; i++) {
		const struct evidence_item *item = &ending->evidence.items[i];
		if (strcmp(item->name, "sentence") != 0 && strcmp(item->name, "remedy") != 0)
			json_array_append_new(evidence, json_pack("{s:s, s:o}", "name", item->name, "value",
												safe_text(visit, item->value)));
	}
	json_array_extend(evidence, ending->details);
	json_object_set_new(event, "evidence", evidence);
}

static void add_key(const struct visit *visit, json_t *event)
{
	static const char *const words[] = {
		[VISIT_KEY_NEW] = "new", [VISIT_KEY_KNOWN] = "known", [VISIT_KEY_CHANGED] = "changed"};
	if (visit->key_state == VISIT_KEY_UNSEEN)
		return;
	json_t *key = json_pack("{s:s, s:s, s:s}", "type", visit->key.type, "fingerprint",
		visit->key.fingerprint, "state", words[visit->key_state]);
	if (visit->key_state == VISIT_KEY_CHANGED && visit->target->key_count)
		json_object_set_new(key, "expected", json_string(visit->target->keys[0]));
	json_object_set_new(event, "host_key", key);
}

static const char *privilege_of(const struct visit *visit)
{
	static const char *const words[] = {[SHELL_AS_USER] = "none",
		[SHELL_AS_ROOT] = "root",
		[SHELL_SUDO] = "sudo",
		[SHELL_SUDO_PASSWORD] = "sudo with a password"};
	return words[visit->shell.way];
}

static int64_t most_free(const struct facts *facts)
{
	int64_t most = -1;
	for (size_t i = 0; i < facts->stage_count; i++)
		if (facts->stages[i].free_kb > most)
			most = facts->stages[i].free_kb;
	return most;
}

static void set_text(json_t *object, const char *name, const char *text)
{
	if (*text)
		json_object_set_new(object, name, json_string(text));
}

static void add_facts(const struct visit *visit, json_t *event)
{
	const struct facts *facts = &visit->facts;
	json_t *object = json_object();
	if (!*facts->system) {
		json_decref(object);
		return;
	}
	set_text(object, "os", *facts->os ? facts->os : facts->system);
	set_text(object, "arch", facts->arch);
	set_text(object, "init", facts->init);
	set_text(object, "user", facts->user);
	if (visit->shell.way != SHELL_AS_USER)
		set_text(object, "privilege", privilege_of(visit));
	if (most_free(facts) >= 0)
		json_object_set_new(object, "free_mb", json_integer(most_free(facts) / 1024));
	set_text(object, "agent_version", facts->agent_version);
	json_object_set_new(event, "facts", object);
}

json_t *visit_event(const struct visit *visit)
{
	json_t *event = json_pack(
		"{s:s, s:s}", "stage", install_stage_name(visit->stage), "state", states[visit->state]);
	add_ending(visit, event);
	add_key(visit, event);
	add_facts(visit, event);
	if (visit->total) {
		json_object_set_new(event, "sent", json_integer(visit->sent));
		json_object_set_new(event, "total", json_integer(visit->total));
	}
	set_text(event, "server", visit->server);
	return event;
}
