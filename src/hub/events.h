/*
 * What consoles that watch are told: server-sent events (HTML standard, section 9.2).
 *
 * events_watch() makes an exchange a stream until its connection ends. Those that do not read what
 * they are sent are closed; the page then connects again and fetches its list anew.
 */
#ifndef HUB_EVENTS_H
#define HUB_EVENTS_H

#include "hub/net/exchange.h"

#define EVENTS_MAX_STREAMS 256
#define EVENTS_COMMENT_MS  15000

struct events;

struct events *events_new(struct hub *hub);
void events_free(struct events *events);
bool events_watched(const struct events *events);
/* 0, or -1 when there are too many. */
int events_watch(struct events *events, struct exchange *exchange);
/* To all but the streams of keys that are limited to a location. Takes the reference. */
void events_send(struct events *events, const char *name, json_t *data);
/* Of something that belongs to a location: also to keys that are limited to it. NULL: to nobody's.
 */
void events_send_at(struct events *events, const char *location, const char *name, json_t *data);
/* Whether such a key watches. */
bool events_watched_by_location(const struct events *events);
/* Closes the streams of whoever may not see them any more: after a key or a user was changed. */
void events_review(struct events *events);
/* A comment for each, so that nothing on the way calls the connection idle, after a review: keys
 * expire, and the command line revokes them in the store. */
void events_comment(struct events *events);

#endif
