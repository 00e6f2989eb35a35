/*
 * Happy path: systemd is there, `systemctl show` tells three properties of the unit in a few
 * milliseconds, for everyone.
 *
 * Failure modes: this system was not started by systemd; systemctl is missing, fails or takes too
 * long; the name is none that a unit can have, which is told before anything is run.
 */
#include "os/services.h"

#include "base/file.h"
#include "os/child.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MANAGER    "/run/systemd/system" /* sd_booted(3) */
#define MAX_OUTPUT ((size_t)64 * 1024)
#define ASK_MS     3000

static bool is_unit_name(const char *name)
{
	size_t len = strlen(name);
	for (const char *at = name; *at; at++)
		if (!isascii(*at) || (!isalnum(*at) && !strchr("-_.@:", *at)))
			return false;
	return len > 0 && len < 200 && *name != '-';
}

/* The value of "Key=value" among the lines. */
static void get_property(const char *text, const char *key, char *value, size_t size)
{
	size_t len = strlen(key);
	value[0] = '\0';
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == '=') {
			line += len + 1;
			snprintf(value, size, "%.*s", (int)strcspn(line, "\n"), line);
			return;
		}
	}
}

enum service_result service_read(const char *name, struct deadline deadline,
	const struct cancel *cancel, struct service_state *state, struct err *err)
{
	static const struct {
		const char *state;
		enum service_result result;
	} meanings[] = {{"active", SERVICE_RUNS}, {"reloading", SERVICE_RUNS},
		{"inactive", SERVICE_STOPPED}, {"failed", SERVICE_STOPPED}, {"activating", SERVICE_STOPPED},
		{"deactivating", SERVICE_STOPPED}, {"maintenance", SERVICE_STOPPED}};
	*state = (struct service_state){.unit = ""};
	if (!is_unit_name(name)) {
		err_set(err, "no unit of systemd can have that name");
		return SERVICE_UNREADABLE;
	}
	if (!file_exists(MANAGER))
		return SERVICE_NO_MANAGER;
	snprintf(state->unit, sizeof state->unit, "%s%s", name, strchr(name, '.') ? "" : ".service");
	cleanup(buf_free) struct buf output = {.max = MAX_OUTPUT};
	cleanup(free_ptr) char *program = child_find("systemctl");
	const char *const argv[] = {
		program, "show", "--property=LoadState,ActiveState,SubState", "--", state->unit, NULL};
	deadline = deadline_sooner(deadline, deadline_in_ms(ASK_MS));
	if (!program) {
		err_set(err, "systemctl is not installed");
		return SERVICE_UNREADABLE;
	}
	int code = child_run(argv, deadline, cancel, &output, err);
	if (code > 0)
		err_set(err, "systemctl ended with exit code %d", code);
	if (code)
		return SERVICE_UNREADABLE;
	char load[32], active[32], sub[32];
	get_property(buf_text(&output), "LoadState", load, sizeof load);
	get_property(buf_text(&output), "ActiveState", active, sizeof active);
	get_property(buf_text(&output), "SubState", sub, sizeof sub);
	snprintf(state->state, sizeof state->state, "%s, %s", active, sub);
	if (strcmp(load, "not-found") == 0)
		return SERVICE_MISSING;
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
		if (strcmp(active, meanings[i].state) == 0)
			return meanings[i].result;
	err_set(err, "systemctl did not say whether it runs");
	return SERVICE_UNREADABLE;
}
