/*
 * /v1/uploads: machines send their support bundles (wire/upload.h).
 *
 * A machine is known by its proof alone, which is good for this one connection; so there is neither
 * cookie nor key, and no permission. It reaches its own bundles only: another's id is one that does
 * not exist.
 */
#include "hub/support/bundles.h"

#include "base/json.h"
#include "hub/api/machine.h"
#include "hub/api/request.h"
#include "hub/api/route.h"
#include "hub/state.h"

#include <string.h>
#include <strings.h>

#define OLDEST 10 /* seconds that a machine is told to wait when it comes too soon */

static void add_state(struct exchange *exchange, const struct bundles_result *result, bool complete)
{
	exchange_header(exchange, "upload-offset:", "%lld", (long long)result->offset);
	exchange_header(exchange, "upload-complete:", "?%d", complete);
}

static void refuse(struct exchange *exchange, const struct bundles_result *result)
{
	static const struct {
		enum bundles_said said;
		int status;
		const char *words;
	} rows[] = {
		{BUNDLES_UNKNOWN, 404, "There is no such upload of this machine."},
		{BUNDLES_BUSY, 503, "This upload is being verified."},
		{BUNDLES_SOON, 429, "This machine has sent a bundle only just now."},
		{BUNDLES_OFFSET, 409, "The piece does not begin where the upload ends: see Upload-Offset."},
		{BUNDLES_LENGTH, 400, "The content is not of the length or the digest that was announced."},
		{BUNDLES_ENDED, 410, "This upload has ended."},
		{BUNDLES_FULL, 507, "The hub has no room for this bundle."},
	};
	if (result->said == BUNDLES_BUSY || result->said == BUNDLES_SOON)
		exchange_header(exchange, "retry-after:", "%d", result->said == BUNDLES_SOON ? OLDEST : 1);
	if (result->said == BUNDLES_OFFSET)
		add_state(exchange, result, false);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].said == result->said) {
			MACHINE_REFUSE(exchange, rows[i].status, "%s", rows[i].words);
			return;
		}
	}
	hub_store_said(exchange->hub, STORE_ERROR, &result->err);
	exchange_header(exchange, "retry-after:", "10");
	MACHINE_REFUSE(exchange, 503, "The hub cannot keep it just now.");
}

/* --- POST ----------------------------------------------------------------------------------- */

/* 0 when headers and body say what is going to come. `manifest` is owned by the caller. */
static int read_wish(struct exchange *exchange, struct bundles_wish *wish,
	unsigned char hash[UPLOAD_HASH_BYTES], char **manifest)
{
	const char *length = exchange_request_header(exchange, "upload-length");
	const char *digest = exchange_request_header(exchange, "repr-digest");
	const char *complete = exchange_request_header(exchange, "upload-complete");
	const json_t *said = json_object_get(exchange->json, "manifest");
	wish->id = json_get_text(exchange->json, "id");
	wish->size = length ? upload_number_read(length) : -1;
	*manifest = json_is_object(said) ? json_text(said) : NULL;
	const char *wrong = wish->size < 1                                 ? "Upload-Length"
						: !digest || upload_digest_read(digest, hash)  ? "Repr-Digest"
						: !complete || upload_flag_read(complete) != 0 ? "Upload-Complete: ?0"
						: !wish->id || !upload_is_id(wish->id)         ? "id"
						: !*manifest || strlen(*manifest) > UPLOAD_MAX_MANIFEST ? "manifest"
																				: NULL;
	if (!wrong)
		return 0;
	exchange_problem(exchange, 422, "%s is missing or not as it should be.", wrong);
	free(*manifest);
	return -1;
}

void upload_post(struct exchange *exchange)
{
	unsigned char hash[UPLOAD_HASH_BYTES];
	char server[IDENTITY_ID_SIZE];
	struct bundles_wish wish = {.server = server, .hash = hash, .now = time(NULL)};
	struct bundles_result result;
	char *manifest = NULL;
	if (machine_find(exchange, server) || read_wish(exchange, &wish, hash, &manifest))
		return;
	wish.manifest = manifest;
	bundles_create(exchange->hub->bundles, &wish, &result);
	free(manifest);
	if (result.said == BUNDLES_OK || result.said == BUNDLES_CREATED) {
		add_state(exchange, &result, result.bundle.state == BUNDLE_READY);
		exchange_header(exchange, "location:", PROTOCOL_UPLOADS_PATH "/%s", result.bundle.id);
		exchange_json(exchange, result.said == BUNDLES_CREATED ? 201 : 200,
			json_pack("{s:s}", "id", result.bundle.id));
	} else {
		refuse(exchange, &result);
	}
	store_bundle_free(&result.bundle);
}

/* --- PATCH ---------------------------------------------------------------------------------- */

static void on_verified(void *data, const struct bundles_result *result)
{
	struct exchange *exchange = exchange_resume(data);
	if (!exchange)
		return;
	if (result->said == BUNDLES_OK) {
		add_state(exchange, result, true);
		exchange_json(exchange, 200, json_pack("{s:s}", "state", "ready"));
	} else {
		refuse(exchange, result);
	}
	route_deliver(exchange);
}

static int read_piece(struct exchange *exchange, struct bundles_piece *piece)
{
	const char *type = exchange_request_header(exchange, "content-type");
	const char *offset = exchange_request_header(exchange, "upload-offset");
	const char *complete = exchange_request_header(exchange, "upload-complete");
	int last = complete ? upload_flag_read(complete) : -1;
	piece->offset = offset ? upload_number_read(offset) : -1;
	piece->last = last == 1;
	piece->data = buf_text(&exchange->body);
	piece->len = exchange->body.len;
	if (!type || strcasecmp(type, UPLOAD_CONTENT_TYPE) != 0)
		exchange_problem(exchange, 415, "The type " UPLOAD_CONTENT_TYPE " was expected.");
	else if (piece->offset < 0 || last < 0)
		exchange_problem(
			exchange, 400, "Upload-Offset and Upload-Complete (?0 or ?1) were expected.");
	else
		return 0;
	return -1;
}

void upload_patch(struct exchange *exchange)
{
	struct hub *hub = exchange->hub;
	char server[IDENTITY_ID_SIZE];
	struct bundles_piece piece = {.server = server, .id = exchange->operands[0], .now = time(NULL)};
	struct bundles_result result;
	if (machine_find(exchange, server) || read_piece(exchange, &piece))
		return;
	bundles_append(hub->bundles, &piece, &result);
	if (result.said == BUNDLES_LAST) {
		exchange_defer(exchange);
		bundles_verify(hub->bundles, &result.bundle, on_verified, exchange);
	} else if (result.said == BUNDLES_OK) {
		add_state(exchange, &result, result.bundle.state == BUNDLE_READY);
		exchange_empty(exchange, 204);
	} else {
		refuse(exchange, &result);
	}
	store_bundle_free(&result.bundle);
}

void upload_head(struct exchange *exchange)
{
	char server[IDENTITY_ID_SIZE];
	struct bundles_result result;
	if (machine_find(exchange, server))
		return;
	bundles_look(exchange->hub->bundles, server, exchange->operands[0], &result);
	if (result.said == BUNDLES_OK) {
		add_state(exchange, &result, result.bundle.state == BUNDLE_READY);
		exchange_header(exchange, "upload-length:", "%lld", (long long)result.bundle.size);
		exchange_header(exchange, "cache-control:", "no-store");
		exchange_empty(exchange, 204);
	} else {
		refuse(exchange, &result);
	}
	store_bundle_free(&result.bundle);
}
