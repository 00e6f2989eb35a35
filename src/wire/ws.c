/*
 * Happy path: the upgrade request goes out, the answer is a 101 whose Sec-WebSocket-Accept fits our
 * key, and from then on wslay reads and writes frames. Messages are put together here and not in
 * wslay, so that a peer which sends a megabyte in frames of one byte makes us hold a megabyte.
 *
 * Failure modes: any other answer ends in WS_REFUSED with its status, headers and first bytes kept.
 * A frame that breaks the protocol, text that is no UTF-8, a binary message and one that is too
 * long are answered with a close frame (1002, 1007, 1003, 1009) and end in WS_CLOSED; so do the
 * peer's close frame, the end of the stream and an error of the transport. One step reads a bounded
 * amount and stops while answers to pings pile up, so a flood cannot keep the caller inside.
 */
#include "wire/ws.h"

#include "wire/http.h"

#include <errno.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <wslay/wslay.h>

#define GUID           "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 section 1.3 */
#define KEY_TEXT       25                                     /* base64 of 16 bytes, and NUL */
#define ACCEPT_TEXT    29                                     /* base64 of a SHA-1, and NUL */
#define REFUSAL_BODY   4096
#define STEP_BYTES     262144 /* read in one step */
#define MAX_QUEUED     256    /* messages to send, pongs included, before reading stops */
#define HANDSHAKE_READ 2048

struct ws {
	struct ws_io io;
	ws_on_text *on_text;
	void *data;
	enum ws_state state;
	int error;        /* errno of the transport */
	int write_error;  /* errno, once it takes nothing any more */
	bool garbled;     /* what came is no frame at all */
	bool own_close;   /* ws_close() was called: a missing answer is no fault of the peer */
	size_t step_left; /* bytes that this step may still read */
	bool held_back;   /* this step ended before the transport had nothing left */

	/* handshake */
	struct buf request; /* what of it is not sent yet */
	char accept[ACCEPT_TEXT];
	struct http_response response; /* kept for a refusal, freed when the socket opens */
	struct buf early;              /* frames that came right behind the 101 */

	/* open */
	struct wslay_event_context *context;
	struct buf message; /* the running one */
	uint8_t opcode;     /* of the running frame */
};

/* --- handshake ------------------------------------------------------------------------------ */

static void expected_accept(const char *key, char accept[ACCEPT_TEXT])
{
	char text[KEY_TEXT + sizeof GUID];
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	snprintf(text, sizeof text, "%s" GUID, key);
	EVP_Digest(text, strlen(text), hash, &len, EVP_sha1(), NULL);
	sodium_bin2base64(accept, ACCEPT_TEXT, hash, len, sodium_base64_VARIANT_ORIGINAL);
}

struct ws *ws_client_start(
	const struct ws_io *io, const char *host, const char *path, ws_on_text *on_text, void *data)
{
	struct ws *ws = xcalloc(1, sizeof *ws);
	unsigned char nonce[16];
	char key[KEY_TEXT];
	randombytes_buf(nonce, sizeof nonce);
	sodium_bin2base64(key, sizeof key, nonce, sizeof nonce, sodium_base64_VARIANT_ORIGINAL);
	ws->io = *io;
	ws->on_text = on_text;
	ws->data = data;
	expected_accept(key, ws->accept);
	http_response_init(&ws->response, REFUSAL_BODY, false);
	buf_printf(&ws->request,
		"GET %s HTTP/1.1\r\n"
		"Host: %s\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Key: %s\r\n"
		"Sec-WebSocket-Version: 13\r\n"
		"User-Agent: sallyport/" SALLYPORT_VERSION "\r\n"
		"\r\n",
		path, host, key);
	return ws;
}

void ws_set_receiver(struct ws *ws, ws_on_text *on_text, void *data)
{
	ws->on_text = on_text;
	ws->data = data;
}

static enum ws_state transport_failed(struct ws *ws, int error)
{
	ws->error = error;
	return ws->state = WS_CLOSED;
}

/* -1 once the transport has failed; 1 while something is left to send. */
static int send_request(struct ws *ws)
{
	while (ws->request.len) {
		ssize_t put = ws->io.write(ws->io.data, ws->request.data, ws->request.len);
		if (put == WS_AGAIN)
			return 1;
		if (put < 0)
			return -1;
		buf_consume(&ws->request, (size_t)put);
	}
	buf_free(&ws->request);
	return 0;
}

/* The four conditions of RFC 6455 section 4.1; an extension that we did not ask for counts too. */
static bool upgrade_accepted(const struct http_response *response, const char *accept)
{
	const char *got = http_response_header(response, "sec-websocket-accept");
	return response->status == 101 && http_response_has_token(response, "upgrade", "websocket") &&
		   http_response_has_token(response, "connection", "upgrade") && got &&
		   strcmp(got, accept) == 0 &&
		   !http_response_header(response, "sec-websocket-extensions") &&
		   !http_response_header(response, "sec-websocket-protocol");
}

