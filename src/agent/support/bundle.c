/*
 * Happy path: each row of the table is gathered, masked, hashed and written; then the manifest.
 *
 * Failure modes: what is not there or cannot be read is left out, and the manifest says why; a file
 * that is too long keeps its end; a disk that fills up is the caller's error.
 */
#include "agent/support/bundle.h"

#include "agent/support/archive.h"
#include "agent/runs/journal.h"
#include "agent/support/mask.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "dial/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LOG   ((size_t)2 * 1024 * 1024)
#define MAX_FILE  ((size_t)1024 * 1024)
#define MAX_SMALL 65536
#define NONE      "there is none"

extern char **environ;

struct bundle {
	const struct bundle_source *source;
	struct archive *archive;
	struct mask mask;
	json_t *members, *left_out;
};

/* One member. `cut` and `changed` may stay as they are. */
struct piece {
	struct buf data;
	size_t cut; /* bytes of its beginning that were left out */
	time_t changed;
};

struct row {
	const char *name;
	int (*gather)(
		struct bundle *bundle, const struct row *row, struct piece *piece, struct err *err);
	const char *path; /* below the root */
	size_t max;
	bool seldom; /* nobody misses it where there is none */
};

static void leave_out(struct bundle *bundle, const char *what, const char *why)
{
	json_array_append_new(bundle->left_out, json_pack("{s:s,s:s}", "what", what, "why", why));
}

/* --- what goes in -------------------------------------------------------------------------- */

/* The end of a file, as much of it as `max` allows. */
static int take_file(
	struct bundle *bundle, const struct row *row, struct piece *piece, struct err *err)
{
	cleanup(free_ptr) char *path = file_under(bundle->source->root, row->path);
	char chunk[16384];
	struct stat st;
	ssize_t got = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		err_set(err, "%s", errno == ENOENT ? NONE : errno ? strerror(errno) : "it is no file");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	piece->changed = st.st_mtime;
	if ((size_t)st.st_size > row->max) {
		piece->cut = (size_t)st.st_size - row->max;
		lseek(fd, (off_t)piece->cut, SEEK_SET);
	}
	piece->data.max = row->max;
	while ((got = read(fd, chunk, sizeof chunk)) > 0 &&
		   buf_append(&piece->data, chunk, (size_t)got) == 0)
		continue;
	close(fd);
	return got < 0 ? err_set(err, "%s", strerror(errno)) : 0;
}

struct taking {
	const struct agent_paths *paths;
	json_t *list;
};

static void take_json(struct piece *piece, json_t *value)
{
	cleanup(free_ptr) char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	buf_puts(&piece->data, text ? text : "null");
	buf_puts(&piece->data, "\n");
	json_decref(value);
}

static int take_inventory(
	struct bundle *bundle, const struct row *row, struct piece *piece, struct err *err)
{
	const struct agent_state *state = bundle->source->state;
	struct inventory_source source = {
		.location = state ? state->location : NULL,
		.profiles = bundle->source->profiles,
		.root = bundle->source->root,
	};
	(void)row;
	(void)err;
	take_json(piece, inventory_read(&source));
	return 0;
}

/* What identity.json holds, but for the key. */
static int take_identity(
	struct bundle *bundle, const struct row *row, struct piece *piece, struct err *err)
{
	const struct agent_state *state = bundle->source->state;
	char own[IDENTITY_PRINT_SIZE], hub[IDENTITY_PRINT_SIZE];
	(void)row;
	if (!state)
		return err_set(err, "this machine has not joined a hub");
	identity_fingerprint(state->identity.public_key, own);
	identity_fingerprint(state->hub_key, hub);
	take_json(piece,
		json_pack("{s:s,s:s,s:s?,s:s,s:{s:s,s:i,s:s,s:s?},s:o}", "server_id", state->server_id,
			"name", state->name, "location", state->location, "key_fingerprint", own, "hub", "host",
			state->hub_host, "port", (int)state->hub_port, "key_fingerprint", hub, "private_ca",
			state->private_ca, "endpoints", endpoints_write(&state->endpoints)));
	return 0;
}

