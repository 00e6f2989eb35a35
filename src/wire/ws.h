/*
 * WebSocket frames at the agent's end (RFC 6455, by wslay), over any pair of read and write.
 *
 * ws_client_start() sends the upgrade request and leaves the object in the handshake; ws_step()
 * reads and writes what can be without blocking. One callback for each whole text message. A peer
 * can make it hold at most `max_message` bytes; a longer message ends the connection with 1009.
 */
#ifndef WIRE_WS_H
#define WIRE_WS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WS_MAX_MESSAGE 1048576 /* bytes; both ends refuse more */
#define WS_AGAIN       (-2)    /* as CONN_AGAIN */

struct ws;

/* The transport: bytes, 0 at the end (read only), WS_AGAIN, or -1 with errno. */
struct ws_io {
	ssize_t (*read)(void *data, void *bytes, size_t len);
	ssize_t (*write)(void *data, const void *bytes, size_t len);
	void *data;
};

enum ws_state {
	WS_HANDSHAKE,
	WS_OPEN,
	WS_REFUSED, /* the answer to the upgrade was another: ws_status(), ws_header() */
	WS_CLOSED,  /* by a close frame, the end of the stream or an error: ws_close_code() */
};

typedef void ws_on_text(void *data, const char *text, size_t len);

/* The struct ws is owned by the caller and freed with ws_free(). host is for the Host header. */
struct ws *ws_client_start(
	const struct ws_io *io, const char *host, const char *path, ws_on_text *on_text, void *data);
void ws_set_receiver(struct ws *ws, ws_on_text *on_text, void *data);
/* Moves bytes both ways until both would block or a bounded amount was read; returns the state
 * after. Sets *wants_write when there is more to do as soon as the transport takes bytes. */
enum ws_state ws_step(struct ws *ws, bool *wants_write);
enum ws_state ws_state(const struct ws *ws);
/* Queues one text message; -1 once closed or when more than WS_MAX_MESSAGE waits to be sent. */
int ws_send(struct ws *ws, const char *text, size_t len);
int ws_close(struct ws *ws, uint16_t code); /* queues a close frame */

int ws_status(const struct ws *ws); /* HTTP status of the answer, 0 before; -1: no HTTP at all */
/* A header of a refusal, in any letter case, NULL when absent or not refused. Borrowed. */
const char *ws_header(const struct ws *ws, const char *name);
/* The first bytes of a refusal's body, or of what came when it was no HTTP. Borrowed. */
const char *ws_body(const struct ws *ws);
/* RFC 6455: the peer's code, or what this end sent for the peer's fault; 1006 when there is none.
 */
uint16_t ws_close_code(const struct ws *ws);
int ws_error(const struct ws *ws); /* errno of the transport, 0 for none */
void ws_free(struct ws *ws);

#endif
