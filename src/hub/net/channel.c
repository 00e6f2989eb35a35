/*
 * Happy path: the loop tells of an upgrade, then of each whole message; the session answers through
 * its link, whose functions post to the loop. What goes wrong: a machine that does not read (it is
 * closed), a connection that ends without a close frame (what the loop saw last says how).
 */
#include "hub/net/channel.h"

#include "hub/net/listener_parts.h"
#include "hub/log.h"
#include "hub/state.h"
#include "hub/net/websocket.h"

#include <stdio.h>
#include <string.h>

/* --- what the session says ------------------------------------------------------------------ */

static void send_text(void *data, char *text)
{
	struct connection *connection = data;
	size_t len = strlen(text);
	if (connection->closing || connection->killed) {
		/* nobody hears it any more */
	} else if (atomic_load(&connection->unsent) + len <= CHANNEL_MAX_UNSENT) {
		struct websocket_message *message = xcalloc(1, sizeof *message + len + 1);
		message->letter.open = websocket_message;
		message->connection = connection;
		message->len = len;
		memcpy(message->text, text, len);
		atomic_fetch_add(&connection->unsent, len);
		mailbox_post(&connection->loop->mailbox, LANE_PROMPT, &message->letter);
	} else {
		log_line(LOG_WARNING, "a machine does not read what it is sent; its connection is closed");
		connection_kill(connection);
	}
	free(text);
}

static void close_channel(void *data, uint16_t code, const char *why)
{
	struct connection *connection = data;
	if (connection->closing)
		return;
	connection->closing = true;
	if (!code) {
		connection_kill(connection); /* it does not answer: no use to wait for its socket */
		return;
	}
	struct websocket_close *wish = xcalloc(1, sizeof *wish);
	wish->letter.open = websocket_close;
	wish->connection = connection;
	wish->code = code;
	snprintf(wish->why, sizeof wish->why, "%s", why);
	mailbox_post(&connection->loop->mailbox, LANE_PROMPT, &wish->letter);
}

static void proven(void *data)
{
	connection_proven(data);
}

static int binding(void *data, unsigned char out[CONNECTION_BINDING_BYTES])
{
	return connection_binding(data, out);
}

static const struct session_link link_of_channel = {send_text, close_channel, proven, binding};

/* --- what the loop tells --------------------------------------------------------------------- */

void channel_opened(struct letter *letter)
{
	struct connection *connection = ((struct connection_letter *)letter)->connection;
	connection->session =
		session_open(&connection->hub->sessions, &link_of_channel, connection, connection->peer);
	free(letter);
}

static void note_read(struct connection *connection, size_t weight)
{
	atomic_fetch_sub(&connection->unread, weight);
	atomic_fetch_sub(&connection->loop->listener->unread, (int64_t)weight);
}

void channel_texted(struct letter *letter)
{
	struct channel_text *text = (struct channel_text *)letter;
	struct connection *connection = text->connection;
	if (!connection->closing && !connection->killed)
		session_text(connection->session, text->text, text->len);
	note_read(connection, websocket_weight(text->len));
	free(text);
}

static enum cause cause_of_end(const struct connection *connection, unsigned how)
{
	if (connection->hub->draining)
		return CAUSE_HUB_RESTARTING;
	return (how & END_WAS_RESET) && !(how & END_GOODBYE) ? CAUSE_PEER_RESET : CAUSE_PEER_CLOSED;
}

static const char *reason_of_end(enum cause cause, unsigned how)
{
	if (cause == CAUSE_HUB_RESTARTING)
		return "The hub went down and this machine has not come back yet.";
	if (cause == CAUSE_PEER_RESET)
		return "The connection was reset, by the machine or by something on the way.";
	if (how & END_BY_THIS_HUB)
		return "The hub closed the session.";
	if (how & END_GOES_AWAY)
		return "The agent said goodbye: it was stopped, or its machine shut down.";
	return how & END_GOODBYE ? "The agent closed the session."
							 : "The connection was closed without a goodbye, by the machine or by "
							   "something on the way.";
}

void channel_ended(struct connection *connection, unsigned how)
{
	struct session *session = connection->session;
	enum cause cause = cause_of_end(connection, how);
	connection->session = NULL;
	session_ended(session, cause, reason_of_end(cause, how));
}
