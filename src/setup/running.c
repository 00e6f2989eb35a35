/*
 * The agent as a process: stopped, started, and watched until its hub has seen it.
 *
 * The happy path: the manager starts it, it writes status.json, and that says online under the
 * number of the process that holds the agent's lock. Its folder is watched, so that nothing waits
 * longer than the agent takes.
 *
 * Failure modes: the manager says no; it does not end in time; it does not start or ends again; it
 * runs and gets no session (its own finding says why); its hub has removed this machine.
 */
#include "agent/lock.h"
#include "agent/membership.h"
#include "agent/status.h"
#include "base/file.h"
#include "base/json.h"
#include "setup/parts.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define ONLINE_MS  60000 /* a hub that is busy says so, and the agent comes again */
#define LOOK_MS    500   /* where the folder cannot be watched */
#define END_MS     50
#define STOP_TRIES 4

pid_t agent_running(const struct setup *setup)
{
	pid_t pid = lock_holder(&setup->paths);
	return pid > 0 ? pid : 0;
}

bool agent_is_current(const struct setup *setup, pid_t pid)
{
	char link[64];
	struct stat runs, stands;
	snprintf(link, sizeof link, "/proc/%ld/exe", (long)pid);
	return stat(link, &runs) == 0 && stat(setup->program, &stands) == 0 &&
		   runs.st_dev == stands.st_dev && runs.st_ino == stands.st_ino;
}

/* A manager that has no file of it knows nothing of it. */
static bool is_managed(const struct setup *setup)
{
	cleanup(free_ptr) char *file = service_file(setup->manager, SERVICE_NAME, setup->options->root);
	return setup->packaged || (file && file_exists(file));
}

/* A manager that is still starting it (supervise-daemon(8) goes on by itself) cannot stop it yet.
 */
static int tell_to_stop(struct setup *setup, struct err *err)
{
	int rc = 0;
	for (int tries = 0; tries < STOP_TRIES && is_managed(setup); tries++) {
		rc = service_do(setup->manager, SERVICE_STOP, SERVICE_NAME, NULL, err);
		if (rc == 0)
			break;
		wait_fd(-1, 0, deadline_in_ms(LOOK_MS), NULL);
	}
	return rc;
}

int agent_stop(struct setup *setup, struct err *err)
{
	struct deadline deadline = deadline_in_ms(STOP_MS);
	int rc = tell_to_stop(setup, err);
	pid_t pid = agent_running(setup);
	if (rc && pid)
		return -1;
	/* One that somebody started by hand, or that no manager has. */
	if (pid)
		kill(pid, SIGTERM);
	while (agent_running(setup)) {
		if (!deadline_left_ms(deadline))
			return err_set(err, "the agent (process %ld) does not end", (long)pid);
		wait_fd(-1, 0, deadline_sooner(deadline, deadline_in_ms(END_MS)), NULL);
	}
	return 0;
}

int agent_start(struct setup *setup, const struct cancel *cancel, struct err *err)
{
	const char *root = setup->options->root;
	if (setup->manager->file)
		return service_do(setup->manager, SERVICE_START, SERVICE_NAME, cancel, err);
	return service_start_detached(
		(const char *const[]){setup->program, "agent", root ? "--root" : NULL, root, NULL}, err);
}

/* --- online --------------------------------------------------------------------------------------
 */

/* What the running agent says of itself; NULL while it says nothing. A new reference. */
static json_t *read_status(const struct setup *setup)
{
	pid_t pid = agent_running(setup);
	json_t *status = pid ? status_load(&setup->paths, NULL) : NULL;
	if (status && json_get_int(status, "pid", 0) != pid)
		json_drop(&status);
	return status;
}

static bool says(const json_t *status, const char *state)
{
	const char *said = json_get_text(status, "state");
	return said && strcmp(said, state) == 0;
}

bool agent_is_online(const struct setup *setup)
{
	cleanup(json_drop) json_t *status = read_status(setup);
	return says(status, "online");
}

static void tell_cause(struct setup *setup, const json_t *status, char **told)
{
	const char *sentence = json_get_text(status, "sentence");
	if (!sentence || (*told && strcmp(*told, sentence) == 0))
		return;
	free(*told);
	*told = xstrdup(sentence);
	setup->options->say(setup->options->data,
		&(struct setup_event){
			.stage = INSTALL_ONLINE, .state = "working", .step = "wait", .sentence = sentence});
}

static int fail_offline(struct setup *setup)
{
	cleanup(json_drop) json_t *status = read_status(setup);
	const char *sentence = json_get_text(status, "sentence");
	const char *remedy = json_get_text(status, "remedy");
	const char *cause = json_get_text(status, "cause");
	if (cancel_fired(setup->options->cancel))
		return setup_fail_by(setup, OUTCOME_CANCELLED, "reason", "called off");
	if (!status)
		return setup_fail(
			setup, 0, "the agent was started and does not run; %s may tell why", setup->paths.log);
	if (!sentence)
		return setup_fail(
			setup, 0, "the agent runs and has no session within %d s", ONLINE_MS / 1000);
	if (cause)
		evidence_add(&setup->report->evidence, "cause", "%s", cause);
	if (remedy)
		evidence_add(&setup->report->evidence, "remedy", "%s", remedy);
	return setup_fail_by(setup, OUTCOME_NO_WAY, "sentence", "%s", sentence);
}

/* Once: the hub has removed this machine, and with a token it comes again under a new key. */
static int join_again(struct setup *setup, const json_t *status)
{
	if (!says(status, "revoked") || !setup->options->token || setup->joined_now)
		return 0;
	return belong_join(setup);
}

int agent_wait_online(struct setup *setup)
{
	struct deadline deadline = deadline_in_ms(ONLINE_MS);
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), rc = 0;
	cleanup(free_ptr) char *told = NULL;
	if (fd >= 0)
		inotify_add_watch(fd, setup->paths.state_dir, IN_MOVED_TO | IN_CLOSE_WRITE);
	setup->stage = INSTALL_ONLINE;
	setup_say(setup, "wait");
	for (;;) {
		char events[4096];
		cleanup(json_drop) json_t *status = read_status(setup);
		bool online = says(status, "online");
		if (online || (rc = join_again(setup, status)))
			break;
		tell_cause(setup, status, &told);
		enum wait_result waited = wait_fd(
			fd, POLLIN, deadline_sooner(deadline, deadline_in_ms(LOOK_MS)), setup->options->cancel);
		if (waited == WAIT_CANCELLED || !deadline_left_ms(deadline)) {
			rc = fail_offline(setup);
			break;
		}
		while (waited == WAIT_READY && read(fd, events, sizeof events) > 0)
			continue;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}
