/*
 * The happy path: what the hub says is written to the worker as it reads; each of its lines is an
 * event; its last line says that it is over, and its output ends.
 *
 * Failure modes: it ends without that line (what it said on standard error is the reason), it says
 * something else or too much in one line (it is ended), it lives too long or does not end when it
 * was told to (it is ended), it does not read (what waits is bounded). Every end is told to the
 * hub.
 */
#include "agent/installs/parts.h"

#include "base/json.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_AT_ONCE 65536                      /* bytes, then others have their turn */
#define MAX_LINE     (INSTALL_MAX_EVENT + 1024) /* bytes */
#define MAX_SENTENCE 300                        /* in the log */

/* --- its beginning ------------------------------------------------------------------------- */

static int watch(const struct installs *installs, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events};
	return epoll_ctl(installs->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Watched or not. What has hung up would be news for ever. */
static void unwatch(const struct installs *installs, int fd)
{
	epoll_ctl(installs->epoll, EPOLL_CTL_DEL, fd, NULL);
}

int install_launch(struct installs *installs, struct install *install, struct err *err)
{
	cleanup(free_ptr) char *root = installs->root ? xasprintf("--root=%s", installs->root) : NULL;
	const char *const args[] = {"connector-worker", root, NULL};
	struct self *worker = &install->worker;
	if (self_start_talking(worker, installs->program, args, err))
		return -1;
	install->input.max = INSTALL_MAX_WAITING;
	install->output.max = MAX_LINE;
	install->deadline = deadline_in_ms(INSTALLS_MS);
	if (watch(installs, worker->fd, EPOLLIN) || watch(installs, worker->errors_fd, EPOLLIN))
		return err_set(err, "epoll: %s", strerror(errno));
	return 0;
}

/* --- what it reads ------------------------------------------------------------------------- */

static void wipe(struct buf *buf)
{
	if (buf->data)
		sodium_memzero(buf->data, buf->cap);
	size_t max = buf->max;
	buf_free(buf);
	buf->max = max;
}

/* A worker that has closed its input ends by itself: its output tells. */
static void write_input(struct installs *installs, struct install *install)
{
	struct self *worker = &install->worker;
	if (worker->input_fd < 0 || !install->input.len)
		return;
	while (install->input.len) {
		ssize_t put = write(worker->input_fd, install->input.data, install->input.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno != EAGAIN) {
			wipe(&install->input);
			self_close_input(worker);
			return;
		}
		if (put < 0)
			break;
		buf_consume(&install->input, (size_t)put);
	}
	if (install->input.len) {
		watch(installs, worker->input_fd, EPOLLOUT);
		return;
	}
	wipe(&install->input);
	unwatch(installs, worker->input_fd);
}

int install_tell(
	struct installs *installs, struct install *install, enum message message, const void *record)
{
	char *text = rpc_notification(message_method(message), message_write(message, record));
	size_t len = strlen(text);
	text[len] = '\n';
	int rc = buf_append(&install->input, text, len + 1);
	sodium_memzero(text, len);
	free(text);
	write_input(installs, install);
	return rc;
}

/* --- what it says -------------------------------------------------------------------------- */

static struct install_target *find_target(struct install *install, const char *id)
{
	for (size_t i = 0; i < install->count; i++)
		if (strcmp(install->targets[i].id, id) == 0)
			return &install->targets[i];
	return NULL;
}

/* States after which a target has nothing more to say here. */
static const struct {
	const char *name;
	enum logfile_level level;
	bool quiet; /* too many of a range for a line each */
} final_states[] = {
	{"joined", LEVEL_INFO, false},
	{"kept", LEVEL_INFO, false},
	{"removed", LEVEL_INFO, false},
	{"absent", LEVEL_INFO, true},
	{"failed", LEVEL_WARN, false},
	{"cancelled", LEVEL_INFO, false},
};

static void log_final(
	const struct installs *installs, const struct install *install, struct install_target *target)
{
	const char *state = json_get_text(target->event, "state");
	const char *stage = json_get_text(target->event, "stage");
	const char *sentence = json_get_text(target->event, "sentence");
	for (size_t i = 0; i < ARRAY_LEN(final_states); i++) {
		if (!state || target->final || strcmp(state, final_states[i].name) != 0)
			continue;
		target->final = true;
		if (!final_states[i].quiet)
			logfile_line(installs->log, final_states[i].level, "install %s: %s: %s (%.20s)%s%.*s",
				install->id, target->place, state, stage ? stage : "-", sentence ? ": " : "",
				MAX_SENTENCE, sentence ? sentence : "");
	}
}

static int take_event(
	const struct installs *installs, struct install *install, const json_t *body, struct err *err)
{
	struct msg_install_event msg = {0};
	if (message_read(MSG_install_event, body, &msg, err))
		return -1;
	struct install_target *target = find_target(install, msg.target);
	bool ours = target && strcmp(msg.install, install->id) == 0 && json_is_object(msg.event);
	if (ours) {
		json_decref(target->event);
		target->event = json_incref(msg.event);
		target->fresh = target->asked;
		log_final(installs, install, target);
	}
	message_free(MSG_install_event, &msg);
	return ours ? 0 : err_set(err, "an event is of no target of this install");
}

static int take_over(struct install *install, const json_t *body, struct err *err)
{
	struct msg_install_over msg = {0};
	if (message_read(MSG_install_over, body, &msg, err))
		return -1;
	install->said_over = true;
	snprintf(install->reason, sizeof install->reason, "%s", msg.reason ? msg.reason : "");
	message_free(MSG_install_over, &msg);
	return 0;
}

static int take_line(const struct installs *installs, struct install *install, const char *line,
	size_t len, struct err *err)
{
	struct rpc rpc;
	if (rpc_parse(line, len, &rpc, err))
		return -1;
	int rc = -1;
	if (rpc.kind == RPC_NOTIFICATION && strcmp(rpc.method, message_method(MSG_install_event)) == 0)
		rc = take_event(installs, install, rpc.body, err);
	else if (rpc.kind == RPC_NOTIFICATION &&
			 strcmp(rpc.method, message_method(MSG_install_over)) == 0)
		rc = take_over(install, rpc.body, err);
	else
		err_set(err, "that is neither an event nor its end");
	rpc_free(&rpc);
	return rc;
}

static int take_lines(const struct installs *installs, struct install *install, struct err *err)
{
	size_t from = 0;
	for (;;) {
		const char *line = buf_text(&install->output) + from;
		const char *end = memchr(line, '\n', install->output.len - from);
		if (!end)
			break;
		if (take_line(installs, install, line, (size_t)(end - line), err))
			return -1;
		from += (size_t)(end - line) + 1;
	}
	buf_consume(&install->output, from);
	return 0;
}

enum heard { HEARD_ALL, HEARD_END, HEARD_NONSENSE };

static enum heard read_output(
	const struct installs *installs, struct install *install, struct err *err)
{
	char chunk[4096];
	for (size_t sum = 0; sum < READ_AT_ONCE;) {
		ssize_t got = read(install->worker.fd, chunk, sizeof chunk);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return HEARD_ALL;
		if (got <= 0)
			return HEARD_END;
		sum += (size_t)got;
		if (buf_append(&install->output, chunk, (size_t)got)) {
			err_set(err, "a line is longer than %d bytes", MAX_LINE);
			return HEARD_NONSENSE;
		}
		if (take_lines(installs, install, err))
			return HEARD_NONSENSE;
	}
	return HEARD_ALL;
}

/* The first line is kept, what follows must not stop it. */
static void read_errors(const struct installs *installs, struct install *install)
{
	char chunk[1024];
	ssize_t got;
	if (!*install->complaint.text && !self_complaint(&install->worker, &install->complaint))
		install->complaint.text[0] = '\0';
	do
		got = read(install->worker.errors_fd, chunk, sizeof chunk);
	while (got > 0);
	if (got == 0)
		unwatch(installs, install->worker.errors_fd);
}

/* --- its end ------------------------------------------------------------------------------- */

static void set_reason(struct install *install, const char *reason)
{
	snprintf(install->reason, sizeof install->reason, "%.*s", INSTALL_MAX_REASON, reason);
}

static void log_over(const struct installs *installs, const struct install *install)
{
	size_t final = 0;
	for (size_t i = 0; i < install->count; i++)
		final += install->targets[i].final;
	logfile_line(installs->log, *install->reason ? LEVEL_WARN : LEVEL_INFO,
		"install %s is over; %zu of %zu hosts came to an end%s%s", install->id, final,
		install->count, *install->reason ? ": " : "", install->reason);
}

static void finish(struct installs *installs, struct install *install)
{
	self_end(&install->worker);
	wipe(&install->input);
	buf_free(&install->output);
	install->over = true;
	log_over(installs, install);
}

void install_step(struct installs *installs, struct install *install)
{
	struct err err;
	write_input(installs, install);
	enum heard heard = read_output(installs, install, &err);
	read_errors(installs, install);
	bool late = heard == HEARD_ALL && !deadline_left_ms(install->deadline);
	if (heard == HEARD_ALL && !late)
		return;
	if (heard == HEARD_NONSENSE) {
		cleanup(free_ptr) char *reason =
			xasprintf("the connector's worker cannot be understood: %.500s", err.text);
		set_reason(install, reason);
	} else if (late && install->ending == ENDING_OPEN) {
		set_reason(install, "it took longer than two hours");
	} else if (late) {
		set_reason(install, "the connector's worker did not end when it was told to");
	} else if (!install->said_over) {
		set_reason(install,
			*install->complaint.text ? install->complaint.text : "the connector's worker died");
	}
	finish(installs, install);
}
