/*
 * Jobs at the agent, from the hub's word to the hub's confirmation, with real scripts and real
 * supervisors; the hub is played by the test (lib/runs_bench.h).
 */
#include "lib/runs_bench.h"

#include "agent/runs/launch.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static int setup(void **state)
{
	struct runs_bench *bench = xcalloc(1, sizeof *bench);
	bench_make(bench);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	bench_free(*state);
	free(*state);
	return 0;
}

static bool file_of(struct runs_bench *bench, const char *id, const char *name)
{
	cleanup(free_ptr) char *path = journal_file(&bench->paths, id, name);
	return file_exists(path);
}

/* --- the happy path --------------------------------------------------------------------------- */

static void a_run_is_done(void **state)
{
	struct runs_bench *bench = *state;
	const char *id;
	bench_run(bench, "echo out; echo err >&2; echo ran >>$RECORD", &id);
	bench_until_buried(bench, id);
	const struct bench_run *heard = bench_heard(bench, id);
	assert_non_null(strstr(heard->states, "done "));
	assert_string_equal(buf_text(&heard->output), "out\nerr\n");
	assert_int_equal(heard->output_size, 8);
	assert_int_equal(bench_record(bench), 1);
	assert_false(file_of(bench, id, ""));
	assert_int_equal(bench->runs.count, 0);
}

/* Arguments and environment arrive; values are in no argument list; nothing else comes along. */
static void arguments_and_environment(void **state)
{
	struct runs_bench *bench = *state;
	struct job job = bench_job(bench,
		"echo \"$1|$2|$SECRET|$SALLYPORT_RUN|$SALLYPORT_ATTEMPT|$SALLYPORT_REBOOTS\"\n"
		"tr '\\0' ' ' </proc/$$/cmdline | grep -c hidden\n"
		"env | grep -v -e ^SALLYPORT_ -e ^RECORD= -e ^SECRET= | sed 's/=.*//' | sort | tr '\\n' ' "
		"'\n"
		"pwd");
	char id[JOB_ID_SIZE];
	memcpy(id, job.run, sizeof id);
	setenv("HTTPS_PROXY_PASSWORD", "do-not-tell", 1);
	job.args = xrealloc(job.args, 3, sizeof(char *));
	job.args[0] = xstrdup("a b");
	job.args[1] = xstrdup("$HOME");
	job.args[2] = NULL;
	job.arg_count = 2;
	job.env[1] = (struct job_variable){xstrdup("SECRET"), xstrdup("hidden")};
	job.env_count = 2;
	job.cwd = xstrdup("/usr");
	assert_int_equal(bench_give(bench, &job), REFUSAL_NONE);
	bench_until_buried(bench, id);
	cleanup(free_ptr) char *wanted =
		xasprintf("a b|$HOME|hidden|%s|1|0\n0\nHOME LANG LOGNAME PATH PWD USER /usr\n", id);
	assert_string_equal(buf_text(&bench_heard(bench, id)->output), wanted);
}

static void another_user(void **state)
{
	struct runs_bench *bench = *state;
	if (geteuid() != 0)
		skip();
	struct job job =
		bench_job(bench, "id -un; id -Gn; echo $HOME $USER $LOGNAME; stat -c %a:%U $0");
	char id[JOB_ID_SIZE];
	memcpy(id, job.run, sizeof id);
	job.user = xstrdup("nobody");
	assert_int_equal(bench_give(bench, &job), REFUSAL_NONE);
	bench_until_buried(bench, id);
	assert_string_equal(buf_text(&bench_heard(bench, id)->output),
		"nobody\nnogroup\n/nonexistent nobody nobody\n700:nobody\n");
}

/* --- how a run may end ------------------------------------------------------------------------ */

