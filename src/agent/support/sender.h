/*
 * The support bundle that the hub asks for: `sallyport logs send` as a child process, one at a
 * time. It outlives the session; what became of it shows at the hub by the upload itself, so only a
 * failure is told.
 *
 *     sender_start(), sender_step() when sender_fd() is readable or sender_deadline() has passed
 */
#ifndef AGENT_SENDER_H
#define AGENT_SENDER_H

#include "agent/self.h"
#include "base/clock.h"
#include "wire/upload.h"

#define SENDER_MS 3600000 /* for the bundle and its way to the hub */

struct sender {
	const char *root;    /* borrowed; may be NULL */
	const char *program; /* NULL: this one; borrowed */
	struct self self;
	struct deadline deadline;
	char id[UPLOAD_ID_SIZE]; /* of the bundle; "": none is being sent or waits to be told */
	char failure[400];       /* why it was not sent, until it is told; "" while it runs */
};

void sender_init(struct sender *sender, const char *root);
/* -1 with err; a child that runs is left alone: ask sender_busy() first. */
int sender_start(struct sender *sender, const char *id, struct err *err);
bool sender_busy(const struct sender *sender);
int sender_fd(const struct sender *sender);
/* False when none runs. */
bool sender_deadline(const struct sender *sender, struct deadline *deadline);
enum sender_news { SENDER_NOTHING, SENDER_SENT, SENDER_FAILED };
/* With SENDER_FAILED id and failure stand in the struct until the next start. */
enum sender_news sender_step(struct sender *sender);
void sender_free(struct sender *sender); /* ends a child that still runs */

#endif
