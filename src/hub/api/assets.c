/*
 * The console, which is part of the program: console/ as it was when the hub was built. Every
 * path without a file is its front page, so that links into the console work.
 */
#include "base/embed.h"
#include "hub/api/route.h"

#include <string.h>

extern const struct embedded_file console_files[];

static const struct {
	const char *ending, *type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".woff2", "font/woff2"},
	{".txt", "text/plain; charset=utf-8"},
};

static const char *type_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		size_t len = strlen(types[i].ending);
		if (strlen(name) > len && strcmp(name + strlen(name) - len, types[i].ending) == 0)
			return types[i].type;
	}
	return "application/octet-stream";
}

static const struct embedded_file *find(const char *name)
{
	for (const struct embedded_file *file = console_files; file->name; file++)
		if (strcmp(file->name, name) == 0)
			return file;
	return NULL;
}

void assets_get(struct exchange *exchange)
{
	const char *name = exchange->path + (exchange->path[0] == '/');
	const struct embedded_file *file = find(name);
	if (!file && strchr(name, '.')) {
		exchange_problem(exchange, 404, "There is nothing at %s.", exchange->path);
		return;
	}
	if (!file)
		file = find("index.html");
	exchange_header(exchange, "etag:", "\"%s\"", file->hash);
	exchange_header(exchange, "cache-control:", "no-cache");
	if (strstr(exchange->if_none_match, file->hash))
		exchange_empty(exchange, 304);
	else
		exchange_fixed(exchange, type_of(file->name), file->data, file->size);
}