static const struct {
	enum job_interpreter interpreter;
	const char *script, *user, *cwd;
	int timeout_s;
	const char *state, *output, *reason;
	int exit_code, signal;
} ends[] = {
	{JOB_SH, "exit 3", NULL, NULL, 9, "failed", "", "exit code 3", 3, 0},
	{JOB_SH, "kill -KILL $$", NULL, NULL, 9, "failed", "", "signal 9", 0, 9},
	{JOB_SH, "echo a; sleep 99", NULL, NULL, 1, "failed", "a\n", "within 1 s", 0, 15},
	/* what it leaves in the background is ended with it when its time is over ... */
	{JOB_SH, "sleep 98 & setsid sleep 99 & wait", NULL, NULL, 1, "failed", "", "within 1 s", 0, 15},
	/* ... and left alone when it ends by itself */
	{JOB_SH, "sleep 3 & echo b", NULL, NULL, 9, "done", "b\n", "", 0, 0},
	{JOB_SH, "true", "nobody-of-that-name", NULL, 9, "failed", "", "no user", 0, 0},
	{JOB_SH, "true", NULL, "/no/such/folder", 9, "failed", "", "/no/such/folder", 0, 0},
	{JOB_BASH, "echo ${BASH_VERSION:+bash}", NULL, NULL, 9, "done", "bash\n", "", 0, 0},
	{JOB_PERL, "print \"p$$\" ? \"perl\\n\" : 0;", NULL, NULL, 9, "done", "perl\n", "", 0, 0},
	{JOB_PYTHON, "print('python')", NULL, NULL, 9, "done", "python\n", "", 0, 0},
};

static void ends_are_told(void **state)
{
	struct runs_bench *bench = *state;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct job job = bench_job(bench, ends[i].script);
		char id[JOB_ID_SIZE];
		memcpy(id, job.run, sizeof id);
		job.interpreter = ends[i].interpreter;
		job.timeout_s = ends[i].timeout_s;
		job.user = xstrdup(ends[i].user);
		job.cwd = xstrdup(ends[i].cwd);
		assert_int_equal(bench_give(bench, &job), REFUSAL_NONE);
		bench_until_buried(bench, id);
		const struct bench_run *heard = bench_heard(bench, id);
		/* It may have ended before the agent looks: then "running" is never told. */
		const char *told = heard->states;
		told += strncmp(told, "running ", 8) == 0 ? 8 : 0;
		assert_int_equal(strncmp(told, ends[i].state, strlen(ends[i].state)), 0);
		assert_string_equal(buf_text(&heard->output), ends[i].output);
		assert_non_null(strstr(heard->reason, ends[i].reason));
		assert_int_equal(heard->exit_code, ends[i].exit_code);
		assert_int_equal(heard->signal, ends[i].signal);
	}
}

static void a_missing_interpreter_is_named(void **state)
{
	struct runs_bench *bench = *state;
	if (access("/usr/bin/pwsh", X_OK) == 0)
		skip();
	struct job job = bench_job(bench, "Write-Output x");
	char id[JOB_ID_SIZE];
	memcpy(id, job.run, sizeof id);
	job.interpreter = JOB_PWSH;
	assert_int_equal(bench_give(bench, &job), REFUSAL_NONE);
	bench_until_buried(bench, id);
	assert_string_equal(bench_heard(bench, id)->states, "failed ");
	assert_non_null(strstr(bench_heard(bench, id)->reason, "no pwsh"));
}

/* --- what is refused -------------------------------------------------------------------------- */

static enum refusal give_altered(
	struct runs_bench *bench, void (*alter)(struct job *job), const struct identity *signer)
{
	struct job job = bench_job(bench, "echo ran >>$RECORD");
	char id[JOB_ID_SIZE];
	memcpy(id, job.run, sizeof id);
	if (alter)
		alter(&job);
	struct msg_job_run msg = {.run = id, .spec = job_write(&job, NULL)};
	job_sign(signer, msg.spec, msg.signature);
	enum refusal refusal = runs_take(&bench->runs, &msg);
	free(msg.spec);
	job_free(&job);
	return refusal;
}

