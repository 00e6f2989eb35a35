/*
 * `sallyport logs bundle FILE` and `sallyport logs send`.
 *
 * Happy path: the bundle is written to a file of mode 0600; `send` makes it below the state folder,
 * where it has no name, and uploads it. Failure modes: no right to read identity or log (use sudo),
 * a full disk, no hub joined, an endpoint that cannot be had (told as cause, evidence and remedy),
 * a hub that refuses. FILE is put into place whole, or not at all.
 */
#include "agent/support/bundle.h"
#include "agent/support/upload.h"
#include "base/json.h"
#include "cli/logs.h"
#include "cli/profile_names.h"
#include "cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct cancel cancel = {.fd = -1};

static int fail(const char *what, const char *text)
{
	fprintf(stderr, "sallyport logs %s: %s\n", what, text);
	return 1;
}

static int write_to(int fd, const struct cli_args *args, const struct agent_paths *paths,
	const struct agent_state *state, json_t **manifest, struct err *err)
{
	const struct bundle_source source = {args->root, paths, state, profile_names};
	return bundle_write(fd, &source, manifest, err);
}

/* --- bundle -------------------------------------------------------------------------------- */

static void say_made(const char *path, const json_t *manifest)
{
	struct stat st = {.st_size = 0};
	stat(path, &st);
	printf("%s: %lld KiB, %zu files, and manifest.json says what was left out.\n", path,
		(long long)(st.st_size + 1023) / 1024,
		json_array_size(json_object_get(manifest, "members")));
}

/* Beside its place first. */
static int save(const char *path, const struct cli_args *args, const struct agent_paths *paths,
	const struct agent_state *state, struct err *err)
{
	cleanup(free_ptr) char *beside = xasprintf("%s.part", path);
	cleanup(json_drop) json_t *manifest = NULL;
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, "%s: %s", beside, strerror(errno));
	int rc = write_to(fd, args, paths, state, &manifest, err);
	if (rc)
		err_prefix(err, "%s", path);
	else if (rename(beside, path))
		rc = err_set(err, "%s: %s", path, strerror(errno));
	if (rc)
		unlink(beside);
	else
		say_made(path, manifest);
	return rc;
}

int logs_bundle(const struct cli_args *args, const struct agent_paths *paths)
{
	struct agent_state state;
	struct err err;
	enum state_result loaded = state_load(paths, &state, &err);
	if (loaded == STATE_BROKEN)
		fprintf(stderr, "sallyport logs bundle: without the hub's part, because: %s\n", err.text);
	int rc = save(args->operands[1], args, paths, loaded == STATE_LOADED ? &state : NULL, &err);
	if (loaded == STATE_LOADED)
		state_wipe(&state);
	return rc ? fail("bundle", err.text) : 0;
}

/* --- send ---------------------------------------------------------------------------------- */

static void on_signal(int number)
{
	(void)number;
	int saved = errno;
	cancel_fire(&cancel);
	errno = saved;
}

/* The first signal ends the upload, a second one the program. */
static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void on_progress(void *data, int64_t sent, const char *note)
{
	const struct upload *upload = data;
	bool watched = isatty(STDERR_FILENO);
	if (note && watched)
		fprintf(stderr, "\r\033[K%s; trying again\n", note);
	else if (watched)
		fprintf(stderr, "\r\033[K%lld of %lld KiB", (long long)sent / 1024,
			(long long)(upload->size + 1023) / 1024);
	if (watched && sent == upload->size)
		fputs("\r\033[K", stderr);
}

/* A file that is gone when its descriptor is. */
static int open_nameless(const struct agent_paths *paths, struct err *err)
{
	cleanup(free_ptr) char *path = xasprintf("%s/bundle-XXXXXX", paths->state_dir);
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	unlink(path);
	return fd;
}

