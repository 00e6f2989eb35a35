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
/* `received`: how much of the file is there. New reference. */
json_t *bundle_json(const struct store_bundle *bundle, int64_t received);
/* A job without script, args and env; and with them. New references. */
json_t *job_json(const struct store_job *job, int64_t silent);
json_t *job_whole_json(const struct store_job *job, int64_t silent);
json_t *run_json(const struct hub *hub, const struct store_run *run);
/* New references. */
json_t *install_json(const struct store_install *install);
json_t *target_json(const struct store_target *target);
const char *target_state_name(int state);
/* Bits of the states that a name stands for, "live" too; 0: there is none. */
unsigned target_states_find(const char *name);
unsigned install_states_find(const char *name);
/* The job of the request, if whoever asks may see it; -1 after a problem was answered. */
int job_of_request(struct exchange *exchange, struct store_job *job);
const char *check_state_name(int state);
const char *bundle_state_name(int state);
const char *run_state_name(int state);
int run_state_find(const char *name); /* -1: there is none */
int job_state_find(const char *name);
/* {"all","online","offline"} of a location, NULL for all; NULL when the store does not answer. */
json_t *counts_json(const struct hub *hub, const char *location);

#endif
