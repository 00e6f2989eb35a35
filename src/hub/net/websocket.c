/*
 * Happy path: pieces of a message are gathered until the last one and the core gets it whole; what
 * the core sends waits in a queue until the socket takes it. What goes wrong: a message past its
 * bound, a binary one (closed with a code of RFC 6455), more than the core can follow (likewise), a
 * connection that ends without a close frame (what the last read of the socket met says how).
 */
#include "hub/net/websocket.h"

#include "base/buf.h"
#include "hub/net/channel.h"
#include "hub/net/listener_parts.h"
#include "hub/session/session.h"
#include "wire/ws.h"

#include <errno.h>
#include <string.h>

struct websocket {
	struct buf received;
	struct websocket_message *first, *last;
	char *why;      /* owned */
	int closing;    /* the code to close with once the queue is empty; 0: stay */
	bool was_reset; /* the last read of the socket said so */
	bool peer_said_goodbye;
	bool peer_goes_away; /* the goodbye says that the peer stops */
};

/* --- the core's letters ----------------------------------------------------------------------- */

void websocket_message(struct letter *letter)
{
	struct websocket_message *message = (struct websocket_message *)letter;
	struct websocket *websocket = message->connection->websocket;
	if (!websocket || !message->connection->wsi) {
		free(message);
		return;
	}
	letter->next = NULL;
	if (websocket->last)
		websocket->last->letter.next = letter;
	else
		websocket->first = message;
	websocket->last = message;
	lws_callback_on_writable(message->connection->wsi);
}

void websocket_close(struct letter *letter)
{
	struct websocket_close *wish = (struct websocket_close *)letter;
	struct websocket *websocket = wish->connection->websocket;
	if (websocket && wish->connection->wsi && !websocket->closing) {
		websocket->closing = wish->code;
		websocket->why = xstrdup(wish->why);
		lws_callback_on_writable(wish->connection->wsi);
	}
	free(wish);
}

/* --- the socket --------------------------------------------------------------------------------
 */

/* libwebsockets does not tell a reset from an end, so this looks on when the socket is read. */
static long on_socket(BIO *bio, int operation, const char *data, size_t len, int argi, long argl,
	int result, size_t *processed) /* NOLINT(readability-non-const-parameter) */
{
	struct websocket *websocket = (struct websocket *)BIO_get_callback_arg(bio);
	(void)data;
	(void)len;
	(void)argi;
	(void)argl;
	(void)processed;
	if (operation == (BIO_CB_READ | BIO_CB_RETURN) && result < 0 && errno == ECONNRESET &&
		websocket)
		websocket->was_reset = true;
	return result;
}

static void watch_socket(struct connection *connection, bool on)
{
	SSL *ssl = lws_get_ssl(connection->wsi);
	BIO *bio = ssl ? SSL_get_rbio(ssl) : NULL;
	if (!bio)
		return;
	BIO_set_callback_ex(bio, on ? on_socket : NULL);
	BIO_set_callback_arg(bio, on ? (char *)connection->websocket : NULL);
}

void websocket_open(struct connection *connection)
{
	connection->websocket = xcalloc(1, sizeof *connection->websocket);
	watch_socket(connection, true);
	connection_learn(connection);
	connection_post_core(connection, LANE_PATIENT, channel_opened, 0);
}

static int close_now(struct connection *connection, enum lws_close_status code, const char *why)
{
	lws_close_reason(connection->wsi, code, (unsigned char *)why, strlen(why));
	return -1;
}

/* What the core has not seen yet is bounded, for each and for all; an agent waits for answers long
 * before. (To stop reading is no way: the flow control of libwebsockets 4.1 turns for ever over
 * what TLS has decrypted already.) */
static bool is_too_much(const struct connection *connection)
{
	size_t most = connection->after ? 2 * SESSION_MAX_EARLY : CHANNEL_MAX_UNREAD;
	return atomic_load(&connection->unread) > most ||
		   atomic_load(&connection->loop->listener->unread) > CHANNEL_MAX_UNREAD_ALL;
}

