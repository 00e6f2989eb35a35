#include "connector/plan.h"

#include "base/json.h"
#include "connector/connector.h"

#include <stdio.h>
#include <string.h>

#define COMEBACK_S   45
#define GRACE_S      30
#define MAX_PORTABLE (64 << 20) /* bytes */

/* Text without control bytes that fits; -1 otherwise. NULL text is "". */
static int take_text(const char *text, char *to, size_t size)
{
	size_t len = text ? strlen(text) : 0;
	if (len >= size)
		return -1;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] == 0x7f)
			return -1;
	memcpy(to, text ? text : "", len + 1);
	return 0;
}

static int take_keys(const json_t *keys, struct plan_target *target)
{
	size_t i;
	json_t *key;
	json_array_foreach((json_t *)keys, i, key)
	{
		const char *text = json_string_value(key);
		if (i == PLAN_MAX_KEYS)
			break;
		if (!text || take_text(text, target->keys[i], sizeof target->keys[i]))
			return -1;
		target->key_count = i + 1;
	}
	return 0;
}

static int take_target(const json_t *object, struct plan_target *target, struct err *err)
{
	const char *id = json_get_text(object, "id"), *host = json_get_text(object, "host");
	int64_t port = json_get_int(object, "port", HOST_LIST_PORT);
	if (!id || !*id || take_text(id, target->id, sizeof target->id))
		return err_set(err, "a target of the plan has no id");
	if (!host || !*host || take_text(host, target->host, sizeof target->host) || port < 1 ||
		port > 65535)
		return err_set(err, "target %s of the plan has no host and port", target->id);
	if (take_text(json_get_text(object, "user"), target->user, sizeof target->user))
		return err_set(err, "target %s of the plan: user is too long", target->id);
	if (take_keys(json_object_get(object, "host_keys"), target))
		return err_set(err, "target %s of the plan: host_keys are no fingerprints", target->id);
	target->port = (uint16_t)port;
	target->from_range = json_is_true(json_object_get(object, "from_range"));
	return 0;
}

static int take_targets(const json_t *list, struct plan *plan, struct err *err)
{
	size_t count = json_array_size(list);
	if (!count || count > CONNECTOR_MAX_TARGETS)
		return err_set(
			err, "the plan has %zu targets: 1 to %d can be", count, CONNECTOR_MAX_TARGETS);
	plan->targets = xcalloc(count, sizeof *plan->targets);
	for (; plan->target_count < count; plan->target_count++)
		if (take_target(
				json_array_get(list, plan->target_count), &plan->targets[plan->target_count], err))
			return -1;
	return 0;
}

static bool is_sha256(const char *text)
{
	return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static int take_portable(const json_t *object, struct plan *plan, struct err *err)
{
	const char *arch;
	json_t *row;
	json_object_foreach((json_t *)object, arch, row)
	{
		struct plan_portable *portable = &plan->portable[plan->portable_count];
		const char *sha256 = json_get_text(row, "sha256");
		if (plan->portable_count == PLAN_MAX_PORTABLE)
			break;
		if (take_text(arch, portable->arch, sizeof portable->arch))
			return err_set(err, "the plan's portable files: an architecture's name is too long");
		portable->size = json_get_int(row, "size", 0);
		if (is_sha256(sha256) && portable->size > 0 && portable->size <= MAX_PORTABLE)
			memcpy(portable->sha256, sha256, sizeof portable->sha256);
		else if (sha256)
			return err_set(
				err, "the plan's portable files: %s has no sha256 and size", portable->arch);
		portable->row = json_incref(row);
		portable->reason = json_get_text(row, "reason");
		plan->portable_count++;
	}
	return 0;
}

static int take_hub(const json_t *hub, struct plan *plan, struct err *err)
{
	const char *addressing = json_get_text(hub, "addressing");
	if (take_text(json_get_text(hub, "url"), plan->hub_url, sizeof plan->hub_url) ||
		take_text(json_get_text(hub, "location"), plan->location, sizeof plan->location))
		return err_set(err, "the plan's hub: url or location is too long");
	if (!plan->remove && strncmp(plan->hub_url, "https://", 8) != 0)
		return err_set(err, "the plan does not say which hub the hosts are to join");
	plan->dhcp_only = addressing && strcmp(addressing, "dhcp") == 0;
	return 0;
}

static int bounded(const json_t *params, const char *name, int otherwise, int most)
{
	int64_t value = json_get_int(params, name, otherwise);
	return value < 1 || value > most ? otherwise : (int)value;
}

int plan_read(const json_t *params, struct plan *plan, struct err *err)
{
	const char *action = json_get_text(params, "action");
	*plan = (struct plan){.targets = NULL};
	if (take_text(json_get_text(params, "install"), plan->install, sizeof plan->install) ||
		!*plan->install)
		return err_set(err, "the plan has no id");
	plan->remove = action && strcmp(action, "remove") == 0;
	if (!plan->remove && (!action || strcmp(action, "install") != 0))
		return err_set(err, "the plan's action is neither install nor remove");
	plan->parallel = (size_t)bounded(params, "parallel", CONNECTOR_PARALLEL, CONNECTOR_MAX_AT_ONCE);
	plan->comeback_s = bounded(params, "comeback_s", COMEBACK_S, 600);
	plan->grace_s = bounded(params, "grace_s", GRACE_S, 600);
	if (take_hub(json_object_get(params, "hub"), plan, err) == 0 &&
		take_portable(json_object_get(params, "portable"), plan, err) == 0 &&
		take_targets(json_object_get(params, "targets"), plan, err) == 0)
		return 0;
	plan_free(plan);
	return -1;
}

const struct plan_portable *plan_portable(const struct plan *plan, const char *arch)
{
	for (size_t i = 0; i < plan->portable_count; i++)
		if (strcmp(plan->portable[i].arch, arch) == 0)
			return &plan->portable[i];
	return NULL;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->portable_count; i++)
		json_decref(plan->portable[i].row);
	free(plan->targets);
	*plan = (struct plan){.targets = NULL};
}
