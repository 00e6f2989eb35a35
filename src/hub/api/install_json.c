/* Installs and their targets as the API shows them. */
#include "base/json.h"
#include "hub/api/request.h"
#include "hub/api/rows.h"

#include <stdio.h>
#include <string.h>

static const char *const target_states[TARGET_STATES] = {
	[TARGET_FAILED] = "failed",
	[TARGET_READY] = "ready",
	[TARGET_WORKING] = "working",
	[TARGET_LOOKING] = "looking",
	[TARGET_JOINED] = "joined",
	[TARGET_WAITING] = "waiting",
	[TARGET_CANCELLED] = "cancelled",
	[TARGET_ONLINE] = "online",
	[TARGET_KEPT] = "kept",
	[TARGET_REMOVED] = "removed",
	[TARGET_ABSENT] = "absent",
};

static const char *const install_states[STORE_INSTALL_STATES] = {
	[STORE_INSTALL_LOOKING] = "looking",
	[STORE_INSTALL_WAITING] = "waiting",
	[STORE_INSTALL_WORKING] = "working",
	[STORE_INSTALL_DONE] = "done",
	[STORE_INSTALL_CANCELLED] = "cancelled",
};

static unsigned find_states(const char *const *names, size_t count, unsigned live, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return 1u << i;
	return strcmp(name, "live") == 0 ? live : 0;
}

unsigned target_states_find(const char *name)
{
	return find_states(target_states, ARRAY_LEN(target_states), STORE_TARGETS_LIVE, name);
}

unsigned install_states_find(const char *name)
{
	unsigned live =
		1u << STORE_INSTALL_LOOKING | 1u << STORE_INSTALL_WAITING | 1u << STORE_INSTALL_WORKING;
	return find_states(install_states, ARRAY_LEN(install_states), live, name);
}

const char *target_state_name(int state)
{
	return target_states[state >= 0 && state < TARGET_STATES ? state : TARGET_FAILED];
}

static json_t *counts_of(const struct store_install *install)
{
	json_t *counts = json_object();
	int64_t total = 0;
	for (int state = 0; state < TARGET_STATES; state++) {
		json_object_set_new(counts, target_states[state], json_integer(install->counts[state]));
		total += install->counts[state];
	}
	json_object_set_new(counts, "total", json_integer(total));
	return counts;
}

json_t *install_json(const struct store_install *install)
{
	bool known = (size_t)install->state < ARRAY_LEN(install_states);
	return json_pack("{s:s,s:s,s:o,s:o,s:s,s:s,s:o,s:I,s:I,s:s,s:s,s:o,s:o,s:o,s:o}", "id",
		install->id, "location", install->location, "connector", text_or_null(install->connector),
		"connector_name", text_or_null(install->connector_name), "action", install->action, "hosts",
		install->hosts, "user", text_or_null(install->user), "port", (json_int_t)install->port,
		"parallel", (json_int_t)install->parallel, "state",
		install_states[known ? install->state : STORE_INSTALL_DONE], "created_by",
		install->created_by, "created_at", time_json(install->created), "finished_at",
		time_json(install->finished), "reason", text_or_null(install->reason), "counts",
		counts_of(install));
}

static json_t *list_json(const char *text)
{
	json_t *list = stored_json(text);
	if (json_is_array(list))
		return list;
	json_decref(list);
	return json_array();
}

static json_t *size_json(int64_t size)
{
	return size < 0 ? json_null() : json_integer(size);
}

json_t *target_json(const struct store_target *target)
{
	cleanup(free_ptr) char *id = xasprintf("%lld", (long long)target->seq);
	return json_pack(
		"{s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "id",
		id, "install", target->install, "location", target->location, "action", target->action,
		"host", target->host, "port", (json_int_t)target->port, "user", target->user, "name",
		target->name, "state", target_state_name((int)target->state), "stage",
		text_or_null(target->stage), "outcome", text_or_null(target->outcome), "sentence",
		text_or_null(target->sentence), "remedy", text_or_null(target->remedy), "evidence",
		list_json(target->evidence), "host_key", stored_json(target->host_key), "facts",
		stored_json(target->facts), "server", text_or_null(target->server), "sent",
		size_json(target->sent), "total", size_json(target->total), "updated_at",
		time_json(target->updated));
}
