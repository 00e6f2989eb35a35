#include "agent/self.h"

#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ARGS 14

extern char **environ;

void self_init(struct self *self)
{
	*self = (struct self){.fd = -1, .errors_fd = -1};
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

int self_start(struct self *self, const char *program, const char *const *args, struct err *err)
{
	cleanup(free_ptr) char *own = program ? xstrdup(program) : os_own_path();
	const char *all[MAX_ARGS + 2] = {own};
	int output[2] = {-1, -1}, errors[2] = {-1, -1};
	for (size_t i = 0; i < MAX_ARGS && args[i]; i++)
		all[i + 1] = args[i];
	if (!own)
		return err_set(err, "this program's own path is not known");
	if (make_pipes(output, errors, err))
		return -1;
	int error = spawn(&self->pid, all, output[1], errors[1]);
	close(output[1]);
	close(errors[1]);
	self->fd = output[0];
	self->errors_fd = errors[0];
	if (!error)
		return 0;
	self->pid = 0;
	self_end(self);
	return err_set(err, "%s: %s", own, strerror(error));
}

bool self_complaint(const struct self *self, struct err *err)
{
	char text[400];
	ssize_t got = read(self->errors_fd, text, sizeof text - 1);
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

void self_end(struct self *self)
{
	if (self->fd >= 0) {
		close(self->fd);
		close(self->errors_fd);
	}
	if (self->pid) {
		/* Its output has ended, so it has too, or it is past its time: waiting is short. */
		kill(self->pid, SIGKILL);
		while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	self_init(self);
}
