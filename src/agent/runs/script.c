/*
 * The happy path: look up the user, find the interpreter, write the file, fork; the child becomes
 * the user, enters the folder and executes; a pipe that closes on execution says that it did.
 *
 * Failure modes, each with a sentence and none of them begun: no such user, no such interpreter,
 * the file cannot be written, the user cannot be become, the folder cannot be entered, the
 * interpreter cannot be executed.
 */
#include "agent/runs/script.h"

#include "base/file.h"
#include "os/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What an interpreter is called and wants to be told before the script. */
static const struct {
	const char *names[2];  /* in the system's folders, the first that is there */
	const char *places[3]; /* other places where its packages put it */
	const char *before[4];
	const char *file;
} kinds[JOB_INTERPRETERS] = {
	[JOB_BASH] = {{"bash"}, {"/usr/local/bin/bash"}, {NULL}, "script"},
	[JOB_SH] = {{"sh"}, {NULL}, {NULL}, "script"},
	[JOB_PERL] = {{"perl"}, {"/usr/local/bin/perl"}, {NULL}, "script"},
	/* -u: its output comes as it is written */
	[JOB_PYTHON] = {{"python3", "python"}, {"/usr/local/bin/python3"}, {"-u"}, "script"},
	[JOB_PWSH] = {{"pwsh"},
		{"/usr/local/bin/pwsh", "/opt/microsoft/powershell/7/pwsh", "/snap/bin/pwsh"},
		{"-NoLogo", "-NoProfile", "-NonInteractive", "-File"}, "script.ps1"},
};

static char *find_interpreter(enum job_interpreter kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds[kind].names) && kinds[kind].names[i]; i++) {
		char *path = child_find(kinds[kind].names[i]);
		if (path)
			return path;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds[kind].places) && kinds[kind].places[i]; i++)
		if (access(kinds[kind].places[i], X_OK) == 0)
			return xstrdup(kinds[kind].places[i]);
	return NULL;
}

static int find_user(struct script *script, const char *name, struct err *err)
{
	errno = 0;
	const struct passwd *user = name ? getpwnam(name) : getpwuid(geteuid());
	if (!user && name && !errno)
		return err_set(err, "this machine has no user \"%s\"", name);
	if (!user && name)
		return err_set(err, "the user \"%s\" cannot be looked up: %s", name, strerror(errno));
	script->uid = user ? user->pw_uid : geteuid();
	script->gid = user ? user->pw_gid : getegid();
	script->user = xstrdup(user ? user->pw_name : "root");
	script->home = xstrdup(user && *user->pw_dir ? user->pw_dir : "/");
	return 0;
}

static void fill_argv(struct script *script, const struct job *job)
{
	size_t count = 0;
	script->argv = xcalloc(ARRAY_LEN(kinds[0].before) + job->arg_count + 3, sizeof(char *));
	script->argv[count++] = xstrdup(script->interpreter);
	for (size_t i = 0; i < ARRAY_LEN(kinds[0].before); i++)
		if (kinds[job->interpreter].before[i])
			script->argv[count++] = xstrdup(kinds[job->interpreter].before[i]);
	script->argv[count++] = xstrdup(script->file);
	for (size_t i = 0; i < job->arg_count; i++)
		script->argv[count++] = xstrdup(job->args[i]);
}

char *script_mark(const char *run)
{
	return xasprintf("SALLYPORT_RUN=%s", run);
}

/* What the job says wins over what is usual; job_check() keeps its names apart from SALLYPORT_*. */
static bool job_has(const struct job *job, const char *line)
{
	size_t len = strcspn(line, "=");
	for (size_t i = 0; i < job->env_count; i++)
		if (strlen(job->env[i].name) == len && strncmp(job->env[i].name, line, len) == 0)
			return true;
	return false;
}

static void fill_envp(struct script *script, const struct job *job, const struct run_state *state)
{
	char *const usual[] = {
		script_mark(job->run),
		xasprintf("SALLYPORT_ATTEMPT=%lld", (long long)state->attempt),
		xasprintf("SALLYPORT_REBOOTS=%lld", (long long)state->reboots),
		xstrdup("PATH=" PATH),
		xstrdup("LANG=C.UTF-8"),
		xasprintf("HOME=%s", script->home),
		xasprintf("USER=%s", script->user),
		xasprintf("LOGNAME=%s", script->user),
	};
	size_t count = 0;
	script->envp = xcalloc(ARRAY_LEN(usual) + job->env_count + 1, sizeof(char *));
	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		if (job_has(job, usual[i]))
			free(usual[i]);
		else
			script->envp[count++] = usual[i];
	}
	for (size_t i = 0; i < job->env_count; i++)
		script->envp[count++] = xasprintf("%s=%s", job->env[i].name, job->env[i].value);
}