static void for_another_server(struct job *job)
{
	memset(job->server, 'a', JOB_ID_SIZE - 1);
}

static void for_another_run(struct job *job)
{
	memset(job->run, 'a', JOB_ID_SIZE - 1);
}

static void over_already(struct job *job)
{
	job->created -= 7200;
	job->expires = time(NULL) - 1;
}

static void what_does_not_fit_is_refused(void **state)
{
	struct runs_bench *bench = *state;
	struct identity other;
	identity_make(&other);
	assert_int_equal(give_altered(bench, NULL, &other), REFUSAL_JOB_SIGNATURE);
	assert_int_equal(
		give_altered(bench, for_another_server, &bench->hub), REFUSAL_JOB_OTHER_SERVER);
	assert_int_equal(give_altered(bench, for_another_run, &bench->hub), REFUSAL_JOB_INVALID);
	assert_int_equal(give_altered(bench, over_already, &bench->hub), REFUSAL_JOB_EXPIRED);
	struct msg_job_run msg = {.run = (char *)"../../etc/passwd", .spec = (char *)"{}"};
	assert_int_equal(runs_take(&bench->runs, &msg), REFUSAL_JOB_INVALID);
	msg.run = (char *)"0123456789abcdef0123456789abcdef";
	job_sign(&bench->hub, msg.spec, msg.signature);
	assert_int_equal(runs_take(&bench->runs, &msg), REFUSAL_JOB_INVALID);
	assert_int_equal(bench->runs.count, 0);
	assert_int_equal(bench_record(bench), 0);
}

/* The clock of this machine may be wrong: what the hub said counts. */
static void the_hubs_clock_decides(void **state)
{
	struct runs_bench *bench = *state;
	runs_set_clock(&bench->runs, time(NULL) + 7200);
	assert_int_equal(give_altered(bench, NULL, &bench->hub), REFUSAL_JOB_EXPIRED);
	runs_set_clock(&bench->runs, time(NULL) - 7200);
	assert_int_equal(give_altered(bench, over_already, &bench->hub), REFUSAL_NONE);
	/* What was learnt holds after a restart without a session. */
	bench_cut(bench);
	bench_stop(bench);
	bench_start(bench);
	assert_int_equal(give_altered(bench, over_already, &bench->hub), REFUSAL_NONE);
}

/* The same again is acknowledged and not run again: while it runs, when it has ended, when it is
 * confirmed, and after a restart. */
static void nothing_runs_twice(void **state)
{
	struct runs_bench *bench = *state;
	const char *id;
	bench_run(bench, "echo ran >>$RECORD; sleep 0.2", &id);
	for (int i = 0; i < 4; i++) {
		bench->taken = 0; /* the same id */
		struct job job = bench_job(bench, "echo ran >>$RECORD");
		assert_int_equal(bench_give(bench, &job), REFUSAL_NONE);
		if (i == 0)
			bench_until_told(bench, id, "done");
		if (i == 1)
			bench_until_buried(bench, id);
		if (i == 2) {
			bench_stop(bench);
			bench_start(bench);
		}
	}
	bench_cut(bench);
	bench_connect(bench);
	runs_step(&bench->runs);
	assert_int_equal(bench->runs.count, 0);
	assert_int_equal(bench_record(bench), 1);
}

/* --- output ----------------------------------------------------------------------------------- */

