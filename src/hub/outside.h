/*
 * The outside view: whether a machine's TCP ports can be reached from where the hub stands (row
 * R12).
 *
 * A machine may ask it of itself alone: the caller gives the address that its session comes from.
 * Each server is looked at once in OUTSIDE_EVERY_MS, and OUTSIDE_MAX_SERVERS in that time at most.
 * A connection is opened and closed, nothing is sent. `done` is called once for each look that was
 * started, never from inside outside_look(), and not after outside_free().
 */
#ifndef HUB_OUTSIDE_H
#define HUB_OUTSIDE_H

#include "wire/identity.h"

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define OUTSIDE_MAX_PORTS   8
#define OUTSIDE_WAIT_MS     2000
#define OUTSIDE_EVERY_MS    60000
#define OUTSIDE_MAX_SERVERS 256

struct outside;

struct outside_question {
	char server[IDENTITY_ID_SIZE];
	uint64_t session; /* number of the session that asks; given back */
	int64_t rpc_id;   /* given back */
	struct in_addr address;
	uint16_t ports[OUTSIDE_MAX_PORTS];
	size_t count;
};

/* {"22": "open", ...}: open, refused, unreachable or silent. The reference is taken. */
typedef void outside_done(void *data, const struct outside_question *question, json_t *ports);

struct outside *outside_new(uv_loop_t *loop, outside_done *done, void *data);
/* Before the loop is closed. */
void outside_free(struct outside *outside);
/* False when this server, or too many, were looked at only just now. */
bool outside_look(struct outside *outside, const struct outside_question *question, int64_t now_ms);

#endif
