#include "os/wait.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int cancel_init(struct cancel *cancel)
{
	cancel->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return cancel->fd < 0 ? -1 : 0;
}

void cancel_fire(const struct cancel *cancel)
{
	uint64_t one = 1;
	while (write(cancel->fd, &one, sizeof one) < 0 && errno == EINTR)
		continue;
}

bool cancel_fired(const struct cancel *cancel)
{
	struct pollfd fd = {.fd = cancel ? cancel->fd : -1, .events = POLLIN};
	return poll(&fd, 1, 0) > 0;
}

void cancel_fini(struct cancel *cancel)
{
	if (cancel->fd >= 0)
		close(cancel->fd);
	cancel->fd = -1;
}

enum wait_result wait_fds(
	struct pollfd *fds, size_t count, struct deadline deadline, const struct cancel *cancel)
{
	fds[count] = (struct pollfd){.fd = cancel ? cancel->fd : -1, .events = POLLIN};
	for (;;) {
		int ready = poll(fds, count + 1, deadline_left_ms(deadline));
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0)
			return WAIT_ERROR;
		if (fds[count].revents)
			return WAIT_CANCELLED;
		return ready ? WAIT_READY : WAIT_TIMEOUT;
	}
}

enum wait_result wait_fd(
	int fd, short events, struct deadline deadline, const struct cancel *cancel)
{
	struct pollfd fds[2] = {{.fd = fd, .events = events}};
	return wait_fds(fds, 1, deadline, cancel);
}