static void output_is_bounded_and_keeps_its_end(void **state)
{
	struct runs_bench *bench = *state;
	struct job job = bench_job(bench, "seq 100000; echo the end");
	char id[JOB_ID_SIZE];
	memcpy(id, job.run, sizeof id);
	job.output_limit = 100000;
	assert_int_equal(bench_give(bench, &job), REFUSAL_NONE);
	bench_until_buried(bench, id);
	const struct bench_run *heard = bench_heard(bench, id);
	assert_true(heard->output.len <= 100000 && heard->output.len > 99900);
	assert_int_equal(heard->output_size, heard->output.len);
	assert_int_equal(strncmp(heard->output.data, "1\n2\n3\n", 6), 0);
	assert_string_equal(heard->output.data + heard->output.len - 8, "the end\n");
	cleanup(free_ptr) char *line =
		xasprintf("\n[%lld bytes were left out here]\n", (long long)heard->dropped);
	const char *at = strstr(heard->output.data, line);
	assert_non_null(at);
	/* Nothing is lost but what is said to be: 588895 + 8 bytes were written. */
	assert_int_equal(heard->output.len - strlen(line) + (size_t)heard->dropped, 588903);
	assert_int_equal(heard->output.data + heard->output.len - at, 16384 + strlen(line));
}

static bool has_output(struct runs_bench *bench, void *data)
{
	return strcmp(buf_text(&bench_heard(bench, data)->output), "first\n") == 0;
}

static void output_comes_while_it_runs(void **state)
{
	struct runs_bench *bench = *state;
	const char *id;
	cleanup(free_ptr) char *go = xasprintf("%s/go", bench->root);
	cleanup(free_ptr) char *script =
		xasprintf("echo first; while ! [ -e %s ]; do sleep 0.05; done; echo second", go);
	bench_run(bench, script, &id);
	bench_until(bench, has_output, (void *)id);
	assert_string_equal(bench_heard(bench, id)->states, "running ");
	bench_write(bench, "go", "", 0644);
	bench_until_buried(bench, id);
	assert_string_equal(buf_text(&bench_heard(bench, id)->output), "first\nsecond\n");
}

/* --- cancel, order, time ---------------------------------------------------------------------- */

static enum refusal cancel(struct runs_bench *bench, const char *id)
{
	return runs_cancel(&bench->runs, &(struct msg_job_cancel){.run = (char *)id});
}

static void a_running_one_is_cancelled(void **state)
{
	struct runs_bench *bench = *state;
	const char *id;
	bench_run(bench, "trap 'echo asked; exit 0' TERM; echo up; sleep 99 & wait", &id);
	bench_until_told(bench, id, "running");
	assert_int_equal(cancel(bench, id), REFUSAL_NONE);
	bench_until_buried(bench, id);
	assert_string_equal(bench_heard(bench, id)->states, "running cancelled ");
	assert_int_equal(cancel(bench, id), REFUSAL_JOB_UNKNOWN);
}

static bool four_run(struct runs_bench *bench, void *data)
{
	int *running = data;
	*running = 0;
	for (size_t i = 0; i < bench->runs.count; i++)
		*running += bench->runs.list[i]->status == RUN_RUNNING;
	assert_true(*running <= RUNS_AT_ONCE);
	/* A run is "running" a moment before its script says so. */
	return *running == RUNS_AT_ONCE && bench_record(bench) == RUNS_AT_ONCE;
}

/* Four at a time, the others in their order; one that waits is cancelled, one expires. */
static void others_wait_in_order(void **state)
{
	struct runs_bench *bench = *state;
	cleanup(free_ptr) char *go = xasprintf("%s/go", bench->root);
	cleanup(free_ptr) char *script =
		xasprintf("echo $SALLYPORT_RUN >>$RECORD; while ! [ -e %s ]; do sleep 0.05; done", go);
	const char *ids[8];
	int running;
	for (size_t i = 0; i < 7; i++)
		bench_run(bench, script, &ids[i]);
	struct job job = bench_job(bench, script);
	ids[7] = bench_heard(bench, job.run)->id;
	job.expires = time(NULL) + 1000;
	assert_int_equal(bench_give(bench, &job), REFUSAL_NONE);
	bench_until(bench, four_run, &running);
	assert_int_equal(cancel(bench, ids[5]), REFUSAL_NONE);
	bench_until_buried(bench, ids[5]);
	runs_set_clock(&bench->runs, time(NULL) + 2000);
	bench_until_buried(bench, ids[7]);
	assert_string_equal(bench_heard(bench, ids[5])->states, "cancelled ");
	assert_string_equal(bench_heard(bench, ids[7])->states, "expired ");
	assert_int_equal(bench_record(bench), RUNS_AT_ONCE);
	bench_write(bench, "go", "", 0644);
	bench_until_buried(bench, ids[4]);
	bench_until_buried(bench, ids[6]);
	assert_int_equal(bench_record(bench), 6);
}

