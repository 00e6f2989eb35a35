/*
 * timed: how long a program takes and how much memory it has at most.
 *
 *     timed RUNS PROGRAM [ARGUMENT...]
 *
 * Prints a line for each run: milliseconds, KiB at the peak (VmHWM), exit code. What the program
 * itself prints goes nowhere. A small program of its own, for the peak that the kernel tells holds
 * that of the process which started the program.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int run_once(char **argv)
{
	struct rusage usage;
	int status;
	double began = now_ms();
	pid_t pid = fork();
	if (pid == 0) {
		int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
		for (int fd = 0; fd < 3; fd++)
			dup2(nowhere, fd);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return -1;
	printf("%.3f %ld %d\n", now_ms() - began, usage.ru_maxrss,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: timed RUNS PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	for (long left = strtol(argv[1], NULL, 10); left > 0; left--)
		if (run_once(argv + 2))
			return 1;
	return 0;
}
