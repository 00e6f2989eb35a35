/*
 * The happy path: one row fits this system, and each verb is one command of the manager.
 *
 * Failure modes: the command is missing, says no (its exit code is told), or takes too long.
 *
 * SysV init has three ways of enabling: update-rc.d (Debian), chkconfig (Red Hat), and links made
 * by hand where neither is there. Process 1 tells it from a container, which has the same folders
 * and starts none of them.
 */
#include "os/service_install.h"

#include "base/file.h"
#include "os/child.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERB_MS    60000 /* stopping waits for the program's end */
#define MAX_OUTPUT ((size_t)64 * 1024)
#define MAX_COMM   64

#define LINKS "for level in /etc/rc[2345].d /etc/rc.d/rc[2345].d; do [ -d $level ] || continue; "
#define SYSV_START                                                                                 \
	{                                                                                              \
		"/etc/init.d/@", "start"                                                                   \
	}
#define SYSV_STOP                                                                                  \
	{                                                                                              \
		"/etc/init.d/@", "stop"                                                                    \
	}

static const struct service_manager managers[] = {
	{.id = "systemd",
		.file = "/etc/systemd/system/@.service",
		.mode = 0644,
		.folder = "/run/systemd/system", /* sd_booted(3) */
		.program = "systemctl",
		.enabled = "/etc/systemd/system/*.wants/@.service",
		.verbs = {[SERVICE_RELOAD] = {"systemctl", "daemon-reload"},
			[SERVICE_ENABLE] = {"systemctl", "enable", "@.service"},
			[SERVICE_DISABLE] = {"systemctl", "disable", "@.service"},
			[SERVICE_START] = {"systemctl", "start", "@.service"},
			[SERVICE_STOP] = {"systemctl", "stop", "@.service"}}},
	{.id = "openrc",
		.file = "/etc/init.d/@",
		.mode = 0755,
		.folder = "/run/openrc",
		.program = "rc-update",
		.enabled = "/etc/runlevels/*/@",
		/* It sees by itself only what is a second younger than what it has cached. */
		.verbs = {[SERVICE_RELOAD] = {"rc-update", "--update"},
			[SERVICE_ENABLE] = {"rc-update", "add", "@", "default"},
			[SERVICE_DISABLE] = {"rc-update", "--all", "del", "@"},
			[SERVICE_START] = {"rc-service", "@", "start"},
			[SERVICE_STOP] = {"rc-service", "@", "stop"}}},
	{.id = "sysv",
		.file = "/etc/init.d/@",
		.mode = 0755,
		.folder = "/etc/init.d",
		.first_process = "init",
		.program = "update-rc.d",
		.enabled = "/etc/rc?.d/S??@",
		.verbs = {[SERVICE_ENABLE] = {"update-rc.d", "@", "defaults"},
			[SERVICE_DISABLE] = {"update-rc.d", "-f", "@", "remove"},
			[SERVICE_START] = SYSV_START,
			[SERVICE_STOP] = SYSV_STOP}},
	{.id = "sysv",
		.file = "/etc/init.d/@",
		.mode = 0755,
		.folder = "/etc/init.d",
		.first_process = "init",
		.program = "chkconfig",
		.enabled = "/etc/rc.d/rc?.d/S??@",
		.verbs = {[SERVICE_ENABLE] = {"chkconfig", "--add", "@"},
			[SERVICE_DISABLE] = {"chkconfig", "--del", "@"},
			[SERVICE_START] = SYSV_START,
			[SERVICE_STOP] = SYSV_STOP}},
	{.id = "sysv",
		.file = "/etc/init.d/@",
		.mode = 0755,
		.folder = "/etc/rc3.d",
		.first_process = "init",
		.enabled = "/etc/rc?.d/S??@",
		.verbs = {[SERVICE_ENABLE] = {"sh", "-c",
					  LINKS "ln -sf /etc/init.d/@ $level/S95@ || exit 1; done"},
			[SERVICE_DISABLE] = {"sh", "-c", LINKS "rm -f $level/S95@ || exit 1; done"},
			[SERVICE_START] = SYSV_START,
			[SERVICE_STOP] = SYSV_STOP}},
	{.id = "none"},
};

static const char *const verb_names[SERVICE_VERB_COUNT] = {
	[SERVICE_RELOAD] = "read",
	[SERVICE_ENABLE] = "enable",
	[SERVICE_DISABLE] = "disable",
	[SERVICE_START] = "start",
	[SERVICE_STOP] = "stop",
};

static bool first_process_is(const char *name)
{
	cleanup(buf_free) struct buf comm = {0};
	if (file_read("/proc/1/comm", MAX_COMM, &comm, NULL))
		return false;
	size_t len = strcspn(buf_text(&comm), "\n");
	return len == strlen(name) && strncmp(buf_text(&comm), name, len) == 0;
}