/* --- restarts of the agent, sessions that end, a hub that says no -------------------------------
 */

/* The agent is gone while the script runs and ends; another one finds what it needs. */
static void a_restarted_agent_takes_over(void **state)
{
	struct runs_bench *bench = *state;
	const char *id;
	cleanup(free_ptr) char *go = xasprintf("%s/go", bench->root);
	cleanup(free_ptr) char *script = xasprintf(
		"echo ran >>$RECORD; echo one; while ! [ -e %s ]; do sleep 0.05; done; echo two", go);
	bench_run(bench, script, &id);
	bench_until_told(bench, id, "running");
	for (int i = 0; i < 3; i++) {
		bench_cut(bench);
		bench_stop(bench);
		bench_start(bench);
		bench_connect(bench);
		assert_int_equal(bench->runs.count, 1);
		assert_int_equal(bench->runs.list[0]->status, RUN_RUNNING);
	}
	bench_write(bench, "go", "", 0644);
	bench_until_buried(bench, id);
	assert_string_equal(buf_text(&bench_heard(bench, id)->output), "one\ntwo\n");
	assert_int_equal(bench_record(bench), 1);
}

static bool is_final(struct runs_bench *bench, void *data)
{
	(void)data;
	return bench->runs.count == 1 && run_is_final(bench->runs.list[0]->status);
}

/* The supervisor removes it after its last word. */
static bool has_no_spec(struct runs_bench *bench, void *data)
{
	return !file_of(bench, data, "spec");
}

/* Ended while offline, told in a later session, and again when the answer was lost. */
static void the_end_is_told_until_it_is_confirmed(void **state)
{
	struct runs_bench *bench = *state;
	const char *id;
	bench_run(bench, "echo offline", &id);
	bench_cut(bench);
	bench_until(bench, is_final, NULL);
	bench->deaf = true;
	bench_connect(bench);
	runs_step(&bench->runs);
	bench_cut(bench);
	assert_true(file_of(bench, id, "state"));
	bench_until(bench, has_no_spec, (void *)id); /* it may hold secrets */
	bench->deaf = false;
	bench->refuses = REFUSAL_INTERNAL;
	bench_connect(bench);
	for (int i = 0; i < 3; i++)
		bench_until(bench, is_final, NULL);
	assert_true(file_of(bench, id, "state"));
	bench->refuses = REFUSAL_NONE;
	bench_until_buried(bench, id);
	assert_string_equal(bench_heard(bench, id)->states, "done ");
	assert_string_equal(buf_text(&bench_heard(bench, id)->output), "offline\n");
}

static void a_hub_that_forgot_it_ends_it(void **state)
{
	struct runs_bench *bench = *state;
	const char *id;
	bench->refuses = REFUSAL_JOB_UNKNOWN;
	bench_run(bench, "true", &id);
	bench_until_buried(bench, id);
}

static void another_hubs_runs_are_forgotten(void **state)
{
	struct runs_bench *bench = *state;
	const char *id;
	for (int i = 0; i < RUNS_AT_ONCE + 1; i++)
		bench_run(bench, "echo ran >>$RECORD", &id);
	identity_make(&bench->hub);
	memcpy(bench->state.hub_key, bench->hub.public_key, IDENTITY_KEY_BYTES);
	bench_cut(bench);
	bench_start(bench);
	assert_int_equal(bench->runs.count, 0);
	assert_false(journal_has(&bench->paths, id));
	assert_int_equal(bench_record(bench), 0);
}