static void add_run(void *data, const char *run)
{
	const struct taking *taking = data;
	struct run_state state = {0};
	struct err err;
	json_t *entry = json_pack("{s:s}", "run", run);
	if (journal_state_load(taking->paths, run, &state, &err)) {
		json_object_set_new(entry, "error", json_string(err.text));
	} else {
		json_object_update_new(entry,
			json_pack("{s:s,s:s?,s:I,s:I,s:s?,s:s?,s:s?}", "state", run_status_name(state.status),
				"title", state.title, "attempt", (json_int_t)state.attempt, "exit_code",
				(json_int_t)state.exit_code, "reason", state.reason, "started", state.started,
				"finished", state.finished));
		run_state_free(&state);
	}
	json_array_append_new(taking->list, entry);
}

/* Of each run how far it is, and nothing of what it does. */
static int take_runs(
	struct bundle *bundle, const struct row *row, struct piece *piece, struct err *err)
{
	struct taking taking = {bundle->source->paths, json_array()};
	(void)row;
	if (journal_list(taking.paths, add_run, &taking)) {
		take_json(piece, taking.list);
		return 0;
	}
	json_decref(taking.list);
	return err_set(err, "%s", NONE);
}

static int take_proxy(
	struct bundle *bundle, const struct row *row, struct piece *piece, struct err *err)
{
	(void)row;
	return proxy_file_redacted(bundle->source->root, &piece->data, err);
}

#define LOG(suffix, seldom)                                                                        \
	{                                                                                              \
		"log/connector.log" suffix, take_file, "/var/log/sallyport/connector.log" suffix, MAX_LOG, \
			seldom                                                                                 \
	}

static const struct row rows[] = {
	LOG("", false),
	LOG(".1", true),
	LOG(".2", true),
	LOG(".3", true),
	LOG(".4", true),
	LOG(".5", true),
	{"status.json", take_file, "/var/lib/sallyport/status.json", MAX_FILE, false},
	{"check.json", take_file, "/var/lib/sallyport/check.json", MAX_FILE, false},
	{"rhythm.json", take_file, "/var/lib/sallyport/rhythm.json", MAX_SMALL, true},
	{"runs.json", take_runs, NULL, 0, false},
	{"inventory.json", take_inventory, NULL, 0, false},
	{"configuration/identity.json", take_identity, NULL, 0, false},
	{"configuration/proxy.env", take_proxy, NULL, 0, false},
	{"configuration/resolv.conf", take_file, "/etc/resolv.conf", MAX_SMALL, false},
};

/* Never in any bundle. */
static const struct {
	const char *what, *why;
} secrets[] = {
	{"the private key in identity.json", "it proves this machine to its hub"},
	{"user names in addresses, passwords and unknown variables of proxy.env", "they are secrets"},
	{"scripts, arguments, environment and output of jobs", "they may hold secrets"},
};

/* --- secrets ------------------------------------------------------------------------------- */

static void mask_secret(void *data, const char *secret)
{
	struct bundle *bundle = data;
	mask_add(&bundle->mask, secret, strlen(secret));
}

/* User and password together, as Basic sends them. */
static void mask_credentials(struct bundle *bundle, const struct proxy_settings *settings)
{
	if (!settings->password || !*settings->password)
		return;
	cleanup(free_ptr) char *pair = xasprintf("%s:%s", settings->user, settings->password);
	mask_secret(bundle, settings->password);
	mask_secret(bundle, pair);
	sodium_memzero(pair, strlen(pair));
}

