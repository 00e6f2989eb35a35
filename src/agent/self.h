/*
 * This very program, run as a child: its commands do what would cost the service time or memory.
 *
 * self_start(), read from both descriptors without waiting, self_end(). Nothing secret may
 * stand among the arguments; it may be written to a child that self_start_talking() started.
 */
#ifndef AGENT_SELF_H
#define AGENT_SELF_H

#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct self {
	pid_t pid;     /* 0: none runs */
	int fd;        /* its output; -1: none runs */
	int errors_fd; /* its complaints; -1: none runs */
	int input_fd;  /* what it reads, never waiting; -1: it reads nothing */
};

void self_init(struct self *self);
/* program: NULL for this one. args is NULL-terminated and begins behind the program's name. */
int self_start(struct self *self, const char *program, const char *const *args, struct err *err);
/* The same, with an input_fd. SIGPIPE must be ignored. */
int self_start_talking(
	struct self *self, const char *program, const char *const *args, struct err *err);
/* The first line of what it said on standard error, printable; false when it said nothing. */
bool self_complaint(const struct self *self, struct err *err);
void self_close_input(struct self *self);
/* Ends its input and waits until it has ended, or the deadline has passed; then self_end(). */
void self_finish(struct self *self, struct deadline deadline);
/* Ends it when it still runs. */
void self_end(struct self *self);

#endif