static void open_frames(struct ws *ws);

static enum ws_state read_answer(struct ws *ws)
{
	char chunk[HANDSHAKE_READ];
	while (!ws->response.done) {
		ssize_t got = ws->io.read(ws->io.data, chunk, sizeof chunk);
		if (got == WS_AGAIN)
			return ws->state;
		if (got <= 0 && !ws->response.status && !ws->response.head.len)
			return transport_failed(ws, got < 0 ? errno : 0);
		if (got <= 0) {
			ws->error = got < 0 ? errno : 0;
			http_response_end(&ws->response);
			break;
		}
		ssize_t used = http_response_feed(&ws->response, chunk, (size_t)got);
		if (used >= 0 && ws->response.done && ws->response.status == 101)
			buf_append(&ws->early, chunk + used, (size_t)(got - used));
	}
	if (!upgrade_accepted(&ws->response, ws->accept))
		return ws->state = WS_REFUSED;
	open_frames(ws);
	return ws->state = WS_OPEN;
}

/* --- frames --------------------------------------------------------------------------------- */

static ssize_t frame_read(
	struct wslay_event_context *context, uint8_t *bytes, size_t len, int flags, void *user_data)
{
	struct ws *ws = user_data;
	(void)flags;
	ssize_t got;
	ws->held_back = !ws->step_left || wslay_event_get_queued_msg_count(context) > MAX_QUEUED;
	if (ws->held_back) {
		wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	if (ws->early.len) {
		got = (ssize_t)(len < ws->early.len ? len : ws->early.len);
		memcpy(bytes, ws->early.data, (size_t)got);
		buf_consume(&ws->early, (size_t)got);
		if (!ws->early.len)
			buf_free(&ws->early);
	} else {
		got = ws->io.read(ws->io.data, bytes, len);
	}
	if (got > 0) {
		ws->step_left -= (size_t)got < ws->step_left ? (size_t)got : ws->step_left;
		return got;
	}
	if (got != WS_AGAIN && !ws->write_error)
		transport_failed(ws, got < 0 ? errno : 0);
	wslay_event_set_error(
		context, got == WS_AGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static ssize_t frame_write(struct wslay_event_context *context, const uint8_t *bytes, size_t len,
	int flags, void *user_data)
{
	struct ws *ws = user_data;
	(void)flags;
	ssize_t put = ws->io.write(ws->io.data, bytes, len);
	if (put >= 0)
		return put;
	if (put != WS_AGAIN)
		ws->write_error = errno;
	wslay_event_set_error(
		context, put == WS_AGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static int make_mask(
	struct wslay_event_context *context, uint8_t *bytes, size_t len, void *user_data)
{
	(void)context;
	(void)user_data;
	randombytes_buf(bytes, len);
	return 0;
}

/* Ends the session for a fault of the peer: nothing more is read, the close frame still goes out.
 */
static void fault(struct ws *ws, uint16_t code)
{
	buf_free(&ws->message);
	wslay_event_shutdown_read(ws->context);
	wslay_event_queue_close(ws->context, code, NULL, 0);
}

static void frame_begins(struct wslay_event_context *context,
	const struct wslay_event_on_frame_recv_start_arg *arg, void *user_data)
{
	struct ws *ws = user_data;
	(void)context;
	ws->opcode = arg->opcode;
	if (arg->opcode == WSLAY_BINARY_FRAME)
		fault(ws, WSLAY_CODE_UNSUPPORTED_DATA);
	else if (!wslay_is_ctrl_frame(arg->opcode) &&
			 arg->payload_length > WS_MAX_MESSAGE - ws->message.len)
		fault(ws, WSLAY_CODE_MESSAGE_TOO_BIG);
}

static void frame_continues(struct wslay_event_context *context,
	const struct wslay_event_on_frame_recv_chunk_arg *arg, void *user_data)
{
	struct ws *ws = user_data;
	if (wslay_is_ctrl_frame(ws->opcode) || !wslay_event_get_read_enabled(context))
		return;
	if (buf_append(&ws->message, arg->data, arg->data_length))
		fault(ws, WSLAY_CODE_MESSAGE_TOO_BIG);
}

static void message_ends(struct wslay_event_context *context,
	const struct wslay_event_on_msg_recv_arg *arg, void *user_data)
{
	struct ws *ws = user_data;
	if (wslay_is_ctrl_frame(arg->opcode) || !wslay_event_get_read_enabled(context))
		return;
	struct buf message = ws->message;
	ws->message = (struct buf){.max = WS_MAX_MESSAGE};
	if (ws->on_text)
		ws->on_text(ws->data, buf_text(&message), message.len);
	buf_free(&message);
}

static void open_frames(struct ws *ws)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = frame_read,
		.send_callback = frame_write,
		.genmask_callback = make_mask,
		.on_frame_recv_start_callback = frame_begins,
		.on_frame_recv_chunk_callback = frame_continues,
		.on_msg_recv_callback = message_ends,
	};
	http_response_free(&ws->response);
	ws->response.status = 101;
	ws->message.max = WS_MAX_MESSAGE;
	if (wslay_event_context_client_init(&ws->context, &callbacks, ws))
		abort(); /* only memory can lack */
	wslay_event_config_set_no_buffering(ws->context, 1);
	wslay_event_config_set_max_recv_msg_length(ws->context, WS_MAX_MESSAGE);
}

/* What the peer said before it went, such as why, may have come since the last look. */
static void hear_last_words(struct ws *ws)
{
	ws->step_left = STEP_BYTES;
	wslay_event_recv(ws->context);
	if (!wslay_event_get_close_received(ws->context))
		transport_failed(ws, ws->write_error);
	else
		ws->state = WS_CLOSED;
}

static void move_frames(struct ws *ws)
{
	struct wslay_event_context *context = ws->context;
	ws->step_left = STEP_BYTES;
	ws->held_back = false;
	int unread = wslay_event_recv(context);
	int unsent = ws->state == WS_OPEN ? wslay_event_send(context) : 0;
	if (ws->write_error && ws->state == WS_OPEN)
		hear_last_words(ws);
	if ((unread || unsent) && ws->state != WS_CLOSED) {
		ws->garbled = true;
		transport_failed(ws, EPROTO);
	}
	/* After a fault of the peer there is nothing to wait for once the close frame is out. */
	bool deaf = !wslay_event_get_read_enabled(context);
	if (wslay_event_get_close_sent(context) && (deaf || wslay_event_get_close_received(context)))
		ws->state = WS_CLOSED;
}

enum ws_state ws_step(struct ws *ws, bool *wants_write)
{
	*wants_write = false;
	if (ws->state == WS_HANDSHAKE) {
		int unsent = send_request(ws);
		if (unsent < 0)
			return transport_failed(ws, errno);
		*wants_write = unsent > 0;
		if (read_answer(ws) != WS_OPEN)
			return ws->state;
	}
	if (ws->state != WS_OPEN)
		return ws->state;
	move_frames(ws);
	*wants_write = ws->state == WS_OPEN && (ws->held_back || wslay_event_want_write(ws->context));
	return ws->state;
}

enum ws_state ws_state(const struct ws *ws)
{
	return ws->state;
}

int ws_send(struct ws *ws, const char *text, size_t len)
{
	if (ws->state != WS_OPEN || len > WS_MAX_MESSAGE ||
		wslay_event_get_queued_msg_length(ws->context) + len > WS_MAX_MESSAGE)
		return -1;
	struct wslay_event_msg message = {WSLAY_TEXT_FRAME, (const uint8_t *)text, len};
	return wslay_event_queue_msg(ws->context, &message) ? -1 : 0;
}

int ws_close(struct ws *ws, uint16_t code)
{
	if (ws->state != WS_OPEN || wslay_event_queue_close(ws->context, code, NULL, 0))
		return -1;
	ws->own_close = true;
	return 0;
}

int ws_status(const struct ws *ws)
{
	return ws->response.status;
}

const char *ws_header(const struct ws *ws, const char *name)
{
	return ws->context ? NULL : http_response_header(&ws->response, name);
}

const char *ws_body(const struct ws *ws)
{
	return buf_text(ws->response.status < 0 ? &ws->response.head : &ws->response.body);
}

uint16_t ws_close_code(const struct ws *ws)
{
	if (!ws->context)
		return WSLAY_CODE_ABNORMAL_CLOSURE;
	if (wslay_event_get_close_received(ws->context))
		return wslay_event_get_status_code_received(ws->context);
	if (ws->garbled)
		return WSLAY_CODE_PROTOCOL_ERROR;
	if (!ws->own_close && wslay_event_get_close_sent(ws->context))
		return wslay_event_get_status_code_sent(ws->context);
	return WSLAY_CODE_ABNORMAL_CLOSURE;
}

int ws_error(const struct ws *ws)
{
	return ws->error;
}

void ws_free(struct ws *ws)
{
	if (!ws)
		return;
	if (ws->context)
		wslay_event_context_free(ws->context);
	http_response_free(&ws->response);
	buf_free(&ws->request);
	buf_free(&ws->early);
	buf_free(&ws->message);
	free(ws);
}
