/*
 * Services of the system (row R10): is it running, as the service manager says.
 *
 * What cannot be asked is unknown: a machine without systemd, a systemctl that fails.
 */
#include "check/probe.h"
#include "os/services.h"

void probe_service(const struct probe_question *question, struct probe_answer *answer)
{
	const char *name = question->requirement->service->name;
	struct service_state state;
	struct err err;
	enum service_result result =
		service_read(name, question->deadline, question->options->cancel, &state, &err);
	evidence_add(&answer->evidence, "service", "%s", name);
	if (result == SERVICE_NO_MANAGER) {
		probe_unknown(answer, "this machine was not started by systemd, so nobody says whether the "
							  "service runs");
		return;
	}
	if (result == SERVICE_UNREADABLE) {
		probe_unknown(answer, "its state cannot be read: %s", err.text);
		return;
	}
	evidence_add(&answer->evidence, "state", "%s",
		result == SERVICE_MISSING ? "there is no service of that name" : state.state);
	if (result == SERVICE_RUNS) {
		probe_pass(answer, NULL);
		return;
	}
	struct finding *finding = probe_blame(answer, CAUSE_SERVICE_STOPPED, CONFIDENCE_CERTAIN);
	if (result == SERVICE_MISSING)
		evidence_add(&finding->evidence, "start-note",
			"Install what brings the service %s, or correct its name in the profile", name);
	else
		evidence_add(&finding->evidence, "start-note",
			"Start it, and let it start at boot: `systemctl enable --now %s`; `journalctl -u %s` "
			"says "
			"why it ended",
			state.unit, state.unit);
}
