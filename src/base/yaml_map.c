/*
 * Happy path: libyaml's events, one after the other, each adding a node below the one on top of a
 * small stack. It fails on what libyaml refuses (its place is in the parser), on an event that
 * our files have no use for, and at the bounds; nothing that was read stays behind then.
 */
#include "base/yaml_map.h"

#include "base/buf.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct builder {
	struct yaml_map *map;
	struct err *err;
	size_t stack[YAML_MAP_MAX_DEPTH]; /* the open lists and mappings */
	size_t children[YAML_MAP_MAX_DEPTH];
	size_t depth;
	char *key; /* owned; the key whose value comes next */
	size_t key_line;
};

static size_t add_node(struct builder *builder, enum yaml_kind kind, size_t line)
{
	struct yaml_map *map = builder->map;
	if (map->count == map->cap) {
		map->cap = map->cap ? map->cap * 2 : 64;
		map->nodes = xrealloc(map->nodes, map->cap, sizeof *map->nodes);
	}
	struct yaml_node *node = &map->nodes[map->count];
	*node = (struct yaml_node){.kind = kind, .key = builder->key};
	node->line = builder->key ? builder->key_line : line;
	builder->key = NULL;
	if (builder->depth) {
		node->parent = builder->stack[builder->depth - 1];
		node->index = builder->children[builder->depth - 1]++;
	}
	return map->count++;
}

static int fail_at(const struct builder *builder, size_t line, const char *words)
{
	return err_set(builder->err, "%s:%zu: %s", builder->map->file, line, words);
}

static bool inside_mapping(const struct builder *builder)
{
	return builder->depth &&
		   builder->map->nodes[builder->stack[builder->depth - 1]].kind == YAML_KIND_MAPPING;
}

/* A line break is left to the reader's judgement: a certificate has some. */
static bool has_control(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;
	for (size_t i = 0; i < len; i++) {
		bool c1 = at[i] == 0xc2 && i + 1 < len && at[i + 1] < 0xa0;
		if ((at[i] < 0x20 && at[i] != '\n') || at[i] == 0x7f || c1)
			return true;
	}
	return false;
}

static int take_key(struct builder *builder, const char *text, size_t len, size_t line)
{
	size_t mapping = builder->stack[builder->depth - 1];
	cleanup(free_ptr) char *key = xstrndup(text, len);
	size_t earlier = yaml_map_key(builder->map, mapping, key);
	if (earlier != YAML_NONE)
		return err_set(builder->err,
			"%s:%zu: the key \"%.60s\" stands here and in line %zu; remove one of them",
			builder->map->file, line, key, builder->map->nodes[earlier].line);
	builder->key = key;
	key = NULL;
	builder->key_line = line;
	return 0;
}

static int on_scalar(struct builder *builder, const yaml_event_t *event, size_t line)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	if (has_control(text, len))
		return fail_at(
			builder, line, "a control character in a text; write it in printable characters");
	if (inside_mapping(builder) && !builder->key && memchr(text, '\n', len))
		return fail_at(builder, line, "a line break in a key; write it on one line");
	if (inside_mapping(builder) && !builder->key)
		return take_key(builder, text, len, line);
	size_t node = add_node(builder, YAML_KIND_SCALAR, line);
	builder->map->nodes[node].value = xstrndup(text, len);
	return 0;
}

static int on_open(struct builder *builder, enum yaml_kind kind, size_t line)
{
	if (inside_mapping(builder) && !builder->key)
		return fail_at(builder, line, "a list or mapping stands where a key is expected");
	if (builder->depth == YAML_MAP_MAX_DEPTH)
		return fail_at(builder, line, "nested deeper than any key of ours is");
	size_t node = add_node(builder, kind, line);
	builder->stack[builder->depth] = node;
	builder->children[builder->depth++] = 0;
	return 0;
}