static void learn_secrets(struct bundle *bundle)
{
	const char *root = bundle->source->root;
	struct proxy_settings settings;
	struct finding invalid = {.cause = CAUSE_NONE};
	proxy_each_secret(environ, root, mask_secret, bundle);
	if (proxy_settings_read(environ, root, &settings, &invalid) == 0)
		mask_credentials(bundle, &settings);
	proxy_settings_free(&settings);
	finding_free(&invalid);
	if (proxy_settings_of_service(root, &settings, &invalid) == 0)
		mask_credentials(bundle, &settings);
	proxy_settings_free(&settings);
	finding_free(&invalid);
	if (bundle->source->state) {
		unsigned char seed[IDENTITY_SEED_BYTES];
		identity_seed(&bundle->source->state->identity, seed);
		mask_add(&bundle->mask, seed, sizeof seed);
		sodium_memzero(seed, sizeof seed);
	}
}

/* --- the archive --------------------------------------------------------------------------- */

static int write_piece(
	struct bundle *bundle, const char *name, struct piece *piece, struct err *err)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof hash + 1];
	size_t masked = mask_apply(&bundle->mask, &piece->data);
	crypto_hash_sha256(hash, (const unsigned char *)buf_text(&piece->data), piece->data.len);
	sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
	json_t *entry = json_pack(
		"{s:s,s:I,s:s}", "name", name, "size", (json_int_t)piece->data.len, "sha256", hex);
	if (piece->cut)
		json_object_set_new(entry, "cut", json_integer((json_int_t)piece->cut));
	if (masked)
		json_object_set_new(entry, "masked", json_integer((json_int_t)masked));
	json_array_append_new(bundle->members, entry);
	return archive_add(bundle->archive, name, buf_text(&piece->data), piece->data.len,
		piece->changed ? piece->changed : time(NULL), err);
}

static int write_rows(struct bundle *bundle, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct piece piece = {.cut = 0};
		struct err why;
		int rc = 0;
		bool missing = rows[i].gather(bundle, &rows[i], &piece, &why) != 0;
		if (missing && !(rows[i].seldom && strcmp(why.text, NONE) == 0))
			leave_out(bundle, rows[i].name, why.text);
		if (!missing)
			rc = write_piece(bundle, rows[i].name, &piece, err);
		buf_free(&piece.data);
		if (rc)
			return -1;
	}
	return 0;
}

/* The manifest cannot hold its own hash, so it is the one member that it does not list. */
static int write_manifest(struct bundle *bundle, json_t **manifest, struct err *err)
{
	const struct agent_state *state = bundle->source->state;
	char now[CLOCK_TEXT_SIZE];
	*manifest = json_pack("{s:s,s:s,s:s,s:s*,s:s*,s:O,s:O}", "schema", "sallyport.bundle/1",
		"made_at", clock_rfc3339(time(NULL), now), "agent_version", SALLYPORT_VERSION, "server_id",
		state ? state->server_id : NULL, "name", state ? state->name : NULL, "members",
		bundle->members, "left_out", bundle->left_out);
	cleanup(free_ptr) char *text = json_dumps(*manifest, JSON_INDENT(2));
	return archive_add(bundle->archive, "manifest.json", text, strlen(text), time(NULL), err);
}

int bundle_write(int fd, const struct bundle_source *source, json_t **manifest, struct err *err)
{
	struct bundle bundle = {.source = source, .archive = archive_open(fd, err)};
	struct err ignored;
	*manifest = NULL;
	if (!bundle.archive)
		return -1;
	bundle.members = json_array();
	bundle.left_out = json_array();
	learn_secrets(&bundle);
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		leave_out(&bundle, secrets[i].what, secrets[i].why);
	int rc = write_rows(&bundle, err) || write_manifest(&bundle, manifest, err) ? -1 : 0;
	if (archive_close(bundle.archive, rc ? &ignored : err))
		rc = -1;
	if (rc)
		json_drop(manifest);
	mask_free(&bundle.mask);
	json_decref(bundle.members);
	json_decref(bundle.left_out);
	return rc;
}
