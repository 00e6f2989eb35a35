/*
 * What the agent itself does on the target, before it is the target's: it checks the way to the
 * hub, and then it sets itself up.
 *
 * Happy path: the copied file finds its way, joins with the token from its input, and says the id
 * that it has at the hub.
 *
 * Failure modes: it does not run there, it has no way (its own check's root cause is told as it
 * stands), setup fails and has put everything back (its own outcome is told).
 */
#include "connector/visit.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

#define CHECK_MS   90000
#define SETUP_MS   180000
#define MAX_REPORT (1 << 20)
#define MAX_ITEMS  24

#define HEAD                                                                                       \
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"                          \
	"export PATH\n"                                                                                \
	"umask 022\n"

static const char check_script[] =
	HEAD "if [ -n \"$dhcp\" ]; then\n"
		 "	printf 'profile: location\\ntitle: The location of this host\\n"
		 "addressing: {ipv4: dhcp, dns: dhcp}\\n' >\"$folder/location.yaml\"\n"
		 "	set -- --profile \"$folder/location.yaml\"\n"
		 "fi\n"
		 "exec \"$folder/sallyport\" check --hub \"$hub\" \"$@\" --format json </dev/null\n";

static const char setup_script[] = HEAD "set --\n"
										"[ -z \"$location\" ] || set -- --location \"$location\"\n"
										"exec \"$folder/sallyport\" setup \"$@\" --format json\n";

static const char remove_script[] =
	HEAD "\"$agent\" setup --remove --format json </dev/null\n"
		 "c=$?\n"
		 "[ -e /usr/local/bin/sallyport ] || [ -e /usr/bin/sallyport ] || echo sallyport-gone\n"
		 "exit $c\n";

/* --- the way ------------------------------------------------------------------------------------
 */

static void add_details(const json_t *evidence, struct ending *ending)
{
	size_t i;
	json_t *item;
	if (!ending->details)
		ending->details = json_array();
	json_array_foreach((json_t *)evidence, i, item)
	{
		const char *name = json_get_text(item, "name"), *value = json_get_text(item, "value");
		if (name && value && i < MAX_ITEMS && strlen(name) <= 64 &&
			strlen(value) <= EVIDENCE_MAX_VALUE + 3)
			json_array_append_new(
				ending->details, json_pack("{s:s, s:s}", "name", name, "value", value));
	}
}

/* The first cause that fails something; NULL when none does. Borrowed. */
static const json_t *first_failure(const json_t *report)
{
	size_t i;
	json_t *cause;
	json_array_foreach(json_object_get(report, "causes"), i, cause)
	{
		const char *severity = json_get_text(cause, "severity");
		if (severity && strcmp(severity, "fail") == 0)
			return cause;
	}
	return NULL;
}

static int judge_report(struct visit *visit, const json_t *report)
{
	const json_t *cause = first_failure(report);
	const char *verdict = json_get_text(report, "verdict");
	struct ending *ending = &visit->ending;
	if (!cause && verdict && strcmp(verdict, "fail") != 0)
		return 0;
	ending_set(ending, OUTCOME_NO_WAY);
	for (size_t i = 0; cause && i < 3; i++) {
		static const char *const names[] = {"sentence", "remedy", "cause"};
		const char *text = json_get_text(cause, i == 2 ? "id" : names[i]);
		if (text)
			evidence_add(&ending->evidence, names[i], "%s", text);
	}
	add_details(json_object_get(cause, "evidence"), ending);
	return -1;
}

static void say_code(struct visit *visit, const char *what, const struct channel_run *run)
{
	cleanup(free_ptr) char *text = xasprintf("%s with code %d: %s", what, run->code,
		run->errors.len ? run->errors.data : "it said nothing");
	ending_reason(&visit->ending, text);
}

int visit_judge_check(struct visit *visit, const struct channel_run *run)
{
	struct err err;
	const char *output = buf_text(&run->output), *begin = strchr(output, '{');
	const char *end = begin ? strrchr(begin, '}') : NULL;
	cleanup(json_drop) json_t *report =
		end ? json_parse(begin, (size_t)(end + 1 - begin), &err) : NULL;
	if (report)
		return judge_report(visit, report);
	ending_set(&visit->ending, OUTCOME_COPY_FAILED);
	evidence_add(&visit->ending.evidence, "reason", "it does not run there (code %d): %s",
		run->code, *buf_text(&run->errors) ? run->errors.data : "it said nothing");
	return -1;
}

