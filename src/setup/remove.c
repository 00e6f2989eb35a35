/*
 * The happy path: stop, disable, tell the hub, remove program, service, settings, state and log.
 *
 * Failure modes: a read-only file system (found before anything is touched); the hub cannot be told
 * (said, and the rest is done all the same); a package's agent (left to the package manager). Once
 * the hub was told there is no way back, so what follows is done to its end.
 */
#include "base/file.h"
#include "setup/parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail_removal(struct setup *setup, const char *text)
{
	return setup_fail_by(setup, OUTCOME_REMOVE_FAILED, "reason", "%s", text);
}

/* A folder of what is to be removed that cannot be written. */
static int check_writable(struct setup *setup, const char *path)
{
	cleanup(free_ptr) char *folder = xstrdup(path);
	*strrchr(folder, '/') = '\0';
	if (!file_exists(path) || access(*folder ? folder : "/", W_OK) == 0)
		return 0;
	if (errno == EROFS)
		return setup_fail_by(setup, OUTCOME_ROOT_READ_ONLY, "place", "%s", folder);
	cleanup(free_ptr) char *text = xasprintf("%s: %s", folder, strerror(errno));
	return fail_removal(setup, text);
}

static void remove_file(const char *path, struct err *err, int *rc)
{
	if (unlink(path) && errno != ENOENT)
		*rc = err_set(err, "%s: %s", path, strerror(errno));
}

/* Of every manager: this machine may have had another one when the agent was installed. */
static void remove_services(struct setup *setup, struct err *err, int *rc)
{
	const struct service_manager *manager;
	bool changed = false;
	for (size_t i = 0; (manager = service_manager_at(i)); i++) {
		cleanup(free_ptr) char *path = service_file(manager, SERVICE_NAME, setup->options->root);
		if (!path || !file_exists(path))
			continue;
		changed = true;
		remove_file(path, err, rc);
	}
	if (changed)
		service_do(setup->manager, SERVICE_RELOAD, SERVICE_NAME, NULL, NULL);
}

static int remove_files(struct setup *setup, struct err *err)
{
	int rc = 0;
	cleanup(free_ptr) char *beside = program_beside(setup);
	cleanup(free_ptr) char *proxy = setup_path(setup, PROXY_FILE);
	cleanup(free_ptr) char *settings = setup_path(setup, SETTINGS_DIR);
	remove_services(setup, err, &rc);
	remove_file(setup->program, err, &rc);
	remove_file(beside, err, &rc);
	remove_file(proxy, err, &rc);
	rmdir(settings); /* a hub's settings may stand there */
	if (tree_remove(setup->paths.state_dir, err) || tree_remove(setup->paths.scripts, err))
		rc = -1;
	if (!setup->options->keep_logs && tree_remove(setup->paths.log_dir, err))
		rc = -1;
	return rc;
}

static int stop(struct setup *setup)
{
	struct err err;
	setup_say(setup, "stop");
	if (agent_stop(setup, &err))
		return fail_removal(setup, err.text);
	if (service_is_enabled(setup->manager, SERVICE_NAME, setup->options->root) &&
		service_do(setup->manager, SERVICE_DISABLE, SERVICE_NAME, NULL, &err))
		return fail_removal(setup, err.text);
	return 0;
}

static void leave(struct setup *setup)
{
	struct err err;
	setup_say(setup, "leave");
	if (!belong_leave(setup, "", &err))
		return;
	setup->report->note = xasprintf("The hub could not be told: %s", err.text);
	setup->report->advice = xstrdup("Remove this machine in the hub's console.");
}

static bool is_anything_here(const struct setup *setup)
{
	cleanup(free_ptr) char *service =
		service_file(setup->manager, SERVICE_NAME, setup->options->root);
	return file_exists(setup->program) || file_exists(setup->paths.identity) ||
		   file_exists(setup->paths.state_dir) || (service && file_exists(service));
}

static int check_all_writable(struct setup *setup)
{
	cleanup(free_ptr) char *service =
		service_file(setup->manager, SERVICE_NAME, setup->options->root);
	return check_writable(setup, setup->program) || check_writable(setup, setup->paths.identity) ||
				   (service && check_writable(setup, service))
			   ? -1
			   : 0;
}

static void start_again(struct setup *setup, bool ran)
{
	if (ran)
		agent_start(setup, NULL, NULL);
}

static void remove_agent(struct setup *setup)
{
	struct err err;
	bool ran = agent_running(setup) != 0;
	setup->stage = INSTALL_SETUP;
	if (check_all_writable(setup))
		return;
	if (stop(setup) || cancel_fired(setup->options->cancel)) {
		start_again(setup, ran);
		setup_fail_by(setup, OUTCOME_CANCELLED, "reason", "called off");
		return;
	}
	leave(setup);
	setup_say(setup, "files");
	setup_note_continue(setup);
	if (remove_files(setup, &err)) {
		fail_removal(setup, err.text);
		return;
	}
	undo_commit(&setup->undo);
	setup->report->result = SETUP_REMOVED;
	setup->report->version[0] = '\0';
}

static void keep(struct setup *setup, enum outcome outcome)
{
	setup->report->result = SETUP_KEPT;
	setup->report->outcome = outcome;
}

void setup_remove(const struct setup_options *options, struct setup_report *report)
{
	struct setup setup;
	if (setup_begin(&setup, options, report) == 0) {
		existing_look(&setup);
		if (setup.packaged)
			keep(&setup, OUTCOME_AGENT_PACKAGED);
		else if (!is_anything_here(&setup))
			keep(&setup, OUTCOME_AGENT_ABSENT);
		else
			remove_agent(&setup);
	}
	setup_end(&setup);
}
