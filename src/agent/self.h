/*
 * This very program, run as a child: its commands do what would cost the service time or memory.
 *
 * self_start(), read from both descriptors without waiting, self_end(). Nothing secret may
 * stand among the arguments.
 */
#ifndef AGENT_SELF_H
#define AGENT_SELF_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct self {
	pid_t pid;     /* 0: none runs */
	int fd;        /* its output; -1: none runs */
	int errors_fd; /* its complaints; -1: none runs */
};

void self_init(struct self *self);
/* program: NULL for this one. args is NULL-terminated and begins behind the program's name. */
int self_start(struct self *self, const char *program, const char *const *args, struct err *err);
/* The first line of what it said on standard error, printable; false when it said nothing. */
bool self_complaint(const struct self *self, struct err *err);
/* Ends it when it still runs. */
void self_end(struct self *self);

#endif
