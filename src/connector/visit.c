/*
 * The order of the steps, and what becomes of a walk that broke off.
 *
 * Happy path of `go`: reach, log in, become root, copy, let the target check its way, set up,
 * leave. A line that breaks in the middle is made again for a while, for a target may be rebooting;
 * the walk then begins anew, and the copy goes on where it was. Everything else ends the walk.
 */
#include "connector/visit.h"

#include <string.h>

static const struct {
	int (*run)(struct visit *visit);
	bool look, install, remove; /* in which walks it is taken: look, or go by action */
} steps[] = {
	{visit_reach, true, true, true},
	{visit_see_system, true, true, true},
	{visit_become_root, true, true, true},
	{visit_see_space, true, true, true},
	{visit_stage_file, false, true, false},
	{visit_check_way, false, true, false},
	{visit_set_up, false, true, true},
};

void visit_at(struct visit *visit, enum install_stage stage)
{
	visit->stage = stage;
	visit->on_change(visit->data, visit);
}

static bool takes(const struct visit *visit, size_t step)
{
	if (visit->phase == VISIT_LOOK)
		return steps[step].look;
	return visit->plan->remove ? steps[step].remove : steps[step].install;
}

/* A look without anybody's word on the host's key ends before anything is said of the user. */
static bool wants_a_person(const struct visit *visit)
{
	return visit->phase == VISIT_LOOK && visit->key_state == VISIT_KEY_NEW;
}

static int walk_once(struct visit *visit)
{
	int rc = 0;
	memset(&visit->facts, 0, sizeof visit->facts);
	visit->sent = 0;
	for (size_t i = 0; i < ARRAY_LEN(steps) && !rc && !(i && wants_a_person(visit)); i++)
		if (takes(visit, i))
			rc = steps[i].run(visit);
	visit_leave(visit);
	return rc;
}

/* A line that broke in the middle is made again; then that the host is not there is no verdict yet.
 */
static bool may_come_back(const struct visit *visit, bool went)
{
	static const enum outcome passing[] = {OUTCOME_CONNECTION_LOST, OUTCOME_HOST_REFUSED,
		OUTCOME_HOST_SILENT, OUTCOME_HOST_UNREACHABLE, OUTCOME_NOT_SSH, OUTCOME_LOGIN_UNUSABLE};
	for (size_t i = 0; went && i < ARRAY_LEN(passing); i++)
		if (visit->ending.outcome == passing[i])
			return true;
	return visit->ending.outcome == OUTCOME_CONNECTION_LOST && visit->stage > INSTALL_AUTHENTICATE;
}

/* Told as what it was, at the stage where it broke; how the last try ended is its reason. */
static int stays_away(struct visit *visit, enum install_stage lost_at)
{
	cleanup(free_ptr) char *last = outcome_sentence(visit->ending.outcome, &visit->ending.evidence);
	if (visit->ending.outcome != OUTCOME_CONNECTION_LOST) {
		ending_set(&visit->ending, OUTCOME_CONNECTION_LOST);
		ending_reason(&visit->ending, last);
	}
	visit->stage = lost_at;
	return -1;
}

static int walk_again(struct visit *visit)
{
	struct deadline comeback = deadline_never();
	enum install_stage lost_at = INSTALL_SSH;
	for (int pause_ms = 500;; pause_ms = pause_ms < 4000 ? pause_ms * 2 : 4000) {
		int rc = walk_once(visit);
		bool went = comeback.at_us != INT64_MAX;
		if (!rc || visit->phase == VISIT_LOOK || !may_come_back(visit, went))
			return rc;
		if (!went) {
			comeback = deadline_in_ms((int64_t)visit->plan->comeback_s * 1000);
			lost_at = visit->stage;
		}
		if (wait_fd(-1, 0, deadline_sooner(comeback, deadline_in_ms(pause_ms)), visit->cancel) ==
			WAIT_CANCELLED)
			return ending_set(&visit->ending, OUTCOME_CANCELLED);
		if (deadline_left_ms(comeback) == 0)
			return stays_away(visit, lost_at);
		ending_free(&visit->ending);
	}
}

static enum visit_state state_after(const struct visit *visit, int rc)
{
	static const struct {
		enum outcome outcome;
		enum visit_state state;
	} rows[] = {
		{OUTCOME_CANCELLED, VISIT_CANCELLED},
		{OUTCOME_AGENT_NEWER, VISIT_KEPT},
		{OUTCOME_AGENT_PACKAGED, VISIT_KEPT},
		{OUTCOME_AGENT_ABSENT, VISIT_KEPT},
	};
	bool silent = visit->ending.outcome == OUTCOME_HOST_SILENT ||
				  visit->ending.outcome == OUTCOME_HOST_UNREACHABLE;
	if (!rc && visit->phase == VISIT_LOOK)
		return VISIT_READY;
	if (!rc)
		return visit->plan->remove ? VISIT_REMOVED : VISIT_JOINED;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].outcome == visit->ending.outcome)
			return rows[i].state;
	return silent && visit->target->from_range ? VISIT_ABSENT : VISIT_FAILED;
}

void visit_walk(struct visit *visit)
{
	ending_free(&visit->ending);
	visit->sent = visit->total = 0;
	visit->state = visit->phase == VISIT_LOOK ? VISIT_LOOKING : VISIT_WORKING;
	int rc = walk_again(visit);
	visit->state = state_after(visit, rc);
	if (visit->token) {
		explicit_bzero(visit->token, strlen(visit->token));
		free(visit->token);
		visit->token = NULL;
	}
	explicit_bzero(&visit->login, sizeof visit->login);
	visit->on_change(visit->data, visit);
}

void visit_free(struct visit *visit)
{
	ending_free(&visit->ending);
	if (visit->token)
		explicit_bzero(visit->token, strlen(visit->token));
	free(visit->token);
}
