/*
 * The happy path: read at most 64 KiB, parse, check every field by a table, make the key pair from
 * its seed, and see that the id belongs to it.
 *
 * Failure modes: no file (not joined), no right to read it (not root), cut short or overwritten
 * (JSON error with line and column, a field that is missing or wrong, an id that is another's), a
 * version from the future. Each has a sentence of its own; the file stays as it is.
 */
#include "agent/state.h"

#include "agent/runs/journal.h"
#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_MAX_BYTES 65536
#define RESERVE_BYTES   16384 /* more than identity.json ever takes */
#define PRIVATE_CA_MAX  8192
#define RESTORE_OR_REJOIN                                                                          \
	"Restore the file from a backup, or join again with a new token: `sallyport join --force`"

/* identity.json as it lies on the disk. */
struct record {
	int64_t version;
	unsigned char seed[IDENTITY_SEED_BYTES];
	char *server_id;
	char *name;
	char *location;
	char *hub_host;
	int64_t hub_port;
	unsigned char hub_key[IDENTITY_KEY_BYTES];
	char *private_ca;
};

static const struct json_field fields[] = {
	{"version", JSON_FIELD_INT, offsetof(struct record, version), 1000, true},
	{"seed", JSON_FIELD_BYTES, offsetof(struct record, seed), IDENTITY_SEED_BYTES, true},
	{"server_id", JSON_FIELD_TEXT, offsetof(struct record, server_id), IDENTITY_ID_SIZE - 1, true},
	{"name", JSON_FIELD_TEXT, offsetof(struct record, name), 255, true},
	{"location", JSON_FIELD_TEXT, offsetof(struct record, location), STATE_MAX_LOCATION, false},
	{"hub_host", JSON_FIELD_TEXT, offsetof(struct record, hub_host), TOKEN_MAX_HOST, true},
	{"hub_port", JSON_FIELD_INT, offsetof(struct record, hub_port), 65535, true},
	{"hub_key", JSON_FIELD_BYTES, offsetof(struct record, hub_key), IDENTITY_KEY_BYTES, true},
	{"private_ca", JSON_FIELD_TEXT, offsetof(struct record, private_ca), PRIVATE_CA_MAX, false},
};

/* First of all, since the other fields may be others in another version. */
static int version_check(const json_t *object, struct err *err)
{
	int64_t version = json_get_int(object, "version", STATE_VERSION);
	if (version != STATE_VERSION)
		return err_set(err, "version %lld, but this program knows version %d only",
			(long long)version, STATE_VERSION);
	return 0;
}

static int record_check(const struct record *record, struct err *err)
{
	if (!record->hub_port || !*record->hub_host)
		return err_set(err, "hub_host or hub_port is empty");
	return 0;
}

static int record_to_state(struct record *record, struct agent_state *state, struct err *err)
{
	if (record_check(record, err))
		return -1;
	*state = (struct agent_state){.hub_port = (uint16_t)record->hub_port};
	identity_from_seed(&state->identity, record->seed);
	identity_id(state->identity.public_key, state->server_id);
	if (strcmp(state->server_id, record->server_id) != 0) {
		sodium_memzero(state, sizeof *state);
		return err_set(err, "server_id does not belong to the seed");
	}
	strcpy(state->hub_host, record->hub_host);
	memcpy(state->hub_key, record->hub_key, sizeof state->hub_key);
	endpoints_at(&state->endpoints, state->hub_host, state->hub_port);
	state->name = record->name;
	state->private_ca = record->private_ca;
	state->location = record->location;
	record->name = record->location = record->private_ca = NULL;
	return 0;
}

static int parse(const struct buf *text, struct agent_state *state, struct err *err)
{
	cleanup(json_drop) json_t *object = json_parse(buf_text(text), text->len, err);
	struct record record = {0};
	if (!object || version_check(object, err) ||
		json_record_read(object, fields, ARRAY_LEN(fields), &record, err))
		return -1;
	int rc = record_to_state(&record, state, err);
	json_record_free(fields, ARRAY_LEN(fields), &record);
	sodium_memzero(&record, sizeof record);
	return rc;
}

static void add_sentence(struct err *err, const char *sentence)
{
	size_t len = strlen(err->text);
	snprintf(err->text + len, sizeof err->text - len, ". %s", sentence);
}

static enum state_result read_error(const struct agent_paths *paths, int error, struct err *err)
{
	if (error == ENOENT) {
		err_set(err,
			"this machine has not joined a hub (there is no %s). Make a token in the hub's console "
			"under \"Add server\", then: sallyport join --token TOKEN",
			paths->identity);
		return STATE_ABSENT;
	}
	if (error == EACCES || error == EPERM)
		err_set(err, "%s: %s. Only root may read it: use sudo", paths->identity, strerror(error));
	else
		add_sentence(err, RESTORE_OR_REJOIN);
	return STATE_BROKEN;
}

