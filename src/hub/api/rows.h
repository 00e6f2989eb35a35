/*
 * A server, and a check of it, as the console sees them.
 */
#ifndef HUB_API_ROWS_H
#define HUB_API_ROWS_H

#include "hub/state.h"

#include <jansson.h>

/* The row of a list, with what the roster knows put over it. New reference. */
json_t *row_json(const struct hub *hub, struct store_server *server);
/* A check without its report. New reference. */
json_t *check_json(const struct store_check *check);
/* {"all","online","offline"}; NULL when the store does not answer. */
json_t *counts_json(const struct hub *hub);

#endif
