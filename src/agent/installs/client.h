/*
 * What `sallyport install` on a connector has the hub know: plain requests on a connection of their
 * own, proven like uploads (agent/proven.h), at the upload endpoint.
 *
 *     POST /v1/connector/installs             {id, action, hosts, port, parallel}
 *          -> {id, location, targets: [{id, host, port, user, name, from_range, host_keys}],
 *              portable, hub}
 *     POST /v1/connector/installs/ID/go       {targets: [ID]} -> {targets: [{id, token}]}
 *     POST /v1/connector/installs/ID/events   {events: [{target, event}]}
 *          -> {targets: [{id, state}]}
 *
 * client_init(), client_create() once, then client_go() and client_say() in any order,
 * client_free(). Each call blocks until it is answered, a few tries have failed or the cancel
 * fires; each may be repeated. One thread.
 */
#ifndef AGENT_INSTALLS_CLIENT_H
#define AGENT_INSTALLS_CLIENT_H

#include "agent/proven.h"

#include <jansson.h>

#define CLIENT_TRIES 4 /* over a lost connection or a busy hub */

struct client {
	struct proven proven; /* its first members are filled by client_init() */
	char id[33];          /* of the install; made here, so that creating it may be repeated */
	int64_t retry_ms;     /* first wait after a failure; 0: a second */
};

struct client_wish {
	const char *action; /* "install" or "remove" */
	const char *hosts;  /* see wire/host_list.h */
	int port;           /* where the hosts tell none */
	int parallel;       /* hosts side by side */
};

enum client_result {
	CLIENT_DONE,    /* *answer is a new reference */
	CLIENT_NO_WAY,  /* `failure` says why the hub cannot be had */
	CLIENT_REFUSED, /* `err` says what the hub said (403: this machine is no connector) */
};

/* Borrows all of it for its life. `root` and `cancel` may be NULL. */
void client_init(struct client *client, const char *root, const struct agent_paths *paths,
	struct agent_state *state, const struct cancel *cancel);
enum client_result client_create(struct client *client, const struct client_wish *wish,
	json_t **answer, struct finding *failure, struct err *err);
/* The targets' ids, a list. */
enum client_result client_go(struct client *client, const json_t *targets, json_t **answer,
	struct finding *failure, struct err *err);
/* A list of {target, event}, which may be empty, to hear of the targets; at most 200. */
enum client_result client_say(struct client *client, const json_t *events, json_t **answer,
	struct finding *failure, struct err *err);
void client_free(struct client *client);

#endif
