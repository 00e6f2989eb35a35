#include "agent/status.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define STATUS_MAX_BYTES 262144

static const char *const kind_names[] = {
	[STATUS_STARTING] = "starting",
	[STATUS_ONLINE] = "online",
	[STATUS_OFFLINE] = "offline",
	[STATUS_REVOKED] = "revoked",
	[STATUS_STOPPED] = "stopped",
};

void status_init(struct status *status, const struct agent_paths *paths)
{
	*status = (struct status){.paths = paths, .kind = STATUS_STARTING, .since = time(NULL)};
}

static json_t *evidence_list(const struct evidence *evidence)
{
	json_t *list = json_array();
	for (size_t i = 0; i < evidence->count; i++)
		json_array_append_new(list, json_pack("{s:s,s:s}", "name", evidence->items[i].name, "value",
										evidence->items[i].value));
	return list;
}

static void add_finding(json_t *object, const struct finding *finding)
{
	if (!finding || !finding->cause) {
		json_object_set_new(object, "cause", json_null());
		return;
	}
	const struct cause_info *info = cause_info(finding->cause);
	cleanup(free_ptr) char *sentence = finding_sentence(finding);
	cleanup(free_ptr) char *remedy = finding_remedy(finding);
	json_object_set_new(object, "cause", json_string(info->id));
	json_object_set_new(object, "stage", json_string(stage_name(finding->stage)));
	json_object_set_new(object, "confidence",
		json_string(finding->confidence == CONFIDENCE_CERTAIN ? "certain" : "likely"));
	json_object_set_new(object, "sentence", json_string(sentence));
	json_object_set_new(object, "remedy", json_string(remedy));
	json_object_set_new(object, "who", json_string(info->who));
	json_object_set_new(object, "evidence", evidence_list(&finding->evidence));
}

static json_t *params_object(const struct session_params *params)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "heartbeat_ms", (json_int_t)params->heartbeat_ms,
		"heartbeat_jitter_ms", (json_int_t)params->heartbeat_jitter_ms, "heartbeat_timeout_ms",
		(json_int_t)params->heartbeat_timeout_ms, "backoff_base_ms",
		(json_int_t)params->backoff_base_ms, "backoff_cap_ms", (json_int_t)params->backoff_cap_ms,
		"stable_ms", (json_int_t)params->stable_ms);
}

static char *status_text(const struct status *status, const struct agent_state *state,
	const struct session_params *params, const struct finding *finding, const struct walk *walk)
{
	char since[CLOCK_TEXT_SIZE], fingerprint[IDENTITY_PRINT_SIZE];
	cleanup(free_ptr) char *hub = state_hub(state);
	identity_fingerprint(state->hub_key, fingerprint);
	cleanup(json_drop) json_t *object =
		json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "schema", STATUS_SCHEMA, "state",
			kind_names[status->kind], "since", clock_rfc3339(status->since, since), "name",
			state->name, "server_id", state->server_id, "hub", hub, "hub_fingerprint", fingerprint,
			"pid", (int)getpid(), "version", SALLYPORT_VERSION);
	add_finding(object, finding);
	if (walk) {
		json_object_set_new(object, "stages", walk_to_json(walk));
		json_object_set_new(object, "proxy", walk->proxy ? json_string(walk->proxy) : json_null());
	}
	json_object_set_new(object, "parameters", params_object(params));
	char *text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	return text ? text : xstrdup("{}");
}

int status_set(struct status *status, enum status_kind kind, const struct agent_state *state,
	const struct session_params *params, const struct finding *finding, const struct walk *walk,
	struct err *err)
{
	if (kind != status->kind)
		status->since = time(NULL);
	status->kind = kind;
	char *text = status_text(status, state, params, finding, walk);
	free(status->unwritten);
	status->unwritten = NULL;
	if (file_replace(status->paths->status, text, strlen(text), 0600, err) == 0) {
		free(text);
		return 0;
	}
	unlink(status->paths->status);
	status->unwritten = text;
	return -1;
}

int status_retry(struct status *status)
{
	struct err err;
	if (!status->unwritten || file_replace(status->paths->status, status->unwritten,
								  strlen(status->unwritten), 0600, &err))
		return 0;
	free(status->unwritten);
	status->unwritten = NULL;
	return 1;
}

void status_free(struct status *status)
{
	free(status->unwritten);
	*status = (struct status){0};
}

json_t *status_load(const struct agent_paths *paths, struct err *err)
{
	cleanup(buf_free) struct buf text = {0};
	if (file_read(paths->status, STATUS_MAX_BYTES, &text, err))
		return NULL;
	json_t *object = json_parse(buf_text(&text), text.len, err);
	errno = EINVAL;
	if (!object)
		err_prefix(err, "%s", paths->status);
	else if (!json_is_object(object))
		err_set(err, "%s: an object was expected", paths->status);
	if (!json_is_object(object))
		json_drop(&object);
	return object;
}

int status_load_params(const struct agent_paths *paths, struct session_params *params)
{
	struct err err;
	cleanup(json_drop) json_t *object = status_load(paths, &err);
	json_t *kept = json_object_get(object, "parameters");
	if (!json_is_object(kept))
		return -1;
	/* A welcome without its server_id: the same table reads it, with the same bounds. */
	json_object_set_new(kept, "server_id", json_string(""));
	return session_params_read(kept, params, &err);
}
