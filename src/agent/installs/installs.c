/*
 * The happy path: install.start gets a place in the table and a worker, its events go to the hub,
 * the worker ends, and once the hub has heard all of it the place is free.
 *
 * Failure modes: the order is none (refused), all places are taken (refused, for the hub to ask
 * again), the worker does not start (refused), it dies (its end is told with what it said last),
 * the hub is not there (all of it is kept).
 */
#include "agent/installs/parts.h"

#include "wire/job.h"

#include <ctype.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* --- the table ----------------------------------------------------------------------------- */

static struct install *find(const struct installs *installs, const char *id)
{
	for (size_t i = 0; i < INSTALLS_AT_ONCE; i++)
		if (installs->list[i] && strcmp(installs->list[i]->id, id) == 0)
			return installs->list[i];
	return NULL;
}

static struct install **find_room(struct installs *installs)
{
	for (size_t i = 0; i < INSTALLS_AT_ONCE; i++)
		if (!installs->list[i])
			return &installs->list[i];
	return NULL;
}

static void free_install(struct install *install)
{
	self_end(&install->worker);
	for (size_t i = 0; i < install->count; i++) {
		free(install->targets[i].place);
		json_decref(install->targets[i].event);
	}
	free(install->targets);
	buf_free(&install->input);
	buf_free(&install->output);
	free(install);
}

void installs_drop(struct installs *installs, struct install *install)
{
	for (size_t i = 0; i < INSTALLS_AT_ONCE; i++)
		if (installs->list[i] == install)
			installs->list[i] = NULL;
	free_install(install);
	malloc_trim(0);
}

/* --- install.start ------------------------------------------------------------------------- */

static bool is_target_id(const char *id)
{
	if (!id || !*id || strlen(id) >= INSTALL_ID_SIZE)
		return false;
	for (; *id; id++)
		if (!isascii((unsigned char)*id) || !isalnum((unsigned char)*id))
			return false;
	return true;
}

static int read_target(const json_t *row, struct install_target *target)
{
	const char *id = json_get_text(row, "id"), *host = json_get_text(row, "host");
	if (!is_target_id(id) || !host || strlen(host) > INSTALL_MAX_PLACE)
		return -1;
	snprintf(target->id, sizeof target->id, "%s", id);
	target->place = xasprintf("%s:%lld", host, (long long)json_get_int(row, "port", 0));
	return 0;
}

/* NULL when it is no order. */
static struct install *read_start(const struct msg_install_start *msg)
{
	size_t count = json_array_size(msg->targets);
	bool known = strcmp(msg->action, "install") == 0 || strcmp(msg->action, "remove") == 0;
	if (!job_is_id(msg->install) || !known || !count || count > INSTALL_MAX_TARGETS)
		return NULL;
	struct install *install = xcalloc(1, sizeof *install);
	snprintf(install->id, sizeof install->id, "%s", msg->install);
	self_init(&install->worker);
	install->targets = xcalloc(count, sizeof *install->targets);
	for (install->count = 0; install->count < count; install->count++) {
		if (read_target(
				json_array_get(msg->targets, install->count), &install->targets[install->count])) {
			free_install(install);
			return NULL;
		}
	}
	return install;
}

static int open_epoll(struct installs *installs)
{
	if (installs->epoll < 0)
		installs->epoll = epoll_create1(EPOLL_CLOEXEC);
	return installs->epoll < 0 ? -1 : 0;
}

static int launch(
	struct installs *installs, struct install *install, const struct msg_install_start *msg)
{
	struct err err = {"the order is too long"};
	if (open_epoll(installs))
		err_set(&err, "no descriptor is left: %s", strerror(errno));
	else if (install_launch(installs, install, &err) == 0 &&
			 install_tell(installs, install, MSG_install_start, msg) == 0)
		return 0;
	logfile_line(
		installs->log, LEVEL_ERROR, "install %s does not begin: %s", install->id, err.text);
	return -1;
}