static int write_script(const struct script *script, const char *text, struct err *err)
{
	size_t len = strlen(text);
	int fd = open(script->file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0700);
	if (fd < 0)
		return err_set(err, "%s: %s", script->file, strerror(errno));
	ssize_t written = write(fd, text, len);
	int rc = 0;
	if (written != (ssize_t)len || fchmod(fd, 0700) ||
		(script->uid != geteuid() && fchown(fd, script->uid, script->gid)))
		rc = err_set(err, "%s: %s", script->file,
			written >= 0 && written != (ssize_t)len ? "there is no room" : strerror(errno));
	close(fd);
	return rc;
}

static void remove_files(const struct script *script)
{
	if (script->file)
		unlink(script->file);
	if (script->folder)
		rmdir(script->folder);
}

static int make_file(
	struct script *script, const struct agent_paths *paths, const struct job *job, struct err *err)
{
	script->folder = xasprintf("%s/%s", paths->scripts, job->run);
	script->file = xasprintf("%s/%s", script->folder, kinds[job->interpreter].file);
	remove_files(script); /* of an attempt that was cut short */
	if (file_make_dirs(paths->scripts, 0711, err))
		return -1;
	if (mkdir(script->folder, 0700))
		return err_set(err, "%s: %s", script->folder, strerror(errno));
	if (script->uid != geteuid() && chown(script->folder, script->uid, script->gid))
		return err_set(err, "%s: %s", script->folder, strerror(errno));
	return write_script(script, job->script, err);
}

int script_prepare(struct script *script, const struct agent_paths *paths, const struct job *job,
	const struct run_state *state, struct err *err)
{
	*script = (struct script){.cwd = job->cwd};
	script->interpreter = find_interpreter(job->interpreter);
	if (!script->interpreter)
		return err_set(err,
			"this machine has no %s: it is in none of /usr/sbin, /usr/bin, /sbin, "
			"/bin and /usr/local/bin",
			job_interpreter_name(job->interpreter));
	if (find_user(script, job->user, err) || make_file(script, paths, job, err))
		return -1;
	fill_argv(script, job);
	fill_envp(script, job, state);
	return 0;
}

/* --- the child -------------------------------------------------------------------------------- */

enum step { STEP_USER, STEP_CWD, STEP_EXEC };

struct failure {
	enum step step;
	int error;
};

static void give_up(int report, enum step step)
{
	struct failure failure = {step, errno};
	ssize_t written = write(report, &failure, sizeof failure);
	_exit(written == (ssize_t)sizeof failure ? 126 : 127);
}

static int become(const struct script *script)
{
	if (geteuid() != 0)
		return script->uid == geteuid() ? 0 : (errno = EPERM, -1);
	return initgroups(script->user, script->gid) || setgid(script->gid) || setuid(script->uid);
}

static int enter(const struct script *script)
{
	if (script->cwd)
		return chdir(script->cwd);
	return chdir(script->home) ? chdir("/") : 0;
}

static void reset_signals(void)
{
	sigset_t none;
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run_child(const struct script *script, int output, int report, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY);
	setsid();
	reset_signals();
	umask(022);
	if (dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 || become(script))
		give_up(report, STEP_USER);
	/* After the change of user, which clears it. A script that nobody watches would be one of which
	 * nobody knows the end. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	if (enter(script))
		give_up(report, STEP_CWD);
	if (null > 2)
		close(null);
	execve(script->interpreter, script->argv, script->envp);
	give_up(report, STEP_EXEC);
}

static int tell_failure(const struct script *script, const struct failure *failure, struct err *err)
{
	const char *why = strerror(failure->error);
	switch (failure->step) {
	case STEP_USER:
		return err_set(err, "the user \"%s\" cannot be become: %s", script->user, why);
	case STEP_CWD:
		return err_set(
			err, "the folder %s cannot be entered: %s", script->cwd ? script->cwd : "/", why);
	case STEP_EXEC:
		break;
	}
	return err_set(err, "%s cannot be executed: %s", script->interpreter, why);
}

pid_t script_start(const struct script *script, int output, struct err *err)
{
	struct failure failure;
	int report[2];
	pid_t self = getpid();
	if (pipe2(report, O_CLOEXEC))
		return err_set(err, "pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0)
		run_child(script, output, report[1], self);
	close(report[1]);
	if (pid < 0) {
		close(report[0]);
		return err_set(err, "no process can be started: %s", strerror(errno));
	}
	ssize_t got;
	while ((got = read(report[0], &failure, sizeof failure)) < 0 && errno == EINTR)
		continue;
	close(report[0]);
	return got == (ssize_t)sizeof failure ? tell_failure(script, &failure, err) : pid;
}

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void script_remove(struct script *script)
{
	remove_files(script);
	free(script->user);
	free(script->home);
	free(script->folder);
	free(script->file);
	free(script->interpreter);
	free_list(script->argv);
	free_list(script->envp);
	*script = (struct script){0};
}
