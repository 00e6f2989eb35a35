/*
 * What installing and removing share: one setup under way, its lock, and how it fails.
 *
 * The lock is a file that is removed again by whoever holds it; who gets the lock of a file that is
 * gone tries again.
 */
#include "setup/setup.h"

#include "base/file.h"
#include "setup/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME    "sallyport-setup.lock"
#define STATE_PARENT "/var/lib"

const char *setup_result_name(enum setup_result result)
{
	static const char *const names[SETUP_RESULT_COUNT] = {
		[SETUP_FAILED] = "failed",
		[SETUP_INSTALLED] = "installed",
		[SETUP_UPGRADED] = "upgraded",
		[SETUP_REPAIRED] = "repaired",
		[SETUP_KEPT] = "kept",
		[SETUP_REMOVED] = "removed",
	};
	return names[result];
}

void setup_report_free(struct setup_report *report)
{
	evidence_free(&report->evidence);
	free(report->note);
	free(report->advice);
	*report = (struct setup_report){0};
}

void setup_say(struct setup *setup, const char *step)
{
	setup->options->say(setup->options->data,
		&(struct setup_event){.stage = setup->stage, .state = "working", .step = step});
}

char *setup_path(const struct setup *setup, const char *path)
{
	return file_under(setup->options->root, path);
}

/* --- failing
 * --------------------------------------------------------------------------------------
 */

/* The first reason counts: what follows from it is none. */
static int fail_as(struct setup *setup, enum outcome outcome)
{
	if (setup->report->outcome == OUTCOME_NONE) {
		setup->report->outcome = outcome;
		setup->report->stage = setup->stage;
	}
	return -1;
}

int setup_fail(struct setup *setup, int error, const char *format, ...)
{
	static const struct {
		int error;
		enum outcome outcome;
	} outcomes[] = {{ENOSPC, OUTCOME_DISK_FULL}, {EDQUOT, OUTCOME_DISK_FULL},
		{EROFS, OUTCOME_ROOT_READ_ONLY}, {ECANCELED, OUTCOME_CANCELLED}};
	enum outcome outcome = OUTCOME_SETUP_FAILED;
	va_list args;
	va_start(args, format);
	cleanup(free_ptr) char *reason = xvasprintf(format, args);
	va_end(args);
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
		if (error && outcomes[i].error == error)
			outcome = outcomes[i].outcome;
	if (cancel_fired(setup->options->cancel))
		outcome = OUTCOME_CANCELLED;
	if (!evidence_get(&setup->report->evidence, "reason"))
		evidence_add(&setup->report->evidence, "reason", "%s", reason);
	return fail_as(setup, outcome);
}

int setup_fail_by(
	struct setup *setup, enum outcome outcome, const char *name, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	cleanup(free_ptr) char *value = xvasprintf(format, args);
	va_end(args);
	evidence_add(&setup->report->evidence, name, "%s", value);
	return fail_as(setup, outcome);
}

int setup_fail_walk(
	struct setup *setup, int error, const struct finding *failure, const struct err *err)
{
	/* The way is good and the hub says no: nothing of the network would mend it. */
	static const enum cause tokens[] = {
		CAUSE_TOKEN_UNKNOWN, CAUSE_TOKEN_EXPIRED, CAUSE_TOKEN_USED_UP};
	if (failure->cause == CAUSE_NONE)
		return setup_fail(setup, error, "%s", err->text);
	cleanup(free_ptr) char *sentence = finding_sentence(failure);
	cleanup(free_ptr) char *remedy = finding_remedy(failure);
	evidence_add(&setup->report->evidence, "cause", "%s", cause_info(failure->cause)->id);
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
		if (failure->cause == tokens[i])
			return setup_fail(setup, 0, "%s", sentence);
	evidence_copy(&setup->report->evidence, &failure->evidence);
	evidence_add(&setup->report->evidence, "remedy", "%s", remedy);
	return setup_fail_by(setup, OUTCOME_NO_WAY, "sentence", "%s", sentence);
}

