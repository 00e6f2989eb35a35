#include "hub/api/machine.h"

#include "hub/state.h"
#include "wire/upload.h"

#include <string.h>

int machine_find(struct exchange *exchange, char server[IDENTITY_ID_SIZE])
{
	struct hub *hub = exchange->hub;
	struct proof_transcript transcript = {0};
	enum server_standing standing = SERVER_UNKNOWN;
	struct err err = {0};
	const char *proof = exchange_request_header(exchange, "sallyport-proof");
	memcpy(transcript.hub_key, hub->identity.public_key, sizeof transcript.hub_key);
	if (!proof || connection_binding(exchange->connection, transcript.binding) ||
		upload_proof_read(proof, &transcript)) {
		metric_add(&hub->metrics, METRIC_PROOFS_REJECTED, 1);
		MACHINE_REFUSE(exchange, 401,
			"A machine proves itself here by " UPLOAD_PROOF_HEADER ", and this is none that fits "
			"this connection.");
		return -1;
	}
	enum store_status status =
		hub->store->driver->servers.standing(hub->store, transcript.agent_key, &standing, &err);
	if (status != STORE_OK) {
		MACHINE_REFUSE(exchange, 503, "%s", err.text);
		return -1;
	}
	if (standing != SERVER_KNOWN) {
		MACHINE_REFUSE(exchange, 403, "This machine is not known here%s.",
			standing == SERVER_REVOKED ? ": it was removed" : "");
		return -1;
	}
	identity_id(transcript.agent_key, server);
	connection_proven(exchange->connection);
	return 0;
}
