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

/* A command that runs. */
struct pump {
	struct channel *channel;
	ssh_channel line;
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

static void end_input(struct pump *pump)
{
	pump->fed = true;
	if (!pump->keep_open)
		ssh_channel_send_eof(pump->line);
}

/* True when something moved. */
static bool feed(struct pump *pump)
{
	struct channel_run *run = pump->run;
	if (pump->fed || ssh_get_poll_flags(pump->channel->session) & SSH_WRITE_PENDING)
		return false;
	if (pump->at == pump->len) {
		pump->at = 0;
		pump->len = run->feed ? run->feed(run->feed_data, pump->piece, sizeof pump->piece) : 0;
	}
	size_t left = pump->len - pump->at, window = ssh_channel_window_size(pump->line);
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
		if (ssh_wait(pump->channel, deadline_sooner(silence, after), "a command ran", ending)) {
			if (ending->outcome == OUTCOME_CANCELLED || deadline_left_ms(after) != 0)
				return -1;
			ending_free(ending);
		}
	}
}

static void close_line(ssh_channel line)
{
	ssh_channel_close(line);
	ssh_channel_free(line);
}

int ssh_run(struct channel *channel, struct channel_run *run, struct ending *ending)
{
	struct pump *pump = xcalloc(1, sizeof *pump);
	*pump = (struct pump){.channel = channel, .run = run, .fed = false};
	pump->line = start(channel, run->command, ending);
	int rc = pump->line ? pump_all(pump, ending) : -1;
	if (pump->line) {
		run->code = rc ? -1 : ssh_channel_get_exit_status(pump->line);
		close_line(pump->line);
	}
	explicit_bzero(pump, sizeof *pump);
	free(pump);
	return rc;
}

int ssh_hold(struct channel *channel, struct channel_run *run, struct ending *ending)
{
	struct pump *pump = xcalloc(1, sizeof *pump);
	*pump = (struct pump){.channel = channel, .run = run, .keep_open = true};
	pump->line = start(channel, run->command, ending);
	int rc = pump->line ? pump_all(pump, ending) : -1;
	run->code = -1;
	if (rc == 0 && has_line(&run->output)) {
		channel->held = pump->line;
	} else if (pump->line) {
		run->code = ssh_channel_get_exit_status(pump->line);
		close_line(pump->line);
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
	if (!channel->held)
		return;
	/* Cancelled or not, the host is left as it was. */
	channel->cancel = NULL;
	if (ssh_is_connected(channel->session) &&
		ssh_channel_write(channel->held, word, (uint32_t)strlen(word)) > 0)
		while (!has_ended(channel->held) && ssh_is_connected(channel->session)) {
			int got = ssh_channel_read_nonblocking(channel->held, rest, sizeof rest, 0);
			if (got <= 0 && !has_ended(channel->held) &&
				ssh_wait(channel, deadline, "it was taken back", &unheard))
				break;
		}
	ending_free(&unheard);
	channel->cancel = cancel;
	close_line(channel->held);
	channel->held = NULL;
}
