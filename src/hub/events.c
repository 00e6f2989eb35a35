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

static void on_gone(struct exchange *exchange)
{
	struct events *events = exchange->hub->events;
	for (size_t i = 0; i < events->count; i++) {
		if (events->streams[i] == exchange) {
			events->streams[i] = events->streams[--events->count];
			break;
		}
	}
	metric_set(&events->hub->metrics, METRIC_STREAMS, (int64_t)events->count);
}

int events_watch(struct events *events, struct exchange *exchange)
{
	static const char opening[] = "retry: 2000\n\n";
	if (events->count == EVENTS_MAX_STREAMS)
		return -1;
	events->streams[events->count++] = exchange;
	metric_set(&events->hub->metrics, METRIC_STREAMS, (int64_t)events->count);
	exchange->on_gone = on_gone;
	exchange_stream(exchange);
	exchange_push(exchange, opening, sizeof opening - 1);
	return 0;
}

bool events_watched_by_location(const struct events *events)
{
	for (size_t i = 0; i < events->count; i++)
		if (events->streams[i]->actor.location)
			return true;
	return false;
}

void events_send(struct events *events, const char *name, json_t *data)
{
	events_send_at(events, NULL, name, data);
}

void events_send_at(struct events *events, const char *location, const char *name, json_t *data)
{
	struct buf text = {0};
	cleanup(free_ptr) char *json = json_text(data); /* compact: no line breaks */
	json_decref(data);
	buf_printf(&text, "event: %s\ndata: %s\n\n", name, json);
	for (size_t i = 0; i < events->count; i++)
		if (!events->streams[i]->actor.location ||
			(location && actor_sees(&events->streams[i]->actor, location)))
			exchange_push(events->streams[i], text.data, text.len);
	buf_free(&text);
}

void events_review(struct events *events)
{
	for (size_t i = 0; i < events->count; i++)
		if (!who_still(events->streams[i]))
			connection_kill(events->streams[i]->connection);
}

void events_comment(struct events *events)
{
	events_review(events);
	for (size_t i = 0; i < events->count; i++)
		exchange_push(events->streams[i], ":\n\n", 3);
}
