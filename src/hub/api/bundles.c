/* /v1/bundles and /v1/servers/{id}/bundles: support bundles, asked for, listed, fetched. */
#include "hub/support/bundles.h"

#include "base/clock.h"
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/api/rows.h"
#include "hub/audit.h"
#include "hub/state.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MAX_LIMIT     500
#define DEFAULT_LIMIT 100

static const char *const states[] = {
	[BUNDLE_ASKED] = "asked",
	[BUNDLE_UPLOADING] = "uploading",
	[BUNDLE_READY] = "ready",
	[BUNDLE_FAILED] = "failed",
};

const char *bundle_state_name(int state)
{
	return states[state >= 0 && state < BUNDLE_STATES ? state : BUNDLE_FAILED];
}

json_t *bundle_json(const struct store_bundle *bundle, int64_t received)
{
	char hex[2 * UPLOAD_HASH_BYTES + 1];
	bool said = bundle->size > 0;
	sodium_bin2hex(hex, sizeof hex, bundle->hash, sizeof bundle->hash);
	return json_pack("{s:s,s:s,s:s,s:s,s:o,s:s,s:o,s:o,s:o,s:I,s:o,s:o}", "id", bundle->id,
		"server", bundle->server, "server_name", bundle->server_name, "state",
		states[bundle->state], "reason", text_or_null(bundle->reason), "requested_by",
		bundle->requested_by, "requested_at", time_json(bundle->requested), "finished_at",
		time_json(bundle->finished), "size", said ? json_integer(bundle->size) : json_null(),
		"received", (json_int_t)received, "sha256", said ? json_string(hex) : json_null(),
		"manifest", stored_json(*bundle->manifest ? bundle->manifest : NULL));
}

static json_t *whole_json(const struct exchange *exchange, const struct store_bundle *bundle)
{
	return bundle_json(bundle, bundles_received(exchange->hub->bundles, bundle));
}

/* --- lists --------------------------------------------------------------------------------- */

static void answer_list(struct exchange *exchange, const char *server)
{
	struct hub *hub = exchange->hub;
	struct request_page wish;
	struct store_bundle_page page;
	struct err err = {0};
	if (request_read_page(exchange, MAX_LIMIT, DEFAULT_LIMIT, &wish))
		return;
	const struct store_bundle_query query = {
		server, exchange->actor.location, wish.limit, wish.before};
	enum store_status status = hub->store->driver->uploads.list(hub->store, &query, &page, &err);
	if (status != STORE_OK) {
		answer_store_problem(exchange, status, &err);
		return;
	}
	json_t *rows = json_array();
	for (size_t i = 0; i < page.count; i++)
		json_array_append_new(rows, whole_json(exchange, &page.rows[i]));
	answer_page(exchange, "bundles", rows, page.next);
	store_bundle_page_free(&page);
}

void bundles_get(struct exchange *exchange)
{
	answer_list(exchange, arg_text(exchange, "server"));
}

/* 0 when the server is there. */
static int find_server(struct exchange *exchange, struct store_server *server)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	enum store_status status =
		hub->store->driver->servers.find(hub->store, exchange->operands[0], server, NULL, &err);
	if (status == STORE_OK)
		return 0;
	if (status == STORE_NOT_FOUND)
		exchange_problem(exchange, 404, "There is no server with this id (any more).");
	else
		answer_store_problem(exchange, status, &err);
	return -1;
}

void server_bundles_get(struct exchange *exchange)
{
	struct store_server server;
	if (find_server(exchange, &server))
		return;
	answer_list(exchange, exchange->operands[0]);
	store_server_free(&server);
}

/* --- asking -------------------------------------------------------------------------------- */

static void answer_asked(
	struct exchange *exchange, struct session *session, struct bundles_result *result)
{
	switch (result->said) {
	case BUNDLES_CREATED:
		session_send_bundle_make(session, result->bundle.id);
		audit_note(exchange->hub, &exchange->actor, AUDIT_BUNDLE_ASK, result->bundle.server,
			result->bundle.id);
		exchange_json(exchange, 202, whole_json(exchange, &result->bundle));
		break;
	case BUNDLES_BUSY:
		exchange_problem(
			exchange, 409, "This machine was asked for a bundle already, and it is not here yet.");
		break;
	case BUNDLES_UNKNOWN:
		exchange_problem(exchange, 404, "There is no server with this id (any more).");
		break;
	default:
		answer_store_problem(
			exchange, result->status == STORE_OK ? STORE_ERROR : result->status, &result->err);
	}
	store_bundle_free(&result->bundle);
}

