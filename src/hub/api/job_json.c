/* Jobs and runs as the API shows them. */
#include "base/json.h"
#include "hub/api/request.h"
#include "hub/api/rows.h"

#include <string.h>

static const char *const run_states[RUN_STATES] = {
	[RUN_FAILED] = "failed",
	[RUN_UNDETERMINED] = "undetermined",
	[RUN_EXPIRED] = "expired",
	[RUN_CANCELLED] = "cancelled",
	[RUN_QUEUED] = "queued",
	[RUN_DELIVERED] = "delivered",
	[RUN_RUNNING] = "running",
	[RUN_REBOOTING] = "rebooting",
	[RUN_DONE] = "done",
};

static const char *const job_states[STORE_JOB_STATES] = {
	[STORE_JOB_ACTIVE] = "active",
	[STORE_JOB_DONE] = "done",
	[STORE_JOB_CANCELLED] = "cancelled",
};

static int find_name(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

int run_state_find(const char *name)
{
	return find_name(run_states, ARRAY_LEN(run_states), name);
}

int job_state_find(const char *name)
{
	return find_name(job_states, ARRAY_LEN(job_states), name);
}

const char *run_state_name(int state)
{
	return state >= 0 && state < RUN_STATES ? run_states[state] : run_states[RUN_UNDETERMINED];
}

static json_t *counts_of(const struct store_job *job)
{
	json_t *counts = json_object();
	int64_t total = 0;
	for (int state = 0; state < RUN_STATES; state++) {
		json_object_set_new(counts, run_states[state], json_integer(job->counts[state]));
		total += job->counts[state];
	}
	json_object_set_new(counts, "total", json_integer(total));
	return counts;
}

json_t *job_json(const struct store_job *job, int64_t silent)
{
	bool known = (size_t)job->state < ARRAY_LEN(job_states);
	json_t *json = json_pack("{s:s,s:s,s:s,s:o,s:o,s:I,s:I,s:s,s:s,s:s,s:o,s:o,s:s,s:o,s:o,s:I}",
		"id", job->id, "title", job->title, "interpreter", job_interpreter_name(job->interpreter),
		"user", text_or_null(job->user), "cwd", text_or_null(job->cwd), "timeout_s",
		(json_int_t)job->timeout_s, "output_limit", (json_int_t)job->output_limit, "rerun",
		job_rerun_name(job->rerun), "reboot", job_reboot_name(job->reboot), "created_by",
		job->created_by, "created_at", time_json(job->created), "expires_at",
		time_json(job->expires), "state", job_states[known ? job->state : STORE_JOB_DONE],
		"finished_at", time_json(job->finished), "runs", counts_of(job), "silent",
		(json_int_t)silent);
	return json;
}

json_t *job_whole_json(const struct store_job *job, int64_t silent)
{
	json_t *json = job_json(job, silent);
	json_object_set_new(json, "script", json_string(job->script));
	json_object_set_new(json, "args", stored_json(job->args));
	json_object_set_new(json, "env", stored_json(job->env));
	return json;
}

json_t *run_json(const struct hub *hub, const struct store_run *run)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:o,s:o,s:o,s:I,s:I,s:o,s:o,s:o,s:o,s:b}", "id",
		run->id, "job", run->job, "server", run->server, "server_name", run->server_name, "state",
		run_state_name((int)run->state), "attempt", run->attempt, "exit_code",
		run->exit_code >= 0 ? json_integer(run->exit_code) : json_null(), "signal",
		run->signal ? json_integer(run->signal) : json_null(), "reason", text_or_null(run->reason),
		"output_bytes", (json_int_t)run->output, "dropped_bytes", (json_int_t)run->dropped,
		"queued_at", time_json(run->queued), "delivered_at", time_json(run->delivered),
		"started_at", time_json(run->started), "finished_at", time_json(run->finished), "online",
		roster_session(hub->roster, run->server) != NULL);
}
