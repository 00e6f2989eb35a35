/*
 * POST /v1/jobs: its body as a row of the store, checked as far as that goes without asking it.
 *
 * A function that returns NULL or -1 has answered with a problem.
 */
#ifndef HUB_API_JOB_REQUEST_H
#define HUB_API_JOB_REQUEST_H

#include "hub/net/exchange.h"
#include "store/store.h"

#define JOBS_API_MAX_SERVERS 20000 /* named in one request */
#define JOBS_API_MAX_BODY    2097152

struct job_request {
	struct store_job job; /* owned */
	char *secrets;        /* owned; JSON, NULL when there are none */
};

int job_request_read(struct exchange *exchange, struct job_request *request, int64_t now);
void job_request_free(struct job_request *request); /* wipes the secrets */

/* "servers": an object whose names are the ids, owned by the caller. */
json_t *job_request_servers(struct exchange *exchange);
/* The same as the list that store_targets has; owned by the caller. */
char *job_request_ids(json_t *servers);
/* "filter"; the texts stay the body's. */
int job_request_filter(struct exchange *exchange, struct store_query *query);

#endif
