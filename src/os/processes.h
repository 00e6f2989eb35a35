/*
 * Ending what a script has left behind.
 *
 * Both look at every process that this one may see, and send SIGKILL to those that fit. A process
 * that forks at this very moment may escape one pass: the caller repeats until none is left.
 */
#ifndef OS_PROCESSES_H
#define OS_PROCESSES_H

#include <stddef.h>
#include <sys/types.h>

/* All descendants of a process, but not itself. Returns how many there were. */
size_t processes_end_below(pid_t ancestor);
/* All whose environment at their start held this line, "NAME=value". Returns how many. */
size_t processes_end_marked(const char *line);

#endif