void bundle_post(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	struct store_server server;
	struct bundles_result result;
	if (find_server(exchange, &server))
		return;
	struct session *session = roster_session(hub->roster, server.id);
	if (!session) {
		exchange_problem(exchange, 409,
			"%s is offline, so it cannot be asked. On the machine itself, `sudo sallyport logs "
			"send` sends one, also without a session, and `sallyport logs bundle FILE` saves it.",
			*server.name ? server.name : "This server");
	} else {
		bundles_ask(hub->bundles, server.id, exchange->actor.name, time(NULL), &result);
		answer_asked(exchange, session, &result);
	}
	store_server_free(&server);
}

/* --- one bundle ---------------------------------------------------------------------------- */

/* 0 when it is there for who asks. */
static int find_bundle(struct exchange *exchange, struct store_bundle *bundle)
{
	struct hub *hub = exchange->hub;
	struct err err = {0};
	enum store_status status =
		hub->store->driver->uploads.find(hub->store, exchange->operands[0], bundle, &err);
	if (status == STORE_OK && actor_sees(&exchange->actor, bundle->location))
		return 0;
	if (status == STORE_OK)
		store_bundle_free(bundle);
	if (status == STORE_OK || status == STORE_NOT_FOUND)
		exchange_problem(exchange, 404, "There is no bundle with this id (any more).");
	else
		answer_store_problem(exchange, status, &err);
	return -1;
}

void bundle_get(struct exchange *exchange)
{
	struct store_bundle bundle;
	if (find_bundle(exchange, &bundle))
		return;
	exchange_json(exchange, 200, whole_json(exchange, &bundle));
	store_bundle_free(&bundle);
}

/* A name for the file that says whose it is, of harmless characters. */
static void add_file_name(struct exchange *exchange, const struct store_bundle *bundle)
{
	char name[64], when[CLOCK_TEXT_SIZE];
	size_t len = 0;
	clock_rfc3339(bundle->requested, when);
	for (const char *at = bundle->server_name; *at && len < sizeof name - 1; at++)
		name[len++] = (char)(isascii(*at) && isalnum(*at) ? *at : '-');
	name[len] = '\0';
	exchange_header(exchange,
		"content-disposition:", "attachment; filename=\"%s-%.10s-%.8s.tar.gz\"",
		len ? name : "server", when, bundle->id);
	exchange_header(exchange, "cache-control:", "no-store");
}

void bundle_file_get(struct exchange *exchange)
{
	struct store_bundle bundle;
	if (find_bundle(exchange, &bundle))
		return;
	int fd = bundle.state == BUNDLE_READY ? bundles_open(exchange->hub->bundles, bundle.id) : -1;
	if (bundle.state != BUNDLE_READY) {
		exchange_problem(exchange, 409, "This bundle is not here: it is %s.", states[bundle.state]);
	} else if (fd < 0) {
		exchange_problem(exchange, 410, "The file of this bundle is gone (%s).", strerror(errno));
	} else {
		audit_note(exchange->hub, &exchange->actor, AUDIT_BUNDLE_FETCH, bundle.id, bundle.server);
		add_file_name(exchange, &bundle);
		exchange_file(exchange, "application/gzip", fd);
	}
	store_bundle_free(&bundle);
}

void bundle_delete(struct exchange *exchange)
{
	struct store_bundle bundle;
	struct err err = {0};
	if (find_bundle(exchange, &bundle))
		return;
	enum store_status status = bundles_remove(exchange->hub->bundles, bundle.id, &err);
	if (status != STORE_OK && status != STORE_NOT_FOUND) {
		answer_store_problem(exchange, status, &err);
	} else {
		audit_note(exchange->hub, &exchange->actor, AUDIT_BUNDLE_REMOVE, bundle.id, bundle.server);
		exchange_empty(exchange, 204);
	}
	store_bundle_free(&bundle);
}
