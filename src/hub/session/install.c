/*
 * What a connector says of an install that it works on. It is answered once it is on the disk; like
 * with jobs, what brings something new costs nothing of its rate.
 */
#include "hub/installs/installs.h"
#include "hub/log.h"
#include "hub/session/parts.h"

#include <string.h>
#include <time.h>

/* It works for nobody: it shall end. */
static void send_end(struct session *session, const char *install)
{
	struct msg_install_end end = {.install = (char *)install}; /* only read */
	session_send_request(
		session, message_method(MSG_install_end), message_write(MSG_install_end, &end));
}

static void answer(struct session *session, const struct rpc *rpc, enum installs_said said,
	const char *install, bool event)
{
	switch (said) {
	case INSTALLS_NEW:
		session->rate_left++;
		session->jobs_owed++;
		break;
	case INSTALLS_BEFORE:
		session->jobs_owed++;
		break;
	case INSTALLS_UNKNOWN:
		session_send_text(session, rpc_error(rpc->id, REFUSAL_INSTALL_UNKNOWN, NULL));
		if (event)
			send_end(session, install);
		break;
	case INSTALLS_LATER:
		session_send_text(session, rpc_error(rpc->id, REFUSAL_BUSY, NULL));
		break;
	default:
		log_line(LOG_NOTE, "%s: it says of an install what it may not", session->peer);
		session_refuse(session, rpc->id, REFUSAL_BAD_MESSAGE, NULL);
		break;
	}
}

void session_on_install_event(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_install_event *told = record;
	struct jobs_receipt receipt;
	if (!session_take_receipt(session, rpc, &receipt))
		return;
	enum installs_said said = session->context->installs
								  ? installs_told(session->context->installs, &receipt, told,
										time(NULL), session_now_ms())
								  : INSTALLS_UNKNOWN;
	answer(session, rpc, said, told->install, true);
}

void session_on_install_over(struct session *session, const struct rpc *rpc, void *record)
{
	const struct msg_install_over *over = record;
	struct jobs_receipt receipt;
	if (!session_take_receipt(session, rpc, &receipt))
		return;
	enum installs_said said = session->context->installs ? installs_over(session->context->installs,
															   &receipt, over, time(NULL))
														 : INSTALLS_UNKNOWN;
	answer(session, rpc, said, over->install, false);
}

bool session_install_answered(struct session *session, const struct rpc *rpc)
{
	if (!session->context->installs || !installs_answered(session->context->installs, session->id,
										   rpc, time(NULL), session_now_ms()))
		return false;
	session->rate_left++; /* it was asked */
	return true;
}

uint64_t session_instance(const struct session *session)
{
	uint64_t instance;
	memcpy(&instance, session->instance, sizeof instance);
	return instance;
}
