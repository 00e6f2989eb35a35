/*
 * The API: one table of routes, a file a resource.
 *
 * route_run() finds the row for a request, applies its rules (who may, the marker header and the
 * origin of changing requests, the server being there for who asks, a JSON body, an answer that was
 * given before) and calls its handler; what no row names is the console. openapi.yaml describes the
 * same routes, and a test holds the two against each other.
 */
#ifndef HUB_API_ROUTE_H
#define HUB_API_ROUTE_H

#include "hub/net/exchange.h"

/* What a route means to a key that is limited to a location. */
enum route_scope {
	SCOPE_HUB,     /* it concerns the whole hub: 403 */
	SCOPE_OWN,     /* it concerns nothing that has a location, or the handler keeps to
					* exchange->actor.location: others' things are left out, or 404 */
	SCOPE_SERVER,  /* its first {NAME} is a server: 404 unless it is at the location */
	SCOPE_SERVER2, /* its second one is */
};

typedef void route_handler(struct exchange *exchange);

struct route {
	enum exchange_method method;
	const char *path; /* "{NAME}" stands for one segment, two of them at most */
	enum permission permission;
	enum route_scope scope;
	bool json; /* wants an object as its body: exchange->json */
	route_handler *run;
	const char *summary; /* for the reference */
};

extern const struct route routes[]; /* ends in an empty row */

void route_run(struct exchange *exchange);
/* For handlers that deferred: the answer is there. */
void route_deliver(struct exchange *exchange);
/* The row for a method and path, NULL when there is none; *other is set when one fits the path with
 * another method. `operands` gets what stands for {NAME}s; one that is too long fits no row. */
const struct route *route_find(enum exchange_method method, const char *path,
	char operands[EXCHANGE_MAX_OPERANDS][EXCHANGE_OPERAND_SIZE], bool *other);

route_handler discovery_get, profile_get, health_get, ready_get, metrics_get, session_get;
route_handler setup_get, setup_post, login_post, logout_post, me_get, password_post;
route_handler openapi_get, locations_get, audit_get;
route_handler users_get, user_post, user_patch, user_delete;
route_handler keys_get, key_post, key_delete;
route_handler servers_get, server_get, server_delete;
route_handler checks_get, check_get, check_post;
route_handler jobs_get, job_post, job_get, job_cancel_post, job_repeat_post;
route_handler runs_get, run_get, run_output_get, run_output_raw_get, activity_get;
route_handler tokens_get, token_post, token_delete;
route_handler log_get;
route_handler bundles_get, server_bundles_get, bundle_post, bundle_get, bundle_file_get,
	bundle_delete;
route_handler location_get, location_post, location_patch, location_delete;
route_handler host_keys_get, host_key_delete;
route_handler server_patch, server_promote_post, server_demote_post;
route_handler installs_get, install_post, install_get, install_targets_get, install_target_get;
route_handler install_start_post, install_cancel_post, install_retry_post;
route_handler targets_get, target_delete, portable_get;
route_handler connector_begin_post, connector_go_post, connector_events_post;
route_handler upload_post, upload_patch, upload_head;
route_handler events_get, assets_get;

#endif
