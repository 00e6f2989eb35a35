/*
 * Commands on a target, their input and output.
 *
 * Happy path: a channel opens, the command starts, input goes out as fast as the line takes it
 * (never more in memory than a piece), and its end comes with an exit code. One more command may be
 * held open beside it.
 *
 * Failure modes: no channel or no command is allowed there (login-unusable), the line breaks or
 * stays silent (connection-lost), the cancel. A command that goes without reading its input is no
 * failure of the line. One that leaves a child behind is over all the same, once its exit code is
 * there.
 */
#include "connector/ssh.h"

#include <libssh/callbacks.h>
#include <string.h>

#define OPEN_MS  20000
#define AFTER_MS 300 /* for what a command wrote, behind its exit code */
#define LAST_MS  10000
#define PIECE    32768

#define AGAIN(channel, call, ending)                                                               \
	__extension__({                                                                                \
		struct deadline again_until = deadline_in_ms(OPEN_MS);                                     \
		int again_rc;                                                                              \
		while ((again_rc = (call)) == SSH_AGAIN) {                                                 \
			if (ssh_wait((channel), again_until, "starting a command", (ending))) {                \
				again_rc = SSH_ERROR;                                                              \
				break;                                                                             \
			}                                                                                      \
		}                                                                                          \
		again_rc;                                                                                  \
	})

/* Whether something came on a line. libssh handles what has arrived in nearly every call, also in
 * one that asks for something else, and the socket does not wake anybody for it again. */
struct ear {
	struct ssh_channel_callbacks_struct callbacks;
	bool news;
};

static int on_data(
	ssh_session session, ssh_channel line, void *data, uint32_t len, int is_error, void *ear)
{
	(void)session;
	(void)line;
	(void)data;
	(void)len;
	(void)is_error;
	((struct ear *)ear)->news = true;
	return 0; /* it stays there to be read */
}

static void on_end(ssh_session session, ssh_channel line, void *ear)
{
	(void)session;
	(void)line;
	((struct ear *)ear)->news = true;
}

static void on_exit_status(ssh_session session, ssh_channel line, int status, void *ear)
{
	(void)status;
	on_end(session, line, ear);
}

/* Until ssh_remove_channel_callbacks(), or the end of the line. */
static void listen_to(struct ear *ear, ssh_channel line)
{
	*ear = (struct ear){.callbacks = {.userdata = ear,
							.channel_data_function = on_data,
							.channel_eof_function = on_end,
							.channel_close_function = on_end,
							.channel_exit_status_function = on_exit_status}};
	ssh_callbacks_init(&ear->callbacks);
	ssh_set_channel_callbacks(line, &ear->callbacks);
}

/* A command that runs. */
struct pump {
	struct channel *channel;
	ssh_channel line;
	struct ear ear;
	uint32_t window; /* of the line, when it was last fed */
	bool held_back;  /* then the socket took nothing */
	struct channel_run *run;
	char piece[PIECE];
	size_t at, len; /* what of the piece is still to be sent */
	bool fed;       /* all input is out, or nobody reads it */
	bool keep_open; /* the input is not ended */
};

static int refused(struct channel *channel, struct ending *ending)
{
	if (ending->outcome)
		return -1;
	if (!ssh_is_connected(channel->session))
		return ssh_lost(channel, "starting a command", ending);
	ending_set(ending, OUTCOME_LOGIN_UNUSABLE);
	evidence_add(&ending->evidence, "reason", "%s", ssh_get_error(channel->session));
	return -1;
}

static ssh_channel start(struct channel *channel, const char *command, struct ending *ending)
{
	ssh_channel line = ssh_channel_new(channel->session);
	if (line && AGAIN(channel, ssh_channel_open_session(line), ending) == SSH_OK &&
		AGAIN(channel, ssh_channel_request_exec(line, command), ending) == SSH_OK)
		return line;
	refused(channel, ending);
	if (line)
		ssh_channel_free(line);
	return NULL;
}

static int open_line(struct pump *pump, struct ending *ending)
{
	pump->line = start(pump->channel, pump->run->command, ending);
	if (pump->line)
		listen_to(&pump->ear, pump->line);
	return pump->line ? 0 : -1;
}

static void end_input(struct pump *pump)
{
	pump->fed = true;
	if (!pump->keep_open)
		ssh_channel_send_eof(pump->line);
}

static bool takes_nothing(const struct channel *channel)
{
	return ssh_get_poll_flags(channel->session) & SSH_WRITE_PENDING;
}

/* Something changed since this round looked at it. */
static bool has_news(const struct pump *pump)
{
	return pump->ear.news || pump->window != ssh_channel_window_size(pump->line) ||
		   (pump->held_back && !takes_nothing(pump->channel));
}

/* True when something moved. */
static bool feed(struct pump *pump)
{
	struct channel_run *run = pump->run;
	pump->window = ssh_channel_window_size(pump->line);
	pump->held_back = takes_nothing(pump->channel);
	if (pump->fed || pump->held_back)
		return false;
	if (pump->at == pump->len) {
		pump->at = 0;
		pump->len = run->feed ? run->feed(run->feed_data, pump->piece, sizeof pump->piece) : 0;
	}
	size_t left = pump->len - pump->at, window = pump->window;
	if (!left) {
		end_input(pump);
		return true;
	}
	if (!window)
		return false;
	int sent = ssh_channel_write(
		pump->line, pump->piece + pump->at, (uint32_t)(left < window ? left : window));
	if (sent > 0)
		pump->at += (size_t)sent;
	else if (sent == SSH_ERROR)
		pump->fed = true;
	return sent > 0;
}

