#include "lib/installs_bench.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

/* --- hooks ----------------------------------------------------------------------------------- */

static int find_machine(const struct installs_bench *bench, const char *id)
{
	for (int i = 0; i < MACHINES; i++)
		if (strcmp(bench->machines[i].id, id) == 0)
			return i;
	return -1;
}

static void on_wake(void *data, int64_t after_ms)
{
	(void)data;
	(void)after_ms;
}

static uint64_t on_session(void *data, const char *server, bool *ready, uint64_t *instance)
{
	const struct installs_bench *bench = data;
	int at = find_machine(bench, server);
	*ready = at >= 0 && bench->machines[at].session;
	*instance = at >= 0 ? bench->machines[at].instance : 0;
	return at >= 0 ? bench->machines[at].session : 0;
}

static int64_t on_send(
	void *data, const char *server, uint64_t session, const char *method, json_t *params)
{
	struct installs_bench *bench = data;
	int at = find_machine(bench, server);
	if (at < 0 || bench->machines[at].session != session || bench->sent_count == MAX_SENT) {
		json_decref(params);
		return 0;
	}
	size_t number = bench->sent_count++;
	bench->sent[number].machine = at;
	bench->sent[number].id = ++bench->last_id;
	/* A copy: what is secret in it is wiped by its owner. */
	bench->sent[number].params = json_deep_copy(params);
	snprintf(bench->sent[number].method, sizeof bench->sent->method, "%s", method);
	json_decref(params);
	return bench->last_id;
}

static void on_confirm(void *data, const struct jobs_receipt *receipt)
{
	struct installs_bench *bench = data;
	(void)receipt;
	bench->confirmed++;
}

static enum store_status on_token(void *data, const char *location, int64_t target,
	const char *host, const char *by, char **text, struct err *err)
{
	struct installs_bench *bench = data;
	struct store_token token = {
		.label = (char *)host,
		.created_by = (char *)by,
		.created = NOW,
		.expires = NOW + 1800,
		.uses = 1,
		.location = (char *)location,
		.target = target,
	};
	snprintf(token.id, sizeof token.id, "%016zx", ++bench->tokens);
	memcpy(token.secret_hash, &bench->tokens, sizeof bench->tokens);
	*text = xasprintf("token-%zu", bench->tokens);
	return bench->memory->store->driver->tokens.add(bench->memory->store, &token, err);
}

static json_t *on_portable(void *data)
{
	(void)data;
	return json_object();
}

static json_t *on_hub(void *data)
{
	(void)data;
	return json_pack("{s:s}", "url", "https://hub:443");
}

static void on_changed(void *data, const char *install, const char *location,
	const int64_t *targets, size_t count, bool more)
{
	struct installs_bench *bench = data;
	(void)install;
	(void)location;
	(void)targets;
	(void)count;
	(void)more;
	bench->events++;
}

static bool on_watched(void *data)
{
	(void)data;
	return true;
}

/* --- life ------------------------------------------------------------------------------------ */

void installs_bench_restart(struct installs_bench *bench)
{
	const struct installs_hooks hooks = {on_wake, on_session, on_send, on_confirm, on_token,
		on_portable, on_hub, on_changed, on_watched, bench};
	installs_free(bench->installs);
	bench->installs = installs_new(bench->memory->store, &hooks);
	if (installs_load(bench->installs, NOW, NULL) != STORE_OK)
		abort();
}

void installs_bench_forget_sent(struct installs_bench *bench)
{
	for (size_t i = 0; i < bench->sent_count; i++)
		json_decref(bench->sent[i].params);
	memset(bench->sent, 0, sizeof bench->sent);
	bench->sent_count = bench->confirmed = 0;
}

void installs_bench_open(struct installs_bench *bench)
{
	static const char *const inventories[MACHINES] = {
		[FIRST] = "{\"location\":\"" PLACE "\"}",
		[SECOND] = "{\"location\":\"" PLACE "\"}",
		[STRANGER] = "{\"location\":\"Thun\"}",
		[TARGET] = "{\"location\":\"" PLACE "\"}",
		[LOOSE] = "{}",
	};
	*bench = (struct installs_bench){.memory = memory_store_open(), .port = 22, .now_ms = 1000};
	for (unsigned i = 0; i < MACHINES; i++) {
		const char *id = memory_store_add(bench->memory, i, inventories[i]);
		memcpy(bench->machines[i].id, id, sizeof bench->machines[i].id);
		bench->machines[i].session = i + 1;
		bench->machines[i].instance = i + 100;
	}
	for (int i = FIRST; i <= SECOND; i++)
		if (bench->memory->store->driver->locations.promote(
				bench->memory->store, bench->machines[i].id, NOW, NULL) != STORE_OK)
			abort();
	installs_bench_restart(bench);
}

void installs_bench_close(struct installs_bench *bench)
{
	installs_free(bench->installs);
	installs_bench_forget_sent(bench);
	memory_store_close(bench->memory);
}

enum installs_said installs_bench_ask(
	struct installs_bench *bench, size_t count, unsigned boxes, const char *action)
{
	struct store_target targets[MAX_TARGETS] = {0};
	char hosts[MAX_TARGETS][32];
	cleanup(json_drop) json_t *list = json_object();
	for (int i = FIRST; i <= SECOND; i++)
		if (boxes & 1u << i)
			json_object_set_new(list, bench->machines[i].id, json_string(BOX));
	for (size_t i = 0; i < count; i++) {
		snprintf(hosts[i], sizeof hosts[i], "10.0.0.%zu", i + 1);
		targets[i] = (struct store_target){.host = hosts[i],
			.user = (char *)"root",
			.name = (char *)"",
			.port = bench->port,
			.from_range = i == 1};
	}
	struct installs_wish wish = {
		.row = {.location = (char *)PLACE,
			.action = (char *)action,
			.hosts = (char *)"hosts",
			.user = (char *)"",
			.created_by = (char *)"alice",
			.port = bench->port,
			.parallel = 16,
			.created = NOW},
		.targets = targets,
		.count = count,
		.boxes = list,
	};
	enum installs_said said = installs_ask(bench->installs, &wish, bench->install);
	bench->first_target = targets[0].seq;
	return said;
}

void installs_bench_flush(struct installs_bench *bench)
{
	bench->now_ms += 1000;
	if (installs_flush(bench->installs, bench->now_ms, NULL) != STORE_OK)
		abort();
}
