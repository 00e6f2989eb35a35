/*
 * Happy path: the schema's tables are held against the map of the file, which finds every mistake
 * with its line; then one call of libcyaml reads the file by the same tables. What libcyaml refuses
 * although the tables let it pass is told in its own words.
 */
#include "base/yaml_schema.h"

#include "base/buf.h"
#include "base/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MAX_KEYS 48 /* of one mapping, for the sentence about an unknown one */

struct reader {
	const struct yaml_map *map;
	struct problems *problems;
};

#define WRONG(reader, node, ...)                                                                   \
	problems_add((reader)->problems, (reader)->map, node, PROBLEM_ERROR, __VA_ARGS__)

static const cyaml_schema_field_t *field_of(const cyaml_schema_value_t *value, const char *key)
{
	const cyaml_schema_field_t *field = value->mapping.fields;
	while (field->key && strcmp(field->key, key) != 0)
		field++;
	return field->key ? field : NULL;
}

/* What the schema expects at a place, in words; owned by the caller. */
static char *expected(const cyaml_schema_value_t *value)
{
	struct buf out = {0};
	if (value->type == CYAML_FLAGS)
		buf_puts(&out, "a list [...] of ");
	if (value->type == CYAML_ENUM || value->type == CYAML_FLAGS)
		for (uint32_t i = 0; i < value->enumeration.count; i++)
			buf_printf(&out, "%s%s", i ? " or " : "", value->enumeration.strings[i].str);
	else if (value->type == CYAML_UINT && value->data_size == sizeof(uint16_t))
		buf_puts(&out, "a whole number from 1 to 65535");
	else if (value->type == CYAML_UINT)
		buf_puts(&out, "a whole number");
	else if (value->type == CYAML_STRING)
		buf_printf(&out, "a text of 1 to %u bytes", value->string.max);
	else if (value->type == CYAML_SEQUENCE)
		buf_printf(&out, "a list [...] of at most %u entries", value->sequence.max);
	else
		buf_puts(&out, "a mapping (key: value)");
	return out.data;
}

static void say_unexpected(
	const struct reader *reader, size_t at, const cyaml_schema_value_t *value)
{
	const struct yaml_node *node = &reader->map->nodes[at];
	const char *text = node->kind == YAML_KIND_SCALAR ? node->value : NULL;
	cleanup(free_ptr) char *wanted = expected(value);
	int line = text ? (int)strcspn(text, "\n") : 0;
	if (!text)
		WRONG(reader, at, "%s was expected, not %s", wanted,
			node->kind == YAML_KIND_LIST ? "a list" : "a mapping");
	else if (!*text)
		WRONG(reader, at, "no value; %s was expected", wanted);
	else
		WRONG(reader, at, "%s was expected, not \"%.*s\"", wanted, line < 80 ? line : 80, text);
}

static void say_unknown_key(
	const struct reader *reader, size_t at, const cyaml_schema_value_t *value)
{
	const char *known[MAX_KEYS];
	size_t count = 0, best[SUGGEST_MAX];
	struct buf all = {0};
	for (const cyaml_schema_field_t *f = value->mapping.fields; f->key && count < MAX_KEYS; f++) {
		buf_printf(&all, "%s%s", count ? ", " : "", f->key);
		known[count++] = f->key;
	}
	bool near = suggest_nearest(reader->map->nodes[at].key, known, count, best) > 0;
	WRONG(reader, at, "unknown key%s%s%s; the keys here are: %s", near ? " (did you mean \"" : "",
		near ? known[best[0]] : "", near ? "\"?)" : "", buf_text(&all));
	buf_free(&all);
}

/* --- one value each --------------------------------------------------------------------------- */

static bool is_word_of(const cyaml_schema_value_t *value, const char *text)
{
	for (uint32_t i = 0; i < value->enumeration.count; i++)
		if (strcmp(value->enumeration.strings[i].str, text) == 0)
			return true;
	return false;
}

/* Decimal, 0x... or 0...: what libcyaml reads as a number of so many bytes. */
static bool is_number(const char *text, uint32_t size)
{
	char *end;
	if (!isdigit((unsigned char)*text))
		return false;
	unsigned long number = strtoul(text, &end, 0);
	return !*end && number <= (size == sizeof(uint16_t) ? UINT16_MAX : UINT32_MAX);
}

