#include "agent/runs/journal.h"

#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_STATE_BYTES 8192
#define SCHEMA          "sallyport.run-state/1"

struct record {
	char *schema, *status;
	struct run_state state;
};

#define FIELD(name, kind, member, max, required)                                                   \
	{                                                                                              \
		name, JSON_FIELD_##kind, offsetof(struct record, member), max, required                    \
	}

static const struct json_field fields[] = {
	FIELD("schema", TEXT, schema, 32, true),
	FIELD("state", TEXT, status, 16, true),
	FIELD("order", INT, state.order, INT64_C(9007199254740991), true),
	FIELD("attempt", INT, state.attempt, JOB_MAX_ATTEMPTS + 1, true),
	FIELD("reboots", INT, state.reboots, JOB_MAX_ATTEMPTS, true),
	FIELD("expires", INT, state.expires, INT64_C(253402300799), true),
	FIELD("again", BOOL, state.again, 0, true),
	FIELD("exit_code", INT, state.exit_code, 255, true),
	FIELD("signal", INT, state.signal, 128, true),
	FIELD("dropped", INT, state.dropped, INT64_C(9007199254740991), true),
	FIELD("server", TEXT, state.server, IDENTITY_ID_SIZE - 1, true),
	FIELD("title", TEXT, state.title, JOB_MAX_TITLE, true),
	FIELD("boot", TEXT, state.boot, 80, false),
	FIELD("reason", TEXT, state.reason, JOURNAL_MAX_REASON, false),
	FIELD("started", TEXT, state.started, 40, false),
	FIELD("finished", TEXT, state.finished, 40, false),
};

static const char *const names[RUN_STATUSES] = {
	[RUN_QUEUED] = "delivered",
	[RUN_RUNNING] = "running",
	[RUN_REBOOTING] = "rebooting",
	[RUN_DONE] = "done",
	[RUN_FAILED] = "failed",
	[RUN_CANCELLED] = "cancelled",
	[RUN_EXPIRED] = "expired",
	[RUN_UNDETERMINED] = "undetermined",
};

const char *run_status_name(enum run_status status)
{
	return names[status];
}

bool run_is_final(enum run_status status)
{
	return status >= RUN_DONE;
}

void run_state_free(struct run_state *state)
{
	free(state->server);
	free(state->title);
	free(state->boot);
	free(state->reason);
	free(state->started);
	free(state->finished);
	*state = (struct run_state){0};
}

/* It goes into JSON, so what a program said must not break its UTF-8. */
void run_set_reason(struct run_state *state, const char *format, ...)
{
	va_list args;
	free(state->reason);
	state->reason = NULL;
	if (!format)
		return;
	va_start(args, format);
	state->reason = xvasprintf(format, args);
	va_end(args);
	if (strlen(state->reason) > JOURNAL_MAX_REASON)
		state->reason[JOURNAL_MAX_REASON] = '\0';
	for (char *at = state->reason; *at; at++)
		if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f)
			*at = '?';
}

static int find_status(const char *name, enum run_status *status)
{
	for (int i = 0; i < RUN_STATUSES; i++) {
		if (strcmp(names[i], name) == 0) {
			*status = (enum run_status)i;
			return 0;
		}
	}
	return -1;
}

int run_state_parse(const char *text, size_t len, struct run_state *state, struct err *err)
{
	struct record record = {0};
	*state = (struct run_state){0};
	cleanup(json_drop) json_t *object = json_parse(text, len, err);
	if (!object || json_record_read(object, fields, ARRAY_LEN(fields), &record, err))
		return -1;
	if (strcmp(record.schema, SCHEMA) != 0 || find_status(record.status, &record.state.status) ||
		!record.state.attempt) {
		json_record_free(fields, ARRAY_LEN(fields), &record);
		return err_set(err, "not a state that this version knows");
	}
	free(record.schema);
	free(record.status);
	*state = record.state;
	return 0;
}

int journal_state_load(
	const struct agent_paths *paths, const char *run, struct run_state *state, struct err *err)
{
	cleanup(free_ptr) char *path = journal_file(paths, run, "state");
	cleanup(buf_free) struct buf text = {0};
	*state = (struct run_state){0};
	if (file_read(path, MAX_STATE_BYTES, &text, err))
		return -1;
	if (run_state_parse(buf_text(&text), text.len, state, err))
		return err_prefix(err, "%s", path);
	return 0;
}

/* A secret must not outlive the run that needed it. */
static void remove_spec(const struct agent_paths *paths, const char *run)
{
	static const char *const files[] = {"spec", "signature"};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		cleanup(free_ptr) char *path = journal_file(paths, run, files[i]);
		unlink(path);
	}
}

int journal_state_save(const struct agent_paths *paths, const char *run,
	const struct run_state *state, struct err *err)
{
	cleanup(free_ptr) char *path = journal_file(paths, run, "state");
	struct record record = {
		.schema = (char *)SCHEMA, .status = (char *)names[state->status], .state = *state};
	cleanup(json_drop) json_t *object = json_record_write(fields, ARRAY_LEN(fields), &record);
	cleanup(free_ptr) char *text = json_text(object);
	if (file_replace(path, text, strlen(text), 0600, err))
		return -1;
	if (run_is_final(state->status))
		remove_spec(paths, run);
	return 0;
}

int journal_job_load(const struct agent_paths *paths, const char *run,
	const unsigned char hub_key[IDENTITY_KEY_BYTES], struct job *job, struct err *err)
{
	cleanup(free_ptr) char *spec_path = journal_file(paths, run, "spec");
	cleanup(free_ptr) char *signature_path = journal_file(paths, run, "signature");
	cleanup(buf_free) struct buf spec = {0}, signature = {0};
	*job = (struct job){0};
	if (file_read(spec_path, JOB_MAX_SPEC, &spec, err) ||
		file_read(signature_path, JOB_SIGNATURE_BYTES, &signature, err))
		return -1;
	if (signature.len != JOB_SIGNATURE_BYTES || strlen(buf_text(&spec)) != spec.len ||
		!job_verify(hub_key, buf_text(&spec), (const unsigned char *)signature.data))
		return err_set(err, "%s: it is not signed by this machine's hub", spec_path);
	if (job_read(buf_text(&spec), job, err))
		return err_prefix(err, "%s", spec_path);
	if (strcmp(job->run, run) == 0)
		return 0;
	job_free(job);
	return err_set(err, "%s: it is another run's", spec_path);
}
