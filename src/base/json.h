/*
 * JSON objects read into structs, and written from them, by a table of fields.
 *
 * One row a field: its name, kind, place in the struct and bound. Reading checks every row and
 * names the first field that is wrong ("expires_at: a string was expected"); members that no row
 * names are ignored, so that a newer peer may say more. What is read belongs to the struct:
 * json_record_free() frees strings and drops references.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum json_kind {
	JSON_FIELD_TEXT,  /* char *, owned; max is in bytes */
	JSON_FIELD_INT,   /* int64_t; max is its largest value, its smallest is 0 */
	JSON_FIELD_BOOL,  /* bool */
	JSON_FIELD_BYTES, /* unsigned char[max] inside the struct, base64url without padding */
	JSON_FIELD_TREE,  /* json_t *, any object or array, one owned reference */
};

struct json_field {
	const char *name;
	enum json_kind kind;
	size_t offset;
	int64_t max;
	bool required;
};

/* Fills `record`, which must be zeroed; on failure what was filled is freed again. */
int json_record_read(const json_t *object, const struct json_field *fields, size_t count,
	void *record, struct err *err);
/* The object, one reference owned by the caller. NULL texts and trees, and bytes that are all
 * zero, are left out unless required. */
json_t *json_record_write(const struct json_field *fields, size_t count, const void *record);
void json_record_free(const struct json_field *fields, size_t count, void *record);

/* Parses one value that fills the text. Depth and duplicate keys are checked. NULL on error, which
 * then says line and column. */
json_t *json_parse(const char *text, size_t len, struct err *err);
/* Compact text, owned by the caller. */
char *json_text(const json_t *value);
/* The text at a key of an object, or NULL. Borrowed from the object. */
const char *json_get_text(const json_t *object, const char *key);
/* The integer at a key, or `otherwise`. */
int64_t json_get_int(const json_t *object, const char *key, int64_t otherwise);

/* For `cleanup(json_drop) json_t *value`. */
void json_drop(json_t **value);

#endif