/* --- one at a time
 * --------------------------------------------------------------------------------
 */

/* 1: another one holds it; -1: no file can be made there. */
static int take_lock(struct setup *setup, const char *folder)
{
	cleanup(free_ptr) char *below = setup_path(setup, folder);
	cleanup(free_ptr) char *path = xasprintf("%s/%s", below, LOCK_NAME);
	for (;;) {
		struct stat held, there;
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			close(fd);
			return 1;
		}
		if (fstat(fd, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino) {
			setup->lock = fd;
			setup->lock_path = xstrdup(path);
			return 0;
		}
		close(fd);
	}
}

/* All setups of a machine find the same folder first. */
static int lock(struct setup *setup)
{
	static const char *const folders[] = {"/run", "/var/run", "/var/lock", STATE_PARENT, ""};
	int rc = -1;
	for (size_t i = 0; i < ARRAY_LEN(folders) && rc < 0; i++)
		rc = take_lock(setup, folders[i]);
	if (rc > 0)
		return fail_as(setup, OUTCOME_SETUP_BUSY);
	if (rc < 0)
		return setup_fail(setup, errno, "no lock can be made: %s", strerror(errno));
	return 0;
}

/* --- begin and end
 * --------------------------------------------------------------------------------
 */

static void act(void *data, enum undo_kind kind, const char *path)
{
	struct setup *setup = data;
	struct err err;
	int rc = 0;
	switch (kind) {
	case UNDO_AGENT_STARTED:
		rc = agent_stop(setup, &err);
		break;
	case UNDO_AGENT_STOPPED:
		rc = agent_start(setup, NULL, &err);
		break;
	case UNDO_SERVICE_ENABLED:
		rc = service_do(setup->manager, SERVICE_DISABLE, SERVICE_NAME, NULL, &err);
		break;
	case UNDO_SERVICE_CHANGED:
		rc = service_do(setup->manager, SERVICE_RELOAD, SERVICE_NAME, NULL, &err);
		break;
	case UNDO_JOINED:
		rc = belong_leave(setup, path, &err);
		break;
	default:
		break;
	}
	if (rc)
		evidence_add(&setup->report->evidence, "left-behind", "%s", err.text);
}

int setup_begin(
	struct setup *setup, const struct setup_options *options, struct setup_report *report)
{
	*report = (struct setup_report){.result = SETUP_FAILED};
	*setup = (struct setup){
		.options = options,
		.report = report,
		.stage = INSTALL_EXISTING,
		.lock = -1,
		.undo = {.fd = -1},
		.joined = STATE_ABSENT,
		.manager = service_manager_here(options->root),
	};
	paths_init(&setup->paths, options->root);
	report->service = setup->manager->id;
	setup_say(setup, "look");
	return lock(setup);
}

int setup_note_begin(struct setup *setup)
{
	struct err err;
	cleanup(free_ptr) char *folder = setup_path(setup, STATE_PARENT);
	if (undo_open(&setup->undo, folder, &err))
		return setup_fail(setup, errno, "%s", err.text);
	return 0;
}

void setup_note_continue(struct setup *setup)
{
	cleanup(free_ptr) char *folder = setup_path(setup, STATE_PARENT);
	undo_continue(&setup->undo, folder);
}

void setup_roll_back(struct setup *setup)
{
	const struct undo_acts acts = {act, setup};
	struct err err;
	setup_say(setup, "roll-back");
	if (undo_roll_back(&setup->undo, &acts, &err))
		evidence_add(&setup->report->evidence, "left-behind", "%s", err.text);
}

void setup_end(struct setup *setup)
{
	undo_free(&setup->undo);
	if (setup->lock >= 0) {
		unlink(setup->lock_path);
		close(setup->lock);
	}
	free(setup->lock_path);
	free(setup->program);
	if (setup->joined == STATE_LOADED)
		state_wipe(&setup->state);
	paths_free(&setup->paths);
}
