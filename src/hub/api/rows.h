/*
 * A server as the console sees it.
 */
#ifndef HUB_API_ROWS_H
#define HUB_API_ROWS_H

#include "hub/state.h"

#include <jansson.h>

/* The row of a list, with what the roster knows put over it. New reference. */
json_t *row_json(const struct hub *hub, struct store_server *server);
/* {"all","online","offline"}; NULL when the store does not answer. */
json_t *counts_json(const struct hub *hub);

#endif
