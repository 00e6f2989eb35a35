/*
 * What is on this machine already: a program (a package's, or one that a setup has put there), its
 * version, and an identity.
 *
 * Failure modes: a program that does not run counts as none; an identity that cannot be read stops
 * everything, because it may be all that proves this machine to its hub.
 */
#include "base/file.h"
#include "os/child.h"
#include "os/os.h"
#include "setup/parts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASK_MS   10000
#define MAX_SAID 4096

char *own_file(void)
{
	return file_exists("/proc/self/exe") ? xstrdup("/proc/self/exe") : os_own_path();
}

static bool is_packaged(const struct setup *setup)
{
	cleanup(free_ptr) char *path = setup_path(setup, PACKAGED_PATH);
	cleanup(free_ptr) char *query = child_find("dpkg-query");
	cleanup(free_ptr) char *folder = setup_path(setup, "/var/lib/dpkg");
	cleanup(free_ptr) char *admin = xasprintf("--admindir=%s", folder);
	cleanup(buf_free) struct buf said = {.max = MAX_SAID};
	if (!file_exists(path) || !query)
		return false;
	return child_run((const char *const[]){query, admin, "--search", PACKAGED_PATH, NULL},
			   deadline_in_ms(ASK_MS), NULL, &said, NULL) == 0;
}

/* "sallyport 0.1.0" */
bool program_version(const char *path, char version[32])
{
	cleanup(buf_free) struct buf said = {.max = MAX_SAID};
	version[0] = '\0';
	errno = 0;
	if (access(path, X_OK))
		return false;
	errno = 0;
	int code = child_run(
		(const char *const[]){path, "--version", NULL}, deadline_in_ms(ASK_MS), NULL, &said, NULL);
	const char *number = buf_text(&said) + strcspn(buf_text(&said), "0123456789");
	size_t len = strspn(number, "0123456789.");
	if (code || strncmp(buf_text(&said), "sallyport ", 10) != 0 || !len || len >= 32)
		return false;
	snprintf(version, 32, "%.*s", (int)len, number);
	return true;
}

int version_compare(const char *one, const char *other)
{
	while (*one || *other) {
		char *one_end, *other_end;
		unsigned long a = strtoul(one, &one_end, 10), b = strtoul(other, &other_end, 10);
		if (a != b)
			return a < b ? -1 : 1;
		if (one_end == one && other_end == other)
			return 0;
		one = one_end + (*one_end == '.');
		other = other_end + (*other_end == '.');
	}
	return 0;
}

static bool same_bytes(int one, int other)
{
	static const size_t chunk = 65536;
	cleanup(free_ptr) char *a = xcalloc(1, chunk);
	cleanup(free_ptr) char *b = xcalloc(1, chunk);
	for (off_t at = 0;; at += (off_t)chunk) {
		ssize_t x = pread(one, a, chunk, at), y = pread(other, b, chunk, at);
		if (x < 0 || x != y || memcmp(a, b, (size_t)x) != 0)
			return false;
		if (x == 0)
			return true;
	}
}

static bool is_same_file(const char *path)
{
	cleanup(free_ptr) char *own = own_file();
	int one = own ? open(own, O_RDONLY | O_CLOEXEC) : -1;
	int other = open(path, O_RDONLY | O_CLOEXEC);
	struct stat a, b;
	bool same = one >= 0 && other >= 0 && fstat(one, &a) == 0 && fstat(other, &b) == 0 &&
				a.st_size == b.st_size && (b.st_mode & 07777) == 0755 && same_bytes(one, other);
	if (one >= 0)
		close(one);
	if (other >= 0)
		close(other);
	return same;
}

/* A hub is told by its key: its name and address may have changed since. */
static int check_hub(struct setup *setup)
{
	const struct join_token *token = setup->options->token;
	unsigned char hash[TOKEN_KEY_HASH_BYTES];
	if (!token)
		return 0;
	crypto_hash_sha256(hash, setup->state.hub_key, sizeof setup->state.hub_key);
	if (memcmp(hash, token->hub_key_hash, sizeof hash) == 0)
		return 0;
	return setup_fail_by(setup, OUTCOME_AGENT_ELSEWHERE, "hub", "%s:%u", setup->state.hub_host,
		setup->state.hub_port);
}

static int read_identity(struct setup *setup)
{
	struct err err;
	setup->joined = state_load(&setup->paths, &setup->state, &err);
	if (setup->joined == STATE_BROKEN)
		return setup_fail(setup, 0, "%s", err.text);
	if (setup->joined == STATE_LOADED) {
		memcpy(setup->report->server, setup->state.server_id, sizeof setup->report->server);
		return check_hub(setup);
	}
	return 0;
}

void existing_look(struct setup *setup)
{
	setup->packaged = is_packaged(setup);
	setup->program = setup_path(setup, setup->packaged ? PACKAGED_PATH : PROGRAM_PATH);
	if (program_version(setup->program, setup->version)) {
		setup->newer = version_compare(setup->version, SALLYPORT_VERSION) > 0;
		setup->same = !setup->packaged && is_same_file(setup->program);
		memcpy(setup->report->version, setup->version, sizeof setup->version);
	}
}

int existing_read(struct setup *setup)
{
	existing_look(setup);
	return read_identity(setup);
}
