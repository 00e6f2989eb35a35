/*
 * The whole content against its digest, read again from the disk on a thread of libuv's pool, where
 * it also gets there for good (fsync). What this thread touches is in its own struct verify.
 */
#include "hub/support/bundles_parts.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct verify {
	uv_work_t work; /* first: libuv gives it back */
	struct bundles *bundles;
	struct verify *next;
	struct store_bundle bundle; /* owned */
	int fd;                     /* owned */
	int error;                  /* errno; 0: it could be read */
	unsigned char hash[UPLOAD_HASH_BYTES];
	bundles_done *done;
	void *data;
};

bool bundle_is_verified(const struct bundles *bundles, const char *id)
{
	for (const struct verify *verify = bundles->verifies; verify; verify = verify->next)
		if (strcmp(verify->bundle.id, id) == 0)
			return true;
	return false;
}

static void work(uv_work_t *request)
{
	struct verify *verify = (struct verify *)request;
	crypto_hash_sha256_state state;
	unsigned char chunk[65536];
	ssize_t got = -1;
	crypto_hash_sha256_init(&state);
	if (verify->fd >= 0 && fsync(verify->fd) == 0)
		while ((got = read(verify->fd, chunk, sizeof chunk)) > 0)
			crypto_hash_sha256_update(&state, chunk, (unsigned long long)got);
	verify->error = got < 0 ? errno : 0;
	crypto_hash_sha256_final(&state, verify->hash);
}

static void conclude(struct verify *verify, struct bundles_result *result)
{
	struct bundles *bundles = verify->bundles;
	struct store_bundle *bundle = &verify->bundle;
	*result = (struct bundles_result){.said = BUNDLES_OK, .offset = bundle->size};
	if (verify->error) {
		result->said = BUNDLES_STORE;
		result->status = STORE_ERROR;
		err_set(&result->err, "%s: %s", bundles->dir, strerror(verify->error));
	} else if (sodium_memcmp(verify->hash, bundle->hash, sizeof verify->hash) != 0) {
		result->said = BUNDLES_LENGTH;
		bundle_fail(bundles, bundle, "What arrived is not what the machine announced.", time(NULL),
			&result->err);
	} else {
		bundle->state = BUNDLE_READY;
		bundle->finished = time(NULL);
		result->status = bundle_put(bundles, bundle, &result->err);
		if (result->status != STORE_OK)
			result->said = result->status == STORE_NOT_FOUND ? BUNDLES_UNKNOWN : BUNDLES_STORE;
	}
}

static void take_out(struct bundles *bundles, const struct verify *verify)
{
	struct verify **at = &bundles->verifies;
	while (*at != verify)
		at = &(*at)->next;
	*at = verify->next;
}

static void after_work(uv_work_t *request, int status)
{
	struct verify *verify = (struct verify *)request;
	struct bundles *bundles = verify->bundles;
	struct bundles_result result;
	(void)status;
	take_out(bundles, verify);
	if (verify->fd >= 0)
		close(verify->fd);
	if (bundles->ending)
		result = (struct bundles_result){.said = BUNDLES_STORE};
	else
		conclude(verify, &result);
	verify->done(verify->data, &result);
	store_bundle_free(&verify->bundle);
	free(verify);
}

static void copy_row(const struct store_bundle *from, struct store_bundle *to)
{
	*to = *from;
	to->server_name = xstrdup(from->server_name);
	to->location = xstrdup(from->location);
	to->reason = xstrdup(from->reason);
	to->requested_by = xstrdup(from->requested_by);
	to->manifest = xstrdup(from->manifest);
}

void bundles_verify(
	struct bundles *bundles, const struct store_bundle *bundle, bundles_done *done, void *data)
{
	struct verify *verify = xcalloc(1, sizeof *verify);
	verify->bundles = bundles;
	verify->done = done;
	verify->data = data;
	verify->fd = bundles_open(bundles, bundle->id);
	copy_row(bundle, &verify->bundle);
	verify->next = bundles->verifies;
	bundles->verifies = verify;
	uv_queue_work(bundles->loop, &verify->work, work, after_work);
}

void bundles_free(struct bundles *bundles)
{
	if (!bundles)
		return;
	bundles->ending = true;
	while (bundles->verifies)
		uv_run(bundles->loop, UV_RUN_ONCE);
	free(bundles->dir);
	free(bundles);
}