/* --- another boot ----------------------------------------------------------------------------- */

/* A stand-in for the system's reboot: the machine would be gone, and this test with it. */
static void make_reboot(struct runs_bench *bench)
{
	cleanup(free_ptr) char *text =
		xasprintf("#!/bin/sh\necho boot-$$ >%s/proc/sys/kernel/random/boot_id\n", bench->root);
	bench_write(bench, "reboot", text, 0755);
	bench_stop(bench);
	bench_start(bench);
	bench_connect(bench);
}

static bool went_down(struct runs_bench *bench, void *data)
{
	char boot[BOOT_ID_SIZE];
	(void)data;
	boot_id(bench->root, boot);
	return strcmp(boot, bench->runs.boot) != 0;
}

static void come_back(struct runs_bench *bench)
{
	bench_until(bench, went_down, NULL);
	bench_cut(bench);
	bench_stop(bench);
	bench_start(bench);
	bench_connect(bench);
}

static void a_reboot_after_it(void **state)
{
	struct runs_bench *bench = *state;
	make_reboot(bench);
	struct job job = bench_job(bench, "echo ran >>$RECORD");
	const char *id = bench_heard(bench, job.run)->id;
	job.reboot = JOB_REBOOT_AFTER;
	assert_int_equal(bench_give(bench, &job), REFUSAL_NONE);
	come_back(bench);
	bench_until_buried(bench, id);
	assert_non_null(strstr(bench_heard(bench, id)->states, "rebooting done "));
	assert_int_equal(bench_record(bench), 1);
}

/* The script decides: twice it wants the machine to restart. Also without a session. */
static void a_reboot_on_request(void **state)
{
	struct runs_bench *bench = *state;
	make_reboot(bench);
	struct job job = bench_job(bench,
		"echo $SALLYPORT_ATTEMPT $SALLYPORT_REBOOTS; [ $SALLYPORT_REBOOTS = 2 ] || exit 194");
	const char *id = bench_heard(bench, job.run)->id;
	job.reboot = JOB_REBOOT_ON_REQUEST;
	assert_int_equal(bench_give(bench, &job), REFUSAL_NONE);
	come_back(bench);
	bench_cut(bench);
	bench_until(bench, went_down, NULL);
	bench_stop(bench);
	bench_start(bench);
	bench_connect(bench);
	bench_until_buried(bench, id);
	assert_string_equal(
		buf_text(&bench_heard(bench, id)->output), "1 0\n[attempt 2]\n2 1\n[attempt 3]\n3 2\n");
	assert_int_equal(bench_heard(bench, id)->attempt, 3);
}

/* The machine is back, and that cannot be written down: it does not restart again for that. */
static void a_full_disk_after_a_reboot(void **state)
{
	struct runs_bench *bench = *state;
	char boot[BOOT_ID_SIZE];
	make_reboot(bench);
	struct job job = bench_job(bench, "true");
	const char *id = bench_heard(bench, job.run)->id;
	job.reboot = JOB_REBOOT_AFTER;
	assert_int_equal(bench_give(bench, &job), REFUSAL_NONE);
	bench_until(bench, went_down, NULL);
	bench_fill_disk(bench, true);
	bench_cut(bench);
	bench_stop(bench);
	bench_start(bench);
	for (int i = 0; i < 10; i++) {
		bench->runs.reboot.at = deadline_in_ms(0);
		runs_step(&bench->runs);
	}
	boot_id(bench->root, boot);
	assert_string_equal(boot, bench->runs.boot);
	bench_fill_disk(bench, false);
	bench_connect(bench);
	bench_until_buried(bench, id);
	assert_non_null(strstr(bench_heard(bench, id)->states, "rebooting done "));
}

