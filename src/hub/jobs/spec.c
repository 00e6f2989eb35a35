/* From a job's row to what is signed for one machine. */
#include "hub/jobs/spec.h"

#include "base/json.h"

#include <sodium.h>
#include <string.h>

static json_t *parsed(const char *text)
{
	return text ? json_parse(text, strlen(text), NULL) : NULL;
}

static void take_args(struct job *job, const json_t *list)
{
	size_t count = json_array_size(list);
	job->args = xcalloc(count + 1, sizeof *job->args);
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (text)
			job->args[job->arg_count++] = xstrdup(text);
	}
}

/* A value that is null stands among the secrets. */
static void take_env(struct job *job, json_t *env, const json_t *secrets)
{
	const char *name;
	json_t *value;
	job->env = xcalloc(json_object_size(env) + 1, sizeof *job->env);
	json_object_foreach(env, name, value)
	{
		const char *text =
			json_is_string(value) ? json_string_value(value) : json_get_text(secrets, name);
		if (text)
			job->env[job->env_count++] = (struct job_variable){xstrdup(name), xstrdup(text)};
	}
}

struct job *jobs_spec_new(const struct store_job *row, const char *secrets)
{
	struct job *job = xcalloc(1, sizeof *job);
	cleanup(json_drop) json_t *args = parsed(row->args);
	cleanup(json_drop) json_t *env = parsed(row->env);
	cleanup(json_drop) json_t *hidden = parsed(secrets);
	memcpy(job->job, row->id, sizeof job->job);
	job->title = xstrdup(row->title);
	job->interpreter = row->interpreter;
	job->script = xstrdup(row->script);
	take_args(job, args);
	take_env(job, env, hidden);
	job->user = *row->user ? xstrdup(row->user) : NULL;
	job->cwd = *row->cwd ? xstrdup(row->cwd) : NULL;
	job->timeout_s = row->timeout_s;
	job->output_limit = row->output_limit;
	job->created = row->created;
	job->expires = row->expires;
	job->rerun = row->rerun;
	job->reboot = row->reboot;
	return job;
}

void jobs_spec_drop(struct job *job)
{
	if (!job)
		return;
	for (size_t i = 0; i < job->env_count; i++)
		sodium_memzero(job->env[i].value, strlen(job->env[i].value));
	job_free(job);
	free(job);
}