/* What is missing, damaged or of another identity is as the token said. */
static void load_endpoints(const struct agent_paths *paths, struct agent_state *state)
{
	cleanup(buf_free) struct buf text = {0};
	struct endpoints kept;
	struct err err;
	if (file_read(paths->endpoints, STATE_MAX_BYTES, &text, &err))
		return;
	cleanup(json_drop) json_t *object = json_parse(buf_text(&text), text.len, NULL);
	const char *whose = json_get_text(object, "server_id");
	if (whose && strcmp(whose, state->server_id) == 0 &&
		!endpoints_read(json_object_get(object, "endpoints"), &kept, NULL))
		state->endpoints = kept;
}

enum state_result state_load(
	const struct agent_paths *paths, struct agent_state *state, struct err *err)
{
	cleanup(buf_free) struct buf text = {0};
	struct err ignored;
	err = err ? err : &ignored;
	if (file_read(paths->identity, STATE_MAX_BYTES, &text, err))
		return read_error(paths, errno, err);
	int bad = parse(&text, state, err);
	if (text.data)
		sodium_memzero(text.data, text.cap);
	if (bad) {
		err_prefix(err, "%s is damaged", paths->identity);
		add_sentence(err, RESTORE_OR_REJOIN);
		return STATE_BROKEN;
	}
	load_endpoints(paths, state);
	return STATE_LOADED;
}

/* --- the hub's endpoints -----------------------------------------------------------------------
 */

int state_follow(const struct agent_paths *paths, struct agent_state *state, const json_t *object,
	struct err *err)
{
	struct endpoints said = state->endpoints;
	if (!object)
		return 0;
	if (endpoints_read(object, &said, err))
		return err_prefix(err, "what the hub says of its endpoints");
	if (endpoints_same(&said, &state->endpoints))
		return 0;
	state->endpoints = said;
	cleanup(json_drop) json_t *file =
		json_pack("{s:s,s:o}", "server_id", state->server_id, "endpoints", endpoints_write(&said));
	cleanup(free_ptr) char *text = json_dumps(file, JSON_INDENT(2));
	return file_replace(paths->endpoints, text, strlen(text), 0600, err) ? -1 : 1;
}

static int make_state_dir(const struct agent_paths *paths, struct err *err)
{
	if (file_make_dirs(paths->state_dir, 0700, err)) {
		if (errno == EACCES || errno == EPERM)
			err_prefix(err, "only root may do this (use sudo)");
		return -1;
	}
	/* It may have been made by hand, or by an installer with another mask. */
	struct stat st;
	if (stat(paths->state_dir, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 0077))
		chmod(paths->state_dir, 0700);
	return 0;
}

int state_save(const struct agent_paths *paths, const struct agent_state *state, struct err *err)
{
	struct record record = {
		.version = STATE_VERSION,
		.server_id = (char *)state->server_id,
		.name = state->name,
		.location = state->location,
		.hub_host = (char *)state->hub_host,
		.hub_port = state->hub_port,
		.private_ca = state->private_ca,
	};
	identity_seed(&state->identity, record.seed);
	memcpy(record.hub_key, state->hub_key, sizeof record.hub_key);
	cleanup(json_drop) json_t *object = json_record_write(fields, ARRAY_LEN(fields), &record);
	sodium_memzero(record.seed, sizeof record.seed);
	char *text = json_dumps(object, JSON_INDENT(2));
	if (!text)
		return err_set(err, "%s: its content is no UTF-8", paths->identity);
	int rc = make_state_dir(paths, err);
	/* The service's lock is made here, so that a disk that fills up later cannot keep it from
	 * starting. */
	int lock = rc ? -1 : open(paths->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock >= 0)
		close(lock);
	if (!rc)
		rc = file_replace(paths->identity, text, strlen(text), 0600, err);
	sodium_memzero(text, strlen(text));
	free(text);
	return rc;
}

int state_prepare(const struct agent_paths *paths, struct err *err)
{
	if (make_state_dir(paths, err))
		return -1;
	cleanup(free_ptr) char *probe = xasprintf("%s.room", paths->identity);
	cleanup(free_ptr) char *filler = xcalloc(RESERVE_BYTES, 1);
	int rc = file_replace(probe, filler, RESERVE_BYTES, 0600, err);
	int saved = errno;
	if (rc && (saved == EACCES || saved == EPERM))
		err_prefix(err, "only root may do this (use sudo)");
	else if (rc)
		err_set(
			err, "%s cannot keep this machine's identity: %s", paths->state_dir, strerror(saved));
	unlink(probe);
	errno = saved;
	return rc;
}

int state_remove(const struct agent_paths *paths, struct err *err)
{
	const char *const files[] = {
		paths->identity, paths->endpoints, paths->status, paths->check, paths->rhythm};
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (unlink(files[i]) && errno != ENOENT)
			return err_set(err, "%s: %s", files[i], strerror(errno));
	journal_clear(paths);
	return 0;
}

char *state_hub(const struct agent_state *state)
{
	const struct place *place = &state->endpoints.places[ENDPOINT_SESSION];
	if (!place->port) /* nobody has said where it is */
		return xasprintf("%s:%u", state->hub_host, state->hub_port);
	return xasprintf("%s:%u", place->host, place->port);
}

void state_wipe(struct agent_state *state)
{
	free(state->name);
	free(state->location);
	free(state->private_ca);
	sodium_memzero(state, sizeof *state);
}
