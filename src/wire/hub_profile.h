/*
 * The connectivity requirements of a hub, as the text of a profile (row B1).
 *
 * Made from the hub's discovery document: by the hub itself, for an administrator to hand to those
 * who open the firewall, and by `sallyport profiles hub`, from what came over a walk. Roles at the
 * same host and port become one endpoint. Everything in the document is judged before it goes into
 * the text: a hub can make it wrong, but not make it say more than a profile can.
 */
#ifndef WIRE_HUB_PROFILE_H
#define WIRE_HUB_PROFILE_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>
#include <time.h>

/* Where a hub serves it: below PROTOCOL_DISCOVERY_PATH, under the name that its file has to have.
 */
#define HUB_PROFILE_ID   "sallyport-hub"
#define HUB_PROFILE_PATH "/.well-known/sallyport/sallyport-hub.yaml"

/* Adds the text; -1 with the error filled, and nothing added, for a document that is none. `remark`
 * is a sentence that goes into its head, on how far the text can be trusted. */
int hub_profile_write(
	const json_t *discovery, const char *remark, time_t now, struct buf *out, struct err *err);

#endif