enum refusal installs_start(struct installs *installs, const struct msg_install_start *msg)
{
	struct install **room = find_room(installs);
	if (find(installs, msg->install))
		return REFUSAL_NONE;
	if (!room)
		return REFUSAL_INSTALL_BUSY;
	struct install *install = read_start(msg);
	if (!install)
		return REFUSAL_BAD_MESSAGE;
	install->serial = ++installs->next_serial;
	if (launch(installs, install, msg)) {
		free_install(install);
		return REFUSAL_INSTALL_FAILED;
	}
	*room = install;
	logfile_line(installs->log, LEVEL_INFO, "install %s: the hub wants %s on %zu host%s",
		install->id,
		strcmp(msg->action, "remove") == 0 ? "the agent removed" : "the agent installed",
		install->count, install->count == 1 ? "" : "s");
	return REFUSAL_NONE;
}

/* --- install.go, install.end --------------------------------------------------------------- */

enum refusal installs_go(struct installs *installs, const struct msg_install_go *msg)
{
	struct install *install = find(installs, msg->install);
	if (!install)
		return REFUSAL_INSTALL_UNKNOWN;
	/* Its end is on its way to the hub. */
	if (install->over || install->ending)
		return REFUSAL_NONE;
	return install_tell(installs, install, MSG_install_go, msg) ? REFUSAL_INSTALL_BUSY
																: REFUSAL_NONE;
}

enum refusal installs_end(struct installs *installs, const struct msg_install_end *msg)
{
	struct install *install = find(installs, msg->install);
	if (!install)
		return REFUSAL_INSTALL_UNKNOWN;
	if (install->over || install->ending)
		return REFUSAL_NONE;
	install->ending = ENDING_ASKED;
	install->deadline = deadline_in_ms(INSTALLS_END_MS);
	logfile_line(installs->log, LEVEL_INFO, "install %s: the hub ends it", install->id);
	/* A worker that reads nothing any more is ended by the deadline. */
	install_tell(installs, install, MSG_install_end, msg);
	return REFUSAL_NONE;
}

/* --- life ---------------------------------------------------------------------------------- */

void installs_init(struct installs *installs, const char *root)
{
	*installs = (struct installs){.root = root, .epoll = -1};
}

void installs_close(struct installs *installs)
{
	struct deadline deadline = deadline_in_ms(INSTALLS_LEAVE_MS);
	for (size_t i = 0; i < INSTALLS_AT_ONCE; i++)
		if (installs->list[i])
			self_close_input(&installs->list[i]->worker);
	for (size_t i = 0; i < INSTALLS_AT_ONCE; i++) {
		if (!installs->list[i])
			continue;
		self_finish(&installs->list[i]->worker, deadline);
		free_install(installs->list[i]);
	}
	if (installs->epoll >= 0)
		close(installs->epoll);
	struct installs fresh = {
		.root = installs->root, .program = installs->program, .log = installs->log, .epoll = -1};
	*installs = fresh;
}

int installs_fd(const struct installs *installs)
{
	return installs->epoll;
}

bool installs_deadline(const struct installs *installs, struct deadline *deadline)
{
	bool any = installs_talk_deadline(installs, deadline);
	for (size_t i = 0; i < INSTALLS_AT_ONCE; i++) {
		const struct install *install = installs->list[i];
		if (!install || install->over)
			continue;
		*deadline = any ? deadline_sooner(*deadline, install->deadline) : install->deadline;
		any = true;
	}
	return any;
}

void installs_step(struct installs *installs)
{
	for (size_t i = 0; i < INSTALLS_AT_ONCE; i++)
		if (installs->list[i] && !installs->list[i]->over)
			install_step(installs, installs->list[i]);
	installs_talk(installs);
}

void installs_online(struct installs *installs, struct session *session)
{
	installs->session = session;
	for (size_t i = 0; i < INSTALLS_AT_ONCE; i++) {
		struct install *install = installs->list[i];
		if (!install)
			continue;
		install->over_asked = false;
		install->talk_at = (struct deadline){0};
		for (size_t j = 0; j < install->count; j++) {
			struct install_target *target = &install->targets[j];
			target->asked = target->fresh = false;
			*target->said = '\0';
		}
	}
	installs_talk(installs);
}

void installs_offline(struct installs *installs)
{
	installs->session = NULL;
}
