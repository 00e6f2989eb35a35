/*
 * Happy path: a request, an answer in JSON.
 *
 * Failure modes: those of agent/proven.h, and an answer that is none. A request whose answer was
 * lost is said again and does the same once more: the id is made here, the hub makes new tokens for
 * targets that have not joined, events are whole.
 */
#include "agent/installs/client.h"

#include "base/json.h"

#include <sodium.h>
#include <string.h>

#define PATH       "/v1/connector/installs"
#define MAX_ANSWER 2097152 /* bytes */

void client_init(struct client *client, const char *root, const struct agent_paths *paths,
	struct agent_state *state, const struct cancel *cancel)
{
	unsigned char id[16];
	*client =
		(struct client){.proven = {.root = root, .paths = paths, .state = state, .cancel = cancel}};
	randombytes_buf(id, sizeof id);
	sodium_bin2hex(client->id, sizeof client->id, id, sizeof id);
}

/* Takes the body. */
static enum client_result ask(struct client *client, const char *what, json_t *body,
	json_t **answer, struct finding *failure, struct err *err)
{
	cleanup(free_ptr) char *text = json_text(body);
	cleanup(free_ptr) char *path =
		xasprintf(PATH "%s%s%s", *what ? "/" : "", *what ? client->id : "", what);
	const struct request request = {
		.method = "POST",
		.path = path,
		.headers = "Content-Type: application/json\r\n",
		.body = text,
		.body_len = strlen(text),
	};
	json_decref(body);
	struct proven *proven = &client->proven;
	int status = proven_insist(proven, &request, MAX_ANSWER, CLIENT_TRIES, client->retry_ms, err);
	if (!status && proven->walk.failure.cause) {
		finding_copy(failure, &proven->walk.failure);
		return CLIENT_NO_WAY;
	}
	if (status != 200 && status != 201) {
		if (status)
			proven_words(proven, err);
		return CLIENT_REFUSED;
	}
	*answer = json_parse(buf_text(&proven->response.body), proven->response.body.len, err);
	if (json_is_object(*answer))
		return CLIENT_DONE;
	json_drop(answer);
	err_set(err, "the hub's answer is no JSON object");
	return CLIENT_REFUSED;
}

enum client_result client_create(struct client *client, const struct client_wish *wish,
	json_t **answer, struct finding *failure, struct err *err)
{
	return ask(client, "",
		json_pack("{s:s,s:s,s:s,s:i,s:i}", "id", client->id, "action", wish->action, "hosts",
			wish->hosts, "port", wish->port, "parallel", wish->parallel),
		answer, failure, err);
}

enum client_result client_go(struct client *client, const json_t *targets, json_t **answer,
	struct finding *failure, struct err *err)
{
	enum client_result result =
		ask(client, "/go", json_pack("{s:O}", "targets", targets), answer, failure, err);
	/* The tokens are in it. */
	struct buf *body = &client->proven.response.body;
	if (body->data)
		sodium_memzero(body->data, body->len);
	return result;
}

enum client_result client_say(struct client *client, const json_t *events, json_t **answer,
	struct finding *failure, struct err *err)
{
	return ask(client, "/events", json_pack("{s:O}", "events", events), answer, failure, err);
}

void client_free(struct client *client)
{
	proven_free(&client->proven);
	sodium_memzero(client->id, sizeof client->id);
}
