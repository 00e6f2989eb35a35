/*
 * Happy path: one call of libcyaml with the schema. When it refuses the file, its log callback has
 * collected the complaint and the trail of keys that leads to it; the trail is followed through
 * schema and map once more, for the line and for what would have been right there.
 */
#include "check/profile_schema.h"

#include "base/buf.h"
#include "check/suggest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TRAIL_MAX 8

struct complaint {
	char words[256];             /* its first line, without "Load: " */
	char trail[TRAIL_MAX][64];   /* the innermost first; "" for an entry of a list */
	unsigned entries[TRAIL_MAX]; /* and then which one, from 1 */
	size_t trail_len;
};

static void on_log(cyaml_log_t level, void *ctx, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void on_log(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
	struct complaint *complaint = ctx;
	char line[512];
	(void)level;
	vsnprintf(line, sizeof line, format, args);
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "Load: ", 6) == 0) {
		if (!*complaint->words)
			snprintf(complaint->words, sizeof complaint->words, "%.200s", line + 6);
	} else if (complaint->trail_len < TRAIL_MAX) {
		size_t at = complaint->trail_len;
		if (sscanf(line, " in mapping field '%63[^']'", complaint->trail[at]) == 1 ||
			sscanf(line, " in sequence entry '%u'", &complaint->entries[at]) == 1)
			complaint->trail_len++;
	}
}

/* A place in the file and what the schema says about it. */
struct place {
	size_t node;
	const cyaml_schema_value_t *value;
};

static const cyaml_schema_field_t *field_of(const cyaml_schema_value_t *value, const char *key)
{
	if (value->type != CYAML_MAPPING)
		return NULL;
	const cyaml_schema_field_t *field = value->mapping.fields;
	while (field->key && strcmp(field->key, key) != 0)
		field++;
	return field->key ? field : NULL;
}

/* Every place along the trail, the whole file first; returns how many. */
static size_t follow(const struct yaml_map *map, const struct complaint *complaint,
	struct place places[TRAIL_MAX + 1])
{
	size_t count = 0;
	places[count++] = (struct place){YAML_ROOT, &profile_schema};
	for (size_t i = complaint->trail_len; i-- > 0;) {
		const struct place *at = &places[count - 1];
		const char *key = complaint->trail[i];
		struct place next = {YAML_NONE, NULL};
		const cyaml_schema_field_t *field = field_of(at->value, key);
		if (field)
			next = (struct place){yaml_map_key(map, at->node, key), &field->value};
		else if (!*key && at->value->type == CYAML_SEQUENCE && complaint->entries[i])
			next = (struct place){
				yaml_map_item(map, at->node, complaint->entries[i] - 1), at->value->sequence.entry};
		if (next.node == YAML_NONE)
			break;
		places[count++] = next;
	}
	return count;
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
	else if (value->type == CYAML_UINT)
		buf_puts(&out, "a whole number from 1 to 65535");
	else if (value->type == CYAML_STRING)
		buf_printf(&out, "a text of 1 to %d bytes", PROFILE_MAX_TEXT);
	else if (value->type == CYAML_SEQUENCE)
		buf_printf(&out, "a list of at most %u entries", value->sequence.max);
	else
		buf_puts(&out, "a mapping (key: value)");
	return out.data;
}

static int say_unknown_key(
	const struct yaml_map *map, struct place place, const char *key, struct err *err)
{
	const char *known[32];
	size_t count = 0, best[SUGGEST_MAX];
	struct buf all = {0};
	for (const cyaml_schema_field_t *f = place.value->mapping.fields; f->key && count < 32; f++) {
		buf_printf(&all, "%s%s", count ? ", " : "", f->key);
		known[count++] = f->key;
	}
	bool near = suggest_nearest(key, known, count, best) > 0;
	size_t node = yaml_map_key(map, place.node, key);
	int rc = yaml_map_error(map, node == YAML_NONE ? place.node : node, err,
		"unknown key%s%s%s; the keys here are: %s", near ? " (did you mean \"" : "",
		near ? known[best[0]] : "", near ? "\"?)" : "", buf_text(&all));
	buf_free(&all);
	return rc;
}

/* The trail ends in the last key that was read; the mapping that lacks one is somewhere above. */
static int say_missing_key(const struct yaml_map *map, const struct place *places, size_t count,
	const char *key, struct err *err)
{
	size_t node = YAML_ROOT;
	for (size_t i = count; i-- > 0;) {
		const cyaml_schema_field_t *field = field_of(places[i].value, key);
		if (field && !(field->value.flags & CYAML_FLAG_OPTIONAL) &&
			yaml_map_key(map, places[i].node, key) == YAML_NONE) {
			node = places[i].node;
			break;
		}
	}
	return yaml_map_error(map, node, err, "the key \"%s\" is missing; add it", key);
}

static int say_wrong_value(const struct yaml_map *map, struct place place, struct err *err)
{
	const struct yaml_node *node = &map->nodes[place.node];
	cleanup(free_ptr) char *wanted = expected(place.value);
	if (node->kind != YAML_KIND_SCALAR)
		return yaml_map_error(map, place.node, err, "%s was expected, not %s", wanted,
			node->kind == YAML_KIND_LIST ? "a list" : "a mapping");
	if (!*node->value)
		return yaml_map_error(map, place.node, err, "no value; %s was expected", wanted);
	return yaml_map_error(
		map, place.node, err, "%s was expected, not \"%.80s\"", wanted, node->value);
}

static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);
	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static int explain(const struct yaml_map *map, const struct complaint *complaint, struct err *err)
{
	struct place places[TRAIL_MAX + 1];
	size_t count = follow(map, complaint, places);
	struct place last = places[count - 1];
	const char *words = NULL;
	if ((words = after(complaint->words, "Unexpected key: ")) && last.value->type == CYAML_MAPPING)
		return say_unknown_key(map, last, words, err);
	if ((words = after(complaint->words, "Missing required mapping field: ")))
		return say_missing_key(map, places, count, words, err);
	if ((words = after(complaint->words, "Unknown flag: "))) {
		cleanup(free_ptr) char *wanted = expected(last.value);
		return yaml_map_error(map, last.node, err, "%s was expected, not \"%.80s\"", wanted, words);
	}
	if (after(complaint->words, "Excessive entries")) {
		while (count > 1 && places[count - 1].value->type != CYAML_SEQUENCE)
			count--;
		return yaml_map_error(map, places[count - 1].node, err,
			"at most %u entries are allowed here", places[count - 1].value->sequence.max);
	}
	return say_wrong_value(map, last, err);
}

static cyaml_config_t config_with(struct complaint *complaint)
{
	return (cyaml_config_t){
		.log_fn = on_log,
		.log_ctx = complaint,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

struct profile *profile_schema_read(
	const struct yaml_map *map, const char *text, size_t len, struct err *err)
{
	struct complaint complaint = {.trail_len = 0};
	cyaml_config_t config = config_with(&complaint);
	cyaml_data_t *data = NULL;
	cyaml_err_t failed =
		cyaml_load_data((const uint8_t *)text, len, &config, &profile_schema, &data, NULL);
	if (failed != CYAML_OK || !data) {
		explain(map, &complaint, err);
		return NULL;
	}
	return data;
}

void profile_schema_free(struct profile *profile)
{
	struct complaint complaint = {.trail_len = 0};
	cyaml_config_t config = config_with(&complaint);
	cyaml_free(&config, &profile_schema, profile, 0);
}