int visit_check_way(struct visit *visit)
{
	const char *const values[] = {"folder", visit->folder, "hub", visit->plan->hub_url, "dhcp",
		visit->plan->dhcp_only ? "yes" : "", NULL};
	const struct shell_script script = {.text = check_script, .values = values};
	struct channel_run run = {.silence_ms = CHECK_MS,
		.output = {.max = MAX_REPORT},
		.errors = {.max = EVIDENCE_MAX_VALUE}};
	visit_at(visit, INSTALL_WAY);
	int rc = shell_run(&visit->shell, &script, &run, &visit->ending);
	if (!rc)
		rc = visit_judge_check(visit, &run);
	buf_free(&run.output);
	buf_free(&run.errors);
	return rc;
}

/* --- setup --------------------------------------------------------------------------------------
 */

static const char *text_of(const json_t *object, const char *name, size_t max)
{
	const char *text = json_get_text(object, name);
	return text && strlen(text) <= max ? text : NULL;
}

static void take_failure(struct visit *visit, const json_t *line)
{
	const char *id = text_of(line, "outcome", 64);
	const char *sentence = text_of(line, "sentence", EVENT_MAX_TEXT);
	const char *remedy = text_of(line, "remedy", EVENT_MAX_TEXT);
	enum outcome outcome = id ? outcome_by_id(id) : OUTCOME_NONE;
	struct ending *ending = &visit->ending;
	ending_set(ending, outcome               ? outcome
					   : visit->plan->remove ? OUTCOME_REMOVE_FAILED
											 : OUTCOME_SETUP_FAILED);
	if (outcome && sentence)
		ending->sentence = xstrdup(sentence);
	else if (sentence)
		evidence_add(&ending->evidence, "reason", "%s", sentence);
	if (remedy)
		ending->remedy = xstrdup(remedy);
	add_details(json_object_get(line, "evidence"), ending);
}

static void take_line(struct visit *visit, const char *text, size_t len)
{
	struct err err;
	cleanup(json_drop) json_t *line = len && *text == '{' ? json_parse(text, len, &err) : NULL;
	const char *server = text_of(line, "server", sizeof visit->server - 1);
	const char *version = text_of(line, "version", sizeof visit->facts.agent_version - 1);
	const char *result = text_of(line, "result", 16);
	if (server)
		snprintf(visit->server, sizeof visit->server, "%s", server);
	if (version)
		snprintf(visit->facts.agent_version, sizeof visit->facts.agent_version, "%s", version);
	if (!result)
		return;
	snprintf(visit->result, sizeof visit->result, "%s", result);
	if (strcmp(result, "failed") == 0 ||
		(strcmp(result, "kept") == 0 && json_get_text(line, "outcome")))
		take_failure(visit, line);
}

void visit_take_setup(void *data, struct buf *output)
{
	struct visit *visit = data;
	char *end;
	while (output->len && (end = memchr(output->data, '\n', output->len))) {
		size_t len = (size_t)(end - output->data);
		if (len >= 14 && memcmp(output->data, "sallyport-gone", 14) == 0)
			visit->gone = true;
		take_line(visit, output->data, len);
		buf_consume(output, len + 1);
	}
}

static int judge_setup(struct visit *visit, const struct channel_run *run)
{
	enum outcome otherwise = visit->plan->remove ? OUTCOME_REMOVE_FAILED : OUTCOME_SETUP_FAILED;
	if (visit->ending.outcome)
		return -1;
	bool done = *visit->result && strcmp(visit->result, "failed") != 0;
	if (done && (!visit->plan->remove || visit->gone))
		return 0;
	ending_set(&visit->ending, otherwise);
	if (done)
		evidence_add(&visit->ending.evidence, "reason", "its program is still there");
	else
		say_code(visit, "it ended", run);
	return -1;
}

int visit_set_up(struct visit *visit)
{
	cleanup(buf_free) struct buf token = {0};
	const char *const values[] = {"folder", visit->folder, "location", visit->plan->location,
		"agent", visit->facts.agent, NULL};
	struct shell_script script = {
		.text = visit->plan->remove ? remove_script : setup_script, .values = values};
	struct channel_run run = {.silence_ms = SETUP_MS,
		.output = {.max = 65536},
		.errors = {.max = EVIDENCE_MAX_VALUE},
		.on_output = visit_take_setup,
		.on_output_data = visit};
	visit->result[0] = '\0';
	visit->gone = false;
	if (!visit->plan->remove && visit->token) {
		token = (struct buf){.data = xcalloc(1, strlen(visit->token) + 2)};
		token.cap = strlen(visit->token) + 2;
		buf_printf(&token, "%s\n", visit->token);
		script.input = token.data;
	}
	visit_at(visit, INSTALL_SETUP);
	int rc = shell_run(&visit->shell, &script, &run, &visit->ending);
	if (!rc)
		rc = judge_setup(visit, &run);
	if (token.data)
		explicit_bzero(token.data, token.cap);
	buf_free(&run.output);
	buf_free(&run.errors);
	return rc;
}
