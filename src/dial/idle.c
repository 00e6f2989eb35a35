/*
 * Happy path: connections are opened, the longest first, each by a walk; one poll waits for all of
 * them; each is asked when its time of silence is over, and answers. What is known after the first
 * round says which idle times the second one tries.
 *
 * Failure modes: the first walk fails (its cause is the result's obstacle), a later one fails (the
 * round goes on with fewer), the other end closes before it is asked (it has lived until then), no
 * answer comes (forgotten; over a direct connection an acknowledgement of TCP is an answer too),
 * the deadline or the cancel comes first (what is known by then is the result). What a connection
 * receives on its own, a session ticket for instance, starts its silence anew.
 */
#include "dial/idle.h"

#include "dial/hello.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define OPEN_MS      10000 /* for one connection */
#define ANSWER_MS    1500  /* plus some round trips: three retransmissions fit in */
#define ANSWER_TRIPS 8
#define ANSWER_MOST  5000
#define END_MS       300 /* kept for the end */
#define ROUNDS_MAX   3
#define PROGRESS_MS  INT64_C(1000)
#define READS_MAX    64   /* at once, from a peer that talks without end */
#define ASK_CLOSE    1000 /* RFC 6455: a close frame is answered with one */

struct line {
	struct walk walk; /* owned; its connection is closed once the fate is known */
	int64_t target_ms;
	int64_t quiet_us; /* since when nothing has moved */
	int64_t asked_us; /* 0: not yet */
	struct idle_outcome outcome;
};

struct round {
	const struct idle_plan *plan;
	struct idle_result *result;
	struct line lines[IDLE_MAX_LINES]; /* ascending by target_ms */
	size_t count;
	int64_t answer_ms;
	int64_t told_us; /* when progress was last told */
	bool cancelled;
};

static bool open_still(const struct line *line)
{
	return line->walk.conn && line->outcome.fate == IDLE_FATE_OPEN;
}

static void settle(struct line *line, enum idle_fate fate, int64_t until_us)
{
	line->outcome =
		(struct idle_outcome){.fate = fate, .idle_ms = (until_us - line->quiet_us) / 1000};
	walk_free(&line->walk);
}

/* --- opening ---------------------------------------------------------------------------------- */

static int64_t answer_ms_of(const struct walk *walk)
{
	double trip = walk->stages[STAGE_CONNECT].ms + walk->stages[STAGE_TUNNEL].ms;
	int64_t ms = ANSWER_MS + ANSWER_TRIPS * (int64_t)trip;
	return ms < ANSWER_MOST ? ms : ANSWER_MOST;
}