static bool take(struct pump *pump, struct buf *into, int is_error)
{
	char bytes[PIECE];
	int got = ssh_channel_read_nonblocking(pump->line, bytes, sizeof bytes, is_error);
	if (got <= 0)
		return false;
	size_t len = (size_t)got, room = into->max ? into->max - into->len : len;
	buf_append(into, bytes, len < room ? len : room);
	if (!is_error && pump->run->on_output)
		pump->run->on_output(pump->run->on_output_data, into);
	return true;
}

static bool has_ended(ssh_channel line)
{
	return ssh_channel_is_closed(line) ||
		   (ssh_channel_is_eof(line) && ssh_channel_get_exit_status(line) >= 0);
}

/* One round: 1 when something moved, 0 when it is to be waited for, -1 with the ending. */
static int round_of(struct pump *pump, struct ending *ending)
{
	struct channel_run *run = pump->run;
	/* Reading is when libssh sees that it may write again. */
	bool moved = take(pump, &run->output, 0);
	moved = take(pump, &run->errors, 1) || moved;
	moved = feed(pump) || moved;
	if (!moved && !has_ended(pump->line) && !ssh_is_connected(pump->channel->session))
		return ssh_lost(pump->channel, "a command ran", ending);
	return moved;
}

static bool has_line(const struct buf *output)
{
	return output->len && memchr(output->data, '\n', output->len);
}

/* Until it has ended, or with keep_open its first line is there. */
static int pump_all(struct pump *pump, struct ending *ending)
{
	struct deadline silence = deadline_in_ms(pump->run->silence_ms), after = deadline_never();
	for (;;) {
		pump->ear.news = false;
		int moved = round_of(pump, ending);
		if (moved < 0)
			return -1;
		if (pump->keep_open && has_line(&pump->run->output))
			return 0;
		if (moved) {
			silence = deadline_in_ms(pump->run->silence_ms);
			continue;
		}
		if (has_ended(pump->line) || deadline_left_ms(after) == 0)
			return 0;
		/* A child that was left behind may hold the output open for ever. */
		if (ssh_channel_get_exit_status(pump->line) >= 0 && after.at_us == INT64_MAX)
			after = deadline_in_ms(AFTER_MS);
		if (has_news(pump))
			continue;
		if (ssh_wait(pump->channel, deadline_sooner(silence, after), "a command ran", ending)) {
			if (ending->outcome == OUTCOME_CANCELLED || deadline_left_ms(after) != 0)
				return -1;
			ending_free(ending);
		}
	}
}

/* libssh keeps a line until the host has closed it as well. */
static void close_line(ssh_channel line, struct ear *ear)
{
	ssh_remove_channel_callbacks(line, &ear->callbacks);
	ssh_channel_close(line);
	ssh_channel_free(line);
}

int ssh_run(struct channel *channel, struct channel_run *run, struct ending *ending)
{
	struct pump *pump = xcalloc(1, sizeof *pump);
	*pump = (struct pump){.channel = channel, .run = run, .fed = false};
	int rc = open_line(pump, ending) ? -1 : pump_all(pump, ending);
	if (pump->line) {
		run->code = rc ? -1 : ssh_channel_get_exit_status(pump->line);
		close_line(pump->line, &pump->ear);
	}
	explicit_bzero(pump, sizeof *pump);
	free(pump);
	return rc;
}

int ssh_hold(struct channel *channel, struct channel_run *run, struct ending *ending)
{
	struct pump *pump = xcalloc(1, sizeof *pump);
	*pump = (struct pump){.channel = channel, .run = run, .keep_open = true};
	int rc = open_line(pump, ending) ? -1 : pump_all(pump, ending);
	run->code = -1;
	if (rc == 0 && has_line(&run->output)) {
		ssh_remove_channel_callbacks(pump->line, &pump->ear.callbacks);
		channel->held = pump->line;
	} else if (pump->line) {
		run->code = ssh_channel_get_exit_status(pump->line);
		close_line(pump->line, &pump->ear);
	}
	explicit_bzero(pump, sizeof *pump);
	free(pump);
	return rc;
}

void ssh_release(struct channel *channel, const char *word)
{
	struct deadline deadline = deadline_in_ms(LAST_MS);
	struct ending unheard = {.outcome = OUTCOME_NONE};
	char rest[256];
	const struct cancel *cancel = channel->cancel;
	struct ear ear;
	if (!channel->held)
		return;
	/* Cancelled or not, the host is left as it was. */
	channel->cancel = NULL;
	listen_to(&ear, channel->held);
	if (ssh_is_connected(channel->session) &&
		ssh_channel_write(channel->held, word, (uint32_t)strlen(word)) > 0)
		while (!has_ended(channel->held) && ssh_is_connected(channel->session)) {
			ear.news = false;
			int got = ssh_channel_read_nonblocking(channel->held, rest, sizeof rest, 0);
			if (got <= 0 && !has_ended(channel->held) && !ear.news &&
				ssh_wait(channel, deadline, "it was taken back", &unheard))
				break;
		}
	ending_free(&unheard);
	channel->cancel = cancel;
	close_line(channel->held, &ear);
	channel->held = NULL;
}
