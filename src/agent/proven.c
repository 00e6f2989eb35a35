/*
 * Happy path: walk, proof of the hub, and one request after the other with this machine's proof.
 *
 * Failure modes: the endpoint cannot be had (the walk's cause, unless discovery knows another one),
 * a connection that ends in the middle or an answer that is cut short (0: connect anew), a hub that
 * is busy (Retry-After), a refusal (its words).
 */
#include "agent/proven.h"

#include "agent/backoff.h"
#include "base/json.h"

#include <sodium.h>
#include <string.h>

#define REQUEST_MS    60000 /* for one piece to be taken and answered */
#define MOST_PATIENCE INT64_C(120000)
#define FIRST_WAIT    1000
#define MOST_WAIT     30000

static void disconnect(struct proven *proven)
{
	walk_free(&proven->walk);
	proven->connected = false;
}

/* The endpoint may be elsewhere by now; asked once. */
static bool has_moved(struct proven *proven)
{
	const struct place *places = proven->state->endpoints.places;
	const struct place was = places[ENDPOINT_UPLOAD];
	struct dial_target target;
	struct walk walk;
	struct err err;
	if (proven->moved || place_same(&places[ENDPOINT_DISCOVERY], &was))
		return false;
	proven->moved = true;
	if (way_prove(&proven->way, ENDPOINT_DISCOVERY, false, &target, &walk) == 0)
		state_follow(
			proven->paths, proven->state, json_object_get(walk.discovery, "endpoints"), &err);
	walk_free(&walk);
	return !place_same(&places[ENDPOINT_UPLOAD], &was);
}

static int connect_once(struct proven *proven)
{
	const struct identity *identity = &proven->state->identity;
	if (way_prove(&proven->way, ENDPOINT_UPLOAD, true, &proven->target, &proven->walk))
		return -1;
	struct proof_transcript transcript = proven->walk.proven;
	memcpy(transcript.agent_key, identity->public_key, sizeof transcript.agent_key);
	upload_proof_write(identity, &transcript, proven->proof);
	proven->connected = proven->begun = true;
	return 0;
}

int proven_connect(struct proven *proven)
{
	if (proven->connected)
		return 0;
	walk_free(&proven->walk);
	proven->way.root = proven->root;
	proven->way.state = proven->state;
	proven->way.cancel = proven->cancel;
	if (connect_once(proven) == 0)
		return 0;
	if (proven->walk.cancelled || !has_moved(proven))
		return -1;
	walk_free(&proven->walk);
	return connect_once(proven);
}

int proven_ask(struct proven *proven, const struct request *request, size_t max)
{
	cleanup(free_ptr) char *headers = xasprintf(UPLOAD_PROOF_HEADER ": %s\r\nX-Sallyport: 1\r\n%s",
		proven->proof, request->headers ? request->headers : "");
	struct request whole = *request;
	whole.headers = headers;
	http_response_free(&proven->response);
	http_response_init(&proven->response, max, strcmp(request->method, "HEAD") == 0);
	enum wait_result result = request_run(proven->walk.conn, &proven->target, &whole,
		deadline_in_ms(REQUEST_MS), proven->cancel, &proven->response);
	if (result == WAIT_READY && proven->response.status > 0 && !proven->response.truncated)
		return proven->response.status;
	disconnect(proven);
	return 0;
}

int proven_insist(struct proven *proven, const struct request *request, size_t max, int tries,
	int64_t retry_ms, struct err *err)
{
	struct backoff backoff = {.base_ms = retry_ms ? retry_ms : FIRST_WAIT, .cap_ms = MOST_WAIT};
	for (int i = 0; i < tries; i++) {
		int64_t wait_ms = -1;
		int status = proven_connect(proven) ? -1 : proven_ask(proven, request, max);
		if (status > 0 && (wait_ms = proven_patience_ms(proven)) < 0)
			return status;
		bool hopeless = proven->walk.cancelled || (status < 0 && !proven->begun);
		if (hopeless || i + 1 == tries)
			break;
		wait_ms = backoff_next(&backoff) + (wait_ms > 0 ? wait_ms : 0);
		if (wait_fd(-1, 0, deadline_in_ms(wait_ms), proven->cancel) == WAIT_CANCELLED)
			break;
	}
	cleanup(free_ptr) char *why =
		proven->walk.failure.cause ? finding_sentence(&proven->walk.failure) : NULL;
	if (cancel_fired(proven->cancel))
		err_set(err, "interrupted");
	else if (why)
		err_set(err, "%s", why);
	else
		err_set(err, proven->connected ? "the hub is busy" : "the connection to the hub was lost");
	return 0;
}

void proven_words(const struct proven *proven, struct err *err)
{
	const struct http_response *response = &proven->response;
	cleanup(json_drop) json_t *problem =
		json_parse(buf_text(&response->body), response->body.len, NULL);
	const char *detail = json_get_text(problem, "detail");
	err_set(err, "the hub answers %d: %.500s", response->status, detail ? detail : "no reason");
	for (char *at = err->text; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
}

int64_t proven_patience_ms(const struct proven *proven)
{
	const char *patience = http_response_header(&proven->response, "retry-after");
	int status = proven->response.status;
	if ((status != 503 && status != 429) || !patience)
		return -1;
	unsigned long seconds = strtoul(patience, NULL, 10);
	return seconds < MOST_PATIENCE / 1000 ? (int64_t)seconds * 1000 : MOST_PATIENCE;
}

void proven_free(struct proven *proven)
{
	http_response_free(&proven->response);
	walk_free(&proven->walk);
	way_free(&proven->way);
	sodium_memzero(proven->proof, sizeof proven->proof);
	proven->connected = false;
}
