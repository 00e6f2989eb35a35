/*
 * The happy path: step the frames, tick the session, sleep until the connection, the check's output
 * or the session's deadline wants something; and so on for months.
 *
 * Failure modes: the transport ends (session_closed() tells how), the hub falls silent
 * (session_tick()), it announces a restart or a removal (session_text()), poll itself fails (taken
 * as the transport's end). A check that fails is one line in the log and no more.
 */
#include "agent/online.h"

#include "agent/outside.h"
#include "agent/support/support.h"
#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

#define INVENTORY_EVERY_US (3600 * INT64_C(1000000))

static int send_frame(void *data, const char *text, size_t len)
{
	struct online *online = data;
	online->session.moved_us = clock_mono_us();
	return ws_send(online->link.ws, text, len);
}

static void on_text(void *data, const char *text, size_t len)
{
	struct online *online = data;
	session_text(&online->session, text, len, clock_mono_us());
}

static void send_path(struct online *online, const struct walk *walk, json_t *previous)
{
	cleanup(free_ptr) char *limit = rhythm_limit(online->rhythm);
	struct msg_path msg = {
		.heartbeat_ms = limit ? online->session.params.heartbeat_ms : 0,
		.idle_timeout = limit,
		.stages = walk_to_json(walk),
		.proxy = walk->proxy,
		.previous = previous,
		.run = (char *)runner_asked(online->runner), /* only read */
	};
	session_notify(&online->session, MSG_path, &msg);
	json_decref(msg.stages);
	json_decref(previous);
}

static enum refusal on_check_run(void *data, const void *record)
{
	static const enum refusal refusals[] = {
		[RUNNER_TAKEN] = REFUSAL_NONE,
		[RUNNER_BUSY] = REFUSAL_CHECK_BUSY,
		[RUNNER_NO_PROFILE] = REFUSAL_CHECK_UNKNOWN,
	};
	struct online *online = data;
	const struct msg_check_run *wish = record;
	enum runner_answer answer = runner_ask(online->runner, wish->run, wish->profile, wish->deep);
	if (answer == RUNNER_TAKEN)
		logfile_line(online->log->file, LEVEL_INFO, "the hub asks for a check of %s%s%s",
			wish->profile ? "the profile " : "the way to the hub",
			wish->profile ? wish->profile : "", wish->deep ? ", a deep one" : "");
	return refusals[answer];
}

static void keep_report(struct online *online, const struct runner_job *job, json_t *report)
{
	struct err err;
	struct msg_check msg = {.report = report, .run = *job->run ? (char *)job->run : NULL};
	cleanup(free_ptr) char *text = json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	if (!text || file_replace(online->paths->check, text, strlen(text), 0600, &err))
		logfile_line(online->log->file, LEVEL_WARN, "the check's report could not be kept: %s",
			text ? err.text : "it is no UTF-8");
	session_notify(&online->session, MSG_check, &msg);
	const char *verdict = json_get_text(report, "verdict");
	logfile_line(
		online->log->file, LEVEL_INFO, "the check says: %s", verdict ? verdict : "nothing");
}

/* --- the outside view ---------------------------------------------------------------------- */

static void release_held(struct online *online, const json_t *ports)
{
	json_t *report = online->held.report;
	if (!report)
		return;
	online->held.report = NULL;
	if (ports)
		outside_merge(report, ports);
	keep_report(online, &online->held.job, report);
	json_decref(report);
}

static void on_looked(void *data, uint64_t tag, const json_t *result, enum refusal refusal)
{
	(void)tag;
	(void)refusal;
	struct msg_outside_look_result answer = {0};
	if (result)
		message_read(MSG_outside_look_result, result, &answer, NULL);
	release_held(data, answer.ports);
	message_free(MSG_outside_look_result, &answer);
}

/* Through a proxy the hub would look at the proxy, so it is not asked. Takes the report, which goes
 * to the hub at once or with what it saw. */
