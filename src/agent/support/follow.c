#include "agent/support/follow.h"

#include <stdio.h>
#include <string.h>

#define MOST_WAITING TAIL_MAX_LINES
/* The rest of a line is dropped beyond this. */
#define MOST_REST 8192

void follow_init(struct follow *follow, const struct agent_paths *paths)
{
	*follow = (struct follow){.paths = paths};
	tail_init(&follow->tail);
}

void follow_free(struct follow *follow)
{
	const struct agent_paths *paths = follow->paths;
	tail_close(&follow->tail);
	buf_free(&follow->rest);
	json_decref(follow->lines);
	follow_init(follow, paths);
}

/* The log is printable, but a line may be cut inside a character. */
static json_t *line_json(const char *text, size_t len)
{
	if (len > FOLLOW_LINE)
		len = FOLLOW_LINE;
	json_t *line = json_stringn(text, len);
	for (size_t cut = 1; !line && cut <= 3 && cut < len; cut++)
		line = json_stringn(text, len - cut);
	return line ? line : json_string("(a line that is no UTF-8)");
}

static void keep_line(struct follow *follow, const char *text, size_t len)
{
	if (json_array_size(follow->lines) == MOST_WAITING) {
		json_array_remove(follow->lines, 0);
		follow->skipped++;
	}
	json_array_append_new(follow->lines, line_json(text, len));
}

static int take_bytes(void *data, const char *bytes, size_t len)
{
	struct follow *follow = data;
	while (len) {
		const char *end = memchr(bytes, '\n', len);
		size_t part = end ? (size_t)(end - bytes) : len;
		buf_append(&follow->rest, bytes, part); /* past its bound the line is cut */
		if (!end)
			break;
		keep_line(follow, buf_text(&follow->rest), follow->rest.len);
		buf_consume(&follow->rest, follow->rest.len);
		bytes = end + 1;
		len -= part + 1;
	}
	return 0;
}

enum refusal follow_start(struct follow *follow, const char *stream, int64_t lines)
{
	struct err err;
	follow_free(follow);
	if (tail_open(&follow->tail, follow->paths, (int)lines, &err))
		return REFUSAL_LOG_UNREADABLE;
	snprintf(follow->stream, sizeof follow->stream, "%s", stream);
	follow->lines = json_array();
	follow->rest.max = MOST_REST;
	follow->first = TAIL_MAX_LINES / FOLLOW_LINES;
	follow->next = deadline_in_ms(0);
	if (tail_read(&follow->tail, take_bytes, follow) == 0)
		return REFUSAL_NONE;
	follow_free(follow);
	return REFUSAL_LOG_UNREADABLE;
}

void follow_stop(struct follow *follow, const char *stream)
{
	if (strcmp(follow->stream, stream) == 0)
		follow_free(follow);
}

int follow_fd(const struct follow *follow)
{
	return follow->stream[0] ? tail_fd(&follow->tail) : -1;
}

bool follow_deadline(const struct follow *follow, struct deadline *deadline)
{
	*deadline = follow->next;
	return json_array_size(follow->lines) > 0;
}

static void send_lines(struct follow *follow, struct session *session)
{
	struct msg_log_lines message = {
		.stream = follow->stream, .lines = json_array(), .skipped = follow->skipped};
	size_t count = json_array_size(follow->lines);
	count = count < FOLLOW_LINES ? count : FOLLOW_LINES;
	for (size_t i = 0; i < count; i++)
		json_array_append(message.lines, json_array_get(follow->lines, i));
	for (size_t i = 0; i < count; i++)
		json_array_remove(follow->lines, 0);
	follow->skipped = 0;
	session_notify(session, MSG_log_lines, &message);
	json_decref(message.lines);
}

void follow_step(struct follow *follow, struct session *session)
{
	if (!follow->stream[0])
		return;
	if (tail_read(&follow->tail, take_bytes, follow)) {
		keep_line(follow, "(the log cannot be read any more)", 33);
		send_lines(follow, session);
		follow_free(follow);
		return;
	}
	while (
		json_array_size(follow->lines) && (follow->first > 0 || !deadline_left_ms(follow->next))) {
		send_lines(follow, session);
		follow->first--;
		follow->next = deadline_in_ms(FOLLOW_EVERY_MS);
	}
	/* Only what was there at first may leave at once. */
	follow->first = 0;
}