static void a_machine_that_does_not_restart(void **state)
{
	struct runs_bench *bench = *state;
	struct job job = bench_job(bench, "true");
	const char *id = bench_heard(bench, job.run)->id;
	job.reboot = JOB_REBOOT_AFTER;
	assert_int_equal(bench_give(bench, &job), REFUSAL_NONE);
	bench_until_told(bench, id, "rebooting");
	/* That it failed cannot be written at first: it is not begun anew with restarting for that. */
	bench_fill_disk(bench, true);
	for (int i = 0; i < 10; i++) {
		bench->runs.reboot.at = deadline_in_ms(0);
		runs_step(&bench->runs);
	}
	assert_true(bench->runs.reboot.tries >= 10);
	assert_null(strstr(bench_heard(bench, id)->states, "failed"));
	bench_fill_disk(bench, false);
	bench->runs.reboot.at = deadline_in_ms(0);
	bench_until_buried(bench, id);
	assert_non_null(strstr(bench_heard(bench, id)->states, "rebooting failed "));
	assert_non_null(strstr(bench_heard(bench, id)->reason, "could not be restarted"));
}

/* Power fails while it runs. */
static void power_fails(struct runs_bench *bench, enum job_rerun rerun, const char **id)
{
	struct job job = bench_job(bench, "echo ran >>$RECORD; echo attempt $SALLYPORT_ATTEMPT; [ "
									  "$SALLYPORT_ATTEMPT = 2 ] || kill -9 $PPID;"
									  "[ $SALLYPORT_ATTEMPT = 2 ] || sleep 99");
	*id = bench_heard(bench, job.run)->id;
	job.rerun = rerun;
	assert_int_equal(bench_give(bench, &job), REFUSAL_NONE);
	bench_until_buried(bench, *id);
}

static void interrupted_is_undetermined(void **state)
{
	struct runs_bench *bench = *state;
	const char *id;
	power_fails(bench, JOB_RERUN_NEVER, &id);
	assert_non_null(strstr(bench_heard(bench, id)->states, "undetermined "));
	assert_int_equal(bench_record(bench), 1);
}

static void interrupted_and_safe_is_run_again(void **state)
{
	struct runs_bench *bench = *state;
	const char *id;
	power_fails(bench, JOB_RERUN_SAFE, &id);
	assert_non_null(strstr(bench_heard(bench, id)->states, "done "));
	assert_int_equal(bench_heard(bench, id)->attempt, 2);
	assert_int_equal(bench_record(bench), 2);
	assert_non_null(strstr(buf_text(&bench_heard(bench, id)->output), "[attempt 2]\nattempt 2\n"));
}

/* --- the disk --------------------------------------------------------------------------------- */

static void a_full_disk_refuses_new_ones(void **state)
{
	struct runs_bench *bench = *state;
	bench_fill_disk(bench, true);
	assert_int_equal(give_altered(bench, NULL, &bench->hub), REFUSAL_JOB_NOT_KEPT);
	bench_fill_disk(bench, false);
	bench->taken = 0;
	const char *id;
	bench_run(bench, "echo ran >>$RECORD", &id);
	bench_until_buried(bench, id);
	assert_int_equal(bench_record(bench), 1);
}

static bool has_ended(struct runs_bench *bench, void *data)
{
	(void)data;
	return bench_record(bench) == 2;
}

/* It fills up while a script runs: the end is written as soon as it can be. */
static void an_end_waits_for_room(void **state)
{
	struct runs_bench *bench = *state;
	const char *id;
	cleanup(free_ptr) char *script = xasprintf(
		"echo ran >>$RECORD; while ! [ -e %s/full ]; do sleep 0.05; done; echo ran >>$RECORD",
		bench->root);
	bench_run(bench, script, &id);
	bench_until_told(bench, id, "running");
	bench_fill_disk(bench, true);
	bench_until(bench, has_ended, NULL);
	bench_fill_disk(bench, false);
	bench_until_buried(bench, id);
	assert_string_equal(bench_heard(bench, id)->states, "running done ");
}

