/*
 * Plain requests on the connection of a walk that has passed, one after the other.
 *
 * For a hub: walk with `plain_proof` and `stay`, so that the hub has proved itself on this very
 * connection before anything is sent; then request_run() on walk->conn, as often as the peer keeps
 * the connection open.
 */
#ifndef DIAL_REQUEST_H
#define DIAL_REQUEST_H

#include "dial/dial.h"
#include "wire/http.h"

struct request {
	const char *method, *path;
	const char *headers; /* lines, each with its CR LF; NULL: none */
	const void *body;    /* NULL: none */
	size_t body_len;
	bool last; /* the peer shall close the connection after its answer */
};

/* WAIT_READY with the response, whose status is 0 when nothing came and -1 when it was no HTTP;
 * WAIT_ERROR with errno when the connection failed before the head was whole. The response was
 * initialised by the caller, who frees it. */
enum wait_result request_run(struct conn *conn, const struct dial_target *target,
	const struct request *request, struct deadline deadline, const struct cancel *cancel,
	struct http_response *response);
/* What went wrong, in words, or NULL for a response with a status. */
const char *request_problem(
	enum wait_result result, const struct http_response *response, char text[160]);

#endif
