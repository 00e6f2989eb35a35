/*
 * The happy path: spawn with a pipe as standard output, read until its end, reap, parse.
 *
 * Failure modes: the program is not there (spawn fails), it writes too much or takes too long (it
 * is killed), it ends with an error (its own words are taken), what it wrote is no report (an
 * error names line and column). Each is one sentence; the agent goes on without a report.
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

#define CHECK_SECONDS    60
#define DEEP_SECONDS     180
#define GRACE_MS         30000                /* past the seconds that the child was given */
#define REPORT_MAX_BYTES ((size_t)900 * 1024) /* leaves room for the envelope in one message */
#define REPORT_SCHEMA    "sallyport.check/1"

extern char **environ;

void checker_init(struct checker *checker)
{
	*checker = (struct checker){.fd = -1, .errors_fd = -1};
}

#define MAX_ARGS 10

/* NULL-terminated; what was made for them is owned by `made`. */
static void fill_args(
	const char *args[MAX_ARGS], char *made[3], const char *program, const struct checker_wish *wish)
{
	size_t count = 0;
	made[0] = xasprintf("--deadline=%d", wish->deep ? DEEP_SECONDS : CHECK_SECONDS);
	made[1] = wish->root ? xasprintf("--root=%s", wish->root) : NULL;
	made[2] = *wish->profile ? xasprintf("--profile=%s", wish->profile) : NULL;
	const char *const all[] = {
		program, "check", "--format=json", made[0], made[1], made[2], wish->deep ? "--deep" : NULL};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i])
			args[count++] = all[i];
	args[count] = NULL;
}

static int spawn(pid_t *pid, const char *const *args, int output, int errors)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_adddup2(&actions, errors, 2);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	/* It is run by the service itself: there is no shell whose proxy settings could differ. */
	setenv("SALLYPORT_SERVICE", "1", 1);
	int error = posix_spawn(pid, args[0], &actions, &attributes, (char *const *)args, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error;
}

static void close_pipe(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static int make_pipes(int output[2], int errors[2], struct err *err)
{
	if (pipe2(output, O_CLOEXEC))
		return err_set(err, "pipe: %s", strerror(errno));
	if (pipe2(errors, O_CLOEXEC)) {
		err_set(err, "pipe: %s", strerror(errno));
		close_pipe(output);
		return -1;
	}
	fcntl(output[0], F_SETFL, O_NONBLOCK);
	fcntl(errors[0], F_SETFL, O_NONBLOCK);
	return 0;
}

int checker_start(
	struct checker *checker, const char *program, const struct checker_wish *wish, struct err *err)
{
	cleanup(free_ptr) char *own = program ? xstrdup(program) : os_own_path();
	const char *args[MAX_ARGS];
	char *made[3];
	int output[2] = {-1, -1}, errors[2] = {-1, -1};
	if (!own)
		return err_set(err, "this program's own path is not known");
	if (make_pipes(output, errors, err))
		return -1;
	fill_args(args, made, own, wish);
	int error = spawn(&checker->pid, args, output[1], errors[1]);
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		free(made[i]);
	if (error) {
		close_pipe(output);
		close_pipe(errors);
		checker->pid = 0;
		return err_set(err, "%s: %s", own, strerror(error));
	}
	close(output[1]);
	close(errors[1]);
	checker->fd = output[0];
	checker->errors_fd = errors[0];
	checker->output.max = REPORT_MAX_BYTES;
	checker->deadline =
		deadline_in_ms((wish->deep ? DEEP_SECONDS : CHECK_SECONDS) * 1000 + GRACE_MS);
	return 0;
}

/* The first line of what it said on standard error, printable; false when it said nothing. */
static bool take_complaint(const struct checker *checker, struct err *err)
{
	char text[400];
	ssize_t got = read(checker->errors_fd, text, sizeof text - 1);
	size_t len = got > 0 ? (size_t)got : 0;
	text[len] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f)
			*at = '?';
	if (*text)
		err_set(err, "%s", text);
	return *text != '\0';
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
		bad = err_set(err, "it did not end in time");
	}
	if (!bad && !checker->output.len && take_complaint(checker, err))
		bad = -1;
	if (!bad)
		bad = parse_report(&checker->output, report, err);
	checker_stop(checker);
	return bad ? CHECKER_FAILED : CHECKER_DONE;
}

void checker_stop(struct checker *checker)
{
	if (checker->fd >= 0) {
		close(checker->fd);
		close(checker->errors_fd);
	}
	if (checker->pid) {
		/* Its output has ended, so it has too, or it is past its time: waiting is short. */
		kill(checker->pid, SIGKILL);
		while (waitpid(checker->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	buf_free(&checker->output);
	checker_init(checker);
}
