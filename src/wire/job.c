#include "wire/job.h"

#include "base/buf.h"
#include "base/json.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

#define SCHEMA        "sallyport.run/1"
#define RESERVED_NAME "SALLYPORT_" /* what the agent itself tells a script */

/* The flat members of the text; args and env are lists of their own. */
struct record {
	char *schema, *run, *job, *server, *title, *interpreter, *script, *user, *cwd, *rerun, *reboot;
	json_t *args, *env;
	int64_t timeout_s, output_limit, created, expires;
};

#define TEXT(member, max, required)                                                                \
	{                                                                                              \
#member, JSON_FIELD_TEXT, offsetof(struct record, member), max, required                   \
	}
#define INT(member, max)                                                                           \
	{                                                                                              \
#member, JSON_FIELD_INT, offsetof(struct record, member), max, true                        \
	}
#define TREE(member)                                                                               \
	{                                                                                              \
#member, JSON_FIELD_TREE, offsetof(struct record, member), 0, true                         \
	}

static const struct json_field fields[] = {
	TEXT(schema, 32, true),
	TEXT(run, JOB_ID_SIZE - 1, true),
	TEXT(job, JOB_ID_SIZE - 1, true),
	TEXT(server, IDENTITY_ID_SIZE - 1, true),
	TEXT(title, JOB_MAX_TITLE, true),
	TEXT(interpreter, 16, true),
	TEXT(script, JOB_MAX_SCRIPT, true),
	TREE(args),
	TREE(env),
	TEXT(user, JOB_MAX_NAME, false),
	TEXT(cwd, JOB_MAX_CWD, false),
	INT(timeout_s, JOB_MAX_TIMEOUT_S),
	INT(output_limit, JOB_MAX_OUTPUT),
	INT(created, INT64_C(253402300799)), /* the year 9999 */
	INT(expires, INT64_C(253402300799)),
	TEXT(rerun, 16, true),
	TEXT(reboot, 16, true),
};

static const char *const interpreters[JOB_INTERPRETERS] = {
	[JOB_BASH] = "bash",
	[JOB_SH] = "sh",
	[JOB_PERL] = "perl",
	[JOB_PYTHON] = "python",
	[JOB_PWSH] = "pwsh",
};

static const char *const reruns[] = {[JOB_RERUN_NEVER] = "never", [JOB_RERUN_SAFE] = "safe"};

static const char *const reboots[] = {
	[JOB_REBOOT_NEVER] = "never",
	[JOB_REBOOT_AFTER] = "after",
	[JOB_REBOOT_ON_REQUEST] = "on-request",
};

