/*
 * Happy path: a connect for each port side by side, a timer over all of them; when the last one has
 * ended the answer is given. What goes wrong: a port that is silent (the timer ends it), no
 * descriptor left (the port counts as silent, as nothing was learnt).
 *
 * A look and its handles are freed when libuv has closed the last of them.
 */
#include "hub/outside.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

struct look;

struct
try {
	uv_tcp_t tcp;
	uv_connect_t connect;
	struct look *look;
	const char *result; /* NULL until it has ended */
};

struct look {
	struct outside *outside; /* NULL once nobody wants the answer */
	struct look *next;
	struct outside_question question;
	struct try tries[OUTSIDE_MAX_PORTS];
	uv_timer_t timer;
	size_t handles; /* not closed yet */
	size_t waiting; /* tries without a result */
};

struct outside {
	uv_loop_t *loop;
	outside_done *done;
	void *data;
	struct look *first;
	struct {
		char server[IDENTITY_ID_SIZE];
		int64_t at_ms;
	} recent[OUTSIDE_MAX_SERVERS];
	size_t turn; /* the oldest of them */
};

struct outside *outside_new(uv_loop_t *loop, outside_done *done, void *data)
{
	struct outside *outside = xcalloc(1, sizeof *outside);
	outside->loop = loop;
	outside->done = done;
	outside->data = data;
	return outside;
}

static bool note_turn(struct outside *outside, const char *server, int64_t now_ms)
{
	for (size_t i = 0; i < OUTSIDE_MAX_SERVERS; i++)
		if (strcmp(outside->recent[i].server, server) == 0 &&
			now_ms - outside->recent[i].at_ms < OUTSIDE_EVERY_MS)
			return false;
	size_t turn = outside->turn;
	if (outside->recent[turn].server[0] && now_ms - outside->recent[turn].at_ms < OUTSIDE_EVERY_MS)
		return false;
	snprintf(outside->recent[turn].server, IDENTITY_ID_SIZE, "%s", server);
	outside->recent[turn].at_ms = now_ms;
	outside->turn = (turn + 1) % OUTSIDE_MAX_SERVERS;
	return true;
}

/* --- one look ------------------------------------------------------------------------------ */

static void on_closed(uv_handle_t *handle)
{
	struct look *look = handle->data;
	if (--look->handles == 0)
		free(look);
}

static void unlink_look(struct look *look)
{
	struct look **at = &look->outside->first;
	while (*at != look)
		at = &(*at)->next;
	*at = look->next;
	look->outside = NULL;
}

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_closed);
}

static void answer(struct look *look)
{
	struct outside *outside = look->outside;
	json_t *ports = json_object();
	char name[8];
	for (size_t i = 0; i < look->question.count; i++) {
		snprintf(name, sizeof name, "%u", look->question.ports[i]);
		json_object_set_new(
			ports, name, json_string(look->tries[i].result ? look->tries[i].result : "silent"));
	}
	unlink_look(look);
	close_handle((uv_handle_t *)&look->timer);
	for (size_t i = 0; i < look->question.count; i++)
		close_handle((uv_handle_t *)&look->tries[i].tcp);
	outside->done(outside->data, &look->question, ports);
}

static void on_connect(uv_connect_t *connect, int status)
{
	struct try *try = connect->data;
	struct look *look = try->look;
	if (!look->outside)
		return; /* closed before it ended */
	try->result = status == 0                 ? "open"
				  : status == UV_ECONNREFUSED ? "refused"
				  : status == UV_EHOSTUNREACH || status == UV_ENETUNREACH || status == UV_EACCES
					  ? "unreachable"
					  : "silent";
	if (--look->waiting == 0)
		answer(look);
}

static void on_timeout(uv_timer_t *timer)
{
	struct look *look = timer->data;
	if (look->outside)
		answer(look);
}

static void start_try(struct look *look, size_t number)
{
	struct try *try = &look->tries[number];
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(look->question.ports[number]),
		.sin_addr = look->question.address,
	};
	try->look = look;
	try->connect.data = try;
	uv_tcp_init(look->outside->loop, &try->tcp);
	try->tcp.data = look;
	look->handles++;
	if (uv_tcp_connect(&try->connect, &try->tcp, (const struct sockaddr *)&address, on_connect) ==
		0)
		look->waiting++;
}

bool outside_look(struct outside *outside, const struct outside_question *question, int64_t now_ms)
{
	if (!note_turn(outside, question->server, now_ms))
		return false;
	struct look *look = xcalloc(1, sizeof *look);
	look->outside = outside;
	look->next = outside->first;
	outside->first = look;
	look->question = *question;
	uv_timer_init(outside->loop, &look->timer);
	look->timer.data = look;
	look->handles = 1;
	for (size_t i = 0; i < question->count; i++)
		start_try(look, i);
	uv_timer_start(&look->timer, on_timeout, look->waiting ? OUTSIDE_WAIT_MS : 0, 0);
	return true;
}

void outside_free(struct outside *outside)
{
	if (!outside)
		return;
	while (outside->first) {
		struct look *look = outside->first;
		unlink_look(look);
		close_handle((uv_handle_t *)&look->timer);
		for (size_t i = 0; i < look->question.count; i++)
			close_handle((uv_handle_t *)&look->tries[i].tcp);
	}
	free(outside);
}
