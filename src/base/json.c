#include "base/json.h"

#include <sodium.h>
#include <string.h>

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static int read_text(const json_t *value, const struct json_field *field, void *place)
{
	if (!json_is_string(value) || json_string_length(value) > (size_t)field->max ||
		strlen(json_string_value(value)) != json_string_length(value))
		return -1;
	*(char **)place = xstrdup(json_string_value(value));
	return 0;
}

static int read_int(const json_t *value, const struct json_field *field, void *place)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		json_integer_value(value) > field->max)
		return -1;
	*(int64_t *)place = json_integer_value(value);
	return 0;
}

static int read_bool(const json_t *value, const struct json_field *field, void *place)
{
	(void)field;
	if (!json_is_boolean(value))
		return -1;
	*(bool *)place = json_is_true(value);
	return 0;
}

static int read_bytes(const json_t *value, const struct json_field *field, void *place)
{
	size_t len = 0;
	if (!json_is_string(value) ||
		sodium_base642bin(place, (size_t)field->max, json_string_value(value),
			json_string_length(value), NULL, &len, NULL, BASE64) ||
		len != (size_t)field->max)
		return -1;
	return 0;
}

static int read_tree(const json_t *value, const struct json_field *field, void *place)
{
	(void)field;
	if (!json_is_object(value) && !json_is_array(value))
		return -1;
	*(json_t **)place = json_incref((json_t *)value);
	return 0;
}

static json_t *write_text(const struct json_field *field, const void *place)
{
	(void)field;
	const char *text = *(char *const *)place;
	return text ? json_string(text) : NULL;
}

static json_t *write_int(const struct json_field *field, const void *place)
{
	(void)field;
	return json_integer(*(const int64_t *)place);
}

static json_t *write_bool(const struct json_field *field, const void *place)
{
	(void)field;
	return json_boolean(*(const bool *)place);
}

static json_t *write_bytes(const struct json_field *field, const void *place)
{
	size_t len = (size_t)field->max;
	if (!field->required && sodium_is_zero(place, len))
		return NULL;
	size_t size = sodium_base64_encoded_len(len, BASE64);
	cleanup(free_ptr) char *text = xcalloc(size, 1);
	sodium_bin2base64(text, size, place, len, BASE64);
	return json_string(text);
}

static json_t *write_tree(const struct json_field *field, const void *place)
{
	(void)field;
	json_t *tree = *(json_t *const *)place;
	return tree ? json_incref(tree) : NULL;
}

static void free_text(void *place)
{
	free(*(char **)place);
	*(char **)place = NULL;
}

static void free_tree(void *place)
{
	json_drop(place);
}

static const struct {
	const char *expected;
	const char *bounded; /* the words before the bound, NULL where there is none */
	int (*read)(const json_t *value, const struct json_field *field, void *place);
	json_t *(*write)(const struct json_field *field, const void *place);
	void (*release)(void *place);
} kinds[] = {
	[JSON_FIELD_TEXT] = {"a string", "bytes, at most", read_text, write_text, free_text},
	[JSON_FIELD_INT] = {"a whole number", "at most", read_int, write_int, NULL},
	[JSON_FIELD_BOOL] = {"true or false", NULL, read_bool, write_bool, NULL},
	[JSON_FIELD_BYTES] = {"base64url", "bytes, exactly", read_bytes, write_bytes, NULL},
	[JSON_FIELD_TREE] = {"an object or a list", NULL, read_tree, write_tree, free_tree},
};

static int field_error(const struct json_field *field, struct err *err)
{
	char bound[32] = "";
	if (kinds[field->kind].bounded)
		snprintf(
			bound, sizeof bound, " (%s %lld)", kinds[field->kind].bounded, (long long)field->max);
	return err_set(err, "%s: %s%s was expected", field->name, kinds[field->kind].expected, bound);
}

int json_record_read(const json_t *object, const struct json_field *fields, size_t count,
	void *record, struct err *err)
{
	if (!json_is_object(object))
		return err_set(err, "an object was expected");
	for (size_t i = 0; i < count; i++) {
		const struct json_field *field = &fields[i];
		const json_t *value = json_object_get(object, field->name);
		int bad = 0;
		if (!value || json_is_null(value))
			bad = field->required ? err_set(err, "%s is missing", field->name) : 0;
		else if (kinds[field->kind].read(value, field, (char *)record + field->offset))
			bad = field_error(field, err);
		if (bad) {
			json_record_free(fields, count, record);
			return -1;
		}
	}
	return 0;
}

json_t *json_record_write(const struct json_field *fields, size_t count, const void *record)
{
	json_t *object = json_object();
	for (size_t i = 0; i < count; i++) {
		const char *place = (const char *)record + fields[i].offset;
		json_t *value = kinds[fields[i].kind].write(&fields[i], place);
		if (value)
			json_object_set_new(object, fields[i].name, value);
	}
	return object;
}

void json_record_free(const struct json_field *fields, size_t count, void *record)
{
	for (size_t i = 0; i < count; i++)
		if (kinds[fields[i].kind].release)
			kinds[fields[i].kind].release((char *)record + fields[i].offset);
}

json_t *json_parse(const char *text, size_t len, struct err *err)
{
	json_error_t problem;
	json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &problem);
	if (!value)
		err_set(err, "line %d, column %d: %s", problem.line, problem.column, problem.text);
	return value;
}

char *json_text(const json_t *value)
{
	/* Nine digits hold every duration that is told here, without the noise of binary fractions. */
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
	return text ? text : xstrdup("null");
}

const char *json_get_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

int64_t json_get_int(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(object, key);
	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

void json_drop(json_t **value)
{
	json_decref(*value);
	*value = NULL;
}
