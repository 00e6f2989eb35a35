/*
 * What signing in and changing passwords have in common: failed tries are slowed and noted, one
 * password is hashed at a time.
 */
#ifndef HUB_API_SIGN_IN_H
#define HUB_API_SIGN_IN_H

#include "hub/net/exchange.h"

/* Answers 429 and returns -1 while this peer, or this name unless it is NULL, has to wait. */
int check_throttle(struct exchange *exchange, const char *name);
/* Counts and notes a wrong password, or code, for this name; NULL: there is none. */
void note_failed_try(struct exchange *exchange, const char *name);
/* The name of a new user, "name" in the body; NULL after a problem was answered. */
const char *body_user_name(struct exchange *exchange);
/* A new password of the body; NULL after a problem was answered. */
const char *body_password(struct exchange *exchange, const char *name);
void answer_busy(struct exchange *exchange);
void answer_no_memory(struct exchange *exchange);

#endif
