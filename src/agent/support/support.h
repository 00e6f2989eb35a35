/*
 * What somebody at the hub may want of an online agent who looks into its troubles: its log as it
 * grows, and a support bundle (rows R28, S2).
 */
#ifndef AGENT_SUPPORT_H
#define AGENT_SUPPORT_H

#include "agent/online.h"

#define SUPPORT_FDS 2

/* Rows of the table of calls; `data` is the struct online. */
enum refusal support_follow(void *data, const void *record);
enum refusal support_unfollow(void *data, const void *record);
enum refusal support_bundle(void *data, const void *record);

/* What to poll, and until when. */
void support_poll(struct online *online, struct pollfd fds[SUPPORT_FDS], struct deadline *deadline);
void support_step(struct online *online);

#endif