static void hand_over(struct online *online, const struct runner_job *job, json_t *report)
{
	cleanup(json_drop) json_t *ports = online->direct ? outside_ports(report) : NULL;
	cleanup(free_ptr) char *own = ports ? outside_own_address(conn_fd(online->link.conn)) : NULL;
	struct msg_outside_look wish = {.ports = ports, .address = own};
	release_held(online, NULL);
	online->held.report = report;
	online->held.job = *job;
	online->held.deadline = deadline_in_ms(OUTSIDE_WAIT_MS);
	if (!own || session_ask(&online->session, MSG_outside_look, &wish, on_looked, online, 0))
		release_held(online, NULL);
}

static enum refusal on_job_run(void *data, const void *record)
{
	struct online *online = data;
	return runs_take(online->runs, record);
}

static enum refusal on_job_cancel(void *data, const void *record)
{
	struct online *online = data;
	return runs_cancel(online->runs, record);
}

static enum refusal on_install_start(void *data, const void *record)
{
	struct online *online = data;
	return installs_start(online->installs, record);
}

static enum refusal on_install_go(void *data, const void *record)
{
	struct online *online = data;
	return installs_go(online->installs, record);
}

static enum refusal on_install_end(void *data, const void *record)
{
	struct online *online = data;
	return installs_end(online->installs, record);
}

/* What the hub may ask of this machine; `data` is the struct online. */
static const struct session_call calls[] = {
	{MSG_check_run, on_check_run},
	{MSG_log_follow, support_follow},
	{MSG_log_unfollow, support_unfollow},
	{MSG_bundle_make, support_bundle},
	{MSG_job_run, on_job_run},
	{MSG_job_cancel, on_job_cancel},
	{MSG_install_start, on_install_start},
	{MSG_install_go, on_install_go},
	{MSG_install_end, on_install_end},
};

void online_begin(struct online *online, struct walk *walk, const json_t *inventory,
	json_t *previous, int64_t agent_started_us)
{
	int64_t now_us = clock_mono_us();
	struct session_params paced;
	rhythm_pace(online->rhythm, online->asked, &paced);
	online->direct = !walk->proxy;
	link_take(&online->link, walk, on_text, online);
	session_open(&online->session, &paced, send_frame, online, agent_started_us, now_us);
	follow_init(&online->follow, online->paths);
	online->session.calls = calls;
	online->session.call_count = ARRAY_LEN(calls);
	inventory_digest(inventory, online->digest);
	online->inventory_us = now_us;
	send_path(online, walk, previous);
	runs_online(online->runs, &online->session);
	installs_online(online->installs, &online->session);
	runner_resume(online->runner);
}

static void tell_failed(struct online *online, const struct runner_news *news)
{
	struct msg_check_failed msg = {
		.run = (char *)news->job.run, .reason = (char *)news->err.text}; /* only read */
	logfile_line(online->log->file, LEVEL_WARN, "the check gave no report: %s", news->err.text);
	if (*news->job.run)
		session_notify(&online->session, MSG_check_failed, &msg);
}

/* True while there may be more news. */
static bool step_check(struct online *online)
{
	struct runner_news news;
	runner_step(online->runner, &news);
	switch (news.event) {
	case RUNNER_NOTHING:
		return false;
	case RUNNER_STARTED:
		if (*news.job.run)
			session_notify(&online->session, MSG_check_started,
				&(struct msg_check_started){.run = news.job.run});
		return false;
	case RUNNER_REPORTED:
		hand_over(online, &news.job, news.report);
		break;
	case RUNNER_FAILED:
		tell_failed(online, &news);
		break;
	}
	malloc_trim(0);
	return true;
}

static void send_inventory_if_changed(struct online *online, int64_t now_us)
{
	unsigned char digest[INVENTORY_DIGEST_BYTES];
	if (now_us - online->inventory_us < INVENTORY_EVERY_US)
		return;
	online->inventory_us = now_us;
	cleanup(json_drop) json_t *inventory = inventory_read(&online->inventory);
	inventory_digest(inventory, digest);
	if (memcmp(digest, online->digest, sizeof digest) == 0)
		return;
	memcpy(online->digest, digest, sizeof digest);
	session_notify(
		&online->session, MSG_inventory, &(struct msg_inventory){.inventory = inventory});
}

