/*
 * The happy path: lock, read state and spec, prepare the script, write "running" (on the disk
 * before the script starts), start it, copy its output until it ends, write how it ended, go.
 *
 * Failure modes: another supervisor holds the lock or the attempt was begun before (nothing is
 * done); the spec no longer verifies, there is no such user or interpreter (the run has failed,
 * nothing was begun); "running" cannot be written (nothing is begun, the agent tries again); the
 * script does not end in time or is cancelled (SIGTERM to its group, 10 s later SIGKILL to all that
 * it started); its end cannot be written (the bytes set aside are given back, then again every few
 * seconds until it can); SIGTERM (the machine goes down: the script is ended and no result written,
 * so that it counts as interrupted); killed (likewise; the script dies with it).
 */
#include "agent/runs/supervisor.h"

#include "agent/runs/journal.h"
#include "agent/runs/output.h"
#include "agent/runs/script.h"
#include "agent/state.h"
#include "base/clock.h"
#include "base/file.h"
#include "os/boot.h"
#include "os/processes.h"
#include "os/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define DRAIN_MS   1000 /* for output that comes after the script itself has ended */
#define NEWS_MS    250  /* between two words to the agent about output */
#define KILL_MS    50   /* between two looks for what is still to be killed */
#define LOCK_MS    20
#define LOCK_TRIES 50
#define AGAIN_MS   5000 /* between two tries to write the end */

int64_t supervise_grace_ms = 10000;

/* Why the script is being ended. */
enum ending { ENDING_NOT, ENDING_TIMEOUT, ENDING_CANCEL, ENDING_SHUTDOWN };

struct supervisor {
	const struct agent_paths *paths;
	const char *root;
	const char *run;
	int lock, news, call, signals;
	struct job job;
	struct run_state state;
	struct script script;
	struct output output;
	int pipe;  /* from the script; -1: it has ended */
	pid_t pid; /* of the script; 0: it has ended */
	int wait_status;
	enum ending ending;
	struct deadline deadline; /* of the script; then of its grace */
	struct deadline drained;
	struct deadline news_at;
	bool news_owed;
	bool killing;
};

/* --- words to the agent ----------------------------------------------------------------------- */

static void say_news(struct supervisor *it)
{
	ssize_t ignored = write(it->news, "", 1); /* full means that it has not looked yet */
	(void)ignored;
	it->news_owed = false;
	it->news_at = deadline_in_ms(NEWS_MS);
}

static void drain(int fd)
{
	char bytes[64];
	while (read(fd, bytes, sizeof bytes) > 0)
		continue;
}

/* --- ending the script ------------------------------------------------------------------------ */

static void begin_ending(struct supervisor *it, enum ending why)
{
	if (it->ending || !it->pid)
		return;
	it->ending = why;
	it->deadline = deadline_in_ms(supervise_grace_ms);
	kill(-it->pid, SIGTERM);
}

static void look_for_cancel(struct supervisor *it)
{
	drain(it->call);
	if (journal_cancelled(it->paths, it->run))
		begin_ending(it, ENDING_CANCEL);
}

static void on_deadline(struct supervisor *it)
{
	if (!it->ending) {
		begin_ending(it, ENDING_TIMEOUT);
		return;
	}
	it->killing = true;
}

/* Of the script and of whatever it has left: this process is their reaper. False when none is left.
 */
static bool reap(struct supervisor *it)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != it->pid)
			continue;
		it->pid = 0;
		it->wait_status = status;
		it->drained = deadline_in_ms(DRAIN_MS);
	}
	return pid == 0;
}

static void take_signals(struct supervisor *it)
{
	struct signalfd_siginfo info;
	while (read(it->signals, &info, sizeof info) == (ssize_t)sizeof info)
		if (info.ssi_signo == SIGTERM)
			begin_ending(it, ENDING_SHUTDOWN);
}

/* --- while it runs ---------------------------------------------------------------------------- */

/* One piece at a time, so that a script that never stops writing is still ended on time. */
static void copy_output(struct supervisor *it)
{
	char chunk[65536];
	ssize_t got = read(it->pipe, chunk, sizeof chunk);
	if (got > 0) {
		output_write(&it->output, chunk, (size_t)got);
		it->news_owed = true;
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(it->pipe);
		it->pipe = -1;
	}
}

static struct deadline next_wake(const struct supervisor *it)
{
	struct deadline next = it->pid || it->ending ? it->deadline : it->drained;
	if (it->killing)
		next = deadline_in_ms(KILL_MS);
	return it->news_owed ? deadline_sooner(next, it->news_at) : next;
}

/* A script that ends by itself may leave something in the background; one that was ended may not.
 */
static bool is_over(const struct supervisor *it, bool descendants)
{
	if (it->pid)
		return false;
	if (it->ending)
		return !descendants;
	return it->pipe < 0 || !deadline_left_ms(it->drained);
}