static void hand_over(struct connection *connection)
{
	struct buf *received = &connection->websocket->received;
	struct channel_text *text = xcalloc(1, sizeof *text + received->len + 1);
	text->letter.open = channel_texted;
	text->connection = connection;
	text->len = received->len;
	memcpy(text->text, buf_text(received), received->len);
	atomic_fetch_add(&connection->unread, websocket_weight(received->len));
	atomic_fetch_add(&connection->loop->listener->unread, (int64_t)websocket_weight(received->len));
	buf_free(received);
	mailbox_post(&connection->loop->listener->core, LANE_PATIENT, &text->letter);
}

int websocket_receive(struct connection *connection, const char *data, size_t len)
{
	struct websocket *websocket = connection->websocket;
	struct lws *wsi = connection->wsi;
	if (websocket->closing)
		return 0;
	if (lws_frame_is_binary(wsi))
		return close_now(connection, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "text is spoken here");
	/* It is young no longer once it has proved itself. */
	websocket->received.max = connection->after ? SESSION_MAX_EARLY : WS_MAX_MESSAGE;
	if (buf_append(&websocket->received, data, len))
		return close_now(connection, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "the message is too long");
	if (lws_remaining_packet_payload(wsi) || !lws_is_final_fragment(wsi))
		return 0;
	hand_over(connection);
	return is_too_much(connection)
			   ? close_now(connection, LWS_CLOSE_STATUS_POLICY_VIOLATION, "too much at once")
			   : 0;
}

/* From the writable callback libwebsockets would close without the frame, so the close itself
 * happens after it. */
static int close_later(struct connection *connection)
{
	struct websocket *websocket = connection->websocket;
	lws_close_reason(connection->wsi, (enum lws_close_status)websocket->closing,
		(unsigned char *)websocket->why, strlen(websocket->why));
	connection_end(connection);
	return 0;
}

static int write_first(struct connection *connection)
{
	struct websocket *websocket = connection->websocket;
	struct websocket_message *message = websocket->first;
	websocket->first = (struct websocket_message *)message->letter.next;
	if (!websocket->first)
		websocket->last = NULL;
	int put =
		lws_write(connection->wsi, (unsigned char *)message->text, message->len, LWS_WRITE_TEXT);
	atomic_fetch_sub(&connection->unsent, message->len);
	free(message);
	return put < 0 ? -1 : 0;
}

int websocket_writable(struct connection *connection)
{
	struct websocket *websocket = connection->websocket;
	if (websocket->first && write_first(connection))
		return -1;
	/* Before a close, what libwebsockets could not hand to the socket yet goes first. */
	if (websocket->first || (websocket->closing && lws_partial_buffered(connection->wsi))) {
		lws_callback_on_writable(connection->wsi);
		return 0;
	}
	return websocket->closing ? close_later(connection) : 0;
}

void websocket_peer_closes(struct connection *connection, const unsigned char *payload, size_t len)
{
	unsigned code = len >= 2 ? (unsigned)payload[0] << 8 | payload[1] : 1005;
	connection->websocket->peer_said_goodbye = true;
	connection->websocket->peer_goes_away = code == 1000 || code == 1001;
}

void websocket_closed(struct connection *connection)
{
	const struct websocket *websocket = connection->websocket;
	watch_socket(connection, false);
	connection_tell_end(connection, (websocket->was_reset ? END_WAS_RESET : 0) |
										(websocket->peer_said_goodbye ? END_GOODBYE : 0) |
										(websocket->peer_goes_away ? END_GOES_AWAY : 0) |
										(websocket->closing ? END_BY_THIS_HUB : 0));
}

void websocket_free(struct connection *connection)
{
	struct websocket *websocket = connection->websocket;
	for (struct websocket_message *message = websocket->first; message;) {
		struct websocket_message *next = (struct websocket_message *)message->letter.next;
		free(message);
		message = next;
	}
	buf_free(&websocket->received);
	free(websocket->why);
	free(websocket);
	connection->websocket = NULL;
}
