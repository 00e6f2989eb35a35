#include "agent/self.h"

#include "os/os.h"
#include "os/wait.h"

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
	*self = (struct self){.fd = -1, .errors_fd = -1, .input_fd = -1};
}

/* The child's ends of the pipes; -1: it reads nothing. */
struct ends {
	int input, output, errors;
};

static int spawn(pid_t *pid, const char *const *args, const struct ends *ends)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	posix_spawn_file_actions_init(&actions);
	if (ends->input < 0)
		posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&actions, ends->input, 0);
	posix_spawn_file_actions_adddup2(&actions, ends->output, 1);
	posix_spawn_file_actions_adddup2(&actions, ends->errors, 2);
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

/* Closes it unless there is none. */
static void drop_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* One pipe, whose end that stays here never waits. */
static int make_pipe(int *here, int *there, bool read_here, struct err *err)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC))
		return err_set(err, "pipe: %s", strerror(errno));
	*here = fds[read_here ? 0 : 1];
	*there = fds[read_here ? 1 : 0];
	fcntl(*here, F_SETFL, O_NONBLOCK);
	return 0;
}

static int start(
	struct self *self, const char *program, const char *const *args, bool talking, struct err *err)
{
	cleanup(free_ptr) char *own = program ? xstrdup(program) : os_own_path();
	const char *all[MAX_ARGS + 2] = {own};
	struct ends ends = {-1, -1, -1};
	for (size_t i = 0; i < MAX_ARGS && args[i]; i++)
		all[i + 1] = args[i];
	if (!own)
		return err_set(err, "this program's own path is not known");
	int bad = make_pipe(&self->fd, &ends.output, true, err) ||
			  make_pipe(&self->errors_fd, &ends.errors, true, err) ||
			  (talking && make_pipe(&self->input_fd, &ends.input, false, err));
	int error = bad ? 0 : spawn(&self->pid, all, &ends);
	if (error)
		bad = err_set(err, "%s: %s", own, strerror(error));
	drop_fd(&ends.input);
	drop_fd(&ends.output);
	drop_fd(&ends.errors);
	if (!bad)
		return 0;
	self->pid = 0;
	self_end(self);
	return -1;
}

int self_start(struct self *self, const char *program, const char *const *args, struct err *err)
{
	return start(self, program, args, false, err);
}

int self_start_talking(
	struct self *self, const char *program, const char *const *args, struct err *err)
{
	return start(self, program, args, true, err);
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

void self_close_input(struct self *self)
{
	drop_fd(&self->input_fd);
}

void self_finish(struct self *self, struct deadline deadline)
{
	char bytes[4096];
	self_close_input(self);
	while (self->pid && wait_fd(self->fd, POLLIN, deadline, NULL) == WAIT_READY) {
		ssize_t got = read(self->fd, bytes, sizeof bytes);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			break;
	}
	self_end(self);
}

void self_end(struct self *self)
{
	drop_fd(&self->input_fd);
	drop_fd(&self->fd);
	drop_fd(&self->errors_fd);
	if (self->pid) {
		/* Its output has ended, so it has too, or it is past its time: waiting is short. */
		kill(self->pid, SIGKILL);
		while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	self_init(self);
}