static void check_scalar(const struct reader *reader, size_t at, const cyaml_schema_value_t *value)
{
	const struct yaml_node *node = &reader->map->nodes[at];
	const char *text = node->kind == YAML_KIND_SCALAR ? node->value : NULL;
	bool fits = false;
	if (text && value->type == CYAML_STRING)
		fits = strlen(text) >= value->string.min && strlen(text) <= value->string.max;
	else if (text && value->type == CYAML_UINT)
		fits = is_number(text, value->data_size);
	else if (text)
		fits = is_word_of(value, text);
	if (!fits)
		say_unexpected(reader, at, value);
	else if (value->type == CYAML_STRING && value->string.max <= YAML_SCHEMA_LINE &&
			 strchr(text, '\n'))
		WRONG(reader, at, "a line break in the text; write it on one line");
}

static void check_flags(const struct reader *reader, size_t at, const cyaml_schema_value_t *value)
{
	const struct yaml_map *map = reader->map;
	if (map->nodes[at].kind != YAML_KIND_LIST) {
		say_unexpected(reader, at, value);
		return;
	}
	for (size_t i = at + 1, end = yaml_map_after(map, at); i < end; i++) {
		const char *word = map->nodes[i].value;
		cleanup(free_ptr) char *wanted = expected(value);
		if (!word || !is_word_of(value, word))
			WRONG(reader, at, "%s was expected, not \"%.80s\"", wanted, word ? word : "...");
	}
}

static void check_value(const struct reader *reader, size_t at, const cyaml_schema_value_t *value);

static void check_list(const struct reader *reader, size_t at, const cyaml_schema_value_t *value)
{
	const struct yaml_map *map = reader->map;
	size_t count = 0;
	if (map->nodes[at].kind != YAML_KIND_LIST) {
		say_unexpected(reader, at, value);
		return;
	}
	for (size_t i = at + 1, end = yaml_map_after(map, at); i < end; i = yaml_map_after(map, i))
		if (++count <= value->sequence.max)
			check_value(reader, i, value->sequence.entry);
	if (count > value->sequence.max)
		WRONG(reader, at, "at most %u entries are allowed here", value->sequence.max);
}

static void check_mapping(const struct reader *reader, size_t at, const cyaml_schema_value_t *value)
{
	const struct yaml_map *map = reader->map;
	if (map->nodes[at].kind != YAML_KIND_MAPPING) {
		say_unexpected(reader, at, value);
		return;
	}
	for (size_t i = at + 1, end = yaml_map_after(map, at); i < end; i = yaml_map_after(map, i)) {
		const cyaml_schema_field_t *field = field_of(value, map->nodes[i].key);
		if (field)
			check_value(reader, i, &field->value);
		else
			say_unknown_key(reader, i, value);
	}
	for (const cyaml_schema_field_t *field = value->mapping.fields; field->key; field++)
		if (!(field->value.flags & CYAML_FLAG_OPTIONAL) &&
			yaml_map_key(map, at, field->key) == YAML_NONE)
			WRONG(reader, at, "the key \"%s\" is missing; add it", field->key);
}

static void check_value(const struct reader *reader, size_t at, const cyaml_schema_value_t *value)
{
	if (value->type == CYAML_MAPPING)
		check_mapping(reader, at, value);
	else if (value->type == CYAML_SEQUENCE)
		check_list(reader, at, value);
	else if (value->type == CYAML_FLAGS)
		check_flags(reader, at, value);
	else
		check_scalar(reader, at, value);
}

/* --- libcyaml --------------------------------------------------------------------------------- */

static void on_log(cyaml_log_t level, void *ctx, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void on_log(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
	struct err *words = ctx;
	(void)level;
	if (*words->text)
		return;
	vsnprintf(words->text, sizeof words->text, format, args);
	words->text[strcspn(words->text, "\n")] = '\0';
}

static cyaml_config_t config_with(struct err *words)
{
	return (cyaml_config_t){
		.log_fn = on_log,
		.log_ctx = words,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

void yaml_schema_check(
	const struct yaml_map *map, const cyaml_schema_value_t *schema, struct problems *problems)
{
	const struct reader reader = {map, problems};
	check_value(&reader, YAML_ROOT, schema);
}

void *yaml_schema_load(const struct yaml_map *map, const char *text, size_t len,
	const cyaml_schema_value_t *schema, struct problems *problems)
{
	struct err words = {""};
	cyaml_config_t config = config_with(&words);
	cyaml_data_t *data = NULL;
	yaml_schema_check(map, schema, problems);
	if (problems->errors)
		return NULL;
	cyaml_err_t failed = cyaml_load_data((const uint8_t *)text, len, &config, schema, &data, NULL);
	if (failed == CYAML_OK && data)
		return data;
	problems_add(problems, map, YAML_ROOT, PROBLEM_ERROR, "it cannot be read: %.200s", words.text);
	return NULL;
}

void yaml_schema_free(const cyaml_schema_value_t *schema, void *data)
{
	struct err words = {""};
	cyaml_config_t config = config_with(&words);
	cyaml_free(&config, schema, data, 0);
}
