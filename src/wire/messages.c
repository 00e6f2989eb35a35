#include "wire/messages.h"

#include <string.h>

#define ROW_TEXT  JSON_FIELD_TEXT
#define ROW_INT   JSON_FIELD_INT
#define ROW_BOOL  JSON_FIELD_BOOL
#define ROW_BYTES JSON_FIELD_BYTES
#define ROW_TREE  JSON_FIELD_TREE

/* The last row of each table is empty, so that a message without members has a table as well. */
#define MESSAGE(name, method, from, kind, doc) static const struct json_field fields_##name[] = {
#define FIELD(name, member, kind, max, required, doc)                                              \
	{#member, ROW_##kind, offsetof(struct msg_##name, member), max, required},
#define END(name)                                                                                  \
	{                                                                                              \
		0                                                                                          \
	}                                                                                              \
	}                                                                                              \
	;
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END

static const struct {
	const char *method;
	const struct json_field *fields;
	size_t count;
} messages[] = {
#define MESSAGE(name, method, from, kind, doc)                                                     \
	[MSG_##name] = {method, fields_##name, ARRAY_LEN(fields_##name) - 1},
#define FIELD(name, member, kind, max, required, doc)
#define END(name)
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END
};

static const struct {
	int code;
	const char *cause;
	const char *text;
} refusals[REFUSAL_COUNT] = {
#define REFUSAL(symbol, code, cause, text) [REFUSAL_##symbol] = {code, cause, text},
#include "wire/messages.def"
#undef REFUSAL
};

int message_read(enum message message, const json_t *body, void *record, struct err *err)
{
	if (json_record_read(body, messages[message].fields, messages[message].count, record, err))
		return err_prefix(err, "%s", messages[message].method);
	return 0;
}

json_t *message_write(enum message message, const void *record)
{
	return json_record_write(messages[message].fields, messages[message].count, record);
}

void message_free(enum message message, void *record)
{
	json_record_free(messages[message].fields, messages[message].count, record);
}

const char *message_method(enum message message)
{
	return messages[message].method;
}

static enum refusal refusal_by_code(int64_t code)
{
	for (unsigned i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++)
		if (refusals[i].code == code)
			return (enum refusal)i;
	return REFUSAL_INTERNAL;
}

/* Sorts the members of the object into the struct; -1 when they fit none of the four kinds. */
static int rpc_sort(struct rpc *rpc)
{
	const json_t *id = json_object_get(rpc->root, "id");
	const json_t *error = json_object_get(rpc->root, "error");
	const json_t *result = json_object_get(rpc->root, "result");
	rpc->method = json_get_text(rpc->root, "method");
	rpc->id = json_is_integer(id) ? json_integer_value(id) : -1;
	if (id && !json_is_integer(id) && !(error && json_is_null(id)))
		return -1;
	if (rpc->method) {
		rpc->kind = id ? RPC_REQUEST : RPC_NOTIFICATION;
		rpc->body = json_object_get(rpc->root, "params");
		return result || error || (rpc->body && !json_is_object(rpc->body)) ? -1 : 0;
	}
	if (json_is_object(error) && !result) {
		rpc->kind = RPC_ERROR;
		rpc->refusal = refusal_by_code(json_get_int(error, "code", 0));
		rpc->message = json_get_text(error, "message");
		rpc->body = json_object_get(error, "data");
		return 0;
	}
	rpc->kind = RPC_RESULT;
	rpc->body = result;
	return id && json_is_object(result) && !error ? 0 : -1;
}

int rpc_parse(const char *text, size_t len, struct rpc *rpc, struct err *err)
{
	*rpc = (struct rpc){.root = json_parse(text, len, err), .id = -1};
	if (!rpc->root)
		return -1;
	const char *version = json_get_text(rpc->root, "jsonrpc");
	if (!version || strcmp(version, "2.0") != 0 || rpc_sort(rpc)) {
		rpc_free(rpc);
		return err_set(err, "not a JSON-RPC 2.0 message");
	}
	if (!json_is_object(rpc->body)) {
		json_t *empty = json_object();
		json_object_set_new(rpc->root, "", empty);
		rpc->body = empty;
	}
	return 0;
}

void rpc_free(struct rpc *rpc)
{
	json_decref(rpc->root);
	*rpc = (struct rpc){.id = -1};
}

/* The text of {"jsonrpc":"2.0", ...members}; takes the reference. */
static char *envelope(json_t *members)
{
	json_object_set_new(members, "jsonrpc", json_string("2.0"));
	char *text = json_text(members);
	json_decref(members);
	return text;
}

char *rpc_request(int64_t id, const char *method, json_t *params)
{
	return envelope(
		json_pack("{s:I,s:s,s:o}", "id", (json_int_t)id, "method", method, "params", params));
}

char *rpc_notification(const char *method, json_t *params)
{
	return envelope(json_pack("{s:s,s:o}", "method", method, "params", params));
}

char *rpc_result(int64_t id, json_t *result)
{
	return envelope(json_pack("{s:I,s:o}", "id", (json_int_t)id, "result", result));
}

char *rpc_error(int64_t id, enum refusal refusal, json_t *data)
{
	json_t *error = json_pack("{s:i,s:s,s:o*}", "code", refusals[refusal].code, "message",
		refusals[refusal].text, "data", data);
	if (id < 0)
		return envelope(json_pack("{s:n,s:o}", "id", "error", error));
	return envelope(json_pack("{s:I,s:o}", "id", (json_int_t)id, "error", error));
}

enum cause refusal_cause(enum refusal refusal)
{
	return refusals[refusal].cause ? cause_by_id(refusals[refusal].cause) : CAUSE_NONE;
}

const char *refusal_text(enum refusal refusal)
{
	return refusals[refusal].text;
}