static bool is_here(const struct service_manager *manager)
{
	cleanup(free_ptr) char *program = manager->program ? child_find(manager->program) : NULL;
	return (!manager->folder || file_exists(manager->folder)) && (!manager->program || program) &&
		   (!manager->first_process || first_process_is(manager->first_process));
}

const struct service_manager *service_manager_here(const char *root)
{
	const struct service_manager *manager = managers;
	if (root && *root)
		return &managers[ARRAY_LEN(managers) - 1];
	while (!is_here(manager))
		manager++;
	return manager;
}

const struct service_manager *service_manager_at(size_t row)
{
	return row < ARRAY_LEN(managers) ? &managers[row] : NULL;
}

/* The text with the name in place of every @. */
static char *with_name(const char *text, const char *name)
{
	struct buf out = {0};
	for (const char *at = text; *at; at++)
		if (*at == '@')
			buf_puts(&out, name);
		else
			buf_append(&out, at, 1);
	return out.data;
}

/* A word that is no path names a program of the system. NULL when this machine has none. */
static char *find_program(const char *word, const char *name)
{
	return *word == '/' ? with_name(word, name) : child_find(word);
}

static int run(const char *const words[], const char *name, const struct cancel *cancel,
	struct buf *output, struct err *err)
{
	char *argv[SERVICE_MAX_WORDS + 1] = {find_program(words[0], name)};
	int code = -1;
	for (size_t i = 1; i < SERVICE_MAX_WORDS && words[i]; i++)
		argv[i] = with_name(words[i], name);
	if (argv[0])
		code = child_run((const char *const *)argv, deadline_in_ms(VERB_MS), cancel, output, err);
	else
		err_set(err, "this machine has no %s", words[0]);
	for (size_t i = 0; i < ARRAY_LEN(argv); i++)
		free(argv[i]);
	return code;
}

int service_manager_version(const struct service_manager *manager)
{
	cleanup(buf_free) struct buf output = {.max = MAX_OUTPUT};
	if (!manager->program || run((const char *[SERVICE_MAX_WORDS]){manager->program, "--version"},
								 "", NULL, &output, NULL))
		return 0;
	const char *at = buf_text(&output) + strcspn(buf_text(&output), "0123456789");
	long number = strtol(at, NULL, 10);
	return number > 0 && number < 100000 ? (int)number : 0;
}

char *service_file(const struct service_manager *manager, const char *name, const char *root)
{
	if (!manager->file)
		return NULL;
	cleanup(free_ptr) char *path = with_name(manager->file, name);
	return file_under(root, path);
}

bool service_is_enabled(const struct service_manager *manager, const char *name, const char *root)
{
	if (!manager->enabled)
		return false;
	glob_t found;
	cleanup(free_ptr) char *pattern = with_name(manager->enabled, name);
	cleanup(free_ptr) char *below = file_under(root, pattern);
	int rc = glob(below, 0, NULL, &found);
	globfree(&found);
	return rc == 0;
}

/* What a program said last is what was wrong. */
static const char *last_line(struct buf *output)
{
	while (output->len && strchr("\n ", output->data[output->len - 1]))
		output->data[--output->len] = '\0';
	const char *line = strrchr(buf_text(output), '\n');
	return line ? line + 1 : buf_text(output);
}

int service_do(const struct service_manager *manager, enum service_verb verb, const char *name,
	const struct cancel *cancel, struct err *err)
{
	const char *const *words = manager->verbs[verb];
	cleanup(buf_free) struct buf output = {.max = MAX_OUTPUT};
	if (!words[0])
		return 0;
	int code = run(words, name, cancel, &output, err);
	/* rc-update(8) says no also after it has removed a service from all runlevels. */
	if (code > 0 && verb == SERVICE_DISABLE && !service_is_enabled(manager, name, NULL))
		return 0;
	if (code > 0)
		err_set(err, "%s ended with code %d when it was to %s the service%s%s", words[0], code,
			verb_names[verb], output.len ? ": " : "", last_line(&output));
	return code ? -1 : 0;
}

static int spawn_detached(const char *const argv[])
{
	static const char *const environment[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	pid_t pid;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	posix_spawn_file_actions_addchdir_np(&actions, "/");
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(
		&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int error = posix_spawn(
		&pid, argv[0], &actions, &attributes, (char *const *)argv, (char *const *)environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error;
}

/* From a child that ends at once, so that the program's parent is process 1. */
int service_start_detached(const char *const argv[], struct err *err)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		_exit(spawn_detached(argv) & 0xff);
	if (pid < 0)
		return err_set(err, "%s: %s", argv[0], strerror(errno));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, "%s: %s", argv[0], strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_set(err, "%s: %s", argv[0],
			WIFEXITED(status) ? strerror(WEXITSTATUS(status)) : "its starter was killed");
	return 0;
}
