/* GET /v1/servers/{id}/log: a machine's connector.log as it grows. */
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/audit.h"
#include "hub/support/log_streams.h"
#include "hub/state.h"

#define DEFAULT_LINES 200
#define MAX_LINES     1000

void log_get(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	const char *id = exchange->operands[0];
	int64_t lines = arg_number(exchange, "lines", MAX_LINES, DEFAULT_LINES);
	if (lines < 0)
		return;
	struct store_server server;
	enum store_status status =
		hub->store->driver->servers.find(hub->store, id, &server, NULL, &err);
	if (status == STORE_NOT_FOUND) {
		exchange_problem(exchange, 404, "There is no server with this id (any more).");
		return;
	}
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	store_server_free(&server);
	struct session *session = roster_session(hub->roster, id);
	if (!session) {
		exchange_problem(exchange, 409,
			"This server is offline, so its log cannot be followed. On the machine itself, `sudo "
			"sallyport logs` shows it.");
	} else if (log_streams_watch(hub->log_streams, exchange, id, session, (int)lines)) {
		exchange_header(exchange, "retry-after:", "10");
		exchange_problem(exchange, 503, "Too many logs are being followed already.");
	} else {
		audit_note(hub, &exchange->actor, AUDIT_LOG_FOLLOW, id, NULL);
	}
}
