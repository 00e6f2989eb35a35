/*
 * connector.log for somebody who looks on at the hub: the last lines, then what is written.
 *
 * One stream at a time. It never gets in the way of the session's other messages: after the first
 * lines at most one message leaves every FOLLOW_EVERY_MS, and when the log grows quicker than that,
 * lines in between are left out and counted.
 *
 *     follow_start(), follow_step() when follow_fd() is readable or follow_deadline() has passed
 */
#ifndef AGENT_FOLLOW_H
#define AGENT_FOLLOW_H

#include "agent/session.h"
#include "agent/support/tail.h"
#include "base/buf.h"
#include "base/clock.h"

#define FOLLOW_EVERY_MS 500
#define FOLLOW_LINES    100  /* of one message */
#define FOLLOW_LINE     2000 /* bytes; what is longer is cut */

struct follow {
	const struct agent_paths *paths; /* borrowed */
	struct tail tail;
	char stream[33]; /* the hub's id; "": nobody looks */
	struct buf rest; /* a line that has not ended */
	json_t *lines;   /* owned; wait to be sent */
	int64_t skipped; /* lines before these that were left out */
	int first;       /* messages that may still leave at once */
	struct deadline next;
};

void follow_init(struct follow *follow, const struct agent_paths *paths);
/* Replaces a stream that there is. */
enum refusal follow_start(struct follow *follow, const char *stream, int64_t lines);
/* Nothing happens when it is another stream. */
void follow_stop(struct follow *follow, const char *stream);
int follow_fd(const struct follow *follow); /* -1: nobody looks */
/* False when nothing waits to be sent. */
bool follow_deadline(const struct follow *follow, struct deadline *deadline);
void follow_step(struct follow *follow, struct session *session);
void follow_free(struct follow *follow);

#endif
