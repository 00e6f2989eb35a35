/*
 * A machine asks how its inbound ports look from the hub. The hub looks at the very address that
 * the session comes from, and only where the machine has that address itself: else it would look at
 * a proxy or a router. It never looks at itself, which behind a proxy on the same machine would be
 * the address of everybody.
 */
#include "hub/log.h"
#include "hub/outside.h"
#include "hub/session/parts.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int read_ports(const json_t *list, struct outside_question *question)
{
	if (!json_is_array(list) || !json_array_size(list) || json_array_size(list) > OUTSIDE_MAX_PORTS)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *port = json_array_get(list, i);
		if (!json_is_integer(port) || json_integer_value(port) < 1 ||
			json_integer_value(port) > 65535)
			return -1;
		question->ports[question->count++] = (uint16_t)json_integer_value(port);
	}
	return 0;
}

/* Whether this machine has the address: only then can a socket be bound to it. */
static bool is_here(struct in_addr address)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = address};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool here = fd < 0 || bind(fd, (const struct sockaddr *)&own, sizeof own) == 0;
	if (fd >= 0)
		close(fd);
	return here;
}

/* The address of the session, when the machine itself has it and the hub has not. */
static bool may_look(const struct session *session, const char *own, struct in_addr *address)
{
	struct in_addr claimed;
	return session->context->outside && inet_pton(AF_INET, session->peer, address) == 1 &&
		   inet_pton(AF_INET, own, &claimed) == 1 && claimed.s_addr == address->s_addr &&
		   !is_here(*address);
}

void session_on_outside_look(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_outside_look *message = record;
	struct outside_question question = {.session = session->number, .rpc_id = rpc->id};
	if (read_ports(message->ports, &question)) {
		session_refuse(session, rpc->id, REFUSAL_BAD_MESSAGE, NULL);
		return;
	}
	memcpy(question.server, session->id, sizeof question.server);
	if (!may_look(session, message->address, &question.address))
		session_send_text(session, rpc_error(rpc->id, REFUSAL_OUTSIDE_NOT, NULL));
	else if (!outside_look(session->context->outside, &question, session_now_ms()))
		session_send_text(session, rpc_error(rpc->id, REFUSAL_OUTSIDE_LATER, NULL));
}

void session_looked(struct session *session, const struct outside_question *question, json_t *ports)
{
	struct msg_outside_look_result result = {.ports = ports};
	if (session->number == question->session && session->state == STATE_OPEN)
		session_send_result(session, question->rpc_id, MSG_outside_look_result, &result);
	json_decref(ports);
}
