/*
 * The happy path: systemd-run, or the program itself, which forks and lets go of its output once
 * the run is noted as running.
 *
 * Failure modes: this program's path is not known, systemd-run is missing or refuses, the
 * supervisor complains (the disk is full). All leave the run as it was, to be tried again.
 */
#include "agent/runs/launch.h"

#include "agent/runs/supervisor.h"
#include "base/file.h"
#include "os/child.h"
#include "os/os.h"
#include "os/service_install.h"

#include <string.h>
#include <unistd.h>

#define LAUNCH_MS      10000
#define MAX_SAID_BYTES 4096

/* systemd sets the variable for the processes of its units; before version 232 it was but their
 * parent. */
static char *systemd_runner(const char *root)
{
	bool a_unit = getenv("INVOCATION_ID") || getppid() == 1;
	if (root || !a_unit || !file_exists("/run/systemd/system"))
		return NULL;
	return child_find("systemd-run");
}

static int run(const char *const argv[], struct err *err)
{
	cleanup(buf_free) struct buf said = {.max = MAX_SAID_BYTES};
	int code = child_run(argv, deadline_in_ms(LAUNCH_MS), NULL, &said, err);
	if (code < 0 || (code == 0 && !said.len))
		return code;
	if (said.len)
		return err_set(err, "%.*s", (int)strcspn(buf_text(&said), "\n"), buf_text(&said));
	return err_set(err, "%s ended with code %d", argv[0], code);
}

/* KillMode=process: what a script leaves in the background on purpose stays. */
size_t launch_options(int version, const char *options[LAUNCH_MAX_OPTIONS])
{
	static const struct {
		int since; /* the version of systemd that understands it */
		const char *word;
	} known[LAUNCH_MAX_OPTIONS] = {
		{219, "--quiet"},
		{236, "--collect"},
		{0, "--description=A job of Sallyport"},
		{240, "--service-type=exec"},
		{0, "--property=KillMode=process"},
		{243, "--property=OOMPolicy=continue"},
		{0, "--property=TimeoutStopSec=20"},
	};
	size_t count = 0;
	for (size_t i = 0; i < LAUNCH_MAX_OPTIONS; i++)
		if (!version || version >= known[i].since)
			options[count++] = known[i].word;
	return count;
}

static int run_as_unit(
	const char *runner, const char *own, const char *run_id, long attempt, struct err *err)
{
	cleanup(free_ptr) char *unit = xasprintf("--unit=sallyport-run-%s-%ld", run_id, attempt);
	const char *argv[LAUNCH_MAX_OPTIONS + 7] = {runner, unit};
	size_t count = 2;
	count += launch_options(service_manager_version(service_manager_here(NULL)), argv + count);
	argv[count++] = own;
	argv[count++] = SUPERVISE_COMMAND;
	argv[count++] = "--stay";
	argv[count] = run_id;
	return run(argv, err);
}

int launch_supervisor(
	const char *program, const char *root, const char *run_id, long attempt, struct err *err)
{
	cleanup(free_ptr) char *own = program ? xstrdup(program) : os_own_path();
	cleanup(free_ptr) char *runner = systemd_runner(root);
	cleanup(free_ptr) char *at = root ? xasprintf("--root=%s", root) : NULL;
	if (!own)
		return err_set(err, "this program's own path is not known");
	if (runner)
		return run_as_unit(runner, own, run_id, attempt, err);
	return run((const char *const[]){own, SUPERVISE_COMMAND, run_id, at, NULL}, err);
}
