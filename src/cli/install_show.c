#include "cli/install_show.h"

#include "base/json.h"

#include <string.h>
#include <unistd.h>

static const char *text_of(const json_t *object, const char *name, const char *otherwise)
{
	const char *text = json_get_text(object, name);
	return text ? text : otherwise;
}

const char *row_state(const struct install_row *row)
{
	return text_of(row->event, "state", "waiting");
}

static bool is_one_of(const char *word, const char *const *list)
{
	while (*list && strcmp(*list, word) != 0)
		list++;
	return *list != NULL;
}

bool row_is_final(const struct install_row *row)
{
	static const char *const final[] = {
		"online", "kept", "removed", "absent", "failed", "cancelled", NULL};
	return is_one_of(row_state(row), final);
}

bool row_is_fine(const struct install_row *row)
{
	static const char *const fine[] = {"online", "kept", "removed", "absent", "ready", NULL};
	return is_one_of(row_state(row), fine);
}

static void name_host(char *name, size_t size, const struct install_row *row)
{
	const char *host = text_of(row->target, "host", "?");
	int64_t port = json_get_int(row->target, "port", 22);
	if (port == 22)
		snprintf(name, size, "%s", host);
	else
		snprintf(name, size, "%s:%lld", host, (long long)port);
}

void show_progress(const struct install_row *rows, size_t count, const struct install_row *news)
{
	char name[300];
	size_t final = 0;
	bool watched = isatty(STDERR_FILENO);
	for (size_t i = 0; i < count; i++)
		final += row_is_final(&rows[i]);
	name_host(name, sizeof name, news);
	if (row_is_final(news))
		fprintf(stderr, "%s%s: %s%s%s\n", watched ? "\r\033[K" : "", name, row_state(news),
			json_get_text(news->event, "sentence") ? ": " : "",
			text_of(news->event, "sentence", ""));
	if (watched)
		fprintf(stderr, "\r\033[K%zu of %zu, %.50s: %s", final, count, name,
			text_of(news->event, "stage", ""));
}

size_t show_new_keys(FILE *to, const struct install_row *rows, size_t count)
{
	char name[300];
	size_t shown = 0;
	for (size_t i = 0; i < count; i++) {
		const json_t *key = json_object_get(rows[i].event, "host_key");
		if (strcmp(row_state(&rows[i]), "ready") != 0 ||
			strcmp(text_of(key, "state", ""), "new") != 0)
			continue;
		if (!shown++)
			fprintf(to, "These hosts are seen for the first time. Compare their keys with what "
						"`ssh-keygen -lf` says there:\n");
		name_host(name, sizeof name, &rows[i]);
		fprintf(to, "  %-24s %-20s %s\n", name, text_of(key, "type", ""),
			text_of(key, "fingerprint", ""));
	}
	return shown;
}

static void show_json(FILE *to, const struct install_row *row)
{
	json_t *line = json_pack("{s:s, s:I}", "host", text_of(row->target, "host", ""), "port",
		(json_int_t)json_get_int(row->target, "port", 22));
	json_object_update(line, row->event);
	if (!row->event)
		json_object_set_new(line, "state", json_string("waiting"));
	json_dumpf(line, to, JSON_COMPACT);
	fputc('\n', to);
	json_decref(line);
}

static void show_text(FILE *to, const struct install_row *row)
{
	char name[300];
	const json_t *facts = json_object_get(row->event, "facts");
	const char *os = json_get_text(facts, "os");
	name_host(name, sizeof name, row);
	fprintf(to, "%-24s %-10s %s\n", name, row_state(row),
		text_of(row->event, "sentence", os ? os : ""));
	if (!row_is_fine(row) && json_get_text(row->event, "remedy"))
		fprintf(to, "%-35s %s\n", "", text_of(row->event, "remedy", ""));
}

void show_results(FILE *to, const struct install_row *rows, size_t count, bool json)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	for (size_t i = 0; i < count; i++)
		(json ? show_json : show_text)(to, &rows[i]);
}
