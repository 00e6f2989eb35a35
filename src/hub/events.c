#include "hub/events.h"

#include "base/json.h"
#include "hub/api/who.h"
#include "hub/state.h"

#include <string.h>

struct events {
	struct hub *hub;
	struct exchange *streams[EVENTS_MAX_STREAMS];
	size_t count;
};

struct events *events_new(struct hub *hub)
{
	struct events *events = xcalloc(1, sizeof *events);
	events->hub = hub;
	return events;
}

void events_free(struct events *events)
{
	free(events);
}

bool events_watched(const struct events *events)
{
	return events->count > 0;
}

static void append(struct exchange *stream, const char *text, size_t len)
{
	if (stream->answer.len + len > EVENTS_MAX_BACKLOG) {
		connection_kill(stream->connection);
		return;
	}
	buf_append(&stream->answer, text, len);
	exchange_deliver(stream);
}

int events_watch(struct events *events, struct exchange *exchange)
{
	static const char opening[] = "retry: 2000\n\n";
	if (events->count == EVENTS_MAX_STREAMS)
		return -1;
	events->streams[events->count++] = exchange;
	metric_set(&events->hub->metrics, METRIC_STREAMS, (int64_t)events->count);
	exchange_stream(exchange);
	append(exchange, opening, sizeof opening - 1);
	return 0;
}

void events_unwatch(struct events *events, const struct exchange *exchange)
{
	for (size_t i = 0; i < events->count; i++) {
		if (events->streams[i] == exchange) {
			events->streams[i] = events->streams[--events->count];
			break;
		}
	}
	metric_set(&events->hub->metrics, METRIC_STREAMS, (int64_t)events->count);
}

void events_send(struct events *events, const char *name, json_t *data)
{
	struct buf text = {0};
	cleanup(free_ptr) char *json = json_text(data); /* compact: no line breaks */
	json_decref(data);
	buf_printf(&text, "event: %s\ndata: %s\n\n", name, json);
	for (size_t i = 0; i < events->count; i++)
		append(events->streams[i], text.data, text.len);
	buf_free(&text);
}

void events_comment(struct events *events)
{
	for (size_t i = 0; i < events->count; i++) {
		struct exchange *stream = events->streams[i];
		cleanup(free_ptr) char *user = who_is(events->hub, stream->cookie);
		if (user)
			append(stream, ":\n\n", 3);
		else
			connection_kill(stream->connection);
	}
}
