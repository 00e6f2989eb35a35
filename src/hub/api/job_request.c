/* What a request for a job says, checked member by member. */
#include "hub/api/job_request.h"

#include "base/json.h"
#include "hub/api/request.h"
#include "hub/jobs/spec.h"

#include <sodium.h>
#include <string.h>

#define DEFAULT_EXPIRY_S 86400
#define MAX_EXPIRY_S     2592000
#define ANY_ID           "00000000000000000000000000000000"
#define MAX_WORD         64 /* of names in tables */

static int read_name(struct exchange *exchange, const char *member, int (*find)(const char *name),
	int otherwise, const char *names)
{
	const char *name = NULL;
	if (body_optional(exchange, member, 0, MAX_WORD, NULL, &name))
		return -1;
	int found = name ? find(name) : otherwise;
	cleanup(free_ptr) char *pointer = xasprintf("/%s", member);
	if (found < 0)
		request_invalid(exchange, pointer, "%s was expected.", names);
	return found;
}

static int read_names(struct exchange *exchange, struct store_job *job)
{
	int interpreter = read_name(
		exchange, "interpreter", job_interpreter_find, -1, "bash, sh, perl, python or pwsh");
	int rerun = interpreter < 0 ? -1
								: read_name(exchange, "rerun", job_rerun_find, (int)JOB_RERUN_NEVER,
									  "never or safe");
	int reboot = rerun < 0 ? -1
						   : read_name(exchange, "reboot", job_reboot_find, (int)JOB_REBOOT_NEVER,
								 "never, after or on-request");
	if (reboot < 0)
		return -1;
	job->interpreter = (enum job_interpreter)interpreter;
	job->rerun = (enum job_rerun)rerun;
	job->reboot = (enum job_reboot)reboot;
	return 0;
}

static int read_text(struct exchange *exchange, const char *name, size_t most, char **to)
{
	const char *text = NULL;
	if (body_optional(exchange, name, 0, most, "", &text))
		return -1;
	*to = xstrdup(text);
	return 0;
}

static int read_args(struct exchange *exchange, struct store_job *job)
{
	const json_t *args = json_object_get(exchange->json, "args");
	bool good = !args || json_is_null(args) || json_is_array(args);
	for (size_t i = 0; good && i < json_array_size(args); i++) {
		good = json_is_string(json_array_get(args, i));
	}
	if (!good) {
		request_invalid(exchange, "/args", "a list of texts was expected.");
		return -1;
	}
	job->args = json_array_size(args) ? json_text(args) : xstrdup("[]");
	return 0;
}

/* {"NAME": "value"} is shown, {"NAME": {"secret": "value"}} goes among the secrets. */
static int read_variable(struct exchange *exchange, const char *name, const json_t *value,
	json_t *shown, json_t *secrets)
{
	const json_t *secret = json_is_object(value) ? json_object_get(value, "secret") : NULL;
	const json_t *text = secret ? secret : value;
	if (!json_is_string(text)) {
		cleanup(free_ptr) char *pointer = xasprintf("/env/%.100s", name);
		request_invalid(exchange, pointer, "a text, or {\"secret\": a text}, was expected.");
		return -1;
	}
	json_object_set_new(shown, name, secret ? json_null() : json_copy((json_t *)text));
	if (secret)
		json_object_set_new(secrets, name, json_copy((json_t *)text));
	return 0;
}

static int read_env(struct exchange *exchange, struct job_request *request)
{
	json_t *env = json_object_get(exchange->json, "env");
	if (env && !json_is_null(env) && !json_is_object(env)) {
		request_invalid(exchange, "/env", "an object was expected.");
		return -1;
	}
	cleanup(json_drop) json_t *shown = json_object();
	cleanup(json_drop) json_t *secrets = json_object();
	const char *name;
	json_t *value;
	json_object_foreach(env, name, value)
	{
		if (read_variable(exchange, name, value, shown, secrets))
			return -1;
	}
	request->job.env = json_text(shown);
	request->secrets = json_object_size(secrets) ? json_text(secrets) : NULL;
	return 0;
}

static int read_numbers(struct exchange *exchange, struct store_job *job, int64_t now)
{
	job->timeout_s = body_number(exchange, "timeout_s", 1, JOB_MAX_TIMEOUT_S, JOB_DEFAULT_TIMEOUT);
	if (job->timeout_s < 0)
		return -1;
	job->output_limit =
		body_number(exchange, "output_limit", 1, JOB_MAX_OUTPUT, JOB_DEFAULT_OUTPUT);
	if (job->output_limit < 0)
		return -1;
	int64_t expiry = body_number(exchange, "expires_in_s", 1, MAX_EXPIRY_S, DEFAULT_EXPIRY_S);
	job->created = now;
	job->expires = now + expiry;
	return expiry < 0 ? -1 : 0;
}

