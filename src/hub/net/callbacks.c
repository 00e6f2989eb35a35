/*
 * What libwebsockets tells, one function each; the table at the end says which reason goes where.
 */
#include "hub/net/http.h"
#include "hub/net/listener_parts.h"
#include "hub/state.h"
#include "hub/net/websocket.h"
#include "wire/messages.h"

#include <stdio.h>
#include <string.h>

#define LAST_REASON LWS_CALLBACK_USER

/* --- HTTP ---------------------------------------------------------------------------------- */

static int on_http(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	(void)len;
	return connection ? http_begin(connection, in) : -1;
}

static int on_body(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	return http_body(connection, in, len);
}

static int on_body_end(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	(void)in;
	(void)len;
	return http_body_ended(connection);
}

static int on_http_writable(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	(void)in;
	(void)len;
	return connection->exchange ? http_writable(connection) : 0;
}

/* --- WebSocket ----------------------------------------------------------------------------- */

/* Answers an upgrade with a status of its own; 1 tells libwebsockets that this was done. */
static int refuse_upgrade(struct lws *wsi, unsigned status, int retry_after_s)
{
	unsigned char buffer[LWS_PRE + 1024];
	unsigned char *start = buffer + LWS_PRE, *at = start, *end = buffer + sizeof buffer;
	char seconds[16];
	int len = snprintf(seconds, sizeof seconds, "%d", retry_after_s);
	if (lws_add_http_common_headers(wsi, status, "text/plain", 0, &at, end) ||
		(retry_after_s && lws_add_http_header_by_name(wsi, (const unsigned char *)"retry-after:",
							  (const unsigned char *)seconds, len, &at, end)) ||
		lws_finalize_write_http_header(wsi, start, &at, end))
		return -1;
	return 1;
}

static int on_upgrade(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	char path[64];
	(void)len;
	if (!connection || strcasecmp(in, "websocket") != 0)
		return refuse_upgrade(wsi, 400, 0);
	if (lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) <= 0 ||
		strcmp(path, PROTOCOL_SESSION_PATH) != 0)
		return refuse_upgrade(wsi, 404, 0);
	int later = listener_retry_after_s(connection->loop->listener);
	return later ? refuse_upgrade(wsi, 503, later) : 0;
}

static int on_add_headers(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	struct lws_process_html_args *args = in;
	unsigned char *at = (unsigned char *)args->p;
	(void)connection;
	(void)len;
	if (lws_add_http_header_by_name(wsi, (const unsigned char *)"sallyport:",
			(const unsigned char *)"1", 1, &at, at + args->max_len))
		return -1;
	args->p = (char *)at;
	return 0;
}

static int on_established(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	(void)in;
	(void)len;
	if (!connection)
		return -1;
	websocket_open(connection);
	return 0;
}

static int on_received(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	return connection->websocket ? websocket_receive(connection, in, len) : -1;
}

static int on_writable(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	(void)in;
	(void)len;
	return connection->websocket ? websocket_writable(connection) : 0;
}

static int on_peer_close(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	if (connection->websocket)
		websocket_peer_closes(connection, in, len);
	return 0; /* libwebsockets echoes the frame */
}

/* While the socket still tells how it ended. */
static int on_closed(struct lws *wsi, struct connection *connection, void *in, size_t len)
{
	(void)wsi;
	(void)in;
	(void)len;
	if (connection && connection->websocket)
		websocket_closed(connection);
	return 0;
}

static callback_part *const parts[LAST_REASON] = {
	[LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED] = connection_accepted,
	[LWS_CALLBACK_WSI_DESTROY] = connection_destroyed,
	[LWS_CALLBACK_HTTP] = on_http,
	[LWS_CALLBACK_HTTP_BODY] = on_body,
	[LWS_CALLBACK_HTTP_BODY_COMPLETION] = on_body_end,
	[LWS_CALLBACK_HTTP_WRITEABLE] = on_http_writable,
	[LWS_CALLBACK_HTTP_CONFIRM_UPGRADE] = on_upgrade,
	[LWS_CALLBACK_ADD_HEADERS] = on_add_headers,
	[LWS_CALLBACK_ESTABLISHED] = on_established,
	[LWS_CALLBACK_RECEIVE] = on_received,
	[LWS_CALLBACK_SERVER_WRITEABLE] = on_writable,
	[LWS_CALLBACK_WS_PEER_INITIATED_CLOSE] = on_peer_close,
	[LWS_CALLBACK_CLOSED] = on_closed,
};

int listener_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
		loop_of(wsi)->ssl = user; /* the one reason that brings something here */
		return 0;
	}
	if ((unsigned)reason >= LAST_REASON || !parts[reason])
		return 0;
	return parts[reason](wsi, lws_get_opaque_user_data(wsi), in, len);
}
