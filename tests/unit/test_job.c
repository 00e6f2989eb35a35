/* The text of a run: written, signed, verified and read again; and everything that it may not be.
 */
#include "base/buf.h"
#include "wire/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static char *args[] = {(char *)"one", (char *)"two words", NULL};
static struct job_variable env[] = {{(char *)"NAME", (char *)"value"}, {(char *)"_X1", (char *)""}};

static struct job example(void)
{
	return (struct job){
		.run = "0123456789abcdef0123456789abcdef",
		.job = "fedcba9876543210fedcba9876543210",
		.server = "00000000000000000000000000000001",
		.title = (char *)"Zeit für ein Update",
		.interpreter = JOB_PYTHON,
		.script = (char *)"print('a')\n\tprint(\"\\n\")\n",
		.args = args,
		.arg_count = 2,
		.env = env,
		.env_count = 2,
		.user = (char *)"www-data",
		.cwd = (char *)"/srv",
		.timeout_s = 60,
		.output_limit = 4096,
		.created = 1700000000,
		.expires = 1700000060,
		.rerun = JOB_RERUN_SAFE,
		.reboot = JOB_REBOOT_ON_REQUEST,
	};
}

static void what_is_written_is_read(void **state)
{
	struct job job = example(), read;
	struct err err = {""};
	(void)state;
	cleanup(free_ptr) char *text = job_write(&job, &err);
	assert_non_null(text);
	assert_int_equal(job_read(text, &read, &err), 0);
	assert_string_equal(read.run, job.run);
	assert_string_equal(read.job, job.job);
	assert_string_equal(read.server, job.server);
	assert_string_equal(read.title, job.title);
	assert_string_equal(read.script, job.script);
	assert_int_equal(read.arg_count, 2);
	assert_string_equal(read.args[1], "two words");
	assert_null(read.args[2]);
	assert_int_equal(read.env_count, 2);
	assert_string_equal(read.env[0].name, "NAME");
	assert_string_equal(read.env[1].value, "");
	assert_string_equal(read.user, "www-data");
	assert_string_equal(read.cwd, "/srv");
	assert_int_equal(read.interpreter, JOB_PYTHON);
	assert_int_equal(read.rerun, JOB_RERUN_SAFE);
	assert_int_equal(read.reboot, JOB_REBOOT_ON_REQUEST);
	assert_int_equal(read.timeout_s, 60);
	assert_int_equal(read.output_limit, 4096);
	assert_int_equal(read.expires, 1700000060);
	cleanup(free_ptr) char *again = job_write(&read, &err);
	assert_string_equal(again, text);
	job_free(&read);
}

static void absent_is_absent(void **state)
{
	struct job job = example(), read;
	struct err err = {""};
	(void)state;
	job.user = job.cwd = NULL;
	job.arg_count = job.env_count = 0;
	cleanup(free_ptr) char *text = job_write(&job, &err);
	assert_int_equal(job_read(text, &read, &err), 0);
	assert_null(read.user);
	assert_null(read.cwd);
	assert_null(read.args[0]);
	job_free(&read);
}

/* A signature is good for this text under this key, and for nothing else. */
static void signatures(void **state)
{
	struct job job = example();
	struct identity hub, other;
	unsigned char signature[JOB_SIGNATURE_BYTES], damaged[JOB_SIGNATURE_BYTES];
	(void)state;
	identity_make(&hub);
	identity_make(&other);
	cleanup(free_ptr) char *text = job_write(&job, NULL);
	job_sign(&hub, text, signature);
	assert_true(job_verify(hub.public_key, text, signature));
	assert_false(job_verify(other.public_key, text, signature));
	memcpy(damaged, signature, sizeof damaged);
	damaged[40] ^= 1;
	assert_false(job_verify(hub.public_key, text, damaged));
	text[strlen(text) / 2] ^= 1;
	assert_false(job_verify(hub.public_key, text, signature));
	text[strlen(text) / 2] ^= 1;
	text[strlen(text) - 1] = '\0';
	assert_false(job_verify(hub.public_key, text, signature));
}

/* --- bounds ----------------------------------------------------------------------------------- */

static void title_of_two_lines(struct job *job)
{
	job->title = (char *)"a\nb";
}

static void no_script(struct job *job)
{
	job->script = (char *)"";
}

static void user_is_a_path(struct job *job)
{
	job->user = (char *)"../root";
}

static void cwd_is_relative(struct job *job)
{
	job->cwd = (char *)"srv";
}

static void name_of_the_agents(struct job *job)
{
	static struct job_variable one[] = {{(char *)"SALLYPORT_RUN", (char *)"x"}};
	job->env = one;
	job->env_count = 1;
}