static int hash_file(int fd, struct upload *upload, struct err *err)
{
	crypto_hash_sha256_state state;
	unsigned char chunk[16384];
	ssize_t got;
	crypto_hash_sha256_init(&state);
	upload->size = 0;
	while ((got = pread(fd, chunk, sizeof chunk, (off_t)upload->size)) > 0) {
		crypto_hash_sha256_update(&state, chunk, (unsigned long long)got);
		upload->size += got;
	}
	crypto_hash_sha256_final(&state, upload->hash);
	if (upload->size > UPLOAD_MAX_BYTES)
		return err_set(err, "the bundle is larger than %d MiB", UPLOAD_MAX_BYTES / 1048576);
	return got < 0 ? err_set(err, "the bundle cannot be read: %s", strerror(errno)) : 0;
}

static int take_id(const struct cli_args *args, char id[UPLOAD_ID_SIZE])
{
	const char *given = args->values[LOGS_ID];
	unsigned char random[UPLOAD_ID_SIZE / 2];
	if (given && !upload_is_id(given))
		return cli_usage_error("--id: 32 hexadecimal digits were expected");
	randombytes_buf(random, sizeof random);
	sodium_bin2hex(id, UPLOAD_ID_SIZE, random, sizeof random);
	if (given)
		memcpy(id, given, UPLOAD_ID_SIZE);
	return 0;
}

static int say_no_way(const struct upload *upload, const struct finding *failure)
{
	const struct place *place = &upload->state->endpoints.places[ENDPOINT_UPLOAD];
	cleanup(free_ptr) char *sentence = finding_sentence(failure);
	fprintf(stderr, "sallyport logs send: the upload endpoint %s:%u cannot be had: %s\n",
		place->host, (unsigned)place->port, sentence);
	say_finding(stderr, failure);
	fprintf(stderr, "`sallyport logs bundle FILE` saves the bundle, to be sent by other means.\n");
	return 1;
}

static int send_file(struct upload *upload)
{
	struct finding failure = {.cause = CAUSE_NONE};
	struct err err;
	int rc = 1;
	switch (upload_send(upload, &failure, &err)) {
	case UPLOAD_DONE: {
		const struct place *place = &upload->state->endpoints.places[ENDPOINT_UPLOAD];
		printf("Sent to %s:%u: support bundle %s, %lld KiB.\n", place->host, (unsigned)place->port,
			upload->id, (long long)(upload->size + 1023) / 1024);
		rc = 0;
		break;
	}
	case UPLOAD_NO_WAY:
		say_no_way(upload, &failure);
		break;
	case UPLOAD_REFUSED:
		fail("send", err.text);
		break;
	}
	finding_free(&failure);
	return rc;
}

static int make_and_send(
	const struct cli_args *args, const struct agent_paths *paths, struct agent_state *state)
{
	struct upload upload = {.root = args->root,
		.paths = paths,
		.state = state,
		.cancel = &cancel,
		.on_progress = on_progress};
	cleanup(json_drop) json_t *manifest = NULL;
	struct err err;
	int rc = take_id(args, upload.id);
	if (rc)
		return rc;
	upload.fd = open_nameless(paths, &err);
	if (upload.fd < 0)
		return fail("send", err.text);
	int copy = dup(upload.fd);
	upload.data = &upload;
	if (copy < 0 || write_to(copy, args, paths, state, &manifest, &err) ||
		hash_file(upload.fd, &upload, &err)) {
		rc = fail("send", copy < 0 ? strerror(errno) : err.text);
	} else {
		upload.manifest = manifest;
		rc = send_file(&upload);
	}
	close(upload.fd);
	return rc;
}

int logs_send(const struct cli_args *args, const struct agent_paths *paths)
{
	struct agent_state state;
	struct err err;
	if (state_load(paths, &state, &err) != STATE_LOADED)
		return fail("send", err.text);
	if (cancel_init(&cancel)) {
		state_wipe(&state);
		return fail("send", strerror(errno));
	}
	catch_signals();
	int rc = make_and_send(args, paths, &state);
	cancel_fini(&cancel);
	state_wipe(&state);
	return rc;
}
