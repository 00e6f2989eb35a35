/*
 * Happy path: a line is cut into words or fields, a word into user, host and port, a host is a
 * name, an address or a range, and each of its hosts goes into the list unless it stands there.
 *
 * Failure modes: too much text, too many hosts, a word that is none of these (told with its line),
 * a CSV without its first line, nothing at all.
 */
#include "wire/host_list_parts.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define MAX_FIELDS 16
#define SPACES     " \t\v\f\r"

enum column { COLUMN_HOST, COLUMN_PORT, COLUMN_USER, COLUMN_NAME, COLUMN_COUNT };

static const char *const column_names[] = {"host", "port", "user", "name"};

struct reader {
	struct host_adder adder;
	uint16_t port;    /* where none is told */
	const char *user; /* likewise */
	char separator;   /* of the fields; '\0': words */
	bool begun;       /* a line that is not empty was seen */
	enum column columns[MAX_FIELDS];
	size_t column_count;
};

/* --- words --------------------------------------------------------------------------------- */

static bool user_is_good(const char *user)
{
	if (strlen(user) > HOST_LIST_MAX_USER || *user == '-' || !utf8_is_valid(user))
		return false;
	for (; *user; user++)
		if ((unsigned char)*user <= 0x20 || *user == 0x7f)
			return false;
	return true;
}

static bool name_is_good(const char *name)
{
	if (strlen(name) > HOST_LIST_MAX_NAME || !utf8_is_valid(name))
		return false;
	for (; *name; name++)
		if ((unsigned char)*name < 0x20 || *name == 0x7f)
			return false;
	return true;
}

/* Where the port begins in "HOST:PORT" or "[HOST]:PORT", and the brackets are gone; NULL without
 * one. */