/* An HTTPS endpoint is walked to as far as TLS: before its first request a server waits longest. */
static int open_line(struct round *round, struct line *line)
{
	const struct idle_plan *plan = round->plan;
	struct dial_target target = *plan->target;
	struct dial_options options = {
		.proxy = plan->options->proxy,
		.root = plan->options->root,
		.trust = plan->options->trust,
		.overall = deadline_sooner(plan->options->overall, deadline_in_ms(OPEN_MS)),
		.cancel = plan->options->cancel,
	};
	if (target.protocol == DIAL_HTTPS)
		target.protocol = DIAL_TLS;
	if (dial_walk(&target, &options, &line->walk)) {
		round->cancelled |= line->walk.cancelled;
		round->result->obstacle = line->walk.failure.cause;
		walk_free(&line->walk);
		return -1;
	}
	line->quiet_us = clock_mono_us();
	round->answer_ms = answer_ms_of(&line->walk);
	if (line->walk.proxy && !round->result->proxy)
		round->result->proxy = xstrdup(line->walk.proxy);
	return 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

static void ask_http(const struct dial_target *target, struct conn *conn)
{
	char host[TOKEN_MAX_HOST + 8];
	struct buf request = {0};
	buf_printf(&request,
		"HEAD / HTTP/1.1\r\nHost: %s\r\nUser-Agent: sallyport/" SALLYPORT_VERSION
		"\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		exchange_host(target, host));
	conn_write(conn, request.data, request.len); /* what fails shows at the next read */
	buf_free(&request);
}

static void ask(const struct round *round, struct line *line)
{
	bool wants_write;
	line->asked_us = clock_mono_us();
	if (!line->walk.ws)
		ask_http(round->plan->target, line->walk.conn);
	else if (ws_close(line->walk.ws, ASK_CLOSE) == 0)
		ws_step(line->walk.ws, &wants_write);
}

/* --- listening -------------------------------------------------------------------------------- */

enum heard { HEARD_SOMETHING, HEARD_END, HEARD_RESET, HEARD_NOTHING_MORE };

static enum heard heard_of_error(int error)
{
	bool lost = error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH;
	if (error == ECONNRESET || error == EPIPE)
		return HEARD_RESET;
	return lost ? HEARD_NOTHING_MORE : HEARD_END;
}

static enum heard hear_ws(struct ws *ws)
{
	bool wants_write;
	if (ws_step(ws, &wants_write) == WS_OPEN)
		return HEARD_SOMETHING;
	return ws_error(ws) ? heard_of_error(ws_error(ws)) : HEARD_END;
}

/* The socket is readable: what is it? Also a record of TLS that carries nothing is something. */
static enum heard hear(const struct line *line)
{
	char bytes[4096];
	ssize_t got = CONN_AGAIN;
	if (line->walk.ws)
		return hear_ws(line->walk.ws);
	for (int i = 0; i < READS_MAX; i++)
		if ((got = conn_read(line->walk.conn, bytes, sizeof bytes)) <= 0)
			break;
	if (got > 0 || got == CONN_AGAIN)
		return HEARD_SOMETHING;
	return got == 0 ? HEARD_END : heard_of_error(errno);
}

static void on_heard(struct line *line)
{
	int64_t now_us = clock_mono_us();
	enum heard heard = hear(line);
	if (!line->asked_us) {
		if (heard == HEARD_SOMETHING)
			line->quiet_us = now_us;
		else
			settle(line, IDLE_FATE_CLOSED, now_us);
		return;
	}
	static const enum idle_fate fates[] = {
		[HEARD_SOMETHING] = IDLE_FATE_LIVED,
		[HEARD_END] = IDLE_FATE_LIVED,
		[HEARD_RESET] = IDLE_FATE_RESET,
		[HEARD_NOTHING_MORE] = IDLE_FATE_DIED,
	};
	settle(line, fates[heard], line->asked_us);
}

/* The endpoint's own machine has what was sent; a proxy would acknowledge it in its place. */
static bool acknowledged(const struct line *line)
{
	return !line->walk.proxy && conn_acknowledged(line->walk.conn);
}

static void on_silence(const struct round *round, struct line *line)
{
	int64_t now_us = clock_mono_us();
	if (!line->asked_us && now_us >= line->quiet_us + line->target_ms * 1000)
		ask(round, line);
	else if (line->asked_us && now_us >= line->asked_us + round->answer_ms * 1000)
		settle(line, acknowledged(line) ? IDLE_FATE_LIVED : IDLE_FATE_DIED, line->asked_us);
}

/* --- a round ---------------------------------------------------------------------------------- */

static struct deadline line_deadline(const struct round *round, const struct line *line)
{
	int64_t at_us = line->asked_us ? line->asked_us + round->answer_ms * 1000
								   : line->quiet_us + line->target_ms * 1000;
	return (struct deadline){at_us};
}

/* What is longer than one that died tells nothing more, once all shorter ones have told. */
static bool decided(const struct round *round)
{
	for (size_t i = 0; i < round->count; i++) {
		enum idle_fate fate = round->lines[i].outcome.fate;
		if (open_still(&round->lines[i]))
			return false;
		if (fate == IDLE_FATE_DIED || fate == IDLE_FATE_RESET)
			return true;
	}
	return true;
}

static void tell_progress(struct round *round)
{
	int64_t now_us = clock_mono_us(), since_us = now_us, of_ms = 0;
	if (!round->plan->on_progress || now_us - round->told_us < PROGRESS_MS * 1000)
		return;
	round->told_us = now_us;
	for (size_t i = 0; i < round->count; i++) {
		if (!open_still(&round->lines[i]))
			continue;
		since_us = round->lines[i].quiet_us < since_us ? round->lines[i].quiet_us : since_us;
		of_ms = round->lines[i].target_ms;
	}
	round->plan->on_progress(round->plan->on_progress_data, (now_us - since_us) / 1000, of_ms);
}

/* Waits for the next thing that happens to a line, but not beyond `until`. */
static enum wait_result step(struct round *round, struct deadline until)
{
	struct pollfd fds[IDLE_MAX_LINES + 1];
	struct line *of[IDLE_MAX_LINES];
	size_t count = 0;
	struct deadline next = until;
	for (size_t i = 0; i < round->count; i++) {
		struct line *line = &round->lines[i];
		if (!open_still(line))
			continue;
		fds[count] = (struct pollfd){.fd = conn_fd(line->walk.conn), .events = POLLIN};
		of[count++] = line;
		next = deadline_sooner(next, line_deadline(round, line));
	}
	if (round->plan->on_progress)
		next = deadline_sooner(next, deadline_in_ms(PROGRESS_MS));
	enum wait_result waited = wait_fds(fds, count, next, round->plan->options->cancel);
	for (size_t i = 0; i < count && waited == WAIT_READY; i++)
		if (fds[i].revents)
			on_heard(of[i]);
	for (size_t i = 0; i < count && waited != WAIT_CANCELLED; i++)
		if (open_still(of[i]))
			on_silence(round, of[i]);
	tell_progress(round);
	return waited;
}

/* The longest first, so that none of them comes too late. What happens to the others meanwhile is
 * looked at in between. */
static void open_lines(struct round *round, const int64_t *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		round->lines[i].target_ms = steps[i];
	round->count = count;
	for (size_t i = count; i-- > 0 && !round->cancelled;) {
		if (open_line(round, &round->lines[i]))
			break;
		step(round, deadline_in_ms(0));
	}
}

static bool run_round(struct round *round, const int64_t *steps, size_t count)
{
	struct idle_outcome outcomes[IDLE_MAX_LINES];
	open_lines(round, steps, count);
	while (
		!round->cancelled && !decided(round) && deadline_left_ms(round->plan->options->overall)) {
		enum wait_result waited = step(round, round->plan->options->overall);
		if (waited == WAIT_ERROR)
			break;
		round->cancelled = waited == WAIT_CANCELLED;
	}
	for (size_t i = 0; i < count; i++) {
		outcomes[i] = round->lines[i].outcome;
		walk_free(&round->lines[i].walk);
	}
	int64_t lives = round->result->lives_ms, dies = round->result->dies_ms;
	idle_conclude(outcomes, count, round->result);
	return lives != round->result->lives_ms || dies != round->result->dies_ms;
}

/* How long a connection can still be left idle, its answer included. */
static int64_t most_ms(const struct idle_plan *plan, int64_t answer_ms)
{
	int left = deadline_left_ms(plan->options->overall);
	return left < 0 ? INT64_MAX / 2000 : left - answer_ms - END_MS;
}

void idle_measure(const struct idle_plan *plan, struct idle_result *result)
{
	int64_t steps[IDLE_MAX_LINES], answer_ms = ANSWER_MS;
	struct round *round = xcalloc(1, sizeof *round);
	*result = (struct idle_result){.verdict = IDLE_UNKNOWN};
	for (int i = 0; i < ROUNDS_MAX; i++) {
		size_t count =
			idle_steps(result->lives_ms, result->dies_ms, most_ms(plan, answer_ms), steps);
		/* Without a death there was either an end of the time or one by the other side. */
		if (!count || (i && !result->dies_ms))
			break;
		*round = (struct round){.plan = plan, .result = result, .answer_ms = answer_ms};
		bool more = run_round(round, steps, count);
		answer_ms = round->answer_ms;
		if (!more || round->cancelled)
			break;
	}
	result->cancelled = round->cancelled;
	free(round);
}

void idle_result_free(struct idle_result *result)
{
	free(result->proxy);
	*result = (struct idle_result){.verdict = IDLE_UNKNOWN};
}
