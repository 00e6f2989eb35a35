#include "agent/link.h"

#include <string.h>

#define ASK_ID 99 /* above the few that the hello used */

void link_take(struct link *link, struct walk *walk, ws_on_text *on_text, void *data)
{
	*link = (struct link){.conn = walk->conn, .ws = walk->ws};
	walk->conn = NULL;
	walk->ws = NULL;
	ws_set_receiver(link->ws, on_text, data);
}

enum ws_state link_step(struct link *link)
{
	return ws_step(link->ws, &link->wants_write);
}

short link_events(const struct link *link)
{
	if (link->wants_write)
		return (short)(POLLIN | POLLOUT);
	return conn_events(link->conn);
}

bool link_ready(const struct link *link)
{
	return conn_pending(link->conn);
}

void link_close(struct link *link, uint16_t code)
{
	if (ws_state(link->ws) == WS_OPEN && ws_close(link->ws, code) == 0)
		link_step(link);
	ws_free(link->ws);
	conn_close(link->conn);
	*link = (struct link){0};
}

struct question {
	bool answered;
	enum refusal refusal;
};

static void on_answer(void *data, const char *text, size_t len)
{
	struct question *question = data;
	struct rpc rpc;
	if (rpc_parse(text, len, &rpc, NULL))
		return;
	if (rpc.id == ASK_ID && (rpc.kind == RPC_RESULT || rpc.kind == RPC_ERROR)) {
		question->answered = true;
		question->refusal = rpc.kind == RPC_ERROR ? rpc.refusal : REFUSAL_NONE;
	}
	rpc_free(&rpc);
}

int link_ask(struct walk *walk, enum message message, const void *record, int timeout_ms,
	const struct cancel *cancel, struct err *err)
{
	struct question question = {0};
	struct link link;
	struct deadline deadline = deadline_in_ms(timeout_ms);
	cleanup(free_ptr) char *text =
		rpc_request(ASK_ID, message_method(message), message_write(message, record));
	link_take(&link, walk, on_answer, &question);
	int rc = ws_send(link.ws, text, strlen(text)) ? err_set(err, "the session is closed") : 0;
	while (!rc && !question.answered) {
		enum ws_state state = link_step(&link);
		if (question.answered)
			break;
		if (state != WS_OPEN) {
			rc = err_set(err, "the hub closed the session (code %u)", ws_close_code(link.ws));
			break;
		}
		if (link_ready(&link))
			continue;
		enum wait_result waited = wait_fd(conn_fd(link.conn), link_events(&link), deadline, cancel);
		if (waited != WAIT_READY)
			rc = err_set(
				err, "%s", waited == WAIT_CANCELLED ? "interrupted" : "the hub did not answer");
	}
	if (!rc && question.refusal)
		rc = err_set(err, "the hub refused: %s", refusal_text(question.refusal));
	link_close(&link, CLOSE_NORMAL);
	return rc;
}