static void watch(struct supervisor *it)
{
	struct pollfd fds[4];
	bool descendants = true;
	while (!is_over(it, descendants)) {
		fds[0] = (struct pollfd){.fd = it->pipe, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = it->call, .events = POLLIN};
		fds[2] = (struct pollfd){.fd = it->signals, .events = POLLIN};
		wait_fds(fds, 3, next_wake(it), NULL);
		if (it->pipe >= 0 && fds[0].revents)
			copy_output(it);
		if (fds[1].revents)
			look_for_cancel(it);
		take_signals(it);
		descendants = reap(it);
		if ((it->pid || it->ending) && !deadline_left_ms(it->deadline))
			on_deadline(it);
		if (it->killing && descendants)
			processes_end_below(getpid());
		if (it->news_owed && !deadline_left_ms(it->news_at))
			say_news(it);
	}
	while (it->pipe >= 0 && wait_fd(it->pipe, POLLIN, deadline_in_ms(0), NULL) == WAIT_READY &&
		   it->ending)
		copy_output(it);
}

/* --- how it ended ----------------------------------------------------------------------------- */

static void judge_exit(struct supervisor *it)
{
	struct run_state *state = &it->state;
	bool exited = WIFEXITED(it->wait_status);
	state->exit_code = exited ? WEXITSTATUS(it->wait_status) : 0;
	state->signal = exited ? 0 : WTERMSIG(it->wait_status);
	state->status = exited && !state->exit_code ? RUN_DONE : RUN_FAILED;
	if (!exited)
		run_set_reason(state, "it was ended by signal %d", (int)state->signal);
	else if (state->exit_code)
		run_set_reason(state, "it ended with exit code %d", (int)state->exit_code);
}

static void judge_reboot(struct supervisor *it)
{
	struct run_state *state = &it->state;
	bool after = it->job.reboot == JOB_REBOOT_AFTER && state->status == RUN_DONE;
	bool again = it->job.reboot == JOB_REBOOT_ON_REQUEST && state->exit_code == JOB_REBOOT_EXIT;
	if (!after && !again)
		return;
	if (again && state->attempt >= JOB_MAX_ATTEMPTS) {
		run_set_reason(state, "it asked for a restart for the %dth time", JOB_MAX_ATTEMPTS);
		return;
	}
	state->status = RUN_REBOOTING;
	state->again = again;
	run_set_reason(state, NULL);
}

static void judge(struct supervisor *it)
{
	judge_exit(it);
	if (it->ending == ENDING_TIMEOUT) {
		it->state.status = RUN_FAILED;
		run_set_reason(
			&it->state, "it did not end within %lld s and was ended", (long long)it->job.timeout_s);
	} else if (it->ending == ENDING_CANCEL) {
		it->state.status = RUN_CANCELLED;
		run_set_reason(&it->state, "it was ended because the hub asked for it");
	} else {
		judge_reboot(it);
	}
	if (it->output.unkept && !it->state.reason)
		run_set_reason(&it->state, "the disk is full: %lld bytes of its output are lost",
			(long long)it->output.unkept);
}

/* Until it stands on the disk: nobody else knows it. */
static void keep_end(struct supervisor *it)
{
	char when[CLOCK_TEXT_SIZE];
	struct err err;
	free(it->state.finished);
	it->state.finished = xstrdup(clock_rfc3339(time(NULL), when));
	while (journal_state_save(it->paths, it->run, &it->state, &err)) {
		journal_free_room(it->paths, it->run);
		if (journal_state_save(it->paths, it->run, &it->state, &err) == 0 ||
			!journal_has(it->paths, it->run)) /* this machine has left its hub */
			break;
		wait_fd(-1, 0, deadline_in_ms(AGAIN_MS), NULL);
	}
	/* This machine left its hub meanwhile, and nobody comes back for it. */
	if (!file_exists(it->paths->identity))
		journal_forget(it->paths, it->run);
	say_news(it);
}

static int refuse(struct supervisor *it, const struct err *err)
{
	it->state.status = RUN_FAILED;
	run_set_reason(&it->state, "%s", err->text);
	keep_end(it);
	return 0;
}

/* --- one attempt ------------------------------------------------------------------------------ */

static int note_begin(struct supervisor *it, struct err *err)
{
	char when[CLOCK_TEXT_SIZE], boot[BOOT_ID_SIZE];
	boot_id(it->root, boot);
	free(it->state.boot);
	it->state.boot = xstrdup(boot);
	if (!it->state.started)
		it->state.started = xstrdup(clock_rfc3339(time(NULL), when));
	it->state.status = RUN_RUNNING;
	return journal_state_save(it->paths, it->run, &it->state, err);
}

static int start(struct supervisor *it, struct err *err)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC))
		return err_set(err, "pipe: %s", strerror(errno));
	pid_t pid = script_start(&it->script, fds[1], err);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return -1;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	it->pipe = fds[0];
	it->pid = pid;
	it->deadline = deadline_in_ms(it->job.timeout_s * 1000);
	return 0;
}

/* Where the machine was not restarted, an attempt that lost its supervisor may have left more than
 * its first process, which died with it. */
static void clear_leftovers(const struct supervisor *it)
{
	cleanup(free_ptr) char *mark = script_mark(it->run);
	while (it->state.attempt > 1 && processes_end_marked(mark))
		wait_fd(-1, 0, deadline_in_ms(KILL_MS), NULL);
}

