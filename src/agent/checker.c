/*
 * The happy path: spawn with a pipe as standard output, read until its end, reap, parse.
 *
 * Failure modes: the program is not there (spawn fails), it writes too much or takes too long (it
 * is killed), what it wrote is no report (an error names line and column). Each is one sentence;
 * the agent goes on without a report.
 */
#include "agent/checker.h"

#include "base/json.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_SECONDS    "60"
#define CHECKER_MS       90000
#define REPORT_MAX_BYTES ((size_t)900 * 1024) /* leaves room for the envelope in one message */
#define REPORT_SCHEMA    "sallyport.check/1"

extern char **environ;

void checker_init(struct checker *checker)
{
	*checker = (struct checker){.fd = -1};
}

static int spawn(pid_t *pid, const char *program, const char *root, int output)
{
	const char *args[8] = {program, "check", "--format", "json", "--deadline", CHECK_SECONDS};
	cleanup(free_ptr) char *root_option = root ? xasprintf("--root=%s", root) : NULL;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	args[6] = root_option;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	int error = posix_spawn(pid, program, &actions, &attributes, (char *const *)args, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error;
}

int checker_start(struct checker *checker, const char *program, const char *root, struct err *err)
{
	cleanup(free_ptr) char *own = program ? xstrdup(program) : os_own_path();
	int pipe_fds[2];
	if (!own)
		return err_set(err, "this program's own path is not known");
	if (pipe2(pipe_fds, O_CLOEXEC))
		return err_set(err, "pipe: %s", strerror(errno));
	int error = spawn(&checker->pid, own, root, pipe_fds[1]);
	close(pipe_fds[1]);
	if (error) {
		close(pipe_fds[0]);
		checker->pid = 0;
		return err_set(err, "%s: %s", own, strerror(error));
	}
	fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
	checker->fd = pipe_fds[0];
	checker->output.max = REPORT_MAX_BYTES;
	checker->deadline = deadline_in_ms(CHECKER_MS);
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
	while (!bad && (got = read(checker->fd, chunk, sizeof chunk)) > 0)
		if (buf_append(&checker->output, chunk, (size_t)got))
			bad = err_set(err, "it wrote more than %zu bytes", REPORT_MAX_BYTES);
	if (!bad && got < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (deadline_left_ms(checker->deadline))
			return CHECKER_RUNNING;
		bad = err_set(err, "it did not end within %d s", CHECKER_MS / 1000);
	}
	if (!bad)
		bad = parse_report(&checker->output, report, err);
	checker_stop(checker);
	return bad ? CHECKER_FAILED : CHECKER_DONE;
}

void checker_stop(struct checker *checker)
{
	if (checker->fd >= 0)
		close(checker->fd);
	if (checker->pid) {
		/* Its output has ended, so it has too, or it is past its time: waiting is short. */
		kill(checker->pid, SIGKILL);
		while (waitpid(checker->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	buf_free(&checker->output);
	checker_init(checker);
}
