#include "hub/support/log_streams.h"

#include "base/json.h"
#include "hub/api/who.h"
#include "hub/session/session.h"
#include "hub/state.h"

#include <sodium.h>
#include <string.h>

struct followed {
	struct log_streams *streams;
	char server[IDENTITY_ID_SIZE];
	char stream[LOG_STREAM_ID_SIZE]; /* as the machine knows it */
	struct exchange *viewers[LOG_STREAMS_VIEWERS];
	size_t count;
	json_t *kept; /* owned; the last lines */
	size_t kept_bytes;
	struct hub *hub; /* borrowed, for the machine's session of then */
};

struct log_streams {
	struct followed *followed[LOG_STREAMS_MAX];
	size_t count;
};

struct log_streams *log_streams_new(void)
{
	return xcalloc(1, sizeof(struct log_streams));
}

static struct followed *find(const struct log_streams *streams, const char *server)
{
	for (size_t i = 0; i < streams->count; i++)
		if (strcmp(streams->followed[i]->server, server) == 0)
			return streams->followed[i];
	return NULL;
}

static void forget(struct followed *followed)
{
	struct log_streams *streams = followed->streams;
	for (size_t i = 0; i < streams->count; i++)
		if (streams->followed[i] == followed)
			streams->followed[i] = streams->followed[--streams->count];
	json_decref(followed->kept);
	free(followed);
}

void log_streams_free(struct log_streams *streams)
{
	while (streams && streams->count)
		forget(streams->followed[0]);
	free(streams);
}

/* --- what is sent -------------------------------------------------------------------------- */

/* Takes the data. */
static int push(struct exchange *exchange, const char *name, json_t *data)
{
	cleanup(free_ptr) char *json = json_text(data);
	cleanup(free_ptr) char *text = xasprintf("event: %s\ndata: %s\n\n", name, json);
	json_decref(data);
	return exchange_push(exchange, text, strlen(text));
}

static json_t *lines_json(json_t *lines, int64_t skipped)
{
	return json_pack("{s:o,s:I}", "lines", lines, "skipped", (json_int_t)skipped);
}

static void push_kept(const struct followed *followed, struct exchange *exchange, int lines)
{
	size_t count = json_array_size(followed->kept);
	size_t from = count > (size_t)lines ? count - (size_t)lines : 0;
	json_t *list = json_array();
	for (size_t i = from; i < count; i++)
		json_array_append(list, json_array_get(followed->kept, i));
	push(exchange, "lines", lines_json(list, 0));
}

static void keep(struct followed *followed, json_t *line)
{
	followed->kept_bytes += json_string_length(line);
	json_array_append(followed->kept, line);
	while (json_array_size(followed->kept) > LOG_STREAMS_KEPT ||
		   (followed->kept_bytes > LOG_STREAMS_KEPT_BYTES && json_array_size(followed->kept))) {
		followed->kept_bytes -= json_string_length(json_array_get(followed->kept, 0));
		json_array_remove(followed->kept, 0);
	}
}

/* --- who looks ----------------------------------------------------------------------------- */

static void stop_machine(const struct followed *followed)
{
	struct session *session = roster_session(followed->hub->roster, followed->server);
	if (session)
		session_send_log_unfollow(session, followed->stream);
}

/* The connection of one who looks has ended. */
static void on_gone(struct exchange *exchange)
{
	struct followed *followed = exchange->stream_data;
	if (!followed)
		return; /* it was over before */
	for (size_t i = 0; i < followed->count; i++)
		if (followed->viewers[i] == exchange)
			followed->viewers[i] = followed->viewers[--followed->count];
	if (followed->count)
		return;
	stop_machine(followed);
	forget(followed);
}

static struct followed *begin(struct log_streams *streams, struct exchange *exchange,
	const char *server, struct session *session, int lines)
{
	unsigned char random[LOG_STREAM_ID_SIZE / 2];
	if (streams->count == LOG_STREAMS_MAX)
		return NULL;
	struct followed *followed = xcalloc(1, sizeof *followed);
	followed->streams = streams;
	followed->hub = exchange->hub;
	followed->kept = json_array();
	snprintf(followed->server, sizeof followed->server, "%s", server);
	randombytes_buf(random, sizeof random);
	sodium_bin2hex(followed->stream, sizeof followed->stream, random, sizeof random);
	streams->followed[streams->count++] = followed;
	session_send_log_follow(session, followed->stream, lines);
	return followed;
}

int log_streams_watch(struct log_streams *streams, struct exchange *exchange, const char *server,
	struct session *session, int lines)
{
	struct followed *followed = find(streams, server);
	bool known = followed != NULL;
	if (known && followed->count == LOG_STREAMS_VIEWERS)
		return -1;
	if (!known)
		followed = begin(streams, exchange, server, session, lines);
	if (!followed)
		return -1;
	followed->viewers[followed->count++] = exchange;
	exchange_stream(exchange);
	exchange->on_gone = on_gone;
	exchange->stream_data = followed;
	exchange_push(exchange, ":\n\n", 3);
	if (known)
		push_kept(followed, exchange, lines);
	return 0;
}

void log_streams_lines(struct log_streams *streams, const char *server, const char *stream,
	const json_t *lines, int64_t skipped)
{
	struct followed *followed = find(streams, server);
	json_t *list = json_array(), *line;
	size_t i;
	if (!followed || strcmp(followed->stream, stream) != 0) {
		json_decref(list);
		return;
	}
	json_array_foreach(lines, i, line)
	{
		if (!json_is_string(line) || json_string_length(line) > 2000 || i >= 100)
			break;
		json_array_append(list, line);
		keep(followed, line);
	}
	/* From the last: one that is cut for being slow takes itself out. */
	for (size_t n = followed->count; n--;)
		push(followed->viewers[n], "lines", lines_json(json_incref(list), skipped));
	json_decref(list);
}

void log_streams_end(struct log_streams *streams, const char *server, const char *reason)
{
	struct followed *followed = find(streams, server);
	if (!followed)
		return;
	for (size_t i = 0; i < followed->count; i++) {
		struct exchange *exchange = followed->viewers[i];
		exchange->stream_data = NULL;
		if (push(exchange, "end", json_pack("{s:s}", "reason", reason)) == 0)
			exchange_close(exchange);
	}
	forget(followed);
}

void log_streams_comment(struct log_streams *streams)
{
	for (size_t i = streams->count; i--;) {
		struct followed *followed = streams->followed[i];
		for (size_t n = followed->count; n--;) {
			struct exchange *exchange = followed->viewers[n];
			if (who_still(exchange) &&
				who_sees_server(exchange->hub, &exchange->actor, followed->server))
				exchange_push(exchange, ":\n\n", 3);
			else
				exchange_close(exchange);
		}
	}
}
