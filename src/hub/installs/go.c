/*
 * What a person confirms: that targets go on, and the host keys that he saw. A key is pinned before
 * anything is sent to its host.
 */
#include "hub/installs/parts.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

static void id_of(const struct installs_target *target, char id[24])
{
	snprintf(id, 24, "%lld", (long long)target->row.seq);
}

/* Whether that target may go, by what the person said of its key. */
static enum installs_said may_go(const struct installs_target *target, const json_t *keys)
{
	char id[24];
	id_of(target, id);
	const char *said = json_string_value(json_object_get(keys, id));
	if (target->row.state != TARGET_READY || target->row.confirmed || !*target->print)
		return INSTALLS_NOT_NOW;
	if (said && strcmp(said, target->print) != 0)
		return INSTALLS_CHANGED;
	return said || target->known ? INSTALLS_NEW : INSTALLS_NOT_NOW;
}

static bool is_meant(const struct installs_target *target, const json_t *only)
{
	char id[24];
	id_of(target, id);
	return !only || json_object_get(only, id);
}

static enum store_status pin(struct installs *installs, const struct installs_target *target,
	const char *by, int64_t now, struct err *err)
{
	const struct store_host_key key = {
		.host = target->row.host,
		.port = target->row.port,
		.fingerprint = (char *)target->print, /* only read, like the next one */
		.confirmed_by = (char *)by,
		.confirmed = now,
	};
	return installs->store->driver->locations.pin(
		installs->store, target->install->row.location, &key, err);
}

static enum store_status pin_all(struct installs *installs, const struct installs_one *one,
	const json_t *keys, const json_t *only, const char *by, int64_t now, struct err *err)
{
	const struct store_driver *driver = installs->store->driver;
	enum store_status status = driver->begin(installs->store, true, err);
	for (size_t i = 0; i < one->count && status == STORE_OK; i++)
		if (is_meant(&one->targets[i], only) && !one->targets[i].known &&
			may_go(&one->targets[i], keys) == INSTALLS_NEW)
			status = pin(installs, &one->targets[i], by, now, err);
	if (status == STORE_OK)
		return driver->commit(installs->store, err);
	driver->rollback(installs->store);
	return status;
}

/* Confirms what may go; every one of `only`, unless that is NULL, has to. */
static enum installs_said confirm(struct installs *installs, struct installs_one *one,
	const json_t *keys, const json_t *only, const char *by, int64_t now, struct err *err)
{
	size_t count = 0;
	for (size_t i = 0; i < one->count; i++) {
		if (!is_meant(&one->targets[i], only))
			continue;
		enum installs_said may = may_go(&one->targets[i], keys);
		if (may == INSTALLS_CHANGED || (only && may != INSTALLS_NEW))
			return may;
		count += may == INSTALLS_NEW;
	}
	if (!count || (only && count != json_object_size(only)))
		return INSTALLS_NOT_NOW;
	if (pin_all(installs, one, keys, only, by, now, err) != STORE_OK)
		return INSTALLS_LATER;
	for (size_t i = 0; i < one->count; i++) {
		struct installs_target *target = &one->targets[i];
		if (!is_meant(target, only) || may_go(target, keys) != INSTALLS_NEW)
			continue;
		target->row.confirmed = target->known = true;
		installs_touch(installs, target, now);
	}
	return INSTALLS_NEW;
}

/* The list as a set; a name that is none of the install's makes it larger than what may go. */
static json_t *set_of(const json_t *list)
{
	json_t *set = json_is_array(list) ? json_object() : NULL;
	for (size_t i = 0; set && i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		json_object_set_new(set, name ? name : "", json_true());
	}
	return set;
}

enum installs_said installs_go(struct installs *installs, const char *id, const json_t *host_keys,
	const json_t *targets, const char *by, int64_t now, struct err *err)
{
	struct installs_one *one = installs_find(installs, id);
	cleanup(json_drop) json_t *only = set_of(targets);
	if (!one || one->cancel || one->row.by_command)
		return INSTALLS_NOT_NOW;
	enum installs_said said = confirm(installs, one, host_keys, only, by, now, err);
	if (said == INSTALLS_NEW)
		installs_send_go(installs, one);
	return said;
}

enum installs_said installs_command_go(struct installs *installs, const char *id,
	const char *server, const json_t *targets, int64_t now, json_t **tokens, struct err *err)
{
	struct installs_one *one = installs_find(installs, id);
	if (!one || !one->row.by_command || strcmp(one->row.connector, server) != 0)
		return INSTALLS_UNKNOWN;
	cleanup(json_drop) json_t *only = set_of(targets);
	cleanup(json_drop) json_t *keys = json_object();
	const char *name;
	json_t *value;
	bool asked_before = json_object_size(only) > 0;
	json_object_foreach(only, name, value)
	{
		/* What its own engine reported is what the person at the terminal saw. */
		const struct installs_target *target =
			installs_find_target(one, installs_target_number(name));
		if (!target || one->cancel)
			return INSTALLS_NOT_NOW;
		asked_before &= target->row.confirmed;
		json_object_set_new(keys, name, json_string(target->print));
	}
	enum installs_said said =
		asked_before ? INSTALLS_NEW
					 : confirm(installs, one, keys, only, one->row.created_by, now, err);
	if (said != INSTALLS_NEW)
		return said;
	*tokens = installs_make_tokens(installs, one, only, err);
	return *tokens ? INSTALLS_NEW : INSTALLS_LATER;
}

enum installs_said installs_cancel(struct installs *installs, const char *id, int64_t now)
{
	struct installs_one *one = installs_find(installs, id);
	if (!one || one->cancel)
		return INSTALLS_NOT_NOW;
	one->cancel = true;
	for (size_t i = 0; i < one->count; i++) {
		enum store_target_state state = one->targets[i].row.state;
		if (state != TARGET_WORKING && state != TARGET_JOINED && installs_target_is_live(state))
			installs_fail(installs, &one->targets[i], OUTCOME_CANCELLED, NULL, now);
	}
	installs_send_end(installs, one);
	installs_drop_boxes(one);
	installs_touch_one(installs, one);
	return INSTALLS_NEW;
}