static int find(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

const char *job_interpreter_name(enum job_interpreter interpreter)
{
	return interpreters[interpreter];
}

const char *job_rerun_name(enum job_rerun rerun)
{
	return reruns[rerun];
}

const char *job_reboot_name(enum job_reboot reboot)
{
	return reboots[reboot];
}

int job_interpreter_find(const char *name)
{
	return find(interpreters, ARRAY_LEN(interpreters), name);
}

int job_rerun_find(const char *name)
{
	return find(reruns, ARRAY_LEN(reruns), name);
}

int job_reboot_find(const char *name)
{
	return find(reboots, ARRAY_LEN(reboots), name);
}

/* --- bounds: the same for who writes and who reads ------------------------------------------- */

bool job_is_id(const char *text)
{
	return strlen(text) == JOB_ID_SIZE - 1 && strspn(text, "0123456789abcdef") == JOB_ID_SIZE - 1;
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool is_variable_name(const char *name)
{
	if (!*name || isdigit((unsigned char)*name) || strlen(name) > JOB_MAX_NAME)
		return false;
	for (const char *at = name; *at; at++)
		if (!isalnum((unsigned char)*at) && *at != '_')
			return false;
	return true;
}

static int check_list(const struct job *job, struct err *err)
{
	if (job->arg_count > JOB_MAX_ARGS)
		return err_set(err, "args: more than %d", JOB_MAX_ARGS);
	for (size_t i = 0; i < job->arg_count; i++)
		if (strlen(job->args[i]) > JOB_MAX_ARG)
			return err_set(err, "args: one is longer than %d bytes", JOB_MAX_ARG);
	if (job->env_count > JOB_MAX_ENV)
		return err_set(err, "env: more than %d variables", JOB_MAX_ENV);
	for (size_t i = 0; i < job->env_count; i++) {
		const char *name = job->env[i].name;
		if (!is_variable_name(name))
			return err_set(err,
				"env: a name must be 1 to %d letters, digits and _, and not begin with a digit",
				JOB_MAX_NAME);
		if (strncmp(name, RESERVED_NAME, strlen(RESERVED_NAME)) == 0)
			return err_set(
				err, "env: %s: names that begin with %s are the agent's", name, RESERVED_NAME);
		if (strlen(job->env[i].value) > JOB_MAX_ARG)
			return err_set(err, "env: %s: its value is longer than %d bytes", name, JOB_MAX_ARG);
	}
	return 0;
}

static int check_texts(const struct job *job, struct err *err)
{
	if (!job_is_id(job->run) || !job_is_id(job->job) || !job_is_id(job->server))
		return err_set(err, "run, job and server: 32 hexadecimal digits were expected");
	if (strlen(job->title) > JOB_MAX_TITLE || !is_plain(job->title))
		return err_set(err, "title: one line of at most %d bytes was expected", JOB_MAX_TITLE);
	if (!*job->script || strlen(job->script) > JOB_MAX_SCRIPT)
		return err_set(err, "script: 1 to %d bytes were expected", JOB_MAX_SCRIPT);
	if (job->user && (!*job->user || strlen(job->user) > JOB_MAX_NAME || !is_plain(job->user) ||
						 strpbrk(job->user, "/: ")))
		return err_set(err, "user: that is no name of a user");
	if (job->cwd && (*job->cwd != '/' || strlen(job->cwd) > JOB_MAX_CWD || !is_plain(job->cwd)))
		return err_set(err, "cwd: an absolute path of at most %d bytes was expected", JOB_MAX_CWD);
	return check_list(job, err);
}

static int check_range(
	const char *name, int64_t value, int64_t least, int64_t most, struct err *err)
{
	if (value >= least && value <= most)
		return 0;
	return err_set(err, "%s: %lld to %lld was expected", name, (long long)least, (long long)most);
}

int job_check(const struct job *job, struct err *err)
{
	if (check_texts(job, err) ||
		check_range("timeout_s", job->timeout_s, 1, JOB_MAX_TIMEOUT_S, err) ||
		check_range("output_limit", job->output_limit, 1, JOB_MAX_OUTPUT, err))
		return -1;
	return job->expires > job->created ? 0 : err_set(err, "expires: it lies before `created`");
}

/* --- writing ---------------------------------------------------------------------------------- */

static json_t *args_list(const struct job *job)
{
	json_t *list = json_array();
	for (size_t i = 0; i < job->arg_count; i++)
		json_array_append_new(list, json_string(job->args[i]));
	return list;
}

static json_t *env_object(const struct job *job)
{
	json_t *object = json_object();
	for (size_t i = 0; i < job->env_count; i++)
		json_object_set_new(object, job->env[i].name, json_string(job->env[i].value));
	return object;
}

char *job_write(const struct job *job, struct err *err)
{
	if (job_check(job, err))
		return NULL;
	struct record record = {
		.schema = SCHEMA,
		.run = (char *)job->run, /* texts are only read */
		.job = (char *)job->job,
		.server = (char *)job->server,
		.title = job->title,
		.interpreter = (char *)interpreters[job->interpreter],
		.script = job->script,
		.args = args_list(job),
		.env = env_object(job),
		.user = job->user,
		.cwd = job->cwd,
		.timeout_s = job->timeout_s,
		.output_limit = job->output_limit,
		.created = job->created,
		.expires = job->expires,
		.rerun = (char *)reruns[job->rerun],
		.reboot = (char *)reboots[job->reboot],
	};
	json_t *object = json_record_write(fields, ARRAY_LEN(fields), &record);
	/* What is no UTF-8 has become nothing: then a member is missing, or an item of a list. */
	bool whole = json_array_size(record.args) == job->arg_count &&
				 json_object_size(record.env) == job->env_count &&
				 json_object_get(object, "script") && json_object_get(object, "title") &&
				 !json_object_get(object, "user") == !job->user &&
				 !json_object_get(object, "cwd") == !job->cwd;
	json_decref(record.args);
	json_decref(record.env);
	char *text = whole ? json_text(object) : NULL;
	json_decref(object);
	if (!text)
		err_set(err,
			"script, title, args, env, user and cwd must be UTF-8, and no name may come twice");
	else if (strlen(text) > JOB_MAX_SPEC) {
		free(text);
		text = NULL;
		err_set(err, "script, args and env together are larger than %d bytes", JOB_MAX_SPEC);
	}
	return text;
}

/* --- signing ---------------------------------------------------------------------------------- */

/* JOB_CONTEXT, its zero byte, the text. */
static struct buf signed_bytes(const char *text)
{
	struct buf bytes = {0};
	buf_append(&bytes, JOB_CONTEXT, sizeof JOB_CONTEXT);
	buf_puts(&bytes, text);
	return bytes;
}

void job_sign(
	const struct identity *hub, const char *text, unsigned char signature[JOB_SIGNATURE_BYTES])
{
	cleanup(buf_free) struct buf bytes = signed_bytes(text);
	crypto_sign_detached(
		signature, NULL, (const unsigned char *)bytes.data, bytes.len, hub->secret_key);
}

bool job_verify(const unsigned char hub_key[IDENTITY_KEY_BYTES], const char *text,
	const unsigned char signature[JOB_SIGNATURE_BYTES])
{
	cleanup(buf_free) struct buf bytes = signed_bytes(text);
	return crypto_sign_verify_detached(
			   signature, (const unsigned char *)bytes.data, bytes.len, hub_key) == 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A text of a list or an object, copied; NULL when it is none. */
static char *copy_text(const json_t *value)
{
	const char *text = json_string_value(value);
	return text && strlen(text) == json_string_length(value) ? xstrdup(text) : NULL;
}

static int take_args(struct job *job, const json_t *list, struct err *err)
{
	size_t count = json_array_size(list);
	if (!json_is_array(list) || count > JOB_MAX_ARGS)
		return err_set(err, "args: a list of at most %d texts was expected", JOB_MAX_ARGS);
	job->args = xcalloc(count + 1, sizeof *job->args);
	for (; job->arg_count < count; job->arg_count++)
		if (!(job->args[job->arg_count] = copy_text(json_array_get(list, job->arg_count))))
			return err_set(err, "args: a list of texts was expected");
	return 0;
}

static int take_env(struct job *job, json_t *object, struct err *err)
{
	const char *name;
	json_t *value;
	size_t count = json_object_size(object);
	if (!json_is_object(object) || count > JOB_MAX_ENV)
		return err_set(err, "env: an object of at most %d texts was expected", JOB_MAX_ENV);
	job->env = xcalloc(count + 1, sizeof *job->env);
	json_object_foreach(object, name, value)
	{
		struct job_variable *variable = &job->env[job->env_count];
		if (!(variable->value = copy_text(value)))
			return err_set(err, "env: an object of texts was expected");
		variable->name = xstrdup(name);
		job->env_count++;
	}
	return 0;
}

static int take_names(struct job *job, const struct record *record, struct err *err)
{
	int interpreter = job_interpreter_find(record->interpreter);
	int rerun = job_rerun_find(record->rerun), reboot = job_reboot_find(record->reboot);
	if (interpreter < 0 || rerun < 0 || reboot < 0)
		return err_set(err, "%s: this version does not know that",
			interpreter < 0 ? "interpreter"
			: rerun < 0     ? "rerun"
							: "reboot");
	job->interpreter = (enum job_interpreter)interpreter;
	job->rerun = (enum job_rerun)rerun;
	job->reboot = (enum job_reboot)reboot;
	return 0;
}

static char *move_text(char **text)
{
	char *moved = *text;
	*text = NULL;
	return moved;
}

static void take_flat(struct job *job, struct record *record)
{
	memcpy(job->run, record->run, strlen(record->run) + 1);
	memcpy(job->job, record->job, strlen(record->job) + 1);
	memcpy(job->server, record->server, strlen(record->server) + 1);
	job->title = move_text(&record->title);
	job->script = move_text(&record->script);
	job->user = move_text(&record->user);
	job->cwd = move_text(&record->cwd);
	job->timeout_s = record->timeout_s;
	job->output_limit = record->output_limit;
	job->created = record->created;
	job->expires = record->expires;
}

static int take_record(struct job *job, struct record *record, struct err *err)
{
	if (strcmp(record->schema, SCHEMA) != 0)
		return err_set(err, "schema: \"" SCHEMA "\" was expected");
	take_flat(job, record);
	if (take_names(job, record, err) || take_args(job, record->args, err) ||
		take_env(job, record->env, err))
		return -1;
	return job_check(job, err);
}

int job_read(const char *text, struct job *job, struct err *err)
{
	struct record record = {0};
	size_t len = strlen(text);
	*job = (struct job){0};
	if (len > JOB_MAX_SPEC)
		return err_set(err, "larger than %d bytes", JOB_MAX_SPEC);
	cleanup(json_drop) json_t *object = json_parse(text, len, err);
	if (!object || json_record_read(object, fields, ARRAY_LEN(fields), &record, err))
		return -1;
	int rc = take_record(job, &record, err);
	json_record_free(fields, ARRAY_LEN(fields), &record);
	if (rc)
		job_free(job);
	return rc;
}

void job_free(struct job *job)
{
	for (size_t i = 0; i < job->arg_count; i++)
		free(job->args[i]);
	for (size_t i = 0; i < job->env_count; i++) {
		sodium_memzero(job->env[i].value, strlen(job->env[i].value));
		free(job->env[i].name);
		free(job->env[i].value);
	}
	free(job->args);
	free(job->env);
	free(job->title);
	free(job->script);
	free(job->user);
	free(job->cwd);
	*job = (struct job){0};
}
