/*
 * The happy path: step the frames, tick the session, sleep until the connection, the check's output
 * or the session's deadline wants something; and so on for months.
 *
 * Failure modes: the transport ends (session_closed() tells how), the hub falls silent
 * (session_tick()), it announces a restart or a removal (session_text()), poll itself fails (taken
 * as the transport's end). A check that fails is one line in the log and no more.
 */
#include "agent/online.h"

#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

#define INVENTORY_EVERY_US (3600 * INT64_C(1000000))

static int send_frame(void *data, const char *text, size_t len)
{
	struct online *online = data;
	return ws_send(online->link.ws, text, len);
}

static void on_text(void *data, const char *text, size_t len)
{
	struct online *online = data;
	session_text(&online->session, text, len, clock_mono_us());
}

static void send_path(struct online *online, const struct walk *walk, json_t *previous)
{
	struct msg_path msg = {
		.stages = walk_to_json(walk), .proxy = walk->proxy, .previous = previous};
	session_notify(&online->session, MSG_path, &msg);
	json_decref(msg.stages);
	json_decref(previous);
}

static void start_check(struct online *online)
{
	struct err err;
	if (checker_start(&online->checker, NULL, online->root, &err))
		logfile_line(online->log->file, LEVEL_WARN, "the check could not be started: %s", err.text);
}

void online_begin(struct online *online, struct walk *walk, const struct session_params *params,
	const json_t *inventory, json_t *previous, int64_t agent_started_us)
{
	int64_t now_us = clock_mono_us();
	checker_init(&online->checker);
	link_take(&online->link, walk, on_text, online);
	session_open(&online->session, params, send_frame, online, agent_started_us, now_us);
	inventory_digest(inventory, online->digest);
	online->inventory_us = now_us;
	send_path(online, walk, previous);
	if (online->run_check)
		start_check(online);
}

static void keep_report(struct online *online, json_t *report)
{
	struct err err;
	cleanup(free_ptr) char *text = json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	if (!text || file_replace(online->paths->check, text, strlen(text), 0600, &err))
		logfile_line(online->log->file, LEVEL_WARN, "the check's report could not be kept: %s",
			text ? err.text : "it is no UTF-8");
	session_notify(&online->session, MSG_check, &(struct msg_check){.report = report});
	const char *verdict = json_get_text(report, "verdict");
	logfile_line(
		online->log->file, LEVEL_INFO, "the check says: %s", verdict ? verdict : "nothing");
}

static void step_check(struct online *online)
{
	struct err err;
	cleanup(json_drop) json_t *report = NULL;
	switch (checker_step(&online->checker, &report, &err)) {
	case CHECKER_RUNNING:
		return;
	case CHECKER_DONE:
		keep_report(online, report);
		break;
	case CHECKER_FAILED:
		logfile_line(online->log->file, LEVEL_WARN, "the check gave no report: %s", err.text);
		break;
	}
	json_drop(&report);
	malloc_trim(0);
}

static void send_inventory_if_changed(struct online *online, int64_t now_us)
{
	unsigned char digest[INVENTORY_DIGEST_BYTES];
	if (now_us - online->inventory_us < INVENTORY_EVERY_US)
		return;
	online->inventory_us = now_us;
	cleanup(json_drop) json_t *inventory = inventory_read(online->location);
	inventory_digest(inventory, digest);
	if (memcmp(digest, online->digest, sizeof digest) == 0)
		return;
	memcpy(online->digest, digest, sizeof digest);
	session_notify(
		&online->session, MSG_inventory, &(struct msg_inventory){.inventory = inventory});
}

static void do_chores(struct online *online)
{
	if (!online->session.answered)
		return;
	online->session.answered = false;
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
	session_tick(&online->session, clock_mono_us());
	if (link_step(link) != WS_OPEN)
		session_closed(
			&online->session, ws_close_code(link->ws), ws_error(link->ws), clock_mono_us());
	return !online->session.over.cause;
}

static enum wait_result sleep_until_needed(struct online *online, struct pollfd fds[3])
{
	struct deadline deadline = {session_deadline_us(&online->session)};
	fds[0] =
		(struct pollfd){.fd = conn_fd(online->link.conn), .events = link_events(&online->link)};
	fds[1] = (struct pollfd){.fd = online->checker.fd, .events = POLLIN};
	if (online->checker.pid)
		deadline = deadline_sooner(deadline, online->checker.deadline);
	if (link_ready(&online->link))
		deadline = deadline_in_ms(0);
	return wait_fds(fds, 2, deadline, online->interrupt);
}

enum online_end online_run(struct online *online)
{
	struct pollfd fds[3];
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
		if (online->checker.pid && (fds[1].revents || !deadline_left_ms(online->checker.deadline)))
			step_check(online);
	}
	return ONLINE_LOST;
}

void online_free(struct online *online)
{
	checker_stop(&online->checker);
	link_close(&online->link, CLOSE_GOING_AWAY);
	session_free(&online->session);
}