static char *cut_port(char *host)
{
	char *end = strchr(host, ']');
	char *colon = strchr(host, ':');
	if (*host == '[' && end && (!end[1] || end[1] == ':')) {
		char *port = end[1] ? end + 2 : NULL;
		*end = '\0';
		memmove(host, host + 1, (size_t)(end - host));
		return port;
	}
	if (!colon || strchr(colon + 1, ':'))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static int set_port(const struct reader *reader, struct host_word *word, const char *text)
{
	long port = host_list_number(text, 65535);
	if (port < 1)
		return host_list_fail(&reader->adder, text, "a port is a number from 1 to 65535");
	word->port = (uint16_t)port;
	return 0;
}

static int set_user(const struct reader *reader, struct host_word *word, const char *text)
{
	if (!user_is_good(text))
		return host_list_fail(&reader->adder, text,
			"a user's name has at most 64 bytes, no spaces and no - at its beginning");
	word->user = text;
	return 0;
}

/* USER@HOST:PORT, in `text`, which is cut up. */
static int cut_word(const struct reader *reader, char *text, struct host_word *word)
{
	/* A user of a directory has an @ of its own. */
	char *at = strrchr(text, '@');
	if (strlen(text) >= HOST_LIST_WORD_SIZE)
		return host_list_fail(&reader->adder, text, "that is too long for a host");
	if (at) {
		*at = '\0';
		if (!*text)
			return host_list_fail(&reader->adder, "@", "a user's name is missing before it");
		if (set_user(reader, word, text))
			return -1;
		text = at + 1;
	}
	char *port = cut_port(text);
	if (port && set_port(reader, word, port))
		return -1;
	if (!*text)
		return host_list_fail(&reader->adder, text, "a host is missing");
	snprintf(word->host, sizeof word->host, "%s", text);
	return 0;
}

static int read_words(const struct reader *reader, char *line)
{
	char *rest;
	for (char *text = strtok_r(line, SPACES, &rest); text; text = strtok_r(NULL, SPACES, &rest)) {
		struct host_word word = {.user = reader->user, .name = "", .port = reader->port};
		if (*text == '#')
			return 0;
		if (cut_word(reader, text, &word) || host_list_add(&reader->adder, &word))
			return -1;
	}
	return 0;
}

/* --- CSV ----------------------------------------------------------------------------------- */

static char *trim(char *text)
{
	text += strspn(text, SPACES);
	for (size_t len = strlen(text); len && strchr(SPACES, text[len - 1]); len--)
		text[len - 1] = '\0';
	return text;
}

/* A field in quotes, from its opening one on; what follows it, or NULL. */
static char *unquote(char *at, char **field)
{
	char *to = *field = ++at;
	for (; *at; at++) {
		if (*at == '"' && at[1] == '"')
			at++;
		else if (*at == '"')
			break;
		*to++ = *at;
	}
	if (!*at)
		return NULL;
	*to = '\0';
	return at + 1 + strspn(at + 1, " \r");
}

/* How many fields the line has, -1 when it has too many or its quotes are not closed. */
static int split(char *line, char separator, char *fields[MAX_FIELDS])
{
	const char ends[] = {separator, '\0'};
	for (int count = 0; count < MAX_FIELDS; line++) {
		line += strspn(line, " ");
		char *end = line;
		if (*line == '"') {
			end = unquote(line, &fields[count]);
			if (!end || (*end && *end != separator))
				return -1;
		} else {
			fields[count] = line;
			end += strcspn(line, ends);
		}
		bool last = !*end;
		*end = '\0';
		count++;
		if (last)
			return count;
		line = end;
	}
	return -1;
}

static int column_find(const char *name)
{
	for (int i = 0; i < COLUMN_COUNT; i++)
		if (strcasecmp(column_names[i], name) == 0)
			return i;
	return -1;
}

static int read_header(struct reader *reader, char *line)
{
	char *fields[MAX_FIELDS];
	int count = split(line, reader->separator, fields);
	bool seen[COLUMN_COUNT] = {false};
	if (count < 0)
		return err_set(reader->adder.err,
			"line %zu: its quotes are not closed, or it has more than %d "
			"columns",
			reader->adder.line, MAX_FIELDS);
	for (int i = 0; i < count; i++) {
		const char *name = trim(fields[i]);
		int column = column_find(name);
		if (column < 0 || seen[column])
			return host_list_fail(&reader->adder, name,
				seen[column < 0 ? 0 : column] && column >= 0
					? "that column is there twice"
					: "that column is not known; a list with commas begins "
					  "with a line of host,port,user,name, in any order");
		seen[column] = true;
		reader->columns[i] = (enum column)column;
	}
	reader->column_count = (size_t)count;
	return seen[COLUMN_HOST] ? 0
							 : err_set(reader->adder.err, "line %zu: no column is called host",
								   reader->adder.line);
}

static int read_row(const struct reader *reader, char *line)
{
	char *fields[MAX_FIELDS], *by_column[COLUMN_COUNT] = {NULL};
	struct host_word word = {.user = reader->user, .name = "", .port = reader->port};
	int count = split(line, reader->separator, fields);
	if (count < 0 || (size_t)count > reader->column_count)
		return err_set(reader->adder.err,
			"line %zu: its quotes are not closed, or it has more fields than "
			"the first line has columns",
			reader->adder.line);
	for (int i = 0; i < count; i++)
		by_column[reader->columns[i]] = trim(fields[i]);
	char *host = by_column[COLUMN_HOST], *port = by_column[COLUMN_PORT];
	char *user = by_column[COLUMN_USER], *name = by_column[COLUMN_NAME];
	if (!host || !*host)
		return err_set(reader->adder.err, "line %zu: the column host is empty", reader->adder.line);
	if (cut_word(reader, host, &word) || (port && *port && set_port(reader, &word, port)) ||
		(user && *user && set_user(reader, &word, user)))
		return -1;
	if (name && !name_is_good(name))
		return host_list_fail(
			&reader->adder, name, "a name has at most 128 bytes and no control characters");
	word.name = name ? name : "";
	return host_list_add(&reader->adder, &word);
}

/* --- the whole ----------------------------------------------------------------------------- */

static int read_line(struct reader *reader, char *line)
{
	const char *first = line + strspn(line, SPACES);
	if (!*first || *first == '#')
		return 0;
	if (!reader->begun) {
		reader->begun = true;
		const char *separator = strpbrk(first, ",;");
		const char *tab = strchr(first, '\t');
		/* Words may have tabs between them as well: then the first one is no column. */
		if (!separator && tab && strncasecmp(first, "host\t", 5) == 0)
			separator = tab;
		reader->separator = '\0';
		if (separator)
			reader->separator = *separator;
		if (separator)
			return read_header(reader, line);
	}
	return reader->separator ? read_row(reader, line) : read_words(reader, line);
}

static int read_text(struct reader *reader, char *text)
{
	static const char mark[] = "\xef\xbb\xbf"; /* as some programs begin a text */
	if (strncmp(text, mark, strlen(mark)) == 0)
		text += strlen(mark);
	while (text) {
		char *line = text;
		text = strchr(text, '\n');
		if (text)
			*text++ = '\0';
		reader->adder.line++;
		if (read_line(reader, line))
			return -1;
	}
	return reader->adder.list->count ? 0 : err_set(reader->adder.err, "no host is in the list");
}

int host_list_read(
	const char *text, uint16_t port, const char *user, struct host_list *list, struct err *err)
{
	*list = (struct host_list){0};
	if (strlen(text) > HOST_LIST_MAX_TEXT)
		return err_set(err, "the list is longer than %d bytes; make two of it", HOST_LIST_MAX_TEXT);
	cleanup(free_ptr) char *copy = xstrdup(text);
	cleanup(free_ptr) uint32_t *index = xcalloc(HOST_LIST_INDEX_SIZE, sizeof *index);
	struct reader reader = {.adder = {list, index, 0, err}, .port = port, .user = user};
	list->hosts = xcalloc(HOST_LIST_MAX_HOSTS, sizeof *list->hosts);
	if (read_text(&reader, copy)) {
		host_list_free(list);
		return -1;
	}
	list->hosts = xrealloc(list->hosts, list->count, sizeof *list->hosts);
	return 0;
}

const struct host_entry *host_list_find(
	const struct host_list *list, const char *host, uint16_t port)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->hosts[i].port == port && strcmp(list->hosts[i].host, host) == 0)
			return &list->hosts[i];
	return NULL;
}

void host_list_free(struct host_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->hosts[i].user);
		free(list->hosts[i].name);
	}
	free(list->hosts);
	*list = (struct host_list){0};
}