static int on_event(struct builder *builder, const yaml_event_t *event)
{
	size_t line = event->start_mark.line + 1;
	if (builder->map->count >= YAML_MAP_MAX_NODES)
		return fail_at(builder, line, "more keys and values than a file may have (16384)");
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(builder, event, line);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(builder, YAML_KIND_LIST, line);
	case YAML_MAPPING_START_EVENT:
		return on_open(builder, YAML_KIND_MAPPING, line);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		builder->depth--;
		return 0;
	case YAML_ALIAS_EVENT:
		return fail_at(builder, line, "an alias (*name) is not allowed here; write the value out");
	case YAML_DOCUMENT_START_EVENT:
		if (builder->map->count)
			return fail_at(builder, line,
				"a second document begins here (---); a file is one document, keep each in a file "
				"of its own");
		return 0;
	default:
		return 0;
	}
}

/* libyaml places what its reader refuses by byte offset, everything else by line. */
static int syntax_error(
	struct builder *builder, const yaml_parser_t *parser, const char *text, size_t len)
{
	size_t line = parser->problem_mark.line + 1;
	if (parser->error == YAML_READER_ERROR) {
		line = 1;
		for (size_t i = 0; i < len && i < parser->problem_offset; i++)
			line += text[i] == '\n';
		return err_set(builder->err, "%s:%zu: not a text file in UTF-8 (%s); is it the right file?",
			builder->map->file, line, parser->problem);
	}
	return err_set(builder->err,
		"%s:%zu: not valid YAML: %s%s%s; look at the indentation, colons and quotes here",
		builder->map->file, line, parser->problem ? parser->problem : "cannot be parsed",
		parser->context ? ", " : "", parser->context ? parser->context : "");
}

static int build(struct builder *builder, yaml_parser_t *parser, const char *text, size_t len)
{
	bool end = false;
	int rc = 0;
	while (!end && !rc) {
		yaml_event_t event;
		if (!yaml_parser_parse(parser, &event))
			return syntax_error(builder, parser, text, len);
		end = event.type == YAML_STREAM_END_EVENT;
		rc = on_event(builder, &event);
		yaml_event_delete(&event);
	}
	return rc;
}

int yaml_map_read(
	const char *file, const char *text, size_t len, struct yaml_map *map, struct err *err)
{
	*map = (struct yaml_map){.file = file};
	struct builder builder = {.map = map, .err = err};
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return err_set(err, "%s: out of memory", file);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	int rc = build(&builder, &parser, text, len);
	yaml_parser_delete(&parser);
	free(builder.key);
	if (rc)
		yaml_map_free(map);
	return rc;
}

size_t yaml_map_key(const struct yaml_map *map, size_t parent, const char *key)
{
	for (size_t i = parent + 1; parent != YAML_NONE && i < map->count; i++)
		if (map->nodes[i].parent == parent && map->nodes[i].key &&
			strcmp(map->nodes[i].key, key) == 0)
			return i;
	return YAML_NONE;
}

size_t yaml_map_item(const struct yaml_map *map, size_t parent, size_t index)
{
	for (size_t i = parent + 1; parent != YAML_NONE && i < map->count; i++)
		if (map->nodes[i].parent == parent && map->nodes[i].index == index)
			return i;
	return YAML_NONE;
}

char *yaml_map_path(const struct yaml_map *map, size_t node)
{
	char *path = xstrdup("");
	for (; node != YAML_NONE && node != YAML_ROOT; node = map->nodes[node].parent) {
		const struct yaml_node *at = &map->nodes[node];
		const char *dot = *path && *path != '[' ? "." : "";
		char *longer = at->key ? xasprintf("%.60s%s%s", at->key, dot, path)
							   : xasprintf("[%zu]%s%s", at->index, dot, path);
		free(path);
		path = longer;
	}
	return path;
}

size_t yaml_map_line(const struct yaml_map *map, size_t node)
{
	return node != YAML_NONE && node < map->count ? map->nodes[node].line : 1;
}

size_t yaml_map_after(const struct yaml_map *map, size_t node)
{
	size_t at = node + 1;
	while (at < map->count && map->nodes[at].parent >= node)
		at++;
	return at;
}

void yaml_map_free(struct yaml_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		free(map->nodes[i].key);
		free(map->nodes[i].value);
	}
	free(map->nodes);
	*map = (struct yaml_map){.nodes = NULL};
}
