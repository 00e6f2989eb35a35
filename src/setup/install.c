/*
 * The happy path: look, folders, program, service, join, enable, start, wait until the hub has seen
 * it. What is as it should be already is left alone.
 *
 * Failure modes: those of each step. Whatever was changed is brought back, the latest first, and
 * what the report says is the first thing that went wrong.
 */
#include "setup/parts.h"

#include <errno.h>
#include <string.h>

static int join(struct setup *setup)
{
	return setup->joined == STATE_LOADED ? 0 : belong_join(setup);
}

static int enable(struct setup *setup)
{
	struct err err;
	const char *root = setup->options->root;
	if (!setup->manager->file || service_is_enabled(setup->manager, SERVICE_NAME, root))
		return 0;
	/* A package's unit may be enabled elsewhere than ours; saying so again costs nothing. */
	setup_say(setup, "enable");
	if (undo_note(&setup->undo, UNDO_SERVICE_ENABLED, NULL, &err))
		return setup_fail(setup, errno, "%s", err.text);
	setup->changed = true;
	if (service_do(setup->manager, SERVICE_ENABLE, SERVICE_NAME, setup->options->cancel, &err))
		return setup_fail(setup, 0, "%s", err.text);
	return 0;
}

/* A running agent that is an older file is stopped; its jobs go on. */
static int start(struct setup *setup)
{
	struct err err;
	pid_t pid = agent_running(setup);
	if (setup->options->no_start || (pid && !setup->restart && agent_is_current(setup, pid)))
		return 0;
	setup_say(setup, "start");
	if (undo_note(&setup->undo, UNDO_AGENT_STARTED, NULL, &err))
		return setup_fail(setup, errno, "%s", err.text);
	setup->changed = true;
	if ((pid && agent_stop(setup, &err)) || agent_start(setup, setup->options->cancel, &err))
		return setup_fail(setup, 0, "%s", err.text);
	return 0;
}

static int wait_online(struct setup *setup)
{
	return setup->options->no_start || agent_is_online(setup) ? 0 : agent_wait_online(setup);
}

static int check_cancel(struct setup *setup)
{
	if (cancel_fired(setup->options->cancel))
		return setup_fail_by(setup, OUTCOME_CANCELLED, "reason", "called off");
	return 0;
}

static int note_running(struct setup *setup)
{
	struct err err;
	if (agent_running(setup) && undo_note(&setup->undo, UNDO_AGENT_STOPPED, NULL, &err))
		return setup_fail(setup, errno, "%s", err.text);
	return 0;
}

static int work(struct setup *setup)
{
	static int (*const steps[])(struct setup *) = {note_running, place_folders, place_program,
		place_service, join, enable, start, wait_online};
	setup->stage = INSTALL_SETUP;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (check_cancel(setup) || steps[i](setup))
			return -1;
	return 0;
}

static enum setup_result result_of(const struct setup *setup, bool belonged)
{
	bool upgraded =
		setup->placed && *setup->version && version_compare(setup->version, SALLYPORT_VERSION) < 0;
	if (!belonged)
		return SETUP_INSTALLED;
	if (!setup->changed)
		return SETUP_KEPT;
	return upgraded ? SETUP_UPGRADED : SETUP_REPAIRED;
}

static void tell(struct setup *setup)
{
	struct setup_report *report = setup->report;
	if (setup->packaged)
		report->outcome = OUTCOME_AGENT_PACKAGED;
	else if (setup->newer)
		report->outcome = OUTCOME_AGENT_NEWER;
	if (report->outcome)
		evidence_add(&report->evidence, "version", "%s", setup->version);
	if (setup->manager->file || report->result == SETUP_KEPT)
		return;
	report->note = xstrdup("No service manager was found here, so nothing starts the agent again "
						   "after a restart of the machine.");
	report->advice = xasprintf("Have `%s agent` started at every boot: a line `setsid %s agent "
							   "</dev/null >/dev/null 2>&1 &` in /etc/rc.local, or `::respawn:%s "
							   "agent` in the inittab of busybox.",
		setup->program, setup->program, setup->program);
}

static void install(struct setup *setup)
{
	if (existing_read(setup))
		return;
	bool begun = setup_note_begin(setup) == 0;
	/* What a setup that was killed has done does not count. */
	bool belonged = setup->joined == STATE_LOADED &&
					!undo_has(&setup->undo, UNDO_FILE_MADE, setup->paths.identity);
	if (!begun || work(setup)) {
		setup_roll_back(setup);
		return;
	}
	undo_commit(&setup->undo);
	setup->report->result = result_of(setup, belonged);
	tell(setup);
}

void setup_install(const struct setup_options *options, struct setup_report *report)
{
	struct setup setup;
	if (setup_begin(&setup, options, report) == 0)
		install(&setup);
	setup_end(&setup);
}
