/*
 * Happy path: pieces of a message are gathered until the last one, the session gets it whole, what
 * it sends waits in a queue until the socket takes it. What goes wrong: a message past its bound, a
 * binary one, a peer that does not read (closed with a code of RFC 6455), a connection that ends
 * without a close frame (what the last read of the socket met says how).
 */
#include "hub/channel.h"

#include "hub/log.h"
#include "hub/state.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

struct message {
	struct message *next;
	size_t len;
	unsigned char room[LWS_PRE]; /* libwebsockets writes its frame header here */
	char text[];
};

struct channel {
	struct connection *connection;
	struct session *session;
	struct buf received;
	struct message *first, *last;
	size_t queued;  /* bytes */
	int closing;    /* -1: no; else the code to close with once the queue is empty, 0 for none */
	bool was_reset; /* the last read of the socket said so */
	bool peer_said_goodbye;
	bool peer_goes_away; /* the goodbye says that the peer stops */
	char why[48];
};

static void send_text(void *data, char *text)
{
	struct channel *channel = data;
	size_t len = strlen(text);
	struct message *message = NULL;
	if (channel->queued + len <= CHANNEL_MAX_QUEUE && channel->closing < 0) {
		message = xcalloc(1, sizeof *message + len + 1);
		message->len = len;
		memcpy(message->text, text, len);
		if (channel->last)
			channel->last->next = message;
		else
			channel->first = message;
		channel->last = message;
		channel->queued += len;
		lws_callback_on_writable(channel->connection->wsi);
	} else if (channel->closing < 0) {
		log_line(LOG_WARNING, "a machine does not read what it is sent; its connection is closed");
		connection_kill(channel->connection);
	}
	free(text);
}

static void close_channel(void *data, uint16_t code, const char *why)
{
	struct channel *channel = data;
	if (channel->closing >= 0)
		return;
	channel->closing = code;
	snprintf(channel->why, sizeof channel->why, "%s", why);
	if (code)
		lws_callback_on_writable(channel->connection->wsi);
	else
		connection_kill(
			channel->connection); /* it does not answer: no use to wait for its socket */
}

static void proven(void *data)
{
	struct channel *channel = data;
	connection_proven(channel->connection);
}

static int binding(void *data, unsigned char out[PROOF_BINDING_BYTES])
{
	const struct channel *channel = data;
	return connection_binding(channel->connection, out);
}

static const struct session_link link_of_channel = {send_text, close_channel, proven, binding};

/* libwebsockets does not tell a reset from an end, so this looks on when the socket is read. */
static long on_socket(BIO *bio, int operation, const char *data, size_t len, int argi, long argl,
	int result, size_t *processed) /* NOLINT(readability-non-const-parameter) */
{
	struct channel *channel = (struct channel *)BIO_get_callback_arg(bio);
	(void)data;
	(void)len;
	(void)argi;
	(void)argl;
	(void)processed;
	if (operation == (BIO_CB_READ | BIO_CB_RETURN) && result < 0 && errno == ECONNRESET && channel)
		channel->was_reset = true;
	return result;
}

static void watch_socket(struct channel *channel, bool on)
{
	SSL *ssl = lws_get_ssl(channel->connection->wsi);
	BIO *bio = ssl ? SSL_get_rbio(ssl) : NULL;
	if (!bio)
		return;
	BIO_set_callback_ex(bio, on ? on_socket : NULL);
	BIO_set_callback_arg(bio, on ? (char *)channel : NULL);
}

struct channel *channel_open(struct connection *connection)
{
	struct channel *channel = xcalloc(1, sizeof *channel);
	char peer[46];
	channel->connection = connection;
	channel->closing = -1;
	connection_peer(connection, peer, sizeof peer);
	channel->session = session_open(&connection->hub->sessions, &link_of_channel, channel, peer);
	watch_socket(channel, true);
	return channel;
}

static int close_now(struct channel *channel, enum lws_close_status code, const char *why)
{
	lws_close_reason(channel->connection->wsi, code, (unsigned char *)why, strlen(why));
	return -1;
}

int channel_receive(struct channel *channel, const char *data, size_t len)
{
	struct lws *wsi = channel->connection->wsi;
	if (channel->closing >= 0)
		return 0;
	if (lws_frame_is_binary(wsi))
		return close_now(channel, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "text is spoken here");
	channel->received.max = session_max_message(channel->session);
	if (buf_append(&channel->received, data, len))
		return close_now(channel, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "the message is too long");
	if (lws_remaining_packet_payload(wsi) || !lws_is_final_fragment(wsi))
		return 0;
	struct buf whole = channel->received;
	channel->received = (struct buf){0};
	session_text(channel->session, buf_text(&whole), whole.len);
	buf_free(&whole);
	return 0;
}

/* From the writable callback libwebsockets would close without the frame, so the close itself
 * happens after it. */
static int close_later(struct channel *channel)
{
	lws_close_reason(channel->connection->wsi, (enum lws_close_status)channel->closing,
		(unsigned char *)channel->why, strlen(channel->why));
	connection_kill(channel->connection);
	return 0;
}

int channel_writable(struct channel *channel)
{
	struct lws *wsi = channel->connection->wsi;
	struct message *message = channel->first;
	if (message) {
		channel->first = message->next;
		if (!channel->first)
			channel->last = NULL;
		channel->queued -= message->len;
		int put = lws_write(wsi, (unsigned char *)message->text, message->len, LWS_WRITE_TEXT);
		free(message);
		if (put < 0)
			return -1;
	}
	if (channel->first) {
		lws_callback_on_writable(wsi);
		return 0;
	}
	if (channel->closing <= 0)
		return 0;
	/* What libwebsockets could not hand to the socket yet goes first. */
	if (lws_partial_buffered(wsi)) {
		lws_callback_on_writable(wsi);
		return 0;
	}
	return close_later(channel);
}

void channel_peer_closes(struct channel *channel, const unsigned char *payload, size_t len)
{
	unsigned code = len >= 2 ? (unsigned)payload[0] << 8 | payload[1] : 1005;
	channel->peer_said_goodbye = true;
	channel->peer_goes_away = code == 1000 || code == 1001;
}

static enum cause cause_of_end(const struct channel *channel)
{
	if (channel->connection->hub->draining)
		return CAUSE_HUB_RESTARTING;
	return channel->was_reset && !channel->peer_said_goodbye ? CAUSE_PEER_RESET : CAUSE_PEER_CLOSED;
}

static const char *reason_of_end(const struct channel *channel, enum cause cause)
{
	if (cause == CAUSE_HUB_RESTARTING)
		return "The hub went down and this machine has not come back yet.";
	if (cause == CAUSE_PEER_RESET)
		return "The connection was reset, by the machine or by something on the way.";
	if (channel->closing > 0)
		return "The hub closed the session.";
	if (channel->peer_goes_away)
		return "The agent said goodbye: it was stopped, or its machine shut down.";
	return channel->peer_said_goodbye ? "The agent closed the session."
									  : "The connection was closed without a goodbye, by the "
										"machine or by something on the way.";
}

void channel_closed(struct channel *channel)
{
	enum cause cause = cause_of_end(channel);
	watch_socket(channel, false);
	session_ended(channel->session, cause, reason_of_end(channel, cause));
	for (struct message *message = channel->first, *next; message; message = next) {
		next = message->next;
		free(message);
	}
	buf_free(&channel->received);
	free(channel);
}