static void name_with_a_sign(struct job *job)
{
	static struct job_variable one[] = {{(char *)"A=B", (char *)"x"}};
	job->env = one;
	job->env_count = 1;
}

static void the_same_name_twice(struct job *job)
{
	static struct job_variable two[] = {{(char *)"A", (char *)"x"}, {(char *)"A", (char *)"y"}};
	job->env = two;
}

static void no_utf8(struct job *job)
{
	job->script = (char *)"echo \xff";
}

static void no_time(struct job *job)
{
	job->timeout_s = 0;
}

static void too_much_time(struct job *job)
{
	job->timeout_s = JOB_MAX_TIMEOUT_S + 1;
}

static void too_much_output(struct job *job)
{
	job->output_limit = JOB_MAX_OUTPUT + 1;
}

static void over_before_it_began(struct job *job)
{
	job->expires = job->created;
}

static void run_is_no_id(struct job *job)
{
	memcpy(job->run, "../../../../../../../../etc/pass", JOB_ID_SIZE - 1);
}

static void too_many_args(struct job *job)
{
	static char *many[JOB_MAX_ARGS + 2];
	for (size_t i = 0; i <= JOB_MAX_ARGS; i++)
		many[i] = (char *)"x";
	job->args = many;
	job->arg_count = JOB_MAX_ARGS + 1;
}

static const struct {
	void (*alter)(struct job *job);
	const char *says;
} bounds[] = {
	{title_of_two_lines, "title"},
	{no_script, "script"},
	{user_is_a_path, "user"},
	{cwd_is_relative, "cwd"},
	{name_of_the_agents, "SALLYPORT_"},
	{name_with_a_sign, "env"},
	{the_same_name_twice, "twice"},
	{no_utf8, "UTF-8"},
	{no_time, "timeout_s"},
	{too_much_time, "timeout_s"},
	{too_much_output, "output_limit"},
	{over_before_it_began, "expires"},
	{run_is_no_id, "run"},
	{too_many_args, "args"},
};

static void what_is_out_of_bounds_is_not_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		struct job job = example();
		struct err err = {""};
		bounds[i].alter(&job);
		assert_null(job_write(&job, &err));
		assert_non_null(strstr(err.text, bounds[i].says));
	}
}

/* What a text must not say: a part of a good one, and what stands in its place. */
static const struct {
	const char *old, *new, *says;
} texts[] = {
	{"sallyport.run/1", "sallyport.run/2", "schema"},
	{"\"python\"", "\"ruby\"", "interpreter"},
	{"\"safe\"", "\"always\"", "rerun"},
	{"\"on-request\"", "\"now\"", "reboot"},
	{"\"one\"", "1", "args"},
	{"\"value\"", "null", "env"},
	{"\"timeout_s\":60", "\"timeout_s\":-1", "timeout_s"},
	{"\"timeout_s\":60", "\"timeout_s\":60,\"timeout_s\":61", "duplicate"},
	{"\"NAME\"", "\"SALLYPORT_X\"", "SALLYPORT_"},
	{"\"cwd\":\"/srv\"", "\"cwd\":\"srv\"", "cwd"},
	{"\"script\":", "\"scrap\":", "script"},
	{"0123456789abcdef0123456789abcdef", "0123456789ABCDEF0123456789ABCDEF", "run"},
};

static void what_is_out_of_bounds_is_not_read(void **state)
{
	struct job job = example(), read;
	(void)state;
	cleanup(free_ptr) char *text = job_write(&job, NULL);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err err = {""};
		const char *at = strstr(text, texts[i].old);
		assert_non_null(at);
		cleanup(free_ptr) char *altered =
			xasprintf("%.*s%s%s", (int)(at - text), text, texts[i].new, at + strlen(texts[i].old));
		assert_int_equal(job_read(altered, &read, &err), -1);
		assert_non_null(strstr(err.text, texts[i].says));
	}
}

static void a_spec_has_its_bound(void **state)
{
	struct job job = example();
	struct err err = {""};
	(void)state;
	cleanup(free_ptr) char *script = xcalloc(JOB_MAX_SCRIPT + 1, 1);
	memset(script, '\n', JOB_MAX_SCRIPT); /* two bytes each in JSON */
	job.script = script;
	assert_null(job_write(&job, &err));
	assert_non_null(strstr(err.text, "larger than"));
	memset(script, 'x', JOB_MAX_SCRIPT);
	cleanup(free_ptr) char *text = job_write(&job, &err);
	assert_non_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(absent_is_absent),
		cmocka_unit_test(signatures),
		cmocka_unit_test(what_is_out_of_bounds_is_not_written),
		cmocka_unit_test(what_is_out_of_bounds_is_not_read),
		cmocka_unit_test(a_spec_has_its_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
