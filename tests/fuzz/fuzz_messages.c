/* A JSON-RPC text from either end, and its body read as every message there is. */
#include "fuzz.h"
#include "wire/messages.h"

/* Large enough for the struct of any message. */
union any_message {
#define MESSAGE(name, method, from, kind, doc) struct msg_##name name;
#define FIELD(name, member, kind, max, required, doc)
#define END(name)
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc rpc;
	struct err err;
	if (rpc_parse((const char *)data, size, &rpc, &err))
		return 0;
	assert(json_is_object(rpc.body));
	for (unsigned i = 0; i < MSG_COUNT; i++) {
		union any_message record;
		memset(&record, 0, sizeof record);
		if (message_read((enum message)i, rpc.body, &record, &err) == 0)
			json_decref(message_write((enum message)i, &record));
		message_free((enum message)i, &record);
	}
	rpc_free(&rpc);
	return 0;
}