static void keep_pace(struct online *online)
{
	struct session_params paced;
	struct err err;
	if (!rhythm_answered(online->rhythm, online->asked, online->session.idle_ms))
		return;
	rhythm_pace(online->rhythm, online->asked, &paced);
	session_set_pace(&online->session, &paced);
	rhythm_save(online->paths, online->rhythm, &err); /* at worst it is learnt again */
	logfile_line(online->log->file, LEVEL_INFO, "trying a longer heartbeat: %.1f s",
		(double)paced.heartbeat_ms / 1000.0);
}

static void do_chores(struct online *online)
{
	if (!online->session.answered)
		return;
	online->session.answered = false;
	keep_pace(online);
	status_retry(online->status);
	send_inventory_if_changed(online, clock_mono_us());
}

/* Reads first, so that an answer that waits in the socket is not called late; true while it is
 * open. */
static bool advance(struct online *online)
{
	struct link *link = &online->link;
	link_step(link);
	do_chores(online);
	runs_step(online->runs);
	installs_step(online->installs);
	session_tick(&online->session, clock_mono_us());
	if (link_step(link) != WS_OPEN)
		session_closed(
			&online->session, ws_close_code(link->ws), ws_error(link->ws), clock_mono_us());
	return !online->session.over.cause;
}

/* The session's, the check's, the runs', the installs', support's, and one that wait_fds() adds. */
#define MAX_FDS (4 + SUPPORT_FDS + 1)

static enum wait_result sleep_until_needed(struct online *online, struct pollfd fds[MAX_FDS])
{
	struct deadline deadline = {session_deadline_us(&online->session)}, check;
	fds[0] =
		(struct pollfd){.fd = conn_fd(online->link.conn), .events = link_events(&online->link)};
	fds[1] = (struct pollfd){.fd = runner_fd(online->runner), .events = POLLIN};
	if (runner_deadline(online->runner, &check))
		deadline = deadline_sooner(deadline, check);
	if (online->held.report)
		deadline = deadline_sooner(deadline, online->held.deadline);
	fds[2] = (struct pollfd){.fd = runs_fd(online->runs), .events = POLLIN};
	if (runs_deadline(online->runs, &check))
		deadline = deadline_sooner(deadline, check);
	fds[3] = (struct pollfd){.fd = installs_fd(online->installs), .events = POLLIN};
	if (installs_deadline(online->installs, &check))
		deadline = deadline_sooner(deadline, check);
	support_poll(online, fds + 4, &deadline);
	if (link_ready(&online->link))
		deadline = deadline_in_ms(0);
	return wait_fds(fds, MAX_FDS - 1, deadline, online->interrupt);
}

enum online_end online_run(struct online *online)
{
	struct pollfd fds[MAX_FDS];
	malloc_trim(0);
	while (advance(online)) {
		switch (sleep_until_needed(online, fds)) {
		case WAIT_CANCELLED:
			return ONLINE_INTERRUPTED;
		case WAIT_ERROR:
			session_closed(&online->session, 0, errno, clock_mono_us());
			return ONLINE_LOST;
		case WAIT_READY:
		case WAIT_TIMEOUT:
			break;
		}
		struct deadline due;
		if (online->held.report && !deadline_left_ms(online->held.deadline))
			release_held(online, NULL);
		if (runner_deadline(online->runner, &due) && (fds[1].revents || !deadline_left_ms(due)))
			while (step_check(online))
				continue;
		support_step(online);
	}
	return ONLINE_LOST;
}

void online_facts(const struct online *online, struct rhythm_end *end)
{
	const struct session *session = &online->session;
	*end = (struct rhythm_end){
		.cause = session->over.cause,
		.by_hub = session->by_hub,
		.age_ms = (session->ended_us - session->opened_us) / 1000,
		.idle_ms = session->idle_ms,
		.lived_ms = session->lived_ms,
		.answered = session->answers,
		.awaited = session->answer_us != 0,
		.acknowledged = online->direct && conn_acknowledged(online->link.conn),
	};
}

void online_free(struct online *online)
{
	release_held(online, NULL);
	follow_free(&online->follow);
	runs_offline(online->runs);
	installs_offline(online->installs);
	link_close(&online->link, CLOSE_GOING_AWAY);
	session_free(&online->session);
}
