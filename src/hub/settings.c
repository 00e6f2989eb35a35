/*
 * Happy path: the defaults are taken like anything else, then the file's values, then the command
 * line's. It fails on a value that is none of its kind or out of its range, on a key that is not in
 * the table, on a file that is no YAML or cannot be read; a file's mistakes are all told.
 */
#include "hub/settings.h"

#include "base/file.h"
#include "base/yaml_schema.h"
#include "hub/places.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define MAX_FILE 65536 /* bytes */

enum kind { KIND_ADDRESS, KIND_HOSTS, KIND_PATH, KIND_NUMBER, KIND_SWITCH, KIND_PLACE };

static const struct row {
	const char *name;
	enum kind kind;
	size_t member; /* offset in struct hub_options */
	long least, most;
	const char *preset, *help;
} rows[SETTING_COUNT] = {
#define SETTING(name, kind, form, member, least, most, preset, help)                               \
	{name, KIND_##kind, offsetof(struct hub_options, member), least, most, preset, help},
#include "hub/settings.def"
#undef SETTING
};

/* --- one value each ------------------------------------------------------------------------ */

/* `text` lives as long as the settings and may be cut. */
typedef int take_value(
	struct hub_options *options, const struct row *row, char *text, struct err *err);

static int take_address(
	struct hub_options *options, const struct row *row, char *text, struct err *err)
{
	struct in_addr address;
	char host[sizeof options->listen_host] = "0.0.0.0";
	const char *colon = strrchr(text, ':');
	const char *port = colon ? colon + 1 : text;
	char *end = NULL;
	long number = isdigit((unsigned char)*port) ? strtol(port, &end, 10) : -1;
	(void)row;
	if (colon)
		snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
	if (number < 0 || number > 65535 || *end || inet_pton(AF_INET, host, &address) != 1)
		return err_set(
			err, "an IPv4 address and a port were expected, as in 0.0.0.0:443, not \"%s\"", text);
	memcpy(options->listen_host, host, sizeof host);
	options->port = (uint16_t)number;
	return 0;
}

static bool is_host(const char *name)
{
	size_t len = strlen(name);
	for (const char *at = name; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr(".-_", *at))
			return false;
	return len > 0 && len <= TOKEN_MAX_HOST;
}

static int take_hosts(
	struct hub_options *options, const struct row *row, char *text, struct err *err)
{
	options->name_count = 0;
	for (char *name; (name = strsep(&text, ","));) {
		name += strspn(name, " ");
		if (options->name_count == (size_t)row->most)
			return err_set(err, "%ld names at most", row->most);
		if (!is_host(name))
			return err_set(err, "\"%s\" is neither a host name nor an IPv4 address", name);
		options->names[options->name_count++] = name;
	}
	return 0;
}

static int take_path(
	struct hub_options *options, const struct row *row, char *text, struct err *err)
{
	if (!*text)
		return err_set(err, "the name of a file was expected");
	char **to = (char **)((char *)options + row->member);
	*to = text;
	return 0;
}

static int take_number(
	struct hub_options *options, const struct row *row, char *text, struct err *err)
{
	char *end = NULL;
	errno = 0;
	long number = strtol(text, &end, 10);
	if (errno || end == text || *end || number < row->least || number > row->most)
		return err_set(
			err, "a number from %ld to %ld was expected, not \"%s\"", row->least, row->most, text);
	*(int64_t *)((char *)options + row->member) = number;
	return 0;
}

static int take_switch(
	struct hub_options *options, const struct row *row, char *text, struct err *err)
{
	bool on = strcmp(text, "true") == 0;
	if (!on && strcmp(text, "false") != 0)
		return err_set(err, "true or false was expected, not \"%s\"", text);
	*(bool *)((char *)options + row->member) = on;
	return 0;
}

static int take_place(
	struct hub_options *options, const struct row *row, char *text, struct err *err)
{
	return places_option(text, (struct place *)((char *)options + row->member), err);
}

static take_value *const takers[] = {
	[KIND_ADDRESS] = take_address,
	[KIND_HOSTS] = take_hosts,
	[KIND_PATH] = take_path,
	[KIND_NUMBER] = take_number,
	[KIND_SWITCH] = take_switch,
	[KIND_PLACE] = take_place,
};

int settings_take(
	struct settings *settings, size_t row, const char *text, const char *origin, struct err *err)
{
	char *copy = xstrdup(text);
	if (takers[rows[row].kind](&settings->options, &rows[row], copy, err)) {
		free(copy);
		return -1;
	}
	free(settings->values[row]);
	free(settings->texts[row]);
	free(settings->origins[row]);
	settings->values[row] = copy;
	settings->texts[row] = xstrdup(text);
	settings->origins[row] = xstrdup(origin);
	return 0;
}

void settings_default(struct settings *settings)
{
	*settings = (struct settings){
		.options = {.timing = {.backoff_base_ms = 1000, .stable_ms = 60000}},
	};
	for (size_t row = 0; row < SETTING_COUNT; row++)
		if (rows[row].preset && settings_take(settings, row, rows[row].preset, NULL, NULL))
			abort(); /* the presets are ours */
}

static const char *origin_of(const struct settings *settings, const char *name)
{
	size_t row = 0;
	while (row < SETTING_COUNT - 1 && strcmp(rows[row].name, name) != 0)
		row++;
	return settings->origins[row] ? settings->origins[row] : "the defaults";
}

int settings_finish(struct settings *settings, struct err *err)
{
	struct hub_options *options = &settings->options;
	struct session_timing *timing = &options->timing;
	if (!options->certificate != !options->key)
		return err_set(err, "cert and key belong together; %s is missing, %s is from %s",
			options->certificate ? "key" : "cert", options->certificate ? "cert" : "key",
			origin_of(settings, options->certificate ? "cert" : "key"));
	if (timing->backoff_base_ms > timing->backoff_cap_ms)
		timing->backoff_base_ms = timing->backoff_cap_ms;
	if (timing->stable_ms > 2 * timing->heartbeat_ms)
		timing->stable_ms = 2 * timing->heartbeat_ms;
	return 0;
}

void settings_free(struct settings *settings)
{
	for (size_t row = 0; row < SETTING_COUNT; row++) {
		free(settings->values[row]);
		free(settings->texts[row]);
		free(settings->origins[row]);
	}
	*settings = (struct settings){.options = {.root = NULL}};
}

/* --- the file ------------------------------------------------------------------------------ */

/* What libcyaml's table wants a place for; the values are taken from the map by the functions
 * above. */
struct shape {
	char *text;
	char **texts;
	unsigned texts_count;
	uint32_t number, word;
};

static const cyaml_strval_t yes_or_no[] = {{"true", 1}, {"false", 0}};
static const cyaml_schema_value_t host_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, TOKEN_MAX_HOST)};

