#include "dial/proxy_parts.h"

#include "base/file.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MAX_FILE      65536 /* bytes */
#define MAX_VARIABLES 256
#define BLANKS        " \t"
#define NAME_CHARS    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"

/* One assignment as it is read: "NAME=value". */
struct reader {
	const char *at;
	unsigned line; /* from 1 */
	char text[PROXY_MAX_LIST + 64];
	size_t len;
	size_t keep; /* up to here, trailing blanks stay */
	size_t name_len;
	struct err *problem;
};

static int complain(struct reader *reader, unsigned line, const char *what)
{
	return err_set(reader->problem, "line %u %s", line, what);
}

static int put(struct reader *reader, char byte, bool keep)
{
	if (reader->len == sizeof reader->text - 1)
		return complain(reader, reader->line, "is too long");
	reader->text[reader->len++] = byte;
	if (keep)
		reader->keep = reader->len;
	return 0;
}

static bool at_line_end(const char *at)
{
	return !*at || *at == '\n' || (*at == '\r' && (!at[1] || at[1] == '\n'));
}

static int read_single_quoted(struct reader *reader)
{
	for (reader->at++; *reader->at != '\''; reader->at++) {
		if (at_line_end(reader->at))
			return complain(reader, reader->line, "has a ' that is not closed");
		if (put(reader, *reader->at, true))
			return -1;
	}
	reader->at++;
	return 0;
}

static int read_double_quoted(struct reader *reader)
{
	unsigned first_line = reader->line;
	for (reader->at++; *reader->at != '"'; reader->at++) {
		if (reader->at[0] == '\\' && reader->at[1] == '\n') {
			reader->at++;
			reader->line++;
			continue;
		}
		if (at_line_end(reader->at))
			return complain(reader, first_line, "has a \" that is not closed");
		if (reader->at[0] == '\\' && reader->at[1] && strchr("\"\\`$", reader->at[1]))
			reader->at++;
		if (put(reader, *reader->at, true))
			return -1;
	}
	reader->at++;
	return 0;
}

/* Outside of quotes a backslash joins lines, or takes the next character as it is. */
static int read_escape(struct reader *reader)
{
	reader->at++;
	if (*reader->at == '\r' && reader->at[1] == '\n')
		reader->at++;
	if (*reader->at == '\n') {
		reader->at++;
		reader->line++;
		return 0;
	}
	return *reader->at ? put(reader, *reader->at++, true) : 0;
}

static int read_value(struct reader *reader)
{
	reader->at += strspn(reader->at, BLANKS);
	int rc = 0;
	while (!rc && !at_line_end(reader->at)) {
		if (*reader->at == '\'')
			rc = read_single_quoted(reader);
		else if (*reader->at == '"')
			rc = read_double_quoted(reader);
		else if (*reader->at == '\\')
			rc = read_escape(reader);
		else {
			rc = put(reader, *reader->at, !strchr(BLANKS, *reader->at));
			reader->at++;
		}
	}
	reader->len = reader->keep;
	reader->text[reader->len] = '\0';
	return rc;
}

static int read_name(struct reader *reader)
{
	if (strncmp(reader->at, "export", 6) == 0 && reader->at[6] && strchr(BLANKS, reader->at[6]))
		reader->at += 7 + strspn(reader->at + 7, BLANKS);
	size_t len = strspn(reader->at, NAME_CHARS);
	const char *equals = reader->at + len + strspn(reader->at + len, BLANKS);
	if (*equals != '=')
		return complain(reader, reader->line, "is not of the form NAME=value");
	if (!len || (*reader->at >= '0' && *reader->at <= '9'))
		return complain(reader, reader->line, "has no name before its \"=\"");
	reader->len = 0;
	for (size_t i = 0; i < len; i++)
		if (put(reader, reader->at[i], true))
			return -1;
	reader->name_len = len;
	reader->at = equals + 1;
	return put(reader, '=', true);
}

static void free_wiped(char *text)
{
	sodium_memzero(text, strlen(text));
	free(text);
}

static int keep_assignment(struct reader *reader, struct proxy_env *env)
{
	for (size_t i = 0; i < env->count; i++) {
		if (strncmp(env->list[i], reader->text, reader->name_len + 1) == 0) {
			free_wiped(env->list[i]);
			env->list[i] = xstrdup(reader->text);
			return 0;
		}
	}
	if (env->count == MAX_VARIABLES)
		return complain(reader, reader->line, "is one variable too many");
	env->list[env->count++] = xstrdup(reader->text);
	return 0;
}

int proxy_env_parse(const char *text, struct proxy_env *env, struct err *problem)
{
	struct reader reader = {.at = text, .line = 1, .problem = problem};
	env->list = xcalloc(MAX_VARIABLES + 1, sizeof *env->list);
	env->count = 0;
	int rc = 0;
	while (!rc && *reader.at) {
		reader.at += strspn(reader.at, BLANKS);
		if (*reader.at == '#' || *reader.at == ';')
			reader.at += strcspn(reader.at, "\n");
		else if (!at_line_end(reader.at))
			rc =
				read_name(&reader) || read_value(&reader) || keep_assignment(&reader, env) ? -1 : 0;
		if (!rc && *reader.at == '\r')
			reader.at++;
		if (!rc && *reader.at == '\n') {
			reader.at++;
			reader.line++;
		}
	}
	sodium_memzero(reader.text, sizeof reader.text);
	if (rc)
		proxy_env_wipe(env);
	return rc;
}

int proxy_env_read(const char *path, struct proxy_env *env, struct err *problem)
{
	*env = (struct proxy_env){.count = 0};
	/* Given its whole size first, the buffer never moves and leaves no copy behind. */
	struct buf text = {.data = xcalloc(MAX_FILE + 4096, 1), .cap = MAX_FILE + 4096};
	struct err why = {.text = ""};
	int rc = file_read(path, MAX_FILE, &text, &why);
	int saved = rc ? errno : EINVAL;
	if (rc)
		err_set(problem, "it cannot be read (%s)",
			saved == EFBIG ? "it is larger than 64 KiB" : strerror(saved));
	else if (strlen(text.data) != text.len)
		rc = err_set(problem, "it holds a NUL character");
	else
		rc = proxy_env_parse(text.data, env, problem);
	sodium_memzero(text.data, text.cap);
	buf_free(&text);
	errno = saved;
	return rc;
}

void proxy_env_wipe(struct proxy_env *env)
{
	for (size_t i = 0; i < env->count; i++)
		free_wiped(env->list[i]);
	free(env->list);
	*env = (struct proxy_env){.count = 0};
}
