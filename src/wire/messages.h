/*
 * The messages of messages.def as C: a struct msg_NAME and a table of fields each, and JSON-RPC 2.0
 * around them.
 *
 * To send: fill a struct, message_write() it, wrap it with rpc_request(), rpc_notification() or
 * rpc_result(). To receive: rpc_parse() the text, look at its kind and method, message_read() the
 * body into the struct, message_free(). What the reader has not checked cannot reach the caller.
 */
#ifndef WIRE_MESSAGES_H
#define WIRE_MESSAGES_H

#include "base/json.h"
#include "diagnosis/finding.h"

#define PROTOCOL_VERSION_MIN    1
#define PROTOCOL_VERSION_MAX    1
#define PROTOCOL_SESSION_PATH   "/v1/session"
#define PROTOCOL_DISCOVERY_PATH "/.well-known/sallyport"

#define MEMBER_TEXT(member, max)                      char *member;
#define MEMBER_INT(member, max)                       int64_t member;
#define MEMBER_BOOL(member, max)                      bool member;
#define MEMBER_BYTES(member, max)                     unsigned char member[max];
#define MEMBER_TREE(member, max)                      json_t *member;
#define MESSAGE(name, method, from, kind, doc)        struct msg_##name {
#define FIELD(name, member, kind, max, required, doc) MEMBER_##kind(member, max)
#define END(name)                                                                                  \
	}                                                                                              \
	;
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END

enum message {
#define MESSAGE(name, method, from, kind, doc) MSG_##name,
#define FIELD(name, member, kind, max, required, doc)
#define END(name)
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END
	MSG_COUNT
};

/* Room for any of them. */
union message_record {
#define MESSAGE(name, method, from, kind, doc) struct msg_##name name;
#define FIELD(name, member, kind, max, required, doc)
#define END(name)
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END
};

enum refusal {
	REFUSAL_NONE,
#define REFUSAL(symbol, code, cause, text) REFUSAL_##symbol,
#include "wire/messages.def"
#undef REFUSAL
	REFUSAL_COUNT
};

/* `record` is the struct msg_NAME of the message, zeroed. It owns what it gets. */
int message_read(enum message message, const json_t *body, void *record, struct err *err);
json_t *message_write(enum message message, const void *record); /* new reference */
void message_free(enum message message, void *record);
const char *message_method(enum message message);

enum rpc_kind { RPC_REQUEST, RPC_NOTIFICATION, RPC_RESULT, RPC_ERROR };

/* A parsed text; everything but root is borrowed from root. */
struct rpc {
	json_t *root; /* owned */
	enum rpc_kind kind;
	int64_t id;           /* of a request and its answer; -1 in an error about no request */
	const char *method;   /* of requests and notifications */
	const json_t *body;   /* params or result; never NULL, an empty object when absent */
	enum refusal refusal; /* of an error; REFUSAL_INTERNAL for an unknown code */
	const char *message;  /* of an error */
};

int rpc_parse(const char *text, size_t len, struct rpc *rpc, struct err *err);
void rpc_free(struct rpc *rpc);

/* Each returns the text, owned by the caller, and takes the reference to the body. */
char *rpc_request(int64_t id, const char *method, json_t *params);
char *rpc_notification(const char *method, json_t *params);
char *rpc_result(int64_t id, json_t *result);
char *rpc_error(int64_t id, enum refusal refusal, json_t *data); /* data may be NULL */

enum cause refusal_cause(enum refusal refusal); /* CAUSE_NONE where none is named */
const char *refusal_text(enum refusal refusal);

#endif
