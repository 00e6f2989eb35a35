/*
 * What the target is: system, privilege, space, an agent that is there already.
 *
 * Happy path: Linux with a processor that there is an agent for, root or sudo, room for the agent
 * where it is staged and where it lives. Each thing that is missing is an outcome of its own; a
 * clock far from the connector's is one as well, for neither certificates nor jobs get on with it.
 */
#include "connector/visit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CLOCK_MAX_S 600
#define SPARE_KB    4096
#define SUDO_MS     30000

static int judge_arch(struct visit *visit)
{
	const char *arch = visit->facts.arch;
	size_t row;
	visit->portable = plan_portable(visit->plan, arch);
	if (visit->portable && *visit->portable->sha256) {
		row = (size_t)(visit->portable - visit->plan->portable);
		visit->payload = &visit->payloads[row];
		return 0;
	}
	ending_set(&visit->ending, OUTCOME_ARCH_UNSUPPORTED);
	evidence_add(&visit->ending.evidence, "arch", "%s", arch);
	if (visit->portable && visit->portable->reason)
		evidence_add(&visit->ending.evidence, "reason", "%s", visit->portable->reason);
	return -1;
}

static int judge_clock(struct visit *visit)
{
	int64_t skew = visit->facts.clock - (int64_t)time(NULL), far = llabs(skew);
	if (!visit->facts.clock || far <= CLOCK_MAX_S)
		return 0;
	ending_set(&visit->ending, OUTCOME_CLOCK_WRONG);
	if (far >= 172800)
		evidence_add(&visit->ending.evidence, "skew", "%lld days", (long long)(far / 86400));
	else
		evidence_add(&visit->ending.evidence, "skew", "%lld minutes", (long long)(far / 60));
	evidence_add(&visit->ending.evidence, "direction", "%s", skew > 0 ? "ahead" : "behind");
	return -1;
}

int visit_see_system(struct visit *visit)
{
	struct facts *facts = &visit->facts;
	visit_at(visit, INSTALL_SYSTEM);
	visit->shell.way = SHELL_AS_USER;
	if (facts_of_login(&visit->shell, facts, &visit->ending))
		return -1;
	if (strcmp(facts->system, "Linux") != 0) {
		ending_set(&visit->ending, OUTCOME_SYSTEM_UNSUPPORTED);
		evidence_add(&visit->ending.evidence, "system", "%s",
			*facts->system ? facts->system : "another system");
		return -1;
	}
	if (visit->plan->remove)
		return 0;
	return judge_arch(visit) ? -1 : judge_clock(visit);
}

/* --- privilege ----------------------------------------------------------------------------------
 */

/* What sudo says; the first row whose words are in it counts. */
static const struct {
	const char *words;
	enum outcome outcome;
} sudo_words[] = {
	{"must have a tty", OUTCOME_SUDO_NEEDS_TTY},
	{"not in the sudoers", OUTCOME_NO_SUDO},
	{"not allowed to", OUTCOME_NO_SUDO},
	{"may not run sudo", OUTCOME_NO_SUDO},
	{"incorrect password", OUTCOME_SUDO_PASSWORD_WRONG},
	{"no password was provided", OUTCOME_SUDO_PASSWORD_WRONG},
	{"ry again", OUTCOME_SUDO_PASSWORD_WRONG},
	{"assword is required", OUTCOME_SUDO_PASSWORD_MISSING},
	{"account validation failure", OUTCOME_PASSWORD_EXPIRED},
	{"assword has expired", OUTCOME_PASSWORD_EXPIRED},
};

static enum outcome sudo_outcome(const char *said)
{
	for (size_t i = 0; i < ARRAY_LEN(sudo_words); i++)
		if (strstr(said, sudo_words[i].words))
			return sudo_words[i].outcome;
	return OUTCOME_NONE;
}

static int not_root(struct visit *visit, enum outcome outcome, const char *reason)
{
	ending_set(&visit->ending, outcome);
	evidence_add(&visit->ending.evidence, "user", "%s", visit->login.user);
	ending_reason(&visit->ending, reason);
	return -1;
}

/* The password and a line's end, once: sudo then finds no second one to try. */
static size_t feed_password(void *data, char *room, size_t size)
{
	const char **password = data;
	size_t len = *password ? strlen(*password) : 0;
	if (!len || len + 1 > size)
		return 0;
	memcpy(room, *password, len);
	room[len] = '\n';
	*password = NULL;
	return len + 1;
}

static int try_password(struct visit *visit)
{
	const char *password = visit->login.sudo_password;
	struct channel_run run = {.command = "sudo -k -S -p '' id -u",
		.feed = feed_password,
		.feed_data = &password,
		.silence_ms = SUDO_MS,
		.output = {.max = 256},
		.errors = {.max = EVIDENCE_MAX_VALUE}};
	int rc = visit->shell.ops->run(visit->shell.channel, &run, &visit->ending);
	if (!rc && run.code) {
		enum outcome outcome = sudo_outcome(buf_text(&run.errors));
		rc =
			not_root(visit, outcome ? outcome : OUTCOME_SUDO_PASSWORD_WRONG, buf_text(&run.errors));
	}
	buf_free(&run.output);
	buf_free(&run.errors);
	return rc;
}

