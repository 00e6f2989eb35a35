/*
 * `sallyport logs`: prints connector.log with its rotated parts, the oldest first; with --follow
 * the last lines, and then what is written. Its verbs make a support bundle (logs_bundle.c).
 *
 * Failure modes: no right to read (use sudo), no log yet (said; --follow waits for it), no folder.
 */
#include "agent/support/tail.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/logs.h"
#include "os/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OLDEST     5
#define TAIL_LINES 10

static const struct cli_option options[] = {
	[LOGS_FOLLOW] = {"follow", NULL, "print the last lines, then what is written, until Ctrl-C"},
	[LOGS_ID] = {"id", "ID", "with send: the hub's id for the bundle that it asked for"},
	{0}};

static int complain(const char *path, int error)
{
	const char *hint = error == EACCES   ? " (use sudo)"
					   : error == ENOENT ? ": the service has not run here yet"
										 : "";
	fprintf(stderr, "sallyport logs: %s: %s%s\n", path, strerror(error), hint);
	return 1;
}

static int print(void *data, const char *bytes, size_t len)
{
	(void)data;
	return fwrite(bytes, 1, len, stdout) == len ? 0 : -1;
}

static int copy_out(int fd)
{
	char chunk[8192];
	ssize_t got;
	while ((got = read(fd, chunk, sizeof chunk)) > 0)
		if (print(NULL, chunk, (size_t)got))
			return -1;
	return fflush(stdout) ? -1 : 0;
}

static int print_all(const struct cli_args *args, const struct agent_paths *paths)
{
	(void)args;
	for (int n = OLDEST; n >= 0; n--) {
		cleanup(free_ptr) char *path = n ? xasprintf("%s.%d", paths->log, n) : xstrdup(paths->log);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && (n == 0 || errno != ENOENT))
			return complain(path, errno);
		if (fd < 0)
			continue;
		int bad = copy_out(fd);
		close(fd);
		if (bad)
			return complain("standard output", errno);
	}
	return 0;
}

static int follow(const struct agent_paths *paths)
{
	struct tail tail;
	struct err err;
	if (tail_open(&tail, paths, TAIL_LINES, &err))
		return complain(errno == ENOENT ? paths->log_dir : paths->log, errno);
	while (tail_read(&tail, print, NULL) == 0 && fflush(stdout) == 0)
		wait_fd(tail_fd(&tail), POLLIN, deadline_never(), NULL);
	int error = errno;
	tail_close(&tail);
	return complain(paths->log, error);
}

static const struct {
	const char *word;
	int operands; /* behind the word */
	const char *wanted;
	int (*run)(const struct cli_args *args, const struct agent_paths *paths);
} verbs[] = {
	{"print", 0, "nothing", print_all},
	{"bundle", 1, "the file to make", logs_bundle},
	{"send", 0, "nothing", logs_send},
};

static int run_verb(const struct cli_args *args, const struct agent_paths *paths)
{
	const char *word = args->operand_count ? args->operands[0] : "print";
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].word, word) != 0)
			continue;
		if (args->operand_count && args->operand_count - 1 != verbs[i].operands)
			return cli_usage_error("%s: %s was expected", word, verbs[i].wanted);
		return verbs[i].run(args, paths);
	}
	return cli_usage_error("bundle FILE or send was expected, not \"%s\"", word);
}

static int run(const struct cli_args *args)
{
	struct agent_paths paths;
	if (args->values[LOGS_FOLLOW] && args->operand_count)
		return cli_usage_error("--follow: not with %s", args->operands[0]);
	paths_init(&paths, args->root);
	int rc = args->values[LOGS_FOLLOW] ? follow(&paths) : run_verb(args, &paths);
	paths_free(&paths);
	return rc;
}

const struct cli_command command_logs = {
	.name = "logs",
	.operands = "[bundle FILE|send]",
	.operands_max = 2,
	.summary = "print the agent's log, connector.log; make or send a support bundle",
	.details =
		"The rotated parts come first, so that the whole is in order. It holds no secret.\n"
		"\n"
		"bundle saves a support bundle to FILE, to be looked at or mailed: the log, status, the\n"
		"latest check, the inventory and the configuration without secrets; manifest.json in it\n"
		"lists every member and what was left out.\n"
		"\n"
		"send makes one and sends it to the hub's upload endpoint, also when the session cannot "
		"be\n"
		"had.",
	.example = "  sudo sallyport logs | tail -20\n"
			   "  sudo sallyport logs --follow\n"
			   "  sudo sallyport logs bundle support.tar.gz\n"
			   "  sudo sallyport logs send",
	.options = options,
	.run = run,
};