static void a_spoilt_state_is_undetermined(void **state)
{
	struct runs_bench *bench = *state;
	const char *id;
	bench_cut(bench);
	bench_run(bench, "echo ran >>$RECORD", &id);
	bench_stop(bench);
	cleanup(free_ptr) char *name = xasprintf("var/lib/sallyport/runs/%s/state", id);
	bench_write(bench, name, "{\"schema\":", 0600);
	bench_start(bench);
	bench_connect(bench);
	bench_until_buried(bench, id);
	assert_string_equal(bench_heard(bench, id)->states, "undetermined ");
	assert_int_equal(bench_record(bench), 0);
}

/* RUN.end goes when the hub cannot want the run any more, and not before. */
static void tombstones_go_in_their_time(void **state)
{
	struct runs_bench *bench = *state;
	const char *id;
	bench_run(bench, "true", &id);
	bench_until_buried(bench, id);
	assert_int_equal(journal_purge(&bench->paths, time(NULL) + 3590), 1);
	assert_true(journal_buried(&bench->paths, id));
	assert_int_equal(journal_purge(&bench->paths, time(NULL) + 3700), 0);
	assert_false(journal_buried(&bench->paths, id));
}

static bool told(int version, const char *option)
{
	const char *options[LAUNCH_MAX_OPTIONS];
	for (size_t i = launch_options(version, options); i-- > 0;)
		if (strcmp(options[i], option) == 0)
			return true;
	return false;
}

/* CentOS 7 has systemd 219, Ubuntu 18.04 has 237, Debian 10 has 241. */
static void an_old_systemd_is_told_what_it_knows(void **state)
{
	(void)state;
	assert_true(told(219, "--quiet"));
	assert_false(told(219, "--collect"));
	assert_true(told(237, "--collect"));
	assert_false(told(237, "--service-type=exec"));
	assert_true(told(241, "--service-type=exec"));
	assert_false(told(241, "--property=OOMPolicy=continue"));
	assert_true(told(243, "--property=OOMPolicy=continue"));
	assert_true(told(0, "--property=OOMPolicy=continue"));
	assert_true(told(219, "--property=KillMode=process"));
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	BENCH_SUPERVISE(argc, argv);
	const struct CMUnitTest tests[] = {
		WITH_BENCH(a_run_is_done),
		WITH_BENCH(arguments_and_environment),
		WITH_BENCH(another_user),
		WITH_BENCH(ends_are_told),
		WITH_BENCH(a_missing_interpreter_is_named),
		WITH_BENCH(what_does_not_fit_is_refused),
		WITH_BENCH(the_hubs_clock_decides),
		WITH_BENCH(nothing_runs_twice),
		WITH_BENCH(output_is_bounded_and_keeps_its_end),
		WITH_BENCH(output_comes_while_it_runs),
		WITH_BENCH(a_running_one_is_cancelled),
		WITH_BENCH(others_wait_in_order),
		WITH_BENCH(a_restarted_agent_takes_over),
		WITH_BENCH(the_end_is_told_until_it_is_confirmed),
		WITH_BENCH(a_hub_that_forgot_it_ends_it),
		WITH_BENCH(another_hubs_runs_are_forgotten),
		WITH_BENCH(a_reboot_after_it),
		WITH_BENCH(a_reboot_on_request),
		WITH_BENCH(a_full_disk_after_a_reboot),
		WITH_BENCH(a_machine_that_does_not_restart),
		WITH_BENCH(interrupted_is_undetermined),
		WITH_BENCH(interrupted_and_safe_is_run_again),
		WITH_BENCH(a_full_disk_refuses_new_ones),
		WITH_BENCH(an_end_waits_for_room),
		WITH_BENCH(a_spoilt_state_is_undetermined),
		WITH_BENCH(tombstones_go_in_their_time),
		cmocka_unit_test(an_old_systemd_is_told_what_it_knows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