int visit_become_root(struct visit *visit)
{
	const char *said = visit->facts.sudo;
	visit_at(visit, INSTALL_PRIVILEGE);
	if (strcmp(visit->facts.uid, "0") == 0) {
		visit->shell.way = SHELL_AS_ROOT;
		return 0;
	}
	if (strcmp(said, "none") == 0 || !*said)
		return not_root(visit, OUTCOME_NO_SUDO, "there is no sudo");
	if (strcmp(said, "free") == 0) {
		visit->shell.way = SHELL_SUDO;
		return 0;
	}
	enum outcome outcome = sudo_outcome(said);
	if (outcome && outcome != OUTCOME_SUDO_PASSWORD_MISSING)
		return not_root(visit, outcome, said);
	if (!outcome)
		return not_root(visit, OUTCOME_NO_SUDO, said);
	if (!visit->login.sudo_password)
		return not_root(visit, OUTCOME_SUDO_PASSWORD_MISSING, "");
	if (try_password(visit))
		return -1;
	visit->shell.way = SHELL_SUDO_PASSWORD;
	return 0;
}

/* --- space, existing ----------------------------------------------------------------------------
 */

static int no_room(
	struct visit *visit, enum outcome outcome, const struct facts_place *place, int64_t need_kb)
{
	ending_set(&visit->ending, outcome);
	if (place) {
		evidence_add(&visit->ending.evidence, "place", "%s", place->path);
		evidence_add(
			&visit->ending.evidence, "free", "%lld MB", (long long)(place->free_kb / 1024));
	}
	evidence_add(&visit->ending.evidence, "needed", "%lld MB", (long long)(need_kb / 1024));
	return -1;
}

static int judge_finals(struct visit *visit, int64_t need_kb)
{
	const struct facts *facts = &visit->facts;
	for (size_t i = 0; i < facts->final_count; i++) {
		const struct facts_place *place = &facts->finals[i];
		if (strcmp(place->state, "ok") != 0)
			return no_room(visit, OUTCOME_ROOT_READ_ONLY, place, need_kb);
		if (!i && place->free_kb >= 0 && place->free_kb < need_kb)
			return no_room(visit, OUTCOME_DISK_FULL, place, need_kb);
	}
	return 0;
}

/* Of several reasons the one with the lowest row is told. */
static int judge_stages(struct visit *visit, int64_t need_kb)
{
	static const struct {
		const char *state;
		enum outcome outcome;
	} rows[] = {{"ok", OUTCOME_DISK_FULL}, {"full", OUTCOME_DISK_FULL}, {"noexec", OUTCOME_NO_EXEC},
		{"read-only", OUTCOME_ROOT_READ_ONLY}};
	const struct facts *facts = &visit->facts;
	cleanup(buf_free) struct buf tried = {0};
	for (size_t i = 0; i < facts->stage_count; i++) {
		const struct facts_place *place = &facts->stages[i];
		if (strcmp(place->state, "ok") == 0 && (place->free_kb < 0 || place->free_kb >= need_kb))
			return 0;
		buf_printf(&tried, "%s%s", tried.len ? ", " : "", place->path);
	}
	for (size_t row = 0; row < ARRAY_LEN(rows); row++)
		for (size_t i = 0; i < facts->stage_count; i++)
			if (strcmp(facts->stages[i].state, rows[row].state) == 0) {
				no_room(visit, rows[row].outcome, &facts->stages[i], need_kb);
				evidence_add(&visit->ending.evidence, "tried", "%s", buf_text(&tried));
				return -1;
			}
	return no_room(visit, OUTCOME_ROOT_READ_ONLY, NULL, need_kb);
}

int visit_see_space(struct visit *visit)
{
	struct facts *facts = &visit->facts;
	visit_at(visit, INSTALL_SPACE);
	if (facts_of_root(&visit->shell, facts, &visit->ending))
		return -1;
	if (strcmp(facts->uid, "0") != 0)
		return not_root(visit, OUTCOME_NO_SUDO, "sudo did not give root");
	if (visit->plan->remove) {
		visit_at(visit, INSTALL_EXISTING);
		return *facts->agent ? 0 : ending_set(&visit->ending, OUTCOME_AGENT_ABSENT);
	}
	/* Both forms for a moment while it is staged; then once where it lives. */
	int64_t once_kb = visit->portable->size / 1024 + 1;
	if (judge_finals(visit, once_kb + SPARE_KB) || judge_stages(visit, 2 * once_kb + SPARE_KB))
		return -1;
	visit_at(visit, INSTALL_EXISTING);
	return 0;
}
