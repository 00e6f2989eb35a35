/*
 * The happy path: start it, read its standard output until its end, reap, parse.
 *
 * Failure modes: the program is not there (spawn fails), it writes too much or takes too long (it
 * is killed), it ends with an error (its own words are taken), what it wrote is no report (an
 * error names line and column). Each is one sentence; the agent goes on without a report.
 */
#include "agent/checker.h"

#include "base/json.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHECK_SECONDS    60
#define DEEP_SECONDS     180
#define GRACE_MS         30000                /* past the seconds that the child was given */
#define REPORT_MAX_BYTES ((size_t)900 * 1024) /* leaves room for the envelope in one message */
#define REPORT_SCHEMA    "sallyport.check/1"

void checker_init(struct checker *checker)
{
	*checker = (struct checker){.deadline = {0}};
	self_init(&checker->self);
}

#define MAX_ARGS 10

/* NULL-terminated; what was made for them is owned by `made`. */
static void fill_args(const char *args[MAX_ARGS], char *made[3], const struct checker_wish *wish)
{
	size_t count = 0;
	made[0] = xasprintf("--deadline=%d", wish->deep ? DEEP_SECONDS : CHECK_SECONDS);
	made[1] = wish->root ? xasprintf("--root=%s", wish->root) : NULL;
	made[2] = *wish->profile ? xasprintf("--profile=%s", wish->profile) : NULL;
	const char *const all[] = {
		"check", "--format=json", made[0], made[1], made[2], wish->deep ? "--deep" : NULL};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i])
			args[count++] = all[i];
	args[count] = NULL;
}

int checker_start(
	struct checker *checker, const char *program, const struct checker_wish *wish, struct err *err)
{
	const char *args[MAX_ARGS];
	char *made[3];
	fill_args(args, made, wish);
	int rc = self_start(&checker->self, program, args, err);
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		free(made[i]);
	if (rc)
		return -1;
	checker->output.max = REPORT_MAX_BYTES;
	checker->deadline =
		deadline_in_ms((wish->deep ? DEEP_SECONDS : CHECK_SECONDS) * 1000 + GRACE_MS);
	return 0;
}

static int parse_report(const struct buf *output, json_t **report, struct err *err)
{
	*report = json_parse(buf_text(output), output->len, err);
	if (!*report)
		return err_prefix(err, "its output");
	const char *schema = json_get_text(*report, "schema");
	if (schema && strcmp(schema, REPORT_SCHEMA) == 0)
		return 0;
	json_drop(report);
	return err_set(err, "its output is no report");
}

enum checker_result checker_step(struct checker *checker, json_t **report, struct err *err)
{
	char chunk[4096];
	ssize_t got;
	int bad = 0;
	while (!bad && (got = read(checker->self.fd, chunk, sizeof chunk)) > 0)
		if (buf_append(&checker->output, chunk, (size_t)got))
			bad = err_set(err, "it wrote more than %zu bytes", REPORT_MAX_BYTES);
	if (!bad && got < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (deadline_left_ms(checker->deadline))
			return CHECKER_RUNNING;
		bad = err_set(err, "it did not end in time");
	}
	if (!bad && !checker->output.len && self_complaint(&checker->self, err))
		bad = -1;
	if (!bad)
		bad = parse_report(&checker->output, report, err);
	checker_stop(checker);
	return bad ? CHECKER_FAILED : CHECKER_DONE;
}

void checker_stop(struct checker *checker)
{
	self_end(&checker->self);
	buf_free(&checker->output);
	checker_init(checker);
}