static int open_output(struct supervisor *it, struct err *err)
{
	cleanup(free_ptr) char *path = journal_file(it->paths, it->run, "output");
	if (output_open(&it->output, path, it->job.output_limit, err))
		return -1;
	if (it->state.attempt > 1) {
		cleanup(free_ptr) char *line = xasprintf("[attempt %lld]\n", (long long)it->state.attempt);
		output_write(&it->output, line, strlen(line));
	}
	return 0;
}

/* The agent waits for the end of this program's output, in case there is a complaint. */
static void let_go(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (null >= 0)
		close(null);
}

/* A complaint, for the agent's log. */
static int complain(const struct err *err)
{
	printf("%s\n", err->text);
	return 1;
}

static int attempt(struct supervisor *it)
{
	struct err err;
	clear_leftovers(it);
	if (script_prepare(&it->script, it->paths, &it->job, &it->state, &err))
		return refuse(it, &err);
	if (open_output(it, &err) || note_begin(it, &err))
		return complain(&err);
	let_go();
	say_news(it);
	if (start(it, &err)) {
		output_close(&it->output);
		return refuse(it, &err);
	}
	/* Asked for before this process listened. */
	look_for_cancel(it);
	watch(it);
	output_close(&it->output);
	it->state.dropped += it->output.dropped;
	if (it->ending == ENDING_SHUTDOWN)
		return 1;
	judge(it);
	keep_end(it);
	return 0;
}

static int load_job(struct supervisor *it, struct err *err)
{
	struct agent_state state;
	if (state_load(it->paths, &state, err) != STATE_LOADED)
		return -1;
	int rc = journal_job_load(it->paths, it->run, state.hub_key, &it->job, err);
	state_wipe(&state);
	return rc;
}

/* With the lock in hand. */
static int run_attempt(struct supervisor *it)
{
	struct err err;
	if (journal_state_load(it->paths, it->run, &it->state, &err))
		return complain(&err);
	if (it->state.status != RUN_QUEUED)
		return 0;
	if (journal_cancelled(it->paths, it->run)) {
		it->state.status = RUN_CANCELLED;
		run_set_reason(&it->state, "it was cancelled before it began");
		keep_end(it);
		return 0;
	}
	return load_job(it, &err) ? refuse(it, &err) : attempt(it);
}

/* --- the process ------------------------------------------------------------------------------ */

static int open_fifo(const struct supervisor *it, const char *name)
{
	cleanup(free_ptr) char *path = journal_file(it->paths, it->run, name);
	/* Both ways, so that opening neither waits nor fails when the agent is not there. */
	return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static int listen_to_signals(void)
{
	sigset_t set;
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* The agent holds the lock for moments, another supervisor for long. */
static int take_lock(const struct supervisor *it, struct err *err)
{
	int lock = -1;
	for (int i = 0; i < LOCK_TRIES && lock < 0; i++) {
		lock = journal_lock(it->paths, it->run, err);
		if (lock < 0 && errno != EAGAIN)
			break;
		if (lock < 0)
			wait_fd(-1, 0, deadline_in_ms(LOCK_MS), NULL);
	}
	if (lock < 0 && journal_locked(it->paths, it->run))
		errno = EAGAIN;
	return lock;
}

/* The FIFO is open before the lock is taken, so that whoever sees the lock held and has the other
 * end open will hear when this process is gone. */
static int supervise(const char *root, const struct agent_paths *paths, const char *run)
{
	struct supervisor it = {.paths = paths, .root = root, .run = run, .lock = -1, .pipe = -1};
	struct err err = {""};
	int code = 1;
	it.output.fd = -1;
	it.news = open_fifo(&it, "news");
	it.call = open_fifo(&it, "call");
	it.signals = listen_to_signals();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (it.news < 0 || it.call < 0 || it.signals < 0)
		code = complain((err_set(&err, "its FIFOs: %s", strerror(errno)), &err));
	else if ((it.lock = take_lock(&it, &err)) >= 0)
		code = run_attempt(&it);
	else if (errno == EAGAIN)
		code = 0;
	else
		code = complain(&err);
	script_remove(&it.script);
	job_free(&it.job);
	run_state_free(&it.state);
	return code;
}

static int run_command(const char *root, const char *run, bool stay)
{
	struct agent_paths paths;
	pid_t pid = stay ? 0 : fork();
	if (pid)
		return pid < 0 ? 1 : 0;
	setsid();
	paths_init(&paths, root);
	int code = supervise(root, &paths, run);
	paths_free(&paths);
	return code;
}

bool supervise_main(int argc, char **argv, int *code)
{
	const char *root = NULL, *run = NULL;
	bool stay = false;
	if (argc < 3 || strcmp(argv[1], SUPERVISE_COMMAND) != 0)
		return false;
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--stay") == 0)
			stay = true;
		else if (strncmp(argv[i], "--root=", strlen("--root=")) == 0)
			root = argv[i] + strlen("--root=");
		else
			run = argv[i];
	}
	*code = run && job_is_id(run) ? run_command(root, run, stay) : 1;
	return true;
}
