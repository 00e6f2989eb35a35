#include "lib/runs_bench.h"

#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATIENCE_MS 60000

/* --- steps ------------------------------------------------------------------------------------ */

static int step_now, step_to_die;
static char disk_full[120]; /* the file that says so; "": of no interest */
static char dying[120];     /* the file that says that it was killed; "": nobody asks */

static void step(void)
{
	if (++step_now != step_to_die)
		return;
	if (*dying)
		syscall(SYS_mknodat, AT_FDCWD, dying, S_IFREG | 0600, 0);
	kill(getpid(), SIGKILL);
}

static bool is_full(void)
{
	return *disk_full && syscall(SYS_access, disk_full, F_OK) == 0;
}

/* These take the place of the C library's in the whole program. */
int fsync(int fd)
{
	step();
	if (is_full()) {
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
	step();
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
	step();
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int pipe2(int fds[2], int flags)
{
	step();
	return (int)syscall(SYS_pipe2, fds, flags);
}

void bench_kill_self_at(int number)
{
	step_now = 0;
	step_to_die = number;
}

void bench_kill_supervisor_at(const struct runs_bench *bench, int number)
{
	cleanup(free_ptr) char *text = xasprintf("%d\n", number);
	bench_write(bench, "die-at", text, 0600);
}

bool bench_killed(const struct runs_bench *bench)
{
	cleanup(free_ptr) char *path = xasprintf("%s/killed", bench->root);
	return file_exists(path);
}

void bench_fill_disk(const struct runs_bench *bench, bool full)
{
	cleanup(free_ptr) char *path = xasprintf("%s/full", bench->root);
	if (full)
		bench_write(bench, "full", "", 0600);
	else
		syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

bool bench_supervise(int argc, char **argv, int *code)
{
	for (int i = 2; i < argc; i++) {
		if (strncmp(argv[i], "--root=", 7) != 0)
			continue;
		char path[128], text[16] = "";
		snprintf(disk_full, sizeof disk_full, "%s/full", argv[i] + 7);
		snprintf(path, sizeof path, "%s/die-at", argv[i] + 7);
		snprintf(dying, sizeof dying, "%s/killed", argv[i] + 7);
		int fd = file_exists(dying) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (read(fd, text, sizeof text - 1) > 0)
			bench_kill_self_at(atoi(text));
		close(fd);
	}
	supervise_grace_ms = 1000;
	return supervise_main(argc, argv, code);
}

/* --- the hub ---------------------------------------------------------------------------------- */

struct bench_run *bench_heard(struct runs_bench *bench, const char *id)
{
	for (size_t i = 0; i < bench->heard_count; i++)
		if (strcmp(bench->heard[i].id, id) == 0)
			return &bench->heard[i];
	assert_true(bench->heard_count < BENCH_MAX_RUNS);
	struct bench_run *run = &bench->heard[bench->heard_count++];
	snprintf(run->id, sizeof run->id, "%s", id);
	return run;
}

static json_t *answer_held(struct runs_bench *bench)
{
	json_t *outputs = json_object();
	for (size_t i = 0; i < bench->heard_count; i++)
		json_object_set_new(
			outputs, bench->heard[i].id, json_integer((json_int_t)bench->heard[i].output.len));
	return json_pack("{s:o,s:[]}", "outputs", outputs, "unknown");
}

static json_t *take_state(struct runs_bench *bench, const json_t *body)
{
	struct msg_job_state msg = {0};
	assert_int_equal(message_read(MSG_job_state, body, &msg, NULL), 0);
	struct bench_run *run = bench_heard(bench, msg.run);
	size_t len = strlen(run->states);
	snprintf(run->states + len, sizeof run->states - len, "%s ", msg.state);
	snprintf(run->reason, sizeof run->reason, "%s", msg.reason ? msg.reason : "");
	run->attempt = msg.attempt;
	run->exit_code = msg.exit_code;
	run->signal = msg.signal;
	run->output_size = msg.output;
	run->dropped = msg.dropped;
	message_free(MSG_job_state, &msg);
	return json_object();
}

/* A piece that does not follow what is there changes nothing: `next` says where to go on. */
static json_t *take_output(struct runs_bench *bench, const json_t *body)
{
	struct msg_job_output msg = {0};
	unsigned char bytes[24576];
	size_t len = 0;
	assert_int_equal(message_read(MSG_job_output, body, &msg, NULL), 0);
	struct bench_run *run = bench_heard(bench, msg.run);
	assert_int_equal(sodium_base642bin(bytes, sizeof bytes, msg.data, strlen(msg.data), NULL, &len,
						 NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
		0);
	if (msg.offset == (int64_t)run->output.len)
		buf_append(&run->output, bytes, len);
	message_free(MSG_job_output, &msg);
	return json_pack("{s:I}", "next", (json_int_t)run->output.len);
}

static void hear(struct runs_bench *bench, const char *line, size_t len)
{
	struct rpc rpc;
	json_t *result = NULL;
	char *text;
	assert_int_equal(rpc_parse(line, len, &rpc, NULL), 0);
	bool held = strcmp(rpc.method, "jobs.held") == 0;
	if (!held && bench->refuses)
		text = rpc_error(rpc.id, bench->refuses, NULL);
	else {
		if (held)
			result = answer_held(bench);
		else if (strcmp(rpc.method, "job.state") == 0)
			result = take_state(bench, rpc.body);
		else if (strcmp(rpc.method, "job.output") == 0)
			result = take_output(bench, rpc.body);
		assert_non_null(result);
		text = rpc_result(rpc.id, result);
	}
	session_text(&bench->session, text, strlen(text), clock_mono_us());
	free(text);
	rpc_free(&rpc);
}

static int take_sent(void *data, const char *text, size_t len)
{
	struct runs_bench *bench = data;
	buf_append(&bench->sent, text, len);
	return buf_puts(&bench->sent, "\n");
}

static void answer(struct runs_bench *bench)
{
	while (bench->online && !bench->deaf && bench->sent.len) {
		size_t len = strcspn(bench->sent.data, "\n");
		cleanup(free_ptr) char *line = xstrndup(bench->sent.data, len);
		buf_consume(&bench->sent, len + 1);
		hear(bench, line, len);
	}
}

/* --- life ------------------------------------------------------------------------------------- */

void bench_write(const struct runs_bench *bench, const char *name, const char *text, mode_t mode)
{
	cleanup(free_ptr) char *path = xasprintf("%s/%s", bench->root, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	fchmod(fd, mode);
	close(fd);
}

void bench_make(struct runs_bench *bench)
{
	struct err err = {""};
	*bench = (struct runs_bench){.root = "/tmp/sallyport-runs-XXXXXX"};
	assert_non_null(mkdtemp(bench->root));
	chmod(bench->root, 0755); /* other users run scripts below it */
	snprintf(bench->record, sizeof bench->record, "%s/record", bench->root);
	snprintf(disk_full, sizeof disk_full, "%s/full", bench->root);
	paths_init(&bench->paths, bench->root);
	identity_make(&bench->hub);
	identity_make(&bench->state.identity);
	identity_id(bench->state.identity.public_key, bench->state.server_id);
	memcpy(bench->state.hub_key, bench->hub.public_key, IDENTITY_KEY_BYTES);
	bench->state.name = xstrdup("machine");
	snprintf(bench->state.hub_host, sizeof bench->state.hub_host, "hub.example");
	bench->state.hub_port = 443;
	assert_int_equal(state_save(&bench->paths, &bench->state, &err), 0);
	cleanup(free_ptr) char *folder = xasprintf("%s/proc/sys/kernel/random", bench->root);
	assert_int_equal(file_make_dirs(folder, 0755, &err), 0);
	bench_write(bench, "proc/sys/kernel/random/boot_id", "boot-1\n", 0644);
	cleanup(free_ptr) char *log = xasprintf("%s/log", bench->root);
	bench->log = logfile_open(&(struct logfile_options){.path = log, .max_bytes = 1 << 20});
	signal(SIGPIPE, SIG_IGN);
	runs_init(&bench->runs);
	bench_start(bench);
	bench_connect(bench);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *place)
{
	(void)st;
	(void)kind;
	(void)place;
	return remove(path);
}

void bench_free(struct runs_bench *bench)
{
	bench_cut(bench);
	bench_stop(bench);
	*disk_full = '\0';
	for (size_t i = 0; i < bench->heard_count; i++)
		buf_free(&bench->heard[i].output);
	buf_free(&bench->sent);
	logfile_close(bench->log);
	state_wipe(&bench->state);
	paths_free(&bench->paths);
	nftw(bench->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void bench_start(struct runs_bench *bench)
{
	struct err err = {""};
	cleanup(free_ptr) char *reboot = xasprintf("%s/reboot", bench->root);
	const struct runs_options options = {
		.paths = &bench->paths,
		.state = &bench->state,
		.log = bench->log,
		.root = bench->root,
		.reboot_program = file_exists(reboot) ? reboot : NULL,
	};
	assert_int_equal(runs_keep_open(&bench->runs, &options, &err), 0);
	/* It is borrowed for the life of the runs. */
	static char kept[128];
	snprintf(kept, sizeof kept, "%s", reboot);
	bench->runs.options.reboot_program = options.reboot_program ? kept : NULL;
}

void bench_stop(struct runs_bench *bench)
{
	runs_close(&bench->runs);
}

void bench_connect(struct runs_bench *bench)
{
	struct session_params params;
	session_params_default(&params);
	session_open(&bench->session, &params, take_sent, bench, 0, clock_mono_us());
	bench->online = true;
	buf_consume(&bench->sent, bench->sent.len);
	runs_online(&bench->runs, &bench->session);
}

void bench_cut(struct runs_bench *bench)
{
	runs_offline(&bench->runs);
	session_free(&bench->session);
	bench->online = false;
}

/* --- jobs ------------------------------------------------------------------------------------- */

struct job bench_job(struct runs_bench *bench, const char *script)
{
	struct job job = {
		.title = xstrdup("a test"),
		.interpreter = JOB_SH,
		.script = xstrdup(script),
		.args = xcalloc(1, sizeof(char *)),
		.env = xcalloc(2, sizeof(struct job_variable)),
		.env_count = 1,
		.timeout_s = 50,
		.output_limit = JOB_DEFAULT_OUTPUT,
		.created = time(NULL) - 1,
		.expires = time(NULL) + 3600,
	};
	job.env[0] = (struct job_variable){xstrdup("RECORD"), xstrdup(bench->record)};
	/* Of this process, so that two of them side by side do not end each other's leftovers. */
	snprintf(job.run, sizeof job.run, "%016lx%016x", (unsigned long)getpid(), ++bench->taken);
	snprintf(job.job, sizeof job.job, "%032x", 77);
	snprintf(job.server, sizeof job.server, "%s", bench->state.server_id);
	return job;
}

struct job bench_job_with_id(struct runs_bench *bench, const char *id, const char *script)
{
	struct job job = bench_job(bench, script);
	snprintf(job.run, sizeof job.run, "%s", id);
	return job;
}

enum refusal bench_give(struct runs_bench *bench, struct job *job)
{
	struct err err = {""};
	struct msg_job_run msg = {.run = job->run, .spec = job_write(job, &err)};
	assert_string_equal(err.text, "");
	job_sign(&bench->hub, msg.spec, msg.signature);
	enum refusal refusal = runs_take(&bench->runs, &msg);
	free(msg.spec);
	job_free(job);
	return refusal;
}

const char *bench_run(struct runs_bench *bench, const char *script, const char **id)
{
	struct job job = bench_job(bench, script);
	*id = bench_heard(bench, job.run)->id;
	assert_int_equal(bench_give(bench, &job), REFUSAL_NONE);
	return *id;
}

/* --- time ------------------------------------------------------------------------------------- */

/* What waits for some seconds before it is tried again need not wait here. */
static void be_impatient(struct runs_bench *bench)
{
	for (size_t i = 0; i < bench->runs.count; i++) {
		struct run *run = bench->runs.list[i];
		if (run->launch_at.at_us && !run->launched)
			run->launch_at.at_us = 1;
		if (run->talk_at.at_us)
			run->talk_at.at_us = 1;
	}
}

void bench_until(
	struct runs_bench *bench, bool (*holds)(struct runs_bench *bench, void *data), void *data)
{
	struct deadline patience = deadline_in_ms(PATIENCE_MS);
	for (;;) {
		struct deadline due = deadline_in_ms(200), own;
		runs_step(&bench->runs);
		answer(bench);
		if (holds(bench, data))
			return;
		assert_true(deadline_left_ms(patience));
		if (runs_deadline(&bench->runs, &own))
			due = deadline_sooner(due, own);
		wait_fd(runs_fd(&bench->runs), POLLIN, due, NULL);
		be_impatient(bench);
	}
}

struct wanted {
	const char *id, *state;
};

static bool is_told(struct runs_bench *bench, void *data)
{
	const struct wanted *wanted = data;
	const char *states = bench_heard(bench, wanted->id)->states;
	size_t len = strlen(states), ending = strlen(wanted->state);
	return len > ending && strncmp(states + len - 1 - ending, wanted->state, ending) == 0;
}

void bench_until_told(struct runs_bench *bench, const char *id, const char *state)
{
	bench_until(bench, is_told, &(struct wanted){id, state});
}

static bool is_buried(struct runs_bench *bench, void *data)
{
	return journal_buried(&bench->paths, data) && !journal_has(&bench->paths, data);
}

void bench_until_buried(struct runs_bench *bench, const char *id)
{
	bench_until(bench, is_buried, (void *)id);
}

int bench_record(const struct runs_bench *bench)
{
	cleanup(buf_free) struct buf text = {0};
	int lines = 0;
	if (file_read(bench->record, 1 << 20, &text, NULL))
		return 0;
	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	return lines;
}
