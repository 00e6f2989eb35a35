/*
 * What the hub hears of the installs.
 *
 * The happy path: the last event of each target, a few at a time; when all are answered and the
 * worker has ended, install.over; when that is answered, the install is forgotten.
 *
 * Failure modes: the session ends (what is not answered is said again in the next one), the hub
 * refuses (again a little later), it does not know the install or target any more (what was said is
 * dropped).
 */
#include "agent/installs/parts.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

#define MAX_OPEN     4    /* events on their way at once */
#define REFUSED_MS   5000 /* until what the hub refused is said again */
#define PROGRESS_MS  1000 /* between two of one target */
#define PROGRESS_ALL 250  /* between two of any */
#define TAG_OVER     UINT64_C(0xffff)

static struct install *find_serial(const struct installs *installs, uint64_t serial)
{
	for (size_t i = 0; i < INSTALLS_AT_ONCE; i++)
		if (installs->list[i] && installs->list[i]->serial == serial)
			return installs->list[i];
	return NULL;
}

static size_t open_asks(const struct installs *installs)
{
	size_t open = 0;
	for (size_t i = 0; i < INSTALLS_AT_ONCE; i++) {
		const struct install *install = installs->list[i];
		for (size_t j = 0; install && j < install->count; j++)
			open += install->targets[j].asked;
	}
	return open;
}

/* Whether it need not be said again; otherwise everything waits a little. */
static bool is_heard(struct install *install, const json_t *result, enum refusal refusal)
{
	if (result || refusal == REFUSAL_INSTALL_UNKNOWN || refusal == REFUSAL_BAD_MESSAGE)
		return true;
	install->talk_at = deadline_in_ms(REFUSED_MS);
	return false;
}

/* --- install.event ------------------------------------------------------------------------- */

static void on_event(void *data, uint64_t tag, const json_t *result, enum refusal refusal)
{
	struct installs *installs = data;
	struct install *install = find_serial(installs, tag >> 16);
	size_t at = (size_t)(tag & 0xffff);
	if (!install || at >= install->count || !install->targets[at].asked)
		return;
	struct install_target *target = &install->targets[at];
	target->asked = false;
	if (!is_heard(install, result, refusal)) {
		*target->said = '\0';
	} else if (!target->fresh) {
		json_decref(target->event);
		target->event = NULL;
	}
	target->fresh = false;
	installs_talk(installs);
}

static void step_name(const json_t *event, char name[64])
{
	const char *stage = json_get_text(event, "stage"), *state = json_get_text(event, "state");
	snprintf(name, 64, "%.30s %.30s", stage ? stage : "", state ? state : "");
}

static bool is_progress(const struct install_target *target)
{
	char name[64];
	step_name(target->event, name);
	return !target->final && strcmp(name, target->said) == 0;
}

static bool wants_word(const struct install_target *target)
{
	return target->event && !target->asked;
}

/* When it may be said. */
static struct deadline due_at(const struct installs *installs, const struct install_target *target)
{
	struct deadline at = target->progress_at;
	if (!is_progress(target))
		return (struct deadline){0};
	return installs->progress_at.at_us > at.at_us ? installs->progress_at : at;
}

/* -1 when the session takes no more for now. */
static int say_event(struct installs *installs, struct install *install, size_t at)
{
	struct install_target *target = &install->targets[at];
	struct msg_install_event msg = {
		.install = install->id, .target = target->id, .event = target->event};
	bool progress = is_progress(target);
	if (session_ask(installs->session, MSG_install_event, &msg, on_event, installs,
			(uint64_t)install->serial << 16 | at))
		return -1;
	target->asked = true;
	target->fresh = false;
	step_name(target->event, target->said);
	target->progress_at = deadline_in_ms(PROGRESS_MS);
	if (progress)
		installs->progress_at = deadline_in_ms(PROGRESS_ALL);
	return 0;
}

/* --- install.over -------------------------------------------------------------------------- */

static void on_over(void *data, uint64_t tag, const json_t *result, enum refusal refusal)
{
	struct installs *installs = data;
	struct install *install = find_serial(installs, tag >> 16);
	if (!install || !install->over_asked)
		return;
	install->over_asked = false;
	if (is_heard(install, result, refusal))
		installs_drop(installs, install);
}

static bool all_heard(const struct install *install)
{
	for (size_t i = 0; i < install->count; i++)
		if (install->targets[i].event)
			return false;
	return true;
}

static void say_over(struct installs *installs, struct install *install)
{
	struct msg_install_over msg = {
		.install = install->id, .reason = *install->reason ? install->reason : NULL};
	install->over_asked = session_ask(installs->session, MSG_install_over, &msg, on_over, installs,
							  (uint64_t)install->serial << 16 | TAG_OVER) == 0;
}

/* --- one after the other ------------------------------------------------------------------- */

static void talk_of(struct installs *installs, struct install *install, size_t *room)
{
	for (size_t i = 0; i < install->count && *room; i++) {
		if (!wants_word(&install->targets[i]) ||
			deadline_left_ms(due_at(installs, &install->targets[i])))
			continue;
		if (say_event(installs, install, i))
			*room = 0;
		else
			(*room)--;
	}
	if (install->over && !install->over_asked && all_heard(install))
		say_over(installs, install);
}

void installs_talk(struct installs *installs)
{
	if (!installs->session)
		return;
	size_t open = open_asks(installs), room = open < MAX_OPEN ? MAX_OPEN - open : 0;
	for (size_t i = 0; i < INSTALLS_AT_ONCE; i++) {
		struct install *install = installs->list[i];
		if (install && !deadline_left_ms(install->talk_at))
			talk_of(installs, install, &room);
	}
}

bool installs_talk_deadline(const struct installs *installs, struct deadline *deadline)
{
	*deadline = deadline_never();
	for (size_t i = 0; installs->session && i < INSTALLS_AT_ONCE; i++) {
		const struct install *install = installs->list[i];
		if (!install)
			continue;
		if (deadline_left_ms(install->talk_at))
			*deadline = deadline_sooner(*deadline, install->talk_at);
		for (size_t j = 0; j < install->count; j++) {
			const struct install_target *target = &install->targets[j];
			if (wants_word(target) && deadline_left_ms(due_at(installs, target)))
				*deadline = deadline_sooner(*deadline, due_at(installs, target));
		}
	}
	return deadline->at_us != INT64_MAX;
}
