/*
 * The happy path: spawn with a pipe as standard output, read to its end, wait for the process by
 * its pidfd, reap.
 *
 * Failure modes: it cannot be started; it writes more than the bound; the deadline passes or the
 * cancel fires while it writes or after; it ends by a signal. In each it is killed, where it still
 * runs, and reaped, so that nothing is left behind.
 */
#include "os/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASK_END_MS 5

char *child_find(const char *name)
{
	static const char *const folders[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin"};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		char *path = xasprintf("%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

static int spawn(const char *const argv[], int output, pid_t *pid)
{
	static const char *const environment[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int error = posix_spawn(
		pid, argv[0], &actions, &attributes, (char *const *)argv, (char *const *)environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error;
}

static int read_all(int fd, const char *name, struct deadline deadline, const struct cancel *cancel,
	struct buf *output, struct err *err)
{
	for (;;) {
		char chunk[4096];
		enum wait_result result = wait_fd(fd, POLLIN, deadline, cancel);
		if (result != WAIT_READY)
			return err_set(err, "%s %s", name,
				result == WAIT_TIMEOUT ? "took too long" : "was called off before it ended");
		ssize_t got = read(fd, chunk, sizeof chunk);
		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return err_set(err, "%s: %s", name, strerror(errno));
		if (got > 0 && buf_append(output, chunk, (size_t)got))
			return err_set(err, "%s wrote more than %zu bytes", name, output->max);
	}
}

/* True when it ended by itself in time. Kernels before 5.3 have no pidfd: there it is asked for. */
static bool wait_end(pid_t pid, struct deadline deadline, const struct cancel *cancel)
{
	siginfo_t info = {0};
	int fd = pidfd_open(pid, 0);
	if (fd >= 0) {
		bool ended = wait_fd(fd, POLLIN, deadline, cancel) == WAIT_READY;
		close(fd);
		return ended;
	}
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && !info.si_pid)
		if (!deadline_left_ms(deadline) ||
			wait_fd(-1, 0, deadline_sooner(deadline, deadline_in_ms(ASK_END_MS)), cancel) ==
				WAIT_CANCELLED)
			return false;
	return true;
}

/* Its output has ended; its exit follows at once, unless it means ill. */
static int reap(pid_t pid, const char *name, bool kill_it, struct deadline deadline,
	const struct cancel *cancel, struct err *err)
{
	int status = 0;
	if (kill_it || !wait_end(pid, deadline, cancel))
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, "%s: %s", name, strerror(errno));
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return err_set(err, "%s was ended by signal %d", name, WTERMSIG(status));
}

int child_run(const char *const argv[], struct deadline deadline, const struct cancel *cancel,
	struct buf *output, struct err *err)
{
	int fds[2];
	pid_t pid;
	if (pipe2(fds, O_CLOEXEC))
		return err_set(err, "pipe: %s", strerror(errno));
	int error = spawn(argv, fds[1], &pid);
	close(fds[1]);
	if (error) {
		close(fds[0]);
		return err_set(err, "%s: %s", argv[0], strerror(error));
	}
	int rc = read_all(fds[0], argv[0], deadline, cancel, output, err);
	close(fds[0]);
	int code = reap(pid, argv[0], rc != 0, deadline, cancel, rc ? NULL : err);
	return rc ? -1 : code;
}