/* The bounds of what is signed, asked of who will sign it. The sentence begins with the member. */
/* Whether it can be signed. */
static int job_request_check(
	struct exchange *exchange, const struct store_job *row, const char *secrets)
{
	struct err err = {0};
	struct job *job = jobs_spec_new(row, secrets);
	memcpy(job->run, ANY_ID, sizeof job->run);
	memcpy(job->job, ANY_ID, sizeof job->job);
	memcpy(job->server, ANY_ID, sizeof job->server);
	cleanup(free_ptr) char *text = job_check(job, &err) ? NULL : job_write(job, &err);
	jobs_spec_drop(job);
	if (text) {
		sodium_memzero(text, strlen(text));
		return 0;
	}
	char *rest = strchr(err.text, ':');
	cleanup(free_ptr) char *pointer =
		xasprintf("/%.*s", rest ? (int)(rest - err.text) : 0, err.text);
	request_invalid(exchange, pointer, "%s.", rest ? rest + 2 : err.text);
	return -1;
}

int job_request_read(struct exchange *exchange, struct job_request *request, int64_t now)
{
	struct store_job *job = &request->job;
	*request = (struct job_request){0};
	if (body_text(exchange, "script", 1, JOB_MAX_SCRIPT) && read_names(exchange, job) == 0 &&
		read_text(exchange, "script", JOB_MAX_SCRIPT, &job->script) == 0 &&
		read_text(exchange, "title", JOB_MAX_TITLE, &job->title) == 0 &&
		read_text(exchange, "user", JOB_MAX_NAME, &job->user) == 0 &&
		read_text(exchange, "cwd", JOB_MAX_CWD, &job->cwd) == 0 && read_args(exchange, job) == 0 &&
		read_env(exchange, request) == 0 && read_numbers(exchange, job, now) == 0 &&
		job_request_check(exchange, job, request->secrets) == 0) {
		job->created_by = xstrdup(exchange->actor.name);
		job->location = xstrdup(exchange->actor.location ? exchange->actor.location : "");
		return 0;
	}
	job_request_free(request);
	return -1;
}

void job_request_free(struct job_request *request)
{
	store_job_free(&request->job);
	if (request->secrets)
		sodium_memzero(request->secrets, strlen(request->secrets));
	free(request->secrets);
	*request = (struct job_request){0};
}

/* --- for which servers --------------------------------------------------------------------- */

/* Each once; NULL after a problem was answered. */
json_t *job_request_servers(struct exchange *exchange)
{
	const json_t *list = json_object_get(exchange->json, "servers");
	size_t count = json_array_size(list);
	bool good = json_is_array(list) && count >= 1 && count <= JOBS_API_MAX_SERVERS;
	json_t *seen = json_object();
	for (size_t i = 0; good && i < count; i++) {
		const char *id = json_string_value(json_array_get(list, i));
		good = id && job_is_id(id);
		if (good)
			json_object_set_new(seen, id, json_true());
	}
	if (good)
		return seen;
	json_decref(seen);
	request_invalid(
		exchange, "/servers", "1 to %d ids of servers were expected.", JOBS_API_MAX_SERVERS);
	return NULL;
}

char *job_request_ids(json_t *servers)
{
	cleanup(json_drop) json_t *list = json_array();
	const char *id;
	json_t *value;
	json_object_foreach(servers, id, value)
	{
		json_array_append_new(list, json_string(id));
	}
	return json_text(list);
}

static int filter_text(
	struct exchange *exchange, const json_t *filter, const char *name, const char **text)
{
	const json_t *value = json_object_get(filter, name);
	const char *given = json_string_value(value);
	*text = given && *given ? given : NULL;
	if (!value || json_is_null(value) || (given && strlen(given) <= 256))
		return 0;
	cleanup(free_ptr) char *pointer = xasprintf("/filter/%s", name);
	request_invalid(exchange, pointer, "a text of at most 256 bytes was expected.");
	return -1;
}

int job_request_filter(struct exchange *exchange, struct store_query *query)
{
	const json_t *filter = json_object_get(exchange->json, "filter");
	const char *status = NULL;
	*query = (struct store_query){.online = STORE_NO_FILTER};
	if (!json_is_object(filter)) {
		request_invalid(exchange, "/filter", "an object was expected, or \"servers\".");
		return -1;
	}
	if (filter_text(exchange, filter, "q", &query->text) ||
		filter_text(exchange, filter, "platform", &query->platform) ||
		filter_text(exchange, filter, "location", &query->location) ||
		filter_text(exchange, filter, "status", &status))
		return -1;
	if (!status)
		return 0;
	query->online = strcmp(status, "online") == 0;
	if (query->online || strcmp(status, "offline") == 0)
		return 0;
	request_invalid(exchange, "/filter/status", "online or offline was expected.");
	return -1;
}
