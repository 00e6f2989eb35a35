/*
 * What consoles that watch are told: server-sent events (HTML standard, section 9.2).
 *
 * events_watch() makes an exchange a stream until its connection ends. Those that do not read what
 * they are sent are closed; the page then connects again and fetches its list anew.
 */
#ifndef HUB_EVENTS_H
#define HUB_EVENTS_H

#include "hub/exchange.h"

#define EVENTS_MAX_STREAMS 256
#define EVENTS_MAX_BACKLOG 524288 /* bytes */
#define EVENTS_COMMENT_MS  15000

struct events;

struct events *events_new(struct hub *hub);
void events_free(struct events *events);
bool events_watched(const struct events *events);
/* 0, or -1 when there are too many. */
int events_watch(struct events *events, struct exchange *exchange);
void events_unwatch(struct events *events, const struct exchange *exchange);
/* Takes the reference. */
void events_send(struct events *events, const char *name, json_t *data);
/* A comment for each, so that nothing on the way calls the connection idle; streams of people who
 * are no longer signed in are closed. */
void events_comment(struct events *events);

#endif
