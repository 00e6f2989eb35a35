/*
 * Happy path: walk, proof of the hub, POST, PATCH after PATCH, and with the last one the hub has
 * compared the digest and says so.
 *
 * Failure modes: the endpoint cannot be had (the walk's cause), a connection that ends in the
 * middle (walk anew, HEAD, go on), a hub that is busy (Retry-After), an offset that is not the
 * hub's (it says its own), an upload that it does not know any more (POST again), a refusal (its
 * words).
 */
#include "agent/support/upload.h"

#include "agent/backoff.h"
#include "agent/proven.h"
#include "base/json.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX_ANSWER 16384 /* bytes */
#define FIRST_WAIT 1000
#define MOST_WAIT  30000

struct sending {
	struct upload *upload;
	struct proven proven;
	bool created;
	int64_t offset;  /* what the hub has */
	int64_t wait_ms; /* what it asked for; 0: nothing */
};

enum next { NEXT_GO_ON, NEXT_AGAIN, NEXT_DONE, NEXT_NO_WAY, NEXT_REFUSED };

/* --- requests ------------------------------------------------------------------------------ */

/* The status, or 0 when the connection is lost. */
static int ask(struct sending *sending, const char *method, const char *id, const char *headers,
	const void *body, size_t len)
{
	cleanup(free_ptr) char *path = xasprintf(PROTOCOL_UPLOADS_PATH "%s%s", *id ? "/" : "", id);
	const struct request request = {
		.method = method, .path = path, .headers = headers, .body = body, .body_len = len};
	return proven_ask(&sending->proven, &request, MAX_ANSWER);
}

static bool take_offset(struct sending *sending)
{
	const char *text = http_response_header(&sending->proven.response, "upload-offset");
	int64_t offset = text ? upload_number_read(text) : -1;
	if (offset < 0 || offset > sending->upload->size)
		return false;
	sending->offset = offset;
	return true;
}

/* Whatever is no success. */
static enum next judge(struct sending *sending, int status, struct err *err)
{
	if (!status)
		return NEXT_AGAIN;
	if (status == 409 && take_offset(sending))
		return NEXT_GO_ON;
	if (status == 404 && sending->created) {
		sending->created = false;
		return NEXT_AGAIN;
	}
	int64_t patience_ms = proven_patience_ms(&sending->proven);
	if (patience_ms >= 0) {
		sending->wait_ms = patience_ms;
		return NEXT_AGAIN;
	}
	proven_words(&sending->proven, err);
	return NEXT_REFUSED;
}

static enum next create(struct sending *sending, struct err *err)
{
	const struct upload *upload = sending->upload;
	char digest[UPLOAD_DIGEST_SIZE];
	upload_digest_write(upload->hash, digest);
	cleanup(json_drop) json_t *wish =
		json_pack("{s:s,s:O}", "id", upload->id, "manifest", upload->manifest);
	cleanup(free_ptr) char *body = json_text(wish);
	cleanup(free_ptr) char *headers = xasprintf("Upload-Complete: ?0\r\n"
												"Upload-Length: %lld\r\n"
												"Repr-Digest: %s\r\n"
												"Content-Type: " UPLOAD_MANIFEST_TYPE "\r\n",
		(long long)upload->size, digest);
	int status = ask(sending, "POST", "", headers, body, strlen(body));
	sending->created = (status == 200 || status == 201) && take_offset(sending);
	return sending->created ? NEXT_GO_ON : judge(sending, status, err);
}

static enum next look(struct sending *sending, struct err *err)
{
	int status = ask(sending, "HEAD", sending->upload->id, "", NULL, 0);
	return (status == 200 || status == 204) && take_offset(sending) ? NEXT_GO_ON
																	: judge(sending, status, err);
}