#define FIELD_TEXT(key)                                                                            \
	CYAML_FIELD_STRING_PTR(                                                                        \
		key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct shape, text, 1, YAML_SCHEMA_LINE)
#define FIELD_ADDRESS(key, most) FIELD_TEXT(key)
#define FIELD_PATH(key, most)    FIELD_TEXT(key)
#define FIELD_PLACE(key, most)   FIELD_TEXT(key)
#define FIELD_NUMBER(key, most)  CYAML_FIELD_UINT(key, CYAML_FLAG_OPTIONAL, struct shape, number)
#define FIELD_SWITCH(key, most)                                                                    \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct shape, word, yes_or_no,  \
		ARRAY_LEN(yes_or_no))
#define FIELD_HOSTS(key, most)                                                                     \
	CYAML_FIELD_SEQUENCE(                                                                          \
		key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct shape, texts, &host_entry, 0, most)

static const cyaml_schema_field_t fields[] = {
#define SETTING(name, kind, form, member, least, most, preset, help) FIELD_##kind(name, most),
#include "hub/settings.def"
#undef SETTING
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct shape, fields)};

/* A list's entries, joined by commas; owned by the caller. */
static char *text_of(const struct yaml_map *map, size_t node)
{
	struct buf out = {0};
	if (map->nodes[node].kind == YAML_KIND_SCALAR)
		return xstrdup(map->nodes[node].value);
	for (size_t i = node + 1, end = yaml_map_after(map, node); i < end; i++)
		buf_printf(&out, "%s%s", out.len ? "," : "", map->nodes[i].value);
	return out.data ? out.data : xstrdup("");
}

static void take_key(
	struct settings *settings, const struct yaml_map *map, size_t node, struct problems *problems)
{
	size_t row = 0;
	struct err err;
	while (row < SETTING_COUNT && strcmp(rows[row].name, map->nodes[node].key) != 0)
		row++;
	cleanup(free_ptr) char *text = text_of(map, node);
	cleanup(free_ptr) char *origin = xasprintf("%s:%zu", map->file, yaml_map_line(map, node));
	bool empty_list = map->nodes[node].kind == YAML_KIND_LIST && !*text;
	if (row < SETTING_COUNT && !empty_list && settings_take(settings, row, text, origin, &err))
		problems_add(problems, map, node, PROBLEM_ERROR, "%s", err.text);
}

void settings_read_file(
	struct settings *settings, const char *file, bool must_exist, struct problems *problems)
{
	cleanup(buf_free) struct buf text = {0};
	struct yaml_map map;
	struct err err;
	if (file_read(file, MAX_FILE, &text, &err)) {
		if (must_exist || errno != ENOENT)
			problems_add_err(problems, &err);
		return;
	}
	if (yaml_map_read(file, buf_text(&text), text.len, &map, &err)) {
		problems_add_err(problems, &err);
		return;
	}
	if (map.count)
		yaml_schema_check(&map, &schema, problems);
	bool sound = !problems->errors;
	for (size_t node = 1; sound && node < map.count; node = yaml_map_after(&map, node))
		take_key(settings, &map, node, problems);
	yaml_map_free(&map);
	problems_sort(problems);
}

/* --- printing ------------------------------------------------------------------------------ */

static void print_value(const struct row *row, const char *text, FILE *to)
{
	if (row->kind == KIND_HOSTS)
		fprintf(to, "%s: [%s]", row->name, text);
	else
		fprintf(to, "%s: %s", row->name, text);
}

void settings_print(const struct settings *settings, FILE *to)
{
	for (size_t row = 0; row < SETTING_COUNT; row++) {
		const char *origin = settings->origins[row];
		if (!settings->texts[row])
			continue;
		print_value(&rows[row], settings->texts[row], to);
		fprintf(to, "  # %s\n", origin ? origin : "default");
	}
}

void settings_print_template(FILE *to)
{
	fprintf(to,
		"# The hub's settings. Every option of `sallyport-hub serve` is a key here; the command "
		"line wins.\n"
		"# After a change: sallyport-hub config --check && systemctl restart sallyport-hub\n");
	for (size_t at = 0; at < SETTING_COUNT; at++) {
		const struct row *row = &rows[at];
		const char *sample = row->kind == KIND_HOSTS   ? "hub.example.com"
							 : row->kind == KIND_PLACE ? "https://hub.example.com:443"
							 : row->kind == KIND_PATH  ? "/etc/ssl/FILE.pem"
													   : row->preset;
		fprintf(to, "\n# %s%s%s%s\n#", row->help, row->preset ? " (default: " : "",
			row->preset ? row->preset : "", row->preset ? ")" : "");
		print_value(row, sample, to);
		fputc('\n', to);
	}
}
