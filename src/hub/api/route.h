/*
 * The API: one table of routes, a file a resource.
 *
 * route_run() finds the row for a request, applies its rules (signed in, the marker header and the
 * origin of changing requests, a JSON body) and calls its handler; what no row names is the
 * console.
 */
#ifndef HUB_API_ROUTE_H
#define HUB_API_ROUTE_H

#include "hub/exchange.h"

enum route_access {
	ACCESS_ANYONE,
	ACCESS_USER,
};

typedef void route_handler(struct exchange *exchange);

struct route {
	enum exchange_method method;
	const char *path; /* "{NAME}" stands for one segment, two of them at most */
	enum route_access access;
	bool json; /* wants an object as its body: exchange->json */
	route_handler *run;
	const char *summary; /* for the reference */
};

extern const struct route routes[]; /* ends in an empty row */

void route_run(struct exchange *exchange);
/* The row for a method and path, NULL when there is none; *other is set when one fits the path with
 * another method. `operands` gets what stands for {NAME}s; one that is too long fits no row. */
const struct route *route_find(enum exchange_method method, const char *path,
	char operands[EXCHANGE_MAX_OPERANDS][EXCHANGE_OPERAND_SIZE], bool *other);

route_handler discovery_get, profile_get, health_get, ready_get, metrics_get, session_get;
route_handler setup_get, setup_post, login_post, logout_post, me_get;
route_handler servers_get, server_get, server_delete;
route_handler checks_get, check_get, check_post;
route_handler tokens_get, token_post, token_delete;
route_handler events_get, assets_get;

#endif