static enum next send_piece(struct sending *sending, struct err *err)
{
	const struct upload *upload = sending->upload;
	cleanup(free_ptr) char *piece = xcalloc(UPLOAD_CHUNK_BYTES, 1);
	ssize_t len = pread(upload->fd, piece, UPLOAD_CHUNK_BYTES, (off_t)sending->offset);
	if (len < 0 || (len == 0 && sending->offset < upload->size)) {
		err_set(err, "the bundle cannot be read: %s", len ? strerror(errno) : "it is cut short");
		return NEXT_REFUSED;
	}
	bool last = sending->offset + len == upload->size;
	cleanup(free_ptr) char *headers = xasprintf("Upload-Offset: %lld\r\n"
												"Upload-Complete: ?%d\r\n"
												"Content-Type: " UPLOAD_CONTENT_TYPE "\r\n",
		(long long)sending->offset, last);
	int status = ask(sending, "PATCH", upload->id, headers, piece, (size_t)len);
	if (status != 200 && status != 204)
		return judge(sending, status, err);
	sending->offset += len;
	return last ? NEXT_DONE : NEXT_GO_ON;
}

/* --- the whole ----------------------------------------------------------------------------- */

/* The next step of the upload, whatever it is. */
static enum next step(struct sending *sending, struct err *err)
{
	if (!sending->proven.connected) {
		if (proven_connect(&sending->proven))
			return NEXT_NO_WAY;
		return sending->created ? look(sending, err) : create(sending, err);
	}
	return sending->created ? send_piece(sending, err) : create(sending, err);
}

static void tell(const struct sending *sending, const char *note)
{
	if (sending->upload->on_progress)
		sending->upload->on_progress(sending->upload->data, sending->offset, note);
}

static const char *why_again(const struct sending *sending)
{
	return sending->wait_ms ? "the hub is busy" : "the connection was lost";
}

/* False when it is cancelled. */
static bool wait_before_next(struct sending *sending, struct backoff *backoff, const char *why)
{
	int64_t ms = sending->wait_ms + backoff_next(backoff);
	sending->wait_ms = 0;
	tell(sending, why);
	return wait_fd(-1, 0, deadline_in_ms(ms), sending->upload->cancel) != WAIT_CANCELLED;
}

static enum next run(struct sending *sending, struct err *err)
{
	int64_t first_ms = sending->upload->retry_ms ? sending->upload->retry_ms : FIRST_WAIT;
	struct backoff backoff = {.base_ms = first_ms, .cap_ms = MOST_WAIT};
	int64_t best = -1;
	for (int failures = 0;;) {
		enum next next = step(sending, err);
		bool begun = best >= 0;
		if (next == NEXT_GO_ON || next == NEXT_DONE)
			tell(sending, NULL);
		if (next == NEXT_GO_ON && sending->offset > best) {
			best = sending->offset;
			failures = 0;
			backoff_reset(&backoff);
			continue;
		}
		/* An offset that comes back lower, or twice, is no progress either. */
		if (next == NEXT_GO_ON && failures++ < UPLOAD_TRIES)
			continue;
		bool again = next == NEXT_AGAIN || next == NEXT_GO_ON || (next == NEXT_NO_WAY && begun);
		if (!again || sending->proven.walk.cancelled)
			return next;
		if (failures++ >= UPLOAD_TRIES) {
			err_set(
				err, "given up after %d tries without progress: %s", failures, why_again(sending));
			return next == NEXT_NO_WAY ? next : NEXT_REFUSED;
		}
		if (!wait_before_next(sending, &backoff, why_again(sending))) {
			err_set(err, "interrupted");
			return NEXT_REFUSED;
		}
	}
}

enum upload_result upload_send(struct upload *upload, struct finding *failure, struct err *err)
{
	struct sending sending = {
		.upload = upload,
		.proven = {.root = upload->root,
			.paths = upload->paths,
			.state = upload->state,
			.cancel = upload->cancel},
	};
	enum upload_result result = UPLOAD_REFUSED;
	switch (run(&sending, err)) {
	case NEXT_DONE:
		result = UPLOAD_DONE;
		break;
	case NEXT_NO_WAY:
		if (sending.proven.walk.cancelled)
			err_set(err, "interrupted");
		else
			result = UPLOAD_NO_WAY;
		finding_copy(failure, &sending.proven.walk.failure);
		break;
	case NEXT_GO_ON:
	case NEXT_AGAIN:
	case NEXT_REFUSED:
		break;
	}
	proven_free(&sending.proven);
	return result;
}
